/* canal_fast/frame.h - the frame record: the one place where its fields and flags are written down.
 *
 * CF_FRAME_HEAD lists the fields that both records share; the two structs, the layout tables and
 * (through those) the numpy dtypes are made from it.
 */
#ifndef CANAL_FAST_FRAME_H
#define CANAL_FAST_FRAME_H

#include "base.h"

#define CF_CLASSICAL_DATA 8
#define CF_FD_DATA 64

/* X(C type, numpy format, name): */
/* clang-format off */
#define CF_FRAME_HEAD(X)          \
    X(int64_t, "i8", timestamp_ns)   /* ns; the channel says of which clock */      \
    X(uint32_t, "u4", arbitration_id) /* 11 or 29 bits, never flag bits inside */   \
    X(uint16_t, "u2", flags)          /* CF_FLAG_... */                             \
    X(uint8_t, "u1", channel)         /* the channel it came from */                \
    X(uint8_t, "u1", dlc)             /* raw 4-bit code, 0..15 */
/* clang-format on */

#define CF_RECORD_MEMBER(type, format, name) type name;

typedef struct cf_frame_head { /* of either record */
    CF_FRAME_HEAD(CF_RECORD_MEMBER)
} CF_MAY_ALIAS cf_frame_head;

typedef struct cf_frame {
    CF_FRAME_HEAD(CF_RECORD_MEMBER)
    uint8_t data[CF_CLASSICAL_DATA]; /* bytes past the payload are zero */
} cf_frame;

typedef struct cf_fd_frame {
    CF_FRAME_HEAD(CF_RECORD_MEMBER)
    uint8_t data[CF_FD_DATA];
} cf_fd_frame;

/* X(name, value, meaning) */
/* clang-format off */
#define CF_FLAG_LIST(X)                                                                  \
    X(EXTENDED_ID, 0x0001, "29-bit identifier")                                          \
    X(REMOTE, 0x0002, "remote frame: a dlc and no payload")                              \
    X(STATUS, 0x0004, "status message of the driver, not a frame")                       \
    X(FD, 0x0008, "CAN FD frame")                                                        \
    X(BITRATE_SWITCH, 0x0010, "FD: data phase sent at the data bit rate")                \
    X(ERROR_STATE_INDICATOR, 0x0020, "FD: the sender was error passive")                 \
    X(TX, 0x0040, "sent by this node")                                                   \
    X(ERROR_FRAME, 0x0080, "error frame")                                                \
    X(GAP, 0x0100, "frames were lost immediately before this one")                       \
    X(CLOCK_STEP, 0x0200, "the host's clock was set immediately before this one")

enum {
#define CF_FLAG_ENUM(name, value, meaning) CF_FLAG_##name = value,
    CF_FLAG_LIST(CF_FLAG_ENUM)
#undef CF_FLAG_ENUM
#define CF_FLAG_OR(name, value, meaning) | value
    CF_FLAGS_KNOWN = 0 CF_FLAG_LIST(CF_FLAG_OR),
#undef CF_FLAG_OR
    CF_FLAGS_OFF_WIRE = CF_FLAG_TX | CF_FLAG_GAP | CF_FLAG_CLOCK_STEP, /* said of a frame, and no part of it */
    CF_MAX_STANDARD_ID = 0x7FF,
    CF_MAX_EXTENDED_ID = 0x1FFFFFFF
};
/* clang-format on */

typedef struct cf_field {
    const char *name;
    const char *format; /* numpy's, native byte order */
    size_t offset;
    size_t count; /* elements; 1 = scalar */
} cf_field;

/* Makes a function: field `index` of `record`, whose `list` is X(C type, numpy format, name), or NULL past the last. */
#define CF_RECORD_FIELDS(function, record, list)                           \
    CF_INLINE const cf_field *function(size_t index)                       \
    {                                                                      \
        typedef record cf_this_record;                                     \
        static const cf_field rows[] = {list(CF_RECORD_ROW)};              \
        return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL; \
    }
#define CF_RECORD_ROW(type, format, name) {#name, format, offsetof(cf_this_record, name), 1},

/* Field `index` of the classical (fd = 0) or FD (fd = 1) record, or NULL past the last. */
CF_INLINE const cf_field *cf_frame_field(int fd, size_t index)
{
#define CF_FRAME_ROW(type, format, name) {#name, format, offsetof(cf_frame, name), 1},
    /* clang-format off */
    static const cf_field classical[] = {
        CF_FRAME_HEAD(CF_FRAME_ROW){"data", "u1", offsetof(cf_frame, data), CF_CLASSICAL_DATA}};
#undef CF_FRAME_ROW
#define CF_FRAME_ROW(type, format, name) {#name, format, offsetof(cf_fd_frame, name), 1},
    static const cf_field flexible[] = {
        CF_FRAME_HEAD(CF_FRAME_ROW){"data", "u1", offsetof(cf_fd_frame, data), CF_FD_DATA}};
#undef CF_FRAME_ROW
    /* clang-format on */
    if (index >= sizeof classical / sizeof classical[0])
        return NULL;
    return fd ? &flexible[index] : &classical[index];
}

