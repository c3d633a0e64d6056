/* canal_fast/logs/selection.h - the records that are wanted: by time, by channel, by python-can's filters. */
#ifndef CANAL_FAST_LOGS_SELECTION_H
#define CANAL_FAST_LOGS_SELECTION_H

#include "../filter.h"
#include "state.h"

typedef struct cf_log_selection {
    /* Set by the caller: */
    const cf_filter *filters;
    size_t filter_count;
    uint8_t unwanted[CF_LOG_INTERFACES]; /* 1: no record of this channel */
    int64_t first_ns, last_ns;           /* times that are wanted, both inclusive */
    /* Results: */
    uint64_t read, filtered, cut;
    /* Between the calls: GAP and CLOCK_STEP of filtered records, for the channel's next one. */
    uint16_t carried[CF_LOG_INTERFACES];
} cf_log_selection;

/* Moves the wanted records to the front, in order; returns their number. */
CF_INLINE size_t cf_log_select(cf_log_selection *selection, void *records, size_t count, size_t stride)
{
    char *at = (char *)records, *to = at;
    size_t i;
    selection->read += count;
    for (i = 0; i < count; i++, at += stride) {
        cf_frame_head *head = (cf_frame_head *)at;
        uint16_t *carried = &selection->carried[head->channel];
        if (head->timestamp_ns < selection->first_ns || head->timestamp_ns > selection->last_ns) {
            selection->cut++;
            continue;
        }
        if (selection->unwanted[head->channel] || !cf_filter_match(selection->filters, selection->filter_count, head)) {
            *carried |= (uint16_t)(head->flags & (CF_FLAG_GAP | CF_FLAG_CLOCK_STEP));
            selection->filtered++;
            continue;
        }
        head->flags |= *carried;
        *carried = 0;
        if (to != at)
            memcpy(to, at, stride);
        to += stride;
    }
    return (size_t)(to - (char *)records) / stride;
}

#endif
