/* canal_fast/logs/blf_object.h - one object of a Vector BLF recording: a record, or something to skip.
 *
 * All numbers are little-endian. Object: "LOBJ", header size u2, header version u2, object size u4 (with header), type
 * u4; from version 1 on: flags u4 @16 (1: times in 10 us, 2: in ns), time stamp i8 @24 from the start of the file.
 * The body begins at the header size; its layout by type is in the functions below.
 */
#ifndef CANAL_FAST_LOGS_BLF_OBJECT_H
#define CANAL_FAST_LOGS_BLF_OBJECT_H

#include "error_code.h"
#include "numbers.h"

enum {
    CF_BLF_HEAD = 16,       /* bytes of an object that say where it ends */
    CF_BLF_TIMED_HEAD = 32, /* with the time stamp */
    CF_BLF_CONTAINER_HEAD = 32, /* of a container, before its data */
    CF_BLF_FILE_HEADER = 144,

    CF_BLF_MESSAGE = 1, /* types of objects that are written, too */
    CF_BLF_OVERLOAD = 3,
    CF_BLF_CONTAINER = 10,
    CF_BLF_TEXT = 65,
    CF_BLF_ERROR_EXTENDED = 73,
    CF_BLF_OVERRUN = 91,
    CF_BLF_FD_MESSAGE = 100,

    CF_BLF_DIRECTION = 0x0F, /* types 1, 86, 100: flags; 0 = received */
    CF_BLF_REMOTE = 0x80,
    CF_BLF_FD_EDL = 1, /* type 100: FD flags */
    CF_BLF_FD_BRS = 2,
    CF_BLF_FD_ESI = 4,
    CF_BLF_64_REMOTE = 0x10, /* type 101: flags */
    CF_BLF_64_EDL = 0x1000,
    CF_BLF_64_BRS = 0x2000,
    CF_BLF_64_ESI = 0x4000
};

#define CF_BLF_EXTENDED 0x80000000u

CF_INLINE unsigned cf_blf_u16(const uint8_t *p)
{
    return cf_get16(p, 0);
}

CF_INLINE uint32_t cf_blf_u32(const uint8_t *p)
{
    return cf_get32(p, 0);
}

CF_INLINE uint64_t cf_blf_u64(const uint8_t *p)
{
    return cf_get64(p, 0);
}

/* An object's body and what its header says. */
typedef struct cf_blf_body {
    const uint8_t *at;
    size_t size;
    size_t header; /* bytes of the object before it */
    int64_t timestamp_ns;
} cf_blf_body;

/* Time and channel (from 0) of a record; 0, and counted, when there is no such channel. */
CF_INLINE int cf_blf_place(cf_log_reader *reader, const cf_blf_body *body, unsigned channel, cf_fd_frame *frame)
{
    const int number = cf_log_channel_number(channel);
    memset(frame, 0, sizeof *frame);
    frame->timestamp_ns = body->timestamp_ns;
    frame->channel = (uint8_t)number;
    if (number < 0)
        cf_log_skip(reader, CF_LOG_KIND_CHANNEL);
    return number >= 0;
}

/* Channel (from 0), identifier and dlc as they stand in the file; 0, and counted, when they are none. */
CF_INLINE int cf_blf_head(cf_log_reader *reader, const cf_blf_body *body, unsigned channel, uint32_t id, unsigned dlc,
                          cf_fd_frame *frame)
{
    const uint32_t limit = id & CF_BLF_EXTENDED ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID;
    if (!cf_blf_place(reader, body, channel, frame))
        return 0;
    if (dlc > 15 || (id & ~CF_BLF_EXTENDED) > limit) {
        cf_log_skip(reader, dlc > 15 ? CF_LOG_KIND_DLC : CF_LOG_KIND_IDENTIFIER);
        return 0;
    }
    frame->arbitration_id = id & ~CF_BLF_EXTENDED;
    frame->flags = id & CF_BLF_EXTENDED ? CF_FLAG_EXTENDED_ID : 0;
    frame->dlc = (uint8_t)dlc;
    return 1;
}

/* Payload from `available` bytes at p: as many as the dlc says and are there; the others stay zero. */
CF_INLINE void cf_blf_data(cf_fd_frame *frame, const uint8_t *p, size_t available)
{
    const unsigned length = cf_payload_length(frame->flags, frame->dlc);
    memcpy(frame->data, p, length < available ? length : available);
}

/* Types 1 and 86: channel u2, flags u1, dlc u1, identifier u4, data. */
CF_INLINE int cf_blf_message(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    if (!cf_blf_head(reader, body, cf_blf_u16(p), cf_blf_u32(p + 4), p[3], frame))
        return 0;
    if (p[2] & CF_BLF_DIRECTION)
        frame->flags |= CF_FLAG_TX;
    if (p[2] & CF_BLF_REMOTE)
        frame->flags |= CF_FLAG_REMOTE;
    if (CF_LIKELY(body->size >= 8 + CF_CLASSICAL_DATA)) { /* no branch on the length, which nobody can predict */
        const unsigned length = cf_payload_length(frame->flags, frame->dlc);
        unsigned i;
        for (i = 0; i < CF_CLASSICAL_DATA; i++)
            frame->data[i] = (uint8_t)(p[8 + i] & (i < length ? 0xFF : 0));
    } else {
        cf_blf_data(frame, p + 8, body->size - 8);
    }
    return 1;
}

