/* canal_fast/logs/candump_line.h - candump log text: one line, and whole buffers of lines.
 *
 *     (1436509052.249713) can0 123#DEADBEEF        base identifier: 3 hex digits
 *     (1436509052.249713) can0 12345678#11.22      extended: 8; dots between bytes are allowed
 *     (1436509052.249713) can0 123#R4              remote: R, R<length>, R8_<raw dlc>
 *     (1436509052.249713) can0 123#0011223344556677_F   raw dlc 9..F of an 8-byte classical frame
 *     (1436509052.249713) can0 123##1001122        FD: flags nibble (1 BRS, 2 ESI), then data
 *     (1436509052.249713) can0 20000004#0011223344556677   error frame: 0x20000000 set
 *     (1436509052.249713) can0 123#00 T            optional direction: R received, T sent
 *
 * 1 to 9 decimals, a `-` for times before zero. Blank lines and lines that begin with #, ; or //
 * hold no frame. FD data of a length that no dlc stands for is zero-filled to the next that one does.
 */
#ifndef CANAL_FAST_LOGS_CANDUMP_LINE_H
#define CANAL_FAST_LOGS_CANDUMP_LINE_H

#include "../frame.h"
#include "../text.h"

enum {
    CF_CANDUMP_NAME_MAX = 63,  /* bytes of an interface name */
    CF_CANDUMP_LINE_MAX = 288  /* bytes that cf_candump_format writes at most */
};

#define CF_CANDUMP_ERROR_BIT 0x20000000u

