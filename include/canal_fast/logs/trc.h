/* canal_fast/logs/trc.h - PEAK TRC, versions 1.0, 1.1, 1.2, 1.3, 2.0, 2.1: lines of text into records.
 *
 *     1.0     1)     17535  00000100  8  00 01 02 03 04 05 06 07
 *     1.1     1)     17535.4  Tx     00000100  8  00 01 02 03 04 05 06 07
 *     1.2     1)     17535.400 1  Tx    00000100 8  00 01 02 03 04 05 06 07
 *     1.3     1)     17535.400 1  Tx    00000100 -  8    00 01 02 03 04 05 06 07
 *     2.1      1     17535.400 DT 1  00000100 Tx -  8    00 01 02 03 04 05 06 07     (by ;$COLUMNS=N,O,T,B,I,d,R,L,D)
 *
 * Offsets are milliseconds. Identifiers of four digits are base ones, of eight extended ones, whatever their value
 * (python-can writes long ones with seven: five and more are taken for extended, fewer for base).
 */
#ifndef CANAL_FAST_LOGS_TRC_H
#define CANAL_FAST_LOGS_TRC_H

#include "error_code.h"
#include "lines.h"
#include "trc_write.h"

#define CF_TRC_WARNING_ID 0xFFFFFFFFu /* version 1.0: the line is a warning */

enum { CF_TRC_FRAME, CF_TRC_ERROR, CF_TRC_OTHER };

typedef struct cf_trc_type {
    char name[6];
    uint8_t kind;
    uint16_t flags;
    const char *skipped; /* what it is counted as */
} cf_trc_type;

/* Row of the type that is the word [p, end), or NULL. */
CF_INLINE const cf_trc_type *cf_trc_find_type(const char *p, const char *end, int columns)
{
    /* clang-format off */
    static const cf_trc_type rows[] = {
        {"Rx", CF_TRC_FRAME, 0, ""},
        {"Tx", CF_TRC_FRAME, CF_FLAG_TX, ""},
        {"Error", CF_TRC_ERROR, 0, ""},
        {"Warng", CF_TRC_OTHER, 0, "warning"},
        {"DT", CF_TRC_FRAME, 0, ""},
        {"FD", CF_TRC_FRAME, CF_FLAG_FD, ""},
        {"FB", CF_TRC_FRAME, CF_FLAG_FD | CF_FLAG_BITRATE_SWITCH, ""},
        {"FE", CF_TRC_FRAME, CF_FLAG_FD | CF_FLAG_ERROR_STATE_INDICATOR, ""},
        {"BI", CF_TRC_FRAME, CF_FLAG_FD | CF_FLAG_BITRATE_SWITCH | CF_FLAG_ERROR_STATE_INDICATOR, ""},
        {"RR", CF_TRC_FRAME, CF_FLAG_REMOTE, ""},
        {"ER", CF_TRC_ERROR, 0, ""},
        {"ST", CF_TRC_OTHER, 0, "status"},
        {"EC", CF_TRC_OTHER, 0, "error counters"},
        {"EV", CF_TRC_OTHER, 0, "event"}};
    /* clang-format on */
    const size_t length = (size_t)(end - p), first = columns ? 4 : 0, last = columns ? sizeof rows / sizeof rows[0] : 4;
    size_t i;
    for (i = first; i < last; i++)
        if (length < sizeof rows[i].name && memcmp(rows[i].name, p, length) == 0 && rows[i].name[length] == 0)
            return &rows[i];
    return NULL;
}

CF_INLINE cf_status cf_trc_trouble(cf_log_reader *reader, const char *line, const char *p, cf_status status)
{
    reader->column = (size_t)(p - line);
    return status;
}

CF_INLINE cf_status cf_trc_skip(cf_log_reader *reader, const char *kind)
{
    if (reader->unended)
        return CF_LOG_CUT;
    cf_log_skip(reader, kind);
    return CF_LOG_BLANK;
}

/* Identifier at p: its digits tell its format. NULL for what is none. */
CF_INLINE const char *cf_trc_identifier(const char *p, const char *end, cf_fd_frame *frame)
{
    unsigned digits;
    p = cf_text_hex(p, end, &frame->arbitration_id, &digits);
    if (digits == 0 || (p < end && !cf_is_blank(*p)))
        return NULL;
    if (digits > 4)
        frame->flags |= CF_FLAG_EXTENDED_ID;
    return p;
}

