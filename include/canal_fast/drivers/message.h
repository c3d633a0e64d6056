/* canal_fast/drivers/message.h - CANAL messages of any layout <-> frame records, field by field.
 *
 * Drivers differ in the size of `long` and of the data member they were built with, so a message is
 * handed over in a CF_SLOT_BYTES scratch slot, larger than any layout, and read through a
 * descriptor. Fields are never aliased.
 */
#ifndef CANAL_FAST_DRIVERS_MESSAGE_H
#define CANAL_FAST_DRIVERS_MESSAGE_H

#include "../canal.h"
#include "../frame.h"

enum {
    CF_SLOT_BYTES = 256, /* every buffer given to a driver; 8-byte aligned */
    CF_POISON = 0xA5     /* what a receive slot holds before the driver is called */
};

typedef struct cf_layout {
    uint8_t size; /* of the whole message; the layout's name, too */
    uint8_t word; /* sizeof(unsigned long) in the driver's headers */
    uint8_t flags, obid, id, length, data, timestamp; /* offsets */
} cf_layout;

/* Row `index` of the known layouts, smallest first, or NULL past the end:
 * 28 = Windows, 32-bit systems; 48 = LP64; 84 and 104 = the same two with data[64], from headers of
 * 2021-02 to 2024-08. */
