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
#include "reading.h"

/* A packet's place in its block: the two kinds of Packet Blocks say the same in other words. */
typedef struct cf_pcapng_place {
    uint32_t id;           /* interface in this section */
    uint32_t lost;         /* packets before it */
    const uint8_t *time;   /* ticks, two u4 */
    const uint8_t *data;   /* captured bytes */
    const uint8_t *option; /* options, up to the block's end */
    uint32_t captured, original;
} cf_pcapng_place;

/* Body of an Enhanced or of an obsolete Packet Block into *place. */
CF_INLINE cf_status cf_pcapng_find_packet(const cf_log_reader *reader, uint32_t type, const uint8_t *p,
                                          const uint8_t *end, cf_pcapng_place *place)
{
    const int big = reader->big_endian;
    size_t padded;
    if (end - p < 20)
        return CF_PCAPNG_SHORT;
    place->id = type == CF_PCAPNG_PACKET ? cf_get32(p, big) : cf_get16(p, big);
    place->lost = type == CF_PCAPNG_PACKET ? 0 : cf_get16(p + 2, big);
    place->time = p + 4;
    place->captured = cf_get32(p + 12, big);
    place->original = cf_get32(p + 16, big);
    place->data = p + 20;
    if (place->id >= reader->section_interfaces)
        return CF_PCAPNG_NO_INTERFACE;
    padded = ((size_t)place->captured + 3) & ~(size_t)3;
    if (padded < place->captured || (size_t)(end - p - 20) < padded)
        return CF_PCAPNG_SHORT;
    place->option = place->data + padded;
    return CF_OK;
}

/* The order of identifiers that this interface's packets from `block` on show; where all at hand fit both, that of the
 * section. */
CF_INLINE unsigned cf_pcapng_order(const cf_log_reader *reader, unsigned link, uint32_t id, const uint8_t *block,
                                   const uint8_t *end)
{
    const int big = reader->big_endian;
    while (end - block >= 12) {
        const uint32_t type = cf_get32(block, big), length = cf_get32(block + 4, big);
        cf_pcapng_place place;
        if (type == CF_PCAPNG_SECTION || length < 12 || length % 4 || length > (size_t)(end - block))
            break;
        if ((type == CF_PCAPNG_PACKET || type == CF_PCAPNG_OLD_PACKET) &&
            cf_pcapng_find_packet(reader, type, block + 8, block + length - 4, &place) == CF_OK && place.id == id) {
            cf_packet packet;
            unsigned order;
            cf_packet_at(&packet, place.data, place.captured, place.original);
            if (cf_packet_open(&packet, link) == NULL && (order = cf_packet_shows(&packet)) != 0)
                return order;
        }
        block += length;
    }
    return big ? CF_PACKET_ORDER_BIG : CF_PACKET_ORDER_LITTLE;
}

/* The record in a "CFrc" option of `length` (24 or 80) bytes, but time and channel, into *frame. */
CF_INLINE void cf_pcapng_restore(const uint8_t *value, size_t length, cf_fd_frame *frame)
{
    size_t carried;
    frame->arbitration_id = cf_get32(value + 8, 0);
    frame->flags = (uint16_t)cf_get16(value + 12, 0);
    frame->dlc = value[14];
    carried = cf_payload_length(frame->flags, frame->dlc);
    carried = carried < length - 16 ? carried : length - 16;
    memset(frame->data, 0, sizeof frame->data);
    memcpy(frame->data, value + 16, carried);
}

/* What the options of a packet add to its record, or the record itself. */
CF_INLINE cf_status cf_pcapng_read_options(const cf_log_reader *reader, const uint8_t *p, const uint8_t *end,
                                           cf_fd_frame *frame)
{
    const int big = reader->big_endian;
    const uint8_t *value;
    unsigned code, length;
    int bad = 0;
    while ((value = cf_pcapng_next_option(&p, end, big, &code, &length, &bad)) != NULL) {
        if (code == CF_PCAPNG_OPT_FLAGS && length == 4) {
            if ((cf_get32(value, big) & 3) == 2)
                frame->flags |= CF_FLAG_TX;
        } else if (code == CF_PCAPNG_OPT_DROP_COUNT && length == 8) {
            if (cf_get64(value, big))
                frame->flags |= CF_FLAG_GAP;
        } else if (code == CF_PCAPNG_OPT_CUSTOM && (length == 24 || length == 80) &&
                   cf_pcapng_is_tagged(value, length, big, CF_PCAPNG_TAG_RECORD)) {
            cf_pcapng_restore(value, length, frame);
        }
    }
    return bad ? CF_PCAPNG_OPTION : CF_OK;
}

