/* canal_fast/logs/pcapng_read.h - pcapng blocks (draft-ietf-opsawg-pcapng) into records.
 *
 * Any byte order, several sections, several interfaces, any time resolution; blocks, options and
 * link types that it does not know are stepped over. Never reads past the buffer, whatever the
 * bytes say. The format of the packets is in pcapng_write.h.
 */
#ifndef CANAL_FAST_LOGS_PCAPNG_READ_H
#define CANAL_FAST_LOGS_PCAPNG_READ_H

#include "candump_line.h"
#include "pcapng_interface.h"

/* A CAN packet of `captured` bytes, `original` on the interface, into *frame; 0 when it is no CAN
 * frame (CAN XL, nonsense) or its payload was cut off. */
CF_INLINE int cf_pcapng_read_can(const uint8_t *p, uint32_t captured, uint32_t original, cf_fd_frame *frame)
{
    uint32_t id;
    unsigned length, bits, raw;
    if (captured < CF_PCAPNG_HEAD)
        return 0;
    id = cf_get32(p, 1);
    length = p[4];
    bits = p[5];
    raw = p[7];
    if (length > CF_FD_DATA)
        return 0;
    if (id & CF_PCAPNG_ERROR) {
        frame->flags = CF_FLAG_ERROR_FRAME;
    } else {
        if (id & CF_PCAPNG_EXTENDED)
            frame->flags = CF_FLAG_EXTENDED_ID;
        if (id & CF_PCAPNG_REMOTE)
            frame->flags |= CF_FLAG_REMOTE;
        else if ((bits & CF_PCAPNG_FD_FDF) || original == CF_PCAPNG_HEAD + CF_FD_DATA || length > CF_CLASSICAL_DATA)
            frame->flags |= CF_FLAG_FD;
    }
    frame->arbitration_id = id &
                            (frame->flags & (CF_FLAG_EXTENDED_ID | CF_FLAG_ERROR_FRAME) ? (uint32_t)CF_MAX_EXTENDED_ID
                                                                                        : (uint32_t)CF_MAX_STANDARD_ID);
    if (frame->flags & CF_FLAG_FD) {
        if (bits & CF_PCAPNG_FD_BRS)
            frame->flags |= CF_FLAG_BITRATE_SWITCH;
        if (bits & CF_PCAPNG_FD_ESI)
            frame->flags |= CF_FLAG_ERROR_STATE_INDICATOR;
        frame->dlc = (uint8_t)cf_fd_dlc(length);
    } else if (length > CF_CLASSICAL_DATA) {
        return 0;
    } else {
        frame->dlc = (uint8_t)(length == 8 && raw > 8 && raw < 16 ? raw : length);
    }
    if (!(frame->flags & CF_FLAG_REMOTE)) {
        if (captured - CF_PCAPNG_HEAD < length)
            return 0;
        memcpy(frame->data, p + CF_PCAPNG_HEAD, length);
    }
    return 1;
}

/* Body of an Enhanced Packet Block: *made is 1 when it held a frame. */
CF_INLINE cf_status cf_pcapng_read_packet(cf_log_reader *reader, const uint8_t *p, const uint8_t *end,
                                          cf_fd_frame *frame, int *made)
{
    const int big = reader->big_endian;
    const uint8_t *value;
    const cf_log_interface *row;
    unsigned code, length;
    uint32_t id, captured;
    size_t padded;
    int bad = 0;
    *made = 0;
    if (end - p < 20)
        return CF_PCAPNG_SHORT;
    id = cf_get32(p, big);
    captured = cf_get32(p + 12, big);
    if (id >= reader->section_interfaces)
        return CF_PCAPNG_NO_INTERFACE;
    padded = ((size_t)captured + 3) & ~(size_t)3;
    if (padded < captured || (size_t)(end - p - 20) < padded)
        return CF_PCAPNG_SHORT;
    row = &reader->interfaces[reader->rows[id]];
    memset(frame, 0, sizeof *frame);
    if (row->link != CF_PCAPNG_LINK_CAN || !cf_pcapng_read_can(p + 20, captured, cf_get32(p + 16, big), frame)) {
        reader->skipped++;
        return CF_OK;
    }
    frame->timestamp_ns = cf_pcapng_time((uint64_t)cf_get32(p + 4, big) << 32 | cf_get32(p + 8, big), row->resolution,
                                         row->offset);
    frame->channel = row->channel;
    p += 20 + padded;
    while ((value = cf_pcapng_next_option(&p, end, big, &code, &length, &bad)) != NULL) {
        if (code == CF_PCAPNG_OPT_FLAGS && length == 4) {
            if ((cf_get32(value, big) & 3) == 2)
                frame->flags |= CF_FLAG_TX;
        } else if (code == CF_PCAPNG_OPT_DROP_COUNT && length == 8) {
            if (cf_get64(value, big))
                frame->flags |= CF_FLAG_GAP;
        } else if (code == CF_PCAPNG_OPT_CUSTOM && (length == 24 || length == 80) &&
                   cf_pcapng_is_tagged(value, length, big, CF_PCAPNG_TAG_RECORD)) {
            frame->arbitration_id = cf_get32(value + 8, 0);
            frame->flags = (uint16_t)cf_get16(value + 12, 0);
            frame->dlc = value[14];
            memcpy(frame->data, value + 16, length - 16);
        }
    }
    if (bad)
        return CF_PCAPNG_OPTION;
    *made = 1;
    return CF_OK;
}