/* An ER line from its last five bytes, wherever the columns before them are blank; `bus`: the first of these is one. */
CF_INLINE cf_status cf_trc_error_line(cf_log_reader *reader, const char *p, const char *end, int bus,
                                      cf_fd_frame *frame)
{
    uint8_t bytes[5];
    uint64_t value;
    unsigned got = 0, words = 0, digits;
    const char *word = cf_skip_blanks(p, end), *after = cf_text_unsigned(word, end, &value, &digits), *at, *last[5];
    for (at = word; at < end; words++) {
        last[words % 5] = at;
        at = cf_skip_blanks(cf_skip_word(at, end), end);
    }
    if (bus && words != 5 && digits > 0 && (after == end || cf_is_blank(*after))) {
        const int channel = cf_log_channel_number(value);
        if (channel < 0)
            return cf_trc_skip(reader, CF_LOG_KIND_CHANNEL);
        frame->channel = (uint8_t)channel;
    }
    if (words >= 5) /* `04 00 02 00 00` */
        cf_spaced_bytes(last[words % 5], end, bytes, 5, &got);
    if (reader->unended)
        return CF_LOG_CUT;
    if (got == 5)
        cf_trc_error(frame, bytes[0], bytes + 1);
    else
        cf_log_error(frame);
    return CF_OK;
}

/* Length `value` (code: a dlc; otherwise bytes) into frame->dlc; the bytes that stand in the line, or -1. */
CF_INLINE int cf_trc_length(cf_fd_frame *frame, uint64_t value, int code)
{
    const int flexible = (frame->flags & CF_FLAG_FD) != 0;
    if (value > (code ? 15u : flexible ? 64u : 8u))
        return -1;
    frame->dlc = (uint8_t)(flexible && !code ? cf_fd_dlc((unsigned)value) : value);
    return (int)(flexible && !code ? value : cf_payload_length(frame->flags, frame->dlc));
}

/* `count` data bytes at p, and nothing behind them. */
CF_INLINE cf_status cf_trc_data(cf_log_reader *reader, const char *line, const char *p, const char *end, uint8_t *data,
                                unsigned count)
{
    unsigned got;
    p = cf_skip_blanks(cf_spaced_bytes(p, end, data, count, &got), end);
    if (CF_UNLIKELY(got < count || p < end))
        return cf_trc_trouble(reader, line, got < count && end - p < 2 ? end : p, CF_TEXT_DATA);
    return reader->unended && count == 0 ? CF_LOG_CUT
                                         : CF_OK; /* where the last thing was a length, a digit may be missing */
}

/* What follows the dlc of a line of version 1: `RTR`, `ERROR ...` (1.0), or data. */
CF_INLINE cf_status cf_trc_payload(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                   const cf_trc_type *type, int extended_digits, cf_fd_frame *frame)
{
    uint8_t bytes[4];
    cf_status status;
    int length;
    p = cf_skip_blanks(p, end);
    if (type->kind == CF_TRC_ERROR || cf_word_is(p, end, "error")) {
        const unsigned kind = frame->arbitration_id;
        if (type->kind != CF_TRC_ERROR)
            p += 5;
        status = cf_trc_data(reader, line, p, end, bytes, 4);
        if (status == CF_OK)
            cf_trc_error(frame, kind, bytes);
        return status;
    }
    if (frame->arbitration_id > (extended_digits ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID))
        return cf_trc_trouble(reader, line, line, CF_TEXT_IDENTIFIER);
    if (cf_word_is(p, end, "rtr")) {
        frame->flags |= CF_FLAG_REMOTE;
        return cf_trc_data(reader, line, p + 3, end, frame->data, 0) == CF_TEXT_DATA ? CF_TEXT_DATA : CF_OK;
    }
    if (reader->unended && (cf_text_is_cut(p, end, "rtr") || cf_text_is_cut(p, end, "error")))
        return CF_LOG_CUT;
    length = cf_trc_length(frame, frame->dlc, 1);
    return cf_trc_data(reader, line, p, end, frame->data, (unsigned)length);
}

