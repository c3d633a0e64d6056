/* canal_fast/ids.h - numbers for identifiers, in the order in which they first occur: a hash table. */
#ifndef CANAL_FAST_IDS_H
#define CANAL_FAST_IDS_H

#include "base.h"

#define CF_IDS_FULL (UINT32_MAX - 1)

/* A table of the caller's memory: `mask` + 1 slots, a power of two and at least 2 * room, zero at first; keys[i] is
 * the key of number i. */
typedef struct cf_ids {
    uint32_t *slots; /* number + 1, or 0 */
    size_t mask;
    uint64_t *keys;
    size_t count, room;
} cf_ids;

CF_INLINE size_t cf_id_slot(const cf_ids *ids, uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & ids->mask;
}

/* The number of a known key; CF_IDS_FULL for another. */
CF_INLINE uint32_t cf_id_known(const cf_ids *ids, uint64_t key)
{
    size_t at = cf_id_slot(ids, key);
    for (; ids->slots[at]; at = (at + 1) & ids->mask)
        if (CF_LIKELY(ids->keys[ids->slots[at] - 1] == key))
            return ids->slots[at] - 1;
    return CF_IDS_FULL;
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

#endif
