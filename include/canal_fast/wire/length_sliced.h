/* canal_fast/wire/length_sliced.h - the array length kernel with units of choice. */
#ifndef CANAL_FAST_WIRE_LENGTH_SLICED_H
#define CANAL_FAST_WIRE_LENGTH_SLICED_H

#include "frame_neon.h"
#include "frame_simd.h"

#if defined(__GNUC__) || defined(__clang__)
#define CF_SLICE_LANES 2 /* what every x86-64 and aarch64 has */
#else
#define CF_SLICE_LANES 1
#endif
#define CF_SLICE(name) name##_portable
#define CF_SLICE_TARGET
#include "length_sliced_kernel.h"

#if CF_HAVE_X86
/* Rows of 256 frames, four at a time. */
CF_TARGET_AVX2 CF_INLINE uint64_t cf_slice_build4(const cf_frame *frames, uint64_t *CF_RESTRICT low,
                                                  uint64_t *CF_RESTRICT high, uint64_t *CF_RESTRICT lengths)
{
    static const uint8_t fill[4][16] = CF_SLICE_FILL_BYTES;
    const __m256i ones = _mm256_set1_epi64x(-1), size0 = _mm256_set1_epi64x(34), size1 = _mm256_set1_epi64x(54);
    const __m256i none = _mm256_set1_epi64x((int64_t)0x8080808080800000u); /* bytes 2..7 become 0 */
    __m256i fills[4], refused = _mm256_setzero_si256();
    int i;
    for (i = 0; i < 4; i++)
        fills[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)fill[i]));
    for (i = 0; i < 256; i += 4) {
        const cf_wire_messages4 m = cf_load4(frames + i);
        const __m256i size = _mm256_add_epi64(_mm256_blendv_epi8(size0, size1, m.extended), m.bits);
        const __m256i above = _mm256_subs_epu16(size, _mm256_set1_epi64x(64));
        const __m256i bytes = _mm256_srli_epi64(m.bits, 3);
        const __m256i pick = _mm256_or_si256(_mm256_or_si256(bytes, _mm256_slli_epi64(bytes, 8)), none);
        const __m256i first = _mm256_blendv_epi8(_mm256_shuffle_epi8(fills[0], pick),
                                                 _mm256_shuffle_epi8(fills[2], pick), m.extended);
        const __m256i second = _mm256_blendv_epi8(_mm256_shuffle_epi8(fills[1], pick),
                                                  _mm256_shuffle_epi8(fills[3], pick), m.extended);
        const __m256i crc = _mm256_blendv_epi8(first, second, _mm256_set1_epi64x(0xFF00));
        const __m256i top = _mm256_or_si256(_mm256_slli_epi64(m.high, 15), _mm256_srli_epi64(m.low, 49));
        refused = _mm256_or_si256(refused, m.refused);
        _mm256_storeu_si256(
            (__m256i *)(void *)(low + i),
            _mm256_or_si256(_mm256_or_si256(_mm256_slli_epi64(m.low, 15), crc), _mm256_sllv_epi64(ones, size)));
        _mm256_storeu_si256((__m256i *)(void *)(high + i), _mm256_or_si256(top, _mm256_sllv_epi64(ones, above)));
        _mm256_storeu_si256((__m256i *)(void *)(lengths + i), _mm256_add_epi64(size, _mm256_set1_epi64x(CF_TAIL_BITS)));
    }
    return !_mm256_testz_si256(refused, refused);
}

#define CF_SLICE_LANES 4
#define CF_SLICE_BUILD cf_slice_build4
#define CF_SLICE(name) name##_avx2
#define CF_SLICE_TARGET CF_TARGET_AVX2
#include "length_sliced_kernel.h"

