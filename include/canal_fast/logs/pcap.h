/* canal_fast/logs/pcap.h - classic pcap.
 *
 * Header, 24 bytes in the writer's byte order: magic a1b2c3d4 (microseconds) or a1b23c4d (nanoseconds), version u2, u2
 * (2.4), 8 bytes, snap length u4, link type (low 16 bits of u4). Record: seconds u4 (unsigned), fraction u4, captured
 * u4, original u4, then the captured bytes.
 */
#ifndef CANAL_FAST_LOGS_PCAP_H
#define CANAL_FAST_LOGS_PCAP_H

#include "packet.h"
#include "pcap_write.h"

enum {
    CF_PCAP_HEADER = 24,
    CF_PCAP_RECORD_HEAD = 16,
    CF_PCAP_CAPTURED_MAX = 1 << 18, /* a longer packet is damage ... */
    CF_PCAP_CAN_MAX = 1 << 12, /* ... and one so long of our link types: CAN XL has 2060 bytes and some headers */
    CF_PCAP_FAR = 86400 * 31 /* seconds: a search takes no record that is further from the last one */
};

#define CF_PCAP_MICROSECONDS 0xA1B2C3D4u
#define CF_PCAP_NANOSECONDS 0xA1B23C4Du

typedef struct cf_pcap_own {
    uint32_t unit; /* ns of a fraction; 0: the header was not read yet */
    uint32_t most; /* bytes that a packet may have */
    uint32_t seconds; /* of the last record */
    int big;
} cf_pcap_own;

CF_INLINE cf_status cf_pcap_read_header(cf_log_reader *reader, cf_log_call *call, cf_pcap_own *own)
{
    const uint8_t *p = call->data;
    const int big = p[0] == 0xA1;
    const uint32_t magic = cf_get32(p, big);
    cf_log_interface *row;
    if (magic != CF_PCAP_MICROSECONDS && magic != CF_PCAP_NANOSECONDS)
        return CF_PCAP_MAGIC;
    if (cf_get16(p + 4, big) != 2)
        return CF_PCAP_VERSION;
    own->big = big;
    own->unit = magic == CF_PCAP_NANOSECONDS ? 1 : 1000;
    row = cf_log_row(reader, 0);
    row->link = (uint16_t)cf_get16(p + (big ? 22 : 20), big);
    row->foreign = !cf_packet_is_can(row->link);
    own->most = row->foreign ? CF_PCAP_CAPTURED_MAX : CF_PCAP_CAN_MAX;
    call->consumed = CF_PCAP_HEADER;
    return CF_OK;
}

/* May this be the head of a record? */
CF_INLINE int cf_pcap_is_record(const cf_pcap_own *own, const uint8_t *p)
{
    const uint32_t captured = cf_get32(p + 8, own->big);
    return captured <= own->most && cf_get32(p + 4, own->big) < 1000000000u / own->unit &&
           cf_get32(p + 12, own->big) >= captured;
}

CF_INLINE void cf_pcap_packet(const cf_pcap_own *own, const uint8_t *p, cf_packet *packet)
{
    cf_packet_at(packet, p + CF_PCAP_RECORD_HEAD, cf_get32(p + 8, own->big), cf_get32(p + 12, own->big));
}

/* The order of identifiers that the records from p on show; where all at hand fit both, the file's own. */
CF_INLINE unsigned cf_pcap_order(const cf_pcap_own *own, unsigned link, const uint8_t *p, const uint8_t *end)
{
    while (end - p >= CF_PCAP_RECORD_HEAD && cf_pcap_is_record(own, p)) {
        cf_packet packet;
        unsigned order;
        cf_pcap_packet(own, p, &packet);
        if ((size_t)(end - packet.at) < packet.captured)
            break;
        p = packet.at + packet.captured;
        if (cf_packet_open(&packet, link) == NULL && (order = cf_packet_shows(&packet)) != 0)
            return order;
    }
    return own->big ? CF_PACKET_ORDER_BIG : CF_PACKET_ORDER_LITTLE;
}

/* The record at p, which is whole: CF_OK when it is done with. */
CF_INLINE cf_status cf_pcap_read_record(cf_log_reader *reader, cf_log_call *call, const cf_pcap_own *own,
                                        const uint8_t *p)
{
    cf_log_interface *row = cf_log_row(reader, 0);
    cf_packet packet;
    const char *what;
    cf_fd_frame frame;
    if (CF_UNLIKELY(row->foreign)) {
        cf_log_skip_numbered(reader, "packet of link type", row->link);
        return CF_OK;
    }
    cf_pcap_packet(own, p, &packet);
    what = cf_packet_open(&packet, row->link);
    if (CF_LIKELY(what == NULL)) {
        unsigned order = packet.order;
        row = cf_packet_row(reader, row, &packet);
        if (row == NULL)
            return CF_LOG_CHANNELS;
        if (CF_UNLIKELY(order == 0)) {
            if (row->id_order == 0)
                row->id_order = reader->id_order ? reader->id_order
                                                 : (uint8_t)cf_pcap_order(own, row->link, p, call->data + call->size);
            order = row->id_order;
        }
        what = cf_packet_frame(&packet, order, &frame);
    }
    if (what == NULL)
        what = cf_packet_fault(&frame);
    if (CF_UNLIKELY(what != NULL)) {
        cf_log_skip(reader, what);
        return CF_OK;
    }
    frame.timestamp_ns = (int64_t)cf_get32(p, own->big) * 1000000000 + (int64_t)cf_get32(p + 4, own->big) * own->unit;
    frame.channel = row->channel;
    return cf_log_put_row(reader, call, row, &frame);
}

