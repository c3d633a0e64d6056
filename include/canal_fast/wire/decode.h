/* canal_fast/wire/decode.h - bits to frames, as a receiver reads them. */
#ifndef CANAL_FAST_WIRE_DECODE_H
#define CANAL_FAST_WIRE_DECODE_H

#include "encode.h"
#include "bit_reader.h"

typedef struct cf_decoded {
    cf_wire_status status;
    int64_t bit_index; /* of the trouble, -1 for none */
    int64_t end;       /* first bit that was not read */
    int valid;         /* the frame is one for a receiver: OK, NOT_ACKNOWLEDGED or OVERLOAD */
} cf_decoded;

/* The CRC part of a classical frame: CRC sequence, and the stuff bit that may follow it. */
CF_INLINE void cf_check_classical(cf_bit_reader *r, cf_wire_message message)
{
    const uint32_t expected = cf_wire_message_crc15(message);
    int64_t place;
    uint32_t received;
    cf_take_stuff_bit(r);
    place = r->at;
    received = (uint32_t)cf_take(r, 15);
    cf_take_stuff_bit(r);
    if (r->status == CF_WIRE_OK && received != expected)
        cf_bit_reader_stop(r, CF_WIRE_CRC_ERROR, place);
}

/* The CRC part of an FD frame: stuff count and CRC sequence among fixed stuff bits. */
CF_INLINE void cf_check_fd(cf_bit_reader *r, cf_shape shape)
{
    const cf_crc crc = cf_crc_of_width(shape.crc_bits);
    const unsigned field = cf_stuff_count_field(r->stuff);
    const int64_t region = r->at - r->start, section = r->at;
    unsigned left = 4 + shape.crc_bits, last;
    uint64_t received = 0;
    uint32_t expected;
    if (r->status != CF_WIRE_OK)
        return;
    last = cf_bit(r->bits, r->at - 1);
    while (left) {
        unsigned some = left < 4 ? left : 4;
        if (cf_take_raw(r) == last && r->status == CF_WIRE_OK)
            cf_bit_reader_stop(r, CF_WIRE_FORM_ERROR, r->at - 1);
        for (left -= some; some; some--) {
            last = cf_take_raw(r);
            received = received << 1 | last;
        }
    }
    if (r->status != CF_WIRE_OK)
        return;
    if (received >> shape.crc_bits != field) {
        cf_bit_reader_stop(r, CF_WIRE_CRC_ERROR, section + 1);
        return;
    }
    expected = cf_crc_packed(crc, crc.wire_init, r->bits, r->start, region);
    expected = cf_crc_some(crc, expected, field, 4);
    if ((received & (((uint32_t)1 << crc.width) - 1)) != expected)
        cf_bit_reader_stop(r, CF_WIRE_CRC_ERROR, section + 1 + 4 + 1);
}

/* CRC delimiter to the last EOF bit. An FD receiver takes a CRC delimiter of two bits, and an ACK slot of two. */
CF_INLINE void cf_take_tail(cf_bit_reader *r, unsigned fd, cf_decoded *result)
{
    int64_t slot;
    unsigned acknowledged, i;
    if (cf_take_raw(r) == 0)
        cf_bit_reader_stop(r, CF_WIRE_FORM_ERROR, r->at - 1);
    slot = r->at;
    acknowledged = cf_take_raw(r) == 0;
    if (fd && !acknowledged && r->status == CF_WIRE_OK && r->at < r->end && cf_bit(r->bits, r->at) == 0) {
        acknowledged = 1;
        slot = r->at++;
    }
    if (fd && acknowledged && r->at < r->end && cf_bit(r->bits, r->at) == 0)
        r->at++;
    if (cf_take_raw(r) == 0) { /* without ACK the sender's error flag begins here */
        if (acknowledged)
            cf_bit_reader_stop(r, CF_WIRE_FORM_ERROR, r->at - 1);
        else
            cf_bit_reader_stop(r, CF_WIRE_NOT_ACKNOWLEDGED, slot);
    }
    for (i = 0; i < 6; i++) {
        if (cf_take_raw(r) == 0)
            cf_bit_reader_stop(r, CF_WIRE_FORM_ERROR, r->at - 1);
    }
    i = cf_take_raw(r);
    if (r->status != CF_WIRE_OK)
        return;
    result->valid = 1;
    if (!acknowledged)
        cf_bit_reader_stop(r, CF_WIRE_NOT_ACKNOWLEDGED, slot);
    else if (i == 0)
        cf_bit_reader_stop(r, CF_WIRE_OVERLOAD, r->at - 1);
}