/* Rows of 512 frames, eight at a time. */
CF_TARGET_AVX512 CF_INLINE uint64_t cf_slice_build8(const cf_frame *frames, uint64_t *CF_RESTRICT low,
                                                    uint64_t *CF_RESTRICT high, uint64_t *CF_RESTRICT lengths)
{
    static const uint16_t fill[32] = CF_SLICE_FILL;
    const __m512i fills = _mm512_loadu_si512(fill), ones = _mm512_set1_epi64(-1);
    __m512i refused = _mm512_setzero_si512();
    int i;
    for (i = 0; i < 512; i += 8) {
        const cf_wire_messages8 m = cf_load8(frames + i);
        const __m512i base = _mm512_mask_blend_epi64(m.extended, _mm512_set1_epi64(34), _mm512_set1_epi64(54));
        const __m512i size = _mm512_add_epi64(base, m.bits); /* SOF to the last CRC bit */
        const __m512i above = _mm512_subs_epu16(size, _mm512_set1_epi64(64));
        __m512i row = _mm512_srli_epi64(m.bits, 3), crc;
        row = _mm512_mask_add_epi64(row, m.extended, row, _mm512_set1_epi64(9));
        crc = _mm512_and_si512(_mm512_permutexvar_epi16(row, fills), _mm512_set1_epi64(0xFFFF));
        crc = _mm512_or_si512(crc, _mm512_sllv_epi64(ones, size));
        refused = _mm512_or_si512(refused, m.refused);
        _mm512_storeu_si512(low + i, _mm512_or_si512(_mm512_slli_epi64(m.low, 15), crc));
        _mm512_storeu_si512(
            high + i, _mm512_or_si512(_mm512_or_si512(_mm512_slli_epi64(m.high, 15), _mm512_srli_epi64(m.low, 49)),
                                      _mm512_sllv_epi64(ones, above)));
        _mm512_storeu_si512(lengths + i, _mm512_add_epi64(size, _mm512_set1_epi64(CF_TAIL_BITS)));
    }
    return _mm512_test_epi64_mask(refused, refused);
}

#define CF_SLICE_LANES 8
#define CF_SLICE_BUILD cf_slice_build8
#define CF_SLICE(name) name##_avx512
#define CF_SLICE_TARGET CF_TARGET_AVX512
#include "length_sliced_kernel.h"
#endif

#if CF_HAVE_NEON
/* Rows of 128 frames, two at a time. */
CF_INLINE uint64_t cf_slice_build2(const cf_frame *frames, uint64_t *CF_RESTRICT low, uint64_t *CF_RESTRICT high,
                                   uint64_t *CF_RESTRICT lengths)
{
    static const uint16_t fill[24] = CF_SLICE_FILL;
    const uint8_t *table = (const uint8_t *)fill;
    const uint64x2_t ones = vdupq_n_u64(~(uint64_t)0);
    uint64x2_t refused = vdupq_n_u64(0);
    uint8x16x3_t fills;
    int i;
    __asm__("" : "+r"(table)); /* what gcc knows to be there it would load again in each turn */
    fills = vld1q_u8_x3(table);
    for (i = 0; i < 128; i += 2) {
        const cf_wire_messages2 m = cf_load2(frames + i);
        const uint64x2_t base = vaddq_u64(vdupq_n_u64(34), vandq_u64(m.extended, vdupq_n_u64(20)));
        const uint64x2_t size = vaddq_u64(base, m.bits); /* SOF to the last CRC bit */
        const uint64x2_t above = vqsubq_u64(size, vdupq_n_u64(64));
        const uint64x2_t row = vsraq_n_u64(vandq_u64(m.extended, vdupq_n_u64(18)), m.bits, 2); /* place of its fill */
        const uint64x2_t pick = vorrq_u64(vsliq_n_u64(row, row, 8), vdupq_n_u64(0xFFFFFFFFFFFF0100u));
        uint64x2_t crc = vreinterpretq_u64_u8(vqtbl3q_u8(fills, vreinterpretq_u8_u64(pick)));
        crc = vorrq_u64(crc, vshlq_u64(ones, vreinterpretq_s64_u64(size))); /* shifts by 64 give 0 */
        refused = vorrq_u64(refused, m.refused);
        vst1q_u64(low + i, vorrq_u64(vshlq_n_u64(m.low, 15), crc));
        vst1q_u64(high + i, vorrq_u64(vsriq_n_u64(vshlq_n_u64(m.high, 15), m.low, 49),
                                      vshlq_u64(ones, vreinterpretq_s64_u64(above))));
        vst1q_u64(lengths + i, vaddq_u64(size, vdupq_n_u64(CF_TAIL_BITS)));
    }
    return vmaxvq_u32(vreinterpretq_u32_u64(refused));
}

