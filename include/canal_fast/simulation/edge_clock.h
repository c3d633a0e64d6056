/* canal_fast/simulation/edge_clock.h - one controller's own time: quanta, sample points, synchronisation, and
 * transmitter delay compensation.
 *
 * ISO 11898-1:2015, 11.3. Times are femtoseconds since the bus began. A node acts at the ends of its time quanta only,
 * and sees there the level just before: an edge counts in the quantum in which it falls. What lies between is not
 * computed, since a node's quanta are known from its last sample point on.
 */
#ifndef CANAL_FAST_SIMULATION_EDGE_CLOCK_H
#define CANAL_FAST_SIMULATION_EDGE_CLOCK_H

#include "../bittiming/sync.h"
#include "node_step.h"

#define CF_EDGE_NEVER INT64_MAX

enum { CF_EDGE_UNCHECKED = 64 }; /* bits that wait for their secondary sample point */

/* A bit rate in quanta: sync (1), tseg1, sample, tseg2. */
typedef struct cf_edge_segments {
    int64_t quantum; /* fs */
    uint32_t tseg1, tseg2, sjw;
} cf_edge_segments;

typedef struct cf_edge_timing {
    cf_edge_segments nominal, data;
    int64_t clock;      /* period of the controller's clock, the minimum time quantum, fs */
    int32_t tdc_offset; /* of the secondary sample point, in clock periods; below 0: no delay compensation */
    uint8_t triple;     /* 1: majority of three samples */
} cf_edge_timing;

typedef struct cf_edge_rate {
    cf_sync_timing sync;
    int64_t quantum;
    double per_fs; /* quanta */
} cf_edge_rate;

typedef struct cf_edge_undo {
    int64_t quantum_end; /* of the quantum whose edge was synchronised to; a rising edge in it takes that back */
    int64_t sample, drive_at;
    uint16_t index;
} cf_edge_undo;

typedef struct cf_edge_clock {
    cf_sync sync;
    int64_t drive_at;    /* when the coming bit's level goes out; CF_EDGE_NEVER: it is the present one */
    int64_t check_at;    /* the next secondary sample point, or CF_EDGE_NEVER */
    const cf_edge_rate *rate;
    int64_t grid;        /* end of a quantum: the last sample point */
    int64_t quantum_end; /* of the quantum of the last change of the level */
    uint16_t dominant;   /* senders whose dominant level has arrived */
    uint8_t rx;          /* level at the node */
    uint8_t entry;       /* level at the end of the quantum before that of the last change */
    uint8_t out;         /* level that the node drives */
    uint8_t tx;          /* what its transceiver makes of it */
    uint8_t triple;
    uint8_t mismatch;    /* a bit was wrong at its secondary sample point */
    int32_t delay;       /* measured, in clock periods, while bits are compared at secondary sample points; or -1 */
    int32_t tdc_offset;
    int32_t measured;    /* the last delay measured, in clock periods, or -1 */
    int64_t clock;
    int64_t res_at;      /* when the own res bit went out, or -1 */
    int64_t res_back;    /* when it came back, or -1 */
    cf_edge_undo undo;
    uint32_t history;    /* triple sampling: levels at the ends of quanta, the last lowest */
    uint32_t check_from, check_to;
    int64_t history_at;
    cf_edge_rate rates[2]; /* nominal, data */
    uint64_t check_levels; /* as sent, a bit for each of `checks` */
    int64_t checks[CF_EDGE_UNCHECKED]; /* secondary sample points */
} cf_edge_clock;

CF_INLINE cf_edge_rate cf_edge_rate_of(cf_edge_segments s)
{
    cf_edge_rate r;
    r.quantum = s.quantum;
    r.per_fs = 1.0 / (double)s.quantum;
    r.sync.sample = (1 + (int64_t)s.tseg1) * s.quantum;
    r.sync.bit = r.sync.sample + (int64_t)s.tseg2 * s.quantum;
    r.sync.jump = (int64_t)s.sjw * s.quantum;
    return r;
}

