/* socketcan.c - a CANAL driver for Linux's CAN interfaces: can0, vcan0 and the like.
 *
 * Any CANAL program can load it. The configuration string is socketcan_config.h's; open flag 0x10 (CF_OPEN_FD) asks for
 * CAN FD frames, too. Receiving reads many frames in one system call. CanalReceive gives the time in microseconds and
 * error frames as status messages; CanalReceiveBatch gives the records of frame.h. CanalSocketcanLastError tells why
 * CanalOpen failed.
 */
#define _GNU_SOURCE /* recvmmsg */

#include "../../../include/canal_fast/system/thread.h"

#include <sys/eventfd.h>

#include "socketcan_send.h"

#define EXPORT(type) CF_CANAL_EXPORT type CF_CANAL_CALL
static _Thread_local ct_error last_error;

/* Why CanalOpen failed in this thread, in words; empty after a success. */
EXPORT(const char *) CanalSocketcanLastError(void)
{
    return last_error.text;
}

EXPORT(long) CanalOpen(const char *config, unsigned long flags)
{
    sc_config wanted;
    sc_handle *h;
    socklen_t size = sizeof(int);
    long number = 0;
    last_error.text[0] = 0;
    if (!sc_parse(config, &wanted, &last_error))
        return -CF_CANAL_PARAMETER;
    h = (sc_handle *)calloc(1, sizeof *h);
    if (h == NULL || cf_mutex_init(&h->lock) != CF_OK) {
        free(h);
        return SC_REFUSE(&last_error, CF_CANAL_MEMORY, "out of memory");
    }
    sc_init(&h->state);
    memcpy(h->name, wanted.name, sizeof h->name);
    h->fd = (flags & CF_OPEN_FD) != 0;
    h->wake = eventfd(0, EFD_CLOEXEC);
    h->state.socket = sc_open_socket(&wanted, h->fd, &h->state.index, &last_error);
    if (h->state.socket < 0) {
        number = h->state.socket;
    } else if (h->wake < 0) {
        number = SC_REFUSE(&last_error, CF_CANAL_MEMORY, "no event descriptor: %s", strerror(errno));
    } else {
        h->sends_errors = sc_is_virtual(h->state.socket, h->name);
        getsockopt(h->state.socket, SOL_SOCKET, SO_RCVBUF, &h->rcvbuf, &size);
        cf_mutex_lock(&table);
        number = enlist(h);
        cf_mutex_unlock(&table);
        if (number == 0)
            number = SC_REFUSE(&last_error, CF_CANAL_CHANNEL, "all %d handles are in use", MAX_HANDLES);
    }
    if (number < 0)
        free_handle(h);
    return number;
}

EXPORT(int) CanalClose(long handle)
{
    const uint64_t one = 1;
    sc_handle *h = enter(handle);
    int first;
    if (h == NULL)
        return CF_CANAL_NOT_OPEN;
    cf_mutex_lock(&table);
    first = !h->closing;
    h->closing = 1;
    cf_mutex_unlock(&table);
    if (write(h->wake, &one, sizeof one) < 0)
        first = 0; /* it counts up to 2^64: never full */
    leave(h);
    return first ? CF_CANAL_SUCCESS : CF_CANAL_NOT_OPEN;
}

/* One frame as a record, waiting until until_ns (0: not at all). */
static int receive(sc_handle *h, void *record, size_t size, uint64_t until_ns)
{
    int code;
    do {
        cf_mutex_lock(&h->lock);
        code = sc_next(&h->state, record, size);
        cf_mutex_unlock(&h->lock);
    } while (code == CF_CANAL_FIFO_EMPTY && until_ns != 0 && (code = await(h, POLLIN, until_ns)) == 0);
    return code;
}

/* An error frame's record as a status message: code, REC, TEC as of the last one. */
static void to_status(sc_handle *h, cf_fd_frame *frame)
{
    cf_mutex_lock(&h->lock);
    frame->flags = CF_FLAG_STATUS;
    frame->arbitration_id = 0;
    frame->dlc = 4;
    memset(frame->data, 0, sizeof frame->data);
    frame->data[0] = (uint8_t)h->state.last_error;
    frame->data[1] = (uint8_t)(h->state.rec < 127 ? h->state.rec : 127);
    frame->data[2] = (uint8_t)h->state.tec;
    cf_mutex_unlock(&h->lock);
}

