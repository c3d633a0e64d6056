/* canal_fast/logs/asc.h - Vector ASC: lines of text into records.
 *
 *     date Sat Sep 30 10:06:13.191 PM 2017
 *     base hex  timestamps absolute
 *        2.501000 1  6F9             Rx   d 8 05 0C 00 00 00 00 00 00  Length = 240015 BitCount = 124 ID = 1785
 *        2.510001 2  18EBFF00x       Tx   r 4
 *        2.530010 1  ErrorFrame ECC: 10100010
 *        2.540000 CANFD 1 Rx 300 Name 1 0 8  8 01 02 03 04 05 06 07 08   102203  133  303000 e0006659 ...
 *
 * Every header line may be missing. The times of a trigger block begin at its own date, and `timestamps relative`
 * adds up every line that has a time, frames or not. Base dec is for identifiers and data; the dlc is a hexadecimal
 * digit always.
 */
#ifndef CANAL_FAST_LOGS_ASC_H
#define CANAL_FAST_LOGS_ASC_H

#include "asc_frame.h"
#include "asc_write.h"
#include "lines.h"

/* Kind of a line that has a time and is no frame, by the word at p behind the time or the channel. */
CF_INLINE const char *cf_asc_kind(const char *p, const char *end)
{
    static const struct {
        const char *begins, *kind;
    } rows[] = {{"statistic", "statistic"},
                {"status", "status"},
                {"j1939", "J1939 transport"},
                {"start of", "start of measurement"},
                {"sv:", "system variable"},
                {"%", "environment variable"},
                {"li", "LIN"},
                {"eth", "Ethernet"},
                {"fr", "FlexRay"},
                {"canxl", "CAN XL"},
                {"gps", "GPS"},
                {"tx", "marker"}};
    size_t i;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (cf_text_begins(p, end, rows[i].begins))
            return rows[i].kind;
    return "other event";
}

/* What follows the time of a line at p. */
CF_INLINE cf_status cf_asc_event(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                 cf_fd_frame *frame)
{
    const cf_asc *own = (const cf_asc *)reader->own;
    const int flexible = cf_word_is(p, end, "canfd");
    const char *word;
    uint64_t number;
    unsigned digits;
    int channel, good = 1, ok;
    if (flexible)
        p = cf_skip_blanks(p + 5, end);
    word = p;
    p = cf_text_unsigned(p, end, &number, &digits);
    if (digits == 0 || (p < end && !cf_is_blank(*p)))
        return cf_asc_skip(reader, cf_word_is(word, end, "can") ? "status" : cf_asc_kind(word, end));
    word = p = cf_skip_blanks(p, end);
    channel = cf_log_channel_number(number);
    frame->channel = (uint8_t)channel;
    if (flexible) {
        p = cf_skip_blanks(cf_asc_direction(p, end, frame, &ok), end);
        if (!ok && !cf_text_begins(p, end, "errorframe"))
            return cf_asc_skip(reader, cf_asc_kind(word, end));
        word = p;
    } else {
        p = cf_asc_identifier(p, end, own->decimal, frame, &good);
    }
    if (CF_UNLIKELY(channel < 0))
        return cf_asc_skip(reader, CF_LOG_KIND_CHANNEL);
    if (CF_UNLIKELY(cf_text_begins(word, end, "errorframe")))
        return cf_asc_error(reader, word + 10, end, flexible, frame);
    if (CF_UNLIKELY(cf_text_begins(word, end, "overloadframe"))) {
        cf_log_overload(frame);
        return reader->unended ? CF_LOG_CUT : CF_OK;
    }
    if (flexible)
        return cf_asc_flexible(reader, line, p, end, frame);
    if (good == 0)
        p = cf_skip_word(word, end);
    p = cf_skip_blanks(p, end);
    p = cf_skip_blanks(cf_asc_direction(p, end, frame, &ok), end);
    if (!ok || p == end || (p + 1 < end && !cf_is_blank(p[1])) || (cf_lower(*p) != 'd' && cf_lower(*p) != 'r'))
        return cf_asc_skip(reader, cf_asc_kind(word, end));
    if (good == 0)
        good = cf_asc_named(p, end, frame);
    if (good == 0)
        return cf_asc_skip(reader, "symbolic name");
    if (good < 0)
        return cf_asc_trouble(reader, line, word, end, CF_TEXT_IDENTIFIER);
    return cf_asc_classical(reader, line, p, end, frame);
}

/* One line, as lines.h wants it. */
CF_INLINE cf_status cf_asc_line(cf_log_reader *reader, const char *line, size_t length, cf_fd_frame *frame)
{
    const cf_asc *own = (const cf_asc *)reader->own;
    const char *end = cf_trim_line(line, line + length), *p = cf_skip_blanks(line, end);
    const char *after;
    int64_t time;
    int ok;
    if (p == end || !(cf_is_digit(*p) || (*p == '-' && p + 1 < end && cf_is_digit(p[1]))))
        return cf_asc_header_line(reader, line, p, end);
    after = cf_text_decimal_comma(p, end, 9, &time, &ok);
    if (!ok || (after < end && !cf_is_blank(*after)))
        return cf_asc_trouble(reader, line, after, end, CF_TEXT_TIME);
    memset(frame, 0, sizeof *frame);
    if (own->relative) {
        if (time > 0 ? reader->clock_ns > INT64_MAX - time : reader->clock_ns < INT64_MIN - time)
            return cf_asc_trouble(reader, line, p, end, CF_TEXT_TIME);
        time = reader->clock_ns += time;
    } else if (CF_UNLIKELY(own->of_day) && time >= 0) {
        time -= (reader->start_ns % CF_ASC_DAY_NS + CF_ASC_DAY_NS) % CF_ASC_DAY_NS;
    }
    if (!cf_log_stamp(reader, time, &frame->timestamp_ns))
        return cf_asc_trouble(reader, line, p, end, CF_TEXT_TIME);
    return cf_asc_event(reader, line, cf_skip_blanks(after, end), end, frame);
}

CF_INLINE cf_status cf_asc_read(cf_log_reader *reader, cf_log_call *call)
{
    return cf_log_read_lines(reader, call, cf_asc_line);
}

/* `date` or `base` in front is sure, a line that parses as a frame makes it likely. */
CF_INLINE int cf_asc_recognise(const uint8_t *head, size_t size, int whole)
{
    static const char *const begins[] = {"date ", "base ", "internal ", "no internal ", "begin ", "// version ", NULL};
    cf_asc own;
    memset(&own, 0, sizeof own);
    return cf_log_recognise_lines(head, size, whole, &own, cf_asc_line, cf_asc_is_header, begins);
}

CF_INLINE const cf_log_format *cf_log_format_asc(void)
{
    static const cf_log_target target = {
        1000, 1, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES, 1000000, cf_log_holds_code, cf_asc_end, NULL, NULL};
    static const cf_log_format row = {"asc",
                                      "Vector ASC",
                                      ".asc",
                                      "line",
                                      1,
                                      CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC | CF_LOG_KEEPS_TX | CF_LOG_KEEPS_CHANNEL |
                                          CF_LOG_KEEPS_REMOTE | CF_LOG_KEEPS_ERROR_FRAMES | CF_LOG_KEEPS_FD_FLAGS,
                                      sizeof(cf_asc),
                                      cf_asc_recognise,
                                      cf_asc_read,
                                      cf_asc_write,
                                      CF_ASC_WRITE_MAX,
                                      cf_asc_begin,
                                      NULL,
                                      NULL,
                                      &target};
    return &row;
}

#endif
