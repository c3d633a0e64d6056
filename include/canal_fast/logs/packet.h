/* canal_fast/logs/packet.h - CAN frames in captured packets, by link type, for pcap and pcapng.
 *
 * 227 SocketCAN   identifier (big-endian) with EFF, RTR and ERR bits, length, FD flags, 0, raw dlc 9..15 of an 8-byte
 *                 classical frame, data
 * 113 cooked      16 bytes: packet type u2 (4 = sent), ARPHRD u2, 10 of the address, protocol u2; then as 227
 * 276 cooked, 2   20 bytes: protocol u2, 0 u2, interface's number u4, ARPHRD u2, packet type u1, 9 of the address; then
 *                 as 227
 * 252 exported    tags (u2 kind, u2 length, value; all big-endian) up to kind 0; kind 12 names a dissector:
 *                 "can-hostendian", "can-bigendian" or "canfd"; then as 227
 *
 * In 113, 276 and 252 the identifier occurs in both byte orders under the same header. The order is taken in which the
 * bits that must be 0 are 0, once for an interface; where both fit all that is at hand, the capture's own.
 */
#ifndef CANAL_FAST_LOGS_PACKET_H
#define CANAL_FAST_LOGS_PACKET_H

#include "numbers.h"
#include "pcapng_write.h"
#include "reading.h"

enum {
    CF_LINK_COOKED = 113,
    CF_LINK_CAN = 227,
    CF_LINK_EXPORTED = 252,
    CF_LINK_COOKED_2 = 276,

    CF_PACKET_ARPHRD_CAN = 280,
    CF_PACKET_PROTOCOL_CAN = 0x0C,
    CF_PACKET_PROTOCOL_FD = 0x0D,
    CF_PACKET_PROTOCOL_XL = 0x0E,
    CF_PACKET_SENT = 4,
    CF_PACKET_XL = 0x80, /* in the place of a length: CAN XL flags */
    CF_PACKET_ORDER_LITTLE = 1,
    CF_PACKET_ORDER_BIG = 2
};

#define CF_PACKET_CUT "packet cut short"
#define CF_PACKET_BAD "packet that is no CAN frame"

/* A captured packet, and what its link header says of the CAN frame in it. */
typedef struct cf_packet {
    const uint8_t *at; /* from the identifier on, once it is opened */
    uint32_t captured, original;
    uint32_t number; /* of the interface, 0 = not said */
    uint8_t fd, tx;
    uint8_t order; /* the header fixes it: CF_PACKET_ORDER_BIG; otherwise 0 */
} cf_packet;

/* A packet of so many bytes at p, not opened yet. */
CF_INLINE void cf_packet_at(cf_packet *packet, const uint8_t *p, uint32_t captured, uint32_t original)
{
    packet->at = p;
    packet->captured = captured;
    packet->original = original;
}

/* Steps over `size` bytes of link header; 0 when they are not there. */
CF_INLINE int cf_packet_step(cf_packet *packet, uint32_t size)
{
    if (packet->captured < size)
        return 0;
    packet->at += size;
    packet->captured -= size;
    packet->original -= packet->original < size ? packet->original : size;
    return 1;
}

/* What the protocol field of a cooked header says: NULL, or what the packet is instead of a frame. */
CF_INLINE const char *cf_packet_protocol(cf_packet *packet, unsigned hardware, unsigned protocol)
{
    if (hardware != CF_PACKET_ARPHRD_CAN)
        return "packet of another bus";
    if (protocol == CF_PACKET_PROTOCOL_XL)
        return "CAN XL frame";
    packet->fd = protocol == CF_PACKET_PROTOCOL_FD;
    return protocol == CF_PACKET_PROTOCOL_CAN || packet->fd ? NULL : CF_PACKET_BAD;
}

CF_INLINE const char *cf_packet_open_cooked(cf_packet *packet)
{
    const uint8_t *p = packet->at;
    if (!cf_packet_step(packet, 16))
        return CF_PACKET_CUT;
    packet->tx = cf_get16(p, 1) == CF_PACKET_SENT;
    return cf_packet_protocol(packet, cf_get16(p + 2, 1), cf_get16(p + 14, 1));
}

