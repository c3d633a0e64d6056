/* canal_fast/bits.h - words, bytes and single bits, whatever the byte order of the machine.
 *
 * Packed bits are MSB first: bit i is bit 7 - i % 8 of byte i / 8. Loose ones are bytes of 0 or 1.
 */
#ifndef CANAL_FAST_BITS_H
#define CANAL_FAST_BITS_H

#include "base.h"

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
CF_INLINE uint64_t cf_load_be64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

CF_INLINE void cf_store_be64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}

CF_INLINE uint64_t cf_load_le64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

CF_INLINE void cf_store_le64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

CF_INLINE void cf_store_le32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}
#else
CF_INLINE uint64_t cf_load_be64(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
           (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | at[7];
}

CF_INLINE void cf_store_be64(uint8_t *at, uint64_t value)
{
    int i;
    for (i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

CF_INLINE uint64_t cf_load_le64(const uint8_t *at)
{
    return (uint64_t)at[7] << 56 | (uint64_t)at[6] << 48 | (uint64_t)at[5] << 40 | (uint64_t)at[4] << 32 |
           (uint64_t)at[3] << 24 | (uint64_t)at[2] << 16 | (uint64_t)at[1] << 8 | at[0];
}

CF_INLINE void cf_store_le64(uint8_t *at, uint64_t value)
{
    int i;
    for (i = 0; i < 8; i++, value >>= 8)
        at[i] = (uint8_t)value;
}

CF_INLINE void cf_store_le32(uint8_t *at, uint32_t value)
{
    int i;
    for (i = 0; i < 4; i++, value >>= 8)
        at[i] = (uint8_t)value;
}
#endif

/* Ones in the first 0..8 bytes of a word that cf_load_le64 has loaded. */
CF_INLINE uint64_t cf_first_bytes(unsigned count)
{
    return (count < 8 ? UINT64_C(1) << 8 * count : 0) - 1;
}

/* Zero bits above the highest one; 64 for 0. */
CF_INLINE unsigned cf_leading_zeros(uint64_t value)
{
#if defined(__GNUC__) || defined(__clang__)
    return value ? (unsigned)__builtin_clzll(value) : 64;
#else
    unsigned count = 0, step;
    if (!value)
        return 64;
    for (step = 32; step; step >>= 1) {
        if (!(value >> (64 - step))) {
            count += step;
            value <<= step;
        }
    }
    return count;
#endif
}

/* Packed bits with their number; reads past the end give zeros and touch no memory there. */
typedef struct cf_packed {
    const uint8_t *bytes;
    int64_t bits;
} cf_packed;

/* The 64 bits from bit `at` on. */
CF_INLINE uint64_t cf_window(cf_packed packed, int64_t at)
{
    const int64_t size = (packed.bits + 7) >> 3, first = at >> 3;
    const unsigned shift = (unsigned)(at & 7);
    uint8_t padded[9] = {0};
    const uint8_t *bytes = packed.bytes + first;
    if (CF_UNLIKELY(first + 9 > size)) {
        if (first < size)
            memcpy(padded, bytes, (size_t)(size - first));
        bytes = padded;
    }
    return cf_load_be64(bytes) << shift | (uint64_t)bytes[8] >> (8 - shift);
}

CF_INLINE unsigned cf_bit(cf_packed packed, int64_t at)
{
    return packed.bytes[at >> 3] >> (7 - (at & 7)) & 1;
}

/* First bit of `level` at or after `at`, or packed.bits. */
CF_INLINE int64_t cf_find_bit(cf_packed packed, int64_t at, unsigned level)
{
    const uint64_t flip = level ? 0 : ~(uint64_t)0;
    for (; at < packed.bits; at += 64) {
        const unsigned zeros = cf_leading_zeros(cf_window(packed, at) ^ flip);
        if (zeros < 64) {
            at += zeros;
            break;
        }
    }
    return at < packed.bits ? at : packed.bits;
}

/* Eight loose bits to a byte; other values than 0 and 1 give nonsense. */
CF_INLINE unsigned cf_pack_byte(const uint8_t *bits)
{
    return (unsigned)(cf_load_be64(bits) * 0x0102040810204080u >> 56);
}

/* `count` loose bits to (count + 7) / 8 bytes, the last filled with zeros. Returns `count`, or the index of the
 * first byte that is neither 0 nor 1. */
CF_INLINE size_t cf_pack_bits(const uint8_t *CF_RESTRICT bits, size_t count, uint8_t *CF_RESTRICT packed)
{
    uint8_t rest[8] = {0};
    size_t i, whole = count & ~(size_t)7;
    uint64_t seen = 0;
    for (i = 0; i < whole; i += 8) {
        seen |= cf_load_be64(bits + i);
        packed[i >> 3] = (uint8_t)cf_pack_byte(bits + i);
    }
    if (whole < count) {
        memcpy(rest, bits + whole, count - whole);
        seen |= cf_load_be64(rest);
        packed[whole >> 3] = (uint8_t)cf_pack_byte(rest);
    }
    if (CF_UNLIKELY(seen & ~(uint64_t)0x0101010101010101u)) {
        for (i = 0; bits[i] <= 1; i++)
            ;
        return i;
    }
    return count;
}

/* Eight packed bits to loose ones. */
CF_INLINE void cf_unpack_byte(unsigned byte, uint8_t bits[8])
{
    const uint64_t spread = byte * (uint64_t)0x0101010101010101u & 0x8040201008040201u;
    cf_store_be64(bits, (spread + 0x7F7F7F7F7F7F7F7Fu) >> 7 & 0x0101010101010101u);
}

#endif