static int receive_canal(long handle, void *message, int fd, uint64_t until_ns)
{
    const uint32_t common = CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS;
    cf_fd_frame frame;
    sc_handle *h = message != NULL ? enter(handle) : NULL;
    int code;
    if (h == NULL)
        return message == NULL ? CF_CANAL_PARAMETER : CF_CANAL_NOT_OPEN;
    code = receive(h, &frame, fd ? sizeof frame : sizeof(cf_frame), until_ns);
    if (code == CF_CANAL_SUCCESS) {
        const uint32_t sent = frame.flags & CF_FLAG_TX ? (uint32_t)CF_MSG_SEND : 0;
        const unsigned length = cf_payload_length(frame.flags, frame.dlc);
        if (frame.flags & CF_FLAG_ERROR_FRAME)
            to_status(h, &frame);
        if (fd) {
            cf_canal_msg_fd *out = (cf_canal_msg_fd *)message;
            memset(out, 0, sizeof *out);
            out->flags = (frame.flags & (common | CF_MSG_FD | CF_MSG_BITRATE_SWITCH | CF_MSG_ERROR_STATE_INDICATOR)) |
                         sent;
            out->id = frame.arbitration_id;
            out->timestamp = (uint32_t)(frame.timestamp_ns / 1000);
            out->sizeData = (uint8_t)(frame.flags & CF_FLAG_FD ? length : frame.dlc);
            memcpy(out->data, frame.data, frame.flags & CF_FLAG_FD ? length : CF_CLASSICAL_DATA);
        } else {
            cf_canal_msg *out = (cf_canal_msg *)message;
            memset(out, 0, sizeof *out);
            out->flags = (frame.flags & common) | sent;
            out->id = frame.arbitration_id;
            out->timestamp = (unsigned long)(frame.timestamp_ns / 1000);
            out->sizeData = frame.dlc;
            memcpy(out->data, frame.data, sizeof out->data);
        }
    }
    leave(h);
    return code;
}

EXPORT(int) CanalReceive(long handle, void *message)
{
    return receive_canal(handle, message, 0, 0);
}

EXPORT(int) CanalBlockingReceive(long handle, void *message, unsigned long timeout_ms)
{
    return receive_canal(handle, message, 0, canal_deadline(timeout_ms));
}

EXPORT(int) CanalReceiveFD(long handle, void *message)
{
    return receive_canal(handle, message, 1, 0);
}

EXPORT(int) CanalBlockingReceiveFD(long handle, void *message, unsigned long timeout_ms)
{
    return receive_canal(handle, message, 1, canal_deadline(timeout_ms));
}

EXPORT(int)
CanalReceiveBatch(long handle, void *records, unsigned long size, unsigned long count, unsigned long timeout_ms)
{
    const uint64_t until_ns = timeout_ms != 0 ? deadline(timeout_ms) : 0;
    char *at = (char *)records;
    unsigned long got = 0;
    sc_handle *h = enter(handle);
    int code;
    if (h == NULL)
        return -CF_CANAL_NOT_OPEN;
    if (records == NULL || count == 0 || size != (h->fd ? sizeof(cf_fd_frame) : sizeof(cf_frame))) {
        leave(h);
        return -CF_CANAL_PARAMETER;
    }
    code = receive(h, at, size, until_ns);
    if (code == CF_CANAL_SUCCESS) {
        cf_mutex_lock(&h->lock);
        for (got = 1; code == CF_CANAL_SUCCESS && got < count && !sc_is_drained(&h->state);
             got += code == CF_CANAL_SUCCESS)
            code = sc_next(&h->state, at + got * size, size);
        if (code == h->state.trouble) /* the next call tells: this one has frames to return */
            h->state.told = 0;
        cf_mutex_unlock(&h->lock);
    }
    leave(h);
    return got > 0 ? (int)got : -code;
}

