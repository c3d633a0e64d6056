/* canal_fast/logs/blf_write.h - records into Vector BLF objects; the caller packs them into containers.
 *
 * CAN_MESSAGE (1) for classical frames, CAN_FD_MESSAGE (100) for FD, CAN_ERROR_EXT (73) and OVERLOAD (3) for error
 * frames, an OVERRUN_ERROR (91) before a frame with GAP, AppText (65) for the name of a channel. Times in ns after the
 * start. blf_object.h says where the fields stand.
 */
#ifndef CANAL_FAST_LOGS_BLF_WRITE_H
#define CANAL_FAST_LOGS_BLF_WRITE_H

#include "blf_object.h"
#include "pcapng_write.h"
#include "screen.h"
#include "writing.h"

enum {
    CF_BLF_WRITE_MAX = 256,
    CF_BLF_API_VERSION = 4080200, /* 4.8.2.0 */
    CF_BLF_LEVEL = 1,
    CF_BLF_NS = 2 /* flag of an object: its time is in ns */
};

/* An object's header of 32 bytes; the position of its body, which is zeroed: `body` bytes. */
CF_INLINE uint8_t *cf_blf_put_head(uint8_t *out, unsigned type, unsigned body, int64_t offset)
{
    uint8_t *p = cf_put_text(out, "LOBJ");
    p = cf_put16(cf_put16(p, CF_BLF_TIMED_HEAD), 1);
    p = cf_put32(cf_put32(p, CF_BLF_TIMED_HEAD + body), type);
    p = cf_put32(cf_put32(p, CF_BLF_NS), 0);
    p = cf_put64(p, (uint64_t)offset);
    memset(p, 0, body);
    return p;
}

CF_INLINE uint32_t cf_blf_identifier(const cf_frame_head *head)
{
    return (head->arbitration_id & CF_MAX_EXTENDED_ID) | (head->flags & CF_FLAG_EXTENDED_ID ? CF_BLF_EXTENDED : 0);
}

CF_INLINE uint8_t *cf_blf_put_error(uint8_t *out, const cf_frame_head *head, int64_t offset)
{
    uint8_t *p;
    if (cf_log_is_overload(head)) {
        p = cf_blf_put_head(out, CF_BLF_OVERLOAD, 8, offset);
        cf_put16(p, head->channel + 1u);
        return p + 8;
    }
    p = cf_blf_put_head(out, CF_BLF_ERROR_EXTENDED, 32, offset);
    cf_put16(p, head->channel + 1u);
    cf_put32(p + 4, 3); /* both codes are right */
    p[8] = (uint8_t)cf_log_ecc_of(head);
    cf_put16(p + 20, cf_log_code_of(head));
    return p + 32;
}

CF_INLINE size_t cf_blf_put(const cf_log_writer *writer, const cf_frame_head *head, size_t stride, uint8_t *out)
{
    const int64_t offset = cf_log_offset(writer, head);
    const unsigned flags = head->flags, length = cf_log_length(head, stride);
    const uint8_t *data = cf_record_data(head);
    uint8_t *p = out;
    unsigned i;
    if (CF_UNLIKELY(flags & CF_FLAG_GAP)) {
        p = cf_blf_put_head(p, CF_BLF_OVERRUN, 8, offset);
        cf_put16(cf_put32(p, 1), head->channel + 1u);
        p += 8;
    }
    if (CF_UNLIKELY(flags & CF_FLAG_ERROR_FRAME))
        return (size_t)(cf_blf_put_error(p, head, offset) - out);
    if (cf_log_is_flexible(head, stride)) {
        p = cf_blf_put_head(p, CF_BLF_FD_MESSAGE, 88, offset);
        p[13] = (uint8_t)(CF_BLF_FD_EDL | (flags & CF_FLAG_BITRATE_SWITCH ? CF_BLF_FD_BRS : 0) |
                          (flags & CF_FLAG_ERROR_STATE_INDICATOR ? CF_BLF_FD_ESI : 0));
        p[14] = (uint8_t)length;
        memcpy(p + 20, data, length);
        i = 88;
    } else {
        p = cf_blf_put_head(p, CF_BLF_MESSAGE, 16, offset);
        for (i = 0; i < CF_CLASSICAL_DATA; i++) /* no branch on the length, which nobody can predict */
            p[8 + i] = (uint8_t)(data[i] & (i < length ? 0xFF : 0));
        i = 16;
    }
    cf_put16(p, head->channel + 1u);
    p[2] = (uint8_t)((flags & CF_FLAG_TX ? 1 : 0) | (flags & CF_FLAG_REMOTE ? CF_BLF_REMOTE : 0));
    p[3] = head->dlc & 15;
    cf_put32(p + 4, cf_blf_identifier(head));
    return (size_t)(p + i - out);
}

