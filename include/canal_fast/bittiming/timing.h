/* canal_fast/bittiming/timing.h - bit timings: what may be asked, which answers satisfy it, which is better.
 *
 * A bit is sync (1 quantum) + tseg1 | sample | + tseg2; a quantum is brp periods of f_clock.
 * Integers and rationals decide everything. The bounds below keep all products inside 64 bits,
 * except the one comparison that cf_compare_products makes in 128.
 */
#ifndef CANAL_FAST_BITTIMING_TIMING_H
#define CANAL_FAST_BITTIMING_TIMING_H

#include "../base.h"

enum {
    CF_TIMING_MAX_SEGMENT = 4096,
    CF_TIMING_MAX_BRP = 65536,
    CF_TIMING_MAX_DENOMINATOR = 1000,         /* of an asked bit rate */
    CF_TIMING_MAX_SAMPLE_DENOMINATOR = 1000000,
    CF_TIMING_MAX_ERROR_PPM = 100000,         /* 10 %; twice what the Linux kernel takes */
    CF_TIMING_MAX_TOLERANCE_PPB = 100000000,  /* 10 %; no timing reaches 5 % */
    CF_TIMING_MIN_RATE = 100,                 /* bit/s */
    CF_TIMING_MAX_SOLUTIONS = 1000000
};

/* X(name): all uint32_t */
/* clang-format off */
#define CF_TIMING_LIMIT_FIELDS(X) \
    X(tseg1_min) X(tseg1_max) X(tseg2_min) X(tseg2_max) X(sjw_max) X(brp_min) X(brp_max) X(brp_inc) \
    X(brp_fine_max) X(brp_coarse_inc)
/* clang-format on */
#define CF_TIMING_FIELDS(X) X(f_clock) X(brp) X(tseg1) X(tseg2) X(sjw) X(prop_seg) X(status)
#define CF_TIMING_MEMBER(name) uint32_t name;

/* Prescalers are multiples of brp_inc; above brp_fine_max, unless that is 0, of brp_coarse_inc. */
typedef struct cf_timing_limits {
    CF_TIMING_LIMIT_FIELDS(CF_TIMING_MEMBER)
} cf_timing_limits;

typedef struct cf_timing {
    CF_TIMING_FIELDS(CF_TIMING_MEMBER)
} cf_timing;

/* What is asked. The rate is rate / rate_of bit/s, the sample point lies at sample / sample_of of the
 * bit. Zero in any of the last four fields means: not asked. */
typedef struct cf_timing_request {
    uint64_t rate;
    uint32_t rate_of;
    uint32_t f_clock; /* Hz */
    uint32_t sample;
    uint32_t sample_of;
    uint32_t max_error_ppm; /* of the rate; a rate less than 1 bit/s off is always good enough */
    uint32_t data_phase;    /* 1: the data phase of an FD frame, where only resynchronisation counts */
    uint32_t delay_ps;      /* two-way propagation delay that the propagation segment has to hold */
    uint32_t tolerance_ppb; /* oscillator tolerance to reach */
    uint32_t sjw;           /* to be programmed; 0: as large as phases and controller allow */
} cf_timing_request;

/* Products of clock periods per bit that are close enough to the asked rate. */
typedef struct cf_timing_window {
    uint32_t low, high;
} cf_timing_window;

CF_INLINE uint32_t cf_timing_nbt(const cf_timing *t)
{
    return 1 + t->tseg1 + t->tseg2;
}

/* -1, 0, 1 as a*b is below, equal to or above c*d. */
CF_INLINE int cf_compare_products(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t high[2], low[2];
    const uint64_t x[2] = {a, c}, y[2] = {b, d};
    int i;
    for (i = 0; i < 2; i++) {
        const uint64_t x0 = x[i] & 0xFFFFFFFFu, x1 = x[i] >> 32;
        const uint64_t y0 = y[i] & 0xFFFFFFFFu, y1 = y[i] >> 32;
        const uint64_t low_part = x0 * y0;
        const uint64_t middle = x1 * y0 + (low_part >> 32);
        const uint64_t carry = x0 * y1 + (middle & 0xFFFFFFFFu);
        high[i] = x1 * y1 + (middle >> 32) + (carry >> 32);
        low[i] = (carry << 32) | (low_part & 0xFFFFFFFFu);
    }
    if (high[0] != high[1])
        return high[0] < high[1] ? -1 : 1;
    return low[0] == low[1] ? 0 : low[0] < low[1] ? -1 : 1;
}

/* Sample point where none is asked: 75 % above 800 kbit/s, 80 % above 500 kbit/s, else 87.5 %. */
CF_INLINE uint32_t cf_timing_default_sample_permille(uint64_t rate, uint32_t rate_of)
{
    return rate > (uint64_t)800000 * rate_of ? 750 : rate > (uint64_t)500000 * rate_of ? 800 : 875;
}