CF_INLINE const char *cf_packet_open_cooked_2(cf_packet *packet)
{
    const uint8_t *p = packet->at;
    if (!cf_packet_step(packet, 20))
        return CF_PACKET_CUT;
    packet->number = cf_get32(p + 4, 1);
    packet->tx = p[10] == CF_PACKET_SENT;
    return cf_packet_protocol(packet, cf_get16(p + 8, 1), cf_get16(p, 1));
}

CF_INLINE const char *cf_packet_open_exported(cf_packet *packet)
{
    const char *what = "packet of another bus";
    for (;;) {
        const uint8_t *p = packet->at;
        unsigned kind, length;
        if (!cf_packet_step(packet, 4))
            return CF_PACKET_CUT;
        kind = cf_get16(p, 1);
        length = cf_get16(p + 2, 1);
        if (!cf_packet_step(packet, length))
            return CF_PACKET_CUT;
        if (kind == 0)
            return what;
        if (kind == 12) { /* the name is padded with zeros */
            const char *name = (const char *)p + 4;
            if (length >= 14 && memcmp(name, "can-hostendian", 14) == 0) {
                what = NULL;
            } else if (length >= 13 && memcmp(name, "can-bigendian", 13) == 0) {
                packet->order = CF_PACKET_ORDER_BIG;
                what = NULL;
            } else if (length >= 5 && memcmp(name, "canfd", 5) == 0) {
                packet->fd = 1;
                what = NULL;
            } else if (length >= 5 && memcmp(name, "canxl", 5) == 0) {
                what = "CAN XL frame";
            }
        }
    }
}

/* Does this link type carry CAN frames that are read? */
CF_INLINE int cf_packet_is_can(unsigned link)
{
    return link == CF_LINK_CAN || link == CF_LINK_COOKED || link == CF_LINK_COOKED_2 || link == CF_LINK_EXPORTED;
}

/* Steps over the link header: NULL when a CAN frame follows, otherwise the kind of what was met. */
CF_INLINE const char *cf_packet_open(cf_packet *packet, unsigned link)
{
    const char *what;
    packet->number = 0;
    packet->fd = packet->tx = packet->order = 0;
    switch (link) {
    case CF_LINK_CAN:
        packet->order = CF_PACKET_ORDER_BIG;
        what = NULL;
        break;
    case CF_LINK_COOKED:
        what = cf_packet_open_cooked(packet);
        break;
    case CF_LINK_COOKED_2:
        what = cf_packet_open_cooked_2(packet);
        break;
    default:
        what = cf_packet_open_exported(packet);
        break;
    }
    return what == NULL && packet->captured < CF_PCAPNG_HEAD ? CF_PACKET_CUT : what;
}

/* Are the bits of this identifier 0 that must be? Error frames have ten classes. */
CF_INLINE int cf_packet_fits(uint32_t id)
{
    if (id & CF_PCAPNG_ERROR)
        return (id & (CF_MAX_EXTENDED_ID & ~0x3FFu)) == 0;
    return id & CF_PCAPNG_EXTENDED || (id & CF_MAX_EXTENDED_ID) <= CF_MAX_STANDARD_ID;
}

/* The order that this opened packet shows: CF_PACKET_ORDER_, or 0 when both fit or none. */
CF_INLINE unsigned cf_packet_shows(const cf_packet *packet)
{
    const int little = cf_packet_fits(cf_get32(packet->at, 0)), big = cf_packet_fits(cf_get32(packet->at, 1));
    return little == big ? 0 : little ? CF_PACKET_ORDER_LITTLE : CF_PACKET_ORDER_BIG;
}

/* The CAN frame of an opened packet into *frame (all of it but time and channel), its identifier in `order`. NULL, or
 * what it is instead. An identifier above 7FF without the extended flag is left for the caller to refuse. */
