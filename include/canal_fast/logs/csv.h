/* canal_fast/logs/csv.h - comma-separated values as python-can and GVRET (SavvyCAN) write them, into records.
 *
 *     timestamp,arbitration_id,extended,remote,error,dlc,data
 *     1483389946.197,0x123,0,0,0,2,AQI=                              data in base64; dlc counts bytes, above 8: FD
 *
 *     Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8     version 1 has no Dir
 *     166064000,0000021A,false,Rx,0,8,FE,36,12,FE,69,05,07,AD,       microseconds; buses count from 0; LEN above 8: FD
 */
#ifndef CANAL_FAST_LOGS_CSV_H
#define CANAL_FAST_LOGS_CSV_H

#include "csv_write.h"
#include "lines.h"

/* reader->own */
typedef struct cf_csv {
    uint8_t header;    /* it was read */
    uint8_t direction; /* GVRET: there is a column Dir */
    uint8_t behind;    /* GVRET: characters behind LEN in the line before */
} cf_csv;

#define CF_CSV_PYTHON_CAN "timestamp,arbitration_id,extended,remote,error,dlc,data"
#define CF_CSV_GVRET "time stamp,id,extended,"

CF_INLINE cf_status cf_csv_trouble(cf_log_reader *reader, const char *line, const char *p, cf_status status)
{
    reader->column = (size_t)(p - line);
    return status;
}

/* The comma at p, and the position behind it; NULL when there is none. */
CF_INLINE const char *cf_csv_comma(const char *p, const char *end)
{
    return p < end && *p == ',' ? p + 1 : NULL;
}

/* A number as Python writes floats, in seconds: `1483389946.197`, `5e-06`. As cf_text_decimal. */
CF_INLINE const char *cf_csv_seconds(const char *p, const char *end, int64_t *ns, int *ok)
{
    const char *first = p, *after = cf_text_decimal(p, end, 9, ns, ok);
    uint64_t digits = 0, exponent, round;
    unsigned count;
    int shift = 9, down, point = 0;
    if (CF_LIKELY(!*ok || after == end || (*after != 'e' && *after != 'E')))
        return after;
    *ok = 0;
    for (p += *p == '-'; p < after; p++) {
        if (*p == '.') {
            point = 1;
            continue;
        }
        if (digits > UINT64_C(99999999999999999)) /* eighteen digits; a double has seventeen */
            return p;
        digits = digits * 10 + (uint64_t)(*p - '0');
        shift -= point;
    }
    p = after + 1;
    down = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    p = cf_text_unsigned(p, end, &exponent, &count);
    if (count == 0 || count > 3)
        return p;
    shift += down ? -(int)exponent : (int)exponent;
    if (shift < -18) {
        digits = 0;
    } else if (shift < 0) {
        round = cf_power_of_ten((unsigned)-shift);
        digits = (digits + round / 2) / round;
    } else if (digits != 0) {
        if (shift > 18 || digits > (uint64_t)INT64_MAX / cf_power_of_ten((unsigned)shift))
            return p;
        digits *= cf_power_of_ten((unsigned)shift);
    }
    *ns = *first == '-' ? -(int64_t)digits : (int64_t)digits;
    *ok = 1;
    return p;
}

/* The header of `format`, or trouble; p is the line without blanks around it. */
CF_INLINE cf_status cf_csv_header(cf_log_reader *reader, const char *line, const char *p, const char *end, int gvret)
{
    cf_csv *own = (cf_csv *)reader->own;
    const char *at = p + sizeof CF_CSV_GVRET - 1;
    if (reader->unended)
        return CF_LOG_CUT;
    own->direction = (uint8_t)(gvret && cf_text_begins(at, end, "dir,"));
    own->header = 1;
    at += own->direction ? 4 : 0;
    if (!gvret ? cf_word_is(p, end, CF_CSV_PYTHON_CAN)
               : cf_text_begins(p, end, CF_CSV_GVRET) && cf_text_begins(at, end, "bus,len") &&
                     (at + 7 == end || at[7] == ','))
        return CF_LOG_BLANK;
    own->header = 0;
    return cf_csv_trouble(reader, line, p, CF_CSV_HEADER);
}

