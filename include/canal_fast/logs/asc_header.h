/* canal_fast/logs/asc_header.h - lines of a Vector ASC file without a time: dates, bases, comments. */
#ifndef CANAL_FAST_LOGS_ASC_HEADER_H
#define CANAL_FAST_LOGS_ASC_HEADER_H

#include "text_date.h"

/* reader->own */
typedef struct cf_asc {
    uint8_t decimal, relative;
    uint8_t of_day;     /* times count from midnight of the start's day: BUSMASTER's system mode */
    uint8_t ends_bare;  /* data lines of this file were seen to end with the last data byte ... */
    uint8_t ends_later; /* ... or behind it */
} cf_asc;

#define CF_ASC_DAY_NS INT64_C(86400000000000)

/* Is the line at p one that only an ASC file begins with? */
CF_INLINE int cf_asc_is_header(const char *p, const char *end)
{
    static const char *const begins[] = {"date ",
                                         "base hex",
                                         "base dec",
                                         "internal events logged",
                                         "no internal events logged",
                                         "begin triggerblock",
                                         "// version "};
    size_t i;
    for (i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (cf_text_begins(p, end, begins[i]))
            return 1;
    return 0;
}

/* `base hex  timestamps absolute` at p. BUSMASTER's converter writes `base hex  no internal events logged` where the
 * log's times are the clock's. */
CF_INLINE void cf_asc_base(cf_asc *own, const char *p, const char *end)
{
    int stated = 0, internal = 0;
    for (; p < end; p = cf_skip_blanks(cf_skip_word(p, end), end)) {
        if (cf_word_is(p, end, "hex") || cf_word_is(p, end, "dec")) {
            own->decimal = cf_lower(*p) == 'd';
        } else if (cf_word_is(p, end, "absolute") || cf_word_is(p, end, "relative")) {
            own->relative = cf_lower(*p) == 'r';
            stated = 1;
        } else if (cf_word_is(p, end, "internal")) {
            internal = 1;
        }
    }
    own->of_day = (uint8_t)(internal && !stated);
}

/* A line without a time; p is its first character that is not blank. */
CF_INLINE cf_status cf_asc_header_line(cf_log_reader *reader, const char *line, const char *p, const char *end)
{
    const char *zero;
    if (p == end)
        return reader->unended ? CF_LOG_CUT : CF_LOG_BLANK;
    if (cf_word_is(p, end, "end") && cf_word_is(cf_skip_blanks(p + 3, end), end, "triggerblock"))
        return CF_LOG_BLANK;
    if (reader->unended)
        return CF_LOG_CUT;
    zero = (const char *)memchr(p, 0, (size_t)(end - p));
    if (zero != NULL) {
        reader->column = (size_t)(zero - line);
        return CF_TEXT_BINARY;
    }
    if (cf_word_is(p, end, "date")) {
        reader->clock_ns = 0;
        return cf_log_text_date(reader, p + 4, end);
    }
    if (cf_word_is(p, end, "begin") && cf_text_begins(cf_skip_blanks(p + 5, end), end, "triggerblock")) {
        p = cf_skip_blanks(p + 5, end);
        reader->clock_ns = 0;
        return cf_log_text_date(reader, p + 12, end);
    }
    if (cf_word_is(p, end, "base"))
        cf_asc_base((cf_asc *)reader->own, p + 4, end);
    else if (!cf_asc_is_header(p, end) && !cf_text_begins(p, end, "//"))
        cf_log_skip(reader, "line without a time");
    return CF_LOG_BLANK;
}

#endif
