/* canal_fast/live/port.h - an open channel's driver calls other than receiving: send, status, ask. */
#ifndef CANAL_FAST_LIVE_PORT_H
#define CANAL_FAST_LIVE_PORT_H

#include "driver.h"

CF_INLINE const cf_layout *cf_channel_layout(cf_channel *channel)
{
    return cf_layout_of_size(cf_atomic_u32_load_relaxed(&channel->consumer.share->layout_size));
}

/* Begins a call to the driver: 0, with the lock taken, or CF_CLOSED, or CF_DISCONNECTED while it is away. */
CF_INLINE cf_status cf_channel_begin(cf_channel *channel)
{
    cf_status status = CF_OK;
    cf_mutex_lock(&channel->reader.calls);
    if (channel->consumer.closed || cf_atomic_u32_load_acquire(&channel->closing))
        status = CF_CLOSED;
    else if (channel->reader.handle <= 0)
        status = CF_DISCONNECTED;
    if (status != CF_OK)
        cf_mutex_unlock(&channel->reader.calls);
    return status;
}

CF_INLINE void cf_channel_end(cf_channel *channel)
{
    cf_mutex_unlock(&channel->reader.calls);
}

enum { CF_SEND_SLICE_MS = 5 };             /* for one frame in CanalBlockingSend, */
#define CF_SEND_PAUSE_NS UINT64_C(300000) /* and then other callers have their turn */

/* CanalSend or, for FD frames, CanalSendFD with the message in the slot; blocking where timeout_ms is not 0. */
CF_INLINE long cf_reader_send(const cf_reader *reader, int fd, uint8_t *slot, unsigned long timeout_ms)
{
    const cf_library *library = reader->library;
    if (fd)
        return timeout_ms == 0 ? CF_CANAL(library, send_fd, (reader->handle, slot))
                               : CF_CANAL(library, blocking_send_fd, (reader->handle, slot, timeout_ms));
    return timeout_ms == 0 ? CF_CANAL(library, send, (reader->handle, slot))
                           : CF_CANAL(library, blocking_send, (reader->handle, slot, timeout_ms));
}

/* Hands over at most `count` frames (24 or 80 bytes apart, all accepted by cf_frame_check, FD only with a reader
 * for FD), waiting at most timeout_ns for room in the driver's queue. *accepted: how many it took. CF_OK when all;
 * CF_TIMED_OUT; CF_CLOSED; CF_DISCONNECTED; CF_DRIVER_FAILED with the code in *code. */
CF_INLINE cf_status cf_channel_send(cf_channel *channel, const void *frames, size_t count, size_t stride,
                                    int64_t timeout_ns, size_t *accepted, long *code)
{
    if (channel->remote != NULL)
        return channel->remote->send(channel, frames, count, stride, timeout_ns, accepted, code);
    const cf_layout *layout = cf_channel_layout(channel);
    cf_reader *reader = &channel->reader;
    uint8_t *slot = (uint8_t *)channel->send_slot;
    const uint32_t extra = reader->profile->trust & CF_SEND_FLAG ? CF_MSG_SEND : 0;
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    const cf_library *library = reader->library;
    cf_status status = cf_channel_begin(channel);
    *accepted = 0;
    while (status == CF_OK && *accepted < count) {
        const char *at = (const char *)frames + *accepted * stride;
        const cf_frame_head *head = (const cf_frame_head *)at;
        const int fd = (head->flags & CF_FLAG_FD) != 0;
        const int can_block = reader->can_block &&
                              (fd ? library->blocking_send_fd != NULL : library->blocking_send != NULL);
        const int64_t left_ms = (deadline_ns - cf_now_ns()) / 1000000;
        cf_message_encode(head, (const uint8_t *)at + sizeof *head, fd ? cf_layout_fd() : layout, extra, slot);
        *code = cf_reader_send(reader, fd, slot, 0);
        if (cf_code_in(CF_CODES_FULL, *code) && can_block && left_ms > 0) {
            const int64_t slice = left_ms < CF_SEND_SLICE_MS ? left_ms : (int64_t)CF_SEND_SLICE_MS;
            *code = cf_reader_send(reader, fd, slot, (unsigned long)slice);
        }
        if (*code == CF_CANAL_SUCCESS) {
            ++*accepted;
        } else if (!cf_code_in(CF_CODES_FULL, *code) || left_ms <= 0) {
            cf_channel_end(channel);
            status = cf_code_in(CF_CODES_FULL, *code) ? CF_TIMED_OUT : CF_DRIVER_FAILED;
        } else {
            cf_channel_end(channel);
            cf_sleep_ns(CF_SEND_PAUSE_NS);
            status = cf_channel_begin(channel);
        }
    }
    if (status == CF_OK)
        cf_channel_end(channel);
    cf_atomic_u64_fetch_add(&channel->consumer.share->sent, *accepted);
    return status;
}

/* Counts frames that the caller gave up on. */
CF_INLINE void cf_channel_reject(cf_channel *channel, size_t count)
{
    cf_atomic_u64_fetch_add(&channel->consumer.share->send_rejected, count);
}

CF_INLINE void cf_channel_sent(cf_channel *channel, uint64_t *sent, uint64_t *rejected)
{
    *sent = cf_atomic_u64_load_relaxed(&channel->consumer.share->sent);
    *rejected = cf_atomic_u64_load_relaxed(&channel->consumer.share->send_rejected);
}