/* The clock of a node that stands before a bit which begins at `now`; `level` is that of the bit before. */
CF_INLINE void cf_edge_clock_init(cf_edge_clock *c, cf_edge_timing timing, int64_t now, unsigned fast, unsigned level)
{
    memset(c, 0, sizeof *c);
    c->rates[0] = cf_edge_rate_of(timing.nominal);
    c->rates[1] = cf_edge_rate_of(timing.data);
    c->rate = &c->rates[fast];
    c->clock = timing.clock;
    c->tdc_offset = timing.tdc_offset;
    c->triple = timing.triple;
    c->sync.sample = now + c->rate->sync.sample;
    c->sync.armed = level != 0;
    c->drive_at = now;
    c->check_at = CF_EDGE_NEVER;
    c->grid = c->quantum_end = c->history_at = now;
    c->rx = c->entry = (uint8_t)level;
    c->out = c->tx = 1;
    c->history = level ? 7 : 0;
    c->delay = c->measured = -1;
    c->res_at = c->res_back = -1;
    c->undo.quantum_end = -1;
}

/* When the node acts next. */
CF_INLINE int64_t cf_edge_due(const cf_edge_clock *c)
{
    const int64_t due = c->sync.sample < c->drive_at ? c->sync.sample : c->drive_at;
    return due < c->check_at ? due : c->check_at;
}

/* Begin of the quantum in which `at` is; that is at or behind the last sample point. */
CF_INLINE int64_t cf_edge_quantum_of(const cf_edge_clock *c, int64_t at)
{
    const int64_t quantum = c->rate->quantum;
    const int64_t begin = c->grid + (int64_t)((double)(at - c->grid) * c->rate->per_fs) * quantum;
    return begin > at ? begin - quantum : at - begin >= quantum ? begin + quantum : begin;
}

/* Does an edge before the coming sample restart the bit? `early`: it comes before that bit. */
CF_INLINE int cf_edge_is_hard(const cf_node *n, int early)
{
    if (n->field > CF_BUS_PLACE_SOF)
        return n->field == CF_BUS_PLACE_RES && n->fd && !n->transmitter;
    if (n->field == CF_BUS_PLACE_SOF)
        return early && n->transmitter;
    return n->field != CF_BUS_PLACE_INTERMISSION || n->index >= 2;
}

/* A falling edge in the quantum that begins at `quantum`. Returns 1 when the node's next act has moved. */
CF_INLINE int cf_edge_synchronise(cf_edge_clock *c, cf_node *n, int64_t quantum)
{
    const cf_sync_timing *t = &c->rate->sync;
    cf_edge_undo undo;
    int64_t start;
    undo.quantum_end = c->quantum_end;
    undo.sample = c->sync.sample;
    undo.drive_at = c->drive_at;
    undo.index = n->index;
    if (cf_edge_is_hard(n, quantum < cf_sync_bit_start(&c->sync, t))) {
        /* An FD-enabled node counts its recessive bits anew: fast data may look recessive at all sample points. */
        if (n->field == CF_BUS_PLACE_INTEGRATING && n->options.fd == CF_FD_ENABLED)
            n->index = 1;
        cf_sync_hard(&c->sync, t, quantum);
    } else {
        if (n->fast && n->transmitter)
            return 0;
        cf_sync_edge(&c->sync, t, quantum, !c->out);
        if (c->sync.armed)
            return 0;
    }
    c->undo = undo;
    if (c->sync.sample == undo.sample)
        return 0;
    if (c->drive_at != CF_EDGE_NEVER) { /* not before the end of the quantum in which the edge was seen */
        start = cf_sync_bit_start(&c->sync, t);
        c->drive_at = start > c->quantum_end ? start : c->quantum_end;
    }
    return 1;
}

CF_INLINE int cf_edge_take_back(cf_edge_clock *c, cf_node *n)
{
    const int64_t sample = c->sync.sample;
    c->sync.sample = c->undo.sample;
    c->sync.armed = 1;
    c->drive_at = c->undo.drive_at;
    n->index = c->undo.index;
    c->undo.quantum_end = -1;
    return c->sync.sample != sample;
}

/* Writes the levels at the ends of quanta up to `end`, which is such an end, into the history. */
CF_INLINE void cf_edge_remember(cf_edge_clock *c, int64_t end)
{
    const int64_t quanta = (end - c->history_at) / c->rates[0].quantum;
    const unsigned many = quanta < 3 ? (unsigned)quanta : 3;
    c->history = c->history << many | (c->rx ? (1u << many) - 1 : 0);
    c->history_at = end;
}

/* The level at the node becomes `level`, at a time `at` that is no end of a quantum still to be acted on. Returns 1
 * when the node's next act has moved. */
