/* canal_fast/signals/group.h - frames to messages: which message each frame is, and its rows in message order.
 *
 * The index of a plan is one array of 16-bit slots: 2,048 for the base identifiers, and behind them an open-addressing
 * hash for extended identifiers and PGNs. A slot holds a message's number + 1; 0 is empty.
 */
#ifndef CANAL_FAST_SIGNALS_GROUP_H
#define CANAL_FAST_SIGNALS_GROUP_H

#include "plan.h"

#define CF_BASE_SLOTS 2048

/* A frame's message number is below message_count, or one of these above it: */
enum { CF_GROUP_UNKNOWN = 0, CF_GROUP_NOT_DECODABLE = 1, CF_GROUP_OTHERS = 2 };

/* Elements that cf_plan_index needs: the base table and a power of two, at most half full: a PGN has two keys. */
CF_INLINE size_t cf_plan_slots(size_t message_count)
{
    size_t hash = 16;
    while (hash < 4 * message_count)
        hash *= 2;
    return CF_BASE_SLOTS + hash;
}

CF_INLINE size_t cf_slot_of(uint32_t key, size_t mask)
{
    return ((uint64_t)key * 0x9E3779B97F4A7C15u >> 32) & mask;
}

/* PGN of a 29-bit identifier: PF below 240 has a destination in PS, which is no part of the PGN. */
CF_INLINE uint32_t cf_pgn(uint32_t identifier)
{
    const uint32_t pgn = identifier >> 8 & 0x3FFFF;
    return (pgn & 0xFF00) < 0xF000 ? pgn & 0x3FF00 : pgn;
}

/* Slot of a key in the hash: the one that holds it, or the empty one where it belongs. */
CF_INLINE size_t cf_key_slot(const cf_plan_message *messages, const uint16_t *hash, size_t mask, uint32_t key)
{
    size_t at = cf_slot_of(key, mask);
    while (hash[at] && messages[hash[at] - 1].key != key && messages[hash[at] - 1].identifier != key)
        at = (at + 1) & mask;
    return at;
}

/* Fills `slots` (cf_plan_slots elements) from the messages' keys; the last of several with one key wins. Keys that no
 * identifier has are left out. */
CF_INLINE void cf_plan_index(const cf_plan_message *messages, size_t count, uint16_t *slots, size_t slot_count)
{
    const size_t mask = slot_count - CF_BASE_SLOTS - 1;
    uint16_t *hash = slots + CF_BASE_SLOTS;
    size_t m;
    memset(slots, 0, slot_count * sizeof *slots);
    for (m = 0; m < count; m++) {
        const uint32_t key = messages[m].key, identifier = messages[m].identifier;
        if (key & (CF_KEY_EXTENDED | CF_KEY_PGN)) {
            hash[cf_key_slot(messages, hash, mask, key)] = (uint16_t)(m + 1);
            hash[cf_key_slot(messages, hash, mask, identifier)] = (uint16_t)(m + 1);
        } else if (key < CF_BASE_SLOTS) {
            slots[key] = (uint16_t)(m + 1);
        }
    }
}

CF_INLINE size_t cf_plan_hashed(const cf_plan *plan, uint32_t key)
{
    const uint16_t *hash = plan->slots + CF_BASE_SLOTS;
    return hash[cf_key_slot(plan->messages, hash, plan->slot_count - CF_BASE_SLOTS - 1, key)];
}

/* Number of the message that this frame is, or message_count + CF_GROUP_... */
CF_INLINE size_t cf_plan_find(const cf_plan *plan, const cf_frame_head *head)
{
    size_t slot;
    if (CF_UNLIKELY(head->flags & (CF_FLAG_REMOTE | CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME)))
        return plan->message_count + CF_GROUP_NOT_DECODABLE;
    if (head->flags & CF_FLAG_EXTENDED_ID) {
        slot = cf_plan_hashed(plan, (head->arbitration_id & CF_MAX_EXTENDED_ID) | CF_KEY_EXTENDED);
        if (!slot)
            slot = cf_plan_hashed(plan, cf_pgn(head->arbitration_id) | CF_KEY_EXTENDED | CF_KEY_PGN);
    } else {
        slot = head->arbitration_id < CF_BASE_SLOTS ? plan->slots[head->arbitration_id] : 0;
    }
    return slot ? slot - 1 : plan->message_count + CF_GROUP_UNKNOWN;
}

/* The first pass over `count` frames `stride` bytes apart: message numbers into `which`; frames of each message into
 * counts and its shortest payload into `shortest` (both message_count + CF_GROUP_OTHERS long, written whole). */
CF_INLINE void cf_signals_group(const cf_plan *plan, const void *frames, size_t count, size_t stride,
                                uint16_t *CF_RESTRICT which, int64_t *CF_RESTRICT counts, uint8_t *CF_RESTRICT shortest)
{
    const char *at = (const char *)frames;
    const size_t limit = stride - sizeof(cf_frame_head);
    size_t i;
    for (i = 0; i < plan->message_count + CF_GROUP_OTHERS; i++) {
        counts[i] = 0;
        shortest[i] = CF_FD_DATA;
    }
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const size_t message = cf_plan_find(plan, head);
        const size_t length = cf_payload_length(head->flags, head->dlc);
        const uint8_t held = (uint8_t)(length < limit ? length : limit);
        which[i] = (uint16_t)message;
        counts[message]++;
        if (held < shortest[message])
            shortest[message] = held;
    }
}

/* Where the rows of one message go; each pointer moves on as rows are written. */
typedef struct cf_message_rows {
    int64_t *time, *source; /* time stamps, and numbers of the frames */
    uint32_t *identifier;   /* NULL where nobody asks for it */
    uint8_t *payload;       /* row_bytes each, zero-filled */
    uint8_t *length;        /* payload bytes that the frame had */
    size_t row_bytes;
} cf_message_rows;

/* The second pass: every frame's row to its message, in the frames' order. `rows` has one entry a message, with room
 * for what cf_signals_group counted. */
CF_INLINE void cf_signals_scatter(const void *frames, size_t count, size_t stride, const uint16_t *CF_RESTRICT which,
                                  size_t message_count, cf_message_rows *CF_RESTRICT rows)
{
    const char *at = (const char *)frames;
    const size_t limit = stride - sizeof(cf_frame_head);
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        cf_message_rows *row;
        size_t length;
        if (which[i] >= message_count)
            continue;
        row = &rows[which[i]];
        length = cf_payload_length(head->flags, head->dlc);
        *row->time++ = head->timestamp_ns;
        *row->source++ = (int64_t)i;
        *row->length++ = (uint8_t)(length < limit ? length : limit);
        if (row->identifier != NULL)
            *row->identifier++ = head->arbitration_id;
        memcpy(row->payload, head + 1, 8);
        if (row->row_bytes == 64) {
            if (stride == sizeof(cf_fd_frame))
                memcpy(row->payload + 8, (const char *)(head + 1) + 8, 56);
            else
                memset(row->payload + 8, 0, 56);
        }
        row->payload += row->row_bytes;
    }
}

#endif
