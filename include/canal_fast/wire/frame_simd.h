/* canal_fast/wire/frame_simd.h - four and eight classical frames at a time, with AVX2 and AVX-512. Empty elsewhere. */
#ifndef CANAL_FAST_WIRE_FRAME_SIMD_H
#define CANAL_FAST_WIRE_FRAME_SIMD_H

#include "../cpu.h"
#include "../frame.h"

/* Quadword 1 of the record of a base data frame of 8 bytes: its dlc, and the bits that may be anything. */
#define CF_BASE8_DLC ((int64_t)8 << 56)
#define CF_BASE8_FREE (CF_MAX_STANDARD_ID | (int64_t)(0xFF0000 | CF_FLAGS_OFF_WIRE) << 32)

#if CF_HAVE_X86
#include <immintrin.h>

/* P = 0x4599 + x^15: x^64 mod P, and floor(x^79 / P) without its highest term. */
#define CF_CRC15_X64 0x297B
#define CF_CRC15_INVERSE ((int64_t)0xF6F4B8288C29B0CEu)

/* SOF to the last data bit of eight frames, right-aligned in high:low; and what their lengths follow from. */
typedef struct cf_wire_messages8 {
    __m512i low, high;
    __m512i bits;     /* payload */
    __m512i refused;  /* nonzero where the record is no classical frame that a controller could send */
    __mmask8 extended;
} cf_wire_messages8;

CF_TARGET_AVX512 CF_ALWAYS_INLINE cf_wire_messages8 cf_load8(const cf_frame *frames)
{
    const __m512i a = _mm512_loadu_si512((const char *)frames);
    const __m512i b = _mm512_loadu_si512((const char *)frames + 64);
    const __m512i c = _mm512_loadu_si512((const char *)frames + 128);
    /* quadwords 1 and 2 of each record of three: identifier, flags, channel, dlc; and data */
    const __m512i head_ab = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(1, 4, 7, 10, 13, 0, 0, 0), b);
    const __m512i data_ab = _mm512_permutex2var_epi64(a, _mm512_setr_epi64(2, 5, 8, 11, 14, 0, 0, 0), b);
    const __m512i fields = _mm512_permutex2var_epi64(head_ab, _mm512_setr_epi64(0, 1, 2, 3, 4, 8, 11, 14), c);
    const __m512i bytes = _mm512_permutex2var_epi64(data_ab, _mm512_setr_epi64(0, 1, 2, 3, 4, 9, 12, 15), c);
    const __m512i reverse = _mm512_set4_epi32(0x08090A0B, 0x0C0D0E0F, 0x00010203, 0x04050607);
    const __m512i id = _mm512_and_si512(fields, _mm512_set1_epi64(0xFFFFFFFF));
    const __m512i dlc = _mm512_srli_epi64(fields, 56);
    const __m512i low18 = _mm512_set1_epi64(0x3FFFF);
    const __mmask8 extended = _mm512_test_epi64_mask(fields, _mm512_set1_epi64((int64_t)CF_FLAG_EXTENDED_ID << 32));
    const __mmask8 remote = _mm512_test_epi64_mask(fields, _mm512_set1_epi64((int64_t)CF_FLAG_REMOTE << 32));
    const int64_t allowed = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAGS_OFF_WIRE;
    const __m512i limit = _mm512_mask_blend_epi64(extended, _mm512_set1_epi64(CF_MAX_STANDARD_ID),
                                                  _mm512_set1_epi64(CF_MAX_EXTENDED_ID));
    __m512i head, up, data;
    cf_wire_messages8 m;
    head = _mm512_slli_epi64(_mm512_andnot_si512(low18, id), 2); /* identifier, SRR and IDE */
    head = _mm512_or_si512(head, _mm512_set1_epi64(3 << 18));
    head = _mm512_mask_or_epi64(id, extended, head, _mm512_and_si512(id, low18));
    head = _mm512_or_si512(_mm512_slli_epi64(head, 7), dlc);
    head = _mm512_mask_or_epi64(head, remote, head, _mm512_set1_epi64(1 << 6));
    m.bits = _mm512_maskz_slli_epi64((__mmask8)~remote, _mm512_min_epu64(dlc, _mm512_set1_epi64(8)), 3);
    up = _mm512_sub_epi64(_mm512_set1_epi64(64), m.bits); /* shifts by 64 give 0 */
    data = _mm512_srlv_epi64(_mm512_shuffle_epi8(bytes, reverse), up);
    m.low = _mm512_or_si512(_mm512_sllv_epi64(head, m.bits), data);
    m.high = _mm512_srlv_epi64(head, up);
    m.refused = _mm512_and_si512(fields, _mm512_set1_epi64((~allowed & 0xFFFF) << 32));
    m.refused = _mm512_or_si512(m.refused, _mm512_srli_epi64(dlc, 4));
    m.refused = _mm512_or_si512(m.refused, _mm512_andnot_si512(limit, id));
    m.extended = extended;
    return m;
}

