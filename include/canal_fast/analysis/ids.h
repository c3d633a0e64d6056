/* canal_fast/analysis/ids.h - identifiers of arrays of frames, numbered in the order in which they first occur.
 *
 * An identifier is (channel, 11 or 29 bits, number). STATUS and ERROR_FRAME records have none.
 */
#ifndef CANAL_FAST_ANALYSIS_IDS_H
#define CANAL_FAST_ANALYSIS_IDS_H

#include "../frame.h"
#include "../ids.h"

#define CF_NO_ID UINT32_MAX

/* Keys sort by channel, then 11-bit identifiers before 29-bit ones, then by number. */
CF_INLINE uint64_t cf_id_key(const cf_frame_head *head)
{
    return (uint64_t)head->channel << 33 | (uint64_t)(head->flags & CF_FLAG_EXTENDED_ID) << 32 | head->arbitration_id;
}

CF_INLINE int cf_has_id(const cf_frame_head *head)
{
    return !(head->flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME));
}

CF_INLINE uint32_t cf_id_of(cf_ids *ids, const cf_frame_head *head)
{
    return cf_has_id(head) ? cf_id_find(ids, cf_id_key(head)) : CF_NO_ID;
}

/* numbers[i] becomes the number of record i's identifier, or CF_NO_ID, and counts[number] grows by one each (zero at
 * first, ids->room elements). Returns the records done: `count`, or fewer when the table is full. */
CF_INLINE size_t cf_ids_number(cf_ids *ids, const void *frames, size_t count, size_t stride,
                               uint32_t *CF_RESTRICT numbers, int64_t *CF_RESTRICT counts)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const uint32_t number = cf_id_of(ids, (const cf_frame_head *)at);
        if (CF_UNLIKELY(number == CF_IDS_FULL))
            break;
        numbers[i] = number;
        if (CF_LIKELY(number != CF_NO_ID))
            counts[number]++;
    }
    return i;
}

/* Places of the records of each number, in their order: order[next[number]++] = i. `next` has where each number's
 * places begin. */
CF_INLINE void cf_ids_order(const uint32_t *CF_RESTRICT numbers, size_t count, int64_t *CF_RESTRICT next,
                            int64_t *CF_RESTRICT order)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (CF_LIKELY(numbers[i] != CF_NO_ID))
            order[next[numbers[i]]++] = (int64_t)i;
}

/* changed[i] becomes 1 where record i's payload is another than that of the last record with its identifier, in length
 * or content, or is the first, else 0; last[number] (ids->room elements) is that record's place. Records without an
 * identifier give 0. Returns the records done, from `begin` on: `count`, or fewer when the table is full. */
CF_INLINE size_t cf_ids_changed(cf_ids *ids, const void *frames, size_t begin, size_t count, size_t stride,
                                int64_t *CF_RESTRICT last, uint8_t *CF_RESTRICT changed)
{
    const char *base = (const char *)frames;
    const size_t room = stride - offsetof(cf_frame, data);
    size_t i;
    for (i = begin; i < count; i++) {
        const cf_frame_head *head = (const cf_frame_head *)(base + i * stride);
        const size_t known = ids->count;
        const uint32_t number = cf_id_of(ids, head);
        changed[i] = 0;
        if (CF_UNLIKELY(number == CF_IDS_FULL))
            break;
        if (CF_UNLIKELY(number == CF_NO_ID))
            continue;
        changed[i] = 1;
        if (number < known) {
            const cf_frame_head *other = (const cf_frame_head *)(base + (size_t)last[number] * stride);
            changed[i] = cf_payload_length(head->flags, head->dlc) != cf_payload_length(other->flags, other->dlc) ||
                         memcmp(cf_record_data(head), cf_record_data(other), room);
        }
        last[number] = (int64_t)i;
    }
    return i;
}

#endif