/* What follows number and offset at p, versions 1.0 to 1.3. */
CF_INLINE cf_status cf_trc_fixed(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                 unsigned version, cf_fd_frame *frame)
{
    static const cf_trc_type plain = {"", CF_TRC_FRAME, 0, ""};
    const cf_trc_type *type = &plain;
    const char *word, *id;
    cf_status status;
    uint64_t bus = 1, dlc;
    unsigned digits;
    int channel;
    if (version >= 12) {
        word = p;
        p = cf_text_unsigned(p, end, &bus, &digits);
        if (digits == 0 || p == end || !cf_is_blank(*p))
            return cf_trc_trouble(reader, line, p, CF_TEXT_FIELD);
        p = cf_skip_blanks(p, end);
    }
    if (version >= 11) {
        word = p;
        p = cf_skip_word(p, end);
        type = cf_trc_find_type(word, p, 0);
        if (type == NULL)
            return cf_trc_trouble(reader, line, p == end ? p : word, CF_TRC_TYPE);
        if (type->kind == CF_TRC_OTHER)
            return cf_trc_skip(reader, type->skipped);
        frame->flags = type->flags;
        p = cf_skip_blanks(p, end);
    }
    id = p;
    p = cf_trc_identifier(p, end, frame);
    if (p == NULL)
        return cf_trc_trouble(reader, line, cf_skip_word(id, end) == end ? end : id, CF_TEXT_IDENTIFIER);
    if (version == 10 && frame->arbitration_id == CF_TRC_WARNING_ID)
        return cf_trc_skip(reader, "warning");
    channel = cf_log_channel_number(bus);
    if (channel < 0)
        return cf_trc_skip(reader, CF_LOG_KIND_CHANNEL);
    frame->channel = (uint8_t)channel;
    if (version >= 13) /* reserved */
        p = cf_skip_word(cf_skip_blanks(p, end), end);
    word = p = cf_skip_blanks(p, end);
    p = cf_text_unsigned(p, end, &dlc, &digits);
    if (digits == 0 || dlc > 15 || (p < end && !cf_is_blank(*p)))
        return cf_trc_trouble(reader, line, p == end ? end : word, CF_TEXT_LENGTH);
    frame->dlc = (uint8_t)dlc;
    status = cf_trc_payload(reader, line, p, end, type, (frame->flags & CF_FLAG_EXTENDED_ID) != 0, frame);
    if (status == CF_TEXT_IDENTIFIER)
        reader->column = (size_t)(id - line);
    return status;
}

/* What follows the offset at p from version 2.0 on: the type and, for frames, the columns behind it. */
CF_INLINE cf_status cf_trc_by_columns(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                      const char *columns, cf_fd_frame *frame)
{
    const char *word = p;
    uint64_t value;
    unsigned digits;
    int length = 0, channel;
    const cf_trc_type *type;
    p = cf_skip_word(p, end);
    type = cf_trc_find_type(word, p, 1);
    if (type == NULL)
        return cf_trc_trouble(reader, line, p == end ? p : word, CF_TRC_TYPE);
    if (type->kind == CF_TRC_OTHER)
        return cf_trc_skip(reader, type->skipped);
    if (type->kind == CF_TRC_ERROR)
        return cf_trc_error_line(reader, p, end, *columns == 'B', frame);
    frame->flags = type->flags;
    for (; *columns != 0; columns++) {
        word = p = cf_skip_blanks(p, end);
        if (*columns == 'D')
            return cf_trc_data(reader, line, p, end, frame->data, (unsigned)length);
        p = cf_skip_word(p, end);
        switch (*columns) {
        case 'I':
            if (cf_trc_identifier(word, end, frame) == NULL ||
                frame->arbitration_id >
                    (frame->flags & CF_FLAG_EXTENDED_ID ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID))
                return cf_trc_trouble(reader, line, p == end ? p : word, CF_TEXT_IDENTIFIER);
            break;
        case 'd':
            if (p - word != 2 || word[1] != 'x' || (word[0] != 'R' && word[0] != 'T'))
                return cf_trc_trouble(reader, line, p == end ? p : word, CF_TEXT_FIELD);
            if (word[0] == 'T')
                frame->flags |= CF_FLAG_TX;
            break;
        case 'R':
            break;
        default: /* B, l, L */
            if (cf_text_unsigned(word, end, &value, &digits) != p || digits == 0)
                return cf_trc_trouble(reader, line, p == end ? p : word,
                                      *columns == 'B' ? CF_TEXT_FIELD : CF_TEXT_LENGTH);
            if (*columns == 'B') {
                channel = cf_log_channel_number(value);
                if (channel < 0)
                    return cf_trc_skip(reader, CF_LOG_KIND_CHANNEL);
                frame->channel = (uint8_t)channel;
            } else {
                length = cf_trc_length(frame, value, *columns == 'L');
                if (length < 0)
                    return cf_trc_trouble(reader, line, p == end ? p : word, CF_TEXT_LENGTH);
            }
        }
    }
    return CF_OK; /* not reached: the last column is D */
}

