/* canal_fast/logs/pcapng_write.h - records into pcapng blocks (draft-ietf-opsawg-pcapng), link type 227.
 *
 * Section Header, then one Interface Description per channel when its first frame comes, Enhanced
 * Packets, Interface Statistics. Little-endian, time stamps in nanoseconds.
 *
 * LINKTYPE_CAN_SOCKETCAN: identifier with EFF/RTR/ERR bits (big-endian), length, FD flags, 0, raw
 * dlc of an 8-byte classical frame when it is 9..15, then 8 (classical) or 64 (FD) data bytes.
 *
 * What packets and standard options cannot say travels in binary custom options (code 2989). These
 * begin with a Private Enterprise Number; 32473 is the one that RFC 5612 sets aside for examples,
 * as the project has none of its own. So that nobody else's example is taken for ours, four
 * letters follow, then:
 *     "CFrc"  in a packet: the record. identifier u4, flags u2, dlc u1, 0, data u1[8] (FD: [64]). Readers leave out,
 *             and count, one that cf_record_check refuses
 *     "CFch"  in an interface: its channel u4, where it is not the interface's number
 */
#ifndef CANAL_FAST_LOGS_PCAPNG_WRITE_H
#define CANAL_FAST_LOGS_PCAPNG_WRITE_H

#include "../bits.h"
#include "state.h"

enum {
    CF_PCAPNG_INTERFACE = 1,
    CF_PCAPNG_OLD_PACKET = 2,
    CF_PCAPNG_SIMPLE_PACKET = 3,
    CF_PCAPNG_STATISTICS = 5,
    CF_PCAPNG_PACKET = 6,
    CF_PCAPNG_SECTION = 0x0A0D0D0A,
    CF_PCAPNG_BYTE_ORDER = 0x1A2B3C4D,
    CF_PCAPNG_LINK_CAN = 227,

    CF_PCAPNG_OPT_END = 0,
    CF_PCAPNG_OPT_COMMENT = 1,
    CF_PCAPNG_OPT_USER_APPLICATION = 4,
    CF_PCAPNG_OPT_IF_NAME = 2,
    CF_PCAPNG_OPT_IF_SPEED = 8,
    CF_PCAPNG_OPT_IF_RESOLUTION = 9,
    CF_PCAPNG_OPT_IF_OFFSET = 14,
    CF_PCAPNG_OPT_FLAGS = 2,
    CF_PCAPNG_OPT_DROP_COUNT = 4,
    CF_PCAPNG_OPT_FIRST_COUNTER = 4, /* isb_ifrecv; the others follow */
    CF_PCAPNG_OPT_CUSTOM = 2989,
    CF_PCAPNG_PEN = 32473,
    CF_PCAPNG_TAG_RECORD = 0x63724643,  /* "CFrc" as four bytes */
    CF_PCAPNG_TAG_CHANNEL = 0x68634643, /* "CFch" */

    CF_PCAPNG_FD_BRS = 1,
    CF_PCAPNG_FD_ESI = 2,
    CF_PCAPNG_FD_FDF = 4,
    CF_PCAPNG_HEAD = 8,           /* bytes before the data in a CAN packet */
    CF_PCAPNG_COMMON_SIZE = 60,   /* of the block of a classical frame without further options */
    CF_PCAPNG_COMMENT_MAX = 200,
    CF_PCAPNG_FRAME_MAX = 512,    /* interface description and packet of one record, at most */
    CF_PCAPNG_SEARCH_KEEPS = 1 << 12, /* bytes in which a block is found whole again after damage */
    CF_PCAPNG_BLOCK_MAX = 1 << 24 /* a longer block is taken for damage */
};

#define CF_PCAPNG_EXTENDED 0x80000000u
#define CF_PCAPNG_REMOTE 0x40000000u
#define CF_PCAPNG_ERROR 0x20000000u

CF_INLINE uint8_t *cf_put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    return p + 2;
}

CF_INLINE uint8_t *cf_put32(uint8_t *p, uint32_t value)
{
    cf_store_le32(p, value);
    return p + 4;
}

CF_INLINE uint8_t *cf_put64(uint8_t *p, uint64_t value)
{
    cf_store_le64(p, value);
    return p + 8;
}

/* Option header; the caller puts `length` bytes of value, a multiple of 4, behind it. */
CF_INLINE uint8_t *cf_pcapng_option(uint8_t *p, unsigned code, unsigned length)
{
    return cf_put16(cf_put16(p, code), length);
}

