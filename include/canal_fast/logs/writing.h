/* canal_fast/logs/writing.h - what the writers of all formats share: records one by one, decimal numbers, offsets. */
#ifndef CANAL_FAST_LOGS_WRITING_H
#define CANAL_FAST_LOGS_WRITING_H

#include "../decimal.h"
#include "reading.h"

enum { CF_LOG_WRITE_MAX = 1024 }; /* no format's record takes more */

/* One record (stride 24 or 80) into out, with what has to stand before it; its bytes, at most CF_LOG_WRITE_MAX. The
 * writer's progress is that before the record. */
typedef size_t (*cf_log_put_record)(const cf_log_writer *writer, const cf_frame_head *head, size_t stride,
                                    uint8_t *out);

/* A format's `write` by its `put`, which is inlined where it is a constant and takes `most` bytes at most. */
CF_INLINE size_t cf_log_write_each(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                                   size_t capacity, size_t *used, size_t most, cf_log_put_record put)
{
    const char *at = (const char *)frames;
    cf_log_progress *progress = &writer->progress;
    uint8_t scratch[CF_LOG_WRITE_MAX];
    size_t done = 0, i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const size_t room = capacity - done;
        uint8_t *to = CF_UNLIKELY(room < most) ? scratch : out + done;
        const size_t size = put(writer, head, stride, to);
        if (size > room)
            break;
        if (CF_UNLIKELY(to == scratch))
            memcpy(out + done, scratch, size);
        done += size;
        progress->frames++;
        progress->gaps += (head->flags & CF_FLAG_GAP) != 0;
        progress->latest_ns = head->timestamp_ns;
        progress->last_ns[head->channel] = head->timestamp_ns;
        progress->channel_frames[head->channel]++;
    }
    *used = done;
    return i;
}

/* Is this a CAN FD frame? Its 64 data bytes are there only in records of 80 bytes. */
CF_INLINE int cf_log_is_flexible(const cf_frame_head *head, size_t stride)
{
    return (head->flags & CF_FLAG_FD) && !(head->flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS)) &&
           stride == sizeof(cf_fd_frame);
}

/* Data bytes of a record: none of a remote frame, at most 8 where no FD data are there. */
CF_INLINE unsigned cf_log_length(const cf_frame_head *head, size_t stride)
{
    return cf_payload_length(cf_log_is_flexible(head, stride) ? head->flags : head->flags & ~(unsigned)CF_FLAG_FD,
                             head->dlc & 15u);
}

/* Offset of a record from the start, modulo 2^64: screen.h has seen to it that it fits. */
CF_INLINE int64_t cf_log_offset(const cf_log_writer *writer, const cf_frame_head *head)
{
    return (int64_t)((uint64_t)head->timestamp_ns - (uint64_t)writer->start_ns);
}

/* Text at p; the position behind it. */
CF_INLINE uint8_t *cf_put_text(uint8_t *p, const char *text)
{
    const size_t length = strlen(text);
    memcpy(p, text, length);
    return p + length;
}

/* clang-format off */
#define CF_LOG_TEN(X, d) X(d "0") X(d "1") X(d "2") X(d "3") X(d "4") X(d "5") X(d "6") X(d "7") X(d "8") X(d "9")
#define CF_LOG_SIXTEEN(X, d) CF_LOG_TEN(X, d) X(d "A") X(d "B") X(d "C") X(d "D") X(d "E") X(d "F")
/* clang-format on */

