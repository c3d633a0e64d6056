/* canal_fast/logs/candump_read.h - buffers full of candump's lines, log or screen, into records. */
#ifndef CANAL_FAST_LOGS_CANDUMP_READ_H
#define CANAL_FAST_LOGS_CANDUMP_READ_H

#include "candump_screen.h"
#include "lines.h"

/* Channel for a new interface: the number that its name ends with if that is free and below 256,
 * otherwise the lowest free one; -1 when all are taken. */
CF_INLINE int cf_candump_choose_channel(const cf_log_reader *reader, const char *name, size_t length)
{
    size_t digits = 0, i;
    unsigned number = 0;
    int channel;
    while (digits < length && digits < 4 && (uint8_t)(name[length - 1 - digits] - '0') < 10)
        digits++;
    for (i = length - digits; i < length; i++)
        number = number * 10 + (unsigned)(name[i] - '0');
    if (digits > 0 && number < CF_LOG_INTERFACES && !reader->channel_rows[number])
        return (int)number;
    for (channel = 0; channel < CF_LOG_INTERFACES; channel++)
        if (!reader->channel_rows[channel])
            return channel;
    return -1;
}

/* Is this row's name line[0..length)? */
CF_INLINE int cf_candump_same_name(const cf_log_interface *row, const char *name, size_t length)
{
    size_t i = 0;
    while (i < length && row->name[i] == name[i])
        i++;
    return i == length && row->name[length] == 0;
}

/* Row of the interface in reader->interfaces, made if it is new; -1 when there is no room. */
CF_INLINE int cf_candump_interface(cf_log_reader *reader, const char *name, size_t length)
{
    cf_log_interface *row = &reader->interfaces[reader->last];
    size_t i;
    int channel;
    if (CF_LIKELY(reader->count > 0 && cf_candump_same_name(row, name, length)))
        return (int)reader->last;
    for (i = 0; i < reader->count; i++) {
        if (cf_candump_same_name(&reader->interfaces[i], name, length)) {
            reader->last = i;
            return (int)i;
        }
    }
    channel = cf_candump_choose_channel(reader, name, length);
    if (channel < 0)
        return -1;
    row = &reader->interfaces[reader->count];
    memset(row, 0, sizeof *row);
    memcpy(row->name, name, length);
    row->channel = (uint8_t)channel;
    reader->last = reader->count++;
    reader->channel_rows[channel] = (uint16_t)reader->count;
    return (int)reader->last;
}

/* reader->own: characters behind the # of the last line with an identifier (by its low 11 bits). Only so can be told
 * whether a last line without line end is whole: log lines do not say how many bytes they have. */
typedef struct cf_candump {
    uint8_t behind[CF_MAX_STANDARD_ID + 1];
    uint8_t ends_bare, ends_later; /* screen lines were seen to end with the last data byte, or behind it */
    uint64_t name, name_mask; /* cf_candump_usual: the interface of the line before with the blank behind it ... */
    uint8_t name_length, row; /* ... its length, 0 = none of up to seven bytes, and its row in interfaces[] */
} cf_candump;

/* `DROPCOUNT: dropped 3 CAN frames on 'can0' socket ...` (candump -d) at p: the interface's next frame has a gap. */
CF_INLINE cf_status cf_candump_dropped(cf_log_reader *reader, const char *p, const char *end)
{
    const char *name = (const char *)memchr(p, '\'', (size_t)(end - p)), *close;
    int row;
    if (reader->unended)
        return CF_LOG_CUT;
    close = name == NULL ? NULL : (const char *)memchr(name + 1, '\'', (size_t)(end - name - 1));
    if (close != NULL && close > name + 1 && close - name - 1 <= CF_CANDUMP_NAME_MAX) {
        row = cf_candump_interface(reader, name + 1, (size_t)(close - name - 1));
        if (row >= 0)
            cf_log_gap(reader, reader->interfaces[row].channel);
    }
    return CF_LOG_BLANK;
}

/* Is this what candump writes for CAN XL, `45123#81:00:12345678#11223344` behind time and name? */
CF_INLINE int cf_candump_is_xl(const char *p, const char *end)
{
    const char *hash = (const char *)memchr(p, '#', (size_t)(end - p));
    uint32_t value;
    unsigned digits;
    if (hash == NULL || hash - p < 6 || !cf_is_blank(hash[-6]) || (end - hash >= 4 && hash[3] != ':'))
        return 0;
    return cf_text_hex(hash - 5, hash, &value, &digits) == hash;
}

/* May [p, end) be the beginning of a screen line, or of candump's other words? It has no bracket yet, but a time, or
 * stands behind screen lines. */