/* CF_OK, CF_TIMING_LIMITS, CF_TIMING_RATE, CF_TIMING_SAMPLE_POINT or CF_TIMING_CONSTRAINT. */
CF_INLINE cf_status cf_timing_check(const cf_timing_limits *limits, const cf_timing_request *r)
{
    if (limits->tseg1_min < 1 || limits->tseg1_min > limits->tseg1_max || limits->tseg1_max > CF_TIMING_MAX_SEGMENT ||
        limits->tseg2_min < 1 || limits->tseg2_min > limits->tseg2_max || limits->tseg2_max > CF_TIMING_MAX_SEGMENT ||
        limits->sjw_max < 1 || limits->brp_min < 1 || limits->brp_min > limits->brp_max ||
        limits->brp_max > CF_TIMING_MAX_BRP || limits->brp_inc < 1 || limits->brp_inc > limits->brp_max ||
        limits->brp_fine_max > limits->brp_max || (limits->brp_fine_max && limits->brp_fine_max < limits->brp_min) ||
        limits->brp_coarse_inc > limits->brp_max || !limits->brp_fine_max != !limits->brp_coarse_inc)
        return CF_TIMING_LIMITS;
    if (r->rate_of < 1 || r->rate_of > CF_TIMING_MAX_DENOMINATOR ||
        r->rate < (uint64_t)CF_TIMING_MIN_RATE * r->rate_of || r->rate > (uint64_t)r->f_clock * r->rate_of)
        return CF_TIMING_RATE;
    if (r->sample_of > CF_TIMING_MAX_SAMPLE_DENOMINATOR || r->sample < 1 || r->sample >= r->sample_of)
        return CF_TIMING_SAMPLE_POINT;
    if (r->max_error_ppm > CF_TIMING_MAX_ERROR_PPM || r->tolerance_ppb > CF_TIMING_MAX_TOLERANCE_PPB)
        return CF_TIMING_CONSTRAINT;
    return CF_OK;
}

/* Rates closer than 1 bit/s, or within max_error_ppm. Needs a request that cf_timing_check accepts. */
CF_INLINE cf_timing_window cf_timing_rates(const cf_timing_request *r)
{
    const uint64_t clock = (uint64_t)r->f_clock * r->rate_of;
    const uint64_t slowest = r->rate * (1000000u - r->max_error_ppm);
    const uint64_t fastest = r->rate * (1000000u + r->max_error_ppm);
    const uint64_t low = clock / (r->rate + r->rate_of) + 1;
    const uint64_t high = (clock - 1) / (r->rate - r->rate_of);
    const uint64_t low_ppm = clock * 1000000u / fastest + (clock * 1000000u % fastest != 0);
    const uint64_t high_ppm = clock * 1000000u / slowest;
    cf_timing_window w;
    w.low = (uint32_t)(low < low_ppm ? low : low_ppm);
    w.high = (uint32_t)(high > high_ppm ? high : high_ppm);
    return w;
}

/* The greatest prescaler that is not above `most`; 0: there is none. */
CF_INLINE uint32_t cf_timing_brp_at_most(const cf_timing_limits *limits, uint32_t most)
{
    uint32_t brp = most < limits->brp_max ? most : limits->brp_max;
    if (limits->brp_fine_max && brp > limits->brp_fine_max) {
        brp -= brp % limits->brp_coarse_inc;
        if (brp > limits->brp_fine_max)
            return brp;
        brp = limits->brp_fine_max;
    }
    if (limits->brp_inc > 1)
        brp -= brp % limits->brp_inc;
    return brp >= limits->brp_min ? brp : 0;
}

/* The smallest prescaler that is not below `least`, which is at most 2^31; 0: there is none. */
CF_INLINE uint32_t cf_timing_brp_at_least(const cf_timing_limits *limits, uint32_t least)
{
    uint32_t brp = least > limits->brp_min ? least : limits->brp_min;
    if (limits->brp_inc > 1 && brp % limits->brp_inc)
        brp += limits->brp_inc - brp % limits->brp_inc;
    if (limits->brp_fine_max && brp > limits->brp_fine_max) {
        brp = least > limits->brp_fine_max ? least : limits->brp_fine_max + 1;
        if (brp % limits->brp_coarse_inc)
            brp += limits->brp_coarse_inc - brp % limits->brp_coarse_inc;
    }
    return brp <= limits->brp_max ? brp : 0;
}

/* First and last prescaler that take nbt quanta into the window; empty when low > high. */
CF_INLINE cf_timing_window cf_timing_prescalers(const cf_timing_limits *limits, cf_timing_window rates, uint32_t nbt)
{
    cf_timing_window w;
    w.low = 1;
    w.high = rates.high / nbt;
    if (w.high * nbt >= rates.low) { /* fails for most quanta counts */
        w.high = cf_timing_brp_at_most(limits, w.high);
        w.low = cf_timing_brp_at_least(limits, (rates.low + nbt - 1) / nbt);
        if (w.low)
            return w;
        w.low = 1;
    }
    w.high = 0;
    return w;
}

