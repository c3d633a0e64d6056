/* canal_fast/system/thread.h - mutexes, conditions, threads, clocks and sleeping, on POSIX and Windows.
 *
 * Waits end by the monotonic clock, so setting the time of day moves none of them.
 */
#ifndef CANAL_FAST_SYSTEM_THREAD_H
#define CANAL_FAST_SYSTEM_THREAD_H

#if defined(_WIN32)
#include "thread_windows.h"
#else
#include "thread_posix.h"
#endif

/* Runs function(argument) in a new thread. *t and `name` (at most 15 characters) stay until
 * cf_thread_join. CF_OK or CF_THREAD_FAILED. */
CF_INLINE cf_status cf_thread_start(cf_thread *t, cf_thread_function function, void *argument, const char *name)
{
    t->function = function;
    t->argument = argument;
    t->name = name;
    return cf_thread_start_native(t);
}

/* cf_cond_wait_until (a time on the monotonic clock) and cf_cond_wait_for return 0 once the time is
 * over. Both may wake early without reason: test the condition in a loop. */
CF_INLINE int cf_cond_wait_for(cf_cond *c, cf_mutex *m, uint64_t ns)
{
    return cf_cond_wait_until(c, m, cf_monotonic_ns() + ns);
}

/* For a single sleep; a thread that sleeps often keeps a cf_sleeper. */
CF_INLINE void cf_sleep_ns(uint64_t ns)
{
    cf_sleeper sleeper;
    if (cf_sleeper_init(&sleeper) == CF_OK) {
        cf_sleeper_sleep(&sleeper, ns);
        cf_sleeper_destroy(&sleeper);
    }
}

CF_INLINE int64_t cf_now_ns(void)
{
    return (int64_t)cf_monotonic_ns();
}

/* Time since 1970 - monotonic time, from the quickest of a few looks at both. */
CF_INLINE int64_t cf_epoch_offset_ns(void)
{
    int64_t least_ns = INT64_MAX, offset_ns = 0;
    int i;
    for (i = 0; i < 5; i++) {
        const int64_t before_ns = cf_now_ns(), epoch_ns = (int64_t)cf_realtime_ns(), took_ns = cf_now_ns() - before_ns;
        if (took_ns < least_ns) {
            least_ns = took_ns;
            offset_ns = epoch_ns - before_ns - took_ns / 2;
        }
    }
    return offset_ns;
}

#endif