CF_INLINE int cf_edge_seen(cf_edge_clock *c, cf_node *n, int64_t at, unsigned level)
{
    if (at >= c->quantum_end) {
        const int64_t begin = cf_edge_quantum_of(c, at);
        if (c->triple)
            cf_edge_remember(c, begin);
        c->entry = c->rx;
        c->quantum_end = begin + c->rate->quantum;
    }
    c->rx = (uint8_t)level;
    if (CF_UNLIKELY(c->res_at >= 0)) {
        if (!level && c->res_back < 0)
            c->res_back = at;
        else if (level && c->res_back >= 0 && at < c->res_at + ((c->res_back - c->res_at) / c->clock + 1) * c->clock)
            c->res_back = -1; /* gone within the clock period */
    }
    if (!level)
        return c->entry && c->sync.armed ? cf_edge_synchronise(c, n, c->quantum_end - c->rate->quantum) : 0;
    return CF_UNLIKELY(c->undo.quantum_end == c->quantum_end) ? cf_edge_take_back(c, n) : 0;
}

/* The coming bit begins at `now`; its level goes out, with a secondary sample point where one is used. */
CF_INLINE void cf_edge_begin_bit(cf_edge_clock *c, const cf_node *n, int64_t now)
{
    c->drive_at = CF_EDGE_NEVER;
    c->out = n->drive;
    if (n->transmitter && n->field == CF_BUS_PLACE_RES) {
        c->res_at = now;
        c->res_back = c->rx ? -1 : now;
    }
    if (c->delay >= 0 && c->check_to - c->check_from < CF_EDGE_UNCHECKED) {
        const int64_t at = now + (c->delay + (int64_t)c->tdc_offset) * c->clock;
        const unsigned k = c->check_to++ % CF_EDGE_UNCHECKED;
        c->checks[k] = at;
        c->check_levels = (c->check_levels & ~(UINT64_C(1) << k)) | (uint64_t)c->out << k;
        if (c->check_at == CF_EDGE_NEVER)
            c->check_at = at;
    }
}

/* The next secondary sample point. */
CF_INLINE void cf_edge_check(cf_edge_clock *c)
{
    const unsigned sent = (unsigned)(c->check_levels >> (c->check_from++ % CF_EDGE_UNCHECKED)) & 1;
    c->mismatch |= (uint8_t)(sent ^ c->rx);
    c->check_at = c->check_from == c->check_to ? CF_EDGE_NEVER : c->checks[c->check_from % CF_EDGE_UNCHECKED];
}

/* From one bit rate to the other at the sample point `now`. */
CF_INLINE void cf_edge_switch(cf_edge_clock *c, const cf_node *n, int64_t now)
{
    c->delay = -1;
    c->check_from = c->check_to = 0;
    c->check_at = CF_EDGE_NEVER;
    if (n->fast && n->transmitter && c->tdc_offset >= 0 && c->res_at >= 0 && c->res_back >= 0) {
        const int64_t periods = (c->res_back - c->res_at) / c->clock;
        if (c->res_at + (periods + 1) * c->clock <= now)
            c->delay = c->measured = (int32_t)periods;
    }
    c->res_at = c->res_back = -1;
    c->rate = &c->rates[n->fast];
}

/* The sample point: the node takes the bit. Returns the level. `every`: the coming bit is to begin visibly even where
 * the level does not change. */
CF_INLINE unsigned cf_edge_sample(cf_edge_clock *c, cf_node *n, int64_t bit, int every)
{
    const int64_t now = c->sync.sample;
    const unsigned fast = n->fast;
    unsigned level = c->rx, taken;
    if (CF_UNLIKELY(c->triple)) {
        cf_edge_remember(c, now);
        level = (0xE8u >> (c->history & 7)) & 1; /* majority */
    }
    taken = level;
    if (CF_UNLIKELY(c->delay >= 0)) /* the bit itself is compared at its secondary sample point */
        taken = n->drive ^ c->mismatch;
    c->mismatch = 0;
    cf_node_step(n, taken, bit);
    c->grid = now;
    if (CF_UNLIKELY(n->fast != fast))
        cf_edge_switch(c, n, now);
    cf_sync_sampled(&c->sync, &c->rate->sync, level);
    if (n->drive != c->out || every || c->delay >= 0)
        c->drive_at = cf_sync_bit_start(&c->sync, &c->rate->sync);
    return level;
}

#endif