/* Row `index` of the flag table (number, name, sentence), or NULL past its end. */
CF_CODE_ROWS(cf_flag_row, CF_FLAG_LIST)

/* Bytes that a CAN FD dlc (0..15) stands for. ISO 11898-1:2015, table 5. */
CF_INLINE unsigned cf_fd_length(unsigned dlc)
{
    static const uint8_t bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};
    return bytes[dlc & 15];
}

/* The smallest CAN FD dlc for so many bytes (0..64; more are taken for 64). */
CF_INLINE unsigned cf_fd_dlc(unsigned length)
{
    unsigned dlc = length < 8 ? length : 8;
    while (dlc < 15 && cf_fd_length(dlc) < length)
        dlc++;
    return dlc;
}

/* Payload bytes of a record with these flags and dlc: 0 for a remote frame, at most 8 for a
 * classical one, the table above for FD. */
CF_INLINE unsigned cf_payload_length(unsigned flags, unsigned dlc)
{
    if (flags & CF_FLAG_REMOTE)
        return 0;
    if (flags & CF_FLAG_FD)
        return cf_fd_length(dlc);
    return dlc < 8 ? dlc : 8;
}

/* Lengths of `count` records `stride` bytes apart (24 or 80) into `lengths`. */
CF_INLINE void cf_payload_lengths(const void *frames, size_t count, size_t stride, uint8_t *CF_RESTRICT lengths)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        lengths[i] = (uint8_t)cf_payload_length(head->flags, head->dlc);
    }
}

/* Is this record one that a controller could send? `stride` (24 or 80) tells the record's kind.
 * CF_OK, CF_FLAGS_UNKNOWN, CF_ID_RANGE, CF_DLC_RANGE, CF_REMOTE_FD, CF_FD_IN_CLASSICAL, CF_FD_FLAG_MISSING
 * or CF_NOT_A_FRAME. */
CF_INLINE cf_status cf_frame_check(const cf_frame_head *head, size_t stride)
{
    const unsigned flags = head->flags;
    const unsigned fd_only = CF_FLAG_BITRATE_SWITCH | CF_FLAG_ERROR_STATE_INDICATOR;
    const uint32_t limit = flags & CF_FLAG_EXTENDED_ID ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID;
    if (CF_UNLIKELY(flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME | ~(unsigned)CF_FLAGS_KNOWN)))
        return flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME) ? CF_NOT_A_FRAME : CF_FLAGS_UNKNOWN;
    if (CF_UNLIKELY(head->arbitration_id > limit))
        return CF_ID_RANGE;
    if (CF_UNLIKELY(head->dlc > 15))
        return CF_DLC_RANGE;
    if (flags & CF_FLAG_FD) {
        if (CF_UNLIKELY(stride != sizeof(cf_fd_frame)))
            return CF_FD_IN_CLASSICAL;
        if (CF_UNLIKELY(flags & CF_FLAG_REMOTE))
            return CF_REMOTE_FD;
    } else if (CF_UNLIKELY(flags & fd_only)) {
        return CF_FD_FLAG_MISSING;
    }
    return CF_OK;
}

/* Checks `count` records; on trouble returns its status and the record's number in *index. */
CF_INLINE cf_status cf_frames_check(const void *frames, size_t count, size_t stride, size_t *index)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        cf_status status = cf_frame_check((const cf_frame_head *)at, stride);
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
    }
    return CF_OK;
}

/* Can this record be kept in a recording? STATUS and ERROR_FRAME records can, and a STATUS record's identifier is the
 * driver's own affair. CF_OK, CF_FLAGS_UNKNOWN, CF_DLC_RANGE or CF_ID_RANGE. */
CF_INLINE cf_status cf_record_check(const cf_frame_head *head)
{
    const unsigned flags = head->flags;
    const uint32_t limit = flags & (CF_FLAG_EXTENDED_ID | CF_FLAG_ERROR_FRAME) ? CF_MAX_EXTENDED_ID
                                                                               : CF_MAX_STANDARD_ID;
    if (CF_UNLIKELY(flags & ~(unsigned)CF_FLAGS_KNOWN))
        return CF_FLAGS_UNKNOWN;
    if (CF_UNLIKELY(head->dlc > 15))
        return CF_DLC_RANGE;
    return CF_UNLIKELY(head->arbitration_id > limit && !(flags & CF_FLAG_STATUS)) ? CF_ID_RANGE : CF_OK;
}

/* cf_frames_check by that. */
CF_INLINE cf_status cf_records_check(const void *records, size_t count, size_t stride, size_t *index)
{
    const char *at = (const char *)records;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_status status = cf_record_check((const cf_frame_head *)at);
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
    }
    return CF_OK;
}

/* The payload of a record of either kind: it lies behind the head that both share. */
CF_INLINE const uint8_t *cf_record_data(const cf_frame_head *head)
{
    return (const uint8_t *)head + offsetof(cf_frame, data);
}

#endif
