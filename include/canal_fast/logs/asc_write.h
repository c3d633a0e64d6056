/* canal_fast/logs/asc_write.h - records into Vector ASC, base hex, absolute times, English names, three digits of
 * milliseconds in dates, as Vector's tools want them. */
#ifndef CANAL_FAST_LOGS_ASC_WRITE_H
#define CANAL_FAST_LOGS_ASC_WRITE_H

#include "error_code.h"
#include "screen.h"
#include "writing.h"

enum { CF_ASC_WRITE_MAX = 640, CF_ASC_BRS = 0x2000, CF_ASC_ESI = 0x4000 };

/* `date Sat Sep 30 10:06:13.191 pm 2017` without its first word. */
CF_INLINE uint8_t *cf_asc_put_date(uint8_t *p, int64_t wall_ns)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    cf_log_date date;
    cf_log_split(wall_ns, &date);
    p = cf_put_text(p, days[date.weekday]);
    *p++ = ' ';
    p = cf_put_text(p, months[date.month - 1]);
    *p++ = ' ';
    p = cf_put_padded(p, date.day, 0, 1);
    *p++ = ' ';
    p = cf_put_decimal(p, date.hour % 12 == 0 ? 12 : date.hour % 12, 2);
    *p++ = ':';
    p = cf_put_decimal(p, date.minute, 2);
    *p++ = ':';
    p = cf_put_decimal(p, date.second, 2);
    *p++ = '.';
    p = cf_put_decimal(p, date.millisecond, 3);
    p = cf_put_text(p, date.hour < 12 ? " am " : " pm ");
    return cf_put_decimal(p, date.year, 4);
}

CF_INLINE size_t cf_asc_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    uint8_t *p = out;
    if (writer->has_start)
        p = cf_put_text(cf_asc_put_date(cf_put_text(p, "date "), writer->wall_ns), "\r\n");
    p = cf_put_text(p, "base hex  timestamps absolute\r\ninternal events logged\r\n// version 9.0.0\r\n// ");
    p = cf_put_text(cf_put_text(p, application), "\r\n");
    if (writer->has_start)
        p = cf_put_text(cf_asc_put_date(cf_put_text(p, "Begin Triggerblock "), writer->wall_ns), "\r\n");
    p = cf_put_text(p, "   0.000000 Start of measurement\r\n");
    return (size_t)(p - out);
}

CF_INLINE size_t cf_asc_end(cf_log_writer *writer, uint8_t *out)
{
    return writer->has_start ? (size_t)(cf_put_text(out, "End TriggerBlock\r\n") - out) : 0;
}

/* `6F9`, `18EBFF00x`, blanks behind it up to `width`. */
CF_INLINE uint8_t *cf_asc_put_identifier(uint8_t *p, const cf_frame_head *head, unsigned width)
{
    uint8_t *end = cf_put_hexadecimal(p, head->arbitration_id & CF_MAX_EXTENDED_ID, 1);
    if (head->flags & CF_FLAG_EXTENDED_ID)
        *end++ = 'x';
    while ((size_t)(end - p) < width)
        *end++ = ' ';
    return end;
}

CF_INLINE uint8_t *cf_asc_put_direction(uint8_t *p, const cf_frame_head *head)
{
    return cf_put_text(p, head->flags & CF_FLAG_TX ? "Tx" : "Rx");
}

/* What stands behind the time in a CANFD line; the numbers behind the data are those of a frame nobody measured. */
CF_INLINE uint8_t *cf_asc_put_flexible(uint8_t *p, const cf_frame_head *head)
{
    const unsigned flags = head->flags, length = cf_fd_length(head->dlc);
    p = cf_put_padded(cf_put_text(p, "CANFD "), head->channel + 1u, 0, 3);
    *p++ = ' ';
    p = cf_put_text(cf_asc_put_direction(p, head), "   ");
    p = cf_asc_put_identifier(p, head, 9);
    memset(p, ' ', 34);
    p += 34;
    *p++ = (uint8_t)(flags & CF_FLAG_BITRATE_SWITCH ? '1' : '0');
    *p++ = ' ';
    *p++ = (uint8_t)(flags & CF_FLAG_ERROR_STATE_INDICATOR ? '1' : '0');
    *p++ = ' ';
    *p++ = (uint8_t)("0123456789abcdef"[head->dlc & 15]);
    *p++ = ' ';
    p = cf_put_spaced(cf_put_padded(p, length, 0, 2), cf_record_data(head), length);
    p = cf_put_text(p, "        0    0     ");
    p = cf_put_hexadecimal(p,
                           0x1000u | (flags & CF_FLAG_BITRATE_SWITCH ? (unsigned)CF_ASC_BRS : 0) |
                               (flags & CF_FLAG_ERROR_STATE_INDICATOR ? (unsigned)CF_ASC_ESI : 0),
                           4);
    return cf_put_text(p, "        0        0        0        0        0\r\n");
}

CF_INLINE uint8_t *cf_asc_put_error(uint8_t *p, const cf_frame_head *head)
{
    if (cf_log_is_overload(head))
        return cf_put_text(p, "OverloadFrame\r\n");
    p = cf_put_hexadecimal(cf_put_text(p, "ErrorFrame\tFlags = 0x2 CodeExt = 0x"), cf_log_code_of(head), 1);
    return cf_put_text(p, " Code = 0x0 ID = 0 DLC = 0 Position = 0 Length = 0\r\n");
}

CF_INLINE size_t cf_asc_put(const cf_log_writer *writer, const cf_frame_head *head, size_t stride, uint8_t *out)
{
    const int64_t offset = cf_log_offset(writer, head);
    uint8_t *p = writer->nanoseconds ? cf_put_fixed(out, offset, 9, 9, 4) : cf_put_fixed(out, offset, 9, 6, 4);
    *p++ = ' ';
    if (CF_UNLIKELY(cf_log_is_flexible(head, stride)))
        return (size_t)(cf_asc_put_flexible(p, head) - out);
    p = cf_put_padded(p, head->channel + 1u, 0, 1);
    *p++ = ' ';
    *p++ = ' ';
    if (CF_UNLIKELY(head->flags & CF_FLAG_ERROR_FRAME))
        return (size_t)(cf_asc_put_error(p, head) - out);
    p = cf_asc_put_identifier(p, head, 15);
    *p++ = ' ';
    p = cf_asc_put_direction(p, head);
    p = cf_put_text(p, head->flags & CF_FLAG_REMOTE ? "   r " : "   d ");
    *p++ = (uint8_t)("0123456789abcdef"[head->dlc & 15]);
    p = cf_put_spaced(p, cf_record_data(head), cf_log_length(head, stride));
    *p++ = '\r';
    *p++ = '\n';
    return (size_t)(p - out);
}

CF_INLINE size_t cf_asc_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                              size_t capacity, size_t *used)
{
    return cf_log_write_each(writer, frames, count, stride, out, capacity, used, CF_ASC_WRITE_MAX, cf_asc_put);
}

#endif
