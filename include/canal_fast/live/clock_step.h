/* canal_fast/live/clock_step.h - noticing that somebody sets the host's clock, and by how much.
 *
 * Time since 1970 minus monotonic time stands still but for what sets the clock: NTP on a machine that came up
 * without the time, a person, a virtual machine's host. Where the system steers the two clocks differently (Windows),
 * it creeps; a change by more than creeping explains is a step.
 */
#ifndef CANAL_FAST_LIVE_CLOCK_STEP_H
#define CANAL_FAST_LIVE_CLOCK_STEP_H

#include "../base.h"

#define CF_STEP_LEAST_NS INT64_C(10000000) /* less is taken for uncertainty of the look */
enum { CF_STEP_CREEP = 1000 };             /* one part in so many */
#define CF_STEP_NEAR_NS INT64_C(60000000000) /* a time stamp so near to now is by the host's clock */

typedef struct cf_clock_step {
    int64_t offset_ns; /* time since 1970 - monotonic time, as last looked at */
    int64_t looked_ns; /* monotonic time of that */
    int64_t at_ns;     /* when the clock was last set, by the monotonic clock; */
    int64_t before_ns, after_ns; /* the offset before and after */
    int64_t total_ns; /* of all steps */
    uint64_t count;
} cf_clock_step;

/* By how much the clock was set since the last look; 0: it was not. */
CF_INLINE int64_t cf_clock_step_look(cf_clock_step *step, int64_t now_ns, int64_t offset_ns)
{
    const int64_t change_ns = offset_ns - step->offset_ns, passed_ns = now_ns - step->looked_ns;
    const int64_t creep_ns = step->looked_ns == 0 ? 0 : passed_ns / CF_STEP_CREEP;
    step->looked_ns = now_ns;
    if (CF_LIKELY(change_ns < CF_STEP_LEAST_NS + creep_ns && change_ns > -CF_STEP_LEAST_NS - creep_ns)) {
        step->offset_ns += change_ns > creep_ns ? creep_ns : change_ns < -creep_ns ? -creep_ns : change_ns;
        return 0;
    }
    step->count++;
    step->at_ns = now_ns;
    step->before_ns = step->offset_ns;
    step->offset_ns = step->after_ns = offset_ns;
    step->total_ns += change_ns;
    return change_ns;
}

CF_INLINE int64_t cf_clock_step_distance(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? b_ns - a_ns : a_ns - b_ns;
}

/* A time stamp by the host's clock, read at now_ns (monotonic): in the time of the clock as it is now (`follow`), or
 * as it was before the first step. It may have been made before the last step and read after it. */
CF_INLINE int64_t cf_clock_step_correct(const cf_clock_step *step, int64_t stamp_ns, int64_t now_ns, int follow)
{
    const int64_t to_after_ns = cf_clock_step_distance(stamp_ns, now_ns + step->offset_ns);
    const int64_t to_before_ns = cf_clock_step_distance(stamp_ns, now_ns + step->before_ns);
    const int64_t last_ns = step->after_ns - step->before_ns;
    const int earlier = to_before_ns < to_after_ns;
    if ((earlier ? to_before_ns : to_after_ns) > CF_STEP_NEAR_NS)
        return stamp_ns;
    if (follow)
        return stamp_ns + (earlier ? last_ns : 0);
    return stamp_ns - step->total_ns + (earlier ? last_ns : 0);
}

#endif
