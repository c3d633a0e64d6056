/* canal_fast/logs/candump.h - buffers full of candump lines: records from text, text from records. */
#ifndef CANAL_FAST_LOGS_CANDUMP_H
#define CANAL_FAST_LOGS_CANDUMP_H

#include "candump_read.h"
#include "screen.h"

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
        const size_t size = cf_candump_format(at, stride, writer->channels[head->channel].name, writer->nanoseconds,
                                              to);
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
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at)), *last, *name;
        cf_fd_frame frame;
        cf_candump_found found;
        size_t length, column;
        if (stop == NULL)
            stop = end;
        last = cf_trim_line(at, stop);
        if (cf_candump_parse(at, (size_t)(stop - at), &frame, &name, &length, &column) == CF_OK ||
            cf_candump_screen(cf_skip_blanks(at, last), last, &frame, &found) == CF_OK)
            return CF_LOG_LIKELY;
        at = stop == end ? end : stop + 1;
    }
    return CF_LOG_PERHAPS;
}

/* candump -td looks like -tz, so it has to be asked for. */
CF_INLINE int cf_candump_delta_recognise(const uint8_t *head, size_t size, int whole)
{
    (void)head;
    (void)size;
    (void)whole;
    return CF_LOG_NO;
}

CF_INLINE const cf_log_format *cf_log_format_candump(void)
{
    static const cf_log_target target = {1000, 1,    INT64_MIN, INT64_MAX, CF_LOG_INTERFACES, 0, cf_log_holds_as_error,
                                         NULL, NULL, NULL};
    static const cf_log_format row = {"candump",
                                      "candump text",
                                      ".log",
                                      "line",
                                      1,
                                      CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC | CF_LOG_KEEPS_TX | CF_LOG_KEEPS_ERRORS |
                                          CF_LOG_KEEPS_CHANNEL | CF_LOG_KEEPS_NAMES | CF_LOG_KEEPS_REMOTE |
                                          CF_LOG_KEEPS_ERROR_FRAMES | CF_LOG_KEEPS_FD_FLAGS,
                                      sizeof(cf_candump),
                                      cf_candump_recognise,
                                      cf_candump_read,
                                      cf_candump_write,
                                      CF_CANDUMP_LINE_MAX,
                                      NULL,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

CF_INLINE const cf_log_format *cf_log_format_candump_delta(void)
{
    static const cf_log_format row = {"candump-delta",
                                      "candump text with differences of time (-td)",
                                      "",
                                      "line",
                                      1,
                                      CF_LOG_KEEPS_FD | CF_LOG_KEEPS_CHANNEL | CF_LOG_KEEPS_REMOTE,
                                      sizeof(cf_candump),
                                      cf_candump_delta_recognise,
                                      cf_candump_delta_read,
                                      NULL,
                                      0,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL};
    return &row;
}

#endif