/* The Packet Block of this type at `block`: its record is given, or it is counted. */
CF_INLINE cf_status cf_pcapng_read_packet(cf_log_reader *reader, cf_log_call *call, uint32_t type, const uint8_t *block,
                                          const uint8_t *end)
{
    cf_pcapng_place place;
    cf_packet packet;
    cf_log_interface *row;
    cf_fd_frame frame;
    const char *what;
    cf_status status = cf_pcapng_find_packet(reader, type, block + 8, end, &place);
    if (status != CF_OK)
        return status;
    row = &reader->interfaces[reader->rows[place.id]];
    if (CF_UNLIKELY(row->foreign)) {
        cf_log_skip_numbered(reader, "packet of link type", row->link);
        return CF_OK;
    }
    cf_packet_at(&packet, place.data, place.captured, place.original);
    what = cf_packet_open(&packet, row->link);
    if (CF_LIKELY(what == NULL)) {
        unsigned order = packet.order;
        row = cf_packet_row(reader, row, &packet);
        if (row == NULL)
            return CF_LOG_CHANNELS;
        if (CF_UNLIKELY(order == 0)) {
            if (row->id_order == 0)
                row->id_order = reader->id_order ? reader->id_order
                                                 : (uint8_t)cf_pcapng_order(reader, row->link, place.id, block,
                                                                            call->data + call->size);
            order = row->id_order;
        }
        what = cf_packet_frame(&packet, order, &frame);
    }
    if (CF_UNLIKELY(what != NULL)) {
        cf_log_skip(reader, what);
        return CF_OK;
    }
    frame.timestamp_ns = cf_pcapng_time((uint64_t)cf_get32(place.time, reader->big_endian) << 32 |
                                            cf_get32(place.time + 4, reader->big_endian),
                                        row->resolution, row->offset);
    frame.channel = row->channel;
    if (place.lost != 0 && place.lost != 0xFFFF)
        frame.flags |= CF_FLAG_GAP;
    status = cf_pcapng_read_options(reader, place.option, end, &frame);
    if (status != CF_OK)
        return status;
    what = cf_packet_fault(&frame);
    if (CF_UNLIKELY(what != NULL)) {
        cf_log_skip(reader, what);
        return CF_OK;
    }
    return cf_log_put_row(reader, call, row, &frame);
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

/* The block at `block`, whole and of `length` bytes: CF_OK when it is done with, its record given. */
CF_INLINE cf_status cf_pcapng_read_block(cf_log_reader *reader, cf_log_call *call, const uint8_t *block,
                                         uint32_t length)
{
    const uint8_t *body = block + 8, *end = block + length - 4;
    const uint32_t type = cf_get32(block, reader->big_endian);
    if (cf_get32(end, reader->big_endian) != length)
        return CF_PCAPNG_TRAILER;
    switch (type) {
    case CF_PCAPNG_PACKET:
    case CF_PCAPNG_OLD_PACKET:
        return cf_pcapng_read_packet(reader, call, type, block, end);
    case CF_PCAPNG_SECTION:
        return cf_pcapng_read_section(reader, body, end);
    case CF_PCAPNG_INTERFACE:
        return cf_pcapng_read_interface(reader, body, end);
    case CF_PCAPNG_STATISTICS:
        return cf_pcapng_read_statistics(reader, body, end);
    case CF_PCAPNG_SIMPLE_PACKET:
        cf_log_skip(reader, "packet without a time");
        return CF_OK;
    default:
        return CF_OK;
    }
}

/* Does a whole block that is known here stand at p? */
CF_INLINE int cf_pcapng_is_block(const cf_log_reader *reader, const uint8_t *p, const uint8_t *end)
{
    const int big = reader->big_endian;
    const uint32_t type = cf_get32(p, big), length = cf_get32(p + 4, big);
    const int known = type == CF_PCAPNG_SECTION || (type >= CF_PCAPNG_INTERFACE && type <= CF_PCAPNG_PACKET);
    return known && length >= 12 && length % 4 == 0 && length <= (size_t)(end - p) &&
           cf_get32(p + length - 4, big) == length;
}

/* Goes on behind damage to the next block that is whole and known; 0 while there is none at hand. */
CF_INLINE int cf_pcapng_search(cf_log_reader *reader, cf_log_call *call)
{
    const uint8_t *end = call->data + call->size;
    const size_t kept = call->final ? 0 : CF_PCAPNG_SEARCH_KEEPS;
    for (; call->size - call->consumed >= 12 + kept; call->consumed += 4, reader->lost_bytes += 4) {
        if (cf_pcapng_is_block(reader, call->data + call->consumed, end)) {
            reader->searching = 0;
            return 1;
        }
    }
    if (call->final) {
        reader->lost_bytes += call->size - call->consumed;
        call->consumed = call->size;
    }
    return 0;
}

/* Does a whole block that is known stand anywhere from p on? */
CF_INLINE int cf_pcapng_holds_block(const cf_log_reader *reader, const uint8_t *p, const uint8_t *end)
{
    for (; end - p >= 12; p += 4)
        if (cf_pcapng_is_block(reader, p, end))
            return 1;
    return 0;
}

/* A format's `read`: whole blocks. Damage: CF_LOG_CHANNELS or a CF_PCAPNG_ status. */
CF_INLINE cf_status cf_pcapng_read(cf_log_reader *reader, cf_log_call *call)
{
    cf_status status = CF_OK;
    while (call->size - call->consumed >= 12 && call->made < call->capacity) {
        const uint8_t *block;
        uint32_t length = 0;
        if (CF_UNLIKELY(reader->searching) && !cf_pcapng_search(reader, call))
            break;
        block = call->data + call->consumed;
        status = cf_pcapng_block_size(reader, block, &length);
        if (status == CF_OK) {
            if (length <= call->size - call->consumed)
                status = cf_pcapng_read_block(reader, call, block, length);
            else if (call->final && reader->forgiving && reader->in_section &&
                     cf_pcapng_holds_block(reader, block + 4, call->data + call->size))
                status = CF_PCAPNG_LENGTH;
            else
                break;
        }
        if (status == CF_FD_IN_CLASSICAL)
            break;
        if (CF_UNLIKELY(status != CF_OK)) {
            if (!reader->forgiving || !reader->in_section)
                break;
            status = CF_OK;
            cf_log_skip(reader, "bad block");
            reader->searching = 1;
            reader->lost_bytes += 4;
            length = 4;
        }
        call->consumed += length;
    }
    return status;
}

#endif
