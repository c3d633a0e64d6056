/* canal_fast/logger/lateness.h - how late frames were, in classes. */
#ifndef CANAL_FAST_LOGGER_LATENESS_H
#define CANAL_FAST_LOGGER_LATENESS_H

#include "../base.h"

enum { CF_LATENESS_CLASSES = 17 };

typedef struct cf_lateness {
    uint64_t classes[CF_LATENESS_CLASSES]; /* frames; see cf_lateness_edge_ns */
    uint64_t frames;
    int64_t sum_ns, max_ns;
} cf_lateness;

/* The greatest lateness that a class holds: 1, 2 and 5 in each decade from 10 us to 1 s; the last one has no end. */
CF_INLINE int64_t cf_lateness_edge_ns(size_t index)
{
    static const int64_t steps[] = {1, 2, 5};
    int64_t edge_ns = 10000;
    size_t i;
    if (index >= CF_LATENESS_CLASSES - 1)
        return INT64_MAX;
    for (i = 0; i < index / 3; i++)
        edge_ns *= 10;
    return edge_ns * steps[index % 3];
}

CF_INLINE void cf_lateness_add(cf_lateness *lateness, int64_t late_ns)
{
    size_t index = 0;
    if (late_ns < 0)
        late_ns = 0;
    while (late_ns > cf_lateness_edge_ns(index))
        index++;
    lateness->classes[index]++;
    lateness->frames++;
    lateness->sum_ns += late_ns;
    if (late_ns > lateness->max_ns)
        lateness->max_ns = late_ns;
}

#endif
