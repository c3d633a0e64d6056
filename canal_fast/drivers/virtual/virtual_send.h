/* virtual_send.h - from a CANAL message that a program sends to a frame that waits for its turn on the bus.
 *
 * All but transmit need the lock (virtual_handles.h).
 */
#ifndef VIRTUAL_SEND_H
#define VIRTUAL_SEND_H

#include "virtual_handles.h"

/* Host time at which a call gives up; 0 ms is for ever, as CANAL says. */
static uint64_t deadline(unsigned long timeout_ms)
{
    const uint64_t longest = UINT64_C(1000000000000); /* 31 years: no overflow */
    if (timeout_ms == 0)
        return VS_NEVER;
    return cf_monotonic_ns() + (timeout_ms < longest ? timeout_ms : longest) * 1000000;
}

static int to_pending(const cf_canal_msg *message, vs_pending *out)
{
    memset(out, 0, sizeof *out);
    if (message->sizeData > 15 || (message->flags & (CF_MSG_STATUS | CF_MSG_FD)))
        return CF_CANAL_CAN_MESSAGE;
    out->frame.arbitration_id = (uint32_t)message->id;
    out->frame.dlc = message->sizeData;
    out->frame.flags = (uint16_t)(message->flags & (CF_MSG_EXTENDED | CF_MSG_REMOTE));
    if (message->id > CF_MAX_EXTENDED_ID ||
        cf_frame_check((const cf_frame_head *)&out->frame, sizeof out->frame) != CF_OK)
        return CF_CANAL_CAN_ID;
    memcpy(out->frame.data, message->data, cf_payload_length(out->frame.flags, out->frame.dlc));
    return CF_CANAL_SUCCESS;
}

/* CF_CANAL_TRM_FULL when there is no room. The handle's bus is settled. */
static int enqueue(vb_handle *h, const vs_pending *pending)
{
    uint32_t at = h->queue_head + h->queue_count;
    if (h->flags & CF_OPEN_LISTEN_ONLY)
        return CF_CANAL_NOT_SUPPORTED;
    if (vb_is_off(h->bus))
        return CF_CANAL_BUS_OFF;
    if (h->queue_count == h->queue_size)
        return CF_CANAL_TRM_FULL;
    at = at < h->queue_size ? at : at - h->queue_size;
    h->queue[at] = *pending;
    vs_queue(&h->queue[at], vb_bits(h->bus, vb_now_ns(h->bus)));
    h->queue_count++;
    if (h->bus->waiters != 0)
        cf_cond_broadcast(&h->bus->changed);
    return CF_CANAL_SUCCESS;
}

static int transmit(long handle, const cf_canal_msg *message, uint64_t until_ns)
{
    vs_pending pending;
    int code = message != NULL ? to_pending(message, &pending) : CF_CANAL_PARAMETER;
    if (code != CF_CANAL_SUCCESS)
        return code;
    cf_mutex_lock(&vh_lock);
    for (;;) {
        vb_handle *h = vh_find(handle);
        code = h != NULL ? enqueue(h, &pending) : CF_CANAL_NOT_OPEN;
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
