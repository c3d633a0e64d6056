/* canal_fast/logs/candump.h - buffers full of candump lines: records from text, text from records. */
#ifndef CANAL_FAST_LOGS_CANDUMP_H
#define CANAL_FAST_LOGS_CANDUMP_H

#include "candump_line.h"
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

/* Row of the interface in reader->interfaces, made if it is new; -1 when there is no room. */
CF_INLINE int cf_candump_interface(cf_log_reader *reader, const char *name, size_t length)
{
    cf_log_interface *row = &reader->interfaces[reader->last];
    size_t i;
    int channel;
    if (CF_LIKELY(reader->count > 0 && memcmp(row->name, name, length) == 0 && row->name[length] == 0))
        return (int)reader->last;
    for (i = 0; i < reader->count; i++) {
        row = &reader->interfaces[i];
        if (memcmp(row->name, name, length) == 0 && row->name[length] == 0) {
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

/* One line, as lines.h wants it: a status of cf_candump_parse, or CF_LOG_CHANNELS. */
CF_INLINE cf_status cf_candump_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    const char *name;
    size_t size;
    int row;
    const cf_status status = cf_candump_parse(line, length, frame, &name, &size, &reader->column);
    if (CF_UNLIKELY(status != CF_OK))
        return status;
    row = cf_candump_interface(reader, name, size);
    if (CF_UNLIKELY(row < 0))
        return CF_LOG_CHANNELS;
    frame->channel = reader->interfaces[row].channel;
    return CF_OK;
}

CF_INLINE cf_status cf_candump_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_log_read_lines(reader, call, cf_candump_line);
}

/* Writes records as lines, as many whole ones as fit `capacity`; returns their number, with the
 * bytes in *used. */
CF_INLINE size_t cf_candump_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride,
                                  uint8_t *out, size_t capacity, size_t *used)
{
    const char *at = (const char *)frames;
    cf_log_progress *progress = &writer->progress;
    char scratch[CF_CANDUMP_LINE_MAX];
    size_t done = 0, i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const size_t room = capacity - done;
        char *to = room < sizeof scratch ? scratch : (char *)out + done;
        const size_t size = cf_candump_format(at, stride, writer->channels[head->channel].name, to);
        if (size > room)
            break;
        if (to == scratch)
            memcpy(out + done, scratch, size);
        done += size;
        progress->last_ns[head->channel] = head->timestamp_ns;
        progress->channel_frames[head->channel]++;
    }
    progress->frames += i;
    *used = done;
    return i;
}

/* Text without a NUL may be candump's; a line that parses makes it likely. */
CF_INLINE int cf_candump_recognise(const uint8_t *head, size_t size, int whole)
{
    const char *at = (const char *)head, *end = at + size;
    (void)whole;
    if (memchr(head, 0, size) != NULL)
        return CF_LOG_NO;
    while (at < end) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at)), *name;
        cf_fd_frame frame;
        size_t length, column;
        if (stop == NULL)
            stop = end;
        if (cf_candump_parse(at, (size_t)(stop - at), &frame, &name, &length, &column) == CF_OK)
            return CF_LOG_LIKELY;
        at = stop == end ? end : stop + 1;
    }
    return CF_LOG_PERHAPS;
}

CF_INLINE const cf_log_format *cf_log_format_candump(void)
{
    static const cf_log_format row = {
        "candump", "candump text", ".log", "line", 0,
        CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC | CF_LOG_KEEPS_TX | CF_LOG_KEEPS_ERRORS |
            CF_LOG_KEEPS_CHANNEL | CF_LOG_KEEPS_NAMES,
        0, cf_candump_recognise, cf_candump_read, cf_candump_write, CF_CANDUMP_LINE_MAX, NULL, NULL, NULL};
    return &row;
}

#endif
