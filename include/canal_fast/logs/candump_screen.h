/* canal_fast/logs/candump_screen.h - candump's output for people: one line.
 *
 *       can0  123   [3]  11 22 33                                 no time
 *      (1436509052.249713)  can0  12345678   [3]  11 22 33   '."3'     -ta, -a
 *      (2015-07-10 06:30:52.249713)  can0  123   [0]  remote request   -tA: a wall clock
 *      (001.249713)  can0  RX B -  123  [12]  11 22 ...                -tz or -td, -x; two digits: CAN FD
 *      (001.249713)  can0  123   {B}  11 22 33 44 55 66 77 88          -8: raw dlc
 *      (001.249713)  can0  20000004   [8]  00 01 ... ERRORFRAME
 *      (001.249713)  can0  123 [0003] (45|81:00:12345678) 11 22 33     CAN XL
 */
#ifndef CANAL_FAST_LOGS_CANDUMP_SCREEN_H
#define CANAL_FAST_LOGS_CANDUMP_SCREEN_H

#include "candump_line.h"
#include "text_date.h"

/* What cf_candump_screen found besides the frame. */
typedef struct cf_candump_found {
    const char *name; /* the interface's */
    size_t length;
    int dated;      /* the time is a wall clock's, in date and frame->timestamp_ns its nanoseconds of the day */
    int is_xl;      /* a CAN XL frame */
    int may_go_on;  /* more may follow */
    int bare;       /* nothing follows the data */
    cf_text_date date;
    const char *trouble;
} cf_candump_found;

/* `(2015-07-10 06:30:52.249713)` at p; NULL when that is not there. */
CF_INLINE const char *cf_candump_date(const char *p, const char *end, cf_text_date *date)
{
    const char *close = (const char *)memchr(p, ')', (size_t)(end - p)), *blank;
    if (close == NULL || *p != '(')
        return NULL;
    blank = (const char *)memchr(p, ' ', (size_t)(close - p));
    if (blank == NULL)
        return NULL;
    memset(date, 0, sizeof *date);
    date->clock_ns = -1;
    date->afternoon = -1;
    cf_text_numeric_date(p + 1, blank, date);
    cf_text_date_word(blank + 1, close, date);
    return date->clock_ns < 0 || date->month == 0 ? NULL : close + 1;
}

/* `RX B E` at p, where it stands. */
CF_INLINE const char *cf_candump_extra(const char *p, const char *end, cf_fd_frame *frame)
{
    if (end - p < 7 || p[1] != 'X' || (p[0] != 'R' && p[0] != 'T') || p[2] != ' ' || p[4] != ' ' || p[6] != ' ')
        return p;
    if (p[0] == 'T')
        frame->flags |= CF_FLAG_TX;
    if (p[3] == 'B')
        frame->flags |= CF_FLAG_BITRATE_SWITCH;
    if (p[5] == 'E')
        frame->flags |= CF_FLAG_ERROR_STATE_INDICATOR;
    return cf_skip_blanks(p + 6, end);
}

/* `[3]`, `[03]`, `{B}` or `[0003]` at p: dlc, FD, *length; NULL for something else. */
CF_INLINE const char *cf_candump_brackets(const char *p, const char *end, cf_fd_frame *frame, unsigned *length,
                                          cf_candump_found *found)
{
    const int raw = p < end && *p == '{';
    uint64_t value;
    unsigned digits;
    if (p == end || (*p != '[' && !raw))
        return NULL;
    if (raw) {
        uint32_t code;
        p = cf_text_hex(p + 1, end, &code, &digits);
        value = code;
    } else {
        p = cf_text_unsigned(p + 1, end, &value, &digits);
    }
    if (p == end || *p != (raw ? '}' : ']'))
        return NULL;
    found->is_xl = digits == 4;
    if (digits == 2 && !raw && value <= CF_FD_DATA && !(frame->flags & CF_FLAG_ERROR_FRAME)) {
        frame->flags |= CF_FLAG_FD;
        frame->dlc = (uint8_t)cf_fd_dlc((unsigned)value);
        *length = (unsigned)value;
    } else if (digits == 1 && value <= (raw ? 15u : 8u)) {
        frame->flags &= (uint16_t)~(CF_FLAG_BITRATE_SWITCH | CF_FLAG_ERROR_STATE_INDICATOR);
        frame->dlc = (uint8_t)value;
        *length = value < 8 ? (unsigned)value : 8;
    } else if (!found->is_xl) {
        return NULL;
    }
    return p + 1;
}