/* Size of the block that begins at p, of which `size` bytes are there (at least 12); sets the byte
 * order at a Section Header. CF_OK, CF_PCAPNG_MAGIC or CF_PCAPNG_LENGTH. */
CF_INLINE cf_status cf_pcapng_block_size(cf_log_reader *reader, const uint8_t *p, uint32_t *block)
{
    if (cf_get32(p, 0) == CF_PCAPNG_SECTION) { /* reads the same both ways */
        if (cf_get32(p + 8, 0) == CF_PCAPNG_BYTE_ORDER)
            reader->big_endian = 0;
        else if (cf_get32(p + 8, 1) == CF_PCAPNG_BYTE_ORDER)
            reader->big_endian = 1;
        else
            return CF_PCAPNG_MAGIC;
    } else if (!reader->in_section) {
        return CF_PCAPNG_MAGIC;
    }
    *block = cf_get32(p + 4, reader->big_endian);
    return *block < 12 || *block > CF_PCAPNG_BLOCK_MAX || *block % 4 ? CF_PCAPNG_LENGTH : CF_OK;
}

/* Body of a Section Header Block: begins a section, with no interfaces. */
CF_INLINE cf_status cf_pcapng_read_section(cf_log_reader *reader, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 16)
        return CF_PCAPNG_SHORT;
    if (cf_get16(p + 4, reader->big_endian) != 1)
        return CF_PCAPNG_VERSION;
    reader->section_interfaces = 0;
    reader->in_section = 1;
    return CF_OK;
}

/* Decodes the whole blocks of data[0..size) into at most `capacity` records, `stride` (24 or 80)
 * bytes apart. *consumed bytes were taken and *made records are filled. CF_OK: as far as whole
 * blocks and capacity allowed. Otherwise the block at *consumed is in the way: CF_FD_IN_CLASSICAL,
 * CF_LOG_CHANNELS or a CF_PCAPNG_ status. */
CF_INLINE cf_status cf_pcapng_read(cf_log_reader *reader, const uint8_t *data, size_t size, void *frames,
                                   size_t capacity, size_t stride, size_t *consumed, size_t *made)
{
    uint8_t *out = (uint8_t *)frames;
    size_t done = 0, count = 0;
    cf_status status = CF_OK;
    while (size - done >= 12 && count < capacity) {
        const uint8_t *block = data + done, *body = block + 8, *end;
        uint32_t length = 0;
        int filled = 0;
        cf_fd_frame frame;
        status = cf_pcapng_block_size(reader, block, &length);
        if (status != CF_OK || length > size - done)
            break;
        end = block + length - 4;
        if (cf_get32(end, reader->big_endian) != length) {
            status = CF_PCAPNG_TRAILER;
            break;
        }
        switch (cf_get32(block, reader->big_endian)) {
        case CF_PCAPNG_PACKET:
            status = cf_pcapng_read_packet(reader, body, end, &frame, &filled);
            break;
        case CF_PCAPNG_SECTION:
            status = cf_pcapng_read_section(reader, body, end);
            break;
        case CF_PCAPNG_INTERFACE:
            status = cf_pcapng_read_interface(reader, body, end);
            break;
        case CF_PCAPNG_STATISTICS:
            status = cf_pcapng_read_statistics(reader, body, end);
            break;
        case 2: /* Packet and Simple Packet Blocks: obsolete, without time */
        case 3:
            reader->skipped++;
            break;
        default:
            break;
        }
        if (status == CF_OK && filled && (frame.flags & CF_FLAG_FD) && stride != sizeof(cf_fd_frame))
            status = CF_FD_IN_CLASSICAL;
        if (status != CF_OK)
            break;
        if (filled) {
            reader->interfaces[reader->rows[cf_get32(body, reader->big_endian)]].frames++;
            memcpy(out, &frame, stride);
            out += stride;
            count++;
        }
        done += length;
    }
    *consumed = done;
    *made = count;
    return status;
}

#endif
