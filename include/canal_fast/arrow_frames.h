/* canal_fast/arrow_frames.h - frame records to Arrow's columns and back, each in one pass. */
#ifndef CANAL_FAST_ARROW_FRAMES_H
#define CANAL_FAST_ARROW_FRAMES_H

#include "frame.h"

/* Columns of `count` rows; `offsets` has one more, and row i's payload is data[offsets[i]] to data[offsets[i + 1]]. */
typedef struct cf_frame_columns {
    int64_t *timestamp_ns;
    uint32_t *arbitration_id;
    uint16_t *flags;
    uint8_t *channel;
    uint8_t *dlc;
    int32_t *offsets;
    uint8_t *data;
} cf_frame_columns;

/* Bytes of `length` or more, in eights: both places have room for the record's whole payload. */
CF_INLINE void cf_columns_copy(uint8_t *to, const uint8_t *from, size_t length)
{
    size_t k;
    for (k = 0; k < length; k += 8)
        memcpy(to + k, from + k, 8);
}

/* Splits records `stride` (24 or 80) bytes apart into columns, payloads trimmed to what each record carries, until
 * `count` records are done or the next payload would end past byte `limit`. Needs count * (stride - 16) bytes at
 * to.data. Returns the records done; *channel becomes the highest channel among them (0 of none). */
CF_INLINE size_t cf_frames_split(const void *frames, size_t count, size_t stride, size_t limit, cf_frame_columns to,
                                 unsigned *channel)
{
    const char *at = (const char *)frames;
    const size_t room = stride - offsetof(cf_frame, data);
    size_t end = 0, i;
    unsigned highest = 0;
    to.offsets[0] = 0;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        size_t length = cf_payload_length(head->flags, head->dlc);
        length = length < room ? length : room; /* an FD flag in a classical record */
        if (CF_UNLIKELY(length > limit - end))
            break;
        to.timestamp_ns[i] = head->timestamp_ns;
        to.arbitration_id[i] = head->arbitration_id;
        to.flags[i] = head->flags;
        to.channel[i] = head->channel;
        to.dlc[i] = head->dlc;
        highest = head->channel > highest ? head->channel : highest;
        if (room == CF_CLASSICAL_DATA)
            memcpy(to.data + end, cf_record_data(head), CF_CLASSICAL_DATA);
        else
            cf_columns_copy(to.data + end, cf_record_data(head), length);
        end += length;
        to.offsets[i + 1] = (int32_t)end;
    }
    *channel = highest;
    return i;
}

/* Joins `count` rows to records `stride` bytes apart. Returns count, or the first row whose payload is not as long as
 * flags and dlc say, longer than the record holds, or not within the `size` bytes at from.data. */
CF_INLINE size_t cf_frames_join(cf_frame_columns from, size_t size, size_t count, void *frames, size_t stride)
{
    char *at = (char *)frames;
    const size_t room = stride - offsetof(cf_frame, data);
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        cf_frame_head *head = (cf_frame_head *)at;
        uint8_t *payload = (uint8_t *)at + offsetof(cf_frame, data);
        const int64_t begin = from.offsets[i], length = from.offsets[i + 1] - begin;
        head->timestamp_ns = from.timestamp_ns[i];
        head->arbitration_id = from.arbitration_id[i];
        head->flags = from.flags[i];
        head->channel = from.channel[i];
        head->dlc = from.dlc[i];
        if (CF_UNLIKELY(length != (int64_t)cf_payload_length(head->flags, head->dlc) || length > (int64_t)room))
            return i;
        if (CF_UNLIKELY(begin < 0 || (uint64_t)(begin + length) > size))
            return i;
        memset(payload, 0, room);
        if (length) /* an empty column may have no memory */
            memcpy(payload, from.data + begin, (size_t)length);
    }
    return count;
}

#endif
