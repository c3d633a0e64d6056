/* canal_fast/logs/lines.h - reading text formats: a function for one line becomes a format's `read`. */
#ifndef CANAL_FAST_LOGS_LINES_H
#define CANAL_FAST_LOGS_LINES_H

#include "../text.h"
#include "reading.h"

/* One line, line[0..length), without its line end (LF or CRLF). Returns
 *   CF_OK         *frame is filled (every byte)
 *   CF_LOG_BLANK  no frame on it: a blank line, a comment, a header; or something that it passed to cf_log_skip
 *   CF_LOG_START  a start time (cf_log_begin said 1)
 *   CF_LOG_CUT    reader->unended is set, and the line may be the beginning of a longer one
 *   CF_LOG_START_HERE  a start time, and a frame: it is asked for the same line again
 *   any other     the line is damaged at reader->column; one without line end that breaks off there is cut, too
 * The caller may show the same line again; so of the reader's fields it changes only clock_ns (which is put back),
 * and everything else only when no frame comes of it.
 * A last line without line end (reader->unended) should give its frame only when it cannot be a cut one: as many data
 * bytes as it states, and nothing missing that lines of this file have behind them. */
typedef cf_status (*cf_log_line)(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame);

/* Does line [at, end), the last and without line end, break off where its parse had trouble? */
CF_INLINE int cf_log_is_cut(const cf_log_reader *reader, cf_status status, const char *at, const char *end)
{
    return reader->unended && (status == CF_LOG_CUT || (status != CF_LOG_START_HERE && status != CF_FD_IN_CLASSICAL &&
                                                        reader->column >= (size_t)(cf_trim_line(at, end) - at)));
}

/* A format's `read` by its `parse`, which is inlined where it is a constant. Frames go to cf_log_put. With no room
 * at all (capacity 0) what stands before the first frame is consumed. A call may be taken up again where it stopped. */
CF_INLINE cf_status cf_log_read_lines(cf_log_reader *reader, cf_log_call *call, cf_log_line parse)
{
    const char *at = (const char *)call->data + call->consumed, *end = (const char *)call->data + call->size;
    cf_status status = CF_OK;
    while (at < end && (call->made < call->capacity || call->capacity == 0)) {
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
        if (CF_LIKELY(status == CF_OK)) {
            if (CF_UNLIKELY(call->capacity == 0)) {
                reader->clock_ns = clock_ns;
                break;
            }
            status = cf_log_put(reader, call, &frame);
        }
        if (status == CF_LOG_BLANK) {
            status = CF_OK;
        } else if (CF_UNLIKELY(status != CF_OK && status != CF_LOG_START)) {
            const int cut = cf_log_is_cut(reader, status, at, last);
            if (cut || status == CF_FD_IN_CLASSICAL || status == CF_LOG_START_HERE || !reader->forgiving) {
                reader->clock_ns = clock_ns;
                if (cut) /* what is left is for the caller to call truncated */
                    status = CF_OK;
                else if (status == CF_LOG_START_HERE)
                    status = CF_LOG_START;
                break;
            }
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

/* A format's `recognise` by its `parse` and `own`. A first line for which is_header(its first character that is not
 * blank, its end) says 1 is sure, one that holds a frame likely. A whole recording without any line end is perhaps one
 * when its text may be the beginning of one of `begins` (in lower case, the last one NULL). */
CF_INLINE int cf_log_recognise_lines(const uint8_t *head, size_t size, int whole, void *own, cf_log_line parse,
                                     int (*is_header)(const char *, const char *), const char *const *begins)
{
    const char *at = (const char *)head, *end = at + size, *stop;
    cf_log_reader reader;
    cf_fd_frame frame;
    if (size == 0 || memchr(head, 0, size) != NULL)
        return CF_LOG_NO;
    memset(&reader, 0, sizeof reader);
    reader.own = own;
    for (; at < end; at = stop + 1) {
        const char *first = cf_skip_blanks(at, end), *last;
        cf_status status;
        stop = (const char *)memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            break;
        last = stop > at && stop[-1] == '\r' ? stop - 1 : stop;
        if (is_header(first, last))
            return CF_LOG_SURE;
        status = parse(&reader, at, (size_t)(last - at), &frame);
        if (status == CF_LOG_START_HERE)
            status = parse(&reader, at, (size_t)(last - at), &frame);
        if (status == CF_OK)
            return CF_LOG_LIKELY;
        if (status != CF_LOG_BLANK && status != CF_LOG_START)
            return CF_LOG_NO;
    }
    if (reader.skipped > 0)
        return CF_LOG_NO;
    if (!whole || at == end)
        return CF_LOG_PERHAPS;
    at = cf_skip_blanks(at, end);
    if (is_header(at, end))
        return CF_LOG_SURE;
    for (; *begins != NULL; begins++) {
        if (cf_text_is_cut(at, end, *begins))
            return CF_LOG_PERHAPS;
    }
    reader.unended = 1;
    {
        const cf_status status = parse(&reader, at, (size_t)(end - at), &frame);
        if (status == CF_OK)
            return CF_LOG_LIKELY;
        return cf_log_is_cut(&reader, status, at, end) ? CF_LOG_PERHAPS : CF_LOG_NO;
    }
}

#endif
