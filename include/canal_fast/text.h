/* canal_fast/text.h - what every reader of text needs: digits, bytes, words, decimal times, calendar dates.
 *
 * All functions take a position and the end of what may be read, and return the position after what they took;
 * nothing is read at or past `end`. Text is bytes: ASCII decides, other bytes are passed over.
 */
#ifndef CANAL_FAST_TEXT_H
#define CANAL_FAST_TEXT_H

#include "base.h"

/* Eight bytes at once need the first character in the lowest byte. */
#if defined(__BYTE_ORDER__) && defined(__ORDER_BIG_ENDIAN__)
#define CF_TEXT_LITTLE (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__)
#else
#define CF_TEXT_LITTLE 1
#endif

#define CF_TEXT_ONES UINT64_C(0x0101010101010101)
#define CF_TEXT_HIGH (0x80 * CF_TEXT_ONES)

/* 0..15, or 255 for what is no hexadecimal digit. */
CF_INLINE unsigned cf_hex_digit(char c)
{
/* clang-format off */
#define CF_X16 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255
#define CF_XAF 255, 10, 11, 12, 13, 14, 15, 255, 255, 255, 255, 255, 255, 255, 255, 255
    static const uint8_t digits[256] = {
        CF_X16, CF_X16, CF_X16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 255, 255, 255, 255, 255,
        CF_XAF, CF_X16, CF_XAF, CF_X16, CF_X16, CF_X16, CF_X16, CF_X16, CF_X16, CF_X16, CF_X16, CF_X16};
#undef CF_XAF
#undef CF_X16
/* clang-format on */
    return digits[(uint8_t)c];
}

CF_INLINE int cf_is_digit(char c)
{
    return (uint8_t)(c - '0') < 10;
}

CF_INLINE int cf_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

CF_INLINE const char *cf_skip_blanks(const char *p, const char *end)
{
    while (p < end && cf_is_blank(*p))
        p++;
    return p;
}

/* The end of the word that begins at p. */
CF_INLINE const char *cf_skip_word(const char *p, const char *end)
{
    while (p < end && !cf_is_blank(*p))
        p++;
    return p;
}

/* `end`, moved before the line end and the blanks that close the line. */
CF_INLINE const char *cf_trim_line(const char *p, const char *end)
{
    while (end > p && (end[-1] == '\n' || end[-1] == '\r' || cf_is_blank(end[-1])))
        end--;
    return end;
}

CF_INLINE char cf_lower(char c)
{
    return (char)((uint8_t)(c - 'A') < 26 ? c + 32 : c);
}

/* Does text[0..length) begin with `word` (in lower case), whatever its case? */
CF_INLINE int cf_text_begins(const char *p, const char *end, const char *word)
{
    for (; *word != 0; p++, word++)
        if (p >= end || cf_lower(*p) != *word)
            return 0;
    return 1;
}

/* Is the word at p, up to a blank or `end`, this one (in lower case)? */
CF_INLINE int cf_word_is(const char *p, const char *end, const char *word)
{
    const size_t length = strlen(word);
    return cf_text_begins(p, end, word) && (p + length == end || cf_is_blank(p[length]));
}

/* Is text [p, end), not empty, the beginning of `word` (in lower case)? */
CF_INLINE int cf_text_is_cut(const char *p, const char *end, const char *word)
{
    for (; p < end && *word != 0 && cf_lower(*p) == *word; p++, word++)
        ;
    return p == end;
}

