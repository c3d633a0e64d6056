/* canal_fast/simulation/edge_run.h - a bus whose nodes have clocks of their own, through time.
 *
 *   cf_edge_bus e;                           some 200 kbyte, any memory
 *   cf_edge_begin(&e, &bus, 2000000000)      where the bus stands; then clocks[i] by cf_edge_clock_init, delays
 *   cf_edge_connect(&e)                      again after a change of delays or faults
 *   cf_edge_run(&e, until_fs)                up to INT64_MAX / 2
 */
#ifndef CANAL_FAST_SIMULATION_EDGE_RUN_H
#define CANAL_FAST_SIMULATION_EDGE_RUN_H

#include "edge_fault.h"

/* Takes over a bus that stands before bit bus->bit at the time `now`. Needs any memory. */
CF_INLINE void cf_edge_begin(cf_edge_bus *e, cf_bus *bus, int64_t bit_fs, int64_t now)
{
    memset(e, 0, sizeof *e);
    e->bus = bus;
    e->bit_fs = bit_fs;
    e->now = e->zero = now;
    e->zero_bit = bus->bit;
    e->bit_end = now + bit_fs;
    e->fault_due = now;
    bus->starts.apart = CF_EDGE_APART;
}

/* Level of the bit before the coming one, as a node in a frame remembers it. */
CF_INLINE unsigned cf_edge_last_level(const cf_bus *b)
{
    unsigned i;
    for (i = 0; i < b->count; i++)
        if (b->nodes[i].region != CF_REGION_REST || b->nodes[i].fast)
            return (unsigned)b->nodes[i].raw & 1;
    return 1;
}

/* Sorts receivers by their delays and puts the nodes in order. */
CF_INLINE void cf_edge_connect(cf_edge_bus *e)
{
    const unsigned count = e->bus->count;
    unsigned i, k;
    e->head = 0;
    for (i = 0; i < count; i++) {
        uint8_t *nearest = e->nearest[i];
        for (k = 0; k < count; k++) {
            unsigned at = k;
            for (; at > 0 && e->delays[i][nearest[at - 1]] > e->delays[i][k]; at--)
                nearest[at] = nearest[at - 1];
            nearest[at] = (uint8_t)k;
        }
        cf_edge_insert(e, i, i, cf_edge_due(&e->clocks[i]));
    }
    cf_bus_connect(e->bus);
}

/* Before a run: idle nodes take the requests that were added, and nodes that are watched begin their bits visibly. */
CF_INLINE void cf_edge_wake(cf_edge_bus *e)
{
    cf_bus *b = e->bus;
    unsigned i;
    for (i = 0; i < b->count; i++) {
        cf_edge_clock *c = &e->clocks[i];
        cf_node *n = &b->nodes[i];
        const int64_t start = cf_sync_bit_start(&c->sync, &c->rate->sync);
        if (start < e->now)
            continue;
        if (n->field == CF_BUS_PLACE_IDLE)
            cf_node_rest(n, e->zero_bit + (start - e->zero) / e->bit_fs);
        if (c->drive_at == CF_EDGE_NEVER && (n->drive != c->out || e->watched)) {
            c->drive_at = start > c->quantum_end ? start : c->quantum_end;
            cf_edge_move(e, i);
        }
    }
}

/* Node `i` acts at `now`. */
CF_INLINE void cf_edge_act(cf_edge_bus *e, unsigned i, int64_t now)
{
    cf_bus *b = e->bus;
    cf_edge_clock *c = &e->clocks[i];
    cf_node *n = &b->nodes[i];
    if (c->drive_at == now) {
        const unsigned before = c->out;
        cf_edge_begin_bit(c, n, now);
        if (CF_UNLIKELY(e->acting)) {
            const unsigned tx = cf_bus_disturb(b, (int)i, CF_FAULT_DRIVEN, c->out);
            if (tx != c->tx)
                cf_edge_send(e, i, tx, now);
        } else if (before != c->out) {
            cf_edge_send(e, i, c->out, now);
        }
        if (CF_UNLIKELY(e->watched))
            cf_edge_watch_bit(e, i, now);
    } else if (c->check_at == now) {
        cf_edge_check(c);
        cf_edge_note(e, now, i, CF_EDGE_CHECKED, c->rx, 0);
    } else {
        unsigned field = 0, index, level;
        if (e->tape != NULL)
            field = cf_node_place(n, &field, &index) ? field | 0x80 : field;
        while (now >= e->bit_end) {
            b->bit++;
            e->bit_end += e->bit_fs;
        }
        if (b->sink != NULL) { /* time stamps are ends of bits */
            b->sink->bit = b->bit;
            b->sink->stamped_bit = b->bit + 1;
            b->sink->stamp_ns = (now + c->rate->sync.bit - c->rate->sync.sample) / 1000000;
        }
        level = cf_edge_sample(c, n, b->bit, e->watched != 0);
        if (e->bits != NULL && i == e->bits_node)
            e->bits[e->bit_count++] = (uint8_t)level;
        cf_edge_note(e, now, i, CF_EDGE_SAMPLED, level, field);
    }
}

/* May the records of the next act find no room? */
CF_INLINE int cf_edge_full(const cf_edge_bus *e)
{
    return (e->bus->sink != NULL && cf_bus_sink_full(e->bus)) || (e->bits != NULL && e->bit_count == e->bit_room) ||
           (e->tape != NULL && e->tape_room - e->tape_count < 4u * e->bus->count + 4);
}

/* Runs to the time `until`. CF_BUS_NEEDS_ROOM: empty sink and tape and call again. */
CF_INLINE cf_bus_end cf_edge_run(cf_edge_bus *e, int64_t until)
{
    const unsigned count = e->bus->count;
    const int recorded = e->bus->sink != NULL || e->tape != NULL || e->bits != NULL;
    if (e->fault_due <= e->now)
        cf_edge_fault_turn(e, e->now);
    cf_edge_wake(e);
    for (;;) {
        const cf_edge_turn turn = e->turns[e->head % CF_BUS_NODES_MAX];
        const int64_t wave = e->wave_count ? e->waves[0].next : CF_EDGE_NEVER;
        const int64_t other = wave < e->fault_due ? wave : e->fault_due;
        const int64_t now = turn.due <= other ? turn.due : other;
        if (now >= until)
            break;
        if (recorded && CF_UNLIKELY(cf_edge_full(e)))
            return CF_BUS_NEEDS_ROOM;
        if (turn.due <= other) { /* at one time, nodes look first, then levels change */
            cf_edge_act(e, turn.node, now);
            e->head++;
            cf_edge_insert(e, count - 1, turn.node, cf_edge_due(&e->clocks[turn.node]));
        } else if (wave <= e->fault_due) {
            cf_edge_arrive(e);
        } else {
            cf_edge_fault_turn(e, now);
        }
        e->now = now;
    }
    e->now = until;
    while (until >= e->bit_end) {
        e->bus->bit++;
        e->bit_end += e->bit_fs;
    }
    return CF_BUS_DONE;
}

#endif
