/* canal_fast/simulation/bus.h - several nodes on one wire, bit by bit: the wired AND of what they drive.
 *
 * All share an ideal clock: a bit at the data rate is one as long as every node takes it for one. Where not all do, the
 * run ends with CF_BUS_NEEDS_EDGES.
 *
 *   cf_bus bus; cf_node nodes[2];
 *   cf_bus_init(&bus, nodes, 2, 500000, 0);           nodes by cf_node_init, their queues by cf_bus_queue_init
 *   cf_bus_queue_add(&nodes[0].queue, &frame, 0, 0);
 *   while (cf_bus_run(&bus, 10000) == CF_BUS_NEEDS_ROOM) ...empty the sink...
 */
#ifndef CANAL_FAST_SIMULATION_BUS_H
#define CANAL_FAST_SIMULATION_BUS_H

#include "fault.h"
#include "node_step.h"

typedef enum cf_bus_end {
    CF_BUS_DONE = 0,
    CF_BUS_NEEDS_ROOM = 1, /* the sink or the recorder of bits is full */
    CF_BUS_NEEDS_EDGES = 2 /* a bit at the data rate that not all nodes take for one */
} cf_bus_end;

enum { CF_BUS_NODES_MAX = 64 };

typedef struct cf_bus {
    cf_node *nodes;
    unsigned count;
    unsigned flexible;          /* nodes that may switch to another bit rate */
    uint32_t bitrate, data_bitrate;
    int64_t bit;                /* the next to run */
    int64_t data_bits;          /* of those before it, at the data rate */
    cf_starts starts;
    cf_fault *faults;           /* the caller's */
    size_t fault_count;
    int64_t next_fault;         /* bit of the first CF_WHEN_BIT fault that has not begun */
    unsigned watched;           /* faults that wait for a field or a time, or act */
    unsigned whole_frames;      /* 1: frames go at once where nothing disturbs (bus_frames.h) */
    cf_sink *sink;              /* NULL: no events, no frames */
    uint8_t *bits;              /* level of bit bits_from + i, or NULL */
    uint64_t *driven;           /* nodes that drive dominant in that bit as a mask, node 0 lowest; or NULL */
    uint8_t *places;            /* with driven: each node's cf_bus_place, 0x80 more in a stuff bit; or NULL */
    int64_t bits_from, bits_room;
} cf_bus;

CF_INLINE void cf_bus_init(cf_bus *b, cf_node *nodes, unsigned count, uint32_t bitrate, uint32_t data_bitrate)
{
    memset(b, 0, sizeof *b);
    b->nodes = nodes;
    b->count = count;
    b->bitrate = bitrate;
    b->data_bitrate = data_bitrate ? data_bitrate : bitrate;
    b->next_fault = CF_BUS_QUEUE_NEVER;
    b->starts.bit = -1000;
}

/* Gives the nodes what belongs to the bus; to be called when nodes, their memory or the sink have changed. */
CF_INLINE void cf_bus_connect(cf_bus *b)
{
    unsigned i;
    b->flexible = 0;
    if (b->sink != NULL) {
        b->sink->bitrate = b->bitrate;
        b->sink->data_bitrate = b->data_bitrate;
    }
    for (i = 0; i < b->count; i++) {
        b->nodes[i].starts = &b->starts;
        b->nodes[i].sink = b->sink;
        b->flexible += b->nodes[i].options.fd == CF_FD_ENABLED && b->data_bitrate != b->bitrate;
    }
}

/* Nanoseconds from the beginning to where `bit` begins, of which `data_bits` before it were at the data rate. */
CF_INLINE int64_t cf_bus_ns(const cf_bus *b, int64_t bit, int64_t data_bits)
{
    return cf_bits_ns(bit - data_bits, b->bitrate) + cf_bits_ns(data_bits, b->data_bitrate);
}

/* To be called when the faults have changed. */
CF_INLINE void cf_bus_watch(cf_bus *b)
{
    size_t i;
    b->watched = 0;
    b->next_fault = CF_BUS_QUEUE_NEVER;
    for (i = 0; i < b->fault_count; i++) {
        const cf_fault *f = &b->faults[i];
        if (f->active || (f->times && f->when != CF_WHEN_BIT))
            b->watched++;
        else if (f->times && f->at < b->next_fault)
            b->next_fault = f->at;
    }
}

