/* virtual.c - a CANAL driver without hardware: named buses inside the process.
 *
 * Any CANAL program can load it. The configuration string is virtual_config.h's, the bus
 * virtual_bus.h's. Beside CANAL's own functions it exports five: CanalVirtualLastError, CanalVirtualStep,
 * CanalVirtualSetErrors, CanalVirtualInject and CanalVirtualEvents. One lock guards everything; no thread of its own.
 */
#include "../../../include/canal_fast/system/thread.h"

#include "virtual_receive.h"
#include "virtual_send.h"

#if defined(_MSC_VER)
#define VIRTUAL_THREAD_LOCAL __declspec(thread)
#else
#define VIRTUAL_THREAD_LOCAL _Thread_local
#endif

#define EXPORT(type) CF_CANAL_EXPORT type CF_CANAL_CALL

static VIRTUAL_THREAD_LOCAL ct_error last_error;

EXPORT(long) CanalOpen(const char *config, unsigned long flags)
{
    vc_config wanted;
    long number;
    last_error.text[0] = 0;
    if (!vc_parse(config, &wanted, &last_error))
        return 0;
    cf_mutex_lock(&vh_lock);
    number = vh_attach(&wanted, flags, &last_error);
    cf_mutex_unlock(&vh_lock);
    return number;
}

/* Why CanalOpen returned 0 to this thread, in words; empty after a success. */
EXPORT(const char *) CanalVirtualLastError(void)
{
    return last_error.text;
}

EXPORT(int) CanalClose(long handle)
{
    vb_handle *h;
    cf_mutex_lock(&vh_lock);
    h = vh_lookup(handle);
    if (h != NULL)
        vh_detach(h);
    cf_mutex_unlock(&vh_lock);
    return h != NULL ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}

EXPORT(int) CanalSend(long handle, void *message)
{
    vs_pending pending;
    return transmit(handle, &pending, to_pending((const cf_canal_msg *)message, &pending), 0);
}

EXPORT(int) CanalBlockingSend(long handle, void *message, unsigned long timeout_ms)
{
    vs_pending pending;
    return transmit(handle, &pending, to_pending((const cf_canal_msg *)message, &pending), deadline(timeout_ms));
}

EXPORT(int) CanalSendFD(long handle, void *message)
{
    vs_pending pending;
    return transmit(handle, &pending, to_pending_fd((const cf_canal_msg_fd *)message, &pending), 0);
}

EXPORT(int) CanalBlockingSendFD(long handle, void *message, unsigned long timeout_ms)
{
    vs_pending pending;
    return transmit(handle, &pending, to_pending_fd((const cf_canal_msg_fd *)message, &pending), deadline(timeout_ms));
}

EXPORT(int) CanalReceive(long handle, void *message)
{
    return receive_one(handle, message, 0, 0);
}

EXPORT(int) CanalBlockingReceive(long handle, void *message, unsigned long timeout_ms)
{
    return receive_one(handle, message, 0, deadline(timeout_ms));
}

EXPORT(int) CanalReceiveFD(long handle, void *message)
{
    return receive_one(handle, message, 1, 0);
}

EXPORT(int) CanalBlockingReceiveFD(long handle, void *message, unsigned long timeout_ms)
{
    return receive_one(handle, message, 1, deadline(timeout_ms));
}

EXPORT(int)
CanalReceiveBatch(long handle, void *records, unsigned long size, unsigned long count, unsigned long timeout_ms)
{
    const uint64_t until_ns = timeout_ms != 0 ? deadline(timeout_ms) : 0;
    char *out = (char *)records;
    unsigned long got = 0;
    int code;
    vb_handle *h;
    if (records == NULL || count == 0)
        return -CF_CANAL_PARAMETER;
    cf_mutex_lock(&vh_lock);
    h = vh_lookup(handle);
    code = CF_CANAL_PARAMETER;
    h = h != NULL && size != h->record ? NULL : await_received(handle, until_ns, 0, &code);
    for (; h != NULL && got < count && h->fifo_count != 0; got++, out += size) {
        const cf_frame_head *record = pop(h);
        if (size == sizeof(cf_frame))
            memcpy(out, record, sizeof(cf_frame)); /* of constant size, which is no call */
        else
            memcpy(out, record, sizeof(cf_fd_frame));
        refill(h);
    }
    cf_mutex_unlock(&vh_lock);
    return got > 0 ? (int)got : -code;
}