/* One line of python-can's file. */
CF_INLINE cf_status cf_csv_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    const cf_csv *own = (const cf_csv *)reader->own;
    const char *end = cf_trim_line(line, line + length), *p = cf_skip_blanks(line, end), *id, *after;
    static const uint16_t flags[3] = {CF_FLAG_EXTENDED_ID, CF_FLAG_REMOTE, CF_FLAG_ERROR_FRAME};
    uint64_t dlc;
    unsigned digits, i;
    int ok, got;
    if (p == end)
        return reader->unended ? CF_LOG_CUT : CF_LOG_BLANK;
    if (CF_UNLIKELY(!own->header))
        return cf_csv_header(reader, line, p, end, 0);
    memset(frame, 0, sizeof *frame);
    p = cf_csv_seconds(p, end, &frame->timestamp_ns, &ok);
    if (!ok || (id = cf_csv_comma(p, end)) == NULL)
        return cf_csv_trouble(reader, line, p, CF_TEXT_TIME);
    p = id;
    if (!cf_text_begins(p, end, "0x"))
        return cf_csv_trouble(reader, line, end - p < 2 ? end : p, CF_TEXT_IDENTIFIER);
    p = cf_text_hex(p + 2, end, &frame->arbitration_id, &digits);
    if (digits == 0 || p == end || *p != ',')
        return cf_csv_trouble(reader, line, p, CF_TEXT_IDENTIFIER);
    for (i = 0; i < 3; i++, p++) {
        p++;
        if (p >= end || (*p != '0' && *p != '1') || p + 1 == end || p[1] != ',')
            return cf_csv_trouble(reader, line, end - p < 2 ? end : p, CF_TEXT_FIELD);
        if (*p == '1')
            frame->flags |= flags[i];
    }
    if (frame->flags & CF_FLAG_ERROR_FRAME)
        frame->flags = CF_FLAG_ERROR_FRAME;
    if (frame->arbitration_id > (frame->flags & (CF_FLAG_EXTENDED_ID | CF_FLAG_ERROR_FRAME)
                                     ? (uint32_t)CF_MAX_EXTENDED_ID
                                     : (uint32_t)CF_MAX_STANDARD_ID))
        return cf_csv_trouble(reader, line, id, CF_TEXT_IDENTIFIER);
    after = cf_text_unsigned(p + 1, end, &dlc, &digits);
    if (digits == 0 || after == end || *after != ',' ||
        dlc > (frame->flags & (CF_FLAG_REMOTE | CF_FLAG_ERROR_FRAME) ? 8u : 64u))
        return cf_csv_trouble(reader, line, after == end ? end : p + 1, CF_TEXT_LENGTH);
    frame->dlc = (uint8_t)cf_fd_dlc((unsigned)dlc);
    if (dlc > 8)
        frame->flags |= CF_FLAG_FD;
    got = cf_csv_base64(after + 1, end, frame->data, &p);
    if (got < 0 || (got != (int)dlc && !(got == 0 && frame->flags & (CF_FLAG_REMOTE | CF_FLAG_ERROR_FRAME))))
        return cf_csv_trouble(reader, line, got < (int)dlc ? p : after + 1, CF_TEXT_DATA);
    if (frame->flags & CF_FLAG_REMOTE)
        memset(frame->data, 0, sizeof frame->data);
    return CF_OK;
}

/* GVRET's `LEN,D1,...` at p: what a line has behind its bus. */
CF_INLINE cf_status cf_gvret_payload(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                     cf_fd_frame *frame)
{
    cf_csv *own = (cf_csv *)reader->own;
    const char *first = p;
    unsigned n, count = 0, given = 0, length = p < end && cf_is_digit(*p) ? (unsigned)(*p - '0') : 255;
    if (length < 10 && p + 1 < end && cf_is_digit(p[1]))
        length = length * 10 + (unsigned)(*++p - '0');
    frame->dlc = (uint8_t)cf_fd_dlc(length);
    if (length != cf_fd_length(frame->dlc) || (p + 1 < end && p[1] != ','))
        return cf_csv_trouble(reader, line, first, CF_TEXT_LENGTH);
    p++;
    for (n = 0; n < length && p < end; n++) { /* bytes that are left out are zeros */
        unsigned value = 0, digits = 0, digit;
        for (p++; p < end && digits < 2 && (digit = cf_hex_digit(*p)) < 16; p++, digits++)
            value = value << 4 | digit;
        if (p < end && *p != ',')
            return cf_csv_trouble(reader, line, p, CF_TEXT_DATA);
        frame->data[n] = (uint8_t)value;
        given += digits > 0;
        count += digits == 2;
    }
    if (CF_UNLIKELY(reader->unended)) /* whole where it is as long as the line before */
        return count == length && own->behind == (uint8_t)(end - first) ? CF_OK : CF_LOG_CUT;
    own->behind = (uint8_t)(end - first);
    if (length > CF_CLASSICAL_DATA) {
        frame->flags |= CF_FLAG_FD;
        if (given < length) { /* SavvyCAN writes eight, whatever LEN is */
            cf_log_skip(reader, "CAN FD frame with data left out");
            return CF_LOG_BLANK;
        }
    }
    return CF_OK;
}