CF_INLINE const cf_layout *cf_layout_row(size_t index)
{
    /* clang-format off */
    static const cf_layout rows[] = {
        {28, 4, 0, 4, 8, 12, 13, 24},
        {48, 8, 0, 8, 16, 24, 25, 40},
        {84, 4, 0, 4, 8, 12, 13, 80},
        {104, 8, 0, 8, 16, 24, 25, 96},
    };
    /* clang-format on */
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

/* The layout of `size` bytes, or NULL. */
CF_INLINE const cf_layout *cf_layout_of_size(size_t size)
{
    size_t i;
    for (i = 0; cf_layout_row(i) != NULL; i++)
        if (cf_layout_row(i)->size == size)
            return cf_layout_row(i);
    return NULL;
}

/* That of CanalReceiveFD and CanalSendFD on every platform, whose length counts bytes. */
CF_INLINE const cf_layout *cf_layout_fd(void)
{
    static const cf_layout row = {88, 4, 0, 4, 8, 23, 24, 12};
    return &row;
}

/* What this platform's CANAL headers give. */
CF_INLINE const cf_layout *cf_layout_native(void)
{
    return cf_layout_of_size(sizeof(cf_canal_msg));
}

CF_INLINE uint32_t cf_slot_word(const uint8_t *slot, unsigned offset)
{
    uint32_t value; /* the low half of an 8-byte long on the little-endian machines served here */
    memcpy(&value, slot + offset, sizeof value);
    return value;
}

/* Eight bytes from `offset` on, by aligned words: most drivers copy a message in whole words, and a load
 * across two of those stores would wait until both are in the cache. `offset` is no multiple of 8. */
CF_INLINE uint64_t cf_slot_payload(const uint8_t *slot, unsigned offset)
{
    const unsigned shift = offset % 8 * 8;
    uint64_t low, high;
    memcpy(&low, slot + (offset & ~7u), sizeof low);
    memcpy(&high, slot + (offset & ~7u) + 8, sizeof high);
    return low >> shift | high << (64 - shift);
}

/* Before a receive: mark the fields whose change tells that a message was written. */
CF_INLINE void cf_slot_poison(uint8_t *slot, const cf_layout *layout)
{
    memset(slot + layout->flags, CF_POISON, 4);
    memset(slot + layout->id, CF_POISON, 4);
    slot[layout->length] = CF_POISON;
}

/* Which layout did the driver write, into a slot that was CF_POISON all over? Drivers copy a whole
 * message, so the last changed byte tells. NULL: beyond every known layout. `fallback` when nothing
 * was changed at all. */
CF_INLINE const cf_layout *cf_layout_probe(const uint8_t *slot, const cf_layout *fallback)
{
    unsigned end = CF_SLOT_BYTES;
    size_t i;
    while (end > 0 && slot[end - 1] == CF_POISON)
        end--;
    if (end == 0)
        return fallback;
    for (i = 0; cf_layout_row(i) != NULL; i++)
        if (end <= cf_layout_row(i)->size)
            return cf_layout_row(i);
    return NULL;
}

typedef enum cf_message_kind {
    CF_MESSAGE_FRAME,     /* *frame is filled; STATUS messages included */
    CF_MESSAGE_UNTOUCHED, /* the driver wrote nothing */
    CF_MESSAGE_MALFORMED  /* no such frame exists: length above 15, identifier too large, FD */
} cf_message_kind;

/* What is left of eight payload bytes, as a word of the little-endian machines served here, when the
 * first `length` (0..15) count. From a table: lengths change from frame to frame, and no branch
 * foresees them. */
CF_INLINE uint64_t cf_payload_mask(unsigned length)
{
    static const uint64_t masks[16] = {0,
                                       0xFF,
                                       0xFFFF,
                                       0xFFFFFF,
                                       0xFFFFFFFF,
                                       UINT64_C(0xFFFFFFFFFF),
                                       UINT64_C(0xFFFFFFFFFFFF),
                                       UINT64_C(0xFFFFFFFFFFFFFF),
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX,
                                       UINT64_MAX};
    return masks[length & 15];
}

/* Translates the message in `slot` (poisoned before the call) into *frame, all of it but
 * timestamp_ns; *ticks gets the driver's time stamp. */
CF_INLINE cf_message_kind cf_message_decode(const uint8_t *CF_RESTRICT slot, const cf_layout *layout, unsigned channel,
                                            cf_frame *CF_RESTRICT frame, uint32_t *CF_RESTRICT ticks)
{
    const uint32_t raw = cf_slot_word(slot, layout->flags);
    const uint32_t id = cf_slot_word(slot, layout->id);
    const unsigned length = slot[layout->length];
    uint64_t payload;
    unsigned flags = raw & (CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS);
    const uint32_t limit = flags & CF_MSG_EXTENDED ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID;
    if (CF_UNLIKELY(length > 15)) {
        const uint32_t poison = 0x01010101u * CF_POISON;
        if (length == CF_POISON && raw == poison && id == poison)
            return CF_MESSAGE_UNTOUCHED;
        return CF_MESSAGE_MALFORMED;
    }
    if (CF_UNLIKELY(!(flags & CF_MSG_STATUS) && (id > limit || (raw & CF_MSG_FD))))
        return CF_MESSAGE_MALFORMED;
    if (raw & CF_MSG_SEND)
        flags |= CF_FLAG_TX;
    frame->arbitration_id = id;
    frame->flags = (uint16_t)flags;
    frame->channel = (uint8_t)channel;
    frame->dlc = (uint8_t)length;
    payload = cf_slot_payload(slot, layout->data);
    payload &= cf_payload_mask(flags & CF_MSG_REMOTE ? 0 : length);
    memcpy(frame->data, &payload, sizeof payload);
    *ticks = cf_slot_word(slot, layout->timestamp);
    return CF_MESSAGE_FRAME;
}

/* The same for CanalReceiveFD's message, in cf_layout_fd. A length that no dlc stands for is malformed. */
CF_INLINE cf_message_kind cf_message_fd_decode(const uint8_t *CF_RESTRICT slot, unsigned channel,
                                               cf_fd_frame *CF_RESTRICT frame, uint32_t *CF_RESTRICT ticks)
{
    const cf_layout *layout = cf_layout_fd();
    const uint32_t raw = cf_slot_word(slot, layout->flags);
    const uint32_t id = cf_slot_word(slot, layout->id);
    const unsigned length = slot[layout->length];
    const uint32_t known = raw & CF_MSG_FD
                               ? CF_MSG_EXTENDED | CF_MSG_FD | CF_MSG_BITRATE_SWITCH | CF_MSG_ERROR_STATE_INDICATOR
                               : CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS;
    const uint32_t poison = 0x01010101u * CF_POISON;
    if (CF_UNLIKELY(length == CF_POISON && raw == poison && id == poison))
        return CF_MESSAGE_UNTOUCHED;
    frame->dlc = (uint8_t)(raw & CF_MSG_FD ? cf_fd_dlc(length) : length);
    if (CF_UNLIKELY((raw & CF_MSG_FD ? length > CF_FD_DATA || cf_fd_length(frame->dlc) != length : length > 15) ||
                    (!(raw & CF_MSG_STATUS) && id > (raw & CF_MSG_EXTENDED ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID))))
        return CF_MESSAGE_MALFORMED;
    frame->arbitration_id = id;
    frame->flags = (uint16_t)((raw & known) | (raw & CF_MSG_SEND ? CF_FLAG_TX : 0));
    frame->channel = (uint8_t)channel;
    memset(frame->data, 0, sizeof frame->data);
    memcpy(frame->data, slot + layout->data, cf_payload_length(frame->flags, frame->dlc));
    *ticks = cf_slot_word(slot, layout->timestamp);
    return CF_MESSAGE_FRAME;
}

/* Writes a frame that cf_frame_check accepts, or an ERROR_FRAME record, as a message to send, an FD frame in
 * cf_layout_fd. `extra` is or-ed into the message's flags. The slot is cleared first: no byte of it is left
 * undefined. */
CF_INLINE void cf_message_encode(const cf_frame_head *head, const uint8_t *data, const cf_layout *layout,
                                 uint32_t extra, uint8_t *slot)
{
    const uint32_t known = CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_FD | CF_MSG_BITRATE_SWITCH |
                           CF_MSG_ERROR_STATE_INDICATOR | CF_MSG_ERROR_FRAME;
    const uint32_t flags = (head->flags & known) | extra;
    memset(slot, 0, CF_SLOT_BYTES);
    memcpy(slot + layout->flags, &flags, sizeof flags);
    memcpy(slot + layout->id, &head->arbitration_id, sizeof head->arbitration_id);
    slot[layout->length] = (uint8_t)(head->flags & CF_FLAG_FD ? cf_fd_length(head->dlc) : head->dlc);
    memcpy(slot + layout->data, data, cf_payload_length(head->flags, head->dlc));
}

#endif