/* Payload of `bytes` bytes into the record; returns the message of a classical frame, given its header. */
CF_INLINE cf_wire_message cf_take_payload(cf_bit_reader *r, cf_frame_head *head, cf_shape shape, uint64_t header)
{
    uint8_t *data = (uint8_t *)head + offsetof(cf_frame, data);
    cf_wire_message message = {0, 0};
    unsigned i = 0;
    uint64_t value = 0;
    for (; i + 8 <= shape.bytes; i += 8) {
        value = cf_take(r, 64);
        if (r->status != CF_WIRE_OK)
            return message;
        cf_store_be64(data + i, value);
    }
    if (i < shape.bytes) {
        const unsigned rest = 8 * (shape.bytes - i);
        uint8_t last[8];
        value = cf_take(r, rest);
        if (r->status != CF_WIRE_OK)
            return message;
        cf_store_be64(last, value << (64 - rest));
        memcpy(data + i, last, shape.bytes - i);
    }
    if (!shape.fd) {
        const unsigned bits = 8 * shape.bytes;
        message.high = bits ? header >> (64 - bits) : 0;
        message.low = value | (bits < 64 ? header << bits : 0);
    }
    return message;
}

/* Reads the frame whose SOF is bit `start` and that ends before bit `end`, into a zeroed record of `stride` (24
 * or 80) bytes. A frame that is not valid leaves the fields that were read, with the ERROR_FRAME flag.
 * Returns CF_FD_IN_CLASSICAL, and nothing else, for an FD frame that meets a classical record. */
CF_INLINE cf_status cf_decode_frame(cf_packed bits, int64_t start, int64_t end, cf_frame_head *head, size_t stride,
                                    cf_decoded *result)
{
    cf_bit_reader r = {bits, start, start, end, 0, CF_WIRE_OK, -1};
    cf_shape shape;
    uint64_t header = cf_take(&r, 14), rest; /* SOF, identifier, RTR or SRR, IDE */
    unsigned remote = (unsigned)(header >> 1) & 1, flags = header & 1 ? CF_FLAG_EXTENDED_ID : 0, fd, dlc;
    result->valid = 0;
    if (start < end && cf_bit(bits, start) != 0) {
        header = 0;
        r.at = start + 1;
        cf_bit_reader_stop(&r, CF_WIRE_FORM_ERROR, start);
    }
    if (flags) {
        rest = cf_take(&r, 20); /* identifier extension, RTR, r1 or FDF */
        head->arbitration_id = (uint32_t)(header >> 2 << 18 | rest >> 2);
        header = header << 20 | rest;
        remote = (unsigned)(rest >> 1) & 1;
        fd = (unsigned)rest & 1;
    } else {
        head->arbitration_id = (uint32_t)(header >> 2);
        fd = (unsigned)cf_take(&r, 1); /* r0 or FDF */
        header = header << 1 | fd;
    }
    if (fd) {
        if (stride != sizeof(cf_fd_frame))
            return CF_FD_IN_CLASSICAL;
        if (cf_take(&r, 1) != 0)
            cf_bit_reader_stop(&r, CF_WIRE_PROTOCOL_EXCEPTION, r.at - 1);
        rest = cf_take(&r, 6);
        flags |= CF_FLAG_FD | (rest & 0x20 ? CF_FLAG_BITRATE_SWITCH : 0) |
                 (rest & 0x10 ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
    } else {
        const unsigned width = flags ? 5 : 4; /* extended: r0 before DLC */
        rest = cf_take(&r, width);
        header = header << width | rest;
        flags |= remote ? CF_FLAG_REMOTE : 0;
    }
    dlc = (unsigned)rest & 15;
    head->flags = (uint16_t)flags;
    head->dlc = (uint8_t)dlc;
    shape = cf_frame_shape(head, stride);
    {
        const cf_wire_message message = cf_take_payload(&r, head, shape, header);
        if (fd)
            cf_check_fd(&r, shape);
        else
            cf_check_classical(&r, message);
    }
    cf_take_tail(&r, fd, result);
    if (!result->valid)
        head->flags |= CF_FLAG_ERROR_FRAME;
    result->status = r.status;
    result->bit_index = r.trouble;
    result->end = r.at;
    return CF_OK;
}

#endif
