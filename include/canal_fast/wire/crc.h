/* canal_fast/wire/crc.h - CRC-15, CRC-17 and CRC-21 of CAN, portable.
 *
 * ISO 11898-1:2015, 10.4.2.6. On the wire CRC-15 starts at 0, the others at 1 << (width - 1).
 */
#ifndef CANAL_FAST_WIRE_CRC_H
#define CANAL_FAST_WIRE_CRC_H

#include "../bits.h"
#include "crc_table.h"

typedef struct cf_crc {
    unsigned width;
    uint32_t polynomial; /* without its highest term */
    uint32_t wire_init;
    cf_crc_table table;
} cf_crc;

CF_INLINE cf_crc cf_crc15(void)
{
    const cf_crc crc = {15, 0x4599, 0, cf_crc15_table()};
    return crc;
}

CF_INLINE cf_crc cf_crc17(void)
{
    const cf_crc crc = {17, 0x1685B, (uint32_t)1 << 16, cf_crc17_table()};
    return crc;
}

CF_INLINE cf_crc cf_crc21(void)
{
    const cf_crc crc = {21, 0x102899, (uint32_t)1 << 20, cf_crc21_table()};
    return crc;
}

/* The one of this width; CRC-15 for any other number. */
CF_INLINE cf_crc cf_crc_of_width(unsigned width)
{
    return width == 21 ? cf_crc21() : width == 17 ? cf_crc17() : cf_crc15();
}

/* Register `value` after the 64 bits of `word`. */
CF_INLINE uint32_t cf_crc_word(cf_crc crc, uint32_t value, uint64_t word)
{
    word ^= (uint64_t)value << (64 - crc.width);
    return crc.table[7][word >> 56] ^ crc.table[6][word >> 48 & 255] ^ crc.table[5][word >> 40 & 255] ^
           crc.table[4][word >> 32 & 255] ^ crc.table[3][word >> 24 & 255] ^ crc.table[2][word >> 16 & 255] ^
           crc.table[1][word >> 8 & 255] ^ crc.table[0][word & 255];
}

/* The same after the low `count` (0..8) bits of `bits`; the bits above must be zero. */
CF_INLINE uint32_t cf_crc_some(cf_crc crc, uint32_t value, unsigned bits, unsigned count)
{
    const uint32_t mask = ((uint32_t)1 << crc.width) - 1;
    return (value << count & mask) ^ crc.table[0][(value >> (crc.width - count)) ^ bits];
}

CF_INLINE uint32_t cf_crc_bytes(cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
{
    for (; count >= 8; count -= 8, bytes += 8)
        value = cf_crc_word(crc, value, cf_load_be64(bytes));
    for (; count; count--, bytes++)
        value = cf_crc_some(crc, value, *bytes, 8);
    return value;
}

/* Packed bits from bit `at` on. */
CF_INLINE uint32_t cf_crc_packed(cf_crc crc, uint32_t value, cf_packed packed, int64_t at, int64_t count)
{
    uint64_t rest;
    for (; count >= 64; count -= 64, at += 64)
        value = cf_crc_word(crc, value, cf_window(packed, at));
    rest = count ? cf_window(packed, at) : 0;
    for (; count >= 8; count -= 8, rest <<= 8)
        value = cf_crc_some(crc, value, (unsigned)(rest >> 56), 8);
    return count ? cf_crc_some(crc, value, (unsigned)(rest >> (64 - count)), (unsigned)count) : value;
}

/* Loose bits. Returns `count`, or the index of the first byte that is neither 0 nor 1. */
CF_INLINE size_t cf_crc_bits(cf_crc crc, uint32_t *value, const uint8_t *bits, size_t count)
{
    uint8_t packed[8];
    size_t done = 0;
    while (done < count) {
        const size_t some = count - done < 64 ? count - done : 64;
        const size_t good = cf_pack_bits(bits + done, some, packed);
        const cf_packed view = {packed, (int64_t)some};
        if (good < some)
            return done + good;
        *value = cf_crc_packed(crc, *value, view, 0, (int64_t)some);
        done += some;
    }
    return count;
}

#endif
