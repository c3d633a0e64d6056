/* canal_fast/analysis/design.h - wanted identifiers put into groups, so that the filters around them let little else
 * through: merging of pairs, improvement by moves, and branch and bound.
 *
 * Elements are groups that stay together, usually one identifier each. place[i] is the group of element i.
 */
#ifndef CANAL_FAST_ANALYSIS_DESIGN_H
#define CANAL_FAST_ANALYSIS_DESIGN_H

#include "design_cost.h"

typedef struct cf_design_plan {
    cf_design_group groups[CF_DESIGN_GROUPS];
    size_t count;
    uint8_t place[CF_DESIGN_GROUPS];
    int64_t cost;
} cf_design_plan;

/* Whether a group has two forms: a mask (side 0) or a range (side 1). */
CF_INLINE int cf_design_forms(const cf_design *d, const cf_design_group *group)
{
    return d->kind == CF_DESIGN_RANGES && group->count > 2 ? 2 : 1;
}

/* What merging two groups adds: points that no group's filter lets through now (weights in `open`), and the growth of
 * its share of the extended identifiers. CF_DESIGN_IMPOSSIBLE where they cannot be together. */
CF_INLINE int64_t cf_design_growth(cf_design *d, const cf_design_group *a, const cf_design_group *b,
                                   const cf_design_group *both, const uint32_t *open)
{
    const cf_design_filter filter = cf_design_filter_of(d, both);
    uint64_t sum = 0;
    size_t i;
    if (!cf_design_joins(d, both))
        return CF_DESIGN_IMPOSSIBLE;
    memset(d->more, 0, d->point_count * sizeof *d->more);
    cf_design_hit(d, &filter, d->more);
    for (i = 0; i < d->point_count; i++)
        sum += d->more[i] * open[i];
    if (d->count_extended && both->any >> 31) {
        const cf_design_filter one = cf_design_filter_of(d, a), two = cf_design_filter_of(d, b);
        const int64_t grown = cf_design_size(&filter, both->count) -
                              (a->any >> 31 ? cf_design_size(&one, a->count) : 0) -
                              (b->any >> 31 ? cf_design_size(&two, b->count) : 0);
        return (int64_t)sum + grown;
    }
    return (int64_t)sum;
}

/* Merges the pair that adds least, the first of equal ones, until `most` are left (0: until they fit). Returns 0 where
 * nothing more can be merged. `open`: scratch, point_count elements. */
CF_INLINE int cf_design_merge(cf_design *d, cf_design_plan *plan, size_t elements, unsigned most, uint32_t *open)
{
    while (most ? plan->count > most : !cf_design_fits(d, plan->groups, plan->count)) {
        int64_t least = CF_DESIGN_IMPOSSIBLE;
        cf_design_group best = plan->groups[0];
        size_t i, j, into = 0, from = 0;
        cf_design_cost(d, plan->groups, plan->count);
        for (i = 0; i < d->point_count; i++)
            open[i] = d->hits[i] ? 0 : d->weights[i];
        for (i = 0; i < plan->count; i++)
            for (j = i + 1; j < plan->count; j++) {
                cf_design_group both = cf_design_join(&plan->groups[i], &plan->groups[j]);
                for (both.side = 0; (int)both.side < cf_design_forms(d, &both); both.side++) {
                    const int64_t grown = cf_design_growth(d, &plan->groups[i], &plan->groups[j], &both, open);
                    if (grown < least)
                        least = grown, into = i, from = j, best = both;
                }
            }
        if (least == CF_DESIGN_IMPOSSIBLE)
            return 0;
        plan->groups[into] = best;
        plan->count--;
        memmove(&plan->groups[from], &plan->groups[from + 1], (plan->count - from) * sizeof best);
        for (i = 0; i < elements; i++)
            if (plan->place[i] == from)
                plan->place[i] = (uint8_t)into;
            else if (plan->place[i] > from)
                plan->place[i]--;
    }
    return 1;
}

/* The best way to put the groups on two sides. */
CF_INLINE int cf_design_sides(cf_design *d, cf_design_plan *plan)
{
    const unsigned ways = 1u << plan->count;
    cf_design_plan best = *plan;
    unsigned way;
    size_t i;
    best.cost = CF_DESIGN_IMPOSSIBLE;
    for (way = 0; way < ways; way++) {
        for (i = 0; i < plan->count; i++)
            plan->groups[i].side = way >> i & 1;
        if (!cf_design_fits(d, plan->groups, plan->count))
            continue;
        plan->cost = cf_design_cost(d, plan->groups, plan->count);
        if (plan->cost < best.cost)
            best = *plan;
    }
    *plan = best;
    return best.cost != CF_DESIGN_IMPOSSIBLE;
}

