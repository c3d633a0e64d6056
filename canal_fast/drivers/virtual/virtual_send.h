/* virtual_send.h - from a CANAL message that a program sends to a frame that waits for its turn on the bus.
 *
 * enqueue needs the lock (virtual_handles.h).
 */
#ifndef VIRTUAL_SEND_H
#define VIRTUAL_SEND_H

#include "virtual_receive.h"

/* Fills out->frame, but for the payload. */
static int check(vs_pending *out, unsigned long flags, unsigned long id, unsigned dlc)
{
    memset(out, 0, sizeof *out);
    if (dlc > 15 || (flags & CF_MSG_STATUS) || ((flags & CF_MSG_FD) && (flags & CF_MSG_REMOTE)))
        return CF_CANAL_CAN_MESSAGE;
    out->frame.arbitration_id = (uint32_t)id;
    out->frame.dlc = (uint8_t)dlc;
    out->frame.flags = (uint16_t)flags;
    if (flags & CF_MSG_ERROR_FRAME) {
        out->frame.flags = CF_FLAG_ERROR_FRAME;
        return dlc > 8 || id > CF_MAX_EXTENDED_ID || (flags & (CF_MSG_FD | CF_MSG_REMOTE)) ? CF_CANAL_CAN_MESSAGE
                                                                                           : CF_CANAL_SUCCESS;
    }
    if (id > CF_MAX_EXTENDED_ID || cf_frame_check((const cf_frame_head *)&out->frame, sizeof out->frame) != CF_OK)
        return CF_CANAL_CAN_ID;
    return CF_CANAL_SUCCESS;
}

static int to_pending(const cf_canal_msg *message, vs_pending *out)
{
    int code;
    if (message == NULL)
        return CF_CANAL_PARAMETER;
    code = message->flags & CF_MSG_FD
               ? CF_CANAL_CAN_MESSAGE
               : check(out, message->flags & (CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS | CF_MSG_ERROR_FRAME),
                       message->id, message->sizeData);
    if (code == CF_CANAL_SUCCESS)
        memcpy(out->frame.data, message->data, cf_payload_length(out->frame.flags, out->frame.dlc));
    return code;
}

static int to_pending_fd(const cf_canal_msg_fd *message, vs_pending *out)
{
    const uint32_t modes = CF_MSG_BITRATE_SWITCH | CF_MSG_ERROR_STATE_INDICATOR;
    uint32_t known = CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS | CF_MSG_FD | CF_MSG_ERROR_FRAME;
    unsigned dlc;
    int code;
    if (message == NULL)
        return CF_CANAL_PARAMETER;
    dlc = message->sizeData;
    if (message->flags & CF_MSG_FD) {
        known |= modes;
        dlc = dlc > CF_FD_DATA || cf_fd_length(cf_fd_dlc(dlc)) != dlc ? 16 : cf_fd_dlc(dlc);
    }
    code = check(out, message->flags & known, message->id, dlc);
    if (code == CF_CANAL_SUCCESS)
        memcpy(out->frame.data, message->data, cf_payload_length(out->frame.flags, out->frame.dlc));
    return code;
}

/* CF_CANAL_TRM_FULL when there is no room. The handle's bus is settled. */
static int enqueue(vb_handle *h, const vs_pending *pending)
{
    uint32_t at = h->queue_head + h->queue_count;
    if ((h->flags & CF_OPEN_LISTEN_ONLY) || ((pending->frame.flags & CF_FLAG_ERROR_FRAME) && h->bus->bitwise != NULL))
        return CF_CANAL_NOT_SUPPORTED;
    if ((pending->frame.flags & CF_FLAG_FD) && !(h->flags & CF_OPEN_FD))
        return CF_CANAL_FD_SUPPORT_ENABLE;
    if (vb_is_off(h))
        return CF_CANAL_BUS_OFF;
    if (vb_queued(h) == h->queue_size)
        return CF_CANAL_TRM_FULL;
    if (h->bus->bitwise != NULL) {
        cf_bus_queue_add(&h->bus->bitwise->nodes[h->node].queue, &pending->frame, h->bus->bitwise->bus.bit,
                         h->flags & CF_OPEN_ONE_SHOT ? CF_REQUEST_ONE_SHOT : 0);
        if (h->bus->waiters != 0)
            cf_cond_broadcast(&h->bus->changed);
        return CF_CANAL_SUCCESS;
    }
    at = at < h->queue_size ? at : at - h->queue_size;
    h->queue[at] = *pending;
    vs_queue(&h->bus->config, &h->queue[at], vb_ticks(h->bus, vb_now_ns(h->bus)));
    h->queue_count++;
    if (h->bus->waiters != 0)
        cf_cond_broadcast(&h->bus->changed);
    return CF_CANAL_SUCCESS;
}

/* Queues the frame, waiting for room until until_ns (0: not at all). `code` other than success is given back. */
static int transmit(long handle, const vs_pending *pending, int code, uint64_t until_ns)
{
    if (code != CF_CANAL_SUCCESS)
        return code;
    cf_mutex_lock(&vh_lock);
    for (;;) {
        vb_handle *h = vh_find(handle);
        code = h != NULL ? enqueue(h, pending) : CF_CANAL_NOT_OPEN;
        if (code != CF_CANAL_TRM_FULL || until_ns == 0)
            break;
        if (until_ns != VS_NEVER && cf_monotonic_ns() >= until_ns) {
            code = CF_CANAL_TIMEOUT;
            break;
        }
        vb_wait(h, &vh_lock, vb_next_start(h->bus), until_ns);
    }
    cf_mutex_unlock(&vh_lock);
    return code;
}

#endif