CF_INLINE int cf_candump_may_begin(const cf_candump *own, const char *p, const char *end)
{
    const char *at;
    cf_text_date date;
    int64_t ns;
    int timed;
    if (cf_text_is_cut(p, end, "dropcount:"))
        return 1;
    for (at = p; at < end; at++)
        if (*at == '#' || *at == '[' || *at == '{')
            return 0;
    if (own->ends_bare || own->ends_later)
        return 1;
    if (*p != '(')
        return 0;
    if (memchr(p, ')', (size_t)(end - p)) == NULL)
        return 1;
    (void)cf_candump_time(p, end, &ns, &timed);
    return timed || cf_candump_date(p, end, &date) != NULL;
}

/* A line that is no log line; `status` with reader->column is why. */
CF_INLINE cf_status cf_candump_other_line(cf_log_reader *reader, const char *line, const char *end, cf_fd_frame *frame,
                                          cf_status status)
{
    const char *p = cf_skip_blanks(line, end);
    cf_candump_found found;
    const cf_status screen = cf_candump_screen(p, end, frame, &found);
    cf_candump *own = (cf_candump *)reader->own;
    int row, xl = screen == CF_OK && found.is_xl;
    if (screen == CF_LOG_INTERFACE && reader->unended && cf_candump_may_begin(own, p, end))
        return CF_LOG_CUT;
    if (screen == CF_LOG_INTERFACE) {
        if (cf_text_begins(p, end, "dropcount:"))
            return cf_candump_dropped(reader, p, end);
        if (*line == '\t' && p < end && (uint8_t)(*p - 'a') < 26) { /* -e: what an error frame means, in words */
            cf_log_skip(reader, "words on an error frame");
            return CF_LOG_BLANK;
        }
        xl = status == CF_LOG_IDENTIFIER && cf_candump_is_xl(p, end);
        if (!xl)
            return status;
    } else if (screen != CF_OK) {
        reader->column = (size_t)(found.trouble - line);
        return screen;
    }
    if (reader->unended && (xl || found.may_go_on || (found.bare && (own->ends_later || !own->ends_bare))))
        return CF_LOG_CUT;
    if (xl) {
        cf_log_skip(reader, "CAN XL");
        return CF_LOG_BLANK;
    }
    if (!(frame->flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_REMOTE)))
        *(found.bare ? &own->ends_bare : &own->ends_later) = 1;
    if (found.dated) {
        const cf_status dated = cf_log_dated(reader, &found.date, &frame->timestamp_ns);
        reader->column = 1;
        if (dated != CF_OK)
            return dated;
    }
    row = cf_candump_interface(reader, found.name, found.length);
    if (row < 0)
        return CF_LOG_CHANNELS;
    frame->channel = reader->interfaces[row].channel;
    return CF_OK;
}

/* Remembers the interface's name for cf_candump_usual. */
CF_INLINE void cf_candump_remember(cf_candump *own, const char *name, size_t length, int row)
{
    uint8_t text[8] = {0}, mask[8] = {0};
    own->name_length = 0;
    if (length > 7)
        return;
    memcpy(text, name, length);
    text[length] = ' ';
    memset(mask, 0xFF, length + 1);
    memcpy(&own->name, text, 8);
    memcpy(&own->name_mask, mask, 8);
    own->name_length = (uint8_t)length;
    own->row = (uint8_t)row;
}

/* The line that candump -l writes most, `(1436509052.249713) can0 12345678#00112233`, of the interface of the line
 * before: 1 and the frame, or 0 for whatever is different. */
CF_FLAT int cf_candump_usual(const cf_log_reader *reader, const char *line, const char *end, cf_fd_frame *frame)
{
    const cf_candump *own = (const cf_candump *)reader->own;
    const char *id, *data, *at;
    uint64_t name;
    int64_t time_ns;
    uint32_t value = 0;
    unsigned length;
    int ok;
    if (own->name_length == 0)
        return 0;
    at = cf_candump_time(line, end, &time_ns, &ok);
    if (!ok || end - at < 9 || *at != ' ')
        return 0;
    memcpy(&name, at + 1, 8);
    if (((name ^ own->name) & own->name_mask) != 0)
        return 0;
    id = at + 2 + own->name_length;
    data = cf_candump_digits(id, end, &value);
    if (data == end || *data != '#' || (data - id != 3 && data - id != 8) ||
        value > (data - id == 3 ? (uint32_t)CF_MAX_STANDARD_ID : (uint32_t)CF_MAX_EXTENDED_ID))
        return 0;
    memset(frame, 0, sizeof *frame);
    frame->timestamp_ns = time_ns;
    if (end - data == 17) {
        ok &= cf_eight_bytes(data + 1, frame->data);
        length = 8;
    } else {
        ok &= cf_candump_bytes(data + 1, end, frame->data, CF_CLASSICAL_DATA, &length) == end;
    }
    if (!ok)
        return 0;
    frame->arbitration_id = value;
    frame->flags = data - id == 8 ? CF_FLAG_EXTENDED_ID : 0;
    frame->dlc = (uint8_t)length;
    frame->channel = reader->interfaces[own->row].channel;
    return 1;
}

