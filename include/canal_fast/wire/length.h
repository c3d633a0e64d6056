/* canal_fast/wire/length.h - lengths, stuff bits and CRC sequences of arrays of frames.
 *
 * `frames` are `count` records `stride` (24 or 80) bytes apart. Each function checks the records and stops at
 * the first that no controller could send: its status is returned and its number is in *index.
 */
#ifndef CANAL_FAST_WIRE_LENGTH_H
#define CANAL_FAST_WIRE_LENGTH_H

#include "layout.h"

typedef enum cf_length_mode { CF_LENGTH_EXACT = 0, CF_LENGTH_UNSTUFFED = 1, CF_LENGTH_WORST = 2 } cf_length_mode;

/* Bits at the nominal and at the data bit rate, SOF to the last EOF bit. */
typedef struct cf_length {
    int32_t nominal, data;
} cf_length;

/* Stuff bits of an FD frame before BRS's end; one due right after BRS goes at the data bit rate. */
CF_INLINE unsigned cf_fd_arbitration_stuff(const cf_frame_head *head, cf_shape shape)
{
    const uint64_t to_brs = cf_frame_head_bits(head, shape) >> 5;
    const unsigned bits = shape.head_bits - 5;
    unsigned last = 1, run = 1, count = 0, i;
    for (i = bits; i-- > 1;) {
        const unsigned bit = (unsigned)(to_brs >> i) & 1;
        run = bit == last ? run + 1 : 1;
        last = bit;
        if (run == 5) {
            last = !bit;
            run = 1;
            count++;
        }
    }
    return count;
}

/* `stuff`: the frame's exact number of dynamic stuff bits, needed by CF_LENGTH_EXACT only. */
CF_INLINE cf_length cf_length_of(const cf_frame_head *head, cf_shape shape, cf_length_mode mode, unsigned stuff)
{
    cf_length length;
    unsigned before = 0;
    const unsigned unstuffed = cf_shape_region(shape) + shape.fixed_bits;
    if (mode != CF_LENGTH_EXACT)
        stuff = mode == CF_LENGTH_WORST ? cf_shape_worst_stuff(shape) : 0;
    length.nominal = (int32_t)(unstuffed + stuff);
    length.data = 0;
    if (shape.fd && (head->flags & CF_FLAG_BITRATE_SWITCH)) {
        const unsigned to_brs = shape.head_bits - 5;
        if (mode == CF_LENGTH_EXACT)
            before = cf_fd_arbitration_stuff(head, shape);
        else if (mode == CF_LENGTH_WORST)
            before = (to_brs - 2) / 4;
        length.data = length.nominal;
        length.nominal = (int32_t)(to_brs + before + CF_TAIL_BITS - 1); /* the CRC delimiter is data */
        length.data -= length.nominal;
    }
    return length;
}

/* nominal[i] and data[i] become frame i's bits; `data` may be NULL, then all are in nominal. `extra` (the
 * intermission) is added to nominal. */
CF_INLINE cf_status cf_frames_lengths(const void *frames, size_t count, size_t stride, cf_length_mode mode,
                                      int32_t extra, int32_t *CF_RESTRICT nominal, int32_t *CF_RESTRICT data,
                                      size_t *index)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const cf_shape shape = cf_frame_shape(head, stride);
        const cf_status status = cf_frame_check(head, stride);
        cf_length length;
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
        length = cf_length_of(head, shape, mode,
                              mode == CF_LENGTH_EXACT ? cf_frame_stuff_bits(head, cf_record_data(head), shape) : 0);
        nominal[i] = length.nominal + extra + (data ? 0 : length.data);
        if (data)
            data[i] = length.data;
    }
    return CF_OK;
}

/* Dynamic stuff bits of each frame. */
CF_INLINE cf_status cf_frames_stuff_bits(const void *frames, size_t count, size_t stride, int32_t *CF_RESTRICT stuff,
                                         size_t *index)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const cf_status status = cf_frame_check(head, stride);
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
        stuff[i] = (int32_t)cf_frame_stuff_bits(head, cf_record_data(head), cf_frame_shape(head, stride));
    }
    return CF_OK;
}

#endif