EXPORT(int) CanalTransmitPending(long handle, unsigned long *moving)
{
    int count = -CF_CANAL_NOT_OPEN;
    vb_handle *h;
    if (moving == NULL)
        return -CF_CANAL_PARAMETER;
    cf_mutex_lock(&vh_lock);
    h = vh_find(handle);
    if (h != NULL) {
        const int flying = h->bus->flight_end != VS_NEVER && h->bus->flight_sender == h;
        count = (int)vb_queued(h) + flying;
        *moving = !h->bus->config.step && (flying || !vb_is_off(h));
    }
    cf_mutex_unlock(&vh_lock);
    return count;
}

EXPORT(int) CanalDataAvailable(long handle)
{
    int count = 0;
    vb_handle *h;
    cf_mutex_lock(&vh_lock);
    h = vh_find(handle);
    if (h != NULL)
        count = (int)h->fifo_count;
    cf_mutex_unlock(&vh_lock);
    return count;
}

static void fill_status(const vb_handle *h, cf_canal_status *status)
{
    const vb_bus *bus = h->bus;
    unsigned tec, rec;
    memset(status, 0, sizeof *status);
    vb_counters(h, &tec, &rec);
    status->channel_status = vb_error_state(tec, rec)->bit | (tec < 255 ? tec : 255) |
                             (unsigned long)(rec < 127 ? rec : 127) << 8;
    if (bus->bitwise == NULL && !(h->flags & CF_OPEN_LISTEN_ONLY))
        status->channel_status |= CF_CANAL_SENDS_ERRORS;
    if (h->fifo_count == h->fifo_size)
        status->channel_status |= 0x00400000UL;
    if (vb_queued(h) == h->queue_size)
        status->channel_status |= 0x00200000UL;
    if (vs_ended(&bus->source) && bus->flight_end == VS_NEVER && h->fifo_count == 0 &&
        (bus->bitwise == NULL || !vn_is_busy(bus->bitwise)))
        status->channel_status |= CF_CANAL_STOPPED;
    if (bus->source.error[0] != 0) {
        status->last_error_code = CF_CANAL_CAN_MESSAGE;
        memcpy(status->last_error_text, bus->source.error, sizeof status->last_error_text);
    } else if (bus->source.replay != NULL && vr_skipped(bus->source.replay) != 0) {
        status->last_error_code = CF_CANAL_CAN_MESSAGE;
        snprintf(status->last_error_text, sizeof status->last_error_text, "replay: %llu parts that no bus carries",
                 (unsigned long long)vr_skipped(bus->source.replay));
    } else if (h->unfit != 0) {
        status->last_error_code = CF_CANAL_FD_SUPPORT_ENABLE;
        snprintf(status->last_error_text, sizeof status->last_error_text,
                 "%lu CAN FD frames passed this handle, which is classical", h->unfit);
    }
}

EXPORT(int) CanalGetStatus(long handle, void *status)
{
    vb_handle *h;
    if (status == NULL)
        return CF_CANAL_PARAMETER;
    cf_mutex_lock(&vh_lock);
    h = vh_find(handle);
    if (h != NULL)
        fill_status(h, (cf_canal_status *)status);
    cf_mutex_unlock(&vh_lock);
    return h != NULL ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}

EXPORT(int) CanalGetStatistics(long handle, void *statistics)
{
    vb_handle *h;
    if (statistics == NULL)
        return CF_CANAL_PARAMETER;
    cf_mutex_lock(&vh_lock);
    h = vh_find(handle);
    if (h != NULL) {
        cf_canal_statistics *out = (cf_canal_statistics *)statistics;
        *out = h->statistics;
        if (h->bus->source.replay != NULL) /* nobody gets what no bus carries */
            out->overruns += (unsigned long)vr_skipped(h->bus->source.replay);
        if (h->bus->bitwise == NULL) {
            out->bus_warnings = h->bus->bus_warnings;
            out->bus_off = h->bus->bus_off;
        }
    }
    cf_mutex_unlock(&vh_lock);
    return h != NULL ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}

#include "virtual_control.h"

static int refuse(long handle)
{
    vb_handle *h;
    cf_mutex_lock(&vh_lock);
    h = vh_find(handle);
    cf_mutex_unlock(&vh_lock);
    return h != NULL ? CF_CANAL_NOT_SUPPORTED : CF_CANAL_NOT_OPEN;
}

EXPORT(int) CanalSetFilter(long handle, unsigned long filter)
{
    (void)filter;
    return refuse(handle);
}

EXPORT(int) CanalSetMask(long handle, unsigned long mask)
{
    (void)mask;
    return refuse(handle);
}

EXPORT(int) CanalSetBaudrate(long handle, unsigned long code)
{
    (void)code;
    return refuse(handle);
}

#define ABOUT_NAME "virtual CANAL"
#define ABOUT_CONFIG "A CAN bus without hardware: NAME;BITRATE;key=value;..."
#include "../about.h"
