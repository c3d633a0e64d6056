/* canal_fast/bittiming/solve_fd.h - pairs of a nominal and a data phase timing for CAN FD. */
#ifndef CANAL_FAST_BITTIMING_SOLVE_FD_H
#define CANAL_FAST_BITTIMING_SOLVE_FD_H

#include "solve.h"

typedef struct cf_timing_pair {
    cf_timing nominal, data;
} cf_timing_pair;

/* Do the two oscillator conditions that couple the phases hold? With tq the quanta of each phase,
 * df <= min(phase 1, phase 2) tq_n / (2 ((6 dbt - data phase 2) tq_d + 7 nbt tq_n)) and
 * df <= (data sjw - max(0, brp_n / brp_d - 1)) tq_d / (2 ((2 nbt - phase 2) tq_n + (data phase 2 + 4 dbt) tq_d));
 * conditions 4 and 5 in python-can's numbering. */
CF_INLINE int cf_timing_pair_holds(const cf_timing *n, const cf_timing *d, uint32_t tolerance_ppb)
{
    const uint64_t giga = 1000000000, nbt = cf_timing_nbt(n), dbt = cf_timing_nbt(d);
    const uint32_t phase1 = n->tseg1 - n->prop_seg;
    const uint64_t shorter = phase1 < n->tseg2 ? phase1 : n->tseg2;
    const uint64_t correctable = (uint64_t)d->sjw * d->brp + d->brp;
    if (!tolerance_ppb)
        return 1;
    if (tolerance_ppb * 2 * ((6 * dbt - d->tseg2) * d->brp + 7 * nbt * n->brp) > shorter * n->brp * giga)
        return 0;
    if (n->brp > d->brp && correctable < n->brp)
        return 0;
    return tolerance_ppb * 2 * ((2 * nbt - n->tseg2) * n->brp + (d->tseg2 + 4 * dbt) * d->brp) <=
           (n->brp > d->brp ? correctable - n->brp : (uint64_t)d->sjw * d->brp) * giga;
}

/* Which pair is better: nominal rate closer; data rate closer; same brp in both phases; then the nominal
 * and then the data timing by cf_timing_compare. */
CF_INLINE int cf_timing_pair_compare(const cf_timing_request *nr, const cf_timing_request *dr, const cf_timing_pair *a,
                                     const cf_timing_pair *b)
{
    const int a_same = a->nominal.brp == a->data.brp, b_same = b->nominal.brp == b->data.brp;
    int order = cf_timing_compare_rates(nr, &a->nominal, &b->nominal);
    if (!order)
        order = cf_timing_compare_rates(dr, &a->data, &b->data);
    if (!order)
        order = b_same - a_same;
    if (!order)
        order = cf_timing_compare(nr, &a->nominal, &b->nominal);
    return order ? order : cf_timing_compare(dr, &a->data, &b->data);
}

/* Keeps the best `capacity` of all pairs, and of the `kept` that *out has from earlier calls, in *out, best first;
 * returns how many it has then. */
CF_INLINE size_t cf_timing_pairs(const cf_timing_request *nr, const cf_timing *nominal, size_t nominals,
                                 const cf_timing_request *dr, const cf_timing *data, size_t datas, cf_timing_pair *out,
                                 size_t capacity, size_t kept)
{
    size_t i, j;
    for (i = 0; i < nominals; i++) {
        for (j = 0; j < datas; j++) {
            cf_timing_pair pair;
            size_t at;
            if (!cf_timing_pair_holds(&nominal[i], &data[j], nr->tolerance_ppb))
                continue;
            pair.nominal = nominal[i];
            pair.data = data[j];
            if (kept == capacity && (!capacity || cf_timing_pair_compare(nr, dr, &pair, &out[kept - 1]) >= 0))
                continue;
            at = kept < capacity ? kept++ : kept - 1;
            for (; at > 0 && cf_timing_pair_compare(nr, dr, &pair, &out[at - 1]) < 0; at--)
                out[at] = out[at - 1];
            out[at] = pair;
        }
    }
    return kept;
}

#endif
