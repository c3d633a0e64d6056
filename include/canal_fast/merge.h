/* canal_fast/merge.h - several sources of records into one order by time, in constant memory.
 *
 * Each source's own order is kept: a record counts with the greatest time that its source has had so far, so that
 * times which decrease move nothing. Among equals the source with the lower number comes first. No time is changed.
 */
#ifndef CANAL_FAST_MERGE_H
#define CANAL_FAST_MERGE_H

#include "frame.h"

enum { CF_MERGE_SOURCES = 256 };

typedef struct cf_merge_source {
    const char *at;   /* records not taken yet, */
    size_t count;     /* so many of them */
    int64_t latest;   /* greatest time so far */
    int begun;        /* 1: latest is one */
    int ended;        /* by the caller: nothing comes after these */
} cf_merge_source;

typedef struct cf_merge {
    size_t sources;
    cf_merge_source source[CF_MERGE_SOURCES];
} cf_merge;

/* The time that the next record of a source with records counts with. */
CF_INLINE int64_t cf_merge_key(const cf_merge_source *source)
{
    const int64_t time = ((const cf_frame_head *)source->at)->timestamp_ns;
    return source->begun && source->latest > time ? source->latest : time;
}

/* Puts records (`stride` bytes each, in all sources) into out[0..capacity), as many as are due; returns their number.
 * *empty: the source that has to be filled up, or marked as ended, before more are; merge->sources when there is none:
 * the room is used up, or all have ended. */
CF_INLINE size_t cf_merge_take(cf_merge *merge, size_t stride, void *out, size_t capacity, size_t *empty)
{
    char *to = (char *)out;
    size_t made = 0, i;
    *empty = merge->sources;
    while (made < capacity) {
        cf_merge_source *first = NULL, *source = merge->source;
        int64_t key = 0, next = INT64_MAX;
        int later = 1; /* the next best one has a higher number */
        for (i = 0; i < merge->sources; i++, source++) {
            int64_t this_key;
            if (source->count == 0) {
                if (source->ended)
                    continue;
                *empty = i;
                return made;
            }
            this_key = cf_merge_key(source);
            if (first == NULL || this_key < key) {
                if (first != NULL) {
                    next = key;
                    later = 0;
                }
                first = source;
                key = this_key;
            } else if (this_key < next) {
                next = this_key;
                later = 1;
            }
        }
        if (first == NULL)
            return made;
        do { /* all of this one that come before the next best */
            memcpy(to, first->at, stride);
            first->latest = key;
            first->begun = 1;
            to += stride;
            made++;
            first->at += stride;
            if (--first->count == 0)
                break;
            key = cf_merge_key(first);
        } while (made < capacity && (key < next || (later && key == next)));
    }
    return made;
}

#endif
