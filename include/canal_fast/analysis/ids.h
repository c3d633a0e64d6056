/* canal_fast/analysis/ids.h - identifiers of arrays of frames, numbered in the order in which they first occur.
 *
 * An identifier is (channel, 11 or 29 bits, number). STATUS and ERROR_FRAME records have none.
 */
#ifndef CANAL_FAST_ANALYSIS_IDS_H
#define CANAL_FAST_ANALYSIS_IDS_H

#include "../frame.h"

#define CF_NO_ID UINT32_MAX
#define CF_IDS_FULL (UINT32_MAX - 1)

/* A table of the caller's memory: `mask` + 1 slots, a power of two and at least 2 * room, zero at first; keys[i] is
 * the key of number i. */
typedef struct cf_ids {
    uint32_t *slots; /* number + 1, or 0 */
    size_t mask;
    uint64_t *keys;
    size_t count, room;
} cf_ids;

/* Keys sort by channel, then 11-bit identifiers before 29-bit ones, then by number. */
CF_INLINE uint64_t cf_id_key(const cf_frame_head *head)
{
    return (uint64_t)head->channel << 33 | (uint64_t)(head->flags & CF_FLAG_EXTENDED_ID) << 32 | head->arbitration_id;
}

CF_INLINE size_t cf_id_slot(const cf_ids *ids, uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & ids->mask;
}

/* The number of a key, a new one where it is new; CF_IDS_FULL where there is no room for one. */
CF_INLINE uint32_t cf_id_find(cf_ids *ids, uint64_t key)
{
    size_t at = cf_id_slot(ids, key);
    for (; ids->slots[at]; at = (at + 1) & ids->mask)
        if (CF_LIKELY(ids->keys[ids->slots[at] - 1] == key))
            return ids->slots[at] - 1;
    if (ids->count == ids->room)
        return CF_IDS_FULL;
    ids->keys[ids->count] = key;
    ids->slots[at] = (uint32_t)++ids->count;
    return (uint32_t)ids->count - 1;
}

/* Fills zeroed slots from the keys. */
CF_INLINE void cf_ids_index(cf_ids *ids)
{
    size_t i;
    for (i = 0; i < ids->count; i++) {
        size_t at = cf_id_slot(ids, ids->keys[i]);
        while (ids->slots[at])
            at = (at + 1) & ids->mask;
        ids->slots[at] = (uint32_t)i + 1;
    }
}

CF_INLINE uint32_t cf_id_of(cf_ids *ids, const cf_frame_head *head)
{
    return head->flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME) ? CF_NO_ID : cf_id_find(ids, cf_id_key(head));
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
