/* canal_fast/filter.h - which frames to keep, with python-can's meaning. */
#ifndef CANAL_FAST_FILTER_H
#define CANAL_FAST_FILTER_H

#include "frame.h"

#include <stdlib.h>

enum { CF_FILTER_ANY_FORMAT = 2 };

typedef struct cf_filter {
    uint32_t can_id;
    uint32_t can_mask;
    uint32_t extended; /* 0 = base frames only, 1 = extended only, CF_FILTER_ANY_FORMAT */
} cf_filter;

typedef struct cf_filter_set {
    size_t count;
    cf_filter rows[1]; /* as many as count says */
} cf_filter_set;

/* A malloc'ed copy of `count` filters, or NULL. */
CF_INLINE cf_filter_set *cf_filter_set_new(const cf_filter *filters, size_t count)
{
    cf_filter_set *set = (cf_filter_set *)malloc(sizeof *set + count * sizeof *filters);
    if (set != NULL) {
        set->count = count;
        if (count > 0)
            memcpy(set->rows, filters, count * sizeof *filters);
    }
    return set;
}

/* Does one of the filters match? (id ^ can_id) & can_mask == 0, and the format where one is asked
 * for. No filters at all: everything matches. Status messages and error frames always do. */
CF_INLINE int cf_filter_match(const cf_filter *filters, size_t count, const cf_frame_head *head)
{
    const uint32_t extended = head->flags & CF_FLAG_EXTENDED_ID;
    size_t i;
    if (count == 0 || (head->flags & (CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME)))
        return 1;
    for (i = 0; i < count; i++)
        if (((head->arbitration_id ^ filters[i].can_id) & filters[i].can_mask) == 0 &&
            (filters[i].extended == CF_FILTER_ANY_FORMAT || filters[i].extended == extended))
            return 1;
    return 0;
}

/* Moves the records that match to the front, in order; returns how many. *gap: GAP and CLOCK_STEP of a record that did
 * not match, which goes to the next that does, in this call or a later one; 0 at first. */
CF_INLINE size_t cf_filter_keep(const cf_filter_set *set, void *records, size_t count, size_t stride, uint16_t *gap)
{
    char *at = (char *)records, *to = at;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        cf_frame_head *head = (cf_frame_head *)at;
        if (!cf_filter_match(set->rows, set->count, head)) {
            *gap |= head->flags & (CF_FLAG_GAP | CF_FLAG_CLOCK_STEP);
            continue;
        }
        head->flags |= *gap;
        *gap = 0;
        if (to != at)
            memcpy(to, at, stride);
        to += stride;
    }
    return (size_t)(to - (char *)records) / stride;
}

#endif
