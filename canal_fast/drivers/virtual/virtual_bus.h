/* virtual_bus.h - the virtual bus: its time line, its handles, who sends next and who gets it.
 *
 * Nothing happens by itself: vb_settle brings a bus up to a moment. Frames that wait when the bus
 * becomes free arbitrate; the winner takes its exact stuffed length and reaches the receive
 * queues at the end of its last EOF bit; three bits later the bus is free again. A frame that
 * is alone on the bus counts as acknowledged. Every function needs the driver's lock.
 */
#ifndef VIRTUAL_BUS_H
#define VIRTUAL_BUS_H

#include "../../../include/canal_fast/system/thread.h"

#include "../../../include/canal_fast/canal.h"
#include "virtual_source.h"

typedef struct vb_handle vb_handle;
typedef struct vb_bus vb_bus;

struct vb_handle {
    vb_handle *next;
    vb_bus *bus;
    unsigned long flags; /* CF_OPEN_... */
    long number;
    char *fifo;             /* what was received */
    uint32_t record;        /* bytes of one: of a cf_frame, or a cf_fd_frame when opened with CF_OPEN_FD */
    unsigned long unfit;    /* CAN FD frames that passed a classical handle; they are in the overruns, too */
    uint32_t fifo_head, fifo_count, fifo_size;
    vs_pending *queue; /* what is to be sent */
    uint32_t queue_head, queue_count, queue_size;
    unsigned waiters; /* threads inside a blocking call */
    int closed;
    cf_canal_statistics statistics;
};

struct vb_bus {
    vb_bus *next;
    vc_config config;
    vs_source source;
    cf_cond changed; /* something happened that no clock announces */
    vb_handle *handles;
    unsigned waiters;
    uint64_t origin_ns, step_ns;
    uint64_t free_at; /* tick from which on a frame may start */
    vs_pending flight; /* on the wire while flight_end != VS_NEVER */
    uint64_t flight_end;
    vb_handle *flight_sender; /* NULL: the source, or a handle that was closed */
    int flight_generated;
    unsigned tec, rec;
    unsigned long bus_warnings, bus_off;
};

typedef struct vb_state {
    unsigned tec, rec; /* from either of these on */
    unsigned long bit; /* of channel_status */
    uint8_t code;      /* of a status message */
} vb_state;

/* What the error counters mean. */
static const vb_state *vb_error_state(unsigned tec, unsigned rec)
{
    static const vb_state states[] = {{256, 256, 0x80000000UL, 4},
                                      {128, 128, 0x40000000UL, 3},
                                      {96, 96, 0x20000000UL, 2},
                                      {0, 0, CF_CANAL_ACTIVE, 0}};
    const vb_state *state = states;
    while (tec < state->tec && rec < state->rec)
        state++;
    return state;
}

static int vb_is_off(const vb_bus *bus)
{
    return bus->tec >= 256;
}

static uint64_t vb_now_ns(const vb_bus *bus)
{
    return bus->config.step ? bus->step_ns : cf_monotonic_ns() - bus->origin_ns;
}

static uint64_t vb_ticks(const vb_bus *bus, uint64_t ns)
{
    return vs_scale(ns, CF_NS_PER_S, bus->config.ticks);
}

/* First moment on the monotonic clock at which so many ticks are over. */
static uint64_t vb_deadline_ns(const vb_bus *bus, uint64_t ticks)
{
    return bus->origin_ns + vs_scale(ticks, bus->config.ticks, CF_NS_PER_S) + 1;
}

static int64_t vb_stamp(const vb_bus *bus, uint64_t ticks)
{
    return (int64_t)((vs_scale(ticks, bus->config.ticks, 1000000) + bus->config.t0) & UINT32_MAX);
}

static void vb_push(vb_handle *h, const cf_fd_frame *frame, unsigned more_flags)
{
    cf_frame_head *slot;
    uint32_t at = h->fifo_head + h->fifo_count;
    const int unfit = (frame->flags & CF_FLAG_FD) && h->record < sizeof *frame;
    if (unfit || h->fifo_count == h->fifo_size) {
        h->unfit += unfit;
        h->statistics.overruns++;
        return;
    }
    slot = (cf_frame_head *)(h->fifo + (size_t)(at < h->fifo_size ? at : at - h->fifo_size) * h->record);
    if (h->record == sizeof(cf_frame))
        memcpy(slot, frame, sizeof(cf_frame));
    else
        memcpy(slot, frame, sizeof *frame);
    slot->flags |= (uint16_t)more_flags;
    h->fifo_count++;
    h->statistics.rx_frames++;
    h->statistics.rx_data += cf_payload_length(frame->flags, frame->dlc);
}

/* The error state to everyone who asked for such messages. */
static void vb_push_status(vb_bus *bus, int64_t stamp)
{
    cf_fd_frame message;
    vb_handle *h;
    memset(&message, 0, sizeof message);
    message.timestamp_ns = stamp;
    message.flags = CF_FLAG_STATUS;
    message.dlc = 4;
    message.data[0] = vb_error_state(bus->tec, bus->rec)->code;
    message.data[1] = (uint8_t)(bus->rec < 127 ? bus->rec : 127);
    message.data[2] = (uint8_t)(bus->tec < 255 ? bus->tec : 255);
    for (h = bus->handles; h != NULL; h = h->next)
        if (h->flags & CF_OPEN_STATUS_FRAMES)
            vb_push(h, &message, 0);
}

/* To every handle but the sender, and to that one when it listens to itself. */
static void vb_deliver(vb_bus *bus, const cf_fd_frame *frame, vb_handle *sender)
{
    vb_handle *h;
    for (h = bus->handles; h != NULL; h = h->next)
        if (h != sender)
            vb_push(h, frame, 0);
        else if (h->flags & CF_OPEN_LOOPBACK)
            vb_push(h, frame, CF_FLAG_TX);
}

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
    for (h = vb_is_off(bus) ? NULL : bus->handles; h != NULL; h = h->next) {
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