CF_INLINE uint8_t *cf_pcapng_text_option(uint8_t *p, unsigned code, const char *text)
{
    const size_t length = strlen(text), padded = (length + 3) & ~(size_t)3;
    p = cf_pcapng_option(p, code, (unsigned)length);
    memset(p, 0, padded);
    memcpy(p, text, length);
    return p + padded;
}

/* Closes the block that begins at `block` and whose body ends at p: both lengths; its size. */
CF_INLINE size_t cf_pcapng_close(uint8_t *block, uint8_t *p)
{
    const uint32_t size = (uint32_t)(p + 4 - block);
    cf_put32(p, size);
    cf_put32(block + 4, size);
    return size;
}

/* Section Header Block into out (room for 64 bytes and the application's name); its size. */
CF_INLINE size_t cf_pcapng_section(const char *application, uint8_t *out)
{
    uint8_t *p = cf_put32(out, CF_PCAPNG_SECTION) + 4;
    p = cf_put32(p, CF_PCAPNG_BYTE_ORDER);
    p = cf_put16(cf_put16(p, 1), 0);
    p = cf_put64(p, UINT64_MAX); /* length of the section: not known */
    p = cf_pcapng_text_option(p, CF_PCAPNG_OPT_USER_APPLICATION, application);
    p = cf_pcapng_option(p, CF_PCAPNG_OPT_END, 0);
    return cf_pcapng_close(out, p);
}

/* Interface Description Block of a channel as interface `id`; its size. */
CF_INLINE size_t cf_pcapng_interface(const cf_log_writer *writer, unsigned channel, uint32_t id, uint8_t *out)
{
    const cf_log_channel *row = &writer->channels[channel];
    uint8_t *p = cf_put32(out, CF_PCAPNG_INTERFACE) + 4;
    p = cf_put16(cf_put16(p, CF_PCAPNG_LINK_CAN), 0);
    p = cf_put32(p, 0); /* no limit on the packet's length */
    p = cf_pcapng_text_option(p, CF_PCAPNG_OPT_IF_NAME, row->name);
    if (row->speed)
        p = cf_put64(cf_pcapng_option(p, CF_PCAPNG_OPT_IF_SPEED, 8), row->speed);
    p = cf_put32(cf_pcapng_option(p, CF_PCAPNG_OPT_IF_RESOLUTION, 1), 9);
    if (id != channel) {
        p = cf_pcapng_option(p, CF_PCAPNG_OPT_CUSTOM, 12);
        p = cf_put32(cf_put32(cf_put32(p, CF_PCAPNG_PEN), CF_PCAPNG_TAG_CHANNEL), channel);
    }
    p = cf_pcapng_option(p, CF_PCAPNG_OPT_END, 0);
    return cf_pcapng_close(out, p);
}

/* The CAN packet of a record, 16 or 72 bytes; bytes past the payload are written as zeros. */
CF_INLINE uint8_t *cf_pcapng_can(const cf_frame_head *head, size_t stride, uint8_t *p)
{
    const uint8_t *data = (const uint8_t *)(head + 1);
    const unsigned flags = head->flags, dlc = head->dlc & 15u;
    const int error = (flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS)) != 0;
    const int flexible = (flags & CF_FLAG_FD) && stride == sizeof(cf_fd_frame) && !error;
    const unsigned length = flexible ? cf_fd_length(dlc) : dlc < 8 ? dlc : 8;
    uint32_t id = head->arbitration_id & CF_MAX_EXTENDED_ID;
    unsigned carried;
    if (error)
        id |= CF_PCAPNG_ERROR;
    else
        id |= (flags & CF_FLAG_EXTENDED_ID ? CF_PCAPNG_EXTENDED : 0) | (flags & CF_FLAG_REMOTE ? CF_PCAPNG_REMOTE : 0);
    *p++ = (uint8_t)(id >> 24);
    *p++ = (uint8_t)(id >> 16);
    *p++ = (uint8_t)(id >> 8);
    *p++ = (uint8_t)id;
    *p++ = (uint8_t)length;
    *p++ = (uint8_t)(!flexible ? 0
                               : CF_PCAPNG_FD_FDF | (flags & CF_FLAG_BITRATE_SWITCH ? CF_PCAPNG_FD_BRS : 0) |
                                     (flags & CF_FLAG_ERROR_STATE_INDICATOR ? CF_PCAPNG_FD_ESI : 0));
    *p++ = 0;
    *p++ = (uint8_t)(!flexible && dlc > 8 ? dlc : 0);
    if (flexible) {
        memcpy(p, data, CF_FD_DATA);
        memset(p + length, 0, CF_FD_DATA - length);
        return p + CF_FD_DATA;
    }
    carried = id & CF_PCAPNG_REMOTE ? 0 : length; /* no branch on the length, which nobody can predict */
    return cf_put64(p, cf_load_le64(data) & cf_first_bytes(carried));
}

