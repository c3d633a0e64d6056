/* canal_fast/decimal.h - numbers as decimal text, without a NUL: whole ones, and doubles with the fewest digits that
 * read back as the same double, of these the nearest (Steele and White 1990), laid out as Python's repr does. */
#ifndef CANAL_FAST_DECIMAL_H
#define CANAL_FAST_DECIMAL_H

#include "text.h"

enum { CF_DECIMAL_MAX = 32 }; /* characters that a number takes at most */

/* `value` in as many decimal digits as it has, at most 20, blanks in front up to `width`; `minus` counts as one of
 * them. As all here, it returns the position after what it wrote. */
CF_INLINE uint8_t *cf_put_padded(uint8_t *p, uint64_t value, int minus, unsigned width)
{
    uint8_t digits[20];
    unsigned count = 0, length;
    do
        digits[count++] = (uint8_t)('0' + value % 10);
    while ((value /= 10) != 0);
    for (length = count + (minus ? 1u : 0u); length < width; length++)
        *p++ = ' ';
    if (minus)
        *p++ = '-';
    while (count > 0)
        *p++ = digits[--count];
    return p;
}

CF_INLINE char *cf_put_unsigned(char *out, uint64_t value)
{
    return (char *)cf_put_padded((uint8_t *)out, value, 0, 1);
}

CF_INLINE char *cf_put_signed(char *out, int64_t value)
{
    if (value < 0)
        *out++ = '-';
    return cf_put_unsigned(out, value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

/* floor(m * 10^ten * 2^two), for results below 2^64, and m below 2^57 and two below 7 where ten is not negative;
 * *exact: nothing was cut off. */
CF_INLINE uint64_t cf_scaled(uint64_t m, int ten, int two, int *exact)
{
    uint32_t words[42] = {0}; /* 57 bits, times 10^340 or 2^971 */
    unsigned count = 3, at = 0, shift = 0, i;
    uint64_t low, high;
    int left;
    if (ten < 0 || two > 0) {
        at = (unsigned)two / 32, shift = (unsigned)two % 32;
        two = 0;
    }
    low = m << shift, high = shift ? m >> (64 - shift) : 0;
    words[at] = (uint32_t)low, words[at + 1] = (uint32_t)(low >> 32), words[at + 2] = (uint32_t)high;
    count += at;
    *exact = 1;
    for (left = ten; left > 0; left -= 9) {
        const uint64_t factor = cf_power_of_ten(left < 9 ? (unsigned)left : 9);
        uint64_t carry = 0;
        for (i = 0; i < count; i++) {
            carry += words[i] * factor;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry)
            words[count++] = (uint32_t)carry;
    }
    for (left = -ten; left > 0; left -= 9) {
        const uint64_t divisor = cf_power_of_ten(left < 9 ? (unsigned)left : 9);
        uint64_t rest = 0;
        for (i = count; i-- > 0;) {
            rest = rest << 32 | words[i];
            words[i] = (uint32_t)(rest / divisor);
            rest %= divisor;
        }
        *exact &= rest == 0;
    }
    at = (unsigned)-two / 32, shift = (unsigned)-two % 32;
    for (i = 0; i < at; i++)
        *exact &= words[i] == 0;
    low = words[at] | (uint64_t)words[at + 1] << 32;
    if (!shift)
        return low;
    *exact &= (low & (((uint64_t)1 << shift) - 1)) == 0;
    return low >> shift | (uint64_t)words[at + 2] << (64 - shift);
}

/* Of the decimals that round to m * 2^e (a double's: 0 < m < 2^53, e >= -1074) those with the fewest digits, and of
 * these the nearest, ties to the even digit: digits * 10^-*ten, with zeros at its end. */
CF_INLINE uint64_t cf_shortest(uint64_t m, int e, int *ten)
{
    const unsigned even = (m & 1) == 0,
                   narrow = m == (uint64_t)1 << 52 && e > -1074; /* the next below is half as far */
    unsigned bits = 52;
    int exact, low_exact, high_exact, magnitude;
    uint64_t value, low, high, unit, first, rest;
    while (!(m >> bits))
        bits--;
    magnitude = (int)((double)(e + (int)bits) * 0.30102999566398120 + 400) - 400; /* of ten, or one less */
    *ten = 16 - magnitude;
    value = cf_scaled(4 * m, *ten, e - 1, &exact); /* all in halves of the last of 17 or 18 digits */
    low = cf_scaled(4 * m - 2 + narrow, *ten, e - 1, &low_exact);
    high = cf_scaled(4 * m + 2, *ten, e - 1, &high_exact);
    low += !(low_exact && even);
    high -= high_exact && !even;
    for (unit = 2; high / (unit * 10) * (unit * 10) >= low; unit *= 10)
        ;
    rest = value % unit;
    first = value - rest;
    if (rest > unit / 2 || (rest == unit / 2 && (!exact || (first / unit & 1))))
        first += unit;
    if (first < low)
        first += unit;
    if (first > high)
        first -= unit;
    return first / 2;
}

/* digits * 10^-ten, digits not 0: from 0.0001 on and below 1e+16 with a point, otherwise with an exponent. */
CF_INLINE char *cf_put_scaled(char *out, uint64_t digits, int ten)
{
    char text[20] = {0};
    int count, point, i;
    while (digits % 10 == 0) {
        digits /= 10;
        ten--;
    }
    count = (int)(cf_put_unsigned(text, digits) - text);
    point = count - ten;
    if (point <= -4 || point > 16) {
        *out++ = text[0];
        if (count > 1) {
            *out++ = '.';
            memcpy(out, text + 1, (size_t)count - 1);
            out += count - 1;
        }
        *out++ = 'e';
        *out++ = point > 0 ? '+' : '-';
        point = point > 0 ? point - 1 : 1 - point;
        if (point < 10)
            *out++ = '0';
        return cf_put_unsigned(out, (uint64_t)point);
    }
    if (point <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (i = point; i < 0; i++)
            *out++ = '0';
    }
    for (i = 0; i < count; i++) {
        if (i == point && i > 0)
            *out++ = '.';
        *out++ = text[i];
    }
    for (; i < point; i++)
        *out++ = '0';
    if (count <= point) {
        *out++ = '.';
        *out++ = '0';
    }
    return out;
}

/* A double; inf, -inf and nan are these words. */
CF_INLINE char *cf_put_double(char *out, double value)
{
    double power = 1;
    uint64_t bits, m;
    int e, ten;
    memcpy(&bits, &value, sizeof bits);
    e = (int)(bits >> 52 & 0x7FF);
    m = bits & 0xFFFFFFFFFFFFFu;
    if (e == 0x7FF && m) {
        memcpy(out, "nan", 3);
        return out + 3;
    }
    if (bits >> 63) {
        *out++ = '-';
        value = -value;
    }
    if (e == 0x7FF || value == 0) {
        memcpy(out, e ? "inf" : "0.0", 3);
        return out + 3;
    }
    /* No two decimals of up to 15 digits read as the same double: the first that reads as this one is the shortest. */
    for (ten = 0; ten < 9 && value * power < 1e15; ten++, power *= 10) {
        const int64_t whole = (int64_t)(value * power + 0.5);
        if ((double)whole / power == value)
            return cf_put_scaled(out, (uint64_t)whole, ten);
    }
    m = cf_shortest(e ? m | (uint64_t)1 << 52 : m, (e ? e : 1) - 1075, &ten);
    return cf_put_scaled(out, m, ten);
}

#endif