/* Frames in the driver's own queue, as of the last drain. */
CF_INLINE uint64_t cf_channel_queue(cf_channel *channel)
{
    return cf_atomic_u64_load_relaxed(&channel->consumer.share->driver_queue);
}

/* A driver's status; text is terminated. */
typedef struct cf_driver_status {
    uint32_t channel_status, last_error_code, last_error_subcode;
    char text[81];
} cf_driver_status;

/* CF_OK, CF_CLOSED, CF_NOT_SUPPORTED, or CF_DRIVER_FAILED with *code. */
CF_INLINE cf_status cf_channel_status(cf_channel *channel, cf_driver_status *result, long *code)
{
    if (channel->remote != NULL)
        return channel->remote->status(channel, result, code);
    const unsigned word = cf_channel_layout(channel)->word;
    cf_reader *reader = &channel->reader;
    uint64_t words[CF_SLOT_BYTES / 8];
    const uint8_t *bytes = (const uint8_t *)words;
    cf_status status = cf_channel_begin(channel);
    if (status != CF_OK)
        return status;
    memset(words, 0, sizeof words);
    if (reader->library->get_status == NULL) {
        cf_channel_end(channel);
        return CF_NOT_SUPPORTED;
    }
    *code = CF_CANAL(reader->library, get_status, (reader->handle, words));
    cf_channel_end(channel);
    result->channel_status = cf_slot_word(bytes, 0);
    result->last_error_code = cf_slot_word(bytes, word);
    result->last_error_subcode = cf_slot_word(bytes, 2 * word);
    memcpy(result->text, bytes + 3 * word, 80);
    result->text[80] = 0;
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

enum { CF_STATISTICS_WORDS = 7 };

/* The seven counters of CanalGetStatistics, in the order of cf_canal_statistics; *filled is 0 when the
 * driver returned success and wrote nothing. Returns as cf_channel_status. */
CF_INLINE cf_status cf_channel_statistics(cf_channel *channel, uint32_t counters[CF_STATISTICS_WORDS], int *filled,
                                          long *code)
{
    if (channel->remote != NULL)
        return channel->remote->statistics(channel, counters, filled, code);
    const unsigned word = cf_channel_layout(channel)->word;
    cf_reader *reader = &channel->reader;
    uint64_t words[CF_SLOT_BYTES / 8];
    size_t i;
    cf_status status = cf_channel_begin(channel);
    if (status != CF_OK)
        return status;
    memset(words, CF_POISON, sizeof words);
    if (reader->library->get_statistics == NULL) {
        cf_channel_end(channel);
        return CF_NOT_SUPPORTED;
    }
    *code = CF_CANAL(reader->library, get_statistics, (reader->handle, words));
    cf_channel_end(channel);
    *filled = 0;
    for (i = 0; i < CF_STATISTICS_WORDS; i++) {
        counters[i] = cf_slot_word((const uint8_t *)words, (unsigned)i * word);
        *filled |= counters[i] != 0x01010101u * CF_POISON;
    }
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

/* CanalSetFilter, CanalSetMask or CanalSetBaudrate (`function` is its CF_FN_... index) with `value`.
 * Returns as cf_channel_status. */
CF_INLINE cf_status cf_channel_set(cf_channel *channel, int function, unsigned long value, long *code)
{
    if (channel->remote != NULL)
        return channel->remote->set(channel, function, value, code);
    const cf_library *library = channel->reader.library;
    cf_status status;
    long handle;
    if (!(library->functions >> function & 1))
        return CF_NOT_SUPPORTED;
    status = cf_channel_begin(channel);
    if (status != CF_OK)
        return status;
    handle = channel->reader.handle;
    *code = function == CF_FN_set_filter ? CF_CANAL(library, set_filter, (handle, value))
            : function == CF_FN_set_mask ? CF_CANAL(library, set_mask, (handle, value))
                                         : CF_CANAL(library, set_baudrate, (handle, value));
    cf_channel_end(channel);
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

/* What the driver says of itself. Numbers are 0 and texts empty where it does not, or must not be asked. */
typedef struct cf_driver_versions {
    uint32_t level, version, dll_version;
    char vendor[256], info[2048];
} cf_driver_versions;

/* Needs an open channel: before that, some drivers answer NULL or crash. CF_OK or CF_CLOSED. */
CF_INLINE cf_status cf_channel_versions(cf_channel *channel, cf_driver_versions *result, long *code)
{
    if (channel->remote != NULL)
        return channel->remote->versions(channel, result, code);
    const cf_library *library = channel->reader.library;
    const cf_status status = cf_channel_begin(channel);
    if (status != CF_OK)
        return status;
    memset(result, 0, sizeof *result);
    if (library->get_level != NULL)
        result->level = (uint32_t)CF_CANAL(library, get_level, (channel->reader.handle));
    if (library->get_version != NULL) /* drivers leave garbage in the upper half of an 8-byte long */
        result->version = (uint32_t)CF_CANAL(library, get_version, ());
    if (library->get_dll_version != NULL)
        result->dll_version = (uint32_t)CF_CANAL(library, get_dll_version, ());
    if (library->get_vendor_string != NULL && !(channel->reader.profile->trust & CF_VENDOR_UNSAFE))
        cf_copy_text(result->vendor, sizeof result->vendor, CF_CANAL(library, get_vendor_string, ()));
    if (library->get_driver_info != NULL)
        cf_copy_text(result->info, sizeof result->info, CF_CANAL(library, get_driver_info, ()));
    cf_channel_end(channel);
    return CF_OK;
}

#endif