/* One line, as lines.h wants it. */
CF_INLINE cf_status cf_trc_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    cf_trc *own = (cf_trc *)reader->own;
    const char *end = cf_trim_line(line, line + length), *p = cf_skip_blanks(line, end), *word;
    const unsigned version = own->version ? own->version : 10;
    uint64_t number;
    unsigned digits;
    int64_t time;
    int ok;
    if (p == end)
        return reader->unended ? CF_LOG_CUT : CF_LOG_BLANK;
    if (*p == ';')
        return cf_trc_comment(reader, line, p + 1, end);
    if (CF_UNLIKELY(own->doubted)) { /* no comment says otherwise */
        own->doubted = 0;
        return CF_LOG_START_HERE;
    }
    if (version < 20 || own->columns[0] == 'N') {
        word = p;
        p = cf_text_unsigned(p, end, &number, &digits);
        if (digits == 0 || p == end || (version < 20 ? *p != ')' : !cf_is_blank(*p)))
            return cf_trc_trouble(reader, line, p == end ? p : word, CF_TRC_NUMBER);
        p = cf_skip_blanks(p + 1, end);
    }
    if (version >= 20 && own->columns[0] == 0)
        return cf_trc_trouble(reader, line, line, CF_TRC_COLUMNS);
    word = cf_text_decimal_comma(p, end, 6, &time, &ok);
    if (!ok || (word < end && !cf_is_blank(*word)))
        return cf_trc_trouble(reader, line, word, CF_TEXT_TIME);
    memset(frame, 0, sizeof *frame);
    if (!cf_log_stamp(reader, time, &frame->timestamp_ns))
        return cf_trc_trouble(reader, line, p, CF_TEXT_TIME);
    p = cf_skip_blanks(word, end);
    if (version >= 20)
        return cf_trc_by_columns(reader, line, p, end, own->columns + (own->columns[0] == 'N') + 2, frame);
    return cf_trc_fixed(reader, line, p, end, version, frame);
}

CF_INLINE cf_status cf_trc_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_log_read_lines(reader, call, cf_trc_line);
}

CF_INLINE int cf_trc_is_header(const char *p, const char *end)
{
    return cf_text_begins(p, end, ";$fileversion=");
}

CF_INLINE int cf_trc_recognise(const uint8_t *head, size_t size, int whole)
{
    static const char *const begins[] = {";$fileversion=", NULL};
    cf_trc own;
    memset(&own, 0, sizeof own);
    return cf_log_recognise_lines(head, size, whole, &own, cf_trc_line, cf_trc_is_header, begins);
}

CF_INLINE const cf_log_format *cf_log_format_trc(void)
{
    static const cf_log_target target = {1000,         1000, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES, CF_TRC_START_STEP,
                                         cf_trc_holds, NULL, NULL,      NULL};
    static const cf_log_format row = {"trc",
                                      "PEAK TRC",
                                      ".trc",
                                      "line",
                                      1,
                                      CF_LOG_KEEPS_FD | CF_LOG_KEEPS_TX | CF_LOG_KEEPS_CHANNEL | CF_LOG_KEEPS_REMOTE |
                                          CF_LOG_KEEPS_ERROR_FRAMES | CF_LOG_KEEPS_FD_FLAGS,
                                      sizeof(cf_trc),
                                      cf_trc_recognise,
                                      cf_trc_read,
                                      cf_trc_write,
                                      CF_TRC_WRITE_MAX,
                                      cf_trc_begin,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

#endif
