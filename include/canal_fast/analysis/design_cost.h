/* canal_fast/analysis/design_cost.h - what the filters around groups of identifiers let through.
 *
 * An identifier is a word: bit 31 says extended, bits 28..0 are the identifier; of a base one bits 28..18, as many
 * controllers lay them. Each group has the smallest filter around it; what several filters let through counts once.
 */
#ifndef CANAL_FAST_ANALYSIS_DESIGN_COST_H
#define CANAL_FAST_ANALYSIS_DESIGN_COST_H

#include "../frame.h"

enum { /* what filters a controller has */
       CF_DESIGN_MASKS = 0,  /* room[0] identifiers with a mask each */
       CF_DESIGN_RANGES = 1, /* room[0] elements: two identifiers, a mask or (side 1) a range */
       CF_DESIGN_SHARED = 2, /* room[0] filters of side 0 that share a mask, room[1] of side 1 likewise */
       CF_DESIGN_BANKS = 3 /* room[0] banks: four base or two extended identifiers, two base masks, one extended one */
};

#define CF_DESIGN_GROUPS 128 /* at most, and elements at most */
#define CF_DESIGN_EXTENDED UINT32_C(0x80000000)
#define CF_DESIGN_IMPOSSIBLE INT64_MAX

/* X(C type, numpy format, name): wanted identifiers under one filter */
/* clang-format off */
#define CF_DESIGN_GROUP(X)                                                            \
    X(uint32_t, "u4", all)   /* bits that all words have */                           \
    X(uint32_t, "u4", any)   /* bits that some have */                                \
    X(uint32_t, "u4", care)  /* bits that a filter for them may look at */            \
    X(uint32_t, "u4", low)   /* least and greatest word */                            \
    X(uint32_t, "u4", high)                                                           \
    X(uint32_t, "u4", count)                                                          \
    X(uint32_t, "u4", side)  /* CF_DESIGN_RANGES, CF_DESIGN_SHARED */
/* clang-format on */

typedef struct cf_design_group {
    CF_DESIGN_GROUP(CF_RECORD_MEMBER)
} cf_design_group;

/* Field `index` of a group, or NULL past the last. */
CF_RECORD_FIELDS(cf_design_group_field, cf_design_group, CF_DESIGN_GROUP)

typedef struct cf_design {
    int kind, count_extended; /* count_extended: every extended identifier counts 1, those of `words` none */
    unsigned room[2];
    uint32_t together; /* bits in which a group's words are equal */
    const uint32_t *points, *look; /* identifiers that are not wanted, and the bits that filters see of them */
    const uint32_t *weights;
    uint32_t *hits, *more; /* scratch, point_count elements each */
    size_t point_count;
    const uint32_t *words; /* all that are wanted */
    size_t word_count;
    int64_t work; /* tests of a point that may still be made */
} cf_design;

typedef struct cf_design_filter {
    uint32_t value, mask, low, span;
    int exact, ranged;
} cf_design_filter;

CF_INLINE cf_design_group cf_design_join(const cf_design_group *a, const cf_design_group *b)
{
    cf_design_group both = *a;
    both.all &= b->all;
    both.any |= b->any;
    both.care &= b->care;
    both.low = a->low < b->low ? a->low : b->low;
    both.high = a->high > b->high ? a->high : b->high;
    both.count += b->count;
    return both;
}

CF_INLINE int cf_design_joins(const cf_design *d, const cf_design_group *both)
{
    return !((both->all ^ both->any) & d->together);
}

CF_INLINE uint32_t cf_design_mask(const cf_design_group *group)
{
    return group->care & ~(group->all ^ group->any);
}

CF_INLINE cf_design_filter cf_design_filter_of(const cf_design *d, const cf_design_group *group)
{
    cf_design_filter filter = {0, 0, 0, 0, 0, 0};
    filter.mask = cf_design_mask(group);
    filter.value = group->all & filter.mask;
    filter.low = group->low;
    filter.span = group->high - group->low;
    filter.ranged = d->kind == CF_DESIGN_RANGES && group->side;
    filter.exact = d->kind == CF_DESIGN_RANGES && group->count <= 2;
    return filter;
}

/* Filters of all groups; those that share a mask get the common one. */
CF_INLINE void cf_design_filters(const cf_design *d, const cf_design_group *groups, size_t count,
                                 cf_design_filter *filters)
{
    uint32_t shared[2] = {UINT32_MAX, UINT32_MAX};
    size_t i;
    for (i = 0; i < count; i++) {
        filters[i] = cf_design_filter_of(d, &groups[i]);
        shared[groups[i].side & 1] &= filters[i].mask;
    }
    for (i = 0; i < count && d->kind == CF_DESIGN_SHARED; i++) {
        filters[i].mask = shared[groups[i].side & 1];
        filters[i].value = groups[i].all & filters[i].mask;
    }
}

CF_INLINE void cf_design_hit(cf_design *d, const cf_design_filter *filter, uint32_t *CF_RESTRICT hits)
{
    const uint32_t *points = d->points, *look = d->look;
    const uint32_t value = filter->value, mask = filter->mask, low = filter->low, span = filter->span;
    const size_t count = d->point_count;
    size_t i;
    if (filter->exact)
        return;
    d->work -= (int64_t)count;
    if (filter->ranged)
        for (i = 0; i < count; i++)
            hits[i] |= points[i] - low <= span;
    else
        for (i = 0; i < count; i++)
            hits[i] |= ((points[i] ^ value) & mask & look[i]) == 0;
}

