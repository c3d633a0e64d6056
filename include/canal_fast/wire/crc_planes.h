/* canal_fast/wire/crc_planes.h - CRC-15 of base data frames of 8 bytes, 32 at a time with AVX2. Empty elsewhere.
 *
 * Byte k of all frames side by side is a plane; what its halves add to the CRCs is looked up by PSHUFB in tables of 16.
 */
#ifndef CANAL_FAST_WIRE_CRC_PLANES_H
#define CANAL_FAST_WIRE_CRC_PLANES_H

#include "../cpu.h"
#include "../frame.h"
#include "crc_table.h"

#if CF_HAVE_X86
#include <immintrin.h>

/* For a byte of these eight bits: low and high byte of what its low half adds, then of what its high half adds. */
#define CF_NIBBLES(a, b, c, d, e, f, g, h)                       \
    {{CF_CRC_16(0, (a) & 255, (b) & 255, (c) & 255, (d) & 255)}, \
     {CF_CRC_16(0, (a) >> 8, (b) >> 8, (c) >> 8, (d) >> 8)},     \
     {CF_CRC_16(0, (e) & 255, (f) & 255, (g) & 255, (h) & 255)}, \
     {CF_CRC_16(0, (e) >> 8, (f) >> 8, (g) >> 8, (h) >> 8)}},

typedef const uint8_t (*cf_nibble_table)[4][16];

/* Rows 0..7: slices of the CRC table, so that data byte k has row 7 - k; 13 and 14: the low byte of an 11-bit
 * identifier, and what is above it. */
CF_INLINE cf_nibble_table cf_crc15_nibbles(void)
{
    /* clang-format off */
    static const uint8_t table[15][4][16] = {CF_CRC15_SLICES(CF_NIBBLES)
        CF_NIBBLES(0x0B1B, 0x1636, 0x2C6C, 0x58D8, 0x7429, 0x2DCB, 0x5B96, 0x72B5)
        CF_NIBBLES(0x20F3, 0x41E6, 0x4655, 0, 0, 0, 0, 0)};
    /* clang-format on */
    return table;
}

/* Adds what a plane adds to the low and to the high bytes of the CRCs. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE void cf_crc15_plane(const uint8_t nibbles[4][16], __m256i plane, __m256i *low,
                                                    __m256i *high)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i first = _mm256_and_si256(plane, half), second = _mm256_and_si256(_mm256_srli_epi16(plane, 4), half);
    __m256i table[4];
    int i;
    for (i = 0; i < 4; i++)
        table[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)nibbles[i]));
    *low = _mm256_xor_si256(
        *low, _mm256_xor_si256(_mm256_shuffle_epi8(table[0], first), _mm256_shuffle_epi8(table[2], second)));
    *high = _mm256_xor_si256(
        *high, _mm256_xor_si256(_mm256_shuffle_epi8(table[1], first), _mm256_shuffle_epi8(table[3], second)));
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

/* The identifiers' low bytes, and the bits above, of heads in rows of the same order. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE void cf_identifier_planes(const __m256i heads[8], __m256i *low, __m256i *high)
{
    const __m256i id = _mm256_set1_epi64x(CF_MAX_STANDARD_ID), byte = _mm256_set1_epi16(255);
    __m256i words[2], a, b;
    int i;
    for (i = 0; i < 2; i++) { /* four frames' identifiers as the words of a quadword */
        const __m256i *from = heads + 4 * i;
        a = _mm256_or_si256(_mm256_and_si256(from[0], id), _mm256_slli_epi64(_mm256_and_si256(from[1], id), 16));
        b = _mm256_or_si256(_mm256_and_si256(from[2], id), _mm256_slli_epi64(_mm256_and_si256(from[3], id), 16));
        words[i] = _mm256_or_si256(a, _mm256_slli_epi64(b, 32));
    }
    a = _mm256_unpacklo_epi64(words[0], words[1]);
    b = _mm256_unpackhi_epi64(words[0], words[1]);
    *low = _mm256_packus_epi16(_mm256_and_si256(a, byte), _mm256_and_si256(b, byte));
    *high = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
}

/* 32 frames; 0, and nothing written, where one of them is something else than a base data frame of 8 bytes. */
CF_TARGET_AVX2 CF_ALWAYS_INLINE int cf_crc15_base32(const cf_frame *frames, cf_nibble_table nibbles,
                                                    uint32_t *CF_RESTRICT sequences)
{
    const int64_t free_bits = CF_MAX_STANDARD_ID | (int64_t)(0xFF0000 | CF_FLAGS_OFF_WIRE) << 32;
    const __m256i fixed = _mm256_set1_epi64x(~free_bits), dlc8 = _mm256_set1_epi64x((int64_t)8 << 56);
    __m256i low = _mm256_set1_epi8(0x5B), high = _mm256_set1_epi8(0x14); /* what DLC = 8 adds: 0x145B */
    __m256i other = _mm256_setzero_si256(), heads[8], rows[8], ids[2];
    int i;
    for (i = 0; i < 8; i++) { /* quadwords 1 and 2 of each record of three */
        const char *at = (const char *)(frames + i) + 8;
        const __m256i even = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at)),
            _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * sizeof(cf_frame))), 1);
        const __m256i odd = _mm256_inserti128_si256(
            _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(at + 8 * sizeof(cf_frame)))),
            _mm_loadu_si128((const __m128i *)(const void *)(at + 24 * sizeof(cf_frame))), 1);
        heads[i] = _mm256_unpacklo_epi64(even, odd);
        rows[i] = _mm256_unpackhi_epi64(even, odd);
        other = _mm256_or_si256(other, _mm256_xor_si256(_mm256_and_si256(heads[i], fixed), dlc8));
    }
    if (!_mm256_testz_si256(other, other))
        return 0;
    cf_byte_planes(rows);
    for (i = 0; i < 8; i++)
        cf_crc15_plane(nibbles[7 - i], rows[i], &low, &high);
    cf_identifier_planes(heads, &ids[0], &ids[1]);
    cf_crc15_plane(nibbles[13], ids[0], &low, &high);
    cf_crc15_plane(nibbles[14], ids[1], &low, &high);
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
