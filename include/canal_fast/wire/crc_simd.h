/* canal_fast/wire/crc_simd.h - CRC-15 of long buffers and of arrays of frames, on an instruction set of choice. */
#ifndef CANAL_FAST_WIRE_CRC_SIMD_H
#define CANAL_FAST_WIRE_CRC_SIMD_H

#include "frame_simd.h"
#include "frame_crc.h"

#if CF_HAVE_X86
/* Each 128-bit lane times x^distance, given x^(distance + 64) mod P and x^distance mod P. */
CF_TARGET_AVX512 CF_ALWAYS_INLINE __m512i cf_fold(__m512i value, int64_t upper, int64_t lower)
{
    const __m512i factors = _mm512_set4_epi64(upper, lower, upper, lower);
    return _mm512_xor_si512(_mm512_clmulepi64_epi128(value, factors, 0x11),
                            _mm512_clmulepi64_epi128(value, factors, 0x00));
}

/* Folds `count` >= 256 bytes, a multiple of 256, into the 64 bytes of `rest`, which leave the same CRC-15. */
CF_TARGET_AVX512 CF_INLINE void cf_crc15_fold(uint32_t value, const uint8_t *bytes, size_t count, uint8_t rest[64])
{
    const __m512i reverse = _mm512_set4_epi32(0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0E0F);
    const int64_t x2112 = 0x56BC, x2048 = 0x4EAB, x576 = 0x0AE6, x512 = 0x0010; /* powers of x mod P */
    __m512i part[4];
    int i;
    for (i = 0; i < 4; i++)
        part[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(bytes + 64 * i), reverse);
    part[0] = _mm512_xor_si512(part[0], _mm512_maskz_set1_epi64(2, (int64_t)((uint64_t)value << 49)));
    for (bytes += 256, count -= 256; count; bytes += 256, count -= 256) {
        for (i = 0; i < 4; i++)
            part[i] = _mm512_xor_si512(cf_fold(part[i], x2112, x2048),
                                       _mm512_shuffle_epi8(_mm512_loadu_si512(bytes + 64 * i), reverse));
    }
    for (i = 1; i < 4; i++)
        part[i] = _mm512_xor_si512(part[i], cf_fold(part[i - 1], x576, x512));
    _mm512_storeu_si512(rest, _mm512_shuffle_epi8(part[3], reverse));
}

/* Sixteen base data frames of 8 bytes; 0, and nothing written, where one of them is something else.
 *
 * A message is cut into its low 48 bits and the 35 above. Each piece's product with floor(x^(79 + k) / P), where k
 * is the piece's place, has 15 bits below its upper half that are the begin of the fraction of message * x^15 / P; P
 * times those is the remainder. */
CF_TARGET_AVX512 CF_ALWAYS_INLINE int cf_crc15_base16(const cf_frame *frames, uint32_t *CF_RESTRICT sequences)
{
    const int64_t of_low = CF_CRC15_INVERSE, of_high = (int64_t)0xB0CE6636F9EFEAD9u, dlc8 = (int64_t)8 << 56;
    const int64_t free_bits = CF_MAX_STANDARD_ID | (int64_t)(0xFF0000 | CF_FLAG_TX | CF_FLAG_GAP) << 32;
    /* quadwords 1 and 2 of four records; quadwords of the second source are those from 4 on */
    const __m512i pick = _mm512_setr_epi64(0, 1, 3, 4, 6, 7, 14, 15);
    const __m512i factors = _mm512_set4_epi64(of_high, of_low, of_high, of_low);
    const __m512i head = _mm512_set4_epi64(0, 7, 0, 7); /* the identifier goes above RTR .. DLC */
    const __m512i pieces = _mm512_set4_epi32((int)0x80808002, 0x01000809, (int)0x80800A0B, 0x0C0D0E0F);
    const __m512i fraction = _mm512_set1_epi64((int64_t)((uint64_t)0x7FFF << 49));
    const __m512i order = _mm512_setr_epi32(2, 6, 10, 14, 3, 7, 11, 15, 18, 22, 26, 30, 19, 23, 27, 31);
    __m512i part[4], some, all;
    int i;
    for (i = 0; i < 4; i++) {
        const char *at = (const char *)(frames + 4 * i);
        part[i] = _mm512_permutex2var_epi64(_mm512_loadu_si512(at + 8), pick, _mm512_loadu_si512(at + 32));
    }
    some = _mm512_or_si512(_mm512_or_si512(part[0], part[1]), _mm512_or_si512(part[2], part[3]));
    all = _mm512_and_si512(_mm512_and_si512(part[0], part[1]), _mm512_and_si512(part[2], part[3]));
    some = _mm512_and_si512(some, _mm512_set4_epi64(0, ~(free_bits | dlc8), 0, ~(free_bits | dlc8)));
    some = _mm512_or_si512(some, _mm512_andnot_si512(all, _mm512_set4_epi64(0, dlc8, 0, dlc8)));
    if (_mm512_test_epi64_mask(some, some))
        return 0;
    for (i = 0; i < 4; i++) { /* the remainder goes to doublewords 2 and 3 in turn */
        const __m512i polynomial = _mm512_set1_epi64(i & 1 ? (int64_t)0xC599 << 32 : 0xC599);
        const __m512i message = _mm512_shuffle_epi8(_mm512_sllv_epi64(part[i], head), pieces);
        const __m512i quotient = _mm512_xor_si512(_mm512_clmulepi64_epi128(message, factors, 0x00),
                                                  _mm512_clmulepi64_epi128(message, factors, 0x11));
        part[i] = _mm512_clmulepi64_epi128(_mm512_and_si512(quotient, fraction), polynomial, 0x00);
    }
    part[0] = _mm512_mask_mov_epi32(part[0], 0x8888, part[1]);
    part[2] = _mm512_mask_mov_epi32(part[2], 0x8888, part[3]);
    part[0] = _mm512_permutex2var_epi32(part[0], order, part[2]);
    _mm512_storeu_si512(sequences, _mm512_xor_si512(part[0], _mm512_set1_epi32(0x145B))); /* what DLC = 8 adds */
    return 1;
}

