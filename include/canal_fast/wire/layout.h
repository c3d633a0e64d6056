/* canal_fast/wire/layout.h - the bits of a frame: field layout, CRC, stuffing, exact length of one frame.
 *
 * ISO 11898-1:2015, 10.4. Classical frames: SOF to the last CRC bit is stuffed (a complementary bit
 * after five equal ones, also when the fifth is the last CRC bit). FD frames: SOF to the last data bit is
 * stuffed (one due at the end is left to the fixed stuff bit), stuff count and CRC have fixed stuff bits.
 */
#ifndef CANAL_FAST_WIRE_LAYOUT_H
#define CANAL_FAST_WIRE_LAYOUT_H

#include "crc.h"
#include "../frame.h"
#include "stuff_table.h"

enum {
    CF_TAIL_BITS = 1 + 1 + 1 + 7, /* CRC delimiter, ACK slot, ACK delimiter, EOF */
    CF_INTERMISSION_BITS = 3,
    CF_FD_CRC17_BYTES = 16, /* longer FD payloads have CRC-21 */
    CF_MAX_FRAME_BITS = 732 /* of any frame, SOF to the last EOF bit */
};

/* A frame's shape, from which all lengths follow. */
typedef struct cf_shape {
    unsigned fd, extended;
    unsigned bytes;      /* payload */
    unsigned head_bits;  /* SOF to DLC */
    unsigned crc_bits;   /* 15, 17 or 21 */
    unsigned fixed_bits; /* bits after the dynamically stuffed region, whatever the payload */
} cf_shape;

/* `stride` tells the record's kind: a classical record cannot hold an FD frame. */
CF_INLINE cf_shape cf_frame_shape(const cf_frame_head *head, size_t stride)
{
    cf_shape shape;
    const unsigned flags = head->flags;
    shape.fd = (flags & CF_FLAG_FD) != 0 && stride == sizeof(cf_fd_frame);
    shape.extended = (flags & CF_FLAG_EXTENDED_ID) != 0;
    if (shape.fd) {
        shape.bytes = cf_fd_length(head->dlc);
        shape.head_bits = shape.extended ? 41 : 22;
        shape.crc_bits = shape.bytes <= CF_FD_CRC17_BYTES ? 17 : 21;
        shape.fixed_bits = 4 + shape.crc_bits + (shape.crc_bits + 7) / 4 + CF_TAIL_BITS;
    } else {
        shape.bytes = flags & CF_FLAG_REMOTE ? 0 : head->dlc < 8 ? head->dlc : 8;
        shape.head_bits = shape.extended ? 39 : 19;
        shape.crc_bits = 15;
        shape.fixed_bits = CF_TAIL_BITS;
    }
    return shape;
}

/* Bits of the dynamically stuffed region without stuff bits. */
CF_INLINE unsigned cf_shape_region(cf_shape shape)
{
    return shape.head_bits + 8 * shape.bytes + (shape.fd ? 0 : shape.crc_bits);
}

/* The most dynamic stuff bits that fit into the region. */
CF_INLINE unsigned cf_shape_worst_stuff(cf_shape shape)
{
    return (cf_shape_region(shape) - (shape.fd ? 2 : 1)) / 4;
}

/* SOF to DLC, right-aligned. */
CF_INLINE uint64_t cf_frame_head_bits(const cf_frame_head *head, cf_shape shape)
{
    const unsigned flags = head->flags;
    const uint64_t id = head->arbitration_id;
    const unsigned dlc = head->dlc & 15;
    const uint64_t arbitration = shape.extended ? (id >> 18 << 2 | 3) << 18 | (id & 0x3FFFF) : id;
    if (shape.fd) { /* RRS, (base: IDE,) FDF, res, BRS, ESI, DLC */
        const unsigned brs = (flags & CF_FLAG_BITRATE_SWITCH) != 0;
        const unsigned esi = (flags & CF_FLAG_ERROR_STATE_INDICATOR) != 0;
        return arbitration << (shape.extended ? 9 : 10) | 2u << 6 | brs << 5 | esi << 4 | dlc;
    }
    return arbitration << 7 | (unsigned)((flags & CF_FLAG_REMOTE) != 0) << 6 | dlc;
}

/* SOF to the last data bit of a classical frame, right-aligned; at most 39 bits in `high`. */
typedef struct cf_wire_message {
    uint64_t high, low;
} cf_wire_message;

CF_INLINE cf_wire_message cf_frame_message(const cf_frame_head *head, const uint8_t *data, cf_shape shape)
{
    cf_wire_message message;
    const uint64_t head_bits = cf_frame_head_bits(head, shape);
    const unsigned bits = 8 * shape.bytes;
    message.high = shape.bytes ? head_bits >> (64 - bits) : 0;
    message.low = shape.bytes ? cf_load_be64(data) >> (64 - bits) : 0;
    message.low |= shape.bytes < 8 ? head_bits << bits : 0;
    return message;
}