CF_INLINE size_t cf_blf_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                              size_t capacity, size_t *used)
{
    return cf_log_write_each(writer, frames, count, stride, out, capacity, used, CF_BLF_WRITE_MAX, cf_blf_put);
}

/* A SYSTEMTIME: year, month, weekday, day, hour, minute, second, millisecond. */
CF_INLINE void cf_blf_put_time(uint8_t *p, int64_t wall_ns)
{
    cf_log_date date;
    cf_log_split(wall_ns, &date);
    p = cf_put16(cf_put16(p, date.year), date.month);
    p = cf_put16(cf_put16(p, date.weekday), date.day);
    p = cf_put16(cf_put16(p, date.hour), date.minute);
    cf_put16(cf_put16(p, date.second), date.millisecond);
}

/* The file's header with what is known at its end. */
CF_INLINE size_t cf_blf_finish(cf_log_writer *writer, uint64_t size, uint64_t inflated, uint8_t *out)
{
    const cf_log_progress *progress = &writer->progress;
    memset(out, 0, CF_BLF_FILE_HEADER);
    cf_put32(cf_put32(cf_put_text(out, "LOGG"), CF_BLF_FILE_HEADER), CF_BLF_API_VERSION);
    out[13] = CF_BLF_LEVEL;
    cf_put64(cf_put64(out + 16, size), inflated);
    cf_put32(out + 32, (uint32_t)(progress->frames + progress->gaps + progress->interfaces));
    if (writer->has_start) {
        cf_blf_put_time(out + 40, writer->wall_ns);
        if (progress->frames > 0)
            cf_blf_put_time(out + 56, (int64_t)((uint64_t)writer->wall_ns + (uint64_t)progress->latest_ns -
                                                (uint64_t)writer->start_ns));
    }
    return CF_BLF_FILE_HEADER;
}

/* The same before anything is known: sizes, counts and end are 0, as a logger that died leaves them. */
CF_INLINE size_t cf_blf_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    (void)application;
    return cf_blf_finish(writer, 0, 0, out);
}

/* A channel's name, once. The text is filled up with zeros to a multiple of 4, so that nothing pads the object. */
CF_INLINE size_t cf_blf_describe(cf_log_writer *writer, unsigned channel, uint8_t *out)
{
    cf_log_progress *progress = &writer->progress;
    const size_t length = strlen(writer->channels[channel].name);
    const unsigned padded = (unsigned)(length + 1 + 3) & ~3u;
    uint8_t *p;
    if (progress->interface_ids[channel])
        return 0;
    progress->interface_ids[channel] = (uint16_t)(++progress->interfaces);
    p = cf_blf_put_head(out, CF_BLF_TEXT, 16 + padded, 0);
    cf_put32(cf_put32(cf_put32(p, 1), 1u << 16 | (channel + 1u) << 8), (uint32_t)length + 1);
    p[16] = ';';
    memcpy(p + 17, writer->channels[channel].name, length);
    return CF_BLF_TIMED_HEAD + 16 + padded;
}

CF_INLINE size_t cf_blf_container(size_t packed, size_t inflated, uint8_t *out, size_t *padding)
{
    uint8_t *p = cf_put_text(out, "LOBJ");
    p = cf_put16(cf_put16(p, CF_BLF_HEAD), 1);
    p = cf_put32(cf_put32(p, (uint32_t)(CF_BLF_CONTAINER_HEAD + packed)), CF_BLF_CONTAINER);
    p = cf_put32(cf_put32(p, CF_LOG_ZLIB), 0);
    cf_put32(cf_put32(p, (uint32_t)inflated), 0);
    *padding = packed % 4;
    return CF_BLF_CONTAINER_HEAD;
}

#endif