/* Type 100: channel u2, flags u1, dlc u1, identifier u4, FD flags u1 @13, valid bytes u1 @14, data @20. */
CF_INLINE int cf_blf_fd_message(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    const size_t available = body->size - 20;
    if (!cf_blf_head(reader, body, cf_blf_u16(p), cf_blf_u32(p + 4), p[3], frame))
        return 0;
    if (p[2] & CF_BLF_DIRECTION)
        frame->flags |= CF_FLAG_TX;
    if (p[13] & CF_BLF_FD_EDL)
        frame->flags |= CF_FLAG_FD | (p[13] & CF_BLF_FD_BRS ? CF_FLAG_BITRATE_SWITCH : 0) |
                        (p[13] & CF_BLF_FD_ESI ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
    else if (p[2] & CF_BLF_REMOTE)
        frame->flags |= CF_FLAG_REMOTE;
    cf_blf_data(frame, p + 20, p[14] < available ? p[14] : available);
    return 1;
}

/* Type 101: channel u1, dlc u1, valid bytes u1, identifier u4 @4, flags u4 @12, direction u1 @34, offset of an
 * extension from the object's begin u1 @35 (0: none), data @40. */
CF_INLINE int cf_blf_fd_message_64(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    const size_t extension = p[35];
    size_t available = body->size - 40;
    uint32_t flags;
    if (!cf_blf_head(reader, body, p[0], cf_blf_u32(p + 4), p[1], frame))
        return 0;
    if (extension >= body->header + 40 && extension - body->header - 40 < available)
        available = extension - body->header - 40;
    flags = cf_blf_u32(p + 12);
    if (p[34])
        frame->flags |= CF_FLAG_TX;
    if (flags & CF_BLF_64_EDL)
        frame->flags |= CF_FLAG_FD | (flags & CF_BLF_64_BRS ? CF_FLAG_BITRATE_SWITCH : 0) |
                        (flags & CF_BLF_64_ESI ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
    else if (flags & CF_BLF_64_REMOTE)
        frame->flags |= CF_FLAG_REMOTE;
    cf_blf_data(frame, p + 40, p[2] < available ? p[2] : available);
    return 1;
}

/* An error frame with what is known of it: `valid` bit 1 the code, bit 0 the error code capture. */
CF_INLINE int cf_blf_error(cf_log_reader *reader, const cf_blf_body *body, unsigned channel, uint32_t valid,
                           unsigned code, unsigned capture, cf_fd_frame *frame)
{
    if (!cf_blf_place(reader, body, channel, frame))
        return 0;
    if (valid & 2)
        cf_log_error_code(frame, code);
    else if (valid & 1)
        cf_log_error_ecc(frame, capture);
    else
        cf_log_error(frame);
    return 1;
}

/* Type 2: channel u2. */
CF_INLINE int cf_blf_error_plain(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    return cf_blf_error(reader, body, cf_blf_u16(body->at), 0, 0, 0, frame);
}

/* Type 73: channel u2, flags u4 @4, capture u1 @8, code u2 @20. */
CF_INLINE int cf_blf_error_extended(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    return cf_blf_error(reader, body, cf_blf_u16(p), cf_blf_u32(p + 4), cf_blf_u16(p + 20), p[8], frame);
}

/* Type 104: channel u1, capture u1 @3, flags u2 @4, code u2 @6. */
CF_INLINE int cf_blf_error_fd(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    return cf_blf_error(reader, body, p[0], cf_blf_u16(p + 4), cf_blf_u16(p + 6), p[3], frame);
}

/* Type 3: channel u2. */
CF_INLINE int cf_blf_overload(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    if (!cf_blf_place(reader, body, cf_blf_u16(body->at), frame))
        return 0;
    cf_log_overload(frame);
    return 1;
}

/* Type 91: bus u4 (1 = CAN), channel u2. Frames were lost here. */
CF_INLINE int cf_blf_overrun(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const int number = cf_log_channel_number(cf_blf_u16(body->at + 4));
    (void)frame;
    if (cf_blf_u32(body->at) == 1 && number >= 0)
        cf_log_gap(reader, (unsigned)number);
    cf_log_skip(reader, "overrun");
    return 0;
}

/* Types 125 and 126 name no channel. */
CF_INLINE int cf_blf_data_lost(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    (void)body;
    (void)frame;
    memset(reader->gap, 1, sizeof reader->gap);
    cf_log_skip(reader, "loss of data");
    return 0;
}

/* Type 65: source u4 (1 = databases of a channel), u4 with the channel in bits 8..15 and the bus in 16..23 (1 = CAN),
 * length of the text u4 @8, text @16: path;name. The name becomes the interface's. */
CF_INLINE int cf_blf_text(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame)
{
    const uint8_t *p = body->at;
    const uint32_t where = cf_blf_u32(p + 4);
    const size_t stated = cf_blf_u32(p + 8), room = body->size - 16;
    const size_t length = stated < room ? stated : room;
    const char *text = (const char *)p + 16;
    const char *name = (const char *)memchr(text, ';', length);
    (void)frame;
    if (cf_blf_u32(p) == 1 && (where >> 16 & 255) == 1 && (where >> 8 & 255) > 0 && name != NULL) {
        const char *end = text + length, *stop = ++name;
        while (stop < end && *stop != ';' && *stop != 0)
            stop++;
        if (stop > name) {
            cf_log_name(reader, (where >> 8 & 255) - 1, name, (size_t)(stop - name));
            return 0;
        }
    }
    cf_log_skip(reader, "text");
    return 0;
}

/* What is done with a type: `take` gives 1 with a frame, or 0 when it has counted the object; NULL: it is counted as
 * `kind`. `body`: bytes that take needs. */
typedef struct cf_blf_type {
    uint32_t type;
    unsigned body;
    int (*take)(cf_log_reader *reader, const cf_blf_body *body, cf_fd_frame *frame);
    const char *kind;
} cf_blf_type;

/* The row of a type, or NULL. */
CF_INLINE const cf_blf_type *cf_blf_type_row(uint32_t type)
{
    /* clang-format off */
    static const cf_blf_type rows[] = {
        {CF_BLF_MESSAGE, 8, cf_blf_message, "CAN message"},
        {86, 8, cf_blf_message, "CAN message"},
        {CF_BLF_FD_MESSAGE, 20, cf_blf_fd_message, "CAN FD message"},
        {101, 40, cf_blf_fd_message_64, "CAN FD message"},
        {2, 2, cf_blf_error_plain, "error frame"},
        {CF_BLF_ERROR_EXTENDED, 22, cf_blf_error_extended, "error frame"},
        {104, 8, cf_blf_error_fd, "error frame"},
        {CF_BLF_OVERLOAD, 2, cf_blf_overload, "overload frame"},
        {CF_BLF_OVERRUN, 6, cf_blf_overrun, "overrun"},
        {125, 0, cf_blf_data_lost, "loss of data"},
        {126, 0, cf_blf_data_lost, "loss of data"},
        {CF_BLF_TEXT, 16, cf_blf_text, "text"},
        {4, 0, NULL, "bus statistics"},
        {31, 0, NULL, "driver error"},
        {74, 0, NULL, "driver error"},
        {72, 0, NULL, "system variable"},
        {92, 0, NULL, "comment"},
        {96, 0, NULL, "marker"},
        {11, 0, NULL, "LIN"},
        {57, 0, NULL, "LIN"},
        {71, 0, NULL, "Ethernet"},
        {120, 0, NULL, "Ethernet"},
        {115, 0, NULL, "restore points"}};
    /* clang-format on */
    size_t i;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

/* Time of the object in ns after 1970, or after 0 without a start; 0 when 64 bits do not hold it. */
CF_INLINE int cf_blf_time(const cf_log_reader *reader, const uint8_t *object, int64_t *ns)
{
    const int64_t ticks = (int64_t)cf_blf_u64(object + 24);
    const int64_t unit = (cf_blf_u32(object + 16) & 3) == 1 ? 10000 : 1;
    if (ticks > INT64_MAX / unit || ticks < INT64_MIN / unit)
        return 0;
    return cf_log_stamp(reader, ticks * unit, ns);
}

/* What comes before a body: where it is, and its time; 0 when the object is damaged. */
CF_INLINE int cf_blf_open(const cf_log_reader *reader, const uint8_t *object, size_t size, size_t least,
                          cf_blf_body *body)
{
    body->header = cf_blf_u16(object + 4);
    body->at = object + body->header;
    body->size = size - body->header;
    return body->header >= CF_BLF_TIMED_HEAD && cf_blf_u16(object + 6) - 1u <= 2 && body->size >= least &&
           cf_blf_time(reader, object, &body->timestamp_ns);
}

/* One whole object of `size` bytes that is no container: 1 with its record in *frame, or 0 when it was counted. */
CF_INLINE int cf_blf_take(cf_log_reader *reader, const uint8_t *object, size_t size, cf_fd_frame *frame)
{
    const uint32_t type = cf_blf_u32(object + 12);
    const cf_blf_type *row;
    cf_blf_body body;
    if (CF_LIKELY(type == CF_BLF_MESSAGE || type == 86) && CF_LIKELY(cf_blf_open(reader, object, size, 8, &body)))
        return cf_blf_message(reader, &body, frame); /* most objects: without the table */
    row = cf_blf_type_row(type);
    if (row == NULL) {
        cf_log_skip_numbered(reader, "object type", type);
        return 0;
    }
    if (row->take == NULL) {
        cf_log_skip(reader, row->kind);
        return 0;
    }
    if (!cf_blf_open(reader, object, size, row->body, &body)) {
        cf_log_skip(reader, "damaged object");
        return 0;
    }
    return row->take(reader, &body, frame);
}

#endif
