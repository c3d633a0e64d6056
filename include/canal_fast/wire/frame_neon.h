/* canal_fast/wire/frame_neon.h - two classical frames at a time, with NEON. Empty elsewhere. */
#ifndef CANAL_FAST_WIRE_FRAME_NEON_H
#define CANAL_FAST_WIRE_FRAME_NEON_H

#include "../cpu.h"
#include "../frame.h"

#if CF_HAVE_NEON
#include <arm_neon.h>

/* Of two records: identifier, flags, channel and dlc as one number; and payloads, as they lie. */
typedef struct cf_records2 {
    uint64x2_t heads, data;
} cf_records2;

CF_ALWAYS_INLINE cf_records2 cf_load_records2(const cf_frame *frames)
{
    const uint8_t *at = (const uint8_t *)frames + 8;
    const uint64x2_t a = vreinterpretq_u64_u8(vld1q_u8(at));
    const uint64x2_t b = vreinterpretq_u64_u8(vld1q_u8(at + sizeof(cf_frame)));
    const cf_records2 r = {vzip1q_u64(a, b), vzip2q_u64(a, b)};
    return r;
}

/* SOF to the last data bit of two frames, right-aligned in high:low; and what their lengths follow from. */
typedef struct cf_wire_messages2 {
    uint64x2_t low, high;
    uint64x2_t bits;     /* payload */
    uint64x2_t refused;  /* nonzero where the record is no classical frame that a controller could send */
    uint64x2_t extended; /* all bits of the lane, or none */
} cf_wire_messages2;

/* Does flag 1 << `bit` stand in these heads? All bits of the lane, or none. */
#define CF_FLAGGED2(heads, bit) \
    vreinterpretq_u64_s64(vshrq_n_s64(vreinterpretq_s64_u64(vshlq_n_u64(heads, 31 - (bit))), 63))

CF_ALWAYS_INLINE cf_wire_messages2 cf_load2(const cf_frame *frames)
{
    const cf_records2 r = cf_load_records2(frames);
    const uint64_t allowed = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAGS_OFF_WIRE;
    const uint64_t never = (uint64_t)0xF << 60 | (~allowed & 0xFFFF) << 32 | (0xFFFFFFFF & ~CF_MAX_STANDARD_ID);
    const uint64x2_t id = vandq_u64(r.heads, vdupq_n_u64(0xFFFFFFFF)), dlc = vshrq_n_u64(r.heads, 56);
    const uint64x2_t extended = CF_FLAGGED2(r.heads, 0), remote = CF_FLAGGED2(r.heads, 1);
    const uint64x2_t longer = vandq_u64(extended, vdupq_n_u64(CF_MAX_EXTENDED_ID & ~CF_MAX_STANDARD_ID));
    const uint64x2_t most = vreinterpretq_u64_u32(vminq_u32(vreinterpretq_u32_u64(dlc), vdupq_n_u32(8)));
    uint64x2_t head;
    int64x2_t bits, down;
    cf_wire_messages2 m;
    head = vsliq_n_u64(id, vshrq_n_u64(id, 18), 20); /* room for SRR and IDE */
    head = vbslq_u64(extended, vorrq_u64(head, vdupq_n_u64(3 << 18)), id);
    head = vorrq_u64(vsliq_n_u64(dlc, head, 7), vandq_u64(remote, vdupq_n_u64(1 << 6)));
    m.bits = vshlq_n_u64(vbicq_u64(most, remote), 3);
    bits = vreinterpretq_s64_u64(m.bits);
    down = vsubq_s64(bits, vdupq_n_s64(64)); /* shifts by 64, to either side, give 0 */
    m.low = vorrq_u64(vshlq_u64(head, bits),
                      vshlq_u64(vreinterpretq_u64_u8(vrev64q_u8(vreinterpretq_u8_u64(r.data))), down));
    m.high = vshlq_u64(head, down);
    m.refused = vandq_u64(r.heads, vbicq_u64(vdupq_n_u64(never), longer));
    m.extended = extended;
    return m;
}

#endif
#endif
