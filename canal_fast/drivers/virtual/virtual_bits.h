/* virtual_bits.h - a virtual bus bit by bit: each handle is a node, whose events it is told of.
 *
 * Every function needs the driver's lock.
 */
#ifndef VIRTUAL_BITS_H
#define VIRTUAL_BITS_H

#include "virtual_push.h"

/* To the handle of an event's node, what it makes of it. *record steps through the frames that the nodes logged. */
static void vb_hand_out_event(vb_bus *bus, const cf_bus_event *e, const cf_fd_frame **record)
{
    vb_handle *h = bus->handles;
    const int error = e->event >= CF_BUS_EVENT_BIT_ERROR && e->event <= CF_BUS_EVENT_ACK_ERROR;
    const int64_t stamp = vb_stamp(bus, (uint64_t)e->bit + 1);
    cf_fd_frame frame;
    while (h != NULL && h->node != e->node)
        h = h->next;
    if (e->event == CF_BUS_EVENT_RECEIVED || e->event == CF_BUS_EVENT_SENT) {
        while ((*record)->flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS))
            ++*record;
        frame = *(*record)++;
        frame.timestamp_ns = stamp;
        frame.channel = 0;
        if (h != NULL && e->event == CF_BUS_EVENT_SENT) {
            h->statistics.tx_frames++;
            h->statistics.tx_data += cf_payload_length(frame.flags, frame.dlc);
        }
        if (h != NULL && (e->event == CF_BUS_EVENT_RECEIVED || (h->flags & CF_OPEN_LOOPBACK)))
            vb_push(h, &frame, 0);
        return;
    }
    if (h == NULL || (!error && e->event != CF_BUS_EVENT_STATE && e->event != CF_BUS_EVENT_RECOVERED))
        return;
    if (h->errors) {
        if (error)
            cf_error_frame_of(&frame, e);
        else
            cf_state_frame_of(&frame, e);
        frame.timestamp_ns = stamp;
        vb_push(h, &frame, 0);
    }
    if (e->event == CF_BUS_EVENT_STATE) {
        h->statistics.bus_warnings += e->state == CF_NODE_WARNING;
        h->statistics.bus_off += e->state == CF_NODE_BUS_OFF;
        if (h->flags & CF_OPEN_STATUS_FRAMES) {
            cf_status_record_of(&frame, e);
            frame.timestamp_ns = stamp;
            vb_push(h, &frame, 0);
        }
    }
}

static void vb_hand_out(vb_bus *bus)
{
    vn_nodes *v = bus->bitwise;
    const cf_fd_frame *record = v->frames;
    size_t i;
    for (i = 0; i < v->sink.event_count; i++)
        vb_hand_out_event(bus, &v->events[i], &record);
    vn_remember(v, v->events, v->sink.event_count);
    v->sink.event_count = v->sink.frame_count = 0;
}

/* Brings a bus that is simulated bit by bit up to bit `now`. Ticks are its bits. */
static void vb_settle_bits(vb_bus *bus, uint64_t now)
{
    vn_nodes *v = bus->bitwise;
    cf_bus_queue *queue = &v->nodes[VN_GENERATOR].queue;
    while ((uint64_t)v->bus.bit < now) {
        uint64_t until = (uint64_t)v->bus.bit + VN_CHUNK_BITS;
        until = until < now ? until : now;
        while (bus->source.head.ready < until && queue->used < queue->room) {
            cf_bus_queue_add(queue, &bus->source.head.frame, (int64_t)bus->source.head.ready, 0);
            vs_next(&bus->source);
        }
        while (cf_bus_run(&v->bus, (int64_t)until) == CF_BUS_NEEDS_ROOM)
            vb_hand_out(bus);
        vb_hand_out(bus);
    }
}

/* Bit by bit: when to look again, since what comes cannot be foretold. VS_NEVER: nothing waits. */
static uint64_t vb_next_look(vb_bus *bus)
{
    const uint64_t soon = (uint64_t)bus->bitwise->bus.bit + bus->config.bitrate / 2000 + 1;
    return vn_is_busy(bus->bitwise) || bus->source.head.ready < soon ? soon : bus->source.head.ready;
}

#endif