/* One line, as lines.h wants it: a status of cf_candump_parse, or CF_LOG_CHANNELS. */
CF_INLINE cf_status cf_candump_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    cf_candump *own = (cf_candump *)reader->own;
    const char *name, *end = cf_trim_line(line, line + length);
    size_t size, behind;
    int row;
    cf_status status;
    if (CF_LIKELY(!reader->unended && cf_candump_usual(reader, line, end, frame))) {
        behind = (size_t)cf_payload_length(0, frame->dlc) * 2 +
                 (frame->flags ? 10 : 5); /* blank, identifier, #, data */
        own->behind[frame->arbitration_id & CF_MAX_STANDARD_ID] = (uint8_t)behind;
        return CF_OK;
    }
    status = cf_candump_parse(line, (size_t)(end - line), frame, &name, &size, &reader->column);
    if (CF_UNLIKELY(status == CF_LOG_BLANK))
        return reader->unended && length > 0 ? CF_LOG_CUT : status;
    if (CF_UNLIKELY(status == CF_LOG_DATA && reader->unended && reader->column + 1 == (size_t)(end - line)))
        return CF_LOG_CUT; /* half a byte, or a raw dlc's _ */
    if (CF_UNLIKELY(status != CF_OK))
        return cf_candump_other_line(reader, line, end, frame, status);
    behind = (size_t)(end - name) - size;
    if (CF_UNLIKELY(reader->unended)) {
        if (own->behind[frame->arbitration_id & CF_MAX_STANDARD_ID] != behind)
            return CF_LOG_CUT;
    } else {
        own->behind[frame->arbitration_id & CF_MAX_STANDARD_ID] = (uint8_t)behind;
    }
    row = cf_candump_interface(reader, name, size);
    if (CF_UNLIKELY(row < 0))
        return CF_LOG_CHANNELS;
    frame->channel = reader->interfaces[row].channel;
    cf_candump_remember(own, name, size, row);
    return CF_OK;
}

/* The same with times that are differences to the line before (candump -td). */
CF_INLINE cf_status cf_candump_delta_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    const cf_status status = cf_candump_line(reader, line, length, frame);
    if (status != CF_OK)
        return status;
    if (frame->timestamp_ns > 0 ? reader->clock_ns > INT64_MAX - frame->timestamp_ns
                                : reader->clock_ns < INT64_MIN - frame->timestamp_ns) {
        reader->column = 0;
        return CF_LOG_TIME;
    }
    frame->timestamp_ns = reader->clock_ns += frame->timestamp_ns;
    return CF_OK;
}

enum { CF_CANDUMP_HEADER_LINES = 20 };

/* Before the first frame: do lines follow the one at call->consumed of which one holds a frame? 1 yes, 0 no, -1 more
 * bytes would tell. */
CF_INLINE int cf_candump_is_heading(const cf_log_call *call)
{
    const char *at = (const char *)call->data + call->consumed, *end = (const char *)call->data + call->size, *stop,
               *name;
    unsigned line;
    for (line = 0; line < CF_CANDUMP_HEADER_LINES && at < end; line++, at = stop + 1) {
        cf_candump_found found;
        cf_fd_frame frame;
        size_t length, column;
        stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL && !call->final)
            return -1;
        if (stop == NULL)
            stop = end;
        name = cf_trim_line(at, stop);
        if (cf_candump_screen(cf_skip_blanks(at, name), name, &frame, &found) == CF_OK ||
            cf_candump_parse(at, (size_t)(stop - at), &frame, &name, &length, &column) == CF_OK)
            return 1;
        if (stop == end)
            return 0;
    }
    return line == CF_CANDUMP_HEADER_LINES || call->final ? 0 : -1;
}

/* Reads lines, and skips what stands above the first frame: a shell's prompt, a title. */
CF_INLINE cf_status cf_candump_read_by(cf_log_reader *reader, cf_log_call *call, cf_log_line parse)
{
    for (;;) {
        const cf_status status = cf_log_read_lines(reader, call, parse);
        const uint8_t *rest = call->data + call->consumed, *stop;
        int heading;
        if (CF_LIKELY(status == CF_OK || status == CF_LOG_START || status == CF_FD_IN_CLASSICAL || reader->count > 0 ||
                      status == CF_LOG_CHANNELS))
            return status;
        heading = cf_candump_is_heading(call);
        if (heading <= 0)
            return heading == 0 ? status : CF_OK;
        stop = (const uint8_t *)memchr(rest, '\n', call->size - call->consumed);
        if (stop == NULL)
            return status;
        cf_log_skip(reader, "heading");
        reader->lines++;
        call->consumed += (size_t)(stop + 1 - rest);
    }
}

CF_INLINE cf_status cf_candump_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_candump_read_by(reader, call, cf_candump_line);
}

CF_INLINE cf_status cf_candump_delta_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_candump_read_by(reader, call, cf_candump_delta_line);
}

#endif
