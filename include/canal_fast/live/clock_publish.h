/* canal_fast/live/clock_publish.h - what a channel's clock knows, told to whoever reads the report. */
#ifndef CANAL_FAST_LIVE_CLOCK_PUBLISH_H
#define CANAL_FAST_LIVE_CLOCK_PUBLISH_H

#include "clock.h"
#include "clock_report.h"

CF_INLINE void cf_clock_tell(const cf_clock *clock, cf_clock_report *report)
{
    report->tick_num = clock->tick_num;
    report->tick_den = clock->tick_den;
    report->wrap_bits = clock->wrap_bits;
    report->calibrated = clock->calibrated;
    report->settled = clock->tick_num != 0 && clock->fit.settled;
    report->offset_ns = clock->offset_ns;
    report->epoch_offset_ns = clock->epoch_offset_ns;
    report->drift_per_e12 = report->settled ? cf_whole_ns((1.0 / (1.0 + clock->fit.line.slope) - 1.0) * 1e12) : 0;
    report->residual_ns = report->settled ? cf_whole_ns(clock->fit.residual_ns) : 0;
    report->uncertainty_ns = cf_clock_uncertainty(clock);
    report->resets = (int64_t)clock->resets;
    report->frames = (int64_t)clock->frames;
    report->steps = (int64_t)clock->step.count;
    report->step_ns = clock->step.count ? clock->step.at_ns + clock->step.after_ns : 0;
    report->step_before_ns = clock->step.before_ns;
    report->step_after_ns = clock->step.after_ns;
}

/* For the thread that owns the clock. */
CF_INLINE void cf_clock_publish(const cf_clock *clock, cf_clock_shared *shared)
{
    const uint64_t sequence = cf_atomic_u64_load_relaxed(&shared->sequence);
    cf_clock_report report;
    cf_clock_tell(clock, &report);
    cf_atomic_u64_store_relaxed(&shared->sequence, sequence + 1);
    cf_atomic_fence(); /* with the one in cf_clock_read: who reads one new number finds another sequence */
#define CF_CLOCK_STORE(name, meaning) cf_atomic_u64_store_relaxed(&shared->name, (uint64_t)report.name);
    CF_CLOCK_NUMBERS(CF_CLOCK_STORE)
    cf_atomic_u64_store_release(&shared->sequence, sequence + 2); /* for the acquire in cf_clock_read */
}

#endif