/* As cf_swap_two of the template; `distance` is a constant, so that one of the ways is left. */
CF_ALWAYS_INLINE void cf_slice_swap2(cf_lanes_portable *first, cf_lanes_portable *second, unsigned distance,
                                     uint64_t mask)
{
    const uint64x2_t a = (uint64x2_t)*first, b = (uint64x2_t)*second, low = vdupq_n_u64(mask);
    const uint8x16_t a8 = vreinterpretq_u8_u64(a), b8 = vreinterpretq_u8_u64(b);
#define CF_SLICE_TRN(turn, width) \
    vreinterpretq_u64_u##width(vtrn##turn##q_u##width(vreinterpretq_u##width##_u64(a), vreinterpretq_u##width##_u64(b)))
    switch (distance) {
    case 32:
        *first = (cf_lanes_portable)CF_SLICE_TRN(1, 32), *second = (cf_lanes_portable)CF_SLICE_TRN(2, 32);
        break;
    case 16:
        *first = (cf_lanes_portable)CF_SLICE_TRN(1, 16), *second = (cf_lanes_portable)CF_SLICE_TRN(2, 16);
        break;
    case 8:
        *first = (cf_lanes_portable)CF_SLICE_TRN(1, 8), *second = (cf_lanes_portable)CF_SLICE_TRN(2, 8);
        break;
    case 4:
        *first = (cf_lanes_portable)vsliq_n_u8(a8, b8, 4), *second = (cf_lanes_portable)vsriq_n_u8(b8, a8, 4);
        break;
    default:
        *first = (cf_lanes_portable)vbslq_u64(low, a, b << distance);
        *second = (cf_lanes_portable)vbslq_u64(low, a >> distance, b);
    }
#undef CF_SLICE_TRN
}

#define CF_SLICE_LANES 2
#define CF_SLICE_BUILD cf_slice_build2
#define CF_SLICE_SWAP cf_slice_swap2
#define CF_SLICE(name) name##_neon
#define CF_SLICE_TARGET
#include "length_sliced_kernel.h"
#endif

/* As cf_frames_lengths with CF_LENGTH_EXACT and no `data`; arrays of classical records go through the bit-sliced
 * kernel, block by block. Same results with all units. */
CF_INLINE cf_status cf_frames_exact(const void *frames, size_t count, size_t stride, cf_units units, int32_t extra,
                                    int32_t *CF_RESTRICT lengths, size_t *index)
{
    const char *at = (const char *)frames;
    size_t done = 0;
    cf_status status;
    (void)units;
    if (stride == sizeof(cf_frame)) {
        while (done < count) {
            const cf_frame *block = (const cf_frame *)(at + done * stride);
            size_t size = cf_slice_frames_portable;
            uint64_t bad;
#if CF_HAVE_X86
            if (cf_units_have(units, CF_NEEDS_AVX512) && count - done >= cf_slice_frames_avx512)
                size = cf_slice_frames_avx512;
            else if (cf_units_have(units, CF_NEEDS_AVX2) && count - done >= cf_slice_frames_avx2)
                size = cf_slice_frames_avx2;
            if (size == cf_slice_frames_avx512)
                bad = cf_slice_lengths_avx512(block, extra, lengths + done);
            else if (size == cf_slice_frames_avx2)
                bad = cf_slice_lengths_avx2(block, extra, lengths + done);
            else
#elif CF_HAVE_NEON
            if (cf_units_have(units, CF_NEEDS_NEON) && count - done >= size)
                bad = cf_slice_lengths_neon(block, extra, lengths + done);
            else
#endif
                bad = count - done < size || cf_slice_lengths_portable(block, extra, lengths + done);
            if (bad)
                break;
            done += size;
        }
    }
    status = cf_frames_lengths(at + done * stride, count - done, stride, CF_LENGTH_EXACT, extra, lengths + done, NULL,
                               index);
    *index += done;
    return status;
}

#endif
