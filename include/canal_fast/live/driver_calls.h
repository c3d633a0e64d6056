/* canal_fast/live/driver_calls.h - what a driver is asked: one function for each request, and the switch over them. */
#ifndef CANAL_FAST_LIVE_DRIVER_CALLS_H
#define CANAL_FAST_LIVE_DRIVER_CALLS_H

#include "driver.h"

enum { CF_BLOCKING_SEND_MS = 5 };         /* for one frame in CanalBlockingSend, */
#define CF_SEND_PAUSE_NS UINT64_C(300000) /* and then other callers have their turn */

CF_INLINE const cf_layout *cf_driver_layout(const cf_driver *driver)
{
    return cf_layout_of_size(cf_atomic_u32_load_relaxed(&driver->consumer->share->layout_size));
}

/* Begins a call to the driver: 0, with the lock taken, or CF_CLOSED, or CF_DISCONNECTED while it is away. */
CF_INLINE cf_status cf_driver_begin(cf_driver *driver)
{
    cf_status status = CF_OK;
    cf_mutex_lock(&driver->reader.calls);
    if (!driver->started || cf_atomic_u32_load_acquire(&driver->closing))
        status = CF_CLOSED;
    else if (driver->reader.handle <= 0)
        status = CF_DISCONNECTED;
    if (status != CF_OK)
        cf_mutex_unlock(&driver->reader.calls);
    return status;
}

CF_INLINE void cf_driver_end(cf_driver *driver)
{
    cf_mutex_unlock(&driver->reader.calls);
}

