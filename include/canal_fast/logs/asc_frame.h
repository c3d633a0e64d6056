/* canal_fast/logs/asc_frame.h - what stands behind the channel in an ASC line: classical, CANFD and error frames. */
#ifndef CANAL_FAST_LOGS_ASC_FRAME_H
#define CANAL_FAST_LOGS_ASC_FRAME_H

#include "asc_header.h"
#include "error_code.h"

/* Flags behind the data of a CANFD line. */
#define CF_ASC_REMOTE 0x10u
#define CF_ASC_EDL 0x1000u

/* A line that is no frame: counted by its kind, unless more of it may have been cut off. */
CF_INLINE cf_status cf_asc_skip(cf_log_reader *reader, const char *kind)
{
    if (reader->unended)
        return CF_LOG_CUT;
    cf_log_skip(reader, kind);
    return CF_LOG_BLANK;
}

/* Trouble at p. Where the line was cut there, that is it. */
CF_INLINE cf_status cf_asc_trouble(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                   cf_status status)
{
    reader->column = (size_t)(p - line);
    return reader->unended && p == end ? CF_LOG_CUT : status;
}

/* Identifier `6F9`, `18EBFF00x` (base dec: `1785`) or, in both bases, `0x6F9` at p. *good: 1 identifier, 0 another
 * word, -1 out of range. */
CF_INLINE const char *cf_asc_identifier(const char *p, const char *end, int decimal, cf_fd_frame *frame, int *good)
{
    uint64_t number;
    uint32_t value;
    unsigned digits;
    *good = 0;
    if (cf_text_begins(p, end, "0x") && end - p > 2 && cf_hex_digit(p[2]) < 16) {
        decimal = 0;
        p += 2;
    }
    if (decimal) {
        p = cf_text_unsigned(p, end, &number, &digits);
        value = number > 0xFFFFFFFFu ? 0xFFFFFFFFu : (uint32_t)number;
    } else {
        p = cf_text_hex(p, end, &value, &digits);
    }
    if (digits == 0)
        return p;
    if (p < end && (*p == 'x' || *p == 'X')) {
        frame->flags |= CF_FLAG_EXTENDED_ID;
        p++;
    }
    if (p < end && !cf_is_blank(*p))
        return p;
    frame->arbitration_id = value;
    if (value > CF_MAX_STANDARD_ID) /* some writers leave the x out */
        frame->flags |= CF_FLAG_EXTENDED_ID;
    *good = value <= CF_MAX_EXTENDED_ID ? 1 : -1;
    return p;
}

/* `Rx`, `Tx` or `TxRq` at p; *ok 0 for another word. */
CF_INLINE const char *cf_asc_direction(const char *p, const char *end, cf_fd_frame *frame, int *ok)
{
    const int sent = end - p >= 2 && (p[0] == 'T' || p[0] == 't') && (p[1] == 'x' || p[1] == 'X');
    *ok = sent || (end - p >= 2 && (p[0] == 'R' || p[0] == 'r') && (p[1] == 'x' || p[1] == 'X'));
    if (!*ok)
        return p;
    p += 2;
    if (sent) {
        frame->flags |= CF_FLAG_TX;
        if (cf_word_is(p, end, "rq"))
            p += 2;
    }
    *ok = p == end || cf_is_blank(*p);
    return p;
}

/* `count` data bytes at p in the file's base; *got of them are there. */
CF_INLINE const char *cf_asc_data(const char *p, const char *end, int decimal, uint8_t *data, unsigned count,
                                  unsigned *got)
{
    unsigned n;
    if (!decimal)
        return cf_spaced_bytes(p, end, data, count, got);
    for (n = 0; n < count; n++) {
        uint64_t value;
        unsigned digits;
        const char *at = cf_skip_blanks(p, end);
        const char *after = cf_text_unsigned(at, end, &value, &digits);
        p = at;
        if (digits == 0 || value > 255 || (after < end && !cf_is_blank(*after)))
            break;
        data[n] = (uint8_t)value;
        p = after;
    }
    *got = n;
    return p;
}

/* One hexadecimal digit that is a word at p: 0..15; otherwise 16. */
CF_INLINE unsigned cf_asc_dlc(const char *p, const char *end)
{
    const unsigned digit = p < end ? cf_hex_digit(*p) : 255;
    return digit < 16 && (p + 1 == end || cf_is_blank(p[1])) ? digit : 16;
}

