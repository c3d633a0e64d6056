/* canal_fast/wire/decode_stream.h - a continuous stream of bus bits to frames and events, as one listening node.
 *
 * ISO 11898-1:2015, 10.4 and 10.6: integration after 11 recessive bits; error flag (six or more dominant bits) and
 * overload flag, each followed by a delimiter of eight recessive bits; intermission, whose third bit may be a SOF.
 */
#ifndef CANAL_FAST_WIRE_DECODE_STREAM_H
#define CANAL_FAST_WIRE_DECODE_STREAM_H

#include "decode_many.h"

/* Where a stream stands; begin with {bits, 0, CF_STREAM_INTEGRATING, units}. */
typedef enum cf_stream_state {
    CF_STREAM_INTEGRATING, /* waits for 11 recessive bits */
    CF_STREAM_IDLE,        /* the next dominant bit is a SOF */
    CF_STREAM_INTERMISSION,
    CF_STREAM_OVERLOAD,  /* at the dominant bit that is the condition */
    CF_STREAM_DELIMITER, /* of an error or overload flag */
    CF_STREAM_HUNTING    /* after trouble in a frame or delimiter: error flag or idle bus? */
} cf_stream_state;

typedef struct cf_stream {
    cf_packed bits;
    int64_t at;
    cf_stream_state state;
    cf_units units;
} cf_stream;

enum { CF_INTEGRATION_BITS = 11, CF_DELIMITER_BITS = 8, CF_FLAG_BITS = 6 };

/* Goes to the bit after the first 11 recessive ones in a row, or to the end. */
CF_INLINE void cf_stream_integrate(cf_stream *s)
{
    while (s->at < s->bits.bits) {
        const int64_t dominant = cf_find_bit(s->bits, s->at, 0);
        if (dominant - s->at >= CF_INTEGRATION_BITS) {
            s->at += CF_INTEGRATION_BITS;
            break;
        }
        s->at = cf_find_bit(s->bits, dominant, 1);
    }
    s->state = CF_STREAM_IDLE;
}

/* Stands in the trouble: a dominant run of six or more is an error flag. Returns its start, or -1 after an idle bus
 * or the end. Counting begins where the level began that the trouble is in: a stuff error that shows only in the end of
 * frame has recessive bits of the 11 behind it. */
CF_INLINE int64_t cf_stream_hunt(cf_stream *s)
{
    while (s->at > 0 && cf_bit(s->bits, s->at) == cf_bit(s->bits, s->at - 1))
        s->at--;
    while (s->at < s->bits.bits) {
        const int64_t dominant = cf_find_bit(s->bits, s->at, 0);
        const int64_t after = cf_find_bit(s->bits, dominant, 1);
        if (dominant - s->at >= CF_INTEGRATION_BITS) {
            s->at += CF_INTEGRATION_BITS;
            break;
        }
        s->at = after;
        if (after - dominant >= CF_FLAG_BITS) {
            s->state = CF_STREAM_DELIMITER;
            return dominant;
        }
    }
    s->state = CF_STREAM_IDLE;
    return -1;
}

/* Eight recessive bits; a dominant eighth is an overload condition, an earlier one is trouble. */
CF_INLINE void cf_stream_delimit(cf_stream *s)
{
    const int64_t dominant = cf_find_bit(s->bits, s->at, 0);
    const int64_t recessive = dominant - s->at;
    if (recessive >= CF_DELIMITER_BITS) {
        s->at += CF_DELIMITER_BITS;
        s->state = CF_STREAM_INTERMISSION;
    } else {
        s->at = dominant;
        s->state = recessive == CF_DELIMITER_BITS - 1 ? CF_STREAM_OVERLOAD : CF_STREAM_HUNTING;
    }
}

/* Two recessive bits; a dominant one is an overload condition, a dominant third a SOF. */
CF_INLINE void cf_stream_pause(cf_stream *s)
{
    const int64_t dominant = cf_find_bit(s->bits, s->at, 0);
    const int64_t recessive = dominant - s->at;
    s->at += recessive < CF_INTERMISSION_BITS - 1 ? recessive : CF_INTERMISSION_BITS - 1;
    s->state = recessive < CF_INTERMISSION_BITS - 1 ? CF_STREAM_OVERLOAD : CF_STREAM_IDLE;
}

