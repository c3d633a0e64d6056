/* canal_fast/wire/bit_reader.h - fields out of stuffed bits, and what can be wrong with them.
 *
 * Works on 64-bit windows: bits up to the next stuff bit are taken at once, so that the price of a field is that
 * of the stuff bits in it.
 */
#ifndef CANAL_FAST_WIRE_BIT_READER_H
#define CANAL_FAST_WIRE_BIT_READER_H

#include "../bits.h"

/* X(name, number, sentence) */
/* clang-format off */
#define CF_WIRE_LIST(X)                                                                               \
    X(OK, 0, "a valid frame")                                                                         \
    X(STUFF_ERROR, 1, "a sixth equal bit where a stuff bit was due")                                  \
    X(FORM_ERROR, 2, "a bit of fixed form has the wrong level")                                       \
    X(CRC_ERROR, 3, "the CRC sequence or the stuff count is not that of the bits received")           \
    X(NOT_ACKNOWLEDGED, 4, "nobody acknowledged the frame")                                           \
    X(TRUNCATED, 5, "the bits end inside the frame")                                                  \
    X(ERROR_FLAG, 6, "an error flag: six or more dominant bits")                                      \
    X(OVERLOAD, 7, "an overload condition; the frame before it stays valid")                          \
    X(PROTOCOL_EXCEPTION, 8, "a recessive res bit: a later protocol, which a CAN FD node sits out")

typedef enum cf_wire_status {
#define CF_WIRE_ENUM(name, number, sentence) CF_WIRE_##name = number,
    CF_WIRE_LIST(CF_WIRE_ENUM)
#undef CF_WIRE_ENUM
} cf_wire_status;
/* clang-format on */

/* Row `index` of the wire status table, or NULL past its end. */
CF_CODE_ROWS(cf_wire_row, CF_WIRE_LIST)

typedef struct cf_bit_reader {
    cf_packed bits; /* those after the slice's end are not read as fields */
    int64_t start, at, end;
    unsigned stuff; /* stuff bits so far */
    cf_wire_status status;
    int64_t trouble;
} cf_bit_reader;

CF_INLINE uint64_t cf_bit_reader_stop(cf_bit_reader *r, cf_wire_status status, int64_t trouble)
{
    r->status = status;
    r->trouble = trouble;
    return 0;
}

/* Next bit of the regions without dynamic stuffing; recessive after trouble. */
CF_INLINE unsigned cf_take_raw(cf_bit_reader *r)
{
    if (CF_UNLIKELY(r->status != CF_WIRE_OK))
        return 1;
    if (CF_UNLIKELY(r->at >= r->end)) {
        cf_bit_reader_stop(r, CF_WIRE_TRUNCATED, r->end);
        return 1;
    }
    return cf_bit(r->bits, r->at++);
}

/* The bits from five before `at`; those before SOF count as 10101, so that no run reaches back. */
CF_INLINE uint64_t cf_bit_reader_window(const cf_bit_reader *r)
{
    const int64_t known = r->at - r->start;
    if (CF_LIKELY(known >= 5))
        return cf_window(r->bits, r->at - 5);
    return (uint64_t)0x15 << (59 + known) | cf_window(r->bits, r->start) >> (5 - known);
}

/* Top bit k: bits k..k+4 of `window` are equal, so that bit k+5 is a stuff bit. */
CF_INLINE uint64_t cf_stuff_marks(uint64_t window)
{
    const uint64_t equal = ~(window ^ window << 1);
    const uint64_t pairs = equal & equal << 1;
    return pairs & pairs << 2;
}

/* Takes a stuff bit if one is due here. */
CF_INLINE void cf_take_stuff_bit(cf_bit_reader *r)
{
    const uint64_t window = cf_bit_reader_window(r);
    if (r->status != CF_WIRE_OK || !(cf_stuff_marks(window) >> 63))
        return;
    if (r->at >= r->end) {
        cf_bit_reader_stop(r, CF_WIRE_TRUNCATED, r->end);
        return;
    }
    r->at++;
    r->stuff++;
    if ((window >> 58 & 1) == (window >> 59 & 1))
        cf_bit_reader_stop(r, CF_WIRE_STUFF_ERROR, r->at - 1);
}

/* `width` (1..64) bits without the stuff bits between and before them; 0 after trouble. */
CF_INLINE uint64_t cf_take(cf_bit_reader *r, unsigned width)
{
    uint64_t value = 0;
    if (CF_UNLIKELY(r->status != CF_WIRE_OK))
        return 0;
    for (;;) {
        const uint64_t window = cf_bit_reader_window(r);
        const unsigned clear = cf_leading_zeros(cf_stuff_marks(window) | 0x1F);
        const unsigned some = clear < width ? clear : width;
        value = value << some | (window << 5) >> 1 >> (63 - some);
        if (CF_UNLIKELY(r->at + some > r->end))
            return cf_bit_reader_stop(r, CF_WIRE_TRUNCATED, r->end);
        r->at += some;
        width -= some;
        if (width == 0)
            return value;
        if (clear < 59) { /* else the window ended */
            if (CF_UNLIKELY(r->at >= r->end))
                return cf_bit_reader_stop(r, CF_WIRE_TRUNCATED, r->end);
            r->at++;
            r->stuff++;
            if (CF_UNLIKELY(((window << (some + 4)) ^ (window << (some + 5))) >> 63 == 0))
                return cf_bit_reader_stop(r, CF_WIRE_STUFF_ERROR, r->at - 1);
        }
    }
}

#endif
