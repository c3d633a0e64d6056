/* canal_fast/wire/crc_neon.h - CRC-15 of classical frames, 16 at a time with NEON. Empty elsewhere.
 *
 * As in crc_planes.h: byte k of all frames side by side is a plane, and TBL looks up what its halves add to the CRCs.
 */
#ifndef CANAL_FAST_WIRE_CRC_NEON_H
#define CANAL_FAST_WIRE_CRC_NEON_H

#include "crc_planes.h"
#include "frame_neon.h"

#if CF_HAVE_NEON

/* Low and high bytes of 16 CRCs. */
typedef struct cf_crc15_sums {
    uint8x16_t low, high;
} cf_crc15_sums;

/* Adds what the halves of a plane's bytes add. */
CF_ALWAYS_INLINE void cf_crc15_halves16(const uint8_t nibbles[2][16], uint8x16_t half, cf_crc15_sums *sums)
{
    sums->low = veorq_u8(sums->low, vqtbl1q_u8(vld1q_u8(nibbles[0]), half));
    sums->high = veorq_u8(sums->high, vqtbl1q_u8(vld1q_u8(nibbles[1]), half));
}

CF_ALWAYS_INLINE void cf_crc15_plane16(const uint8_t nibbles[4][16], uint8x16_t plane, cf_crc15_sums *sums)
{
    cf_crc15_halves16(nibbles, vandq_u8(plane, vdupq_n_u8(15)), sums);
    cf_crc15_halves16(nibbles + 2, vshrq_n_u8(plane, 4), sums);
}

/* Quadwords of 16 frames, two by two, become planes in the frames' order. */
CF_ALWAYS_INLINE void cf_byte_planes16(const uint64x2_t rows[8], uint8x16_t planes[8])
{
    uint8x16_t a[8], b[8];
    int i;
    for (i = 0; i < 4; i++) { /* even bytes, and odd ones, of four frames */
        const uint8x16_t first = vreinterpretq_u8_u64(rows[2 * i]), second = vreinterpretq_u8_u64(rows[2 * i + 1]);
        a[i] = vuzp1q_u8(first, second);
        a[i + 4] = vuzp2q_u8(first, second);
    }
    for (i = 0; i < 4; i++) { /* bytes 0, 4 and 1, 5, then 2, 6 and 3, 7, of eight */
        b[i] = vuzp1q_u8(a[2 * i], a[2 * i + 1]);
        b[i + 4] = vuzp2q_u8(a[2 * i], a[2 * i + 1]);
    }
    for (i = 0; i < 2; i++) {
        planes[i] = vuzp1q_u8(b[2 * i], b[2 * i + 1]);
        planes[i + 4] = vuzp2q_u8(b[2 * i], b[2 * i + 1]);
        planes[i + 2] = vuzp1q_u8(b[2 * i + 4], b[2 * i + 5]);
        planes[i + 6] = vuzp2q_u8(b[2 * i + 4], b[2 * i + 5]);
    }
}

CF_ALWAYS_INLINE void cf_crc15_store16(cf_crc15_sums sums, uint32_t *CF_RESTRICT sequences)
{
    const uint16x8_t first = vreinterpretq_u16_u8(vzip1q_u8(sums.low, sums.high));
    const uint16x8_t second = vreinterpretq_u16_u8(vzip2q_u8(sums.low, sums.high));
    vst1q_u32(sequences, vmovl_u16(vget_low_u16(first)));
    vst1q_u32(sequences + 4, vmovl_high_u16(first));
    vst1q_u32(sequences + 8, vmovl_u16(vget_low_u16(second)));
    vst1q_u32(sequences + 12, vmovl_high_u16(second));
}