/* After a frame: where does the bus stand? */
CF_INLINE void cf_stream_after(cf_stream *s, const cf_decoded *result)
{
    s->at = result->end;
    if (result->valid && cf_bit(s->bits, result->end - 1)) {
        s->state = CF_STREAM_INTERMISSION;
    } else if (result->valid) {
        s->at--;
        s->state = CF_STREAM_OVERLOAD;
    } else if (result->status == CF_WIRE_TRUNCATED) {
        s->at = s->bits.bits;
    } else if (result->status == CF_WIRE_PROTOCOL_EXCEPTION) {
        s->state = CF_STREAM_INTEGRATING;
    } else {
        s->at--;
        s->state = CF_STREAM_HUNTING;
    }
}

/* The next frame or event into *head (zeroed, `stride` bytes), *result and *start. Returns CF_STREAM_END at the
 * stream's end and CF_FD_IN_CLASSICAL (the stream has not moved) for an FD frame and a classical record. Events
 * (CF_WIRE_ERROR_FLAG, CF_WIRE_OVERLOAD) have records that hold only the ERROR_FRAME flag. */
CF_INLINE cf_status cf_stream_next(cf_stream *s, cf_frame_head *head, size_t stride, cf_decoded *result, int64_t *start)
{
    memset(head, 0, stride);
    while (s->at < s->bits.bits) {
        cf_wire_status event = CF_WIRE_OK;
        switch (s->state) {
        case CF_STREAM_INTEGRATING:
            cf_stream_integrate(s);
            break;
        case CF_STREAM_IDLE:
            *start = cf_find_bit(s->bits, s->at, 0);
            s->at = *start;
            if (*start < s->bits.bits) {
                const cf_status status = cf_decode_frame_on(s->units, s->bits, *start, s->bits.bits, head, stride,
                                                            result);
                if (status != CF_OK)
                    return status;
                cf_stream_after(s, result);
                if (result->status == CF_WIRE_OVERLOAD) { /* a row of its own follows */
                    result->status = CF_WIRE_OK;
                    result->bit_index = -1;
                }
                return CF_OK;
            }
            break;
        case CF_STREAM_INTERMISSION:
            cf_stream_pause(s);
            break;
        case CF_STREAM_OVERLOAD:
            event = CF_WIRE_OVERLOAD;
            *start = s->at;
            s->at = cf_find_bit(s->bits, s->at, 1);
            s->state = CF_STREAM_DELIMITER;
            break;
        case CF_STREAM_DELIMITER:
            cf_stream_delimit(s);
            break;
        case CF_STREAM_HUNTING:
            *start = cf_stream_hunt(s);
            event = *start < 0 ? CF_WIRE_OK : CF_WIRE_ERROR_FLAG;
            break;
        }
        if (event != CF_WIRE_OK) {
            head->flags = CF_FLAG_ERROR_FRAME;
            result->status = event;
            result->bit_index = *start;
            result->end = s->at;
            result->valid = 0;
            return CF_OK;
        }
    }
    return CF_STREAM_END;
}

/* Up to `room` rows. *count is set; less than `room` means that the stream has ended. */
CF_INLINE cf_status cf_stream_decode(cf_stream *s, void *frames, size_t room, size_t stride, cf_wire_columns columns,
                                     size_t *count)
{
    char *at = (char *)frames;
    cf_decoded result;
    for (*count = 0; *count < room; ++*count, at += stride) {
        const cf_status status = cf_stream_next(s, (cf_frame_head *)at, stride, &result, &columns.start[*count]);
        if (status != CF_OK)
            return status == CF_STREAM_END ? CF_OK : status;
        columns.status[*count] = (uint8_t)result.status;
        columns.bit_index[*count] = result.bit_index;
    }
    return CF_OK;
}

#endif
