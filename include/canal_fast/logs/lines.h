/* canal_fast/logs/lines.h - reading text formats: a function for one line becomes a format's `read`. */
#ifndef CANAL_FAST_LOGS_LINES_H
#define CANAL_FAST_LOGS_LINES_H

#include "reading.h"

/* One line, line[0..length), without its line end (LF or CRLF). Returns
 *   CF_OK         *frame is filled (every byte)
 *   CF_LOG_BLANK  no frame on it: a blank line, a comment, a header; or something that it passed to cf_log_skip
 *   CF_LOG_START  a start time (cf_log_begin said 1)
 *   CF_LOG_CUT    reader->unended is set, and the line may be the beginning of a longer one
 *   any other     the line is damaged at reader->column
 * The caller may show the same line again; so of the reader's fields it changes only clock_ns (which is put back),
 * and everything else only when no frame comes of it.
 * A last line without line end (reader->unended) should give its frame only when it cannot be a cut one: as many data
 * bytes as it states, and nothing missing that lines of this file have behind them. */
typedef cf_status (*cf_log_line)(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame);

/* A format's `read` by its `parse`, which is inlined where it is a constant. Frames go to cf_log_put. */
CF_INLINE cf_status cf_log_read_lines(cf_log_reader *reader, cf_log_call *call, cf_log_line parse)
{
    const char *at = (const char *)call->data, *end = at + call->size;
    cf_status status = CF_OK;
    while (at < end && call->made < call->capacity) {
        const char *stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        const int64_t clock_ns = reader->clock_ns;
        const char *last = stop == NULL ? end : stop;
        cf_fd_frame frame;
        if (stop == NULL && !call->final)
            break;
        reader->unended = stop == NULL;
        if (stop != NULL && last > at && last[-1] == '\r')
            last--;
        status = parse(reader, at, (size_t)(last - at), &frame);
        if (CF_LIKELY(status == CF_OK))
            status = cf_log_put(reader, call, &frame);
        if (status == CF_LOG_BLANK) {
            status = CF_OK;
        } else if (CF_UNLIKELY(status != CF_OK && status != CF_LOG_START)) {
            reader->clock_ns = clock_ns;
            if (status == CF_FD_IN_CLASSICAL)
                break;
            if (reader->unended) { /* what is left is for the caller to call truncated */
                status = CF_OK;
                break;
            }
            if (!reader->forgiving)
                break;
            cf_log_skip(reader, "bad line");
            status = CF_OK;
        }
        reader->lines++;
        at = stop == NULL ? end : stop + 1;
        if (status == CF_LOG_START)
            break;
    }
    call->consumed = (size_t)(at - (const char *)call->data);
    return status;
}

#endif
