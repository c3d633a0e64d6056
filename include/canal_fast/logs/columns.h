/* canal_fast/logs/columns.h - bus events that somebody else has split into columns (MDF 4) into records. */
#ifndef CANAL_FAST_LOGS_COLUMNS_H
#define CANAL_FAST_LOGS_COLUMNS_H

#include "../seconds.h"
#include "error_code.h"

/* X(name): members of a bus event, as MDF's bus logging calls them */
/* clang-format off */
#define CF_COLUMN_LIST(X) \
    X(BusChannel)         \
    X(ID)                 \
    X(IDE)                \
    X(DLC)                \
    X(DataLength)         \
    X(DataBytes)          \
    X(Dir)                \
    X(EDL)                \
    X(BRS)                \
    X(ESI)                \
    X(ErrorType)
/* clang-format on */

enum {
#define CF_COLUMN_ENUM(name) CF_COLUMN_##name,
    CF_COLUMN_LIST(CF_COLUMN_ENUM)
#undef CF_COLUMN_ENUM
        CF_COLUMNS
};

/* What the events of a group are. */
enum { CF_COLUMNS_DATA, CF_COLUMNS_REMOTE, CF_COLUMNS_ERROR, CF_COLUMNS_OVERLOAD };

/* Name of member `index`, or NULL past the last. */
CF_INLINE const char *cf_column_name(size_t index)
{
    static const char *const names[] = {
#define CF_COLUMN_NAME(name) #name,
        CF_COLUMN_LIST(CF_COLUMN_NAME)
#undef CF_COLUMN_NAME
    };
    return index < CF_COLUMNS ? names[index] : NULL;
}

/* Unsigned numbers of 1, 2, 4 or 8 bytes (data: `size` bytes), `stride` apart; at NULL: the file has none. */
typedef struct cf_column {
    const char *at;
    ptrdiff_t stride;
    size_t size;
} cf_column;

typedef struct cf_columns {
    cf_column member[CF_COLUMNS];
    const double *seconds; /* after epoch_ns */
    size_t rows;
    int64_t epoch_ns;
    int event; /* CF_COLUMNS_DATA and so on */
} cf_columns;

/* The number in a row, at most 2^32 - 1; `other` where there is no such column. */
CF_INLINE uint32_t cf_column_number(const cf_columns *columns, unsigned member, size_t row, uint32_t other)
{
    const cf_column *column = &columns->member[member];
    const char *p = column->at + (ptrdiff_t)row * column->stride;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    if (column->at == NULL)
        return other;
    switch (column->size) {
    case 1:
        return (uint8_t)*p;
    case 2:
        memcpy(&two, p, sizeof two);
        return two;
    case 4:
        memcpy(&four, p, sizeof four);
        return four;
    default:
        memcpy(&eight, p, sizeof eight);
        return eight > UINT32_MAX ? UINT32_MAX : (uint32_t)eight;
    }
}

