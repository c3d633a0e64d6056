/* canal_fast/wire/crc_planes.h - CRC-15 of base data frames of 8 bytes, 32 at a time with AVX2. Empty elsewhere.
 *
 * Byte k of all frames side by side is a plane; what its halves add to the CRCs is looked up by PSHUFB in tables of 16.
 */
#ifndef CANAL_FAST_WIRE_CRC_PLANES_H
#define CANAL_FAST_WIRE_CRC_PLANES_H

#include "crc_table.h"
#include "frame_simd.h"

#if CF_HAVE_X86 || CF_HAVE_NEON

/* For a byte of these eight bits: low and high byte of what its low half adds, then of what its high half adds; each
 * twice for AVX2, whose PSHUFB takes both halves of a vector. */
#if CF_HAVE_X86
enum { CF_NIBBLE_ROW = 32 };
#define CF_NIBBLE(a, b, c, d) {CF_CRC_16(0, a, b, c, d), CF_CRC_16(0, a, b, c, d)}
#else
enum { CF_NIBBLE_ROW = 16 };
#define CF_NIBBLE(a, b, c, d) {CF_CRC_16(0, a, b, c, d)}
#endif
#define CF_NIBBLES(a, b, c, d, e, f, g, h)                                                                     \
    {CF_NIBBLE((a) & 255, (b) & 255, (c) & 255, (d) & 255), CF_NIBBLE((a) >> 8, (b) >> 8, (c) >> 8, (d) >> 8), \
     CF_NIBBLE((e) & 255, (f) & 255, (g) & 255, (h) & 255), CF_NIBBLE((e) >> 8, (f) >> 8, (g) >> 8, (h) >> 8)},

typedef const uint8_t (*cf_nibble_table)[4][CF_NIBBLE_ROW];

/* Rows 0..7: slices of the CRC table, so that data byte k has row 7 - k; up to 12: the slices after them; 13 and
 * 14: the low byte of an 11-bit identifier, and what is above it. */
CF_INLINE cf_nibble_table cf_crc15_nibbles(void)
{
    static const uint8_t table[15][4][CF_NIBBLE_ROW] = {CF_CRC15_SLICES(CF_NIBBLES) CF_CRC15_ID_SLICES(CF_NIBBLES)};
    return table;
}
#endif

#if CF_HAVE_X86

/* Adds what the halves of a plane's bytes add to the low and to the high bytes of the CRCs. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE void cf_crc15_halves(const uint8_t nibbles[2][32], __m256i half, __m256i *low,
                                                     __m256i *high)
{
    const __m256i of_low = _mm256_loadu_si256((const __m256i *)(const void *)nibbles[0]);
    const __m256i of_high = _mm256_loadu_si256((const __m256i *)(const void *)nibbles[1]);
    *low = _mm256_xor_si256(*low, _mm256_shuffle_epi8(of_low, half));
    *high = _mm256_xor_si256(*high, _mm256_shuffle_epi8(of_high, half));
}

CF_TARGET_AVX2 CF_ALWAYS_INLINE void cf_crc15_plane(const uint8_t nibbles[4][32], __m256i plane, __m256i *low,
                                                    __m256i *high)
{
    const __m256i half = _mm256_set1_epi8(15);
    cf_crc15_halves(nibbles, _mm256_and_si256(plane, half), low, high);
    cf_crc15_halves(nibbles + 2, _mm256_and_si256(_mm256_srli_epi16(plane, 4), half), low, high);
    __asm__ volatile(""
                     : "+x"(*low), "+x"(*high)); /* plane by plane: gcc would load all tables first, and spill them */
}

/* Rows of four quadwords, those of frames i, i + 8, i + 16, i + 24, become planes of 32 bytes in the frames' order. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE void cf_byte_planes(__m256i rows[8])
{
    __m256i a[8], b[8];
    int i;
    for (i = 0; i < 4; i++) { /* bytes 0..7 of two frames, in turn */
        a[2 * i] = _mm256_unpacklo_epi8(rows[2 * i], rows[2 * i + 1]);
        a[2 * i + 1] = _mm256_unpackhi_epi8(rows[2 * i], rows[2 * i + 1]);
    }
    for (i = 0; i < 4; i++) { /* bytes 0..3, and 4..7, of four */
        const int from = i / 2 * 4 + i % 2;
        b[2 * i] = _mm256_unpacklo_epi16(a[from], a[from + 2]);
        b[2 * i + 1] = _mm256_unpackhi_epi16(a[from], a[from + 2]);
    }
    for (i = 0; i < 4; i++) { /* two bytes of eight */
        a[2 * i] = _mm256_unpacklo_epi32(b[i], b[i + 4]);
        a[2 * i + 1] = _mm256_unpackhi_epi32(b[i], b[i + 4]);
    }
    for (i = 0; i < 4; i++) {
        rows[2 * i] = _mm256_unpacklo_epi64(a[i], a[i + 4]);
        rows[2 * i + 1] = _mm256_unpackhi_epi64(a[i], a[i + 4]);
    }
}

/* 32 frames; 0, and nothing written, where one of them is something else than a base data frame of 8 bytes. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE int cf_crc15_base32(const cf_frame *frames, cf_nibble_table nibbles,
                                                    uint32_t *CF_RESTRICT sequences)
{
    __m256i low = _mm256_set1_epi8(0x5B), high = _mm256_set1_epi8(0x14); /* what DLC = 8 adds: 0x145B */
    __m256i other = _mm256_setzero_si256(), rows[8], heads[8];
    int i;
    for (i = 0; i < 8; i++) { /* quadwords 1 and 2 of each record of three */
        const __m256i even = cf_load_pair(frames + i, frames + i + 16);
        const __m256i odd = cf_load_pair(frames + i + 8, frames + i + 24);
        rows[i] = _mm256_unpackhi_epi64(even, odd);
        heads[i] = _mm256_unpacklo_epi64(even, odd);
        other = _mm256_or_si256(other, _mm256_xor_si256(heads[i], _mm256_set1_epi64x(CF_BASE8_DLC)));
    }
    if (!_mm256_testz_si256(other, _mm256_set1_epi64x(~CF_BASE8_FREE)))
        return 0;
    cf_byte_planes(heads);
    cf_crc15_plane(nibbles[13], heads[0], &low, &high);
    cf_crc15_halves(nibbles[14], heads[1], &low, &high);
    cf_byte_planes(rows);
    for (i = 0; i < 8; i++)
        cf_crc15_plane(nibbles[7 - i], rows[i], &low, &high);
    rows[0] = _mm256_unpacklo_epi8(low, high); /* of frames 0..7 and 16..23 */
    rows[1] = _mm256_unpackhi_epi8(low, high);
    for (i = 0; i < 4; i++) {
        const __m128i eight = i < 2 ? _mm256_castsi256_si128(rows[i]) : _mm256_extracti128_si256(rows[i - 2], 1);
        _mm256_storeu_si256((__m256i *)(void *)(sequences + 8 * i), _mm256_cvtepu16_epi32(eight));
    }
    return 1;
}

/* Returns the number of frames done: all that are left but some, or those before the first block that has another. */
CF_TARGET_AVX2 CF_INLINE size_t cf_crc15_frames32(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    const cf_nibble_table nibbles = cf_crc15_nibbles();
    size_t i = 0;
    while (i + 32 <= count && cf_crc15_base32(frames + i, nibbles, sequences + i))
        i += 32;
    return i;
}

#endif
#endif
