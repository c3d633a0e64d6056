/* canal_fast/wire/encode_stream.h - frames to one continuous stream of bus bits. */
#ifndef CANAL_FAST_WIRE_ENCODE_STREAM_H
#define CANAL_FAST_WIRE_ENCODE_STREAM_H

#include "encode.h"

/* Appends `count` recessive bits. */
CF_INLINE void cf_write_recessive(cf_writer *w, int64_t count)
{
    for (; count > 0; count -= 32) {
        const unsigned some = count < 32 ? (unsigned)count : 32;
        cf_write(w, ((uint64_t)1 << some) - 1, some);
    }
}

/* `lead` recessive bits, then each frame with gaps[i] (0 or more) recessive ones after it; packed, into out[0..room).
 * starts[i] is the bit of frame i's SOF, starts[count] the number of bits. CF_NO_ROOM where `room` might not do. */
CF_INLINE cf_status cf_frames_encode_stream(const void *frames, size_t count, size_t stride, unsigned ack, int64_t lead,
                                            const int64_t *CF_RESTRICT gaps, uint8_t *CF_RESTRICT out, uint64_t room,
                                            int64_t *CF_RESTRICT starts, size_t *index)
{
    const char *at = (const char *)frames;
    cf_writer w = {out, 0, 0};
    size_t i;
    *index = 0;
    if ((uint64_t)lead / 8 + 17 > room)
        return CF_NO_ROOM;
    cf_write_recessive(&w, lead);
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const cf_shape shape = cf_frame_shape(head, stride);
        const uint64_t most = cf_shape_region(shape) + cf_shape_worst_stuff(shape) + shape.fixed_bits;
        cf_status status = cf_frame_check(head, stride);
        if (status == CF_OK && (uint64_t)(w.to - out) + (most + (uint64_t)gaps[i]) / 8 + 18 > room)
            status = CF_NO_ROOM;
        *index = i;
        if (status != CF_OK)
            return status;
        starts[i] = (w.to - out) * 8 + w.count;
        cf_write_frame(&w, head, shape, ack);
        cf_write_recessive(&w, gaps[i]);
    }
    starts[count] = (w.to - out) * 8 + w.count;
    return CF_OK;
}

#endif