CF_INLINE const char *cf_packet_frame(const cf_packet *packet, unsigned order, cf_fd_frame *frame)
{
    const uint8_t *p = packet->at;
    const uint32_t id = cf_get32(p, order != CF_PACKET_ORDER_LITTLE);
    const unsigned length = p[4], bits = p[5], raw = p[7];
    memset(frame, 0, sizeof *frame);
    if (length & CF_PACKET_XL)
        return "CAN XL frame";
    if (length > CF_FD_DATA)
        return CF_PACKET_BAD;
    if (id & CF_PCAPNG_ERROR) {
        frame->flags = CF_FLAG_ERROR_FRAME;
    } else {
        if (id & CF_PCAPNG_EXTENDED)
            frame->flags = CF_FLAG_EXTENDED_ID;
        if (id & CF_PCAPNG_REMOTE)
            frame->flags |= CF_FLAG_REMOTE;
        else if (packet->fd || (bits & CF_PCAPNG_FD_FDF) || packet->original == CF_PCAPNG_HEAD + CF_FD_DATA ||
                 length > CF_CLASSICAL_DATA)
            frame->flags |= CF_FLAG_FD;
    }
    frame->arbitration_id = id & CF_MAX_EXTENDED_ID;
    if (frame->flags & CF_FLAG_FD) {
        if (bits & CF_PCAPNG_FD_BRS)
            frame->flags |= CF_FLAG_BITRATE_SWITCH;
        if (bits & CF_PCAPNG_FD_ESI)
            frame->flags |= CF_FLAG_ERROR_STATE_INDICATOR;
        frame->dlc = (uint8_t)cf_fd_dlc(length);
    } else if (length > CF_CLASSICAL_DATA) {
        return CF_PACKET_BAD;
    } else {
        frame->dlc = (uint8_t)(length == 8 && raw > 8 && raw < 16 ? raw : length);
    }
    if (!(frame->flags & CF_FLAG_REMOTE)) {
        if (packet->captured - CF_PCAPNG_HEAD < length)
            return CF_PACKET_CUT;
        memcpy(frame->data, p + CF_PCAPNG_HEAD, length);
    }
    if (packet->tx)
        frame->flags |= CF_FLAG_TX;
    return NULL;
}

/* Kind under which a record is left out, or NULL for one that is good. */
CF_INLINE const char *cf_packet_fault(const cf_fd_frame *frame)
{
    switch (cf_record_check((const cf_frame_head *)frame)) {
    case CF_OK:
        return NULL;
    case CF_FLAGS_UNKNOWN:
        return CF_LOG_KIND_FLAGS;
    case CF_DLC_RANGE:
        return CF_LOG_KIND_DLC;
    default:
        return CF_LOG_KIND_IDENTIFIER;
    }
}

/* The row of the interface that the packet names inside *row's capture, made if it is new; NULL: no room. The first
 * one is *row itself. */
CF_INLINE cf_log_interface *cf_packet_row(cf_log_reader *reader, cf_log_interface *row, const cf_packet *packet)
{
    cf_log_interface *other;
    unsigned channel = 0;
    size_t i;
    if (CF_LIKELY(packet->number == 0 || row->number == packet->number))
        return row;
    if (row->number == 0) {
        row->number = packet->number;
        return row;
    }
    for (i = 0; i < reader->count; i++)
        if (reader->interfaces[i].number == packet->number && reader->interfaces[i].link == row->link)
            return &reader->interfaces[i];
    if (reader->count == CF_LOG_INTERFACES)
        return NULL;
    for (i = 0; i < reader->count; i++)
        if (reader->interfaces[i].channel >= channel)
            channel = reader->interfaces[i].channel + 1u;
    if (channel >= CF_LOG_INTERFACES)
        return NULL;
    other = &reader->interfaces[reader->count++];
    *other = *row;
    other->number = packet->number;
    other->channel = (uint8_t)channel;
    other->frames = 0;
    other->counted = 0;
    return other;
}

#endif