/* The plan of merged pairs; 0: there is none. */
CF_INLINE int cf_design_greedy(cf_design *d, const cf_design_group *elements, size_t count, uint32_t *open,
                               cf_design_plan *plan)
{
    const int kind = d->kind;
    size_t i;
    int found;
    for (i = 0; i < count; i++)
        plan->groups[i] = elements[i], plan->place[i] = (uint8_t)i;
    plan->count = count;
    if (kind != CF_DESIGN_SHARED) {
        found = cf_design_merge(d, plan, count, 0, open);
        plan->cost = cf_design_cost(d, plan->groups, plan->count);
        return found;
    }
    d->kind = CF_DESIGN_MASKS; /* as if each had a mask of its own */
    found = cf_design_merge(d, plan, count, d->room[0] + d->room[1], open);
    d->kind = kind;
    return found && cf_design_sides(d, plan);
}

/* The plan without element `e`: its group made anew of the others, or gone with the last group in its place. */
CF_INLINE void cf_design_take_out(const cf_design_group *elements, size_t count, size_t e, cf_design_plan *plan)
{
    const uint8_t from = plan->place[e];
    const uint32_t side = plan->groups[from].side;
    size_t i, left = 0;
    plan->place[e] = UINT8_MAX;
    for (i = 0; i < count; i++)
        if (plan->place[i] == from) {
            plan->groups[from] = left++ ? cf_design_join(&plan->groups[from], &elements[i]) : elements[i];
            plan->groups[from].side = side;
        }
    if (left)
        return;
    plan->groups[from] = plan->groups[--plan->count];
    for (i = 0; i < count; i++)
        if (plan->place[i] == plan->count)
            plan->place[i] = from;
}

/* Puts element `e` where it costs least, if that is less than now. Returns whether it moved. */
CF_INLINE int cf_design_move(cf_design *d, const cf_design_group *elements, size_t count, size_t e,
                             cf_design_plan *plan)
{
    cf_design_plan base = *plan, best = *plan;
    size_t g, i;
    cf_design_take_out(elements, count, e, &base);
    for (g = 0; g <= base.count && g < CF_DESIGN_GROUPS; g++) {
        const cf_design_group before = base.groups[g < base.count ? g : 0];
        cf_design_group both = g < base.count ? cf_design_join(&before, &elements[e]) : elements[e];
        const int sides = d->kind == CF_DESIGN_SHARED ? 2 : cf_design_forms(d, &both);
        const size_t groups = g < base.count ? base.count : base.count + 1;
        const cf_design_group saved = base.groups[g];
        for (both.side = 0; (int)both.side < sides; both.side++) {
            base.groups[g] = both;
            if (cf_design_joins(d, &both) && cf_design_fits(d, base.groups, groups)) {
                const int64_t cost = cf_design_cost(d, base.groups, groups);
                if (cost < best.cost) {
                    best = base;
                    best.count = groups;
                    best.place[e] = (uint8_t)g;
                    best.cost = cost;
                }
            }
        }
        base.groups[g] = saved;
    }
    i = best.cost < plan->cost;
    *plan = best;
    return (int)i;
}

/* Moves elements as long as one of them makes the plan cheaper and work is left. */
CF_INLINE void cf_design_improve(cf_design *d, const cf_design_group *elements, size_t count, cf_design_plan *plan)
{
    size_t e;
    int moved = 1;
    while (moved && plan->cost > 0 && d->work > 0)
        for (moved = 0, e = 0; e < count && d->work > 0; e++)
            moved |= cf_design_move(d, elements, count, e, plan);
}

typedef struct cf_design_search {
    cf_design *d;
    const cf_design_group *elements;
    size_t depth;         /* elements to place */
    int64_t least;        /* no plan can cost less: one that costs this ends the search */
    cf_design_plan at, best;
    int stopped;
} cf_design_search;

/* Places element `e` and those after it in every way that may be cheaper than the best plan. */
CF_INLINE void cf_design_descend(cf_design_search *s, size_t e)
{
    cf_design_plan *at = &s->at;
    size_t g;
    if (s->stopped || s->best.cost <= s->least)
        return;
    if (s->d->work <= 0) {
        s->stopped = 1;
        return;
    }
    at->cost = cf_design_cost(s->d, at->groups, at->count);
    if (at->cost >= s->best.cost)
        return;
    if (e == s->depth) {
        s->best = *at;
        return;
    }
    for (g = 0; g <= at->count && g < CF_DESIGN_GROUPS; g++) {
        const size_t count = at->count;
        const cf_design_group saved = at->groups[g];
        cf_design_group both = g < count ? cf_design_join(&saved, &s->elements[e]) : s->elements[e];
        const uint32_t kept = g < count ? saved.side : 0;
        int sides = 1, side;
        if (s->d->kind == CF_DESIGN_SHARED && g == count)
            sides = 2;
        else if (g < count && saved.count <= 2) /* it now becomes a mask or a range */
            sides = cf_design_forms(s->d, &both);
        if (!cf_design_joins(s->d, &both))
            continue;
        for (side = 0; side < sides; side++) {
            both.side = sides == 2 ? (uint32_t)side : kept;
            at->groups[g] = both;
            at->count = g < count ? count : count + 1;
            at->place[e] = (uint8_t)g;
            if (cf_design_fits(s->d, at->groups, at->count))
                cf_design_descend(s, e + 1);
            at->count = count;
        }
        at->groups[g] = saved;
    }
}

