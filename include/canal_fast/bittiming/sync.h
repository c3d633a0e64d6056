/* canal_fast/bittiming/sync.h - one node's time base: where its samples lie, and how edges move them.
 *
 * ISO 11898-1:2015, 11.3.2. Only recessive-to-dominant edges synchronise, only when the last sample was recessive, and
 * once between two samples. Hard synchronisation starts the bit anew at the edge; resynchronisation moves the next
 * sample by the phase error, at most by the jump width. Times are integers of any one unit.
 */
#ifndef CANAL_FAST_BITTIMING_SYNC_H
#define CANAL_FAST_BITTIMING_SYNC_H

#include "../base.h"

/* One bit rate. 0 < sample < bit; 0 <= jump <= bit - sample. */
typedef struct cf_sync_timing {
    int64_t bit;    /* length of a bit */
    int64_t sample; /* from the start of the bit to the sample */
    int64_t jump;   /* synchronisation jump width */
} cf_sync_timing;

typedef struct cf_sync {
    int64_t sample; /* time of the next sample */
    int armed;      /* the last sample was recessive and no edge has synchronised since */
} cf_sync;

/* Start of the bit whose sample comes next. */
CF_INLINE int64_t cf_sync_bit_start(const cf_sync *s, const cf_sync_timing *t)
{
    return s->sample - t->sample;
}

/* A bit begins at `edge`. */
CF_INLINE void cf_sync_hard(cf_sync *s, const cf_sync_timing *t, int64_t edge)
{
    s->sample = edge + t->sample;
    s->armed = 0;
}

/* A falling edge after the last sample and not after the next. A node that drives dominant (`driving`) ignores edges
 * that come late, because they are its own, delayed. */
CF_INLINE void cf_sync_edge(cf_sync *s, const cf_sync_timing *t, int64_t edge, int driving)
{
    const int64_t error = edge - cf_sync_bit_start(s, t);
    if (!s->armed || (driving && error > 0))
        return;
    s->sample += error > t->jump ? t->jump : error < -t->jump ? -t->jump : error;
    s->armed = 0;
}

/* The sample was taken and has `level` (1 recessive). `next` is the timing of what follows: with another one than
 * before, the bit's second part already has the new rate. */
CF_INLINE void cf_sync_sampled(cf_sync *s, const cf_sync_timing *next, unsigned level)
{
    s->sample += next->bit;
    s->armed = level != 0;
}

#endif