CF_INLINE int64_t cf_design_weight(const cf_design *d, const uint32_t *hits)
{
    uint64_t sum = 0;
    size_t i;
    for (i = 0; i < d->point_count; i++)
        sum += hits[i] * d->weights[i];
    return (int64_t)sum;
}

/* Extended identifiers a filter lets through, alone. */
CF_INLINE int64_t cf_design_size(const cf_design_filter *filter, uint32_t count)
{
    int64_t size = 1;
    uint32_t free_bits;
    if (filter->exact)
        return count;
    if (filter->ranged)
        return (int64_t)filter->span + 1;
    for (free_bits = ~filter->mask & 0x1FFFFFFF; free_bits; free_bits &= free_bits - 1)
        size *= 2;
    return size;
}

CF_INLINE int cf_design_takes(const cf_design_filter *filter, uint32_t word)
{
    return filter->ranged ? word - filter->low <= filter->span : ((word ^ filter->value) & filter->mask) == 0;
}

/* How many extended identifiers of `width` low bits behind `prefix` the filters let through together, by halves. */
CF_INLINE int64_t cf_design_union(cf_design *d, const cf_design_filter *filters, const uint8_t *which, unsigned count,
                                  uint32_t prefix, int width)
{
    const uint32_t below = (UINT32_C(1) << width) - 1;
    uint8_t left[CF_DESIGN_GROUPS];
    uint32_t cared = 0;
    int64_t sum = 0, times = 1;
    unsigned i, half;
    int ranged = 0;
    d->work -= 40 + 12 * (int64_t)count; /* as long as so many tests of a point */
    if (count == 0)
        return 0;
    for (i = 0; i < count; i++) {
        const cf_design_filter *filter = &filters[which[i]];
        if (filter->ranged ? filter->low <= prefix && prefix + below <= filter->low + filter->span
                           : !(filter->mask & below))
            return (int64_t)below + 1;
        cared |= filter->mask & below;
        ranged |= filter->ranged;
    }
    if (count == 1 && !ranged) {
        for (cared = below & ~cared; cared; cared &= cared - 1)
            times *= 2;
        return times;
    }
    width--;
    for (; !ranged && !(cared >> width); width--) /* bits that none looks at */
        times *= 2;
    for (half = 0; half < 2; half++) {
        const uint32_t at = prefix | (uint32_t)half << width;
        unsigned kept = 0;
        for (i = 0; i < count; i++) {
            const cf_design_filter *filter = &filters[which[i]];
            const uint32_t bit = UINT32_C(1) << width;
            if (filter->ranged ? at <= filter->low + filter->span && filter->low <= at + (bit - 1)
                               : !((filter->value ^ at) & filter->mask & bit))
                left[kept++] = which[i];
        }
        sum += cf_design_union(d, filters, left, kept, at, width);
    }
    return sum * times;
}

/* Extended identifiers that the filters let through and nobody wants. */
CF_INLINE int64_t cf_design_unwanted_extended(cf_design *d, const cf_design_filter *filters, size_t count)
{
    uint8_t which[CF_DESIGN_GROUPS];
    unsigned kept = 0;
    int64_t sum;
    size_t i, j;
    for (i = 0; i < count; i++)
        if (!filters[i].exact && (filters[i].ranged ? filters[i].low : filters[i].value | ~filters[i].mask) >> 31)
            which[kept++] = (uint8_t)i;
    sum = cf_design_union(d, filters, which, kept, CF_DESIGN_EXTENDED, 29);
    d->work -= (int64_t)(kept * d->word_count);
    for (j = 0; j < d->word_count; j++)
        for (i = 0; i < kept && d->words[j] >> 31; i++)
            if (cf_design_takes(&filters[which[i]], d->words[j])) {
                sum--;
                break;
            }
    return sum;
}

/* What the groups' filters let through and nobody wants. */
CF_INLINE int64_t cf_design_cost(cf_design *d, const cf_design_group *groups, size_t count)
{
    cf_design_filter filters[CF_DESIGN_GROUPS];
    size_t i;
    cf_design_filters(d, groups, count, filters);
    memset(d->hits, 0, d->point_count * sizeof *d->hits);
    for (i = 0; i < count; i++)
        cf_design_hit(d, &filters[i], d->hits);
    d->work -= 64;
    return cf_design_weight(d, d->hits) + (d->count_extended ? cf_design_unwanted_extended(d, filters, count) : 0);
}

/* Banks that so many groups need: four base identifiers or two base masks to a bank, two extended identifiers, one
 * extended mask. A place left over in a bank of two takes a base identifier. */
CF_INLINE unsigned cf_design_banks(const cf_design_group *groups, size_t count)
{
    unsigned number[2][2] = {{0, 0}, {0, 0}}; /* by format: identifiers, masks */
    unsigned spare;
    size_t i;
    for (i = 0; i < count; i++)
        number[groups[i].any >> 31][groups[i].count > 1]++;
    spare = (number[0][1] & 1) + (number[1][0] & 1);
    spare = spare < number[0][0] ? spare : number[0][0];
    return (number[0][1] + 1) / 2 + (number[1][0] + 1) / 2 + number[1][1] + (number[0][0] - spare + 3) / 4;
}

CF_INLINE int cf_design_fits(const cf_design *d, const cf_design_group *groups, size_t count)
{
    unsigned sides[2] = {0, 0};
    size_t i;
    if (d->kind == CF_DESIGN_BANKS)
        return cf_design_banks(groups, count) <= d->room[0];
    if (d->kind != CF_DESIGN_SHARED)
        return count <= d->room[0];
    for (i = 0; i < count; i++)
        sides[groups[i].side & 1]++;
    return sides[0] <= d->room[0] && sides[1] <= d->room[1];
}

#endif
