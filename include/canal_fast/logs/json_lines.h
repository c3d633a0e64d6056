/* canal_fast/logs/json_lines.h - frames as lines of JSON, one object each, with a blank behind each colon and comma:
 *
 * {"timestamp_ns": 1, "interface": "can0", "channel": 0, "arbitration_id": 291, "dlc": 1, "flags": [], "data": "0f"}
 */
#ifndef CANAL_FAST_LOGS_JSON_LINES_H
#define CANAL_FAST_LOGS_JSON_LINES_H

#include "../decimal.h"
#include "../frame.h"

enum { CF_JSON_LINE_MAX = 512 }; /* bytes of a line at most, what stands for its channel apart */

CF_INLINE char *cf_json_put(char *out, const char *text)
{
    const size_t size = strlen(text);
    memcpy(out, text, size);
    return out + size;
}

/* Names of the flags that are known, in the order of their bits. */
CF_INLINE char *cf_json_flags(char *out, unsigned flags)
{
    size_t index;
    const char *before = "\"";
    for (index = 0; flags & CF_FLAGS_KNOWN; index++) {
        const cf_code *row = cf_flag_row(index);
        if (!(flags & (unsigned)row->number))
            continue;
        flags &= ~(unsigned)row->number;
        out = cf_json_put(cf_json_put(out, before), row->name);
        *out++ = '"';
        before = ", \"";
    }
    return out;
}

/* One record (stride 24 or 80) with its newline, no NUL; `about`: the members that tell its channel. */
CF_INLINE char *cf_json_line(char *out, const void *record, size_t stride, const char *about, size_t about_size)
{
    static const char hex[] = "0123456789abcdef";
    const cf_frame_head *head = (const cf_frame_head *)record;
    const uint8_t *data = cf_record_data(head);
    const size_t room = stride - sizeof(cf_frame_head);
    size_t length = cf_payload_length(head->flags, head->dlc), i;
    if (length > room)
        length = room;
    out = cf_json_put(out, "{\"timestamp_ns\": ");
    out = cf_put_signed(out, head->timestamp_ns);
    out = cf_json_put(out, ", ");
    memcpy(out, about, about_size);
    out = cf_json_put(out + about_size, ", \"arbitration_id\": ");
    out = cf_put_unsigned(out, head->arbitration_id);
    out = cf_put_unsigned(cf_json_put(out, ", \"dlc\": "), head->dlc);
    out = cf_json_flags(cf_json_put(out, ", \"flags\": ["), head->flags);
    out = cf_json_put(out, "], \"data\": \"");
    for (i = 0; i < length; i++) {
        *out++ = hex[data[i] >> 4];
        *out++ = hex[data[i] & 15];
    }
    return cf_json_put(out, "\"}\n");
}

/* Writes as many of `count` records as fit `capacity`; their number, with the bytes in *used. What tells channel c
 * (`"interface": "can0", "channel": 0`) is about[places[c]..places[c + 1]), for 256 channels. A record whose line might
 * not fit is left: `capacity` holds CF_JSON_LINE_MAX and the longest of these at least. */
CF_INLINE size_t cf_json_lines(const void *frames, size_t count, size_t stride, const char *about,
                               const uint32_t *places, char *out, size_t capacity, size_t *used)
{
    const char *at = (const char *)frames;
    char *p = out;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const unsigned channel = ((const cf_frame_head *)at)->channel;
        const size_t size = places[channel + 1] - places[channel];
        if (capacity - (size_t)(p - out) < CF_JSON_LINE_MAX + size)
            break;
        p = cf_json_line(p, at, stride, about + places[channel], size);
    }
    *used = (size_t)(p - out);
    return i;
}

#endif
