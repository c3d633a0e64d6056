/* canal_fast/wire/frame_crc.h - the CRC sequence that a controller would send, over arrays of frames. */
#ifndef CANAL_FAST_WIRE_FRAME_CRC_H
#define CANAL_FAST_WIRE_FRAME_CRC_H

#include "encode.h"

enum { CF_CRC_APART = 128 }; /* frames that go the general way once one is not of the kind with its own */

/* Is this a base data frame of 8 bytes, and one that a controller could send? */
CF_INLINE int cf_is_base8(const cf_frame_head *head)
{
    const unsigned other = head->flags & ~(unsigned)(CF_FLAG_TX | CF_FLAG_GAP);
    return (other | (head->dlc ^ 8u) | head->arbitration_id >> 11) == 0;
}

/* CRCs of the first such ones among `count` records; returns how many. A loop of its own, whose few variables stay in
 * registers: 11 look-ups a frame, straight from the bytes. */
CF_INLINE size_t cf_base8_crc15(const cf_frame *frames, size_t count, uint32_t *CF_RESTRICT sequences)
{
    const cf_crc_table t = cf_crc15_table();
    size_t i;
    for (i = 0; i < count && cf_is_base8((const cf_frame_head *)(frames + i)); i++) {
        const uint8_t *data = frames[i].data;
        const uint32_t bits = frames[i].arbitration_id << 7 | 8;
        sequences[i] = t[10][bits >> 16] ^ t[9][bits >> 8 & 255] ^ t[8][bits & 255] ^ t[7][data[0]] ^ t[6][data[1]] ^
                       t[5][data[2]] ^ t[4][data[3]] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
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
    size_t i, tried = width == 15 && stride == sizeof(cf_frame) ? 0 : count;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head;
        const uint8_t *data;
        cf_shape shape;
        cf_status status;
        if (i >= tried) {
            const size_t plain = cf_base8_crc15((const cf_frame *)(const void *)at, count - i, sequences + i);
            i += plain;
            at += plain * stride;
            if (i == count)
                break;
            if (!plain)
                tried = i + CF_CRC_APART;
        }
        head = (const cf_frame_head *)at;
        data = cf_record_data(head);
        shape = cf_frame_shape(head, stride);
        status = cf_frame_check(head, stride);
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