/* `(seconds.fraction)` at p; the position after it, or the position of the trouble with *ok 0. */
CF_INLINE const char *cf_candump_time(const char *p, const char *end, int64_t *ns, int *ok)
{
    uint64_t value = 0, fraction = 0;
    unsigned digits = 0, decimals = 0;
    int negative = 0;
    *ok = 0;
    if (p == end || *p != '(')
        return p;
#if CF_TEXT_LITTLE
    if (CF_LIKELY(end - p > 18 && p[11] == '.' && p[18] == ')' && cf_is_digit(p[9]) && cf_is_digit(p[10]))) {
        uint32_t seconds, micros; /* as candump writes it: 10 digits, 6 decimals */
        uint64_t text;
        memcpy(&text, p + 10, 8);
        text = (text & ~UINT64_C(0xFFFF)) | 0x3030; /* two zeros for the last digit and the point */
        if (CF_LIKELY(cf_eight_digits(p + 1, &seconds) && cf_eight_digits((const char *)&text, &micros))) {
            value = (uint64_t)seconds * 100 + (uint64_t)(p[9] - '0') * 10 + (uint64_t)(p[10] - '0');
            value = value * 1000000000u + (uint64_t)micros * 1000u;
            if (value > (uint64_t)INT64_MAX)
                return p + 10;
            *ns = (int64_t)value;
            *ok = 1;
            return p + 19;
        }
    }
#endif
    p++;
    if (p < end && *p == '-') {
        negative = 1;
        p++;
    }
    for (; p < end && (uint8_t)(*p - '0') < 10; p++, digits++) {
        if (digits == 10) /* 9,999,999,999 s: over the 9,223,372,036 s that 63 bits of ns hold */
            return p;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (digits == 0 || p == end || *p != '.')
        return p;
#if CF_TEXT_LITTLE
    if (end - p > 7 && p[7] == ')') {
        uint32_t micros;
        uint64_t text;
        memcpy(&text, p - 1, 8);
        text = (text & ~UINT64_C(0xFFFF)) | 0x3030;
        if (CF_LIKELY(cf_eight_digits((const char *)&text, &micros))) {
            value = value * 1000000000u + (uint64_t)micros * 1000u;
            if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
                return p;
            *ns = (int64_t)(negative ? 0u - value : value);
            *ok = 1;
            return p + 8;
        }
    }
#endif
    for (p++; p < end && (uint8_t)(*p - '0') < 10; p++, decimals++) {
        if (decimals == 9)
            return p;
        fraction = fraction * 10 + (uint64_t)(*p - '0');
    }
    if (decimals == 0 || p == end || *p != ')')
        return p;
    for (; decimals < 9; decimals++)
        fraction *= 10;
    value = value * 1000000000u + fraction; /* below 1e19: fits 64 bits */
    if (value > (uint64_t)INT64_MAX + (uint64_t)negative)
        return p;
    *ns = (int64_t)(negative ? 0u - value : value);
    *ok = 1;
    return p + 1;
}

/* Bytes in hexadecimal at p into data, at most `capacity`; the position after them. *length is
 * the number of bytes; an odd digit is left standing. */
CF_INLINE const char *cf_candump_bytes(const char *p, const char *end, uint8_t *data, unsigned capacity,
                                       unsigned *length)
{
    unsigned n = 0;
    while (capacity - n >= 8 && end - p >= 16 && cf_eight_bytes(p, data + n)) {
        n += 8;
        p += 16;
        if (n < capacity && end - p >= 3 && *p == '.' && cf_hex_digit(p[1]) < 16)
            p++;
    }
    while (n < capacity && end - p >= 2) {
        const unsigned high = cf_hex_digit(p[0]), low = cf_hex_digit(p[1]);
        if ((high | low) > 15)
            break;
        data[n++] = (uint8_t)(high << 4 | low);
        p += 2;
        if (end - p >= 3 && *p == '.' && n < capacity && cf_hex_digit(p[1]) < 16)
            p++;
    }
    *length = n;
    return p;
}

/* `_9`..`_F` at p after a length of 8: the raw dlc; the position after it. */
CF_INLINE const char *cf_candump_raw_dlc(const char *p, const char *end, unsigned length, uint8_t *dlc)
{
    *dlc = (uint8_t)length;
    if (length == 8 && end - p >= 2 && p[0] == '_') {
        const unsigned raw = cf_hex_digit(p[1]);
        if (raw > 8 && raw < 16) {
            *dlc = (uint8_t)raw;
            return p + 2;
        }
    }
    return p;
}

/* What follows the identifier's # at p, into the frame. */
CF_INLINE const char *cf_candump_payload(const char *p, const char *end, cf_fd_frame *frame, int *ok)
{
    const int error = (frame->flags & CF_FLAG_ERROR_FRAME) != 0;
    unsigned length = 0;
    *ok = 1;
    if (p < end && *p == '#') {
        const unsigned bits = ++p < end ? cf_hex_digit(*p) : 255;
        *ok = bits < 16 && !error;
        if (!*ok)
            return p;
        frame->flags |= CF_FLAG_FD;
        if (bits & 1)
            frame->flags |= CF_FLAG_BITRATE_SWITCH;
        if (bits & 2)
            frame->flags |= CF_FLAG_ERROR_STATE_INDICATOR;
        p = cf_candump_bytes(p + 1, end, frame->data, CF_FD_DATA, &length);
        frame->dlc = (uint8_t)cf_fd_dlc(length);
        return p;
    }
    if (p < end && (*p == 'R' || *p == 'r')) {
        *ok = !error;
        if (!*ok)
            return p;
        frame->flags |= CF_FLAG_REMOTE;
        if (++p < end && (uint8_t)(*p - '0') < 9)
            length = (unsigned)(*p++ - '0');
    } else {
        p = cf_candump_bytes(p, end, frame->data, CF_CLASSICAL_DATA, &length);
    }
    return cf_candump_raw_dlc(p, end, length, &frame->dlc);
}

/* Up to nine hexadecimal digits at p into *value (its lower 32 bits); the position after them. */
CF_INLINE const char *cf_candump_digits(const char *p, const char *end, uint32_t *value)
{
    const char *first = p;
    uint8_t bytes[4];
    unsigned digit;
    if (end - p > 3 && p[3] == '#') {
        const unsigned a = cf_hex_digit(p[0]), b = cf_hex_digit(p[1]), c = cf_hex_digit(p[2]);
        if ((a | b | c) < 16) {
            *value = a << 8 | b << 4 | c;
            return p + 3;
        }
    } else if (end - p > 8 && p[8] == '#' && cf_four_bytes(p, bytes)) {
        *value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
        return p + 8;
    }
    for (*value = 0; p < end && (digit = cf_hex_digit(*p)) < 16 && p - first < 9; p++)
        *value = *value << 4 | digit;
    return p;
}

/* Parses one line (without or with its line end) of `length` bytes. On CF_OK the frame is filled
 * (channel 0) and *iface, *iface_length point at the interface's name inside the line.
 * CF_LOG_BLANK: nothing on it. Otherwise CF_LOG_TIME, CF_LOG_INTERFACE, CF_LOG_IDENTIFIER,
 * CF_LOG_DATA or CF_LOG_TRAILING, with the place of the trouble in *column (from 0). */
CF_INLINE cf_status cf_candump_parse(const char *line, size_t length, cf_fd_frame *frame, const char **iface,
                                     size_t *iface_length, size_t *column)
{
    const char *p = line, *end = line + length, *name, *id;
    uint32_t value = 0;
    int ok;
    memset(frame, 0, sizeof *frame);
    while (end > p && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p == end || *p == '#' || *p == ';' || (*p == '/' && end - p > 1 && p[1] == '/'))
        return CF_LOG_BLANK;
    p = cf_candump_time(p, end, &frame->timestamp_ns, &ok);
    *column = (size_t)(p - line);
    if (!ok)
        return CF_LOG_TIME;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    for (name = p; p < end && *p != ' ' && *p != '\t'; p++)
        ;
    *iface = name;
    *iface_length = (size_t)(p - name);
    *column = (size_t)(name - line);
    if (name == p || *iface_length > CF_CANDUMP_NAME_MAX)
        return CF_LOG_INTERFACE;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    p = cf_candump_digits(id = p, end, &value);
    *column = (size_t)(p - line);
    if (p == end || *p != '#' || (p - id != 3 && p - id != 8))
        return CF_LOG_IDENTIFIER;
    *column = (size_t)(id - line);
    if (p - id == 8) {
        if (value & CF_CANDUMP_ERROR_BIT)
            frame->flags = CF_FLAG_ERROR_FRAME;
        else
            frame->flags = CF_FLAG_EXTENDED_ID;
        value &= ~CF_CANDUMP_ERROR_BIT;
    }
    if (value > (p - id == 8 ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID))
        return CF_LOG_IDENTIFIER;
    frame->arbitration_id = value;
    p = cf_candump_payload(p + 1, end, frame, &ok);
    *column = (size_t)(p - line);
    if (!ok || (p < end && *p != ' ' && *p != '\t'))
        return CF_LOG_DATA;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    if (p < end) {
        *column = (size_t)(p - line);
        if (p + 1 != end || (*p != 'R' && *p != 'T'))
            return CF_LOG_TRAILING;
        if (*p == 'T')
            frame->flags |= CF_FLAG_TX;
    }
    return CF_OK;
}

CF_INLINE char *cf_put_digits(char *out, uint64_t value, unsigned width, unsigned base)
{
    char *p = out + width;
    while (p > out) {
        *--p = "0123456789ABCDEF"[value % base];
        value /= base;
    }
    return out + width;
}

CF_INLINE char *cf_put_hex(char *out, const uint8_t *bytes, unsigned count)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned i;
    for (i = 0; i < count; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

/* Writes one record (stride 24 or 80) as a line with its newline, no NUL; returns its bytes, at
 * most CF_CANDUMP_LINE_MAX. Times have six decimals, rounded down, as can-utils and Wireshark take them for
 * microseconds; with `nanoseconds` nine. STATUS records become error frames (the text has no other place for them);
 * GAP is not written. */
CF_INLINE size_t cf_candump_format(const void *record, size_t stride, const char *iface, int nanoseconds, char *out)
{
    const cf_frame_head *head = (const cf_frame_head *)record;
    const uint8_t *data = (const uint8_t *)record + sizeof(cf_frame_head);
    const unsigned flags = head->flags, dlc = head->dlc & 15u;
    const int error = (flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS)) != 0;
    const int negative = head->timestamp_ns < 0;
    const uint64_t ns = negative ? 0u - (uint64_t)head->timestamp_ns : (uint64_t)head->timestamp_ns;
    const uint64_t shown = nanoseconds ? ns : (ns + (negative ? 999u : 0u)) / 1000u;
    const uint32_t second = nanoseconds ? 1000000000u : 1000000u;
    const int flexible = (flags & CF_FLAG_FD) && stride == sizeof(cf_fd_frame) && !error;
    size_t name = strlen(iface);
    char *p = out;
    *p++ = '(';
    if (negative)
        *p++ = '-';
    p = cf_put_digits(p, shown / second, 10, 10);
    *p++ = '.';
    p = cf_put_digits(p, shown % second, nanoseconds ? 9 : 6, 10);
    *p++ = ')';
    *p++ = ' ';
    if (name > CF_CANDUMP_NAME_MAX)
        name = CF_CANDUMP_NAME_MAX;
    memcpy(p, iface, name);
    p += name;
    *p++ = ' ';
    if (error)
        p = cf_put_digits(p, (head->arbitration_id & CF_MAX_EXTENDED_ID) | CF_CANDUMP_ERROR_BIT, 8, 16);
    else if (flags & CF_FLAG_EXTENDED_ID)
        p = cf_put_digits(p, head->arbitration_id & CF_MAX_EXTENDED_ID, 8, 16);
    else
        p = cf_put_digits(p, head->arbitration_id & CF_MAX_STANDARD_ID, 3, 16);
    *p++ = '#';
    if (flexible) {
        *p++ = '#';
        *p++ = (char)('0' + (flags & CF_FLAG_BITRATE_SWITCH ? 1 : 0) + (flags & CF_FLAG_ERROR_STATE_INDICATOR ? 2 : 0));
        p = cf_put_hex(p, data, cf_fd_length(dlc));
    } else {
        if ((flags & CF_FLAG_REMOTE) && !error) {
            *p++ = 'R';
            *p++ = (char)('0' + (dlc < 8 ? dlc : 8));
        } else {
            p = cf_put_hex(p, data, dlc < 8 ? dlc : 8);
        }
        if (dlc > 8) {
            *p++ = '_';
            p = cf_put_digits(p, dlc, 1, 16);
        }
    }
    if (flags & CF_FLAG_TX) {
        *p++ = ' ';
        *p++ = 'T';
    }
    *p++ = '\n';
    return (size_t)(p - out);
}

#endif