/* Says which call is made, then makes it. */
#define CF_CALLED(reader, member, arguments)                                           \
    (cf_atomic_u32_store_relaxed(&(reader)->share->calling, (uint32_t)CF_FN_##member), \
     CF_CANAL((reader)->library, member, arguments))

/* CanalSend or, for FD frames, CanalSendFD with the message in the slot; blocking where timeout_ms is not 0. */
CF_INLINE long cf_reader_send(const cf_reader *reader, int fd, uint8_t *slot, unsigned long timeout_ms)
{
    if (fd)
        return timeout_ms == 0 ? CF_CALLED(reader, send_fd, (reader->handle, slot))
                               : CF_CALLED(reader, blocking_send_fd, (reader->handle, slot, timeout_ms));
    return timeout_ms == 0 ? CF_CALLED(reader, send, (reader->handle, slot))
                           : CF_CALLED(reader, blocking_send, (reader->handle, slot, timeout_ms));
}

/* Hands over at most `count` frames (24 or 80 bytes apart, all accepted by cf_frame_check, FD only with a reader
 * for FD), waiting at most timeout_ns for room in the driver's queue. *accepted: how many it took. CF_OK when all;
 * CF_TIMED_OUT; CF_CLOSED; CF_DISCONNECTED; CF_DRIVER_FAILED with the code in *code. */
CF_INLINE cf_status cf_driver_send(cf_driver *driver, const void *frames, size_t count, size_t stride,
                                   int64_t timeout_ns, size_t *accepted, long *code)
{
    cf_reader *reader = &driver->reader;
    uint8_t *slot = (uint8_t *)driver->send_slot;
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    const cf_library *library = reader->library;
    cf_status status = cf_driver_begin(driver);
    *accepted = 0;
    while (status == CF_OK && *accepted < count) {
        const char *at = (const char *)frames + *accepted * stride;
        const cf_frame_head *head = (const cf_frame_head *)at;
        const int fd = (head->flags & CF_FLAG_FD) != 0;
        const int can_block = reader->can_block &&
                              (fd ? library->blocking_send_fd != NULL : library->blocking_send != NULL);
        const int64_t left_ms = (deadline_ns - cf_now_ns()) / 1000000;
        const cf_layout *layout = fd ? cf_layout_fd() : cf_driver_layout(driver);
        const uint32_t extra = reader->profile->trust & CF_SEND_FLAG ? CF_MSG_SEND : 0;
        cf_message_encode(head, (const uint8_t *)at + sizeof *head, layout, extra, slot);
        *code = cf_reader_send(reader, fd, slot, 0);
        if (cf_code_in(CF_CODES_FULL, *code) && can_block && left_ms > 0) {
            const int64_t slice = left_ms < CF_BLOCKING_SEND_MS ? left_ms : (int64_t)CF_BLOCKING_SEND_MS;
            *code = cf_reader_send(reader, fd, slot, (unsigned long)slice);
        }
        if (*code == CF_CANAL_SUCCESS) {
            ++*accepted;
        } else if (!cf_code_in(CF_CODES_FULL, *code) || left_ms <= 0) {
            cf_driver_end(driver);
            status = cf_code_in(CF_CODES_FULL, *code) ? CF_TIMED_OUT : CF_DRIVER_FAILED;
        } else {
            cf_driver_end(driver);
            cf_sleep_ns(CF_SEND_PAUSE_NS);
            status = cf_driver_begin(driver);
        }
    }
    if (status == CF_OK)
        cf_driver_end(driver);
    cf_atomic_u64_fetch_add(&driver->consumer->share->sent, *accepted);
    return status;
}

/* CF_OK, CF_CLOSED, CF_NOT_SUPPORTED, or CF_DRIVER_FAILED with *code. */
CF_INLINE cf_status cf_driver_status_of(cf_driver *driver, cf_driver_status *result, long *code)
{
    unsigned word;
    cf_reader *reader = &driver->reader;
    uint64_t words[CF_SLOT_BYTES / 8];
    const uint8_t *bytes = (const uint8_t *)words;
    cf_status status = cf_driver_begin(driver);
    if (status != CF_OK)
        return status;
    memset(words, 0, sizeof words);
    memset(result, 0, sizeof *result);
    if (reader->library->get_status == NULL) {
        cf_driver_end(driver);
        return CF_NOT_SUPPORTED;
    }
    *code = CF_CALLED(reader, get_status, (reader->handle, words));
    cf_driver_end(driver);
    word = cf_driver_layout(driver)->word;
    result->channel_status = cf_slot_word(bytes, 0);
    result->last_error_code = cf_slot_word(bytes, word);
    result->last_error_subcode = cf_slot_word(bytes, 2 * word);
    memcpy(result->text, bytes + 3 * word, 80);
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

/* The seven counters of CanalGetStatistics, in the order of cf_canal_statistics; *filled is 0 when the
 * driver returned success and wrote nothing. Returns as cf_driver_status_of. */
CF_INLINE cf_status cf_driver_statistics_of(cf_driver *driver, cf_driver_statistics *result, int *filled, long *code)
{
    unsigned word;
    cf_reader *reader = &driver->reader;
    uint64_t words[CF_SLOT_BYTES / 8];
    size_t i;
    cf_status status = cf_driver_begin(driver);
    if (status != CF_OK)
        return status;
    memset(words, CF_POISON, sizeof words);
    if (reader->library->get_statistics == NULL) {
        cf_driver_end(driver);
        return CF_NOT_SUPPORTED;
    }
    *code = CF_CALLED(reader, get_statistics, (reader->handle, words));
    cf_driver_end(driver);
    word = cf_driver_layout(driver)->word;
    *filled = 0;
    for (i = 0; i < CF_STATISTICS_WORDS; i++) {
        result->counters[i] = cf_slot_word((const uint8_t *)words, (unsigned)i * word);
        *filled |= result->counters[i] != 0x01010101u * CF_POISON;
    }
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

/* CanalTransmitPending; *result: twice how many frames wait, and 1 if they go by themselves. As cf_driver_status_of. */
CF_INLINE cf_status cf_driver_transmit_pending_of(cf_driver *driver, uint64_t *result, long *code)
{
    const cf_reader *reader = &driver->reader;
    unsigned long moving = 0;
    long waiting;
    cf_status status = cf_driver_begin(driver);
    if (status != CF_OK)
        return status;
    if (reader->library->transmit_pending == NULL) {
        cf_driver_end(driver);
        return CF_NOT_SUPPORTED;
    }
    waiting = CF_CALLED(reader, transmit_pending, (reader->handle, &moving));
    cf_driver_end(driver);
    *code = waiting < 0 ? -waiting : 0;
    *result = waiting < 0 ? 0 : (uint64_t)waiting << 1 | (moving != 0);
    return waiting < 0 ? CF_DRIVER_FAILED : CF_OK;
}

/* CanalSetFilter, CanalSetMask or CanalSetBaudrate (`function` is its CF_FN_... index) with `value`.
 * Returns as cf_driver_status_of. */
CF_INLINE cf_status cf_driver_set(cf_driver *driver, int function, unsigned long value, long *code)
{
    const cf_library *library = driver->reader.library;
    cf_status status;
    long handle;
    if (!(library->functions >> function & 1))
        return CF_NOT_SUPPORTED;
    status = cf_driver_begin(driver);
    if (status != CF_OK)
        return status;
    handle = driver->reader.handle;
    *code = function == CF_FN_set_filter ? CF_CALLED(&driver->reader, set_filter, (handle, value))
            : function == CF_FN_set_mask ? CF_CALLED(&driver->reader, set_mask, (handle, value))
                                         : CF_CALLED(&driver->reader, set_baudrate, (handle, value));
    cf_driver_end(driver);
    return *code == CF_CANAL_SUCCESS ? CF_OK : CF_DRIVER_FAILED;
}

/* Needs an open channel: before that, some drivers answer NULL or crash. CF_OK or CF_CLOSED. */
CF_INLINE cf_status cf_driver_versions_of(cf_driver *driver, cf_driver_versions *result)
{
    const cf_library *library = driver->reader.library;
    const cf_status status = cf_driver_begin(driver);
    if (status != CF_OK)
        return status;
    memset(result, 0, sizeof *result);
    if (library->get_level != NULL)
        result->level = (uint32_t)CF_CALLED(&driver->reader, get_level, (driver->reader.handle));
    if (library->get_version != NULL) /* drivers leave garbage in the upper half of an 8-byte long */
        result->version = (uint32_t)CF_CALLED(&driver->reader, get_version, ());
    if (library->get_dll_version != NULL)
        result->dll_version = (uint32_t)CF_CALLED(&driver->reader, get_dll_version, ());
    if (library->get_vendor_string != NULL && !(driver->reader.profile->trust & CF_VENDOR_UNSAFE))
        cf_copy_text(result->vendor, sizeof result->vendor, CF_CALLED(&driver->reader, get_vendor_string, ()));
    if (library->get_driver_info != NULL)
        cf_copy_text(result->info, sizeof result->info, CF_CALLED(&driver->reader, get_driver_info, ()));
    cf_driver_end(driver);
    return CF_OK;
}

/* Does what is asked: the one place, whoever carried the request. CF_OK, CF_CLOSED, CF_DISCONNECTED, CF_NOT_SUPPORTED,
 * CF_TIMED_OUT, CF_DRIVER_FAILED with request->code, or as cf_driver_load and cf_driver_open. */
CF_INLINE cf_status cf_driver_perform(cf_driver *driver, cf_request *request)
{
    static const int setters[] = {CF_FN_set_filter, CF_FN_set_mask, CF_FN_set_baudrate};
    void *answer = request->answer;
    size_t accepted = 0;
    int filled = 0;
    cf_status status = CF_OK;
    request->code = 0;
    switch (request->operation) {
    case CF_ASK_LOAD:
        return cf_driver_load(driver, (const char *)request->question, (cf_convention)request->value,
                              (cf_load_answer *)answer);
    case CF_ASK_OPEN:
        return cf_driver_open(driver, (const cf_open_question *)request->question, (char *)answer, &request->code);
    case CF_ASK_STOP:
        cf_driver_stop(driver);
        return CF_OK;
    case CF_ASK_CLOSE:
        return cf_driver_close(driver, &request->code);
    case CF_ASK_SEND:
        status = cf_driver_send(driver, request->question, (size_t)request->count, (size_t)request->value,
                                request->timeout_ns, &accepted, &request->code);
        request->result = accepted;
        return status;
    case CF_ASK_STATUS:
        return cf_driver_status_of(driver, (cf_driver_status *)answer, &request->code);
    case CF_ASK_STATISTICS:
        status = cf_driver_statistics_of(driver, (cf_driver_statistics *)answer, &filled, &request->code);
        request->result = (uint64_t)filled;
        return status;
    case CF_ASK_SET_FILTER:
    case CF_ASK_SET_MASK:
    case CF_ASK_SET_BAUDRATE:
        return cf_driver_set(driver, setters[request->operation - CF_ASK_SET_FILTER], (unsigned long)request->value,
                             &request->code);
    case CF_ASK_VERSIONS:
        return cf_driver_versions_of(driver, (cf_driver_versions *)answer);
    case CF_ASK_TRANSMIT_PENDING:
        return cf_driver_transmit_pending_of(driver, &request->result, &request->code);
    case CF_ASK_FREE: /* is between a port and itself */
    case CF_ASK_COUNT:
        break;
    }
    return CF_NOT_SUPPORTED;
}

#endif
