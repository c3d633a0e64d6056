/* canal_fast/simulation/edge_bus.h - several nodes on one wire, each with its own clock: who acts next, and how what
 * nodes drive reaches the others.
 */
#ifndef CANAL_FAST_SIMULATION_EDGE_BUS_H
#define CANAL_FAST_SIMULATION_EDGE_BUS_H

#include "bus.h"
#include "edge_clock.h"

enum { CF_EDGE_WAVES = 4096, CF_EDGE_APART = 3 /* bits between the SOFs of two frames, at least */ };

typedef enum cf_edge_kind {
    CF_EDGE_DRIVEN = 0, /* the node's transceiver sends `level` from here on */
    CF_EDGE_SEEN = 1,   /* the level at the node is `level` from here on */
    CF_EDGE_SAMPLED = 2, /* the node's sample point of a bit that belongs to `field` */
    CF_EDGE_CHECKED = 3  /* its secondary sample point */
} cf_edge_kind;

/* clang-format off */
/* X(C type, numpy format, name) */
#define CF_EDGE_MEMBERS(X)                                                \
    X(int64_t, "i8", time_fs) /* since the bus began */                   \
    X(uint8_t, "u1", node)    /* its number */                            \
    X(uint8_t, "u1", kind)    /* cf_edge_kind */                          \
    X(uint8_t, "u1", level)   /* 0 dominant, 1 recessive */               \
    X(uint8_t, "u1", field)   /* cf_bus_place of the bit, 0x80 more in a stuff bit */
/* clang-format on */

typedef struct cf_edge {
    CF_EDGE_MEMBERS(CF_RECORD_MEMBER)
} cf_edge;

CF_RECORD_FIELDS(cf_edge_field, cf_edge, CF_EDGE_MEMBERS)

/* A change of what a node's transceiver sends, on its way to the others, the nearest first. */
typedef struct cf_edge_wave {
    int64_t next; /* when it reaches the next of them */
    int64_t sent;
    uint8_t sender, level, reached;
} cf_edge_wave;

typedef struct cf_edge_turn {
    int64_t due;
    uint32_t node;
} cf_edge_turn;

/* A fault on the time line. */
typedef struct cf_edge_plan {
    int64_t begin, end; /* CF_EDGE_NEVER: begin: waits; end: with its node's bit */
    int16_t anchor;     /* the node whose bits it counts, or -1 */
} cf_edge_plan;

typedef struct cf_edge_bus {
    cf_bus *bus;        /* nodes, faults, sink; its `bit` goes on in nominal bit times */
    int64_t bit_fs;     /* a nominal bit */
    int64_t now;        /* everything before has happened */
    int64_t bit_end;    /* of bus->bit */
    int64_t zero, zero_bit; /* a time and the bit that began there */
    int64_t fault_due;  /* when faults begin, change or end next */
    unsigned acting;    /* faults that do */
    unsigned watched;   /* faults that wait for a field, or count a node's bits */
    cf_edge_plan *plans; /* the caller's, one for each of bus->faults */
    cf_edge *tape;      /* NULL: nothing is recorded */
    size_t tape_count, tape_room;
    uint8_t *bits;      /* levels that node `bits_node` samples, or NULL */
    size_t bit_count, bit_room;
    unsigned bits_node;
    uint64_t lost;      /* changes of level that found no room on the wire */
    unsigned head;
    unsigned wave_count;
    cf_edge_turn turns[CF_BUS_NODES_MAX]; /* a ring, by time, then by number */
    cf_edge_clock clocks[CF_BUS_NODES_MAX];
    int64_t delays[CF_BUS_NODES_MAX][CF_BUS_NODES_MAX]; /* from sender to receiver, fs */
    uint8_t nearest[CF_BUS_NODES_MAX][CF_BUS_NODES_MAX]; /* of each sender: the receivers by delay */
    cf_edge_wave waves[CF_EDGE_WAVES]; /* a heap by `next` */
} cf_edge_bus;

CF_INLINE void cf_edge_note(cf_edge_bus *e, int64_t at, unsigned node, cf_edge_kind kind, unsigned level,
                            unsigned field)
{
    cf_edge *r;
    if (e->tape == NULL)
        return;
    if (e->tape_count == e->tape_room) {
        e->lost++;
        return;
    }
    r = &e->tape[e->tape_count++];
    r->time_fs = at;
    r->node = (uint8_t)node;
    r->kind = (uint8_t)kind;
    r->level = (uint8_t)level;
    r->field = (uint8_t)field;
}

