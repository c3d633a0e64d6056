/* canal_fast/logs/candump.h - buffers full of candump lines: records from text, text from records. */
#ifndef CANAL_FAST_LOGS_CANDUMP_H
#define CANAL_FAST_LOGS_CANDUMP_H

#include "candump_line.h"
#include "state.h"

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
    if (digits > 0 && number < CF_LOG_INTERFACES && !reader->taken[number])
        return (int)number;
    for (channel = 0; channel < CF_LOG_INTERFACES; channel++)
        if (!reader->taken[channel])
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
    reader->taken[channel] = 1;
    reader->last = reader->count++;
    return (int)reader->last;
}

/* Parses lines of text[0..size) into at most `capacity` records, `stride` (24 or 80) bytes apart.
 * Takes whole lines only; with `final` also a last line without line end. *consumed bytes were
 * taken and *made records are filled. CF_OK: as far as text and capacity allowed. Otherwise the
 * line at *consumed is in the way: a status of cf_candump_parse (place in reader->column),
 * CF_FD_IN_CLASSICAL, or CF_LOG_CHANNELS; reader->lines lines stand before it. */
CF_INLINE cf_status cf_candump_read(cf_log_reader *reader, const uint8_t *text, size_t size, int final, void *frames,
                                    size_t capacity, size_t stride, size_t *consumed, size_t *made)
{
    const char *at = (const char *)text, *end = at + size;
    uint8_t *out = (uint8_t *)frames;
    size_t count = 0;
    cf_status status = CF_OK;
    while (at < end && count < capacity) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        const char *name;
        size_t length;
        cf_fd_frame frame;
        int row;
        if (stop == NULL) {
            if (!final)
                break;
            stop = end;
        } else {
            stop++;
        }
        status = cf_candump_parse(at, (size_t)(stop - at), &frame, &name, &length, &reader->column);
        if (CF_LIKELY(status == CF_OK)) {
            if (CF_UNLIKELY((frame.flags & CF_FLAG_FD) && stride != sizeof(cf_fd_frame))) {
                status = CF_FD_IN_CLASSICAL;
                break;
            }
            row = cf_candump_interface(reader, name, length);
            if (CF_UNLIKELY(row < 0)) {
                status = CF_LOG_CHANNELS;
                break;
            }
            frame.channel = reader->interfaces[row].channel;
            reader->interfaces[row].frames++;
            memcpy(out, &frame, stride);
            out += stride;
            count++;
        } else if (status == CF_LOG_BLANK) {
            status = CF_OK;
        } else {
            break;
        }
        reader->lines++;
        at = stop;
    }
    *consumed = (size_t)((const uint8_t *)at - text);
    *made = count;
    return status;
}

/* Writes records as lines, as many whole ones as fit `capacity`; returns their number, with the
 * bytes in *used. */
CF_INLINE size_t cf_candump_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                                  size_t capacity, size_t *used)
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

#endif
