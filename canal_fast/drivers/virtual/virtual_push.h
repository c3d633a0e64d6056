/* virtual_push.h - a virtual bus and its handles: their state, and what comes into a handle's receive queue.
 *
 * Every function needs the driver's lock.
 */
#ifndef VIRTUAL_PUSH_H
#define VIRTUAL_PUSH_H

#include "../../../include/canal_fast/system/thread.h"

#include "../../../include/canal_fast/canal.h"
#include "virtual_nodes.h"
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
    int errors;        /* ERROR_FRAME records are wanted */
    unsigned node;     /* bit by bit: its number on the bus */
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
    vn_nodes *bitwise; /* the nodes of a bus simulated bit by bit; NULL: frame by frame */
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

/* The error counters of the handle: its node's, or the bus's where frames go at once. TEC 256: off. */
static void vb_counters(const vb_handle *h, unsigned *tec, unsigned *rec)
{
    const cf_node *node = h->bus->bitwise != NULL ? &h->bus->bitwise->nodes[h->node] : NULL;
    *tec = node == NULL ? h->bus->tec : cf_node_is_off(node) ? 256 : node->counters.tec;
    *rec = node == NULL ? h->bus->rec : node->counters.rec;
}

static int vb_is_off(const vb_handle *h)
{
    unsigned tec, rec;
    vb_counters(h, &tec, &rec);
    return tec >= 256;
}

/* Frames that the handle has to send. */
static uint32_t vb_queued(const vb_handle *h)
{
    return h->bus->bitwise != NULL ? h->bus->bitwise->nodes[h->node].queue.used : h->queue_count;
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

#endif
