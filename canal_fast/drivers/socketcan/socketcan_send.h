/* socketcan_send.h - CANAL messages to the kernel's frames and into the socket. */
#ifndef SOCKETCAN_SEND_H
#define SOCKETCAN_SEND_H

#include "socketcan_handles.h"

/* One try without waiting. 0, or errno. The kernel tells of an interface's end once: where sending learns of it,
 * nothing may be received before that is noted. */
static int try_to_send(sc_handle *h, const void *frame, size_t bytes, unsigned length)
{
    int number;
    cf_mutex_lock(&h->lock);
    number = send(h->state.socket, frame, bytes, MSG_DONTWAIT) < 0 ? errno : 0;
    if (number != 0) {
        sc_note_failure(&h->state, number);
    } else {
        h->state.statistics.tx_frames++;
        h->state.statistics.tx_data += length;
    }
    cf_mutex_unlock(&h->lock);
    return number;
}

/* Hands a frame of `bytes` to the kernel, waiting for room until until_ns (0: not at all). */
static int transmit(sc_handle *h, const void *frame, size_t bytes, unsigned length, uint64_t until_ns)
{
    int number;
    while ((number = try_to_send(h, frame, bytes, length)) != 0) {
        int code = sc_code(number);
        if (code != CF_CANAL_TRM_FULL || until_ns == 0)
            return code;
        if (number == ENOBUFS) { /* the interface's queue is full, and poll does not tell when it is not */
            cf_sleep_ns(RETRY_NS);
            code = cf_monotonic_ns() < until_ns ? CF_CANAL_SUCCESS : CF_CANAL_TIMEOUT;
        } else {
            code = await(h, POLLOUT, until_ns);
        }
        if (code != CF_CANAL_SUCCESS)
            return code;
    }
    return CF_CANAL_SUCCESS;
}

/* The kernel's identifier of CANAL's; 0 with *code when there is no such frame. */
static uint32_t to_kernel_id(uint32_t flags, unsigned long id, int *code)
{
    const int extended = (flags & (CF_MSG_EXTENDED | CF_MSG_ERROR_FRAME)) != 0;
    if (flags & CF_MSG_ERROR_FRAME) {
        *code = id > CF_MAX_EXTENDED_ID || (flags & (CF_MSG_REMOTE | CF_MSG_STATUS)) ? CF_CANAL_CAN_MESSAGE
                                                                                     : CF_CANAL_SUCCESS;
        return (uint32_t)id | CAN_ERR_FLAG;
    }
    *code = flags & CF_MSG_STATUS                                       ? CF_CANAL_CAN_MESSAGE
            : id > (extended ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID) ? CF_CANAL_CAN_ID
                                                                        : CF_CANAL_SUCCESS;
    return (uint32_t)id | (extended ? CAN_EFF_FLAG : 0) | (flags & CF_MSG_REMOTE ? CAN_RTR_FLAG : 0);
}

static int send_classical(long handle, uint32_t flags, unsigned long id, unsigned dlc, const uint8_t *data,
                          uint64_t until_ns)
{
    struct can_frame frame;
    sc_handle *h = enter(handle);
    int code;
    if (h == NULL)
        return CF_CANAL_NOT_OPEN;
    memset(&frame, 0, sizeof frame);
    frame.can_id = to_kernel_id(flags, id, &code);
    frame.len = (uint8_t)(dlc < CAN_MAX_DLEN ? dlc : CAN_MAX_DLEN);
    frame.len8_dlc = (uint8_t)(dlc > CAN_MAX_DLEN ? dlc : 0);
    if (!(flags & CF_MSG_REMOTE))
        memcpy(frame.data, data, frame.len);
    if (flags & CF_MSG_ERROR_FRAME)
        frame.len = CAN_ERR_DLC; /* they have all eight bytes */
    if (dlc > 15 || ((flags & CF_MSG_ERROR_FRAME) && dlc > CAN_MAX_DLEN))
        code = CF_CANAL_CAN_MESSAGE;
    else if ((flags & CF_MSG_ERROR_FRAME) && !h->sends_errors)
        code = CF_CANAL_NOT_SUPPORTED;
    if (code == CF_CANAL_SUCCESS)
        code = transmit(h, &frame, sizeof frame, flags & CF_MSG_REMOTE ? 0 : frame.len, until_ns);
    leave(h);
    return code;
}

static int send_message(long handle, const void *message, uint64_t until_ns)
{
    const cf_canal_msg *m = (const cf_canal_msg *)message;
    if (m == NULL)
        return CF_CANAL_PARAMETER;
    if (m->flags & CF_MSG_FD)
        return CF_CANAL_CAN_MESSAGE;
    return send_classical(handle, (uint32_t)m->flags, m->id, m->sizeData, m->data, until_ns);
}

static int send_message_fd(long handle, const void *message, uint64_t until_ns)
{
    const cf_canal_msg_fd *m = (const cf_canal_msg_fd *)message;
    struct canfd_frame frame;
    sc_handle *h;
    int code;
    if (m == NULL)
        return CF_CANAL_PARAMETER;
    if (!(m->flags & CF_MSG_FD))
        return send_classical(handle, m->flags, m->id, m->sizeData, m->data, until_ns);
    h = enter(handle);
    if (h == NULL)
        return CF_CANAL_NOT_OPEN;
    memset(&frame, 0, sizeof frame);
    frame.can_id = to_kernel_id(m->flags, m->id, &code);
    frame.flags = (uint8_t)(CANFD_FDF | (m->flags & CF_MSG_BITRATE_SWITCH ? CANFD_BRS : 0) |
                            (m->flags & CF_MSG_ERROR_STATE_INDICATOR ? CANFD_ESI : 0));
    frame.len = m->sizeData;
    if ((m->flags & CF_MSG_REMOTE) || m->sizeData > CANFD_MAX_DLEN ||
        cf_fd_length(cf_fd_dlc(m->sizeData)) != m->sizeData)
        code = CF_CANAL_CAN_MESSAGE;
    else if (!h->fd)
        code = CF_CANAL_FD_SUPPORT_ENABLE;
    if (code == CF_CANAL_SUCCESS) {
        memcpy(frame.data, m->data, m->sizeData);
        code = transmit(h, &frame, sizeof frame, m->sizeData, until_ns);
    }
    leave(h);
    return code;
}

#endif