/* Leading zeros do not matter, since CRC-15 starts at 0: one step of 13 independent look-ups. */
CF_INLINE uint32_t cf_wire_message_crc15(cf_wire_message m)
{
    const cf_crc_table t = cf_crc15_table();
    return t[12][m.high >> 32 & 255] ^ t[11][m.high >> 24 & 255] ^ t[10][m.high >> 16 & 255] ^ t[9][m.high >> 8 & 255] ^
           t[8][m.high & 255] ^ t[7][m.low >> 56] ^ t[6][m.low >> 48 & 255] ^ t[5][m.low >> 40 & 255] ^
           t[4][m.low >> 32 & 255] ^ t[3][m.low >> 24 & 255] ^ t[2][m.low >> 16 & 255] ^ t[1][m.low >> 8 & 255] ^
           t[0][m.low & 255];
}

/* Writes the 16 bytes that the stuffing automaton takes for a classical frame, right-aligned: 0101.. up to a
 * whole byte, the message, its CRC, and one bit unlike the last (which is not sent and never forces a stuff
 * bit). Returns how many of the bytes to take. */
CF_INLINE unsigned cf_classical_bytes(const cf_frame_head *head, const uint8_t *data, cf_shape shape, uint8_t bytes[16])
{
    const cf_wire_message m = cf_frame_message(head, data, shape);
    const uint32_t crc = cf_wire_message_crc15(m);
    const unsigned count = (shape.head_bits + 7) / 8 + shape.bytes + 2;
    cf_store_be64(bytes, m.high << 16 | m.low >> 48);
    cf_store_be64(bytes + 8, m.low << 16 | crc << 1 | (~crc & 1));
    bytes[16 - count] |= shape.extended ? 0x80 : 0xA8;
    return count;
}

/* 1 where the automaton, now in `state`, has sent a stuff bit after the last data (or DLC) bit, the lowest of
 * `last`: the first fixed stuff bit takes its place. */
CF_INLINE unsigned cf_fd_surplus(unsigned state, unsigned last)
{
    return (state >> 2) != (last & 1);
}

/* First bytes of an FD frame for the automaton: SOF to DLC behind 0101.. to 3 or 6 bytes, right-aligned. */
CF_INLINE uint64_t cf_fd_first_bytes(const cf_frame_head *head, cf_shape shape)
{
    return cf_frame_head_bits(head, shape) | (shape.extended ? (uint64_t)0x55 << 41 : (uint64_t)1 << 22);
}

CF_INLINE unsigned cf_classical_stuff_bits(const cf_frame_head *head, const uint8_t *data, cf_shape shape)
{
    const uint16_t *table = cf_stuff_table();
    unsigned entry = CF_STUFF_IDLE, sum = 0, i;
    uint8_t bytes[16];
    for (i = 16 - cf_classical_bytes(head, data, shape, bytes); i < 16; i++) {
        entry = table[8u * bytes[i] + CF_STUFF_NEXT(entry)];
        sum += entry & CF_STUFF_COUNT_BITS;
    }
    return sum >> 3;
}

CF_INLINE unsigned cf_fd_stuff_bits(const cf_frame_head *head, const uint8_t *data, cf_shape shape)
{
    const uint16_t *table = cf_stuff_table();
    const uint64_t first = cf_fd_first_bytes(head, shape);
    unsigned entry = CF_STUFF_IDLE, sum = 0, last = head->dlc, i;
    for (i = (shape.head_bits + 7) / 8; i-- > 0;) {
        entry = table[8 * (first >> (8 * i) & 255) + CF_STUFF_NEXT(entry)];
        sum += entry & CF_STUFF_COUNT_BITS;
    }
    for (i = 0; i < shape.bytes; i++) {
        last = data[i];
        entry = table[8 * last + CF_STUFF_NEXT(entry)];
        sum += entry & CF_STUFF_COUNT_BITS;
    }
    return (sum >> 3) - cf_fd_surplus(CF_STUFF_NEXT(entry), last);
}

/* Dynamic stuff bits of a frame that cf_frame_check accepts. */
CF_INLINE unsigned cf_frame_stuff_bits(const cf_frame_head *head, const uint8_t *data, cf_shape shape)
{
    return shape.fd ? cf_fd_stuff_bits(head, data, shape) : cf_classical_stuff_bits(head, data, shape);
}

/* Exact length in bits, SOF to the last EOF bit, of a classical frame; intermission not included.
 * Needs a record that cf_frame_check accepts, without FD. */
CF_INLINE unsigned cf_frame_length_bits(const cf_frame *frame)
{
    const cf_frame_head *head = (const cf_frame_head *)frame;
    const cf_shape shape = cf_frame_shape(head, sizeof(cf_frame));
    return cf_shape_region(shape) + cf_classical_stuff_bits(head, frame->data, shape) + CF_TAIL_BITS;
}

/* Stuff count field: Gray code of the number of stuff bits mod 8, and an even parity bit. */
CF_INLINE unsigned cf_stuff_count_field(unsigned stuff)
{
    const unsigned gray = (stuff & 7) ^ (stuff & 7) >> 1;
    return gray << 1 | ((gray ^ gray >> 1 ^ gray >> 2) & 1);
}

#endif