/* Can the packet and its standard options say all of this record? */
CF_INLINE int cf_pcapng_is_plain(const cf_frame_head *head, size_t stride)
{
    const unsigned known = CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAG_FD | CF_FLAG_BITRATE_SWITCH |
                           CF_FLAG_ERROR_STATE_INDICATOR | CF_FLAG_TX | CF_FLAG_GAP;
    return !(head->flags & ~known) && cf_frame_check(head, stride) == CF_OK;
}

/* Is it a classical data frame of which nothing unusual is to be said? */
CF_INLINE int cf_pcapng_is_common(const cf_frame_head *head)
{
    const uint32_t max = head->flags & CF_FLAG_EXTENDED_ID ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID;
    return !(head->flags & ~(CF_FLAG_EXTENDED_ID | CF_FLAG_TX)) && head->dlc <= 8 && head->arbitration_id <= max;
}

/* cf_pcapng_packet of such a frame, without a branch; its size. */
CF_INLINE size_t cf_pcapng_common(const cf_frame_head *head, uint32_t interface, uint8_t *out)
{
    const uint64_t time = (uint64_t)head->timestamp_ns;
    const uint32_t id = head->arbitration_id | (uint32_t)(head->flags & CF_FLAG_EXTENDED_ID) << 31;
    uint8_t *p = cf_put32(cf_put32(out, CF_PCAPNG_PACKET), CF_PCAPNG_COMMON_SIZE);
    p = cf_put32(cf_put32(cf_put32(p, interface), (uint32_t)(time >> 32)), (uint32_t)time);
    p = cf_put32(cf_put32(p, CF_PCAPNG_HEAD + CF_CLASSICAL_DATA), CF_PCAPNG_HEAD + CF_CLASSICAL_DATA);
    cf_store_be64(p, (uint64_t)id << 32 | (uint32_t)head->dlc << 24);
    p = cf_put64(p + CF_PCAPNG_HEAD, cf_load_le64(cf_record_data(head)) & cf_first_bytes(head->dlc));
    p = cf_put32(cf_pcapng_option(p, CF_PCAPNG_OPT_FLAGS, 4), head->flags & CF_FLAG_TX ? 2 : 1);
    return (size_t)(cf_put32(cf_pcapng_option(p, CF_PCAPNG_OPT_END, 0), CF_PCAPNG_COMMON_SIZE) - out);
}

/* Enhanced Packet Block of a record on interface `id`; its size. */
CF_INLINE size_t cf_pcapng_packet(const cf_frame_head *head, size_t stride, uint32_t id, uint8_t *out)
{
    const uint64_t time = (uint64_t)head->timestamp_ns;
    uint8_t *p = cf_put32(out, CF_PCAPNG_PACKET) + 4;
    uint8_t *lengths, *packet;
    if (CF_LIKELY(cf_pcapng_is_common(head)))
        return cf_pcapng_common(head, id, out);
    p = cf_put32(p, id);
    p = cf_put32(cf_put32(p, (uint32_t)(time >> 32)), (uint32_t)time);
    lengths = p;
    packet = p + 8;
    p = cf_pcapng_can(head, stride, packet);
    cf_put32(cf_put32(lengths, (uint32_t)(p - packet)), (uint32_t)(p - packet));
    p = cf_put32(cf_pcapng_option(p, CF_PCAPNG_OPT_FLAGS, 4), head->flags & CF_FLAG_TX ? 2 : 1);
    if (head->flags & CF_FLAG_GAP) /* a record knows that frames are missing, not how many */
        p = cf_put64(cf_pcapng_option(p, CF_PCAPNG_OPT_DROP_COUNT, 8), 1);
    if (CF_UNLIKELY(!cf_pcapng_is_plain(head, stride))) {
        const unsigned room = stride == sizeof(cf_fd_frame) && (head->flags & CF_FLAG_FD) ? CF_FD_DATA
                                                                                          : CF_CLASSICAL_DATA;
        p = cf_pcapng_option(p, CF_PCAPNG_OPT_CUSTOM, 16 + room);
        p = cf_put32(cf_put32(p, CF_PCAPNG_PEN), CF_PCAPNG_TAG_RECORD);
        p = cf_put16(cf_put32(p, head->arbitration_id), head->flags);
        p = cf_put16(p, head->dlc);
        memcpy(p, head + 1, room);
        p += room;
    }
    p = cf_pcapng_option(p, CF_PCAPNG_OPT_END, 0);
    return cf_pcapng_close(out, p);
}

