/* canal_fast/wire/crc_simd.h - CRC-15 of arrays of frames, with units of choice. */
#ifndef CANAL_FAST_WIRE_CRC_SIMD_H
#define CANAL_FAST_WIRE_CRC_SIMD_H

#include "crc_affine.h"
#include "crc_neon.h"
#include "crc_planes.h"
#include "frame_crc.h"
#include "frame_simd.h"

#if CF_HAVE_X86
/* CRCs of any classical frames, eight at a time, up to the first block with a record that is refused; returns how
 * many. */
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

/* CRCs of some of the base data frames of 8 bytes that the array begins with; returns how many. */
CF_ALWAYS_INLINE size_t cf_crc15_base(cf_units units, const cf_frame *frames, size_t count,
                                      uint32_t *CF_RESTRICT sequences)
{
    if (cf_units_have(units, CF_NEEDS_AVX512_GFNI))
        return cf_crc15_frames_avx512(frames, count, sequences);
    if (cf_units_have(units, CF_NEEDS_AVX2_GFNI))
        return cf_crc15_frames_avx2(frames, count, sequences);
    return cf_units_have(units, CF_NEEDS_AVX2) ? cf_crc15_frames32(frames, count, sequences) : 0;
}

/* The same of any classical frames. */
CF_ALWAYS_INLINE size_t cf_crc15_any(cf_units units, const cf_frame *frames, size_t count,
                                     uint32_t *CF_RESTRICT sequences)
{
    if (cf_units_have(units, CF_NEEDS_AVX512_VPCLMUL))
        return cf_crc15_frames8(frames, count, sequences);
    return cf_units_have(units, CF_NEEDS_AVX2_PCLMUL) ? cf_crc15_frames4(frames, count, sequences) : 0;
}
#elif CF_HAVE_NEON
CF_ALWAYS_INLINE size_t cf_crc15_base(cf_units units, const cf_frame *frames, size_t count,
                                      uint32_t *CF_RESTRICT sequences)
{
    return cf_units_have(units, CF_NEEDS_NEON) ? cf_crc15_base_neon(frames, count, sequences) : 0;
}

CF_ALWAYS_INLINE size_t cf_crc15_any(cf_units units, const cf_frame *frames, size_t count,
                                     uint32_t *CF_RESTRICT sequences)
{
    return cf_units_have(units, CF_NEEDS_NEON) ? cf_crc15_any_neon(frames, count, sequences) : 0;
}
#endif

#if CF_HAVE_X86 || CF_HAVE_NEON
/* CRCs of the frames up to the first that the units have no fast way for; returns how many. */
CF_INLINE size_t cf_crc15_frames_fast(cf_units units, const cf_frame *frames, size_t count,
                                      uint32_t *CF_RESTRICT sequences)
{
    size_t done = 0, before, some;
    do { /* in mixed traffic the way of base frames rarely has something to do */
        before = done;
        done += cf_crc15_base(units, frames + done, count - done, sequences + done);
        some = count - done < CF_CRC_APART ? count - done : (size_t)CF_CRC_APART;
        done += cf_crc15_any(units, frames + done, some, sequences + done);
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
                     (cf_units_have(units, CF_NEEDS_AVX2) || cf_units_have(units, CF_NEEDS_AVX512_VPCLMUL) ||
                      cf_units_have(units, CF_NEEDS_AVX512_GFNI) || cf_units_have(units, CF_NEEDS_NEON));
    size_t done = 0, some;
    cf_status status;
    do { /* what the fast ways leave goes the general one, a little at a time */
#if CF_HAVE_X86 || CF_HAVE_NEON
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
