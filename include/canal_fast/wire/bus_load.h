/* canal_fast/wire/bus_load.h - bit counts to time, and time to bus load. */
#ifndef CANAL_FAST_WIRE_BUS_LOAD_H
#define CANAL_FAST_WIRE_BUS_LOAD_H

#include "../frame.h"

/* Nearest nanosecond of nominal[i] bits at `bitrate` and data[i] bits at `data_bitrate` (bit/s, above 0). */
CF_INLINE void cf_durations(const int32_t *CF_RESTRICT nominal, const int32_t *CF_RESTRICT data, size_t count,
                            double bitrate, double data_bitrate, int64_t *CF_RESTRICT durations_ns)
{
    size_t i;
    for (i = 0; i < count; i++)
        durations_ns[i] = (int64_t)(nominal[i] * 1e9 / bitrate + data[i] * 1e9 / data_bitrate + 0.5);
}

/* Adds each frame's share of its window to load[row * windows + window], row = rows[i] (0 where `rows` is NULL).
 * Returns `count`, or the number of the first frame that is in no window or whose row is not below `keys`. */
CF_INLINE size_t cf_busload_add(const void *frames, size_t count, size_t stride, const int64_t *durations_ns,
                                const int64_t *rows, int64_t start_ns, int64_t window_ns, size_t windows, size_t keys,
                                double *load)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        /* unsigned: the distance of two far apart time stamps still fits */
        const uint64_t since = (uint64_t)((const cf_frame_head *)at)->timestamp_ns - (uint64_t)start_ns;
        const uint64_t window = since / (uint64_t)window_ns;
        const uint64_t row = rows ? (uint64_t)rows[i] : 0;
        if (window >= windows || row >= keys)
            return i;
        load[row * windows + window] += (double)durations_ns[i] / (double)window_ns;
    }
    return count;
}

#endif