/* `value` in `width` decimal digits (its last ones), zeros in front. */
CF_INLINE uint8_t *cf_put_decimal(uint8_t *p, uint64_t value, unsigned width)
{
#define CF_LOG_PAIR(digits) digits
    static const char pairs[] = /* 00 01 .. 99 */
        CF_LOG_TEN(CF_LOG_PAIR, "0") CF_LOG_TEN(CF_LOG_PAIR, "1") CF_LOG_TEN(CF_LOG_PAIR, "2")
            CF_LOG_TEN(CF_LOG_PAIR, "3") CF_LOG_TEN(CF_LOG_PAIR, "4") CF_LOG_TEN(CF_LOG_PAIR, "5")
                CF_LOG_TEN(CF_LOG_PAIR, "6") CF_LOG_TEN(CF_LOG_PAIR, "7") CF_LOG_TEN(CF_LOG_PAIR, "8")
                    CF_LOG_TEN(CF_LOG_PAIR, "9");
#undef CF_LOG_PAIR
    uint8_t *digit = p + width;
    while (digit - p >= 2) {
        digit -= 2;
        memcpy(digit, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (digit > p)
        *p = (uint8_t)('0' + value % 10);
    return p + width;
}

/* Nanoseconds in units of 10^scale ns with `decimals` decimals (3 and 6 for milliseconds to the microsecond: scale 6),
 * rounded down, blanks in front up to `width` characters of the whole part. */
CF_INLINE uint8_t *cf_put_fixed(uint8_t *p, int64_t ns, unsigned scale, unsigned decimals, unsigned width)
{
    static const uint32_t tens[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    const int negative = ns < 0;
    const uint32_t step = tens[scale - decimals], unit = tens[decimals]; /* constants where the call is inlined */
    const uint64_t magnitude = negative ? 0u - (uint64_t)ns : (uint64_t)ns;
    const uint64_t shown = magnitude / step + (negative && magnitude % step != 0);
    p = cf_put_padded(p, shown / unit, negative, width);
    *p++ = '.';
    return cf_put_decimal(p, shown % unit, decimals);
}

/* ` 05 0C FF`: each byte in two hexadecimal digits, a blank in front. One byte behind them is written, too. */
CF_INLINE uint8_t *cf_put_spaced(uint8_t *p, const uint8_t *bytes, unsigned count)
{
#define CF_LOG_SPACED(digits) " " digits " "
    static const char four[] = /* four characters for each byte */
        CF_LOG_SIXTEEN(CF_LOG_SPACED, "0") CF_LOG_SIXTEEN(CF_LOG_SPACED, "1") CF_LOG_SIXTEEN(CF_LOG_SPACED, "2")
            CF_LOG_SIXTEEN(CF_LOG_SPACED, "3") CF_LOG_SIXTEEN(CF_LOG_SPACED, "4") CF_LOG_SIXTEEN(CF_LOG_SPACED, "5")
                CF_LOG_SIXTEEN(CF_LOG_SPACED, "6") CF_LOG_SIXTEEN(CF_LOG_SPACED, "7") CF_LOG_SIXTEEN(CF_LOG_SPACED, "8")
                    CF_LOG_SIXTEEN(CF_LOG_SPACED, "9") CF_LOG_SIXTEEN(CF_LOG_SPACED, "A")
                        CF_LOG_SIXTEEN(CF_LOG_SPACED, "B") CF_LOG_SIXTEEN(CF_LOG_SPACED, "C")
                            CF_LOG_SIXTEEN(CF_LOG_SPACED, "D") CF_LOG_SIXTEEN(CF_LOG_SPACED, "E")
                                CF_LOG_SIXTEEN(CF_LOG_SPACED, "F");
#undef CF_LOG_SPACED
    unsigned i;
    for (i = 0; i < count; i++, p += 3)
        memcpy(p, four + 4 * (size_t)bytes[i], 4);
    return p;
}

/* `value` in hexadecimal, at least `width` digits. */
CF_INLINE uint8_t *cf_put_hexadecimal(uint8_t *p, uint32_t value, unsigned width)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned count = width > 1 ? width : 1, i;
    while (count < 8 && value >> (4 * count) != 0)
        count++;
    for (i = count; i > 0; i--)
        *p++ = (uint8_t)digits[value >> (4 * (i - 1)) & 15];
    return p;
}

/* A date and time of day, split. */
typedef struct cf_log_date {
    unsigned year, month, day, weekday; /* weekday: 0 = Sunday */
    unsigned hour, minute, second, millisecond;
    int64_t days; /* after 1970-01-01 */
    uint64_t rest_ns; /* since midnight */
} cf_log_date;

/* The wall clock `ns` after 1970-01-01 00:00. */
CF_INLINE void cf_log_split(int64_t ns, cf_log_date *date)
{
    const int64_t day_ns = INT64_C(86400000000000);
    const int64_t days = ns / day_ns - (ns % day_ns < 0);
    int64_t year = 1970 + days / 366;
    unsigned month = 1;
    while (cf_log_days(year, 1, 1) > days)
        year--;
    while (cf_log_days(year + 1, 1, 1) <= days)
        year++;
    while (month < 12 && cf_log_days(year, month + 1, 1) <= days)
        month++;
    date->days = days;
    date->rest_ns = (uint64_t)ns - (uint64_t)days * (uint64_t)day_ns;
    date->year = (unsigned)year;
    date->month = month;
    date->day = (unsigned)(days - cf_log_days(year, month, 1)) + 1;
    date->weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
    date->hour = (unsigned)(date->rest_ns / UINT64_C(3600000000000));
    date->minute = (unsigned)(date->rest_ns / UINT64_C(60000000000) % 60);
    date->second = (unsigned)(date->rest_ns / UINT64_C(1000000000) % 60);
    date->millisecond = (unsigned)(date->rest_ns / UINT64_C(1000000) % 1000);
}

#endif
