/* canal_fast/bittiming/solve_linux.h - what `ip link set can0 type can bitrate N` programs.
 *
 * Described from the documented behaviour of the kernel and of can-calc-bit-timing: it wants the
 * smallest whole-number rate error, then the smallest error of a sample point, in whole permille, that
 * is not above the asked one. It does not look at every combination: per number of quanta it tries two
 * prescalers and two tseg2.
 */
#ifndef CANAL_FAST_BITTIMING_SOLVE_LINUX_H
#define CANAL_FAST_BITTIMING_SOLVE_LINUX_H

#include "timing.h"

enum {
    CF_KERNEL_MAX_ERROR_PERMILLE = 50,
    CF_KERNEL_TIES_TO_LAST = 1,  /* before 5.19: of equals the last, so the fewest quanta; since then the first */
    CF_KERNEL_SJW_IS_ONE = 2     /* up to 6.2: sjw 1 unless given; since then from the phase segments */
};

/* The tseg2 that the kernel takes for nbt quanta: as few as keep the sample point from lying later
 * than asked, or one fewer where limits leave that not later either. Returns the sample point's error
 * in permille, or -1 when it would lie later whatever tseg2 is. */
CF_INLINE int32_t cf_kernel_segments(const cf_timing_limits *limits, int32_t sample, int32_t nbt, int32_t *tseg2)
{
    const int32_t wanted = nbt - sample * nbt / 1000;
    int32_t best = -1, fewer;
    for (fewer = 0; fewer < 2; fewer++) {
        int32_t after = wanted - fewer, error;
        after = after > (int32_t)limits->tseg2_min ? after : (int32_t)limits->tseg2_min;
        after = after < (int32_t)limits->tseg2_max ? after : (int32_t)limits->tseg2_max;
        if (nbt - 1 - after > (int32_t)limits->tseg1_max)
            after = nbt - 1 - (int32_t)limits->tseg1_max;
        error = sample - 1000 * (nbt - after) / nbt;
        if (error >= 0 && (best < 0 || error < best)) {
            best = error;
            *tseg2 = after;
        }
    }
    return best;
}

/* CF_OK, or CF_TIMING_KERNEL_REFUSES: no rate within 5 %, or segments of no length. `sample` is in
 * permille. The kernel does not hold tseg1 against its lower limit, so early sample points may break it.
 * Takes limits that cf_timing_check accepts and a rate of at most 2^31 bit/s. */
CF_INLINE cf_status cf_timing_linux(const cf_timing_limits *limits, uint32_t f_clock, uint32_t rate, uint32_t sample,
                                    uint32_t sjw, unsigned behaviour, cf_timing *out)
{
    const int ties_to_last = (behaviour & CF_KERNEL_TIES_TO_LAST) != 0;
    const uint32_t inc = limits->brp_inc;
    const int64_t none = INT64_MAX;
    int64_t rate_error = none, sample_error = none;
    uint32_t nbt, phase1;
    int32_t tseg2 = 0;
    memset(out, 0, sizeof *out);
    out->f_clock = f_clock;
    out->status = CF_TIMING_KERNEL_REFUSES;
    for (nbt = 1 + limits->tseg1_max + limits->tseg2_max; nbt > limits->tseg1_min + limits->tseg2_min; nbt--) {
        const uint32_t whole = (uint32_t)(f_clock / ((uint64_t)nbt * rate));
        const uint32_t tries[2] = {(whole + 1) / inc * inc, whole / inc * inc};
        int i;
        for (i = 0; i < 2; i++) {
            const uint32_t brp = tries[i];
            int64_t off, sample_off;
            if (!brp || cf_timing_brp_at_most(limits, brp) != brp)
                continue;
            off = (int64_t)(f_clock / ((uint64_t)brp * nbt)) - rate;
            off = off < 0 ? -off : off;
            if (off > rate_error)
                continue;
            if (off < rate_error)
                sample_error = none; /* forgotten even if this one is not taken in the end */
            tseg2 = 0; /* stays so where no sample point is early enough; older kernels take even that */
            sample_off = cf_kernel_segments(limits, (int32_t)sample, (int32_t)nbt, &tseg2);
            sample_off = sample_off < 0 ? none : sample_off;
            if (sample_off > sample_error || (sample_off == sample_error && !ties_to_last))
                continue;
            sample_error = sample_off;
            rate_error = off;
            out->brp = brp;
            out->tseg2 = (uint32_t)tseg2;
            out->tseg1 = nbt - 1 > out->tseg2 ? nbt - 1 - out->tseg2 : 0;
            if (!off && !sample_off)
                goto found;
        }
    }
found:
    if (rate_error == none || rate_error * 1000 / rate > CF_KERNEL_MAX_ERROR_PERMILLE)
        return CF_TIMING_KERNEL_REFUSES;
    if (!out->tseg1 || !out->tseg2)
        return CF_TIMING_KERNEL_REFUSES;
    out->prop_seg = out->tseg1 / 2;
    phase1 = out->tseg1 - out->prop_seg;
    out->sjw = phase1 < out->tseg2 / 2 ? phase1 : out->tseg2 / 2;
    if (out->sjw < 1 || (behaviour & CF_KERNEL_SJW_IS_ONE))
        out->sjw = 1;
    if (sjw)
        out->sjw = sjw;
    if (out->sjw > limits->sjw_max || out->sjw > phase1 || out->sjw > out->tseg2)
        return CF_TIMING_KERNEL_REFUSES;
    out->status = CF_OK;
    return CF_OK;
}

/* cf_timing_linux for `count` rates in bit/s, clocks, and sample points in permille (0: the default for the rate).
 * out[i].status tells how each ended; returns how many did not end in CF_OK. */
CF_INLINE size_t cf_timing_linux_many(const cf_timing_limits *limits, const uint32_t *rates, const uint32_t *clocks,
                                      const uint32_t *samples, uint32_t sjw, unsigned behaviour, size_t count,
                                      cf_timing *CF_RESTRICT out)
{
    size_t i, failed = 0;
    for (i = 0; i < count; i++) {
        const uint32_t sample = samples[i] ? samples[i] : cf_timing_default_sample_permille(rates[i], 1);
        cf_status status = CF_OK;
        if (rates[i] < CF_TIMING_MIN_RATE || rates[i] > clocks[i])
            status = CF_TIMING_RATE;
        else if (sample >= 1000)
            status = CF_TIMING_SAMPLE_POINT;
        else
            status = cf_timing_linux(limits, clocks[i], rates[i], sample, sjw, behaviour, &out[i]);
        if (status != CF_OK) {
            memset(&out[i], 0, sizeof out[i]);
            out[i].f_clock = clocks[i];
            out[i].status = status;
            failed++;
        }
    }
    return failed;
}

#endif
