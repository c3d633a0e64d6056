/* canal_fast/live/clock_report.h - what a channel's clock knows, published by the thread that owns it.
 *
 * As in ring.h, a sequence number that is odd meanwhile keeps the numbers together.
 */
#ifndef CANAL_FAST_LIVE_CLOCK_REPORT_H
#define CANAL_FAST_LIVE_CLOCK_REPORT_H

#include "../atomic.h"

/* All signed. X(name, meaning) */
/* clang-format off */
#define CF_CLOCK_NUMBERS(X)                                                             \
    X(tick_num, "ns per tick: tick_num / tick_den; 0: the host's clock gives the time") \
    X(tick_den, "0 with tick_num 0: being measured")                                    \
    X(wrap_bits, "width of the tick counter; 64: no counter but the kernel's time")            \
    X(calibrated, "the tick was measured")                                              \
    X(settled, "the drift is known")                                                    \
    X(offset_ns, "host's monotonic time - device time")                                 \
    X(epoch_offset_ns, "time since 1970 - host's monotonic time")                       \
    X(drift_per_e12, "what the device's clock gains on the host's, in 1e-12")           \
    X(residual_ns, "mean distance of the points from the line")                         \
    X(uncertainty_ns, "of a time stamp")                                                \
    X(resets, "times that the device's counter was reset")                              \
    X(frames, "seen by the clock")                                                      \
    X(steps, "times that the host's clock was set")                                     \
    X(step_ns, "when it last was, in ns since 1970 by the clock as set")                \
    X(step_before_ns, "time since 1970 - monotonic time before that")                   \
    X(step_after_ns, "and after it")

typedef struct cf_clock_report {
#define CF_CLOCK_MEMBER(name, meaning) int64_t name;
    CF_CLOCK_NUMBERS(CF_CLOCK_MEMBER)
} cf_clock_report;

typedef struct cf_clock_shared {
    cf_atomic_u64 sequence; /* odd while the lines below change */
#define CF_CLOCK_SHARED(name, meaning) cf_atomic_u64 name;
    CF_CLOCK_NUMBERS(CF_CLOCK_SHARED)
} cf_clock_shared;
/* clang-format on */

/* For any thread. */
CF_INLINE void cf_clock_read(const cf_clock_shared *shared, cf_clock_report *report)
{
    uint64_t before;
    do {
        do /* acquire, from the last release in cf_clock_publish: numbers as of this sequence or later */
            before = cf_atomic_u64_load_acquire(&shared->sequence);
        while (before & 1);
#define CF_CLOCK_LOAD(name, meaning) report->name = (int64_t)cf_atomic_u64_load_relaxed(&shared->name);
        CF_CLOCK_NUMBERS(CF_CLOCK_LOAD)
        cf_atomic_fence(); /* with the one in cf_clock_publish: a later number shows as a later sequence below */
    } while (cf_atomic_u64_load_relaxed(&shared->sequence) != before);
}

#endif