/* One line of GVRET's file. */
CF_INLINE cf_status cf_gvret_line(cf_log_reader *reader, const char *line, size_t size, cf_fd_frame *frame)
{
    const cf_csv *own = (const cf_csv *)reader->own;
    const char *end = cf_trim_line(line, line + size), *p = cf_skip_blanks(line, end), *id;
    uint64_t bus;
    unsigned digits;
    int ok, extended;
    if (p == end)
        return reader->unended ? CF_LOG_CUT : CF_LOG_BLANK;
    if (CF_UNLIKELY(!own->header))
        return cf_csv_header(reader, line, p, end, 1);
    memset(frame, 0, sizeof *frame);
    p = cf_text_decimal(p, end, 3, &frame->timestamp_ns, &ok);
    if (!ok || (id = cf_csv_comma(p, end)) == NULL)
        return cf_csv_trouble(reader, line, p, CF_TEXT_TIME);
    id += cf_text_begins(id, end, "0x") ? 2 : 0;
    p = cf_text_hex(id, end, &frame->arbitration_id, &digits);
    if (digits == 0 || frame->arbitration_id > CF_MAX_EXTENDED_ID || p == end || *p != ',')
        return cf_csv_trouble(reader, line, digits && p < end ? id : p, CF_TEXT_IDENTIFIER);
    p++;
    extended = cf_text_begins(p, end, "true,");
    if (!extended && !cf_text_begins(p, end, "false,"))
        return cf_csv_trouble(reader, line, end - p < 6 ? end : p, CF_TEXT_FIELD);
    if (extended || frame->arbitration_id > CF_MAX_STANDARD_ID) /* some writers leave `false` on long identifiers */
        frame->flags = CF_FLAG_EXTENDED_ID;
    p += extended ? 5 : 6;
    if (own->direction) {
        if (cf_text_begins(p, end, "tx,"))
            frame->flags |= CF_FLAG_TX;
        else if (!cf_text_begins(p, end, "rx,"))
            return cf_csv_trouble(reader, line, end - p < 3 ? end : p, CF_TEXT_FIELD);
        p += 3;
    }
    id = p;
    p = cf_text_unsigned(p, end, &bus, &digits);
    if (digits == 0 || p == end || *p != ',')
        return cf_csv_trouble(reader, line, p == end ? end : id, CF_TEXT_FIELD);
    if (bus > 255) {
        if (reader->unended)
            return CF_LOG_CUT;
        cf_log_skip(reader, CF_LOG_KIND_CHANNEL);
        return CF_LOG_BLANK;
    }
    frame->channel = (uint8_t)bus;
    return cf_gvret_payload(reader, line, p + 1, end, frame);
}

CF_INLINE cf_status cf_csv_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_log_read_lines(reader, call, cf_csv_line);
}

CF_INLINE cf_status cf_gvret_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_log_read_lines(reader, call, cf_gvret_line);
}

/* Does the recording begin with this header? Another one of three commas and more is perhaps meant to be one. */
CF_INLINE int cf_csv_recognise_header(const uint8_t *head, size_t size, int whole, const char *header)
{
    const char *p = (const char *)head, *end = p + size, *stop;
    unsigned commas = 0;
    if (memchr(head, 0, size) != NULL)
        return CF_LOG_NO;
    while (p < end && (cf_is_blank(*p) || *p == '\r' || *p == '\n'))
        p++;
    if (cf_text_begins(p, end, header))
        return CF_LOG_SURE;
    stop = (const char *)memchr(p, '\n', (size_t)(end - p));
    if (stop == NULL) {
        return whole && size > 0 && cf_text_is_cut(p, end, header) ? CF_LOG_PERHAPS : CF_LOG_NO;
    }
    for (; p < stop; p++)
        commas += *p == ',';
    return commas >= 3 ? CF_LOG_PERHAPS : CF_LOG_NO;
}

CF_INLINE int cf_csv_recognise(const uint8_t *head, size_t size, int whole)
{
    return cf_csv_recognise_header(head, size, whole, CF_CSV_PYTHON_CAN);
}

CF_INLINE int cf_gvret_recognise(const uint8_t *head, size_t size, int whole)
{
    return cf_csv_recognise_header(head, size, whole, CF_CSV_GVRET);
}

CF_INLINE const cf_log_format *cf_log_format_csv(void)
{
    static const cf_log_target target = {1, 1, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES, 0, NULL, NULL, NULL, NULL};
    static const cf_log_format row = {"csv",
                                      "python-can's CSV",
                                      ".csv",
                                      "line",
                                      0,
                                      CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_REMOTE |
                                          CF_LOG_KEEPS_ERRORS | CF_LOG_KEEPS_ERROR_FRAMES,
                                      sizeof(cf_csv),
                                      cf_csv_recognise,
                                      cf_csv_read,
                                      cf_csv_write,
                                      CF_CSV_WRITE_MAX,
                                      cf_csv_begin,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

CF_INLINE const cf_log_format *cf_log_format_csv_gvret(void)
{
    static const cf_log_target target = {1000, 1000, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES,
                                         0,    NULL, NULL,      NULL,      NULL};
    static const cf_log_format row = {"csv-gvret",
                                      "GVRET's CSV (SavvyCAN)",
                                      ".csv",
                                      "line",
                                      0,
                                      CF_LOG_KEEPS_TX | CF_LOG_KEEPS_CHANNEL,
                                      sizeof(cf_csv),
                                      cf_gvret_recognise,
                                      cf_gvret_read,
                                      cf_gvret_write,
                                      CF_CSV_WRITE_MAX,
                                      cf_gvret_begin,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

#endif