/* Begins the faults whose bit this is. */
CF_INLINE void cf_bus_begin_faults(cf_bus *b)
{
    const int64_t end_ns = cf_bus_ns(b, b->bit + 1, b->data_bits);
    size_t i;
    for (i = 0; i < b->fault_count; i++) {
        cf_fault *f = &b->faults[i];
        int begins = 0;
        if (f->active || f->times == 0)
            continue;
        if (f->when == CF_WHEN_BIT) {
            begins = f->at <= b->bit;
        } else if (f->when == CF_WHEN_TIME) {
            begins = f->at < end_ns;
        } else if (f->node >= 0) {
            begins = cf_fault_matches(f, &b->nodes[f->node], b->starts.frames);
        } else {
            unsigned k;
            for (k = 0; k < b->count && !begins; k++)
                begins = cf_fault_matches(f, &b->nodes[k], b->starts.frames);
        }
        if (begins) {
            f->active = 1;
            f->position = 0;
            f->fired++;
            f->times -= f->times != CF_FAULT_ALWAYS;
        }
    }
}

/* What the active faults on this side of `node` (CF_FAULT_ALL: of nobody in particular) make of a level. */
CF_INLINE unsigned cf_bus_disturb(const cf_bus *b, int node, cf_fault_side side, unsigned level)
{
    size_t i;
    for (i = 0; i < b->fault_count; i++)
        if (b->faults[i].active && b->faults[i].node == node && b->faults[i].side == (uint8_t)side)
            level = cf_fault_apply(&b->faults[i], level);
    return level;
}

/* The level of the coming bit, and the nodes that drive dominant as a mask. */
CF_INLINE unsigned cf_bus_level(const cf_bus *b, uint64_t *dominant)
{
    unsigned level = 1, i;
    uint64_t mask = 0;
    for (i = 0; i < b->count; i++) {
        level &= b->nodes[i].drive;
        mask |= (uint64_t)!b->nodes[i].drive << i;
    }
    *dominant = mask;
    return level;
}

CF_INLINE void cf_bus_note_places(cf_bus *b)
{
    uint8_t *to = b->places + (size_t)(b->bit - b->bits_from) * b->count;
    unsigned i, field, index;
    for (i = 0; i < b->count; i++) {
        const unsigned stuff = cf_node_place(&b->nodes[i], &field, &index);
        to[i] = (uint8_t)(field | (stuff ? 0x80 : 0));
    }
}

/* Before a bit's samples: what it is, for the records. */
CF_INLINE void cf_bus_note(cf_bus *b, unsigned level, uint64_t dominant, unsigned fast)
{
    if (b->sink != NULL) {
        b->sink->bit = b->bit;
        b->sink->data_bits = b->data_bits + fast;
    }
    if (b->bits != NULL)
        b->bits[b->bit - b->bits_from] = (uint8_t)level;
    if (b->driven != NULL)
        b->driven[b->bit - b->bits_from] = dominant;
    if (b->places != NULL)
        cf_bus_note_places(b);
}

/* One bit while faults wait or act. */
CF_INLINE void cf_bus_disturbed_bit(cf_bus *b, unsigned fast)
{
    unsigned level = 1, i;
    uint64_t dominant = 0;
    size_t k;
    cf_bus_begin_faults(b);
    for (i = 0; i < b->count; i++) {
        const unsigned drive = cf_bus_disturb(b, (int)i, CF_FAULT_DRIVEN, b->nodes[i].drive);
        level &= drive;
        dominant |= (uint64_t)!drive << i;
    }
    level = cf_bus_disturb(b, CF_FAULT_ALL, CF_FAULT_SEEN, level);
    cf_bus_note(b, level, dominant, fast);
    for (i = 0; i < b->count; i++)
        cf_node_step(&b->nodes[i], cf_bus_disturb(b, (int)i, CF_FAULT_SEEN, level), b->bit);
    for (k = 0; k < b->fault_count; k++) {
        cf_fault *f = &b->faults[k];
        if (f->active && ++f->position >= f->length)
            f->active = 0;
    }
    cf_bus_watch(b);
}

/* Is the coming bit at the data rate? 0 or 1; 2 when the nodes differ. */
CF_INLINE unsigned cf_bus_fast(const cf_bus *b)
{
    unsigned any = 0, all = 1, i;
    if (!b->flexible)
        return 0;
    for (i = 0; i < b->count; i++) {
        any |= b->nodes[i].fast;
        all &= b->nodes[i].fast;
    }
    return any == all ? any : 2;
}

/* May the events of the coming bit find no room? */
CF_INLINE int cf_bus_sink_full(const cf_bus *b)
{
    const cf_sink *s = b->sink;
    const size_t most = (size_t)b->count * CF_BUS_EVENTS_A_BIT;
    return (s->event_room && s->event_room - s->event_count < most) ||
           (s->frame_room && s->frame_room - s->frame_count < most);
}

/* The bit at which the recorder of bits is full. */
CF_INLINE int64_t cf_bus_bits_end(const cf_bus *b)
{
    return b->bits != NULL || b->driven != NULL ? b->bits_from + b->bits_room : CF_BUS_QUEUE_NEVER;
}

#endif