/* `d 8 05 0C ...` or `r [4]` at p: what follows the direction of a classical line. */
CF_INLINE cf_status cf_asc_classical(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                     cf_fd_frame *frame)
{
    cf_asc *own = (cf_asc *)reader->own;
    const int remote = *p == 'r' || *p == 'R';
    unsigned got, length;
    p = cf_skip_blanks(p + 1, end);
    frame->dlc = (uint8_t)cf_asc_dlc(p, end);
    if (remote) {
        if (frame->dlc > 15)
            frame->dlc = 0; /* older than 8.5: no dlc, and `Length =` may follow at once */
        frame->flags |= CF_FLAG_REMOTE;
        return reader->unended ? CF_LOG_CUT : CF_OK;
    }
    if (frame->dlc > 15)
        return cf_asc_trouble(reader, line, p, end, CF_TEXT_LENGTH);
    length = frame->dlc < 8 ? frame->dlc : 8;
    p = cf_asc_data(p + 1, end, own->decimal, frame->data, length, &got);
    if (CF_UNLIKELY(got < length))
        return cf_asc_trouble(reader, line, p, p + 1 == end ? p : end, CF_TEXT_DATA);
    if (CF_UNLIKELY(reader->unended)) /* whole only where this file's lines are known to end after the data */
        return p == end && own->ends_bare && !own->ends_later && !own->decimal ? CF_OK : CF_LOG_CUT;
    if (p == end)
        own->ends_bare = 1;
    else
        own->ends_later = 1;
    return CF_OK;
}

/* What stands behind the next `name =` (name in lower case) among the words from p on, or NULL. */
CF_INLINE const char *cf_asc_field(const char *p, const char *end, const char *name)
{
    for (p = cf_skip_blanks(p, end); p < end; p = cf_skip_blanks(cf_skip_word(p, end), end)) {
        const char *at = cf_skip_blanks(cf_skip_word(p, end), end);
        if (cf_word_is(p, end, name) && at < end && *at == '=')
            return cf_skip_blanks(at + 1, end);
    }
    return NULL;
}

/* The hexadecimal number of `name = 0x...` from p on; *value is left where none is there. */
CF_INLINE void cf_asc_number(const char *p, const char *end, const char *name, uint32_t *value)
{
    unsigned digits;
    while ((p = cf_asc_field(p, end, name)) != NULL)
        if (cf_text_begins(p, end, "0x"))
            cf_text_hex(p + 2, end, value, &digits);
}

/* The identifier of `ID = 1785` or `ID = 418119424x`, decimal in both bases, behind the data of a line that has a name
 * in its place. As cf_asc_identifier's *good. */
CF_INLINE int cf_asc_named(const char *p, const char *end, cf_fd_frame *frame)
{
    int good = 0;
    p = cf_asc_field(p, end, "id");
    frame->flags &= (uint16_t)~CF_FLAG_EXTENDED_ID; /* a name may have begun like an identifier */
    if (p != NULL)
        cf_asc_identifier(p, end, 1, frame, &good);
    return good;
}

/* The code of a CANFD line's error: `<words> <flags> <capture> <code> Arb.|Data ...`, hexadecimal; flag 2 says that the
 * code is right and 1 that the capture is. */
CF_INLINE void cf_asc_error_fd(const char *p, const char *end, cf_fd_frame *frame)
{
    uint32_t numbers[3] = {0, 0, 0};
    unsigned count = 0, digits;
    cf_log_error(frame);
    for (p = cf_skip_blanks(p, end); p < end; p = cf_skip_blanks(cf_skip_word(p, end), end)) {
        const char *word = p, *after;
        uint32_t number;
        if (count >= 3 && (cf_word_is(p, end, "arb.") || cf_word_is(p, end, "data"))) {
            if (numbers[0] & 2)
                cf_log_error_code(frame, numbers[2]);
            else if (numbers[0] & 1)
                cf_log_error_ecc(frame, numbers[1]);
            return;
        }
        after = cf_text_hex(word, end, &number, &digits);
        count = digits > 0 && after == cf_skip_word(word, end) ? count + 1 : 0;
        numbers[0] = numbers[1];
        numbers[1] = numbers[2];
        numbers[2] = number;
    }
}

/* What follows `ErrorFrame` at p: nothing, `ECC: 10100010`, or `Flags = 0xe CodeExt = 0x20a2 Code = 0x82 ...`, where
 * flag 1 says that Code is right and 2 that CodeExt is. */
