/* canal_fast/analysis/statistics.h - counts, bits, periods and windows of arrays of frames, in one pass.
 *
 * Everything is a whole number and adds exactly; rates, means and loads are the reader's.
 */
#ifndef CANAL_FAST_ANALYSIS_STATISTICS_H
#define CANAL_FAST_ANALYSIS_STATISTICS_H

#include "../bits.h"
#include "ids.h"

/* X(C type, numpy format, name): of one identifier */
/* clang-format off */
#define CF_ID_STATISTICS(X)                                                                                       \
    X(int64_t, "i8", count)                                                                                       \
    X(int64_t, "i8", first_ns)        /* of the first and the last frame in their order */                        \
    X(int64_t, "i8", last_ns)                                                                                     \
    X(int64_t, "i8", first_latest_ns) /* the latest time stamp of any identifier until then */                    \
    X(int64_t, "i8", last_latest_ns)                                                                              \
    X(int64_t, "i8", least_ns)        /* period between two frames in their order; INT64_MAX and MIN at first */  \
    X(int64_t, "i8", most_ns)                                                                                     \
    X(uint64_t, "u8", square_low)     /* sum of the squares of periods, ns^2, 128 bits */                         \
    X(uint64_t, "u8", square_high)                                                                                \
    X(int64_t, "i8", bits)            /* at the nominal rate and at the data rate, with intermission */           \
    X(int64_t, "i8", data_bits)                                                                                   \
    X(int64_t, "i8", payload_bytes)                                                                               \
    X(int64_t, "i8", dlcs)            /* bit n: dlc n occurred */                                                 \
    X(int64_t, "i8", overlapping)     /* 1: periods are unknown, since parts that interleave were added */

/* X(C type, numpy format, name): of one channel in one window */
#define CF_WINDOW_STATISTICS(X)                                                                                   \
    X(int64_t, "i8", channel)                                                                                     \
    X(int64_t, "i8", window)          /* time stamps from window * length on */                                   \
    X(int64_t, "i8", count)                                                                                       \
    X(int64_t, "i8", bits)                                                                                        \
    X(int64_t, "i8", data_bits)
/* clang-format on */

typedef struct cf_id_statistics {
    CF_ID_STATISTICS(CF_RECORD_MEMBER)
} cf_id_statistics;

typedef struct cf_window_statistics {
    CF_WINDOW_STATISTICS(CF_RECORD_MEMBER)
} cf_window_statistics;

/* Fields of the two, or NULL past the last. */
CF_RECORD_FIELDS(cf_id_statistics_field, cf_id_statistics, CF_ID_STATISTICS)

CF_RECORD_FIELDS(cf_window_statistics_field, cf_window_statistics, CF_WINDOW_STATISTICS)

/* Periods by size: 0..7 ns have a bin each, then each octave has eight equal ones. */
enum { CF_PERIOD_BINS = 496 };

CF_INLINE unsigned cf_period_bin(int64_t period_ns)
{
    unsigned octave;
    if (period_ns < 8)
        return period_ns < 0 ? 0 : (unsigned)period_ns;
    octave = 63 - cf_leading_zeros((uint64_t)period_ns);
    return 8 * (octave - 2) + ((unsigned)((uint64_t)period_ns >> (octave - 3)) & 7);
}

/* Adds period^2 to the 128-bit sum. */
CF_INLINE void cf_add_square(cf_id_statistics *one, int64_t period_ns)
{
    const uint64_t p = period_ns < 0 ? 0 - (uint64_t)period_ns : (uint64_t)period_ns;
    uint64_t low = p * p;
    if (CF_UNLIKELY(p >> 32)) { /* in halves: (h 2^32 + l)^2 = h^2 2^64 + h l 2^33 + l^2 */
        const uint64_t h = p >> 32, l = p & UINT32_MAX, mixed = h * l;
        low = l * l + (mixed << 33);
        one->square_high += h * h + (mixed >> 31) + (low < l * l);
    }
    one->square_low += low;
    one->square_high += one->square_low < low;
}

/* cf_period_bin of 8..2^32-1 ns, as such a number's exponent and first bits stand in a double. */
CF_INLINE unsigned cf_period_bin_quick(int64_t period_ns)
{
    const double number = (double)period_ns;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (unsigned)(bits >> 49) - 8 * (1023 + 2);
}

/* Adds a period between two frames; `bins` has CF_PERIOD_BINS counters. */
CF_INLINE void cf_add_period(cf_id_statistics *one, int64_t *bins, int64_t period_ns)
{
    if (CF_UNLIKELY(period_ns < one->least_ns)) /* branches: few periods are new ends, and a store each is dearer */
        one->least_ns = period_ns;
    if (CF_UNLIKELY(period_ns > one->most_ns))
        one->most_ns = period_ns;
    if (CF_LIKELY(period_ns >= 8 && period_ns <= UINT32_MAX)) {
        const uint64_t square = (uint64_t)period_ns * (uint64_t)period_ns;
        bins[cf_period_bin_quick(period_ns)]++;
        one->square_low += square;
        one->square_high += one->square_low < square;
    } else {
        bins[cf_period_bin(period_ns)]++;
        cf_add_square(one, period_ns);
    }
}

