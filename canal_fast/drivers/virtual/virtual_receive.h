/* virtual_receive.h - from the receive queue of a handle to CANAL messages.
 *
 * All but receive_one need the lock (virtual_handles.h).
 */
#ifndef VIRTUAL_RECEIVE_H
#define VIRTUAL_RECEIVE_H

#include "virtual_handles.h"

/* Host time at which a call gives up; 0 ms is for ever, as CANAL says. */
static uint64_t deadline(unsigned long timeout_ms)
{
    const uint64_t longest = UINT64_C(1000000000000); /* 31 years: no overflow */
    if (timeout_ms == 0)
        return VS_NEVER;
    return cf_monotonic_ns() + (timeout_ms < longest ? timeout_ms : longest) * 1000000;
}

/* The oldest of the receive queue, which is not empty: h->record bytes, valid until the bus is settled. */
static const cf_frame_head *pop(vb_handle *h)
{
    const cf_frame_head *frame = (const cf_frame_head *)(h->fifo + (size_t)h->fifo_head * h->record);
    h->fifo_head = h->fifo_head + 1 == h->fifo_size ? 0 : h->fifo_head + 1;
    h->fifo_count--;
    return frame;
}

/* After a pop: the room just made may be what another handle's next frame waits for. */
static void refill(vb_handle *h)
{
    if (vs_floods(&h->bus->source) && h->bus->waiters != 0)
        vb_settle(h->bus);
}

/* Steps over what this caller's records cannot hold, at the head of the queue. CAN FD frames are lost to it; error
 * frames come by CanalReceiveBatch only. */
static void skip_unfit(vb_handle *h, unsigned unfit)
{
    while (h->fifo_count != 0) {
        const cf_frame_head *head = (const cf_frame_head *)(h->fifo + (size_t)h->fifo_head * h->record);
        if ((head->flags & unfit) == 0)
            break;
        if (head->flags & CF_FLAG_FD) {
            h->unfit++;
            h->statistics.overruns++;
        }
        pop(h);
        if (vs_floods(&h->bus->source)) /* what comes into this room is what the caller waits for */
            vb_settle(h->bus);
    }
}

/* Waits until something was received, at most until until_ns (0: not at all). NULL with *code when nothing was.
 * `unfit`: flags of records that the caller cannot hold. */
static vb_handle *await_received(long handle, uint64_t until_ns, unsigned unfit, int *code)
{
    for (;;) {
        vb_handle *h = vh_find(handle);
        if (h != NULL && unfit != 0)
            skip_unfit(h, unfit);
        *code = h == NULL                                               ? CF_CANAL_NOT_OPEN
                : h->fifo_count != 0                                    ? CF_CANAL_SUCCESS
                : until_ns == 0                                         ? CF_CANAL_FIFO_EMPTY
                : until_ns != VS_NEVER && cf_monotonic_ns() >= until_ns ? CF_CANAL_TIMEOUT
                                                                        : CF_CANAL_FIFO_WAIT;
        if (*code != CF_CANAL_FIFO_WAIT)
            return *code == CF_CANAL_SUCCESS ? h : NULL;
        vb_wait(h, &vh_lock, vb_next_arrival(h->bus), until_ns);
    }
}

static void to_message(const cf_frame_head *frame, cf_canal_msg *message)
{
    message->flags = frame->flags & (CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS);
    if (frame->flags & CF_FLAG_TX)
        message->flags |= CF_MSG_SEND;
    message->obid = 0;
    message->id = frame->arbitration_id;
    message->sizeData = frame->dlc;
    memcpy(message->data, cf_record_data(frame), sizeof message->data);
    message->timestamp = (unsigned long)frame->timestamp_ns;
}

static void to_message_fd(const cf_frame_head *frame, cf_canal_msg_fd *message)
{
    const unsigned length = cf_payload_length(frame->flags, frame->dlc);
    const uint32_t known = CF_MSG_EXTENDED | CF_MSG_REMOTE | CF_MSG_STATUS | CF_MSG_FD | CF_MSG_BITRATE_SWITCH |
                           CF_MSG_ERROR_STATE_INDICATOR;
    memset(message, 0, sizeof *message);
    message->flags = (frame->flags & known) | (frame->flags & CF_FLAG_TX ? (uint32_t)CF_MSG_SEND : 0);
    message->id = frame->arbitration_id;
    message->sizeData = (uint8_t)(frame->flags & CF_FLAG_FD ? length : frame->dlc);
    memcpy(message->data, cf_record_data(frame), length);
    message->timestamp = (uint32_t)frame->timestamp_ns;
}

/* One frame into a cf_canal_msg, or with `fd` a cf_canal_msg_fd, waiting until until_ns (0: not at all). */
static int receive_one(long handle, void *message, int fd, uint64_t until_ns)
{
    int code = CF_CANAL_PARAMETER;
    vb_handle *h;
    if (message == NULL)
        return code;
    cf_mutex_lock(&vh_lock);
    h = await_received(handle, until_ns, CF_FLAG_ERROR_FRAME | (fd ? 0 : CF_FLAG_FD), &code);
    if (h != NULL) {
        const cf_frame_head *frame = pop(h);
        if (fd)
            to_message_fd(frame, (cf_canal_msg_fd *)message);
        else
            to_message(frame, (cf_canal_msg *)message);
        refill(h);
    }
    cf_mutex_unlock(&vh_lock);
    return code;
}

#endif
