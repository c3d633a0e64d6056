/* canal_fast/simulation/fault_words.h - a line of text, word by word. */
#ifndef CANAL_FAST_SIMULATION_FAULT_WORDS_H
#define CANAL_FAST_SIMULATION_FAULT_WORDS_H

#include "fault.h"

/* Names of the nodes, in the order of their numbers. */
typedef struct cf_fault_names {
    const char *const *names;
    unsigned count;
} cf_fault_names;

typedef struct cf_fault_error {
    const char *reason; /* what was expected */
    size_t column;      /* of the word that is wrong, from 1 */
} cf_fault_error;

typedef struct cf_fault_words {
    const char *text, *at, *end;
    const char *word; /* the present one; length 0: the line has ended */
    size_t length;
    cf_fault_names names;
    cf_fault_error *error;
} cf_fault_words;

CF_INLINE int cf_fault_fail(cf_fault_words *w, const char *reason)
{
    w->error->reason = reason;
    w->error->column = (size_t)(w->word - w->text) + 1;
    return 0;
}

/* Steps to the next word. */
CF_INLINE void cf_fault_step(cf_fault_words *w)
{
    while (w->at < w->end && (*w->at == ' ' || *w->at == '\t' || *w->at == '\r'))
        w->at++;
    w->word = w->at;
    while (w->at < w->end && *w->at != ' ' && *w->at != '\t' && *w->at != '\r' && *w->at != '#')
        w->at++;
    w->length = (size_t)(w->at - w->word);
}

/* Is the present word this one, in either case? Steps over it if so. */
CF_INLINE int cf_fault_is(cf_fault_words *w, const char *name)
{
    size_t i;
    for (i = 0; i < w->length && name[i]; i++) {
        const char c = w->word[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != name[i])
            return 0;
    }
    if (i < w->length || name[i])
        return 0;
    cf_fault_step(w);
    return 1;
}

/* A number in this base, at most `most`, at least `least`. */
CF_INLINE int cf_fault_number(cf_fault_words *w, unsigned base, int64_t least, int64_t most, int64_t *value,
                              const char *reason)
{
    size_t i = 0;
    int64_t sum = 0;
    if (base == 16 && w->length > 2 && w->word[0] == '0' && (w->word[1] | 32) == 'x')
        i = 2;
    if (i == w->length)
        return cf_fault_fail(w, reason);
    for (; i < w->length; i++) {
        const char c = w->word[i];
        const unsigned digit = c >= '0' && c <= '9'                 ? (unsigned)(c - '0')
                               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10)
                                                                    : 16;
        if (digit >= base || sum > most / (int64_t)base)
            return cf_fault_fail(w, reason);
        sum = sum * base + digit;
    }
    if (sum < least || sum > most)
        return cf_fault_fail(w, reason);
    *value = sum;
    cf_fault_step(w);
    return 1;
}

#endif
