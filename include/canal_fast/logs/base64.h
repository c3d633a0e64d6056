/* canal_fast/logs/base64.h - data bytes in base64, as python-can's CSV has them. */
#ifndef CANAL_FAST_LOGS_BASE64_H
#define CANAL_FAST_LOGS_BASE64_H

#include "../frame.h"

/* Base64 in [p, end) into data, at most CF_FD_DATA bytes; their number, or -1 with the place of the trouble in *bad. */
CF_INLINE int cf_csv_base64(const char *p, const char *end, uint8_t *data, const char **bad)
{
    /* clang-format off */
#define CF_X -1, -1, -1, -1, -1, -1, -1, -1
    static const int8_t digits[256] = {
        CF_X, CF_X, CF_X, CF_X, CF_X, -1,   -1,   -1,   62,   -1,   -1,   -1,   63,   52,  53, 54, 55, 56,   57,
        58,   59,   60,   61,   -1,   -1,   -1,   -1,   -1,   -1,   -1,   0,    1,    2,   3,  4,  5,  6,    7,
        8,    9,    10,   11,   12,   13,   14,   15,   16,   17,   18,   19,   20,   21,  22, 23, 24, 25,   -1,
        -1,   -1,   -1,   -1,   -1,   26,   27,   28,   29,   30,   31,   32,   33,   34,  35, 36, 37, 38,   39,
        40,   41,   42,   43,   44,   45,   46,   47,   48,   49,   50,   51,   -1,   -1,  -1, -1, -1, CF_X, CF_X,
        CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X, CF_X};
#undef CF_X
    /* clang-format on */
    unsigned n = 0;
    for (; end - p >= 4; p += 4) {
        const int a = digits[(uint8_t)p[0]], b = digits[(uint8_t)p[1]], c = digits[(uint8_t)p[2]],
                  d = digits[(uint8_t)p[3]];
        const int padding = p[3] != '=' ? 0 : p[2] != '=' ? 1 : 2;
        *bad = p;
        if ((a | b) < 0 || (padding < 2 && c < 0) || (padding < 1 && d < 0) || n + 3u - (unsigned)padding > CF_FD_DATA)
            return -1;
        data[n++] = (uint8_t)(a << 2 | b >> 4);
        if (padding < 2)
            data[n++] = (uint8_t)(b << 4 | c >> 2);
        if (padding < 1)
            data[n++] = (uint8_t)(c << 6 | d);
        else if (p + 4 != end)
            return -1;
    }
    *bad = end;
    return p == end ? (int)n : -1;
}

/* `count` bytes in base64 at p; the position behind them. */
CF_INLINE uint8_t *cf_csv_put_base64(uint8_t *p, const uint8_t *data, unsigned count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; count >= 3; count -= 3, data += 3) {
        *p++ = (uint8_t)digits[data[0] >> 2];
        *p++ = (uint8_t)digits[(data[0] & 3) << 4 | data[1] >> 4];
        *p++ = (uint8_t)digits[(data[1] & 15) << 2 | data[2] >> 6];
        *p++ = (uint8_t)digits[data[2] & 63];
    }
    if (count > 0) {
        const unsigned second = count > 1 ? data[1] : 0;
        *p++ = (uint8_t)digits[data[0] >> 2];
        *p++ = (uint8_t)digits[(data[0] & 3) << 4 | second >> 4];
        *p++ = (uint8_t)(count > 1 ? digits[(second & 15) << 2] : '=');
        *p++ = '=';
    }
    return p;
}

#endif
