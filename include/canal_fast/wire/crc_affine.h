/* canal_fast/wire/crc_affine.h - CRC-15 of base data frames of 8 bytes with GFNI, 32 at a time with AVX-512 and 16 with
 * AVX2. Empty elsewhere.
 *
 * What a byte adds to a CRC's low byte is a product with a matrix of 8 x 8 bits, and to the high byte with another.
 * A vector's bytes share a matrix by eights, so that bytes of one place in eight frames are brought together.
 */
#ifndef CANAL_FAST_WIRE_CRC_AFFINE_H
#define CANAL_FAST_WIRE_CRC_AFFINE_H

#include "crc_table.h"
#include "frame_simd.h"

#if CF_HAVE_X86

/* Matrices as GF2P8AFFINEQB takes them, for a byte of these eight bits: byte 7 - i says which bits bit i is the sum
 * of; i from 0 on for a CRC's low byte, from 8 on for its high byte. */
#define CF_MATRIX_BIT(v, i, place) ((uint64_t)((v) >> (i) & 1) << (place))
#define CF_MATRIX_ROW(i, at, a, b, c, d, e, f, g, h)                                           \
    (CF_MATRIX_BIT(a, i, at) | CF_MATRIX_BIT(b, i, at + 1) | CF_MATRIX_BIT(c, i, at + 2) |     \
     CF_MATRIX_BIT(d, i, at + 3) | CF_MATRIX_BIT(e, i, at + 4) | CF_MATRIX_BIT(f, i, at + 5) | \
     CF_MATRIX_BIT(g, i, at + 6) | CF_MATRIX_BIT(h, i, at + 7))
#define CF_MATRIX(i, ...)                                                            \
    (CF_MATRIX_ROW(i, 56, __VA_ARGS__) | CF_MATRIX_ROW(i + 1, 48, __VA_ARGS__) |     \
     CF_MATRIX_ROW(i + 2, 40, __VA_ARGS__) | CF_MATRIX_ROW(i + 3, 32, __VA_ARGS__) | \
     CF_MATRIX_ROW(i + 4, 24, __VA_ARGS__) | CF_MATRIX_ROW(i + 5, 16, __VA_ARGS__) | \
     CF_MATRIX_ROW(i + 6, 8, __VA_ARGS__) | CF_MATRIX_ROW(i + 7, 0, __VA_ARGS__))
#define CF_MATRICES(...) {CF_MATRIX(0, __VA_ARGS__), CF_MATRIX(8, __VA_ARGS__)},

typedef const uint64_t (*cf_affine_table)[2];

/* Rows 0..7: slices of the CRC table, so that data byte k has row 7 - k; 13 and 14: those of an identifier. */
CF_ALWAYS_INLINE cf_affine_table cf_crc15_affine(void)
{
    static const uint64_t table[15][2] = {CF_CRC15_SLICES(CF_MATRICES) CF_CRC15_ID_SLICES(CF_MATRICES)};
    return table;
}

/* Quadwords 2 and 1 of the records of four times eight frames: those of frame r of eight are in places 3 r + 2 and
 * 3 r + 1, modulo 8, so that three vectors merge without a shuffle. Returns whether all are base data frames of 8
 * bytes. */
CF_TARGET_AVX512_GFNI CF_ALWAYS_INLINE int cf_affine_load_avx512(const cf_frame *frames, __m512i data[4],
                                                                 __m512i heads[4])
{
    const __mmask8 begin = 0x24, middle = 0x49; /* places of data in the first and the second vector */
    __m512i other = _mm512_setzero_si512();
    int i;
    for (i = 0; i < 4; i++) {
        const char *at = (const char *)(frames + 8 * i);
        const __m512i a = _mm512_loadu_si512(at), b = _mm512_loadu_si512(at + 64), c = _mm512_loadu_si512(at + 128);
        data[i] = _mm512_mask_mov_epi64(_mm512_mask_mov_epi64(c, begin, a), middle, b);
        heads[i] = _mm512_mask_mov_epi64(_mm512_mask_mov_epi64(a, begin, b), middle, c);
        other = _mm512_or_si512(other, _mm512_xor_si512(heads[i], _mm512_set1_epi64(CF_BASE8_DLC)));
    }
    return !_mm512_test_epi64_mask(other, _mm512_set1_epi64(~CF_BASE8_FREE));
}

