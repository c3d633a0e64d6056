/* canal_fast/wire/bus_load.h - bit counts to time, and time to bus load. */
#ifndef CANAL_FAST_WIRE_BUS_LOAD_H
#define CANAL_FAST_WIRE_BUS_LOAD_H

#include "../frame.h"
#include "../ids.h"

/* Nearest nanosecond of nominal[i] bits at `bitrate` and data[i] bits (NULL: none) at `data_bitrate` (bit/s, > 0). */
CF_INLINE void cf_durations(const int32_t *CF_RESTRICT nominal, const int32_t *CF_RESTRICT data, size_t count,
                            double bitrate, double data_bitrate, int64_t *CF_RESTRICT durations_ns)
{
    size_t i;
    if (data == NULL)
        for (i = 0; i < count; i++)
            durations_ns[i] = (int64_t)(nominal[i] * 1e9 / bitrate + 0.5);
    else
        for (i = 0; i < count; i++)
            durations_ns[i] = (int64_t)(nominal[i] * 1e9 / bitrate + data[i] * 1e9 / data_bitrate + 0.5);
}

/* rows[i] becomes the number of frame i's identifier, base and extended ones apart, in the order in which they first
 * occur; keys are `extended` << 32 | identifier. Returns the frames done: `count`, or fewer when the table is full. */
CF_INLINE size_t cf_busload_rows(cf_ids *ids, const void *frames, size_t count, size_t stride, int64_t *rows)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const uint64_t extended = head->flags & CF_FLAG_EXTENDED_ID;
        const uint32_t number = cf_id_find(ids, extended << 32 | head->arbitration_id);
        if (CF_UNLIKELY(number == CF_IDS_FULL))
            break;
        rows[i] = (int64_t)number;
    }
    return i;
}

/* Adds each frame's share of its window to load[row * windows + window], row = rows[i] (0 where `rows` is NULL).
 * Returns `count`, or the number of the first frame that is in no window or whose row is not below `keys`. */
CF_INLINE size_t cf_busload_add(const void *frames, size_t count, size_t stride, const int64_t *durations_ns,
                                const int64_t *rows, int64_t start_ns, int64_t window_ns, size_t windows, size_t keys,
                                double *load)
{
    const char *at = (const char *)frames;
    uint64_t window = 0, begin = 0;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        /* unsigned: the distance of two far apart time stamps still fits */
        const uint64_t since = (uint64_t)((const cf_frame_head *)at)->timestamp_ns - (uint64_t)start_ns;
        const uint64_t row = rows ? (uint64_t)rows[i] : 0;
        if (since - begin >= (uint64_t)window_ns) { /* another window than that of the frame before */
            window = since / (uint64_t)window_ns;
            begin = window * (uint64_t)window_ns;
        }
        if (window >= windows || row >= keys)
            return i;
        load[row * windows + window] += (double)durations_ns[i] / (double)window_ns;
    }
    return count;
}

#endif
