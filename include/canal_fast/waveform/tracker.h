/* canal_fast/waveform/tracker.h - follows the bits of a frame far enough to know its rate.
 *
 * ISO 11898-1:2015, 10.4.2 and 11.3.1.3: the data rate holds from the sample point of a recessive BRS to that of the
 * CRC delimiter, or of the bit that shows an error; the edge from FDF to res synchronises hard.
 */
#ifndef CANAL_FAST_WAVEFORM_TRACKER_H
#define CANAL_FAST_WAVEFORM_TRACKER_H

#include "../frame.h"

typedef enum cf_track_part { CF_TRACK_STUFFED, CF_TRACK_FIXED, CF_TRACK_REST } cf_track_part;

typedef struct cf_tracker {
    cf_track_part part;
    unsigned run, last; /* equal bits so far, and their level */
    unsigned count;     /* bits of the part so far, stuff bits not counted in the first one */
    unsigned fdf;       /* number of the bit that is FDF or r0 */
    unsigned end;       /* bits of the part, when known */
    unsigned dlc;
    int fast;     /* the next bit has the data rate */
    int hard;     /* the next falling edge synchronises hard */
    int switched; /* the frame has had the data rate */
} cf_tracker;

CF_INLINE void cf_tracker_begin(cf_tracker *k)
{
    memset(k, 0, sizeof *k);
    k->last = 1;
    k->fdf = 14;
    k->end = ~0u;
}

CF_INLINE void cf_tracker_rest(cf_tracker *k)
{
    k->part = CF_TRACK_REST;
    k->fast = k->hard = 0;
}

/* A bit of SOF to the last data bit that is no stuff bit. */
CF_INLINE void cf_tracker_field(cf_tracker *k, unsigned bit)
{
    const unsigned n = k->count++;
    if (n == 13 && bit) /* IDE */
        k->fdf = 33;
    if (n == k->fdf && !bit)
        cf_tracker_rest(k); /* a classical frame */
    k->hard = n == k->fdf && bit;
    if (n == k->fdf + 1 && bit) { /* protocol exception: the node integrates again, and each edge synchronises hard */
        cf_tracker_rest(k);
        k->hard = 1;
    }
    if (n == k->fdf + 2)
        k->fast = k->switched = bit != 0;
    if (n >= k->fdf + 4 && n <= k->fdf + 7)
        k->dlc = k->dlc << 1 | bit;
    if (n == k->fdf + 7)
        k->end = k->count + 8 * cf_fd_length(k->dlc);
    if (k->count == k->end) {
        const unsigned width = cf_fd_length(k->dlc) <= 16 ? 17 : 21;
        k->part = CF_TRACK_FIXED;
        k->count = 0;
        k->end = 4 + width + (width + 7) / 4;
    }
}

/* The next bit as sampled, SOF first. */
CF_INLINE void cf_tracker_bit(cf_tracker *k, unsigned bit)
{
    if (k->part == CF_TRACK_REST)
        return;
    if (k->part == CF_TRACK_FIXED) {
        if (k->count == k->end || (k->count % 5 == 0 && bit == k->last)) /* the CRC delimiter, or a form error */
            cf_tracker_rest(k);
        k->last = bit;
        k->count++;
        return;
    }
    if (k->run == 5) {
        if (bit == k->last)
            cf_tracker_rest(k);
        k->run = 1;
        k->last = bit;
        return;
    }
    k->run = bit == k->last ? k->run + 1 : 1;
    k->last = bit;
    cf_tracker_field(k, bit);
}

#endif
