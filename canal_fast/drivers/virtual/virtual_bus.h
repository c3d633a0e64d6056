/* virtual_bus.h - the virtual bus: its time line, who sends next and who gets it.
 *
 * Nothing happens by itself: vb_settle brings a bus up to a moment. Frames that wait when the bus
 * becomes free arbitrate; the winner takes its exact stuffed length and reaches the receive
 * queues at the end of its last EOF bit; three bits later the bus is free again. A frame that
 * is alone on the bus counts as acknowledged. Every function needs the driver's lock.
 */
#ifndef VIRTUAL_BUS_H
#define VIRTUAL_BUS_H

#include "virtual_bits.h"

/* The frame that goes next if nobody else joins, and the tick at which it starts; NULL: none waits.
 * *sender is NULL for the generator. Frames ready when the bus is free arbitrate. */
static vs_pending *vb_pick(vb_bus *bus, vb_handle **sender, uint64_t *start)
{
    vs_pending *best = bus->source.replay == NULL && bus->source.head.ready != VS_NEVER ? &bus->source.head : NULL;
    vb_handle *h;
    *sender = NULL;
    *start = 0;
    if (best != NULL)
        *start = best->ready > bus->free_at ? best->ready : bus->free_at;
    for (h = bus->tec >= 256 ? NULL : bus->handles; h != NULL; h = h->next) {
        vs_pending *head = &h->queue[h->queue_head];
        uint64_t from;
        if (h->queue_count == 0)
            continue;
        from = head->ready > bus->free_at ? head->ready : bus->free_at;
        if (best == NULL || from < *start || (from == *start && head->key < best->key)) {
            best = head;
            *sender = h;
            *start = from;
        }
    }
    return best;
}

/* Puts the next frame on the wire if its start lies before tick `now`. */
static int vb_start(vb_bus *bus, uint64_t now)
{
    vb_handle *sender;
    uint64_t start;
    vs_pending *next = vb_pick(bus, &sender, &start);
    if (next == NULL || start >= now)
        return 0;
    bus->flight = *next;
    bus->flight_end = start + next->ticks;
    bus->flight_sender = sender;
    bus->flight_generated = sender == NULL;
    bus->free_at = bus->flight_end + (uint64_t)CF_INTERMISSION_BITS * bus->config.bit_ticks;
    if (sender == NULL) {
        vs_next(&bus->source);
    } else {
        sender->queue_head = sender->queue_head + 1 == sender->queue_size ? 0 : sender->queue_head + 1;
        sender->queue_count--;
    }
    return 1;
}

static void vb_land(vb_bus *bus)
{
    bus->flight.frame.timestamp_ns = vb_stamp(bus, bus->flight_end);
    bus->flight_end = VS_NEVER;
    vb_deliver(bus, &bus->flight.frame, bus->flight_sender);
    if (bus->flight_sender != NULL) {
        bus->flight_sender->statistics.tx_frames++;
        bus->flight_sender->statistics.tx_data += cf_payload_length(bus->flight.frame.flags, bus->flight.frame.dlc);
    }
    if (bus->flight_generated && bus->config.status != 0) {
        const uint64_t landed = bus->source.count - (bus->source.head.ready != VS_NEVER);
        if (landed % bus->config.status == 0)
            vb_push_status(bus, bus->flight.frame.timestamp_ns);
    }
}

/* Has every receive queue of the bus room for one more? */
static int vb_has_room(const vb_bus *bus)
{
    const vb_handle *h;
    for (h = bus->handles; h != NULL; h = h->next)
        if (h->fifo_count == h->fifo_size)
            return 0;
    return 1;
}

static void vb_land_replayed(vb_bus *bus)
{
    vb_deliver(bus, &bus->source.head.frame, NULL);
    vs_next(&bus->source);
}

/* Brings the bus up to its clock. Replayed frames arrive when the log says; they had their bus
 * time when they were recorded. */
static void vb_settle(vb_bus *bus)
{
    const uint64_t now = vb_ticks(bus, vb_now_ns(bus));
    if (bus->bitwise != NULL) {
        vb_settle_bits(bus, now);
        return;
    }
    for (;;) {
        const uint64_t replay = bus->source.replay != NULL && !vs_floods(&bus->source) ? bus->source.head.ready
                                                                                       : VS_NEVER;
        if (bus->flight_end == VS_NEVER)
            vb_start(bus, now);
        if (replay <= now && replay <= bus->flight_end)
            vb_land_replayed(bus);
        else if (bus->flight_end <= now)
            vb_land(bus);
        else
            break;
    }
    if (vs_floods(&bus->source) && bus->source.head.ready != VS_NEVER && vb_has_room(bus)) {
        do
            vb_land_replayed(bus);
        while (bus->source.head.ready != VS_NEVER && vb_has_room(bus));
        if (bus->waiters != 0)
            cf_cond_broadcast(&bus->changed);
    }
}

/* The tick at which the next frame can arrive, or VS_NEVER. */
static uint64_t vb_next_arrival(vb_bus *bus)
{
    uint64_t at = bus->flight_end;
    if (bus->bitwise != NULL)
        return vb_next_look(bus);
    if (at == VS_NEVER) {
        vb_handle *sender;
        uint64_t start;
        const vs_pending *next = vb_pick(bus, &sender, &start);
        if (next != NULL)
            at = start + next->ticks;
    }
    if (bus->source.replay != NULL && !vs_floods(&bus->source) && bus->source.head.ready < at)
        at = bus->source.head.ready;
    return at;
}

/* The tick after the next frame's start, when a transmit queue may have room again. */
static uint64_t vb_next_start(vb_bus *bus)
{
    vb_handle *sender;
    uint64_t start;
    if (bus->bitwise != NULL)
        return vb_next_look(bus);
    return vb_pick(bus, &sender, &start) != NULL ? start + 1 : VS_NEVER;
}

/* Waits, at most until `deadline_ns`, for tick `at` of the bus or for a change. */
static void vb_wait(vb_handle *h, cf_mutex *lock, uint64_t at, uint64_t deadline_ns)
{
    vb_bus *bus = h->bus;
    uint64_t wake = deadline_ns;
    if (at != VS_NEVER && !bus->config.step && vb_deadline_ns(bus, at) < wake)
        wake = vb_deadline_ns(bus, at);
    h->waiters++;
    bus->waiters++;
    if (wake == VS_NEVER)
        cf_cond_wait(&bus->changed, lock);
    else
        cf_cond_wait_until(&bus->changed, lock, wake);
    h->waiters--;
    bus->waiters--;
    if (h->closed && h->waiters == 0)
        cf_cond_broadcast(&bus->changed); /* vh_detach waits for this */
}

#endif