/* Puts a node in its place among `count` whose turns stand already. */
CF_INLINE void cf_edge_insert(cf_edge_bus *e, unsigned count, unsigned node, int64_t due)
{
    unsigned at = e->head + count;
    while (at != e->head) {
        const cf_edge_turn before = e->turns[(at - 1) % CF_BUS_NODES_MAX];
        if (before.due < due || (before.due == due && before.node < node))
            break;
        e->turns[at-- % CF_BUS_NODES_MAX] = before;
    }
    e->turns[at % CF_BUS_NODES_MAX].due = due;
    e->turns[at % CF_BUS_NODES_MAX].node = node;
}

/* Another turn for a node that has one. */
CF_INLINE void cf_edge_move(cf_edge_bus *e, unsigned node)
{
    const unsigned end = e->head + e->bus->count;
    unsigned at = e->head;
    while (e->turns[at % CF_BUS_NODES_MAX].node != node)
        at++;
    for (; at + 1 != end; at++)
        e->turns[at % CF_BUS_NODES_MAX] = e->turns[(at + 1) % CF_BUS_NODES_MAX];
    cf_edge_insert(e, e->bus->count - 1, node, cf_edge_due(&e->clocks[node]));
}

/* Puts wave `at` of the heap in its place. */
CF_INLINE void cf_edge_sink_wave(cf_edge_bus *e, unsigned at)
{
    const cf_edge_wave w = e->waves[at];
    unsigned child;
    while ((child = 2 * at + 1) < e->wave_count) {
        child += child + 1 < e->wave_count && e->waves[child + 1].next < e->waves[child].next;
        if (e->waves[child].next >= w.next)
            break;
        e->waves[at] = e->waves[child];
        at = child;
    }
    e->waves[at] = w;
}

/* The transceiver of a node sends another level from `now` on. */
CF_INLINE void cf_edge_send(cf_edge_bus *e, unsigned sender, unsigned level, int64_t now)
{
    cf_edge_wave w;
    unsigned at = e->wave_count;
    e->clocks[sender].tx = (uint8_t)level;
    cf_edge_note(e, now, sender, CF_EDGE_DRIVEN, level, 0);
    if (at == CF_EDGE_WAVES) {
        e->lost++;
        return;
    }
    w.sent = now;
    w.next = now + e->delays[sender][e->nearest[sender][0]];
    w.sender = (uint8_t)sender;
    w.level = (uint8_t)level;
    w.reached = 0;
    for (; at > 0 && e->waves[(at - 1) / 2].next > w.next; at = (at - 1) / 2)
        e->waves[at] = e->waves[(at - 1) / 2];
    e->waves[at] = w;
    e->wave_count++;
}

/* The level on a node's line may be another one. */
CF_INLINE void cf_edge_line(cf_edge_bus *e, unsigned node, int64_t now)
{
    cf_edge_clock *c = &e->clocks[node];
    unsigned level = c->dominant == 0;
    if (CF_UNLIKELY(e->acting)) {
        level = cf_bus_disturb(e->bus, CF_FAULT_ALL, CF_FAULT_SEEN, level);
        level = cf_bus_disturb(e->bus, (int)node, CF_FAULT_SEEN, level);
    }
    if (level == c->rx)
        return;
    if (cf_edge_seen(c, &e->bus->nodes[node], now, level))
        cf_edge_move(e, node);
    cf_edge_note(e, now, node, CF_EDGE_SEEN, level, 0);
}

/* The first wave reaches the next nodes, as many as stand at one distance. */
CF_INLINE void cf_edge_arrive(cf_edge_bus *e)
{
    cf_edge_wave *w = &e->waves[0];
    const uint8_t *nearest = e->nearest[w->sender];
    const int64_t *delays = e->delays[w->sender];
    const int64_t now = w->next, distance = now - w->sent;
    const unsigned count = e->bus->count, level = w->level;
    unsigned k = w->reached;
    for (; k < count && delays[nearest[k]] == distance; k++) {
        cf_edge_clock *c = &e->clocks[nearest[k]];
        if (level ? --c->dominant == 0 : c->dominant++ == 0)
            cf_edge_line(e, nearest[k], now);
    }
    if (k == count) {
        *w = e->waves[--e->wave_count];
    } else {
        w->reached = (uint8_t)k;
        w->next = w->sent + delays[nearest[k]];
    }
    if (e->wave_count > 1)
        cf_edge_sink_wave(e, 0);
}

#endif
