/* config_text.h - what the configuration strings of our drivers share: fields between semicolons, numbers, and the
 * sentence that says what is wrong.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "../../include/canal_fast/base.h"

enum {
    CT_CONFIG_SIZE = 256, /* the longest string, with its end */
    CT_ERROR_SIZE = 512
};

typedef struct ct_error {
    char text[CT_ERROR_SIZE];
} ct_error;

/* Writes the sentence and returns 0, so that a caller can `return ct_fail(...)`. */
static int ct_fail(ct_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return 0;
}

/* An unsigned number at *at, stepping over it; 0 when there is none or it does not fit. */
static int ct_number(const char **at, uint64_t *value)
{
    const char *p = *at;
    unsigned base = 10;
    uint64_t sum = 0;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    }
    *at = p;
    for (;; p++) {
        unsigned digit = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                         : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10)
                         : *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A' + 10)
                                                  : 16u;
        if (digit >= base)
            break;
        if (sum > (UINT64_MAX - digit) / base)
            return 0;
        sum = sum * base + digit;
    }
    *value = sum;
    return p != *at ? (*at = p, 1) : 0;
}

static char *ct_trim(char *text)
{
    char *end = text + strlen(text);
    while (*text == ' ' || *text == '\t')
        text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    return text;
}

/* The string into `copy`, CT_CONFIG_SIZE bytes. */
static int ct_copy(const char *text, char *copy, ct_error *error)
{
    size_t length = 0;
    if (text == NULL)
        return ct_fail(error, "no configuration string");
    while (length < CT_CONFIG_SIZE && text[length] != 0)
        length++;
    if (length == CT_CONFIG_SIZE)
        return ct_fail(error, "the configuration string is longer than %d bytes", CT_CONFIG_SIZE - 1);
    memcpy(copy, text, length + 1);
    return 1;
}

/* The next field at *rest, without the blanks around it; NULL after the last. */
static char *ct_field(char **rest)
{
    char *field = *rest;
    if (field == NULL)
        return NULL;
    *rest = strchr(field, ';');
    if (*rest != NULL)
        *(*rest)++ = 0;
    return ct_trim(field);
}

#endif