/* The same of four; extended: all bits of the lane, or none. */
typedef struct cf_wire_messages4 {
    __m256i low, high, bits, refused, extended;
} cf_wire_messages4;

CF_TARGET_AVX2 CF_ALWAYS_INLINE __m256i cf_load_pair(const cf_frame *first, const cf_frame *second)
{
    const __m128i *a = (const __m128i *)(const void *)((const char *)first + 8);
    const __m128i *b = (const __m128i *)(const void *)((const char *)second + 8);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(a)), _mm_loadu_si128(b), 1);
}

CF_TARGET_AVX2 CF_ALWAYS_INLINE cf_wire_messages4 cf_load4(const cf_frame *frames)
{
    /* quadwords 1 and 2 of each record of three */
    const __m256i even = cf_load_pair(frames, frames + 2), odd = cf_load_pair(frames + 1, frames + 3);
    const __m256i fields = _mm256_unpacklo_epi64(even, odd), bytes = _mm256_unpackhi_epi64(even, odd);
    const __m256i reverse = _mm256_broadcastsi128_si256(_mm_set_epi32(0x08090A0B, 0x0C0D0E0F, 0x00010203, 0x04050607));
    const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi64x(1), low18 = _mm256_set1_epi64x(0x3FFFF);
    const __m256i id = _mm256_and_si256(fields, _mm256_set1_epi64x(0xFFFFFFFF));
    const __m256i dlc = _mm256_srli_epi64(fields, 56);
    const __m256i extended = _mm256_sub_epi64(zero, _mm256_and_si256(_mm256_srli_epi64(fields, 32), one));
    const __m256i remote = _mm256_sub_epi64(zero, _mm256_and_si256(_mm256_srli_epi64(fields, 33), one));
    const int64_t allowed = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAGS_OFF_WIRE;
    const __m256i limit = _mm256_blendv_epi8(_mm256_set1_epi64x(CF_MAX_STANDARD_ID),
                                             _mm256_set1_epi64x(CF_MAX_EXTENDED_ID), extended);
    __m256i head, up, data;
    cf_wire_messages4 m;
    head = _mm256_slli_epi64(_mm256_andnot_si256(low18, id), 2); /* identifier, SRR and IDE */
    head = _mm256_or_si256(head, _mm256_set1_epi64x(3 << 18));
    head = _mm256_blendv_epi8(id, _mm256_or_si256(head, _mm256_and_si256(id, low18)), extended);
    head = _mm256_or_si256(_mm256_slli_epi64(head, 7), dlc);
    head = _mm256_or_si256(head, _mm256_and_si256(remote, _mm256_set1_epi64x(1 << 6)));
    m.bits = _mm256_andnot_si256(remote, _mm256_slli_epi64(_mm256_min_epu32(dlc, _mm256_set1_epi64x(8)), 3));
    up = _mm256_sub_epi64(_mm256_set1_epi64x(64), m.bits); /* shifts by 64 give 0 */
    data = _mm256_srlv_epi64(_mm256_shuffle_epi8(bytes, reverse), up);
    m.low = _mm256_or_si256(_mm256_sllv_epi64(head, m.bits), data);
    m.high = _mm256_srlv_epi64(head, up);
    m.refused = _mm256_and_si256(fields, _mm256_set1_epi64x((~allowed & 0xFFFF) << 32));
    m.refused = _mm256_or_si256(m.refused, _mm256_srli_epi64(dlc, 4));
    m.refused = _mm256_or_si256(m.refused, _mm256_andnot_si256(limit, id));
    m.extended = extended;
    return m;
}