/* May a record with a CAN frame, not far from the last one in time, begin at p? */
CF_INLINE int cf_pcap_is_near(const cf_pcap_own *own, const uint8_t *p)
{
    const uint32_t seconds = cf_get32(p, own->big);
    const uint32_t apart = seconds > own->seconds ? seconds - own->seconds : own->seconds - seconds;
    return cf_pcap_is_record(own, p) && cf_get32(p + 8, own->big) >= CF_PCAPNG_HEAD && apart <= CF_PCAP_FAR;
}

/* Is the record at p damaged in its length? It leads to none, or past the end, but one begins inside. */
CF_INLINE int cf_pcap_is_misled(const cf_log_call *call, const cf_pcap_own *own, const uint8_t *p)
{
    const uint8_t *end = call->data + call->size, *next = p + CF_PCAP_RECORD_HEAD;
    const uint32_t captured = cf_get32(p + 8, own->big);
    const size_t there = (size_t)(end - next);
    if (captured <= there && (there - captured < CF_PCAP_RECORD_HEAD || cf_pcap_is_near(own, next + captured)))
        return 0;
    if (captured > there && !call->final)
        return 0;
    for (end = captured < there ? next + captured : end; end - next >= CF_PCAP_RECORD_HEAD; next++)
        if (cf_pcap_is_near(own, next))
            return 1;
    return 0;
}

/* Goes on behind damage to what may be a record; 0 while there is none. */
CF_INLINE int cf_pcap_search(cf_log_reader *reader, cf_log_call *call, const cf_pcap_own *own)
{
    for (; call->size - call->consumed >= CF_PCAP_RECORD_HEAD; call->consumed++, reader->lost_bytes++) {
        if (cf_pcap_is_near(own, call->data + call->consumed)) {
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

/* A format's `read`. */
CF_INLINE cf_status cf_pcap_read(cf_log_reader *reader, cf_log_call *call)
{
    cf_pcap_own *own = (cf_pcap_own *)reader->own;
    cf_status status = CF_OK;
    if (own->unit == 0) {
        if (call->size < CF_PCAP_HEADER)
            return CF_OK;
        status = cf_pcap_read_header(reader, call, own);
    }
    while (status == CF_OK && call->size - call->consumed >= CF_PCAP_RECORD_HEAD && call->made < call->capacity) {
        const uint8_t *p = call->data + call->consumed;
        if (reader->searching && !cf_pcap_search(reader, call, own))
            break;
        p = call->data + call->consumed;
        if (!cf_pcap_is_record(own, p) || (reader->forgiving && cf_pcap_is_misled(call, own, p))) {
            if (!reader->forgiving)
                return CF_PCAP_RECORD;
            cf_log_skip(reader, "bad record");
            reader->searching = 1;
            reader->lost_bytes++;
            call->consumed++;
            continue;
        }
        if (call->size - call->consumed - CF_PCAP_RECORD_HEAD < cf_get32(p + 8, own->big))
            break;
        status = cf_pcap_read_record(reader, call, own, p);
        if (status != CF_OK)
            break;
        own->seconds = cf_get32(p, own->big);
        call->consumed += (size_t)CF_PCAP_RECORD_HEAD + cf_get32(p + 8, own->big);
    }
    return status;
}

CF_INLINE int cf_pcap_recognise(const uint8_t *head, size_t size, int whole)
{
    static const uint8_t magics[4][4] = {
        {0xA1, 0xB2, 0xC3, 0xD4}, {0xD4, 0xC3, 0xB2, 0xA1}, {0xA1, 0xB2, 0x3C, 0x4D}, {0x4D, 0x3C, 0xB2, 0xA1}};
    size_t i;
    (void)whole;
    for (i = 0; i < 4 && size > 0; i++)
        if (memcmp(head, magics[i], size < 4 ? size : 4) == 0)
            return size < 4 ? CF_LOG_PERHAPS : CF_LOG_SURE;
    return CF_LOG_NO;
}

CF_INLINE const cf_log_format *cf_log_format_pcap(void)
{
    static const cf_log_target target = {1,    1,    0,   CF_PCAP_LAST_NS, CF_LOG_INTERFACES, 0, cf_log_holds_as_error,
                                         NULL, NULL, NULL};
    static const cf_log_format row = {"pcap",
                                      "classic pcap, link types 227, 113, 276, 252",
                                      ".pcap",
                                      "record",
                                      0,
                                      CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC |
                                          CF_LOG_KEEPS_ERRORS | CF_LOG_KEEPS_REMOTE | CF_LOG_KEEPS_ERROR_FRAMES |
                                          CF_LOG_KEEPS_FD_FLAGS,
                                      sizeof(cf_pcap_own),
                                      cf_pcap_recognise,
                                      cf_pcap_read,
                                      cf_pcap_write,
                                      CF_PCAP_WRITE_MAX,
                                      cf_pcap_begin,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

#endif
