/* canal_fast/merge.h - records of several sources in the order of time.
 *
 * Each source counts by its running maximum: a record that goes back in time comes right behind the one before it, and
 * the order within a source never changes. Of equal times the source with the lower number comes first.
 */
#ifndef CANAL_FAST_MERGE_H
#define CANAL_FAST_MERGE_H

#include "frame.h"

/* One source. The caller fills `at`, `left` and `more` whenever `left` is 0, and the rest once. */
typedef struct cf_merge_source {
    const char *at;    /* the next record */
    size_t left;       /* records from there on */
    size_t stride;     /* bytes from one to the next: 24 or 80 */
    int64_t latest_ns; /* the latest time stamp so far; INT64_MIN before the first */
    int more;          /* others may follow these: nothing later is taken before they are known */
} cf_merge_source;

CF_INLINE int cf_merge_before(const cf_merge_source *sources, uint32_t a, uint32_t b)
{
    const int64_t one = sources[a].latest_ns, other = sources[b].latest_ns;
    return one < other || (one == other && a < b);
}

/* Lets heap[i] sink to its place among `count`: the earliest source is heap[0]. */
CF_INLINE void cf_merge_sink(const cf_merge_source *sources, uint32_t *heap, size_t count, size_t i)
{
    const uint32_t moved = heap[i];
    size_t child = 2 * i + 1;
    for (; child < count; i = child, child = 2 * i + 1) {
        if (child + 1 < count && cf_merge_before(sources, heap[child + 1], heap[child]))
            child++;
        if (!cf_merge_before(sources, heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

/* Lets a source with records count by the first of them. */
CF_INLINE void cf_merge_look(cf_merge_source *source)
{
    const int64_t next = ((const cf_frame_head *)source->at)->timestamp_ns;
    if (next > source->latest_ns)
        source->latest_ns = next;
}

/* A record to a place of `stride` bytes, which is not below the source's; the bytes between become zero. */
CF_INLINE void cf_merge_take(cf_merge_source *source, char *to, size_t stride)
{
    if (stride == sizeof(cf_frame)) {
        memcpy(to, source->at, sizeof(cf_frame));
    } else if (source->stride == sizeof(cf_fd_frame)) {
        memcpy(to, source->at, sizeof(cf_fd_frame));
    } else {
        memcpy(to, source->at, sizeof(cf_frame));
        memset(to + sizeof(cf_frame), 0, sizeof(cf_fd_frame) - sizeof(cf_frame));
    }
    source->at += source->stride;
    source->left--;
}

/* Merges `count` sources (below 2^32) into at most `room` records of `stride` bytes (24 only where every source has
 * 24) at `out`. heap has `count` elements and needs no content. Returns the records written; *hungry becomes the
 * source that has to be filled before anything more can be written, or `count`: then `room` is used up or all ended. */
CF_INLINE size_t cf_merge(cf_merge_source *sources, size_t count, uint32_t *heap, void *out, size_t room, size_t stride,
                          size_t *hungry)
{
    char *to = (char *)out;
    size_t made = 0, open = 0, i;
    *hungry = count;
    for (i = 0; i < count; i++) {
        if (sources[i].left) {
            cf_merge_look(&sources[i]);
            heap[open++] = (uint32_t)i;
        } else if (sources[i].more) {
            *hungry = i;
            return 0;
        }
    }
    for (i = open / 2; i-- > 0;)
        cf_merge_sink(sources, heap, open, i);
    while (open && made < room) {
        const uint32_t first = heap[0];
        cf_merge_source *source = &sources[first];
        const size_t next = open > 2 && cf_merge_before(sources, heap[2], heap[1]) ? 2 : 1;
        do {
            cf_merge_take(source, to + made++ * stride, stride);
            if (!source->left)
                break;
            cf_merge_look(source);
        } while (made < room && (open == 1 || cf_merge_before(sources, first, heap[next])));
        if (!source->left) {
            if (source->more) {
                *hungry = first;
                return made;
            }
            heap[0] = heap[--open];
        }
        if (open)
            cf_merge_sink(sources, heap, open, 0);
    }
    return made;
}

#endif
