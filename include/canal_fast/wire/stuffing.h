/* canal_fast/wire/stuffing.h - bit stuffing of any bits: loose ones, bytes of 0 or 1. ISO 11898-1:2015, 10.5. */
#ifndef CANAL_FAST_WIRE_STUFFING_H
#define CANAL_FAST_WIRE_STUFFING_H

#include "../base.h"

/* Copies bits and puts one of the other level after five equal ones, also after the last; `stuffed` has room for
 * count + count / 4. Returns the number written; *bad is `count`, or the index of a byte that is neither 0 nor 1. */
CF_INLINE size_t cf_stuff(const uint8_t *CF_RESTRICT bits, size_t count, uint8_t *CF_RESTRICT stuffed, size_t *bad)
{
    size_t i, out = 0;
    unsigned run = 0, last = 2;
    for (i = 0; i < count && bits[i] <= 1; i++) {
        const unsigned bit = bits[i];
        run = bit == last ? run + 1 : 1;
        last = bit;
        stuffed[out++] = (uint8_t)bit;
        if (run == 5) {
            last = !bit;
            run = 1;
            stuffed[out++] = (uint8_t)last;
        }
    }
    *bad = i;
    return out;
}

/* The way back; `plain` has room for `count`. *bad is `count`, or the index of the first byte that is neither 0 nor 1
 * or is a sixth equal bit. */
CF_INLINE size_t cf_destuff(const uint8_t *CF_RESTRICT bits, size_t count, uint8_t *CF_RESTRICT plain, size_t *bad)
{
    size_t i, out = 0;
    unsigned run = 0, last = 2;
    for (i = 0; i < count && bits[i] <= 1; i++) {
        const unsigned bit = bits[i];
        if (run == 5) {
            if (bit == last)
                break;
            run = 1;
        } else {
            run = bit == last ? run + 1 : 1;
            plain[out++] = (uint8_t)bit;
        }
        last = bit;
    }
    *bad = i;
    return out;
}

#endif