/* Writes records, as many as fit `capacity` with their interfaces; returns their number, with the
 * bytes in *used. */
CF_INLINE size_t cf_pcapng_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                                 size_t capacity, size_t *used)
{
    const char *at = (const char *)frames;
    cf_log_progress *progress = &writer->progress;
    uint8_t scratch[CF_PCAPNG_FRAME_MAX];
    size_t done = 0, i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const unsigned channel = head->channel;
        const int64_t time = head->timestamp_ns;
        const int described = progress->interface_ids[channel] != 0;
        const uint32_t id = described ? progress->interface_ids[channel] - 1u : progress->interfaces;
        const size_t room = capacity - done;
        uint8_t *to = room < sizeof scratch ? scratch : out + done;
        size_t size = described ? 0 : cf_pcapng_interface(writer, channel, id, to);
        size += cf_pcapng_packet(head, stride, id, to + size);
        if (size > room)
            break;
        if (to == scratch)
            memcpy(out + done, scratch, size);
        done += size;
        if (CF_UNLIKELY(!described))
            progress->interface_ids[channel] = (uint16_t)(++progress->interfaces);
        progress->last_ns[channel] = time;
        progress->channel_frames[channel]++;
    }
    progress->frames += i;
    *used = done;
    return i;
}

/* Describes a channel now, if it is not yet; its size in out (room for CF_PCAPNG_FRAME_MAX), or 0. */
CF_INLINE size_t cf_pcapng_describe(cf_log_writer *writer, unsigned channel, uint8_t *out)
{
    cf_log_progress *progress = &writer->progress;
    size_t size;
    if (progress->interface_ids[channel])
        return 0;
    size = cf_pcapng_interface(writer, channel, progress->interfaces, out);
    progress->interface_ids[channel] = (uint16_t)(++progress->interfaces);
    return size;
}

/* A format's `begin`: the section header. */
CF_INLINE size_t cf_pcapng_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    (void)writer;
    return cf_pcapng_section(application, out);
}

/* Interface Statistics Block of a channel into out (room for CF_PCAPNG_FRAME_MAX); its size.
 * counters[i] counts where bit i of `counted` is set; time: that of the channel's last frame. `comment`, of which the
 * first CF_PCAPNG_COMMENT_MAX bytes are taken, may be empty. */
CF_INLINE size_t cf_pcapng_statistics(cf_log_writer *writer, unsigned channel, const uint64_t *counters,
                                      unsigned counted, const char *comment, uint8_t *out)
{
    char text[CF_PCAPNG_COMMENT_MAX + 1];
    const uint64_t time = (uint64_t)writer->progress.last_ns[channel];
    const size_t size = cf_pcapng_describe(writer, channel, out);
    uint8_t *block = out + size, *p = cf_put32(block, CF_PCAPNG_STATISTICS) + 4;
    unsigned i;
    p = cf_put32(p, writer->progress.interface_ids[channel] - 1u);
    p = cf_put32(cf_put32(p, (uint32_t)(time >> 32)), (uint32_t)time);
    for (i = 0; i < CF_LOG_COUNTERS; i++)
        if (counted >> i & 1)
            p = cf_put64(cf_pcapng_option(p, CF_PCAPNG_OPT_FIRST_COUNTER + i, 8), counters[i]);
    if (comment[0]) {
        memset(text, 0, sizeof text);
        strncpy(text, comment, CF_PCAPNG_COMMENT_MAX);
        p = cf_pcapng_text_option(p, CF_PCAPNG_OPT_COMMENT, text);
    }
    p = cf_pcapng_option(p, CF_PCAPNG_OPT_END, 0);
    return size + cf_pcapng_close(block, p);
}

#endif