CF_INLINE cf_status cf_asc_error(cf_log_reader *reader, const char *p, const char *end, int flexible,
                                 cf_fd_frame *frame)
{
    uint32_t bits = 0, valid = 0, code = 0;
    unsigned digits = 0;
    if (reader->unended)
        return CF_LOG_CUT;
    p = cf_skip_blanks(p, end);
    if (flexible) {
        cf_asc_error_fd(p, end, frame);
        return CF_OK;
    }
    cf_asc_number(p, end, "flags", &valid);
    if (cf_word_is(p, end, "ecc:")) {
        for (p = cf_skip_blanks(p + 4, end); p < end && (*p == '0' || *p == '1') && digits < 9; p++, digits++)
            bits = bits << 1 | (unsigned)(*p - '0');
        if (digits == 8 && (p == end || cf_is_blank(*p))) {
            cf_log_error_ecc(frame, bits);
            return CF_OK;
        }
    }
    if (valid & 1) {
        cf_asc_number(p, end, "code", &code);
        cf_log_error_ecc(frame, code);
    } else if (valid & 2) {
        cf_asc_number(p, end, "codeext", &code);
        cf_log_error_code(frame, code);
    } else {
        cf_log_error(frame);
    }
    return CF_OK;
}

/* What follows channel and direction of a CANFD line at p: identifier, maybe a name, BRS, ESI, dlc, length, data, and
 * as third behind them flags that say whether the frame was FD at all (one of more than 8 bytes is in any case). */
CF_INLINE cf_status cf_asc_flexible(cf_log_reader *reader, const char *line, const char *p, const char *end,
                                    cf_fd_frame *frame)
{
    const cf_asc *own = (const cf_asc *)reader->own;
    uint32_t flags = CF_ASC_EDL;
    uint64_t length;
    unsigned digits, got, bits = 0, i;
    int good;
    const char *word = p;
    p = cf_asc_identifier(p, end, own->decimal, frame, &good);
    if (good == 0)
        return cf_asc_skip(reader, "symbolic name");
    if (good < 0)
        return cf_asc_trouble(reader, line, p == end ? p : word, end, CF_TEXT_IDENTIFIER);
    p = cf_skip_blanks(p, end);
    if (cf_asc_dlc(p, end) > 1)
        p = cf_skip_blanks(cf_skip_word(p, end), end);
    for (i = 0; i < 2; i++) { /* BRS, ESI */
        const unsigned bit = cf_asc_dlc(p, end);
        if (bit > 1)
            return cf_asc_trouble(reader, line, p, end, CF_TEXT_FIELD);
        bits = bits << 1 | bit;
        p = cf_skip_blanks(p + 1, end);
    }
    frame->dlc = (uint8_t)cf_asc_dlc(p, end);
    if (frame->dlc > 15)
        return cf_asc_trouble(reader, line, p, end, CF_TEXT_LENGTH);
    word = cf_skip_blanks(p + 1, end);
    p = cf_text_unsigned(word, end, &length, &digits);
    if (digits == 0 || length > CF_FD_DATA || (p < end && !cf_is_blank(*p)))
        return cf_asc_trouble(reader, line, digits ? word : p, end, CF_TEXT_LENGTH);
    p = cf_asc_data(p, end, own->decimal, frame->data, (unsigned)length, &got);
    if (got < length)
        return cf_asc_trouble(reader, line, p, p + 1 == end ? p : end, CF_TEXT_DATA);
    if (reader->unended)
        return CF_LOG_CUT;
    p = cf_skip_blanks(p, end);
    for (i = 0; i < 2; i++) /* duration, bits */
        p = cf_skip_blanks(cf_skip_word(p, end), end);
    if (p < end) {
        p = cf_text_hex(p, end, &flags, &digits);
        if (digits == 0 || (p < end && !cf_is_blank(*p)))
            return cf_asc_trouble(reader, line, p, end, CF_TEXT_FIELD);
    }
    if (flags & CF_ASC_EDL || length > CF_CLASSICAL_DATA) {
        frame->flags |= CF_FLAG_FD;
        frame->flags |= (uint16_t)((bits & 2 ? CF_FLAG_BITRATE_SWITCH : 0) |
                                   (bits & 1 ? CF_FLAG_ERROR_STATE_INDICATOR : 0));
    } else if (flags & CF_ASC_REMOTE) {
        frame->flags |= CF_FLAG_REMOTE;
    }
    if (length > cf_payload_length(frame->flags, frame->dlc))
        return cf_asc_trouble(reader, line, word, end, CF_TEXT_LENGTH);
    return CF_OK;
}

#endif
