/* canal_fast/waveform/timing.h - edges as parts of a bit, and the two bit rates in them.
 *
 * Edges are numbers of ticks (a tick is a sample, or a picosecond where times were recorded). A part is a tick times
 * 2^left / 2^right, chosen so that a nominal bit has CF_WAVE_PARTS to twice that many parts: integers are then exact
 * enough (0.1 ppm of a bit), and products of a run and a reciprocal stay inside 64 bits.
 */
#ifndef CANAL_FAST_WAVEFORM_TIMING_H
#define CANAL_FAST_WAVEFORM_TIMING_H

#include "../bittiming/sync.h"

enum { CF_WAVE_PARTS = 1 << 23 };
#define CF_WAVE_FAR ((int64_t)1 << 38)

typedef struct cf_wave_timing {
    cf_sync_timing nominal, data;
    int64_t quantum[2];    /* triple sampling: distance of the samples at either rate, in parts; 0: one sample */
    unsigned left, right;  /* ticks << left >> right are parts */
    int rounding;          /* too few samples a bit for a sample point: runs are rounded to bits */
    int64_t offset;        /* rounding: from the SOF's edge to where the mean of all edges says that SOF begins */
    int64_t quarter;       /* rounding: a quarter of a sample, in parts */
    int64_t enter; /* rounding: from the middle of BRS to the switch, less the same of a bit at the data rate */
    double tick_ns; /* length of a tick */
    double resolution; /* ticks between two samples; edges lie on multiples of it */
    int64_t ticks_a_second;
} cf_wave_timing;

/* Ticks (0 or more) to parts; more than CF_WAVE_FAR, which no frame lasts, count as that. */
CF_INLINE int64_t cf_wave_parts(const cf_wave_timing *t, int64_t ticks)
{
    return (ticks < CF_WAVE_FAR ? ticks : CF_WAVE_FAR) << t->left >> t->right;
}

CF_INLINE double cf_wave_parts_ns(const cf_wave_timing *t, int64_t parts)
{
    return (double)parts * (double)((uint64_t)1 << t->right) / (double)((uint64_t)1 << t->left) * t->tick_ns;
}

/* A tick's time in whole nanoseconds, rounded, without loss for large numbers. */
CF_INLINE int64_t cf_wave_tick_ns(const cf_wave_timing *t, int64_t tick)
{
    const int64_t seconds = tick / t->ticks_a_second, rest = tick % t->ticks_a_second;
    const double ns = (double)rest * t->tick_ns;
    return seconds * 1000000000 + (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

#endif
