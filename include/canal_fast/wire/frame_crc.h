/* canal_fast/wire/frame_crc.h - the CRC sequence that a controller would send, over arrays of frames. */
#ifndef CANAL_FAST_WIRE_FRAME_CRC_H
#define CANAL_FAST_WIRE_FRAME_CRC_H

#include "encode.h"

enum { CF_CRC_APART = 128 }; /* frames that go the general way once one is not of the kind with its own */

/* Identifier, flags, channel and dlc of a record as one number, its low bits first, less a dlc of 8. */
CF_INLINE uint64_t cf_head_word(const cf_frame *frame)
{
    return cf_load_le64((const uint8_t *)frame + offsetof(cf_frame, arbitration_id)) ^ (uint64_t)8 << 56;
}

/* Are these the bits, of one such number or of several, of base data frames of 8 bytes that a controller could send? */
CF_INLINE int cf_heads_base8(uint64_t heads)
{
    return !(heads & ~((uint64_t)CF_MAX_STANDARD_ID | (uint64_t)(0xFF0000 | CF_FLAGS_OFF_WIRE) << 32));
}

/* The CRC of such a frame: 8 look-ups, half of them of bytes, so that loads and arithmetic take the same time. */
CF_ALWAYS_INLINE uint32_t cf_base8_sequence(const cf_crc_base8_table *wide, cf_crc_table t, uint64_t head,
                                            const uint8_t *data)
{
    const uint32_t first = (uint32_t)cf_load_le64(data);
    return wide->id[head & CF_MAX_STANDARD_ID] ^ wide->low[first & 2047] ^ wide->middle[first >> 11 & 2047] ^
           wide->high[first >> 22] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
}

/* CRCs of the first such ones among `count` records; returns how many. A loop of its own, whose few variables stay in
 * registers, over four at a time. */
CF_INLINE size_t cf_base8_crc15(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    const cf_crc_base8_table *wide = cf_crc_base8();
    const cf_crc_table t = cf_crc15_table();
    uint64_t head[4];
    size_t i;
    int k;
    for (i = 0; i + 4 <= count; i += 4) {
        for (k = 0; k < 4; k++)
            head[k] = cf_head_word(frames + i + k);
        if (!cf_heads_base8(head[0] | head[1] | head[2] | head[3]))
            break;
        for (k = 0; k < 4; k++)
            sequences[i + k] = cf_base8_sequence(wide, t, head[k], frames[i + k].data);
    }
    for (; i < count; i++) {
        head[0] = cf_head_word(frames + i);
        if (!cf_heads_base8(head[0]))
            break;
        sequences[i] = cf_base8_sequence(wide, t, head[0], frames[i].data);
    }
    return i;
}

/* CRCs of the first classical frames among `count` records; returns how many. */
CF_INLINE size_t cf_classical_crc15(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    const unsigned allowed = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAGS_OFF_WIRE;
    size_t i;
    for (i = 0; i < count; i++) {
        const cf_frame_head *head = (const cf_frame_head *)(const void *)(frames + i);
        /* cf_frame_check, of which no status is wanted here, in fewer instructions */
        if (CF_UNLIKELY(head->flags & ~allowed || head->dlc > 15 ||
                        head->arbitration_id > (head->flags & CF_FLAG_EXTENDED_ID ? (uint32_t)CF_MAX_EXTENDED_ID
                                                                                  : (uint32_t)CF_MAX_STANDARD_ID)))
            break;
        sequences[i] = cf_wire_message_crc15(
            cf_frame_message(head, frames[i].data, cf_frame_shape(head, sizeof(cf_frame))));
    }
    return i;
}

/* sequences[i] = the CRC of frame i. CF_OTHER_CRC for a frame whose CRC has not `width` (15, 17, 21) bits, else
 * as the functions of length.h. */
CF_INLINE cf_status cf_frames_crc(const void *frames, size_t count, size_t stride, unsigned width,
                                  uint32_t *CF_RESTRICT sequences, size_t *index)
{
    const char *at = (const char *)frames;
    const cf_crc crc = cf_crc_of_width(width);
    size_t i = 0, before = width == 15 && stride == sizeof(cf_frame) ? count : 0;
    while (i < count && i != before) { /* until a record is refused */
        const cf_frame *rest = (const cf_frame *)frames + i;
        const size_t some = count - i < CF_CRC_APART ? count - i : (size_t)CF_CRC_APART;
        before = i;
        i += cf_base8_crc15(rest, count - i, sequences + i);
        if (i == before)
            i += cf_classical_crc15(rest, some, sequences + i);
    }
    for (at += i * stride; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const uint8_t *data = cf_record_data(head);
        const cf_shape shape = cf_frame_shape(head, stride);
        cf_status status = cf_frame_check(head, stride);
        if (status == CF_OK && shape.crc_bits != width)
            status = CF_OTHER_CRC;
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
        if (shape.fd) {
            cf_frame_bits region;
            memset(&region, 0, sizeof region);
            cf_encode_fd_region(head, data, shape, &region);
            sequences[i] = cf_fd_crc_words(&region, crc);
        } else {
            sequences[i] = cf_wire_message_crc15(cf_frame_message(head, data, shape));
        }
    }
    return CF_OK;
}

#endif