/* Eight decimal digits at p (all readable) into *value; 0 when one of them is none. */
CF_INLINE int cf_eight_digits(const char *p, uint32_t *value)
{
    uint64_t x;
    memcpy(&x, p, 8);
    if ((x & (0xF0 * CF_TEXT_ONES)) != 0x30 * CF_TEXT_ONES ||
        ((x + 6 * CF_TEXT_ONES) & (0xF0 * CF_TEXT_ONES)) != 0x30 * CF_TEXT_ONES)
        return 0;
#if CF_TEXT_LITTLE
    x -= 0x30 * CF_TEXT_ONES;
    x = x * 10 + (x >> 8); /* pairs in the even bytes */
    x = ((x & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
         (x >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
        32;
    *value = (uint32_t)x;
#else
    {
        unsigned i;
        for (*value = 0, i = 0; i < 8; i++)
            *value = *value * 10 + (uint32_t)(p[i] - '0');
    }
#endif
    return 1;
}

/* Decimal digits at p into *value. *digits is their number; more than 19 are not taken. */
CF_INLINE const char *cf_text_unsigned(const char *p, const char *end, uint64_t *value, unsigned *digits)
{
    const char *first = p;
    uint64_t sum = 0;
    for (; p < end && cf_is_digit(*p) && p - first < 19; p++)
        sum = sum * 10 + (uint64_t)(*p - '0');
    *value = sum;
    *digits = (unsigned)(p - first);
    return p;
}

/* Hexadecimal digits at p into *value. *digits is their number; more than 8 are not taken. */
CF_INLINE const char *cf_text_hex(const char *p, const char *end, uint32_t *value, unsigned *digits)
{
    const char *first = p;
    uint32_t sum = 0;
    unsigned digit;
    for (; p < end && p - first < 8 && (digit = cf_hex_digit(*p)) < 16; p++)
        sum = sum << 4 | digit;
    *value = sum;
    *digits = (unsigned)(p - first);
    return p;
}

/* Eight hexadecimal digits at p (all readable), four bytes, into data; 0 when one of them is none. */
CF_INLINE int cf_four_bytes(const char *p, uint8_t *data)
{
#if CF_TEXT_LITTLE
    uint64_t x, y, good;
    uint32_t bytes;
    memcpy(&x, p, 8);
    y = x | 0x20 * CF_TEXT_ONES;
    good = ((x + 0x50 * CF_TEXT_ONES) ^ (x + 0x46 * CF_TEXT_ONES)) |
           ((y + 0x1F * CF_TEXT_ONES) ^ (y + 0x19 * CF_TEXT_ONES));
    if ((good & ~x & CF_TEXT_HIGH) != CF_TEXT_HIGH)
        return 0;
    x = (x & (0x0F * CF_TEXT_ONES)) + 9 * (x >> 6 & CF_TEXT_ONES);
    x = (x << 4 | x >> 8) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x | x >> 8) & UINT64_C(0x0000FFFF0000FFFF);
    bytes = (uint32_t)(x | x >> 16);
    memcpy(data, &bytes, 4);
#else
    unsigned i;
    for (i = 0; i < 4; i++) {
        const unsigned high = cf_hex_digit(p[2 * i]), low = cf_hex_digit(p[2 * i + 1]);
        if ((high | low) > 15)
            return 0;
        data[i] = (uint8_t)(high << 4 | low);
    }
#endif
    return 1;
}

/* Sixteen hexadecimal digits, eight bytes, in the same way. */
CF_INLINE int cf_eight_bytes(const char *p, uint8_t *data)
{
    return cf_four_bytes(p, data) && cf_four_bytes(p + 8, data + 4);
}

/* `count` bytes of two hexadecimal digits each, blanks between them, at p into data. *got tells how many there
 * were; with fewer, the position returned is that of the trouble. */
CF_INLINE const char *cf_spaced_bytes(const char *p, const char *end, uint8_t *data, unsigned count, unsigned *got)
{
    unsigned n;
    for (n = 0; n < count; n++) {
        const char *at = p;
        unsigned high, low;
        while (at < end && cf_is_blank(*at))
            at++;
        p = at;
        if (end - at < 2)
            break;
        high = cf_hex_digit(at[0]);
        low = cf_hex_digit(at[1]);
        if ((high | low) > 15 || (end - at > 2 && !cf_is_blank(at[2])))
            break;
        data[n] = (uint8_t)(high << 4 | low);
        p = at + 2;
    }
    *got = n;
    return p;
}

/* Powers of ten up to 10^18. */
CF_INLINE uint64_t cf_power_of_ten(unsigned exponent)
{
    /* clang-format off */
    static const uint64_t powers[19] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
        UINT64_C(10000000000), UINT64_C(100000000000), UINT64_C(1000000000000), UINT64_C(10000000000000),
        UINT64_C(100000000000000), UINT64_C(1000000000000000), UINT64_C(10000000000000000),
        UINT64_C(100000000000000000), UINT64_C(1000000000000000000)};
    /* clang-format on */
    return powers[exponent < 19 ? exponent : 18];
}

/* A decimal number, `-12.345`, at p times 10^scale (9 for seconds, 6 for milliseconds, 3 for microseconds), in
 * nanoseconds and rounded to the nearest. Either side of the point may be missing, not both. On trouble (no digit, or
 * 64 bits do not hold it) *ok is 0 and the position is that of the trouble. */
CF_INLINE const char *cf_text_decimal(const char *p, const char *end, unsigned scale, int64_t *ns, int *ok)
{
    const char *first;
    uint64_t whole = 0, fraction = 0;
    const uint64_t unit = cf_power_of_ten(scale);
    unsigned digits = 0, decimals = 0;
    int negative = 0, up = 0;
    *ok = 0;
    if (p < end && *p == '-') {
        negative = 1;
        p++;
    }
    for (first = p; p < end && cf_is_digit(*p); p++) {
        whole = whole * 10 + (uint64_t)(*p - '0');
        if (whole > (uint64_t)INT64_MAX / unit)
            return p;
    }
    digits = (unsigned)(p != first);
    if (p < end && *p == '.') {
        for (p++; p < end && cf_is_digit(*p); p++, digits = 1) {
            if (decimals < scale) {
                fraction = fraction * 10 + (uint64_t)(*p - '0');
                decimals++;
            } else if (decimals == scale) {
                up = *p >= '5';
                decimals++; /* the rest changes nothing */
            }
        }
    }
    if (digits == 0)
        return p;
    if (decimals < scale)
        fraction *= cf_power_of_ten(scale - decimals);
    whole = whole * unit + fraction + (uint64_t)up;
    if (whole > (uint64_t)INT64_MAX + (uint64_t)negative)
        return p;
    *ns = (int64_t)(negative ? 0u - whole : whole);
    *ok = 1;
    return p;
}

/* The same where a comma may stand for the point. */
CF_INLINE const char *cf_text_decimal_comma(const char *p, const char *end, unsigned scale, int64_t *ns, int *ok)
{
    const char *after = cf_text_decimal(p, end, scale, ns, ok);
    char word[48];
    size_t length;
    if (after == end || *after != ',')
        return after;
    length = (size_t)(end - p) < sizeof word ? (size_t)(end - p) : sizeof word;
    memcpy(word, p, length);
    word[after - p < (ptrdiff_t)length ? after - p : 0] = '.';
    return p + (cf_text_decimal(word, word + length, scale, ns, ok) - word);
}

/* `hours:minutes[:seconds[.fraction]]` at p, in ns since midnight; *ok as in cf_text_decimal. */
CF_INLINE const char *cf_text_clock(const char *p, const char *end, int64_t *ns, int *ok)
{
    uint64_t hours, minutes;
    unsigned digits;
    int64_t seconds = 0;
    *ok = 0;
    p = cf_text_unsigned(p, end, &hours, &digits);
    if (digits < 1 || digits > 2 || hours > 23 || p == end || *p != ':')
        return p;
    p = cf_text_unsigned(p + 1, end, &minutes, &digits);
    if (digits != 2 || minutes > 59)
        return p;
    if (p < end && *p == ':') {
        if (++p == end || !cf_is_digit(*p))
            return p;
        p = cf_text_decimal(p, end, 9, &seconds, ok);
        if (!*ok || seconds >= INT64_C(60000000000)) {
            *ok = 0;
            return p;
        }
    }
    *ns = (int64_t)(hours * 60 + minutes) * INT64_C(60000000000) + seconds;
    *ok = 1;
    return p;
}

/* 1..12 for a month's name (three letters or more) at p; 0 for another word. English, German, French, Spanish,
 * Italian, Portuguese, Dutch; `?` in a row stands for one letter beyond ASCII, in Latin-1 or UTF-8. */
CF_INLINE unsigned cf_month(const char *p, const char *end)
{
    /* clang-format off */
    static const struct {
        char begins[5];
        uint8_t month;
    } names[] = {
        {"jan", 1}, {"ene", 1}, {"gen", 1}, {"feb", 2}, {"f?v", 2}, {"fev", 2}, {"mar", 3}, {"m?r", 3}, {"mrz", 3},
        {"mrt", 3}, {"apr", 4}, {"avr", 4}, {"abr", 4}, {"may", 5}, {"mai", 5}, {"mag", 5}, {"mei", 5}, {"jun", 6},
        {"juin", 6}, {"giu", 6}, {"jul", 7}, {"juil", 7}, {"lug", 7}, {"aug", 8}, {"aou", 8}, {"ao?", 8}, {"ago", 8},
        {"sep", 9}, {"set", 9}, {"oct", 10}, {"okt", 10}, {"ott", 10}, {"out", 10}, {"nov", 11}, {"dec", 12},
        {"dez", 12}, {"d?c", 12}, {"dic", 12}};
    /* clang-format on */
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *at = p, *name = names[i].begins;
        for (; *name != 0 && at < end; name++, at++) {
            if (*name != '?' ? cf_lower(*at) != *name : (uint8_t)*at < 0x80)
                break;
            if (*name == '?' && (uint8_t)*at >= 0xC0 && at + 1 < end && ((uint8_t)at[1] & 0xC0) == 0x80)
                at++; /* two bytes of UTF-8 */
        }
        if (*name == 0)
            return names[i].month;
    }
    return 0;
}

#endif
