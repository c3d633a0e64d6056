/* canal_fast/bittiming/solve.h - every bit timing of a controller for a bit rate, ranked, and the best. */
#ifndef CANAL_FAST_BITTIMING_SOLVE_H
#define CANAL_FAST_BITTIMING_SOLVE_H

#include "timing.h"

/* Writes the first `capacity` of all timings that satisfy the request, unranked, and the best of them
 * into *best unless that is NULL (status CF_TIMING_NONE when there is none); returns how many there
 * are, or gives up counting past CF_TIMING_MAX_SOLUTIONS when no best is wanted. The search space is
 * every brp, tseg1 and tseg2 of the limits. */
CF_INLINE size_t cf_timing_all(const cf_timing_limits *limits, const cf_timing_request *r, cf_timing *out,
                               size_t capacity, cf_timing *best)
{
    const cf_timing_window rates = cf_timing_rates(r);
    const uint32_t longest = 1 + limits->tseg1_max + limits->tseg2_max;
    size_t count = 0;
    uint32_t nbt;
    cf_timing t;
    t.f_clock = r->f_clock;
    t.status = CF_OK;
    if (best)
        best->status = CF_TIMING_NONE;
    for (nbt = 1 + limits->tseg1_min + limits->tseg2_min; nbt <= longest; nbt++) {
        const cf_timing_window brps = cf_timing_prescalers(limits, rates, nbt);
        const cf_timing_window segments = cf_timing_segments(limits, nbt);
        if (!best && count > CF_TIMING_MAX_SOLUTIONS)
            break;
        for (t.brp = brps.low; t.brp && t.brp <= brps.high; t.brp = cf_timing_brp_at_least(limits, t.brp + 1)) {
            for (t.tseg1 = segments.low; t.tseg1 <= segments.high; t.tseg1++) {
                t.tseg2 = nbt - 1 - t.tseg1;
                if (!cf_timing_split(limits, r, &t))
                    continue;
                if (count < capacity)
                    out[count] = t;
                count++;
                if (best && (best->status != CF_OK || cf_timing_compare(r, &t, best) < 0))
                    *best = t;
            }
        }
    }
    return count;
}

/* Sorts `count` timings, best first (heap sort: in place, no worst case). */
CF_INLINE void cf_timing_rank(const cf_timing_request *r, cf_timing *timings, size_t count)
{
    size_t start = count / 2, end = count;
    while (end > 1) {
        size_t root, child;
        cf_timing sinking;
        if (start) {
            sinking = timings[--start];
        } else {
            sinking = timings[--end];
            timings[end] = timings[0];
        }
        for (root = start; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && cf_timing_compare(r, &timings[child], &timings[child + 1]) < 0)
                child++;
            if (cf_timing_compare(r, &sinking, &timings[child]) >= 0)
                break;
            timings[root] = timings[child];
        }
        timings[root] = sinking;
    }
}

/* The best timing, the first that cf_timing_rank would put. Unless a constraint couples the fields,
 * only the two prescalers next to the asked rate and the two tseg1 next to the asked sample point can
 * win for a number of quanta, so only those are looked at. */
