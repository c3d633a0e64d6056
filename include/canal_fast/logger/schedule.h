/* canal_fast/logger/schedule.h - from the times of a recording to the times at which its frames are due.
 *
 * Frames are due so long after the first as they lie behind it in the recording, divided by the speed. The distance is
 * divided as a whole each time, so that nothing adds up.
 */
#ifndef CANAL_FAST_LOGGER_SCHEDULE_H
#define CANAL_FAST_LOGGER_SCHEDULE_H

#include "../base.h"

#define CF_SCHEDULE_STEP_NS INT64_C(1000000000) /* a time that lies further back: the recorder's clock was set */
#define CF_SCHEDULE_LAST_NS (INT64_MAX / 4)     /* nothing is due later than that */

/* The caller sets the first two; zeros in the rest are the beginning. */
typedef struct cf_schedule {
    double speed;       /* above 0 */
    int64_t gap_max_ns; /* longer distances are shortened to this one */
    int64_t latest_ns;  /* the greatest time since the beginning, or since the clock was set */
    int64_t elapsed_ns; /* of the recording, over all passes, with gaps shortened */
    int64_t pass_ns;    /* elapsed_ns at the beginning of this pass */
    uint64_t frames;    /* of this pass */
    uint64_t gaps, steps;
} cf_schedule;

CF_INLINE void cf_schedule_advance(cf_schedule *schedule, uint64_t distance_ns)
{
    const uint64_t left_ns = (uint64_t)(CF_SCHEDULE_LAST_NS - schedule->elapsed_ns);
    schedule->elapsed_ns += (int64_t)(distance_ns < left_ns ? distance_ns : left_ns);
}

/* When the recording's next frame is due, in ns after the first. Times that decrease by up to a second make it due with
 * the one before; larger steps back are counted, and distances go on from there. */
CF_INLINE int64_t cf_schedule_next(cf_schedule *schedule, int64_t time_ns)
{
    double due_ns;
    if (schedule->frames++ == 0) {
        schedule->latest_ns = time_ns;
    } else if (time_ns > schedule->latest_ns) {
        uint64_t distance_ns = (uint64_t)time_ns - (uint64_t)schedule->latest_ns;
        if (distance_ns > (uint64_t)schedule->gap_max_ns) {
            distance_ns = (uint64_t)schedule->gap_max_ns;
            schedule->gaps++;
        }
        cf_schedule_advance(schedule, distance_ns);
        schedule->latest_ns = time_ns;
    } else if ((uint64_t)schedule->latest_ns - (uint64_t)time_ns > (uint64_t)CF_SCHEDULE_STEP_NS) {
        schedule->latest_ns = time_ns;
        schedule->steps++;
    }
    if (schedule->speed == 1.0)
        return schedule->elapsed_ns;
    due_ns = (double)schedule->elapsed_ns / schedule->speed;
    return due_ns < (double)CF_SCHEDULE_LAST_NS ? (int64_t)due_ns : CF_SCHEDULE_LAST_NS;
}

/* The recording begins anew, as long after its last frame as its frames lie apart on average. */
CF_INLINE void cf_schedule_again(cf_schedule *schedule)
{
    if (schedule->frames > 1)
        cf_schedule_advance(schedule, (uint64_t)(schedule->elapsed_ns - schedule->pass_ns) / (schedule->frames - 1));
    schedule->pass_ns = schedule->elapsed_ns;
    schedule->frames = 0;
}

#endif