/* Returns the number of frames done: all that are left but some, or those before the first block that has another. */
CF_TARGET_AVX512 CF_INLINE size_t cf_crc15_frames16(const cf_frame *frames, size_t count,
                                                    uint32_t *CF_RESTRICT sequences)
{
    size_t i = 0;
    while (i + 16 <= count && cf_crc15_base16(frames + i, sequences + i))
        i += 16;
    return i;
}

/* The same of any classical frames, eight at a time: those before the first block with a record that is refused. */
CF_TARGET_AVX512 CF_INLINE size_t cf_crc15_frames8(const cf_frame *frames, size_t count,
                                                   uint32_t *CF_RESTRICT sequences)
{
    size_t i;
    for (i = 0; i + 8 <= count; i += 8) {
        const cf_wire_messages8 m = cf_load8(frames + i);
        if (CF_UNLIKELY(_mm512_test_epi64_mask(m.refused, m.refused)))
            break;
        _mm256_storeu_si256((__m256i *)(void *)(sequences + i), _mm512_cvtepi64_epi32(cf_crc15_of8(m.high, m.low)));
    }
    return i;
}
#endif

/* As cf_crc_bytes, on `level`. */
CF_INLINE uint32_t cf_crc_bytes_on(cf_level level, cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
{
#if CF_HAVE_X86
    if (level >= CF_AVX512 && crc.width == 15 && count >= 512) {
        const size_t folded = count & ~(size_t)255;
        uint8_t rest[64];
        cf_crc15_fold(value, bytes, folded, rest);
        value = cf_crc_bytes(crc, 0, rest, sizeof rest);
        bytes += folded;
        count -= folded;
    }
#endif
    (void)level;
    return cf_crc_bytes(crc, value, bytes, count);
}

/* As cf_frames_crc, on `level`. */
CF_INLINE cf_status cf_frames_crc_on(cf_level level, const void *frames, size_t count, size_t stride, unsigned width,
                                     uint32_t *CF_RESTRICT sequences, size_t *index)
{
    size_t done = 0;
    cf_status status;
#if CF_HAVE_X86
    if (level >= CF_AVX512 && width == 15 && stride == sizeof(cf_frame)) {
        const cf_frame *at = (const cf_frame *)frames;
        size_t before, some;
        do { /* in mixed traffic the faster one rarely has something to do */
            before = done;
            done += cf_crc15_frames16(at + done, count - done, sequences + done);
            some = count - done;
            if (some > CF_CRC_APART)
                some = CF_CRC_APART;
            done += cf_crc15_frames8(at + done, some, sequences + done);
        } while (done > before);
    }
#endif
    (void)level;
    status = cf_frames_crc((const char *)frames + done * stride, count - done, stride, width, sequences + done, index);
    *index += done;
    return status;
}

#endif