/* CRC-15 of four messages of at most 128 bits, side by side. */
CF_TARGET_AVX2_PCLMUL CF_ALWAYS_INLINE __m128i cf_crc15_of4(__m256i high, __m256i low)
{
    const __m128i factors = _mm_set_epi64x(CF_CRC15_INVERSE, CF_CRC15_X64), polynomial = _mm_cvtsi64_si128(0xC599);
    __m128i part[4];
    int i;
    for (i = 0; i < 2; i++) { /* the even and the odd message of a half */
        const __m128i h = i ? _mm256_extracti128_si256(high, 1) : _mm256_castsi256_si128(high);
        const __m128i l = i ? _mm256_extracti128_si256(low, 1) : _mm256_castsi256_si128(low);
        part[2 * i] = _mm_xor_si128(l, _mm_clmulepi64_si128(h, factors, 0x00));
        part[2 * i + 1] = _mm_xor_si128(_mm_unpackhi_epi64(l, l), _mm_clmulepi64_si128(h, factors, 0x01));
    }
    for (i = 0; i < 4; i++) {
        const __m128i product = _mm_clmulepi64_si128(part[i], factors, 0x10);
        const __m128i quotient = _mm_xor_si128(part[i], _mm_unpackhi_epi64(product, product));
        part[i] = _mm_clmulepi64_si128(quotient, polynomial, 0x00);
    }
    part[0] = _mm_unpacklo_epi64(_mm_unpacklo_epi32(part[0], part[1]), _mm_unpacklo_epi32(part[2], part[3]));
    return _mm_and_si128(part[0], _mm_set1_epi32(0x7FFF));
}

/* CRC-15 of eight messages of at most 128 bits. */
CF_TARGET_AVX512_VPCLMUL CF_ALWAYS_INLINE __m512i cf_crc15_of8(__m512i high, __m512i low)
{
    const __m512i x64 = _mm512_set1_epi64(CF_CRC15_X64), inverse = _mm512_set1_epi64(CF_CRC15_INVERSE);
    const __m512i polynomial = _mm512_set1_epi64(0xC599);
    /* products of the even lanes and of the odd ones; then low halves, or high halves, side by side */
    const __m512i lows = _mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14);
    const __m512i highs = _mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15);
    __m512i even = _mm512_clmulepi64_epi128(high, x64, 0x00), odd = _mm512_clmulepi64_epi128(high, x64, 0x01);
    __m512i quotient;
    low = _mm512_xor_si512(low, _mm512_permutex2var_epi64(even, lows, odd));
    even = _mm512_clmulepi64_epi128(low, inverse, 0x00);
    odd = _mm512_clmulepi64_epi128(low, inverse, 0x01);
    quotient = _mm512_xor_si512(low, _mm512_permutex2var_epi64(even, highs, odd));
    even = _mm512_clmulepi64_epi128(quotient, polynomial, 0x00);
    odd = _mm512_clmulepi64_epi128(quotient, polynomial, 0x01);
    return _mm512_and_si512(_mm512_permutex2var_epi64(even, lows, odd), _mm512_set1_epi64(0x7FFF));
}

/* The same of one message of at most 128 bits. */
CF_TARGET_PCLMUL CF_INLINE uint32_t cf_crc15_clmul(uint64_t high, uint64_t low)
{
    const __m128i factors = _mm_set_epi64x(CF_CRC15_INVERSE, CF_CRC15_X64);
    const __m128i folded = _mm_xor_si128(_mm_cvtsi64_si128((int64_t)low),
                                         _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)high), factors, 0x00));
    const __m128i product = _mm_clmulepi64_si128(folded, factors, 0x10);
    const __m128i quotient = _mm_xor_si128(folded, _mm_unpackhi_epi64(product, product));
    const __m128i multiple = _mm_clmulepi64_si128(quotient, _mm_cvtsi64_si128(0xC599), 0x00);
    return (uint32_t)_mm_cvtsi128_si64(multiple) & 0x7FFF;
}

/* The bits of `word` that `mask` names, right-aligned. */
CF_TARGET_PEXT CF_INLINE uint64_t cf_pext(uint64_t word, uint64_t mask)
{
    return _pext_u64(word, mask);
}

#endif
#endif
