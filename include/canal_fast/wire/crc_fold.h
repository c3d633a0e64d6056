/* canal_fast/wire/crc_fold.h - CRC-15 of long buffers, folded with carry-less products, with units of choice.
 *
 * What is left of a long message after folding is short and has the same CRC: a part of it times x^distance mod P is
 * added to what stands `distance` bits further on.
 */
#ifndef CANAL_FAST_WIRE_CRC_FOLD_H
#define CANAL_FAST_WIRE_CRC_FOLD_H

#include "../cpu.h"
#include "crc.h"

/* Powers of x mod P: upper half and lower half of a 128-bit lane that is moved on by 128, 256, 512, 1024, 2048 bits. */
#define CF_CRC15_X192 0x52F6
#define CF_CRC15_X128 0x0002
#define CF_CRC15_X320 0x6075
#define CF_CRC15_X256 0x0004
#define CF_CRC15_X576 0x0AE6
#define CF_CRC15_X512 0x0010
#define CF_CRC15_X1088 0x6BF9
#define CF_CRC15_X1024 0x0100
#define CF_CRC15_X2112 0x56BC
#define CF_CRC15_X2048 0x4EAB

#if CF_HAVE_X86
#include <immintrin.h>

/* A lane times x^distance, given x^(distance + 64) mod P and x^distance mod P. */
CF_TARGET_PCLMUL CF_ALWAYS_INLINE __m128i cf_fold128(__m128i value, int64_t upper, int64_t lower)
{
    const __m128i factors = _mm_set_epi64x(upper, lower);
    return _mm_xor_si128(_mm_clmulepi64_si128(value, factors, 0x11), _mm_clmulepi64_si128(value, factors, 0x00));
}

CF_TARGET_VPCLMUL CF_ALWAYS_INLINE __m256i cf_fold256(__m256i value, int64_t upper, int64_t lower)
{
    const __m256i factors = _mm256_set_epi64x(upper, lower, upper, lower);
    return _mm256_xor_si256(_mm256_clmulepi64_epi128(value, factors, 0x11),
                            _mm256_clmulepi64_epi128(value, factors, 0x00));
}

CF_TARGET_AVX512_VPCLMUL CF_ALWAYS_INLINE __m512i cf_fold512(__m512i value, int64_t upper, int64_t lower)
{
    const __m512i factors = _mm512_set4_epi64(upper, lower, upper, lower);
    return _mm512_xor_si512(_mm512_clmulepi64_epi128(value, factors, 0x11),
                            _mm512_clmulepi64_epi128(value, factors, 0x00));
}

/* Folds `count` >= 128 bytes, a multiple of 128, into the 16 bytes of `rest`, which leave the same CRC-15. */
CF_TARGET_PCLMUL CF_INLINE void cf_crc15_fold128(uint32_t value, const uint8_t *bytes, size_t count, uint8_t rest[64])
{
    const __m128i reverse = _mm_set_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F);
    __m128i part[8];
    int i;
    for (i = 0; i < 8; i++)
        part[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i)), reverse);
    part[0] = _mm_xor_si128(part[0], _mm_set_epi64x((int64_t)((uint64_t)value << 49), 0));
    for (bytes += 128, count -= 128; count; bytes += 128, count -= 128) {
        for (i = 0; i < 8; i++) {
            const __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
            part[i] = _mm_xor_si128(cf_fold128(part[i], CF_CRC15_X1088, CF_CRC15_X1024),
                                    _mm_shuffle_epi8(next, reverse));
        }
    }
    for (i = 1; i < 8; i++)
        part[i] = _mm_xor_si128(part[i], cf_fold128(part[i - 1], CF_CRC15_X192, CF_CRC15_X128));
    _mm_storeu_si128((__m128i *)(void *)rest, _mm_shuffle_epi8(part[7], reverse));
}

/* The same of a multiple of 256, into 32 bytes. */
CF_TARGET_VPCLMUL CF_INLINE void cf_crc15_fold256(uint32_t value, const uint8_t *bytes, size_t count, uint8_t rest[64])
{
    const __m256i reverse = _mm256_broadcastsi128_si256(_mm_set_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F));
    __m256i part[8];
    int i;
    for (i = 0; i < 8; i++)
        part[i] = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32 * i)), reverse);
    part[0] = _mm256_xor_si256(part[0], _mm256_set_epi64x(0, 0, (int64_t)((uint64_t)value << 49), 0));
    for (bytes += 256, count -= 256; count; bytes += 256, count -= 256) {
        for (i = 0; i < 8; i++) {
            const __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32 * i));
            part[i] = _mm256_xor_si256(cf_fold256(part[i], CF_CRC15_X2112, CF_CRC15_X2048),
                                       _mm256_shuffle_epi8(next, reverse));
        }
    }
    for (i = 1; i < 8; i++)
        part[i] = _mm256_xor_si256(part[i], cf_fold256(part[i - 1], CF_CRC15_X320, CF_CRC15_X256));
    _mm256_storeu_si256((__m256i *)(void *)rest, _mm256_shuffle_epi8(part[7], reverse));
}

