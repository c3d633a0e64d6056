/* canal_fast/logs/text_date.h - wall-clock dates as recordings write them, in any order of day, month and year. */
#ifndef CANAL_FAST_LOGS_TEXT_DATE_H
#define CANAL_FAST_LOGS_TEXT_DATE_H

#include "../text.h"
#include "reading.h"

/* Parts of a date, in whatever order they stand. */
typedef struct cf_text_date {
    unsigned year, month, day;
    int64_t clock_ns; /* -1 = no time of day */
    int afternoon;    /* 1 pm, 0 am, -1 neither */
} cf_text_date;

/* `30.9.2017`, `2017-09-30` or `9/30/2017` in [p, end) into *date. Between slashes the day may stand first or second:
 * what cannot be told stays unknown. */
CF_INLINE void cf_text_numeric_date(const char *p, const char *end, cf_text_date *date)
{
    uint64_t parts[3];
    unsigned digits[3], i, first, second;
    char mark = 0;
    for (i = 0; i < 3; i++) {
        p = cf_text_unsigned(p, end, &parts[i], &digits[i]);
        if (digits[i] == 0 || digits[i] > 4)
            return;
        if (i == 0 && p < end)
            mark = *p;
        if (i < 2 && (p == end || *p++ != mark))
            return;
    }
    if ((mark != '.' && mark != '-' && mark != '/') || p < end)
        return;
    first = (unsigned)parts[0];
    second = (unsigned)parts[1];
    if (digits[0] == 4) {
        date->year = first;
        date->month = second;
        date->day = (unsigned)parts[2];
    } else if (mark != '/' || first > 12 || second > 12 || first == second) {
        date->year = (unsigned)parts[2];
        date->month = mark == '/' && second > 12 ? first : second;
        date->day = mark == '/' && second > 12 ? second : first;
    }
}

/* More decimals of a second at p, the first of so many ns, added to *ns; the first character behind them. */
CF_INLINE const char *cf_text_decimals(const char *p, const char *end, int64_t unit, int64_t *ns)
{
    for (; p < end && cf_is_digit(*p); p++, unit /= 10)
        *ns += unit * (*p - '0');
    return p;
}

/* `10:06:13.191`, with a comma for the point, or `10:06:13.191.5` (milliseconds, and what is below), in [p, end). */
CF_INLINE void cf_text_date_clock(const char *p, const char *end, cf_text_date *date)
{
    int64_t clock_ns = 0;
    int ok;
    const char *after = cf_text_clock(p, end, &clock_ns, &ok), *point;
    if (!ok)
        return;
    point = (const char *)memchr(p, '.', (size_t)(after - p));
    if (after < end && *after == ',' && after - p >= 7 && point == NULL)
        after = cf_text_decimals(after + 1, end, 100000000, &clock_ns);
    else if (after < end && *after == '.' && point != NULL && after - point == 4)
        after = cf_text_decimals(after + 1, end, 100000, &clock_ns);
    if (after == end)
        date->clock_ns = clock_ns;
}

/* One word of a date. */
CF_INLINE void cf_text_date_word(const char *p, const char *end, cf_text_date *date)
{
    const unsigned month = cf_month(p, end);
    uint64_t value;
    unsigned digits;
    const char *after;
    if (month != 0) {
        date->month = month;
    } else if (end - p == 2 && cf_lower(p[1]) == 'm' && (cf_lower(*p) == 'a' || cf_lower(*p) == 'p')) {
        date->afternoon = cf_lower(*p) == 'p';
    } else if (cf_is_digit(*p)) {
        if (memchr(p, ':', (size_t)(end - p)) != NULL) {
            if (end - p > 11 && p[10] == 'T') { /* 2017-09-30T22:06:13Z */
                cf_text_numeric_date(p, p + 10, date);
                p += 11;
                end -= end[-1] == 'Z';
            }
            cf_text_date_clock(p, end, date);
            return;
        }
        after = cf_text_unsigned(p, end, &value, &digits);
        if (after < end && (*after == '.' || *after == ','))
            after++;
        if (after < end)
            cf_text_numeric_date(p, end, date);
        else if (digits == 4)
            date->year = (unsigned)value;
        else if (digits <= 2)
            date->day = (unsigned)value;
    }
}

/* The recording's start from what was found of a date; 0 when that is none. */
CF_INLINE int cf_log_start_at(cf_log_reader *reader, const cf_text_date *date)
{
    uint64_t second;
    unsigned hour;
    if (date->clock_ns < 0 || date->day == 0 || date->month == 0)
        return 0;
    second = (uint64_t)date->clock_ns / 1000000000u;
    hour = (unsigned)(second / 3600);
    if (date->afternoon == 1 && hour < 12)
        hour += 12;
    else if (date->afternoon == 0 && hour == 12)
        hour = 0;
    return cf_log_begin(reader, date->year, date->month, date->day, hour, (unsigned)(second / 60 % 60),
                        (unsigned)(second % 60), (uint32_t)((uint64_t)date->clock_ns % 1000000000u));
}

/* Half an hour: where a zone changes its offset, the wall clock shows a multiple of this, or leaves such a stretch for
 * another (Chatham, from 2:45 to 3:45). */
#define CF_LOG_ZONE_NS INT64_C(1800000000000)

/* The time of a line with a date into *ns. CF_LOG_START_HERE: its date is a start now, as the first one is, the first
 * behind each CF_LOG_ZONE_NS, and one that is earlier than the start before. CF_LOG_TIME: it is no date. */
CF_INLINE cf_status cf_log_dated(cf_log_reader *reader, const cf_text_date *date, int64_t *ns)
{
    cf_log_reader other;
    if (!cf_log_start_at(&other, date))
        return CF_LOG_TIME;
    if (!reader->has_start || other.start_ns < reader->start_ns ||
        other.start_ns / CF_LOG_ZONE_NS != reader->start_ns / CF_LOG_ZONE_NS) {
        reader->start_ns = reader->epoch_ns = other.start_ns;
        reader->has_start = 1;
        return CF_LOG_START_HERE;
    }
    return cf_log_stamp(&other, reader->epoch_ns - reader->start_ns, ns) ? CF_OK : CF_LOG_TIME;
}

/* `Sat Sep 30 10:06:13.191 PM 2017` in [p, end): the recording's start, if it is a date. */
CF_INLINE int cf_log_text_start(cf_log_reader *reader, const char *p, const char *end)
{
    cf_text_date date = {0, 0, 0, -1, -1};
    for (p = cf_skip_blanks(p, end); p < end; p = cf_skip_blanks(p, end)) {
        const char *after = cf_skip_word(p, end);
        cf_text_date_word(p, after, &date);
        p = after;
    }
    return cf_log_start_at(reader, &date);
}

/* The date of a line in [p, end), where there is one: CF_LOG_START; CF_LOG_BLANK, and counted, if it is none. */
CF_INLINE cf_status cf_log_text_date(cf_log_reader *reader, const char *p, const char *end)
{
    if (cf_skip_blanks(p, end) == end)
        return CF_LOG_BLANK;
    if (cf_log_text_start(reader, p, end))
        return CF_LOG_START;
    cf_log_skip(reader, CF_LOG_KIND_DATE);
    return CF_LOG_BLANK;
}

#endif