/* Elements in an order in which each is far from those before it: the pair that costs most, then always the one whose
 * cheapest merger with one of those costs most. */
CF_INLINE void cf_design_order(cf_design *d, cf_design_group *elements, uint32_t *origin, size_t count)
{
    int64_t nearest[CF_DESIGN_GROUPS];
    size_t i, k;
    for (i = 0; i < count; i++)
        nearest[i] = CF_DESIGN_IMPOSSIBLE;
    for (k = 0; k + 1 < count; k++) {
        size_t next = k + 1;
        for (i = k + 1; i < count; i++) {
            const cf_design_group both = cf_design_join(&elements[k], &elements[i]);
            const int64_t grown = cf_design_growth(d, &elements[k], &elements[i], &both, d->weights);
            if (grown < nearest[i])
                nearest[i] = grown;
            if (nearest[i] > nearest[next])
                next = i;
        }
        {
            const cf_design_group element = elements[next];
            const uint32_t number = origin[next];
            const int64_t value = nearest[next];
            elements[next] = elements[k + 1], origin[next] = origin[k + 1], nearest[next] = nearest[k + 1];
            elements[k + 1] = element, origin[k + 1] = number, nearest[k + 1] = value;
        }
    }
}

/* Looks for a plan cheaper than `best` among all, first of few elements, then of more: what the cheapest plan of some
 * costs bounds that of all. Returns the bound; it is best->cost where that is proved. `s`: scratch. */
CF_INLINE int64_t cf_design_prove(cf_design *d, const cf_design_group *elements, size_t count, cf_design_search *s,
                                  cf_design_plan *best)
{
    size_t depth;
    s->d = d;
    s->elements = elements;
    s->least = 0;
    s->stopped = 0;
    for (depth = 2; depth <= count && s->least < best->cost; depth++) {
        s->depth = depth;
        s->at.count = 0;
        s->best = *best;
        cf_design_descend(s, 0);
        if (depth == count && s->best.cost < best->cost)
            *best = s->best;
        if (s->stopped)
            break;
        s->least = s->best.cost;
    }
    return count < 2 ? best->cost : s->least;
}

typedef struct cf_design_room {
    cf_design_plan plan, ordered;
    cf_design_search search;
    cf_design_group elements[CF_DESIGN_GROUPS];
    uint32_t origin[CF_DESIGN_GROUPS];
} cf_design_room;

typedef struct cf_design_answer {
    int64_t cost, bound, greedy; /* unwanted weight, no plan's is below, by merging alone */
} cf_design_answer;

/* A plan for `count` elements (1..CF_DESIGN_GROUPS): place[i] and side[i] of each. d->work is spent on
 * improving it, `proving` on the bound. Returns 0 where no plan fits. `room`, `open` (point_count
 * elements): scratch. */
CF_INLINE int cf_design_run(cf_design *d, const cf_design_group *elements, size_t count, uint32_t *open,
                            cf_design_room *room, int64_t proving, uint8_t *place, uint8_t *side,
                            cf_design_answer *answer)
{
    cf_design_plan *plan = &room->plan;
    const int64_t work = d->work;
    size_t i;
    if (!cf_design_greedy(d, elements, count, open, plan))
        return 0;
    answer->greedy = plan->cost;
    d->work = work;
    cf_design_improve(d, elements, count, plan);
    for (i = 0; i < count; i++) {
        place[i] = plan->place[i];
        side[i] = (uint8_t)plan->groups[place[i]].side;
        room->elements[i] = elements[i];
        room->origin[i] = (uint32_t)i;
    }
    answer->cost = plan->cost;
    cf_design_order(d, room->elements, room->origin, count);
    room->ordered.cost = plan->cost;
    d->work = proving;
    answer->bound = cf_design_prove(d, room->elements, count, &room->search, &room->ordered);
    if (room->ordered.cost == plan->cost)
        return 1;
    answer->cost = room->ordered.cost;
    for (i = 0; i < count; i++) {
        const uint8_t group = room->ordered.place[i];
        place[room->origin[i]] = group;
        side[room->origin[i]] = (uint8_t)room->ordered.groups[group].side;
    }
    return 1;
}

#endif
