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

/* `30.9.2017` or `2017-09-30` in [p, end) into *date. */
CF_INLINE void cf_text_numeric_date(const char *p, const char *end, cf_text_date *date)
{
    uint64_t parts[3];
    unsigned digits[3], i;
    for (i = 0; i < 3; i++) {
        p = cf_text_unsigned(p, end, &parts[i], &digits[i]);
        if (digits[i] == 0 || digits[i] > 4 || (i < 2 && (p == end || (*p != '.' && *p != '-'))))
            return;
        p++;
    }
    date->month = (unsigned)parts[1];
    date->year = (unsigned)parts[digits[0] == 4 ? 0 : 2];
    date->day = (unsigned)parts[digits[0] == 4 ? 2 : 0];
}

/* The decimals of a second behind a comma at p, added to *ns; the first character behind them. */
CF_INLINE const char *cf_text_comma(const char *p, const char *end, int64_t *ns)
{
    int64_t unit = 100000000;
    for (; p < end && cf_is_digit(*p); p++, unit /= 10)
        *ns += unit * (*p - '0');
    return p;
}

/* One word of a date. */
CF_INLINE void cf_text_date_word(const char *p, const char *end, cf_text_date *date)
{
    const unsigned month = cf_month(p, end);
    uint64_t value;
    int64_t clock_ns;
    unsigned digits;
    int ok;
    const char *after;
    if (month != 0) {
        date->month = month;
    } else if (end - p == 2 && cf_lower(p[1]) == 'm' && (cf_lower(*p) == 'a' || cf_lower(*p) == 'p')) {
        date->afternoon = cf_lower(*p) == 'p';
    } else if (cf_is_digit(*p)) {
        if (memchr(p, ':', (size_t)(end - p)) != NULL) {
            after = cf_text_clock(p, end, &clock_ns, &ok);
            if (ok && after < end && *after == ',') /* German; the time before it is of whole seconds */
                after = cf_text_comma(after + 1, end, &clock_ns);
            if (ok && after == end)
                date->clock_ns = clock_ns;
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

#endif
