/* canal_fast/live/watch.h - noticing that the thread which reads a driver does not come back from it.
 *
 * The reader says which call it makes, and counts when it goes and comes back. The watcher looks from time to time;
 * only its own looks count, not time, so that a stopped program, a debugger or a machine that slept is no hang.
 */
#ifndef CANAL_FAST_LIVE_WATCH_H
#define CANAL_FAST_LIVE_WATCH_H

#include "../atomic.h"
#include "../canal.h"

/* Seconds that a call of the reading thread may take. */
enum { CF_RECEIVE_LIMIT_S = 5, CF_OPEN_LIMIT_S = 20, CF_CLOSE_LIMIT_S = 5 };

typedef struct cf_presence {
    cf_atomic_u32 goings; /* odd while the reader is in the driver; changed, with release, before each call */
    cf_atomic_u32 where;  /* CF_FN_... of that call */
} cf_presence;

typedef struct cf_watch {
    uint32_t goings; /* as last seen */
    int64_t looked_ns; /* watched since, in looks */
} cf_watch;

/* For the reader, around each call, or around some of the same function; one thread at a time. A reader before this
 * one may have ended in the driver. */
CF_INLINE void cf_presence_go(cf_presence *presence, int function)
{
    cf_atomic_u32_store_relaxed(&presence->where, (uint32_t)function);
    /* release, for the acquire in cf_watch_look: who reads the odd number reads this call or a later one; and for that
     * in cf_driver_abandon: what the reader had counted when it went */
    cf_atomic_u32_store_release(&presence->goings, (cf_atomic_u32_load_relaxed(&presence->goings) + 1) | 1);
}

/* Before each of some calls of the same function, which are watched one by one; between the other two. Release, for the
 * acquire in cf_driver_abandon, as in cf_presence_go. */
CF_INLINE void cf_presence_again(cf_presence *presence)
{
    cf_atomic_u32_store_release(&presence->goings, cf_atomic_u32_load_relaxed(&presence->goings) + 2);
}

/* Release, for the acquire in cf_driver_abandon, as in cf_presence_go. */
CF_INLINE void cf_presence_back(cf_presence *presence)
{
    cf_atomic_u32_store_release(&presence->goings, cf_atomic_u32_load_relaxed(&presence->goings) + 1);
}

CF_INLINE int64_t cf_watch_limit_ns(uint32_t function)
{
    return INT64_C(1000000000) * (function == CF_FN_open    ? CF_OPEN_LIMIT_S
                                  : function == CF_FN_close ? CF_CLOSE_LIMIT_S
                                                            : CF_RECEIVE_LIMIT_S);
}

/* Which call hangs, when a request does not come back: the one it made, or while ending the reader that one's. */
CF_INLINE long cf_presence_culprit(const cf_presence *presence, const cf_atomic_u32 *calling, int ending)
{
    const uint32_t called = cf_atomic_u32_load_relaxed(calling);
    const int inside = cf_atomic_u32_load_relaxed(&presence->goings) % 2 != 0;
    return (long)(ending && inside && called != CF_FN_close ? cf_atomic_u32_load_relaxed(&presence->where) : called);
}

/* One look of a watcher who looks every step_ns. 1: the reader has been in one call for longer than it may. */
CF_INLINE int cf_watch_look(cf_watch *watch, const cf_presence *presence, int64_t step_ns)
{
    const uint32_t goings = cf_atomic_u32_load_acquire(&presence->goings); /* acquire, from cf_presence_go: `where` */
    if (goings % 2 == 0 || goings != watch->goings)
        watch->looked_ns = 0;
    else
        watch->looked_ns += step_ns;
    watch->goings = goings;
    return watch->looked_ns >= cf_watch_limit_ns(cf_atomic_u32_load_relaxed(&presence->where));
}

#endif