/* A data or remote frame of a row into *frame (but time and channel); 0, and counted, where its identifier is none. */
CF_INLINE int cf_columns_frame(cf_log_reader *reader, const cf_columns *columns, size_t row, cf_fd_frame *frame)
{
    const cf_column *data = &columns->member[CF_COLUMN_DataBytes];
    uint32_t id = cf_column_number(columns, CF_COLUMN_ID, row, 0);
    const uint32_t extended = cf_column_number(columns, CF_COLUMN_IDE, row, id >> 31);
    const uint32_t length = cf_column_number(columns, CF_COLUMN_DataLength, row, UINT32_MAX);
    const int has_code = columns->member[CF_COLUMN_DLC].at != NULL;
    uint32_t dlc = cf_column_number(columns, CF_COLUMN_DLC, row, length == UINT32_MAX ? 0 : length);
    if (extended || columns->member[CF_COLUMN_IDE].at == NULL) /* bit 31 of ID may say so beside a member, too */
        id &= 0x7FFFFFFFu;
    if (id > (extended ? (uint32_t)CF_MAX_EXTENDED_ID : (uint32_t)CF_MAX_STANDARD_ID)) {
        cf_log_skip(reader, CF_LOG_KIND_IDENTIFIER);
        return 0;
    }
    frame->arbitration_id = id;
    frame->flags = (uint16_t)((extended ? CF_FLAG_EXTENDED_ID : 0) |
                              (cf_column_number(columns, CF_COLUMN_Dir, row, 0) ? CF_FLAG_TX : 0));
    if (columns->event == CF_COLUMNS_REMOTE)
        frame->flags |= CF_FLAG_REMOTE;
    else if (cf_column_number(columns, CF_COLUMN_EDL, row, length != UINT32_MAX && length > CF_CLASSICAL_DATA))
        frame->flags |= CF_FLAG_FD | (cf_column_number(columns, CF_COLUMN_BRS, row, 0) ? CF_FLAG_BITRATE_SWITCH : 0) |
                        (cf_column_number(columns, CF_COLUMN_ESI, row, 0) ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
    if (dlc > 15 || !has_code) /* bytes in place of the code */
        dlc = cf_fd_dlc(dlc > CF_FD_DATA ? CF_FD_DATA : dlc);
    frame->dlc = (uint8_t)dlc;
    if (data->at != NULL && !(frame->flags & CF_FLAG_REMOTE)) {
        size_t carried = cf_payload_length(frame->flags, dlc);
        carried = carried < length ? carried : length;
        carried = carried < data->size ? carried : data->size;
        memcpy(frame->data, data->at + (ptrdiff_t)row * data->stride, carried);
    }
    return 1;
}

/* An error of this ErrorType (0 not known, 1 bit, 2 form, 3 stuff, 4 CRC, 5 acknowledge) into *frame. */
CF_INLINE void cf_columns_error(cf_fd_frame *frame, uint32_t type)
{
    static const uint8_t kinds[6] = {0, CF_ERROR_KIND_BIT, CF_ERROR_KIND_FORM, CF_ERROR_KIND_STUFF, 0, 0};
    cf_log_error(frame);
    frame->data[CF_ERROR_KIND] = kinds[type < 6 ? type : 0];
    if (type == 5)
        frame->arbitration_id |= CF_ERROR_NO_ACK;
}

/* A target's `holds`: what an ErrorType, or a group of overload frames, says. */
CF_INLINE int cf_columns_holds(const cf_frame_head *head)
{
    static const uint8_t types[4] = {1, 2, 3, 0};
    cf_fd_frame back;
    if (head->flags & CF_FLAG_STATUS)
        return CF_LOG_HELD_NOT;
    if (cf_log_is_overload(head))
        cf_log_overload(&back);
    else
        cf_columns_error(&back, head->arbitration_id & CF_ERROR_NO_ACK ? 5 : types[cf_log_kind_number(head)]);
    return cf_log_held(head, &back);
}

/* What MDF's bus logging can hold: seconds as doubles, channels in a byte that counts from 1. */
CF_INLINE const cf_log_target *cf_columns_target(void)
{
    static const cf_log_target target = {
        0, 0, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES - 1, 1000000, cf_columns_holds, NULL, NULL, NULL};
    return &target;
}

/* Records of the rows from call->consumed on, while there is room; reader->epoch_ns becomes that of the columns. CF_OK,
 * or CF_FD_IN_CLASSICAL. */
CF_INLINE cf_status cf_columns_read(cf_log_reader *reader, const cf_columns *columns, cf_log_call *call)
{
    reader->epoch_ns = columns->epoch_ns;
    for (; call->consumed < columns->rows && call->made < call->capacity; call->consumed++) {
        const size_t row = call->consumed;
        const int channel = cf_log_channel_number(cf_column_number(columns, CF_COLUMN_BusChannel, row, 0));
        cf_fd_frame frame;
        int64_t offset, time;
        if (channel < 0 || !cf_nanoseconds(columns->seconds[row], &offset) || !cf_log_stamp(reader, offset, &time)) {
            cf_log_skip(reader, channel < 0 ? CF_LOG_KIND_CHANNEL : "frame without a time");
            continue;
        }
        memset(&frame, 0, sizeof frame);
        if (columns->event == CF_COLUMNS_OVERLOAD) {
            cf_log_overload(&frame);
        } else if (columns->event == CF_COLUMNS_ERROR) {
            cf_columns_error(&frame, cf_column_number(columns, CF_COLUMN_ErrorType, row, 0));
        } else if (!cf_columns_frame(reader, columns, row, &frame)) {
            continue;
        }
        frame.timestamp_ns = time;
        frame.channel = (uint8_t)channel;
        if (cf_log_put(reader, call, &frame) != CF_OK)
            return CF_FD_IN_CLASSICAL;
    }
    return CF_OK;
}

#endif