/* CRCs of 32 frames, four for each of those places: one of each eight frames. */
CF_TARGET_AVX512_GFNI CF_ALWAYS_INLINE void cf_affine_store_avx512(__m512i words, uint32_t *CF_RESTRICT sequences)
{
#define CF_PLACES(i) 8 + (i), 0, 20 + (i), 0, (i), 0, 12 + (i), 0, 24 + (i), 0, 4 + (i), 0, 16 + (i), 0, 28 + (i), 0
    static const uint16_t places[2][32] = {{CF_PLACES(0), CF_PLACES(1)}, {CF_PLACES(2), CF_PLACES(3)}};
#undef CF_PLACES
    int i;
    for (i = 0; i < 2; i++)
        _mm512_storeu_si512(sequences + 16 * i,
                            _mm512_maskz_permutexvar_epi16(0x55555555, _mm512_loadu_si512(places[i]), words));
}

#define CF_AFFINE_LANES 8
#define CF_AFFINE_VECTOR __m512i
#define CF_AFFINE(name) name##_avx512
#define CF_AFFINE_TARGET CF_TARGET_AVX512_GFNI
#define CF_AFFINE_OP(op) _mm512_##op
#define CF_AFFINE_ALL(high, low) _mm512_set4_epi64(high, low, high, low)
#define CF_AFFINE_NEXT(v) _mm512_alignr_epi64(v, v, 6)
#include "crc_affine_kernel.h"

/* The same of four times four frames, modulo 4. */
CF_TARGET_AVX2_GFNI CF_ALWAYS_INLINE int cf_affine_load_avx2(const cf_frame *frames, __m256i data[4], __m256i heads[4])
{
    __m256i other = _mm256_setzero_si256();
    int i;
    for (i = 0; i < 4; i++) {
        const __m256i *at = (const __m256i *)(const void *)(frames + 4 * i);
        const __m256i a = _mm256_loadu_si256(at), b = _mm256_loadu_si256(at + 1), c = _mm256_loadu_si256(at + 2);
        data[i] = _mm256_blend_epi32(_mm256_blend_epi32(c, a, 0x30), b, 0x0C);
        heads[i] = _mm256_blend_epi32(_mm256_blend_epi32(b, a, 0x0C), c, 0x30);
        other = _mm256_or_si256(other, _mm256_xor_si256(heads[i], _mm256_set1_epi64x(CF_BASE8_DLC)));
    }
    return _mm256_testz_si256(other, _mm256_set1_epi64x(~CF_BASE8_FREE));
}

/* CRCs of 16 frames, as above; places 2, 1, 0, 3 are the order of four frames. */
CF_TARGET_AVX2_GFNI CF_ALWAYS_INLINE void cf_affine_store_avx2(__m256i words, uint32_t *CF_RESTRICT sequences)
{
    const __m128i low = _mm256_castsi256_si128(words), high = _mm256_extracti128_si256(words, 1);
    const __m128i first = _mm_unpacklo_epi16(high, _mm_unpackhi_epi64(low, low));
    const __m128i second = _mm_unpacklo_epi16(low, _mm_unpackhi_epi64(high, high));
    __m256i *to = (__m256i *)(void *)sequences;
    _mm256_storeu_si256(to, _mm256_cvtepu16_epi32(_mm_unpacklo_epi32(first, second)));
    _mm256_storeu_si256(to + 1, _mm256_cvtepu16_epi32(_mm_unpackhi_epi32(first, second)));
}

#define CF_AFFINE_LANES 4
#define CF_AFFINE_VECTOR __m256i
#define CF_AFFINE(name) name##_avx2
#define CF_AFFINE_TARGET CF_TARGET_AVX2_GFNI
#define CF_AFFINE_OP(op) _mm256_##op
#define CF_AFFINE_ALL(high, low) _mm256_set_epi64x(high, low, high, low)
#define CF_AFFINE_NEXT(v) _mm256_permute4x64_epi64(v, 0x4E)
#include "crc_affine_kernel.h"

#endif
#endif
