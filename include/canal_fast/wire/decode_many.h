/* canal_fast/wire/decode_many.h - arrays of frames out of bits. */
#ifndef CANAL_FAST_WIRE_DECODE_MANY_H
#define CANAL_FAST_WIRE_DECODE_MANY_H

#include "decode_fast.h"

/* What decoding tells of one row: a frame, or an event of a stream. */
typedef struct cf_wire_columns {
    uint8_t *status;
    int64_t *bit_index;
    int64_t *start;
} cf_wire_columns;

/* Frame i is bits offsets[i] to offsets[i + 1] - 1; what follows its last EOF bit is not looked at. Records are
 * zeroed and filled, rows of `columns` set. On trouble with the arguments returns CF_OFFSET_ORDER or
 * CF_OFFSET_RANGE, and CF_FD_IN_CLASSICAL at the first FD frame where stride is 24, with *index. */
CF_INLINE cf_status cf_frames_decode(cf_units units, cf_packed bits, const int64_t *offsets, size_t count, void *frames,
                                     size_t stride, cf_wire_columns columns, size_t *index)
{
    char *at = (char *)frames;
    cf_decoded result;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        cf_status status = CF_OK;
        *index = i;
        if (CF_UNLIKELY(offsets[i] < 0 || offsets[i] > bits.bits))
            return CF_OFFSET_RANGE;
        *index = i + 1;
        if (CF_UNLIKELY(offsets[i + 1] <= offsets[i]))
            return CF_OFFSET_ORDER;
        if (CF_UNLIKELY(offsets[i + 1] > bits.bits))
            return CF_OFFSET_RANGE;
        memset(at, 0, sizeof(cf_frame)); /* a size that the compiler knows */
        if (stride > sizeof(cf_frame))
            memset(at + sizeof(cf_frame), 0, stride - sizeof(cf_frame));
        status = cf_decode_frame_on(units, bits, offsets[i], offsets[i + 1], (cf_frame_head *)at, stride, &result);
        *index = i;
        if (status != CF_OK)
            return status;
        columns.status[i] = (uint8_t)result.status;
        columns.bit_index[i] = result.bit_index;
        columns.start[i] = offsets[i];
    }
    return CF_OK;
}

#endif