CF_INLINE cf_status cf_timing_best(const cf_timing_limits *limits, const cf_timing_request *r, cf_timing *best)
{
    const cf_timing_window rates = cf_timing_rates(r);
    const uint32_t asked = (uint32_t)((uint64_t)r->f_clock * r->rate_of / r->rate);
    uint32_t nbt;
    cf_timing t;
    if (r->delay_ps || r->tolerance_ppb || r->sjw) {
        cf_timing_all(limits, r, NULL, 0, best);
        return (cf_status)best->status;
    }
    best->status = CF_TIMING_NONE;
    t.f_clock = r->f_clock;
    t.status = CF_OK;
    for (nbt = 1 + limits->tseg1_max + limits->tseg2_max; nbt > limits->tseg1_min + limits->tseg2_min; nbt--) {
        cf_timing_window brps = cf_timing_prescalers(limits, rates, nbt), segments;
        uint32_t tseg1;
        if (brps.low > brps.high)
            continue;
        segments = cf_timing_segments(limits, nbt);
        if (brps.low < brps.high) {
            const uint32_t below = cf_timing_brp_at_most(limits, asked / nbt);
            if (below >= brps.high)
                brps.low = brps.high;
            else if (below > brps.low)
                brps.low = below;
            if (brps.low < brps.high)
                brps.high = cf_timing_brp_at_least(limits, brps.low + 1);
        }
        tseg1 = (uint32_t)((uint64_t)r->sample * nbt / r->sample_of);
        tseg1 = tseg1 > segments.low ? tseg1 - 1 : segments.low;
        segments.low = tseg1 < segments.high ? tseg1 : segments.high;
        segments.high = segments.low < segments.high ? segments.low + 1 : segments.low;
        for (t.brp = brps.low;; t.brp = brps.high) {
            for (t.tseg1 = segments.low; t.tseg1 <= segments.high; t.tseg1++) {
                t.tseg2 = nbt - 1 - t.tseg1;
                if (best->status != CF_OK || cf_timing_compare(r, &t, best) < 0)
                    *best = t;
            }
            if (t.brp == brps.high)
                break;
        }
    }
    if (best->status == CF_OK)
        cf_timing_split(limits, r, best);
    return (cf_status)best->status;
}

/* Solves `count` requests that differ from *common in rate (in thousandths of a bit/s), clock and
 * sample point (in millionths of the bit; 0: the default for the rate). out[i].status tells how each
 * ended; returns how many did not end in CF_OK. */
CF_INLINE size_t cf_timing_many(const cf_timing_limits *limits, const cf_timing_request *common,
                                const int64_t *rates_milli, const uint32_t *clocks, const uint32_t *samples,
                                size_t count, cf_timing *CF_RESTRICT out)
{
    cf_timing_request r = *common;
    size_t i, failed = 0;
    r.rate_of = 1000;
    for (i = 0; i < count; i++) {
        cf_status status;
        r.rate = rates_milli[i] > 0 ? (uint64_t)rates_milli[i] : 0;
        r.f_clock = clocks[i];
        r.sample = samples[i] ? samples[i] : cf_timing_default_sample_permille(r.rate, r.rate_of) * 1000;
        r.sample_of = 1000000;
        status = cf_timing_check(limits, &r);
        if (status == CF_OK)
            status = cf_timing_best(limits, &r, &out[i]);
        if (status != CF_OK) {
            memset(&out[i], 0, sizeof out[i]);
            out[i].f_clock = clocks[i];
            out[i].status = status;
            failed++;
        }
    }
    return failed;
}

/* The largest achievable rate not above the asked one and the smallest not below it, each as the
 * clock periods of its bit; 0 where there is none. */
CF_INLINE void cf_timing_nearest(const cf_timing_limits *limits, const cf_timing_request *r, uint32_t *slower,
                                 uint32_t *faster)
{
    const uint64_t clock = (uint64_t)r->f_clock * r->rate_of;
    const uint64_t floor = clock / r->rate, ceiling = floor + (clock % r->rate != 0);
    const uint32_t longest = 1 + limits->tseg1_max + limits->tseg2_max;
    uint32_t nbt;
    *slower = *faster = 0;
    for (nbt = 1 + limits->tseg1_min + limits->tseg2_min; nbt <= longest; nbt++) {
        uint32_t brp = cf_timing_brp_at_most(limits, (uint32_t)(floor / nbt));
        if (brp * nbt > *faster)
            *faster = brp * nbt;
        brp = cf_timing_brp_at_least(limits, (uint32_t)((ceiling + nbt - 1) / nbt));
        if (brp && (!*slower || brp * nbt < *slower))
            *slower = brp * nbt;
    }
}

#endif