/* 16 frames; 0, and nothing written, where one of them is something else than a base data frame of 8 bytes. */
CF_ALWAYS_INLINE int cf_crc15_base16(const cf_frame *frames, cf_nibble_table nibbles, uint32_t *CF_RESTRICT sequences)
{
    cf_crc15_sums sums = {vdupq_n_u8(0x5B), vdupq_n_u8(0x14)}; /* what DLC = 8 adds: 0x145B */
    uint64x2_t other = vdupq_n_u64(0), data[8];
    uint32x4_t ids[4];
    uint8x16_t planes[8], id[2];
    int i;
    for (i = 0; i < 4; i++) {
        const cf_records2 a = cf_load_records2(frames + 4 * i), b = cf_load_records2(frames + 4 * i + 2);
        data[2 * i] = a.data;
        data[2 * i + 1] = b.data;
        ids[i] = vuzp1q_u32(vreinterpretq_u32_u64(a.heads), vreinterpretq_u32_u64(b.heads));
        other = vorrq_u64(other, veorq_u64(a.heads, vdupq_n_u64(CF_BASE8_DLC)));
        other = vorrq_u64(other, veorq_u64(b.heads, vdupq_n_u64(CF_BASE8_DLC)));
    }
    other = vandq_u64(other, vdupq_n_u64(~(uint64_t)CF_BASE8_FREE));
    if (vmaxvq_u32(vreinterpretq_u32_u64(other)))
        return 0;
    for (i = 0; i < 2; i++)
        id[i] = vreinterpretq_u8_u16(
            vuzp1q_u16(vreinterpretq_u16_u32(ids[2 * i]), vreinterpretq_u16_u32(ids[2 * i + 1])));
    cf_crc15_plane16(nibbles[13], vuzp1q_u8(id[0], id[1]), &sums);
    cf_crc15_halves16(nibbles[14], vuzp2q_u8(id[0], id[1]), &sums);
    cf_byte_planes16(data, planes);
    for (i = 0; i < 8; i++)
        cf_crc15_plane16(nibbles[7 - i], planes[i], &sums);
    cf_crc15_store16(sums, sequences);
    return 1;
}

/* The same of any classical frames; 0 where a record is refused. */
CF_ALWAYS_INLINE int cf_crc15_any16(const cf_frame *frames, cf_nibble_table nibbles, uint32_t *CF_RESTRICT sequences)
{
    cf_crc15_sums sums = {vdupq_n_u8(0), vdupq_n_u8(0)};
    uint64x2_t refused = vdupq_n_u64(0), low[8], high[8];
    uint8x16_t planes[8];
    int i;
    for (i = 0; i < 8; i++) {
        const cf_wire_messages2 m = cf_load2(frames + 2 * i);
        low[i] = m.low;
        high[i] = m.high;
        refused = vorrq_u64(refused, m.refused);
    }
    if (vmaxvq_u32(vreinterpretq_u32_u64(refused)))
        return 0;
    cf_byte_planes16(low, planes);
    for (i = 0; i < 8; i++)
        cf_crc15_plane16(nibbles[i], planes[i], &sums);
    cf_byte_planes16(high, planes);
    for (i = 0; i < 5; i++) /* SOF to the last data bit: at most 103 bits */
        cf_crc15_plane16(nibbles[8 + i], planes[i], &sums);
    cf_crc15_store16(sums, sequences);
    return 1;
}

typedef int (*cf_crc15_block16)(const cf_frame *frames, cf_nibble_table nibbles, uint32_t *CF_RESTRICT sequences);

/* Block by block, which is inlined; the number of frames done: all that are left but some, or those before the first
 * block that has another. */
CF_ALWAYS_INLINE size_t cf_crc15_blocks16(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences,
                                          cf_crc15_block16 block)
{
    cf_nibble_table nibbles = cf_crc15_nibbles();
    size_t i = 0;
    __asm__("" : "+r"(nibbles)); /* a place known to gcc is computed again for each row */
    while (i + 16 <= count && block(frames + i, nibbles, sequences + i))
        i += 16;
    return i;
}

CF_INLINE size_t cf_crc15_base_neon(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    return cf_crc15_blocks16(frames, count, sequences, cf_crc15_base16);
}

CF_INLINE size_t cf_crc15_any_neon(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    return cf_crc15_blocks16(frames, count, sequences, cf_crc15_any16);
}

#endif
#endif