/* Identifier `123` or `12345678` at p with the flags it means; NULL for something else. */
CF_INLINE const char *cf_candump_identifier(const char *p, const char *end, cf_fd_frame *frame)
{
    unsigned digits;
    uint32_t value;
    p = cf_text_hex(p, end, &value, &digits);
    if ((digits != 3 && digits != 8) || p == end || !cf_is_blank(*p))
        return NULL;
    if (digits == 8) {
        frame->flags |= value & CF_CANDUMP_ERROR_BIT ? CF_FLAG_ERROR_FRAME : CF_FLAG_EXTENDED_ID;
        value &= ~CF_CANDUMP_ERROR_BIT;
    }
    frame->arbitration_id = value;
    return value > (digits == 8 ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID) ? NULL : p;
}

/* One line, [p, end) without blanks around it. CF_OK: frame (channel 0) and *found are filled. CF_LOG_INTERFACE:
 * this is no such line. CF_LOG_TIME, CF_LOG_IDENTIFIER, CF_LOG_DATA or CF_LOG_TRAILING: it is one, with
 * found->trouble in it. */
CF_INLINE cf_status cf_candump_screen(const char *p, const char *end, cf_fd_frame *frame, cf_candump_found *found)
{
    const char *at;
    unsigned length = 0, got;
    int ok;
    memset(frame, 0, sizeof *frame);
    memset(found, 0, sizeof *found);
    if (p < end && *p == '(') {
        at = cf_candump_time(p, end, &frame->timestamp_ns, &ok);
        if (!ok) {
            at = cf_candump_date(p, end, &found->date);
            if (at == NULL)
                return CF_LOG_INTERFACE;
            found->dated = 1;
        }
        p = cf_skip_blanks(at, end);
    }
    found->name = p;
    p = cf_skip_word(p, end);
    found->length = (size_t)(p - found->name);
    p = cf_candump_extra(cf_skip_blanks(p, end), end, frame);
    found->trouble = p;
    at = cf_skip_blanks(cf_skip_word(p, end), end);
    if (found->length == 0 || found->length > CF_CANDUMP_NAME_MAX || at == end || (*at != '[' && *at != '{'))
        return CF_LOG_INTERFACE;
    p = cf_candump_identifier(p, end, frame);
    if (p == NULL)
        return CF_LOG_IDENTIFIER;
    found->trouble = at;
    p = cf_candump_brackets(at, end, frame, &length, found);
    if (p == NULL && memchr(at, *at == '[' ? ']' : '}', (size_t)(end - at)) == NULL)
        found->trouble = end;
    if (p == NULL)
        return CF_LOG_DATA;
    if (found->is_xl)
        return CF_OK;
    p = cf_skip_blanks(p, end);
    found->may_go_on = length == 0 && p == end;
    if (cf_text_begins(p, end, "remote request") && !(frame->flags & (CF_FLAG_FD | CF_FLAG_ERROR_FRAME))) {
        frame->flags |= CF_FLAG_REMOTE;
        found->may_go_on = 0;
        p = cf_skip_blanks(p + 14, end);
    } else {
        p = cf_skip_blanks(cf_spaced_bytes(p, end, frame->data, length, &got), end);
        found->trouble = got < length && (end - p < 2 || cf_text_is_cut(p, end, "remote request")) ? end : p;
        if (got < length)
            return CF_LOG_DATA;
    }
    found->trouble = p;
    found->may_go_on |= p < end && *p == '\'' && (size_t)(end - p) != length + 2;
    found->bare = p == end && !(frame->flags & CF_FLAG_REMOTE);
    if (p == end || *p == '\'' || cf_word_is(p, end, "errorframe"))
        return CF_OK;
    if (cf_text_is_cut(p, end, "errorframe") || cf_text_is_cut(p, end, "remote request"))
        found->trouble = end;
    return CF_LOG_TRAILING;
}

#endif