/* The same, into 64 bytes. */
CF_TARGET_AVX512_VPCLMUL CF_INLINE void cf_crc15_fold512(uint32_t value, const uint8_t *bytes, size_t count,
                                                         uint8_t rest[64])
{
    const __m512i reverse = _mm512_set4_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F);
    __m512i part[4];
    int i;
    for (i = 0; i < 4; i++)
        part[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(bytes + 64 * i), reverse);
    part[0] = _mm512_xor_si512(part[0], _mm512_maskz_set1_epi64(2, (int64_t)((uint64_t)value << 49)));
    for (bytes += 256, count -= 256; count; bytes += 256, count -= 256) {
        for (i = 0; i < 4; i++)
            part[i] = _mm512_xor_si512(cf_fold512(part[i], CF_CRC15_X2112, CF_CRC15_X2048),
                                       _mm512_shuffle_epi8(_mm512_loadu_si512(bytes + 64 * i), reverse));
    }
    for (i = 1; i < 4; i++)
        part[i] = _mm512_xor_si512(part[i], cf_fold512(part[i - 1], CF_CRC15_X576, CF_CRC15_X512));
    _mm512_storeu_si512(rest, _mm512_shuffle_epi8(part[3], reverse));
}
#elif CF_HAVE_PMULL
#include <arm_neon.h>

/* 16 bytes, of which the first is the highest. */
CF_TARGET_PMULL CF_ALWAYS_INLINE poly64x2_t cf_fold_load(const uint8_t *bytes)
{
    const uint8x16_t quads = vrev64q_u8(vld1q_u8(bytes));
    return vreinterpretq_p64_u8(vextq_u8(quads, quads, 8));
}

/* `value` times x^distance, given x^(distance + 64) mod P and x^distance mod P, added to `next`. */
CF_TARGET_PMULL CF_ALWAYS_INLINE poly64x2_t cf_fold_pmull(poly64x2_t value, poly64x2_t factors, poly64x2_t next)
{
    const uint8x16_t lower = vreinterpretq_u8_p128(vmull_p64(vgetq_lane_p64(value, 0), vgetq_lane_p64(factors, 0)));
    const uint8x16_t upper = vreinterpretq_u8_p128(vmull_high_p64(value, factors));
    return vreinterpretq_p64_u8(veorq_u8(veorq_u8(lower, upper), vreinterpretq_u8_p64(next)));
}

/* Folds `count` >= 128 bytes, a multiple of 128, into the 16 bytes of `rest`, which leave the same CRC-15. */
CF_TARGET_PMULL CF_INLINE void cf_crc15_fold_pmull(uint32_t value, const uint8_t *bytes, size_t count, uint8_t rest[64])
{
    static const uint64_t far[2] = {CF_CRC15_X1024, CF_CRC15_X1088}, near[2] = {CF_CRC15_X128, CF_CRC15_X192};
    const uint64_t first[2] = {0, (uint64_t)value << 49};
    const poly64x2_t by_far = vreinterpretq_p64_u64(vld1q_u64(far)), by_near = vreinterpretq_p64_u64(vld1q_u64(near));
    poly64x2_t part[8];
    int i;
    for (i = 0; i < 8; i++)
        part[i] = cf_fold_load(bytes + 16 * i);
    part[0] = vreinterpretq_p64_u64(veorq_u64(vreinterpretq_u64_p64(part[0]), vld1q_u64(first)));
    for (bytes += 128, count -= 128; count; bytes += 128, count -= 128)
        for (i = 0; i < 8; i++)
            part[i] = cf_fold_pmull(part[i], by_far, cf_fold_load(bytes + 16 * i));
    for (i = 1; i < 8; i++)
        part[i] = cf_fold_pmull(part[i - 1], by_near, part[i]);
    part[7] = cf_fold_load((const uint8_t *)&part[7]);
    memcpy(rest, &part[7], 16);
}
#endif

#if CF_HAVE_X86 || CF_HAVE_PMULL
/* A way to fold: what it needs, the least that is worth it, its blocks' size, and what it leaves. */
typedef struct cf_crc_folding {
    cf_units needs;
    size_t least, block, rest;
    void (*fold)(uint32_t value, const uint8_t *bytes, size_t count, uint8_t rest[64]);
} cf_crc_folding;
#endif

/* As cf_crc_bytes, with these units. */
CF_INLINE uint32_t cf_crc_bytes_on(cf_units units, cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
{
#if CF_HAVE_X86 || CF_HAVE_PMULL
    static const cf_crc_folding ways[] = {
#if CF_HAVE_X86
        {CF_NEEDS_AVX512_VPCLMUL, 512, 256, 64, cf_crc15_fold512},
        {CF_NEEDS_VPCLMUL, 512, 256, 32, cf_crc15_fold256},
        {CF_NEEDS_PCLMUL, 256, 128, 16, cf_crc15_fold128},
#else
        {CF_NEEDS_PMULL, 256, 128, 16, cf_crc15_fold_pmull},
#endif
    };
    size_t i;
    for (i = 0; crc.width == 15 && count >= 256 && i < sizeof ways / sizeof ways[0]; i++) {
        if (count >= ways[i].least && cf_units_have(units, ways[i].needs)) {
            const size_t folded = count & ~(ways[i].block - 1);
            uint8_t rest[64];
            ways[i].fold(value, bytes, folded, rest);
            value = cf_crc_bytes(crc, 0, rest, ways[i].rest);
            bytes += folded;
            count -= folded;
            break;
        }
    }
#endif
    (void)units;
    return cf_crc_bytes(crc, value, bytes, count);
}

#endif
