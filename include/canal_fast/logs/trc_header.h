/* canal_fast/logs/trc_header.h - comments of PEAK TRC that say something: version, start, columns. */
#ifndef CANAL_FAST_LOGS_TRC_HEADER_H
#define CANAL_FAST_LOGS_TRC_HEADER_H

#include "text_date.h"

enum { CF_TRC_COLUMNS_MAX = 16 };

/* reader->own */
typedef struct cf_trc {
    int64_t doubted; /* decimals of $STARTTIME that may be milliseconds of the day, until that is clear */
    uint8_t version; /* 10, 11, 12, 13, 20, 21; 0 = not said: 1.0 */
    char columns[CF_TRC_COLUMNS_MAX]; /* from 2.0 on: the letters of $COLUMNS, 0 behind the last */
} cf_trc;

#define CF_TRC_EPOCH_DAYS 25569 /* from 1899-12-30 to 1970-01-01 */
#define CF_TRC_FIRST_DAY 29221 /* 1980-01-01; what is before it was counted from 1970 by mistake */

#define CF_TRC_DAY_MS INT64_C(86400000)

/* `43008.920986006946` in [p, end), days since 1899-12-30, as the recording's start; twelve decimals count. 0 for no
 * number, for 0 (not known), and, counted, for a year before 1980 or one that 64 bits of nanoseconds do not reach. */
CF_INLINE int cf_trc_start(cf_log_reader *reader, const char *p, const char *end)
{
    cf_trc *own = (cf_trc *)reader->own;
    uint64_t days, part = 0;
    unsigned digits, decimals = 0;
    p = cf_text_unsigned(p, end, &days, &digits);
    if (digits == 0 || days == 0)
        return 0;
    if (days < CF_TRC_FIRST_DAY || days > CF_TRC_EPOCH_DAYS + 106000) {
        cf_log_skip(reader, CF_LOG_KIND_DATE);
        return 0;
    }
    if (p < end && *p == '.')
        for (p++; p < end && cf_is_digit(*p); p++)
            if (decimals < 12) {
                part = part * 10 + (uint64_t)(*p - '0');
                decimals++;
            }
    own->doubted = part < (uint64_t)CF_TRC_DAY_MS ? (int64_t)part : 0;
    part *= cf_power_of_ten(12 - decimals);
    reader->start_ns = ((int64_t)days - CF_TRC_EPOCH_DAYS) * INT64_C(86400000000000) +
                       (int64_t)((part * 86400 + 500) / 1000);
    reader->epoch_ns = reader->start_ns;
    reader->has_start = 1;
    return 1;
}

/* `N,O,T,B,I,d,R,L,D` in [p, end) into own->columns; 0 when a line cannot be read by them. Columns behind the type
 * may be blank in lines that hold no frame, so number, offset and type have to stand in front. */
CF_INLINE int cf_trc_take_columns(cf_trc *own, const char *p, const char *end)
{
    const char *first;
    unsigned count = 0, seen = 0;
    memset(own->columns, 0, sizeof own->columns);
    for (; p < end && count < CF_TRC_COLUMNS_MAX - 1; p++) {
        static const char letters[] = "NOTBIdRlLD";
        const char *letter = *p == 0 ? NULL : strchr(letters, *p);
        if (letter == NULL || seen & 1u << (letter - letters))
            return 0;
        seen |= 1u << (letter - letters);
        own->columns[count++] = *p++;
        if (p < end && *p != ',')
            return 0;
    }
    first = own->columns + (own->columns[0] == 'N');
    return p >= end && first[0] == 'O' && first[1] == 'T' && strchr(own->columns, 'I') != NULL &&
           (strchr(own->columns, 'l') == NULL) != (strchr(own->columns, 'L') == NULL) && own->columns[count - 1] == 'D';
}

/* The start that the comment at p states, where $STARTTIME is of that day and its decimals are the milliseconds of it:
 * older versions of python-can wrote `45418.36000123` at ten o'clock. Otherwise $STARTTIME counts. */
CF_INLINE cf_status cf_trc_stated_start(cf_log_reader *reader, const char *p, const char *end)
{
    cf_trc *own = (cf_trc *)reader->own;
    const int64_t first = reader->start_ns;
    int64_t stated;
    if (!own->doubted)
        return CF_LOG_BLANK;
    if (cf_log_text_start(reader, p, end)) {
        stated = reader->start_ns / 1000000;
        if (stated / CF_TRC_DAY_MS != first / 1000000 / CF_TRC_DAY_MS || stated % CF_TRC_DAY_MS != own->doubted)
            reader->start_ns = reader->epoch_ns = first;
    }
    own->doubted = 0;
    return CF_LOG_START;
}

/* A comment; p is behind its semicolon. */
CF_INLINE cf_status cf_trc_comment(cf_log_reader *reader, const char *line, const char *p, const char *end)
{
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", "2.0", "2.1"};
    static const uint8_t numbers[] = {10, 11, 12, 13, 20, 21};
    cf_trc *own = (cf_trc *)reader->own;
    size_t i;
    if (reader->unended)
        return CF_LOG_CUT;
    if (cf_text_begins(p, end, "$fileversion=")) {
        p = cf_skip_blanks(p + 13, end);
        for (i = 0; i < sizeof numbers; i++)
            if (cf_word_is(p, end, versions[i])) {
                own->version = numbers[i];
                return CF_LOG_BLANK;
            }
        reader->column = (size_t)(p - line);
        return CF_TRC_VERSION;
    }
    if (cf_text_begins(p, end, "$starttime="))
        return cf_trc_start(reader, cf_skip_blanks(p + 11, end), end) && !own->doubted ? CF_LOG_START : CF_LOG_BLANK;
    if (cf_text_begins(p, end, "$columns=")) {
        p = cf_skip_blanks(p + 9, end);
        reader->column = (size_t)(p - line);
        return cf_trc_take_columns(own, p, end) ? CF_LOG_BLANK : CF_TRC_COLUMNS;
    }
    p = cf_skip_blanks(p, end);
    if (!cf_text_begins(p, end, "start time:"))
        return CF_LOG_BLANK;
    return reader->has_start ? cf_trc_stated_start(reader, p + 11, end) : cf_log_text_date(reader, p + 11, end);
}

#endif
