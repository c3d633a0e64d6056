/* canal_fast/simulation/edge_fault.h - faults on a bus whose nodes have clocks of their own: stretches of time, or of
 * one node's bits.
 */
#ifndef CANAL_FAST_SIMULATION_EDGE_FAULT_H
#define CANAL_FAST_SIMULATION_EDGE_FAULT_H

#include "edge_bus.h"

CF_INLINE int64_t cf_edge_fs_of_bit(const cf_edge_bus *e, int64_t bit)
{
    return bit > CF_EDGE_NEVER / 2 / e->bit_fs ? CF_EDGE_NEVER : e->zero + (bit - e->zero_bit) * e->bit_fs;
}

CF_INLINE int64_t cf_edge_later(int64_t begin, int64_t steps, int64_t step)
{
    return steps >= (CF_EDGE_NEVER - begin) / step ? CF_EDGE_NEVER : begin + steps * step;
}

/* Begins, now or later, from `base` on. `anchor`: the node whose bit begins there, or -1. */
CF_INLINE void cf_edge_plan_from(cf_edge_bus *e, size_t k, int64_t base, int anchor)
{
    cf_fault *f = &e->bus->faults[k];
    cf_edge_plan *p = &e->plans[k];
    const int counts_bits = !f->lasts_fs && !f->after_fs && !f->step_fs;
    if (base > CF_EDGE_NEVER / 2) /* later than any run ends */
        return;
    p->begin = base + f->after_fs;
    p->anchor = (int16_t)(counts_bits ? anchor : -1);
    p->end = p->anchor >= 0 ? CF_EDGE_NEVER
             : f->lasts_fs  ? p->begin + f->lasts_fs
                            : cf_edge_later(p->begin, f->length, f->step_fs ? f->step_fs : e->bit_fs);
    if (p->begin < e->fault_due)
        e->fault_due = p->begin;
}

/* Brings all faults up to `now`; what nodes see and send is looked at again. */
CF_INLINE void cf_edge_fault_turn(cf_edge_bus *e, int64_t now)
{
    cf_bus *b = e->bus;
    unsigned i;
    size_t k;
    e->fault_due = CF_EDGE_NEVER;
    e->acting = e->watched = 0;
    for (k = 0; k < b->fault_count; k++) {
        cf_fault *f = &b->faults[k];
        cf_edge_plan *p = &e->plans[k];
        int64_t next = p->begin;
        if (p->begin <= now) { /* it acts, and has begun when this is the first time */
            const int64_t step = f->step_fs ? f->step_fs : e->bit_fs;
            if (!f->active) {
                f->active = 1;
                f->fired++;
                f->times -= f->times != CF_FAULT_ALWAYS;
                f->position = 0;
            }
            next = p->end;
            if (now >= p->end) {
                f->active = 0;
                p->begin = p->end = next = CF_EDGE_NEVER;
            } else if (p->anchor < 0) {
                f->position = (now - p->begin) / step;
                if (f->action >= CF_FAULT_DRIVE && (f->position + 1) * step + p->begin < next)
                    next = (f->position + 1) * step + p->begin;
            }
        }
        e->acting += f->active;
        e->watched += (f->active && p->anchor >= 0) || (f->times && f->when == CF_WHEN_FIELD);
        if (next < e->fault_due)
            e->fault_due = next;
    }
    for (i = 0; i < b->count; i++) {
        const unsigned tx = cf_bus_disturb(b, (int)i, CF_FAULT_DRIVEN, e->clocks[i].out);
        if (tx != e->clocks[i].tx)
            cf_edge_send(e, i, tx, now);
        cf_edge_line(e, i, now);
    }
}

/* A bit of node `i` begins: faults that count its bits go on, those that wait for it begin. */
CF_INLINE void cf_edge_watch_bit(cf_edge_bus *e, unsigned i, int64_t now)
{
    cf_bus *b = e->bus;
    size_t k;
    for (k = 0; k < b->fault_count; k++) {
        cf_fault *f = &b->faults[k];
        cf_edge_plan *p = &e->plans[k];
        if (f->active && p->anchor == (int)i) {
            e->fault_due = now;
            if (++f->position >= f->length)
                p->end = now;
        }
        if (f->when == CF_WHEN_FIELD && f->times && (p->begin == CF_EDGE_NEVER || p->end <= now) &&
            (f->node < 0 || f->node == (int)i) && cf_fault_matches(f, &b->nodes[i], b->starts.frames)) {
            if (p->end <= now) { /* it ends and begins in one */
                f->active = 0;
                p->end = CF_EDGE_NEVER;
            }
            cf_edge_plan_from(e, k, now, (int)i);
        }
    }
}

/* To be called when there are new faults from number `from` on, and at the beginning: then also for those that act. */
CF_INLINE void cf_edge_plan_faults(cf_edge_bus *e, size_t from)
{
    cf_bus *b = e->bus;
    for (; from < b->fault_count; from++) {
        cf_fault *f = &b->faults[from];
        cf_edge_plan *p = &e->plans[from];
        p->begin = p->end = CF_EDGE_NEVER;
        p->anchor = -1;
        if (f->active) {
            p->begin = e->now - f->position * e->bit_fs;
            p->end = cf_edge_later(p->begin, f->length, e->bit_fs);
        } else if (f->times && f->when == CF_WHEN_BIT) {
            cf_edge_plan_from(e, from, cf_edge_fs_of_bit(e, f->at), -1);
        } else if (f->times && f->when == CF_WHEN_TIME && f->at < CF_EDGE_NEVER / 1000000) {
            int64_t at = f->at * 1000000;
            if (!f->lasts_fs && !f->after_fs && !f->step_fs) /* the bit in which that is */
                at = e->zero + (at - e->zero) / e->bit_fs * e->bit_fs;
            cf_edge_plan_from(e, from, at, -1);
        }
    }
    e->fault_due = e->now;
}

#endif
