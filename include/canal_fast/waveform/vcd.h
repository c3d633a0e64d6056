/* canal_fast/waveform/vcd.h - value changes of one variable out of a VCD file's second part (IEEE 1364, 18.2). */
#ifndef CANAL_FAST_WAVEFORM_VCD_H
#define CANAL_FAST_WAVEFORM_VCD_H

#include "../base.h"

enum { CF_VCD_NAME = 32, CF_VCD_NO_LEVEL = 2 };

typedef enum cf_vcd_skip {
    CF_VCD_NOTHING,
    CF_VCD_COMMENT, /* up to $end */
    CF_VCD_VECTOR,  /* the name follows; its last digit is in `digit` */
    CF_VCD_REAL     /* the name follows and does not matter */
} cf_vcd_skip;

typedef struct cf_vcd {
    char name[CF_VCD_NAME]; /* identifier code, ends in a zero */
    int64_t time, begin;    /* of now, and of the first time that stands in the file; begin with -1 */
    unsigned level;         /* begin with CF_VCD_NO_LEVEL */
    unsigned first;         /* level at the beginning, when known */
    unsigned recessive;     /* level that x and z, and what is before the first value, are taken for */
    int64_t unknown;        /* how often that was */
    int64_t backwards;      /* times below the one before */
    cf_vcd_skip skip;
    char digit;
} cf_vcd;

CF_INLINE int cf_vcd_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

CF_INLINE int cf_vcd_is_named(const cf_vcd *v, const char *at, size_t size)
{
    return size < CF_VCD_NAME && memcmp(v->name, at, size) == 0 && v->name[size] == 0;
}

/* The variable has the value `digit` now. Returns how many edges there are then. */
CF_INLINE size_t cf_vcd_value(cf_vcd *v, char digit, int64_t *edges, size_t found)
{
    const unsigned unknown = digit != '0' && digit != '1';
    const unsigned level = unknown ? v->recessive : digit == '1';
    v->unknown += unknown;
    if (v->level == CF_VCD_NO_LEVEL) {
        const unsigned late = v->begin >= 0 && v->time > v->begin;
        v->level = v->first = late ? v->recessive : level;
        v->unknown += late;
    }
    if (level != v->level) {
        v->level = level;
        if (found && edges[found - 1] == v->time) /* a change that lasted no time */
            return found - 1;
        edges[found++] = v->time;
    }
    return found;
}

CF_INLINE void cf_vcd_time(cf_vcd *v, const char *at, size_t size)
{
    int64_t time = 0;
    size_t i;
    for (i = 1; i < size && at[i] >= '0' && at[i] <= '9' && time < INT64_MAX / 10 - 1; i++)
        time = time * 10 + (at[i] - '0');
    if (v->begin < 0)
        v->begin = time;
    if (time < v->time)
        v->backwards++;
    else
        v->time = time;
}

CF_INLINE size_t cf_vcd_token(cf_vcd *v, const char *at, size_t size, int64_t *edges, size_t found)
{
    const cf_vcd_skip skip = v->skip;
    if (skip == CF_VCD_COMMENT) {
        if (size == 4 && memcmp(at, "$end", 4) == 0)
            v->skip = CF_VCD_NOTHING;
        return found;
    }
    v->skip = CF_VCD_NOTHING;
    if (skip == CF_VCD_VECTOR && cf_vcd_is_named(v, at, size))
        return cf_vcd_value(v, v->digit, edges, found);
    if (skip != CF_VCD_NOTHING)
        return found;
    switch (at[0]) {
    case '#':
        cf_vcd_time(v, at, size);
        break;
    case '$':
        if (size == 8 && memcmp(at, "$comment", 8) == 0)
            v->skip = CF_VCD_COMMENT;
        break;
    case 'b':
    case 'B':
        v->skip = CF_VCD_VECTOR;
        v->digit = at[size - 1];
        break;
    case 'r':
    case 'R':
        v->skip = CF_VCD_REAL;
        break;
    default:
        if (cf_vcd_is_named(v, at + 1, size - 1))
            return cf_vcd_value(v, at[0], edges, found);
    }
    return found;
}

/* Tokens of `text`; one that reaches its end is left for the next call unless `final`. Returns the number of edges,
 * less than `room`; *used is where the next call has to begin. */
CF_INLINE size_t cf_vcd_scan(cf_vcd *v, const char *text, size_t size, int final, int64_t *edges, size_t room,
                             size_t *used)
{
    size_t at = 0, found = 0;
    for (*used = 0; at < size && found + 1 < room; *used = at) {
        size_t begin;
        while (at < size && cf_vcd_blank(text[at]))
            at++;
        for (begin = at; at < size && !cf_vcd_blank(text[at]);)
            at++;
        if (at == size && !final && at > begin) {
            *used = begin;
            break;
        }
        if (at > begin)
            found = cf_vcd_token(v, text + begin, at - begin, edges, found);
    }
    return found;
}

#endif
