/* canal_fast/wire/crc_simd.h - CRC-15 of arrays of frames, with units of choice. */
#ifndef CANAL_FAST_WIRE_CRC_SIMD_H
#define CANAL_FAST_WIRE_CRC_SIMD_H

#include "crc_planes.h"
#include "frame_crc.h"
#include "frame_simd.h"

#if CF_HAVE_X86
/* Sixteen base data frames of 8 bytes; 0, and nothing written, where one of them is something else.
 *
 * A message is cut into its low 48 bits and the 35 above. Each piece's product with floor(x^(79 + k) / P), where k
 * is the piece's place, has 15 bits below its upper half that are the begin of the fraction of message * x^15 / P; P
 * times those is the remainder. */
CF_TARGET_AVX512_VPCLMUL CF_ALWAYS_INLINE int cf_crc15_base16(const cf_frame *frames, uint32_t *CF_RESTRICT sequences)
{
    const int64_t of_low = CF_CRC15_INVERSE, of_high = (int64_t)0xB0CE6636F9EFEAD9u, dlc8 = (int64_t)8 << 56;
    const int64_t free_bits = CF_MAX_STANDARD_ID | (int64_t)(0xFF0000 | CF_FLAGS_OFF_WIRE) << 32;
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
CF_TARGET_AVX512_VPCLMUL CF_INLINE size_t cf_crc15_frames16(const cf_frame *frames, size_t count,
                                                            uint32_t *CF_RESTRICT sequences)
{
    size_t i = 0;
    while (i + 16 <= count && cf_crc15_base16(frames + i, sequences + i))
        i += 16;
    return i;
}

/* The same of any classical frames, eight at a time: those before the first block with a record that is refused. */
CF_TARGET_AVX512_VPCLMUL CF_INLINE size_t cf_crc15_frames8(const cf_frame *frames, size_t count,
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
/* The same, four at a time. */
CF_TARGET_AVX2_PCLMUL CF_INLINE size_t cf_crc15_frames4(const cf_frame *frames, size_t count,
                                                        uint32_t *CF_RESTRICT sequences)
{
    size_t i;
    for (i = 0; i + 4 <= count; i += 4) {
        const cf_wire_messages4 m = cf_load4(frames + i);
        if (CF_UNLIKELY(!_mm256_testz_si256(m.refused, m.refused)))
            break;
        _mm_storeu_si128((__m128i *)(void *)(sequences + i), cf_crc15_of4(m.high, m.low));
    }
    return i;
}

/* CRCs of the frames up to the first that the units have no fast way for; returns how many. */
CF_INLINE size_t cf_crc15_frames_fast(cf_units units, const cf_frame *frames, size_t count,
                                      uint32_t *CF_RESTRICT sequences)
{
    size_t done = 0, before, some;
    do { /* in mixed traffic the way of base frames rarely has something to do */
        before = done;
        if (cf_units_have(units, CF_NEEDS_AVX512_VPCLMUL))
            done += cf_crc15_frames16(frames + done, count - done, sequences + done);
        else if (cf_units_have(units, CF_NEEDS_AVX2))
            done += cf_crc15_frames32(frames + done, count - done, sequences + done);
        some = count - done < CF_CRC_APART ? count - done : (size_t)CF_CRC_APART;
        if (cf_units_have(units, CF_NEEDS_AVX512_VPCLMUL))
            done += cf_crc15_frames8(frames + done, some, sequences + done);
        else if (cf_units_have(units, CF_NEEDS_AVX2_PCLMUL))
            done += cf_crc15_frames4(frames + done, some, sequences + done);
    } while (done > before);
    return done;
}
#endif

/* As cf_frames_crc, with these units. */
CF_INLINE cf_status cf_frames_crc_on(cf_units units, const void *frames, size_t count, size_t stride, unsigned width,
                                     uint32_t *CF_RESTRICT sequences, size_t *index)
{
    const char *at = (const char *)frames;
    const int fast = width == 15 && stride == sizeof(cf_frame) &&
                     (cf_units_have(units, CF_NEEDS_AVX2) || cf_units_have(units, CF_NEEDS_AVX512_VPCLMUL));
    size_t done = 0, some;
    cf_status status;
    do { /* what the fast ways leave goes the general one, a little at a time */
#if CF_HAVE_X86
        if (fast)
            done += cf_crc15_frames_fast(units, (const cf_frame *)(const void *)at + done, count - done,
                                         sequences + done);
#endif
        some = fast && count - done > CF_CRC_APART ? (size_t)CF_CRC_APART : count - done;
        status = cf_frames_crc(at + done * stride, some, stride, width, sequences + done, index);
        if (CF_UNLIKELY(status != CF_OK)) {
            *index += done;
            return status;
        }
        done += some;
    } while (done < count);
    return CF_OK;
}

#endif