EXPORT(int) CanalDataAvailable(long handle)
{
    sc_handle *h = enter(handle);
    int count;
    if (h == NULL)
        return 0;
    cf_mutex_lock(&h->lock);
    if (h->state.box.at == h->state.box.have)
        sc_fill(&h->state);
    count = (int)(h->state.box.have - h->state.box.at);
    cf_mutex_unlock(&h->lock);
    leave(h);
    return count;
}

EXPORT(int) CanalSend(long handle, void *message)
{
    return send_message(handle, message, 0);
}

EXPORT(int) CanalBlockingSend(long handle, void *message, unsigned long timeout_ms)
{
    return send_message(handle, message, canal_deadline(timeout_ms));
}

EXPORT(int) CanalSendFD(long handle, void *message)
{
    return send_message_fd(handle, message, 0);
}

EXPORT(int) CanalBlockingSendFD(long handle, void *message, unsigned long timeout_ms)
{
    return send_message_fd(handle, message, canal_deadline(timeout_ms));
}

/* TEC and REC in the low bits, as usb2can has them. */
EXPORT(int) CanalGetStatus(long handle, void *status)
{
    cf_canal_status *out = (cf_canal_status *)status;
    sc_handle *h = status != NULL ? enter(handle) : NULL;
    if (h == NULL)
        return status == NULL ? CF_CANAL_PARAMETER : CF_CANAL_NOT_OPEN;
    memset(out, 0, sizeof *out);
    cf_mutex_lock(&h->lock);
    out->channel_status = h->state.condition | h->state.tec | (h->state.rec < 127 ? h->state.rec : 127) << 8;
    if (h->sends_errors)
        out->channel_status |= CF_CANAL_SENDS_ERRORS;
    out->last_error_code = (unsigned long)h->state.trouble;
    if (h->state.trouble != 0)
        out->channel_status |= CF_CANAL_STOPPED;
    snprintf(out->last_error_text, sizeof out->last_error_text, "%s; receive buffer %d bytes", h->name, h->rcvbuf);
    cf_mutex_unlock(&h->lock);
    leave(h);
    return CF_CANAL_SUCCESS;
}

EXPORT(int) CanalGetStatistics(long handle, void *statistics)
{
    sc_handle *h = statistics != NULL ? enter(handle) : NULL;
    if (h == NULL)
        return statistics == NULL ? CF_CANAL_PARAMETER : CF_CANAL_NOT_OPEN;
    cf_mutex_lock(&h->lock);
    *(cf_canal_statistics *)statistics = h->state.statistics;
    cf_mutex_unlock(&h->lock);
    leave(h);
    return CF_CANAL_SUCCESS;
}

/* The kernel's filter instead of the configuration's: both identifier formats, (id ^ filter) & mask == 0. */
static int set_filter(long handle, unsigned long value, int is_mask)
{
    struct can_filter filter;
    sc_handle *h = enter(handle);
    int code = CF_CANAL_SUCCESS;
    if (h == NULL)
        return CF_CANAL_NOT_OPEN;
    cf_mutex_lock(&h->lock);
    *(is_mask ? &h->mask : &h->filter) = value;
    filter.can_id = (canid_t)(h->filter & CAN_EFF_MASK);
    filter.can_mask = (canid_t)(h->mask & CAN_EFF_MASK);
    if (setsockopt(h->state.socket, SOL_CAN_RAW, CAN_RAW_FILTER, &filter, sizeof filter) < 0)
        code = sc_code(errno);
    cf_mutex_unlock(&h->lock);
    leave(h);
    return code;
}

EXPORT(int) CanalSetFilter(long handle, unsigned long filter)
{
    return set_filter(handle, filter, 0);
}

EXPORT(int) CanalSetMask(long handle, unsigned long mask)
{
    return set_filter(handle, mask, 1);
}

/* Linux sets bit rates by netlink: ip link set can0 type can bitrate 500000. */
EXPORT(int) CanalSetBaudrate(long handle, unsigned long code)
{
    sc_handle *h = enter(handle);
    (void)code;
    if (h == NULL)
        return CF_CANAL_NOT_OPEN;
    leave(h);
    return CF_CANAL_NOT_SUPPORTED;
}

#define ABOUT_NAME "SocketCAN"
#define ABOUT_CONFIG "A CAN interface of Linux: INTERFACE;key=value;..."
#include "../about.h"
