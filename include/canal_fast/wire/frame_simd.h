/* canal_fast/wire/frame_simd.h - eight classical frames at a time, with AVX-512 and VPCLMULQDQ. Empty elsewhere. */
#ifndef CANAL_FAST_WIRE_FRAME_SIMD_H
#define CANAL_FAST_WIRE_FRAME_SIMD_H

#include "../cpu.h"
#include "../frame.h"

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
    const int64_t allowed = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAG_TX | CF_FLAG_GAP;
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

/* CRC-15 of eight messages of at most 128 bits. */
CF_TARGET_AVX512 CF_ALWAYS_INLINE __m512i cf_crc15_of8(__m512i high, __m512i low)
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
CF_TARGET_AVX512 CF_INLINE uint32_t cf_crc15_clmul(uint64_t high, uint64_t low)
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
CF_TARGET_AVX512 CF_INLINE uint64_t cf_pext(uint64_t word, uint64_t mask)
{
    return _pext_u64(word, mask);
}

#endif
#endif