/* Segments tseg1 that leave a valid tseg2 of nbt quanta. */
CF_INLINE cf_timing_window cf_timing_segments(const cf_timing_limits *limits, uint32_t nbt)
{
    cf_timing_window w;
    w.low = nbt > 1 + limits->tseg2_max ? nbt - 1 - limits->tseg2_max : 1;
    w.low = w.low > limits->tseg1_min ? w.low : limits->tseg1_min;
    w.high = nbt - 1 - limits->tseg2_min;
    w.high = w.high < limits->tseg1_max ? w.high : limits->tseg1_max;
    return w;
}

/* Splits tseg1 into propagation and phase segment 1 and derives sjw. 0 when a constraint fails.
 * With a delay the propagation segment is as short as the delay allows; without, phase segment 1 is
 * as long as phase segment 2 if one quantum of propagation remains. Oscillator tolerance:
 * df <= sjw / (20 nbt) and df <= min(phase 1, phase 2) / (2 (13 nbt - phase 2)); ISO 11898-1:2015, 11.3. */
CF_INLINE int cf_timing_split(const cf_timing_limits *limits, const cf_timing_request *r, cf_timing *t)
{
    const uint64_t nbt = cf_timing_nbt(t);
    uint32_t phase1, shorter;
    if (r->delay_ps) {
        const uint64_t delay = (uint64_t)r->delay_ps * r->f_clock;
        const uint64_t quantum = t->brp * (uint64_t)1000000 * 1000000;
        const uint64_t prop = delay / quantum + (delay % quantum != 0);
        if (prop >= t->tseg1)
            return 0;
        t->prop_seg = (uint32_t)prop;
    } else {
        phase1 = t->tseg1 > 1 ? t->tseg1 - 1 : 1;
        t->prop_seg = t->tseg1 - (phase1 < t->tseg2 ? phase1 : t->tseg2);
    }
    phase1 = t->tseg1 - t->prop_seg;
    shorter = phase1 < t->tseg2 ? phase1 : t->tseg2;
    t->sjw = shorter < limits->sjw_max ? shorter : limits->sjw_max;
    if (r->sjw) {
        if (r->sjw > t->sjw)
            return 0;
        t->sjw = r->sjw;
    }
    if (r->tolerance_ppb * 20 * nbt > t->sjw * (uint64_t)1000000000)
        return 0;
    return r->data_phase || r->tolerance_ppb * 2 * (13 * nbt - t->tseg2) <= shorter * (uint64_t)1000000000;
}

/* Which real rate is closer to the asked one? Negative when a's is. Both must lie in the request's window. */
CF_INLINE int cf_timing_compare_rates(const cf_timing_request *r, const cf_timing *a, const cf_timing *b)
{
    const uint64_t clock = (uint64_t)r->f_clock * r->rate_of;
    const uint64_t a_periods = (uint64_t)cf_timing_nbt(a) * a->brp, b_periods = (uint64_t)cf_timing_nbt(b) * b->brp;
    const uint64_t a_real = r->rate * a_periods, b_real = r->rate * b_periods;
    if (a_periods == b_periods)
        return 0;
    return cf_compare_products(a_real > clock ? a_real - clock : clock - a_real, b_periods,
                               b_real > clock ? b_real - clock : clock - b_real, a_periods);
}

/* Which is better, by exact rationals: rate closer; sample point closer; more quanta; smaller brp;
 * sample point earlier. Negative when a is. Both must lie in the request's window. */
CF_INLINE int cf_timing_compare(const cf_timing_request *r, const cf_timing *a, const cf_timing *b)
{
    const uint64_t a_nbt = cf_timing_nbt(a), b_nbt = cf_timing_nbt(b);
    uint64_t a_off = (a->tseg1 + (uint64_t)1) * r->sample_of, b_off = (b->tseg1 + (uint64_t)1) * r->sample_of;
    const int order = cf_timing_compare_rates(r, a, b);
    if (order)
        return order;
    a_off = (a_off > r->sample * a_nbt ? a_off - r->sample * a_nbt : r->sample * a_nbt - a_off) * b_nbt;
    b_off = (b_off > r->sample * b_nbt ? b_off - r->sample * b_nbt : r->sample * b_nbt - b_off) * a_nbt;
    if (a_off != b_off)
        return a_off < b_off ? -1 : 1;
    if (a_nbt != b_nbt)
        return a_nbt > b_nbt ? -1 : 1;
    if (a->brp != b->brp)
        return a->brp < b->brp ? -1 : 1;
    return a->tseg1 == b->tseg1 ? 0 : a->tseg1 < b->tseg1 ? -1 : 1;
}

#endif
