/* canal_fast/waveform/plain.h - reads the frames that are as they should be: classical, acknowledged, idle bus after.
 *
 * A pair of edges at a time: both runs of a pair are counted from the same time base, so that only one multiplication
 * waits for the pair before. Whatever is not plainly good is left to sampler.h, which does the same bit by bit.
 */
#ifndef CANAL_FAST_WAVEFORM_PLAIN_H
#define CANAL_FAST_WAVEFORM_PLAIN_H

#include "measure.h"

enum {
    CF_PLAIN_PAIRS = 80,     /* of falling and rising edge; no classical frame has as many */
    CF_PLAIN_RUN = 24,       /* bits; a longer run counts as that */
    CF_PLAIN_SHIFT = 56,     /* of the reciprocal: runs are below 2^30 parts and bits below 2^24 */
    CF_PLAIN_TAIL = 1 + 7    /* ACK delimiter and EOF */
};

typedef struct cf_plain {
    uint8_t bytes[CF_PLAIN_PAIRS * 4 + 8]; /* zeroed once */
    int16_t fall[CF_PLAIN_PAIRS]; /* bit at each falling edge; -1: of a glitch */
    int pairs;                    /* falling edges */
    int slot;                     /* bit that is the ACK slot */
    int64_t end;                  /* parts from the SOF's edge to the end of EOF */
    int64_t next;                 /* number of the next SOF's edge */
    int64_t margin;
    int glitches;
} cf_plain;

/* Samples that lie before an edge `parts` after the next sample. */
CF_ALWAYS_INLINE int64_t cf_plain_samples(int64_t parts, uint64_t reciprocal)
{
    return parts > 0 ? (int64_t)((uint64_t)(parts - 1) * reciprocal >> CF_PLAIN_SHIFT) + 1 : 0;
}

CF_ALWAYS_INLINE int64_t cf_plain_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The frame whose SOF is the falling edge `first`, into the zeroed record. Returns 0 unless it is plainly good; then *p
 * holds the frame's end and, with `columns`, what those need. `reciprocal` is 2^CF_PLAIN_SHIFT / bit + 1. */
CF_ALWAYS_INLINE int cf_plain_read(cf_plain *p, const cf_wave_timing *timing, uint64_t reciprocal,
                                   const cf_wave_edges *edges, int64_t first, cf_units units, int columns,
                                   cf_frame_head *head, size_t stride)
{
    const int64_t bit = timing->nominal.bit, offset = timing->nominal.sample, jump = timing->nominal.jump;
    const int64_t farthest = CF_PLAIN_RUN * bit;
    const unsigned left = timing->left, right = timing->right;
    const int64_t *at = edges->ticks + first, *last = edges->ticks + edges->count - 2;
    const int64_t origin = *at;
    int64_t sample = offset, margin = offset, previous = -CF_WAVE_FAR, place = 0;
    int64_t tail, dominant, run;
    int glitches = 0, pairs = 0, apart = 1; /* a recessive sample lies before the falling edge */
    cf_writer writer = {p->bytes, 0, 0};
    cf_packed bits = {p->bytes, 8 * (int64_t)(sizeof p->bytes - 8)};
    cf_decoded result;
    for (;;) {
        int64_t rise, fall, error;
        if (at >= last || pairs == CF_PLAIN_PAIRS)
            return 0;
        rise = ((at[1] - origin) << left >> right) - sample;
        fall = ((at[2] - origin) << left >> right) - sample;
        if (rise > 6 * bit)
            return 0;
        if (at[2] - at[1] >= CF_WAVE_FAR / 2 || fall > farthest)
            fall = farthest;
        dominant = cf_plain_samples(rise, reciprocal);
        run = cf_plain_samples(fall, reciprocal);
        if (columns) {
            const int64_t after = dominant * bit - rise;
            margin = cf_plain_least(margin, cf_plain_least(after, dominant ? bit - after : rise + sample - previous));
            glitches += (dominant == 0) + (run == dominant);
            p->fall[pairs] = (int16_t)(dominant && apart ? place : -1);
            apart = run > dominant;
        }
        if (run - dominant >= CF_WAVE_FIELD_BITS)
            break;
        pairs++;
        at += 2;
        if (columns)
            margin = cf_plain_least(margin, run ? bit + fall - run * bit : fall + sample - previous);
        if (CF_LIKELY(run)) {
            cf_write(&writer, ((uint64_t)1 << (run - dominant)) - 1, (unsigned)run);
            place += run;
            previous = sample + (run - 1) * bit;
            error = fall - run * bit + offset; /* against the start of the bit */
            sample += run * bit;
            fall -= run * bit;
            if (CF_LIKELY(run > dominant)) {
                const int64_t moved = error > jump ? jump : error < -jump ? -jump : error;
                sample += moved;
                fall -= moved;
            }
        }
        if (columns)
            margin = cf_plain_least(margin, -fall);
    }
    tail = place + dominant;
    if (run - dominant < CF_PLAIN_TAIL + 2) /* the next SOF comes too early, or the ACK is missing */
        return 0;
    cf_write(&writer, ((uint64_t)1 << CF_PLAIN_TAIL) - 1, (unsigned)dominant + CF_PLAIN_TAIL);
    if (cf_decode_frame_on(units, bits, 0, tail + CF_PLAIN_TAIL, head, stride, &result) != CF_OK ||
        result.status != CF_WIRE_OK || head->flags & CF_FLAG_FD || result.end != tail + CF_PLAIN_TAIL)
        return 0;
    p->pairs = pairs + 1;
    p->slot = (int)tail - 1;
    p->end = sample + (dominant + CF_PLAIN_TAIL) * bit - offset;
    p->next = (at + 2) - edges->ticks;
    p->margin = margin;
    p->glitches = glitches;
    return 1;
}

/* The columns of a frame that cf_plain_read has read. */
CF_INLINE void cf_plain_measure(const cf_plain *p, const cf_wave_timing *t, const cf_wave_edges *e, int64_t first,
                                cf_wave_measures *m)
{
    const double nominal = (double)t->nominal.bit * (double)((uint64_t)1 << t->right) /
                           (double)((uint64_t)1 << t->left);
    cf_slope slope = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    int i;
    for (i = 0; i < p->pairs; i++)
        if (p->fall[i] >= 0 && p->fall[i] < p->slot)
            cf_slope_add(&slope, p->fall[i], (double)(e->ticks[first + 2 * i] - e->ticks[first]));
    m->glitches = p->glitches;
    cf_wave_margin(m, t, p->margin, t->nominal.bit);
    cf_slope_end(&slope, nominal, t->resolution, m);
}

#endif
