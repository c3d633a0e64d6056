/* canal_fast/simulation/bus_run.h - a bus through many bits. */
#ifndef CANAL_FAST_SIMULATION_BUS_RUN_H
#define CANAL_FAST_SIMULATION_BUS_RUN_H

#include "bus_frames.h"

/* Bits in which no fault begins or acts, up to `until`. `recorded` and `flexible` are constants where it is called. */
CF_ALWAYS_INLINE cf_bus_end cf_bus_clean_bits(cf_bus *b, int64_t until, int recorded, int flexible)
{
    cf_node *const nodes = b->nodes;
    const unsigned count = b->count;
    int64_t bit = b->bit;
    for (; bit < until; bit++) {
        unsigned level = 1, any = 0, all = 1, i;
        for (i = 0; i < count; i++) {
            level &= nodes[i].drive;
            if (flexible) {
                any |= nodes[i].fast;
                all &= nodes[i].fast;
            }
        }
        b->bit = bit;
        if (nodes[0].field <= CF_BUS_PLACE_SOF && b->whole_frames &&
            (level ? cf_bus_skip_idle(b, until) : cf_bus_whole_frame(b, until))) {
            bit = b->bit - 1;
            continue;
        }
        if (flexible && CF_UNLIKELY(any)) {
            if (!all)
                return CF_BUS_NEEDS_EDGES;
        }
        if (recorded) {
            uint64_t dominant = 0;
            if (b->sink != NULL && CF_UNLIKELY(cf_bus_sink_full(b)))
                return CF_BUS_NEEDS_ROOM;
            if (b->driven != NULL)
                cf_bus_level(b, &dominant);
            cf_bus_note(b, level, dominant, any);
        }
        b->data_bits += flexible ? any : 0;
        for (i = 0; i < count; i++)
            cf_node_step(&nodes[i], level, bit);
    }
    b->bit = bit;
    return CF_BUS_DONE;
}

/* Each a function of its own: as part of one, or as one that asks in each bit, they are a third slower. */
CF_NEVER_INLINE cf_bus_end cf_bus_recorded_bits(cf_bus *b, int64_t until)
{
    return cf_bus_clean_bits(b, until, 1, 0);
}

CF_NEVER_INLINE cf_bus_end cf_bus_recorded_flexible_bits(cf_bus *b, int64_t until)
{
    return cf_bus_clean_bits(b, until, 1, 1);
}

/* Idle nodes take the requests that were added for bits up to the next. */
CF_INLINE void cf_bus_wake(cf_bus *b)
{
    unsigned i;
    for (i = 0; i < b->count; i++)
        if (b->nodes[i].field == CF_BUS_PLACE_IDLE)
            cf_node_rest(&b->nodes[i], b->bit);
}

/* Runs until bit `until` is the next. CF_BUS_NEEDS_ROOM: empty the sink (or give the recorder of bits another piece)
 * and call again. CF_BUS_NEEDS_EDGES: the bit b->bit was not run. */
CF_INLINE cf_bus_end cf_bus_run(cf_bus *b, int64_t until)
{
    const int recorded = b->sink != NULL || b->bits != NULL || b->driven != NULL;
    const int64_t full = cf_bus_bits_end(b);
    cf_bus_end end = CF_BUS_DONE;
    cf_bus_wake(b);
    while (b->bit < until && end == CF_BUS_DONE) {
        if (b->bit >= full)
            return CF_BUS_NEEDS_ROOM;
        if (b->watched || b->next_fault <= b->bit) {
            const unsigned fast = cf_bus_fast(b);
            if (fast == 2)
                return CF_BUS_NEEDS_EDGES;
            if (b->sink != NULL && cf_bus_sink_full(b))
                return CF_BUS_NEEDS_ROOM;
            cf_bus_disturbed_bit(b, fast);
            b->data_bits += fast;
            b->bit++;
        } else {
            const int64_t last = until < full ? until : full;
            const int64_t stop = last < b->next_fault ? last : b->next_fault;
            if (recorded)
                end = b->flexible ? cf_bus_recorded_flexible_bits(b, stop) : cf_bus_recorded_bits(b, stop);
            else
                end = b->flexible ? cf_bus_clean_bits(b, stop, 0, 1) : cf_bus_clean_bits(b, stop, 0, 0);
        }
    }
    return end;
}

#endif