/* Adds periods[i] to row i and its bins. */
CF_INLINE void cf_add_periods(cf_id_statistics *rows, int64_t *bins, const int64_t *periods, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        cf_add_period(&rows[i], bins + i * CF_PERIOD_BINS, periods[i]);
}

typedef struct cf_statistics {
    cf_ids ids;
    cf_id_statistics *rows; /* ids.room */
    int64_t *bins;          /* CF_PERIOD_BINS for each row, zero at first */
    int64_t latest_ns;      /* INT64_MIN at first */
    int64_t window_ns;      /* above 0 */
    cf_window_statistics *windows;
    size_t window_count, window_room;
} cf_statistics;

CF_INLINE int64_t cf_window_of(int64_t timestamp_ns, int64_t window_ns)
{
    return timestamp_ns / window_ns - (timestamp_ns % window_ns < 0);
}

/* Adds what a record has of bits and bytes to its identifier and its window: *current, which is the channel's last. */
CF_INLINE void cf_statistics_add_length(cf_statistics *s, cf_window_statistics **current, cf_id_statistics *one,
                                        const cf_frame_head *head, int64_t bits, int64_t data_bits)
{
    const int64_t time = head->timestamp_ns;
    cf_window_statistics *window = *current;
    one->bits += bits;
    one->data_bits += data_bits;
    one->payload_bytes += cf_payload_length(head->flags, head->dlc);
    one->dlcs |= INT64_C(1) << (head->dlc & 63);
    /* unsigned: a time before the window is far behind it */
    if (!window || (uint64_t)time - (uint64_t)window->window * (uint64_t)s->window_ns >= (uint64_t)s->window_ns) {
        window = *current = &s->windows[s->window_count++];
        memset(window, 0, sizeof *window);
        window->channel = head->channel;
        window->window = cf_window_of(time, s->window_ns);
    }
    window->count++;
    window->bits += bits;
    window->data_bits += data_bits;
}

/* cf_statistics_add, for a constant `with_lengths`: bits is not NULL. */
CF_ALWAYS_INLINE size_t cf_statistics_add_all(cf_statistics *state, const void *frames, size_t count, size_t stride,
                                              int with_lengths, const int32_t *CF_RESTRICT bits,
                                              const int32_t *CF_RESTRICT data_bits)
{
    const char *at = (const char *)frames;
    cf_window_statistics *current[256] = {NULL};
    cf_statistics s = *state; /* a copy, since what is stored might lie in *state */
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const int64_t time = head->timestamp_ns;
        cf_id_statistics *one;
        uint32_t number;
        if (CF_UNLIKELY(s.window_count == s.window_room))
            break;
        if (CF_UNLIKELY(!cf_has_id(head)))
            continue;
        s.latest_ns = time > s.latest_ns ? time : s.latest_ns;
        number = cf_id_known(&s.ids, cf_id_key(head));
        if (CF_UNLIKELY(number == CF_IDS_FULL)) {
            number = cf_id_find(&s.ids, cf_id_key(head));
            if (number == CF_IDS_FULL)
                break;
            one = &s.rows[number];
            memset(one, 0, sizeof *one);
            one->first_ns = time;
            one->first_latest_ns = s.latest_ns;
            one->least_ns = INT64_MAX;
            one->most_ns = INT64_MIN;
        } else { /* unsigned: the distance of two far apart time stamps wraps */
            one = &s.rows[number];
            cf_add_period(one, s.bins + (size_t)number * CF_PERIOD_BINS,
                          (int64_t)((uint64_t)time - (uint64_t)one->last_ns));
        }
        one->count++;
        one->last_ns = time;
        one->last_latest_ns = s.latest_ns;
        if (with_lengths)
            cf_statistics_add_length(&s, &current[head->channel], one, head, bits[i], data_bits ? data_bits[i] : 0);
    }
    *state = s;
    return i;
}

/* Adds `count` records to the statistics; bits[i] and data_bits[i] (NULL: none) are their lengths. Without bits,
 * periods and counts are all that is added. Windows are appended, one for each run of frames of a channel that fall
 * into the same, so that one may occur again. Records without an identifier are passed over. Returns the records done:
 * fewer than `count` when there is no room for another identifier or window. */
CF_INLINE size_t cf_statistics_add(cf_statistics *state, const void *frames, size_t count, size_t stride,
                                   const int32_t *CF_RESTRICT bits, const int32_t *CF_RESTRICT data_bits)
{
    return bits ? cf_statistics_add_all(state, frames, count, stride, 1, bits, data_bits)
                : cf_statistics_add_all(state, frames, count, stride, 0, NULL, NULL);
}

#endif
