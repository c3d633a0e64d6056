/* canal_fast/live/clock.h - from a driver's ticks and the host's clock to a frame's time stamp.
 *
 * Ticks are rationals (992187.5 ns = 1984375/2). They are unwrapped by the signed difference to the
 * tick predicted from host time, so that neither an idle hour nor a small step back looks like a
 * wrap. Device time maps to the host's monotonic clock along the line of clock_fit.h, and that to
 * the epoch with the offset frozen at open. The mapping slews toward the line, it never steps; time
 * stamps never decrease. Where the tick is not known, or a few resets of the counter tell that it is not what the
 * profile says, it is found from the next second against the host's clock, whose time the frames get meanwhile. What
 * is done where somebody sets the host's clock is in clock_step.h.
 */
#ifndef CANAL_FAST_LIVE_CLOCK_H
#define CANAL_FAST_LIVE_CLOCK_H

#include "clock_fit.h"
#include "clock_step.h"

#define CF_CLOCK_SLEW 0.0005 /* corrections change the rate by so much at most, */
#define CF_CLOCK_FAST_SLEW 0.5 /* or so much before the fit has settled and from CF_CLOCK_FAR_NS on */
#define CF_CLOCK_FAR_NS INT64_C(1000000)
#define CF_CLOCK_IDLE_NS INT64_C(64000000000) /* after so long without a frame the fit starts anew */
#define CF_CLOCK_JUMP_NS INT64_C(1000000000) /* device time that goes back or ahead so far was reset */
#define CF_CLOCK_RESETS 3 /* so many without a reason: the tick is measured */
#define CF_CLOCK_STEEPEST 0.05 /* a drift above that: the tick is not what it was said to be */

enum {
    CF_CALIBRATE_POINTS = 8,
    CF_CLOCK_EPOCH = 64 /* wrap_bits of time stamps that are nanoseconds since 1970 */
};

typedef struct cf_clock {
    uint32_t tick_num, tick_den; /* ns per tick; 0 / 1: there are no ticks; 0 / 0: their unit is not known */
    uint32_t wrap_bits;      /* 64: time stamps are nanoseconds since 1970 */
    int device;              /* leave device time: stamps count from the device's own zero */
    int64_t epoch_offset_ns; /* added to monotonic time */
    int follow;              /* change that where the host's clock is set; otherwise it stays as it was at open */
    cf_clock_step step;
    int started, fresh;      /* a frame was seen; one was since the last cf_clock_observe */
    int calibrated;          /* the tick was measured */
    int restarted;           /* the counter may have been reset since the last frame */
    int64_t ticks;      /* unwrapped, of the last frame */
    int64_t base_ticks; /* what resets of the device's counter took away */
    int64_t device_ns;  /* of the last frame */
    int64_t host_ns;    /* monotonic, when that frame was read */
    int64_t offset_ns;  /* monotonic - device, in force */
    int64_t settled_ns; /* monotonic time at which the driver was last seen empty */
    int64_t late_ns;    /* how late frames were lately read, at most */
    int64_t last_ns;    /* last stamp given */
    uint64_t frames, resets;
    uint64_t doubts; /* resets since the tick was last measured */
    cf_fit fit;
} cf_clock;

CF_INLINE void cf_clock_init(cf_clock *clock, uint32_t tick_num, uint32_t tick_den, uint32_t wrap_bits, int device,
                             int64_t epoch_offset_ns)
{
    memset(clock, 0, sizeof *clock);
    clock->tick_num = tick_num;
    clock->tick_den = tick_den;
    clock->wrap_bits = wrap_bits;
    clock->device = device && tick_num != 0;
    clock->epoch_offset_ns = epoch_offset_ns;
    clock->last_ns = INT64_MIN;
    clock->step.offset_ns = epoch_offset_ns;
    cf_fit_clear(&clock->fit);
}

/* `raw`, wrap_bits wide (1..32), unwrapped to the value nearest to `predicted`. */
CF_INLINE int64_t cf_unwrap(uint32_t raw, int64_t predicted, uint32_t wrap_bits)
{
    const uint32_t unused = 32 - wrap_bits;
    return predicted + ((int32_t)((raw - (uint32_t)predicted) << unused) >> unused);
}

CF_INLINE int64_t cf_clock_never_back(cf_clock *clock, int64_t stamp_ns)
{
    if (stamp_ns < clock->last_ns)
        stamp_ns = clock->last_ns;
    clock->last_ns = stamp_ns;
    return stamp_ns;
}

CF_INLINE int64_t cf_clock_device_ns(const cf_clock *clock)
{
    return cf_scale(clock->base_ticks + clock->ticks, clock->tick_num, clock->tick_den);
}

/* Maps anew from the frame at hand; the drift stays. */
CF_INLINE void cf_clock_anchor(cf_clock *clock, int64_t device_ns, int64_t host_ns)
{
    cf_fit_clear(&clock->fit);
    clock->device_ns = device_ns;
    clock->offset_ns = host_ns - device_ns;
}

/* Brings the offset nearer to the line, by no more than the time since the last frame allows. */
CF_INLINE void cf_clock_slew(cf_clock *clock, int64_t device_ns)
{
    const int64_t passed_ns = device_ns - clock->device_ns;
    int64_t change_ns, limit_ns;
    double rate;
    if (clock->fit.count == 0 || passed_ns <= 0)
        return;
    clock->device_ns = device_ns;
    change_ns = cf_line_at(&clock->fit.line, device_ns) - clock->offset_ns;
    rate = !clock->fit.settled || change_ns > CF_CLOCK_FAR_NS || change_ns < -CF_CLOCK_FAR_NS
               ? CF_CLOCK_FAST_SLEW
               : CF_CLOCK_SLEW + (clock->fit.line.slope < 0 ? -clock->fit.line.slope : clock->fit.line.slope);
    limit_ns = cf_whole_ns(rate * (double)passed_ns);
    clock->offset_ns += change_ns > limit_ns ? limit_ns : change_ns < -limit_ns ? -limit_ns : change_ns;
}

/* The tick is not what it was said to be: it is to be measured. */
CF_INLINE void cf_clock_distrust(cf_clock *clock)
{
    clock->tick_num = clock->tick_den = 0;
    clock->doubts = 0;
    cf_fit_clear(&clock->fit);
    clock->fit.line.slope = 0.0;
}

/* Unwraps `raw`. A counter that was reset goes on from what was predicted; one that runs ahead of the
 * host's clock was, too, unless device time alone is asked for. */
CF_INLINE void cf_clock_advance(cf_clock *clock, uint32_t raw, int64_t host_ns)
{
    const int64_t passed_ns = host_ns - clock->host_ns;
    int64_t predicted = clock->ticks, device_ns;
    if (passed_ns != 0)
        predicted += cf_scale(passed_ns, clock->tick_den, clock->tick_num);
    clock->ticks = cf_unwrap(raw, predicted, clock->wrap_bits);
    device_ns = cf_clock_device_ns(clock);
    if (CF_UNLIKELY(clock->restarted || device_ns < clock->device_ns - CF_CLOCK_JUMP_NS ||
                    (!clock->device && device_ns + clock->offset_ns > host_ns + CF_CLOCK_JUMP_NS))) {
        clock->resets += !clock->restarted;
        clock->doubts += !clock->restarted;
        clock->restarted = 0;
        clock->ticks = raw;
        clock->base_ticks += predicted - raw;
        device_ns = cf_clock_device_ns(clock);
        cf_clock_anchor(clock, device_ns, host_ns);
        if (clock->doubts >= CF_CLOCK_RESETS && !clock->device)
            cf_clock_distrust(clock);
    } else if (CF_UNLIKELY(device_ns - clock->device_ns > CF_CLOCK_IDLE_NS)) {
        cf_clock_anchor(clock, device_ns, host_ns);
    }
    cf_clock_slew(clock, device_ns);
}

/* Time stamp of a frame with these ticks, read from the driver at about host_ns (monotonic). */
CF_INLINE int64_t cf_clock_stamp(cf_clock *clock, uint32_t raw, int64_t host_ns)
{
    int64_t stamp_ns = host_ns;
    clock->frames++;
    clock->fresh = 1;
    if (clock->wrap_bits < 32)
        raw &= ((uint32_t)1 << clock->wrap_bits) - 1;
    if (!clock->started) {
        clock->ticks = raw;
        if (clock->tick_num != 0)
            cf_clock_anchor(clock, cf_clock_device_ns(clock), host_ns);
    } else if (clock->tick_num != 0) {
        cf_clock_advance(clock, raw, host_ns);
    } else if (clock->tick_den == 0) {
        const int64_t before = clock->ticks;
        clock->ticks = cf_unwrap(raw, before, clock->wrap_bits);
        if (clock->ticks < before) /* reset, or no counter at all */
            cf_fit_clear(&clock->fit);
    }
    clock->started = 1;
    clock->host_ns = host_ns;
    if (clock->tick_num != 0) {
        stamp_ns = cf_clock_device_ns(clock);
        if (clock->device)
            return cf_clock_never_back(clock, stamp_ns);
        stamp_ns += clock->offset_ns;
    }
    return cf_clock_never_back(clock, stamp_ns + clock->epoch_offset_ns);
}

/* Do the driver's time stamps say anything, or may they come to? */
CF_INLINE int cf_clock_ticks(const cf_clock *clock)
{
    return clock->tick_num != 0 || clock->tick_den == 0;
}

/* Where they do not, and a frame was stamped before: what cf_clock_stamp gives for each frame read at about host_ns. */
CF_INLINE int64_t cf_clock_host_stamp(const cf_clock *clock, int64_t host_ns)
{
    const int64_t stamp_ns = host_ns + clock->epoch_offset_ns;
    return stamp_ns < clock->last_ns ? clock->last_ns : stamp_ns;
}

/* So many frames have got that one. */
CF_INLINE void cf_clock_stamped(cf_clock *clock, uint64_t count, int64_t stamp_ns, int64_t host_ns)
{
    if (count == 0)
        return;
    clock->frames += count;
    clock->fresh = 1;
    clock->host_ns = host_ns;
    clock->last_ns = stamp_ns;
}

/* Takes note of the host's clock, which now stands offset_ns ahead of the monotonic one. 1: it was set since the last
 * look. What is stamped after this is stamped by the clock as it is now (`follow`), or as it was at open. */
CF_INLINE int cf_clock_look(cf_clock *clock, int64_t now_ns, int64_t offset_ns)
{
    const int64_t change_ns = cf_clock_step_look(&clock->step, now_ns, offset_ns);
    if (CF_LIKELY(change_ns == 0))
        return 0;
    if (clock->follow && !clock->device) {
        clock->epoch_offset_ns += change_ns;
        if (clock->last_ns != INT64_MIN)
            clock->last_ns += change_ns;
    }
    return 1;
}

/* Time stamp of a frame that the host's kernel stamped, in nanoseconds since 1970, read at about host_ns. Where the
 * frame's time is none of the host's clock (an adapter's own), it goes back only by more than a second. */
CF_INLINE int64_t cf_clock_stamp_epoch(cf_clock *clock, int64_t stamp_ns, int64_t host_ns)
{
    clock->frames++;
    clock->fresh = clock->started = 1;
    if (CF_UNLIKELY(clock->step.count > 0))
        stamp_ns = cf_clock_step_correct(&clock->step, stamp_ns, host_ns, clock->follow);
    if (CF_UNLIKELY(stamp_ns < clock->last_ns && clock->last_ns - stamp_ns > CF_CLOCK_JUMP_NS)) {
        clock->resets++;
        clock->last_ns = stamp_ns;
    }
    return cf_clock_never_back(clock, stamp_ns);
}

/* The device was opened again: its counter may start anew. */
CF_INLINE void cf_clock_restart(cf_clock *clock)
{
    cf_fit_clear(&clock->fit);
    clock->restarted = clock->tick_num != 0;
}

/* The usual unit, num / den ns, that lies within 0.3 % of `ns`; 0 when there is none. */
CF_INLINE int cf_clock_usual_tick(double ns, uint32_t *num, uint32_t *den)
{
    static const uint32_t units[][2] = {{100, 1},    {125, 1},     {500, 1},     {1000, 1},    {10000, 1},
                                        {100000, 1}, {1984375, 2}, {1000000, 1}, {10000000, 1}};
    size_t i;
    for (i = 0; i < sizeof units / sizeof units[0]; i++) {
        const double unit = (double)units[i][0] / units[i][1];
        *num = units[i][0];
        *den = units[i][1];
        if (ns > 0.997 * unit && ns < 1.003 * unit)
            return 1;
    }
    return 0;
}

/* Once the points tell the unit of the ticks: a usual one, or after four seconds the measured one. */
CF_INLINE void cf_clock_calibrate(cf_clock *clock)
{
    cf_fit *fit = &clock->fit;
    const double tick_ns = 1.0 + fit->line.slope; /* so far a tick was taken for 1 ns */
    uint32_t num, den;
    if (!fit->settled || fit->count < CF_CALIBRATE_POINTS)
        return;
    if (!cf_clock_usual_tick(tick_ns, &num, &den)) {
        if (cf_fit_span(fit) < 4 * CF_FIT_SETTLED_NS || !(tick_ns > 10.0 && tick_ns < 1e8) || fit->residual_ns > 1e8)
            return;
        for (den = 1; den < 1024 && tick_ns * den < 1e9; den *= 2)
            ;
        num = (uint32_t)(tick_ns * den + 0.5);
    }
    clock->tick_num = num;
    clock->tick_den = den;
    clock->calibrated = 1;
    fit->settled = 0;
    cf_fit_solve(fit, num, den, 1);
    clock->device_ns = cf_clock_device_ns(clock);
    clock->offset_ns = cf_line_at(&fit->line, clock->device_ns);
}

/* Takes in that the last frame stamped was read before host_ns; once for each run of frames. */
CF_INLINE void cf_clock_observe(cf_clock *clock, int64_t host_ns)
{
    cf_fit *fit = &clock->fit;
    const int known = clock->tick_num != 0;
    const int64_t late_ns = host_ns - clock->settled_ns;
    if (!clock->fresh)
        return;
    clock->fresh = 0;
    clock->late_ns -= clock->late_ns / 64;
    if (late_ns > clock->late_ns)
        clock->late_ns = late_ns;
    if (!known && clock->tick_den != 0)
        return;
    cf_fit_add(fit, clock->base_ticks + clock->ticks, host_ns, known ? clock->tick_num : 1,
               known ? clock->tick_den : 1);
    if (!known) {
        cf_clock_calibrate(clock);
    } else if (fit->settled && !clock->device &&
               (fit->line.slope > CF_CLOCK_STEEPEST || fit->line.slope < -CF_CLOCK_STEEPEST)) {
        cf_clock_distrust(clock);
    }
}

/* Time stamp of a status message. Its ticks are not to be trusted: it came after the driver was last
 * seen empty, and so did every frame behind it. */
CF_INLINE int64_t cf_clock_status_stamp(cf_clock *clock)
{
    int64_t stamp_ns = clock->settled_ns + clock->epoch_offset_ns;
    if (clock->device)
        stamp_ns = clock->started ? clock->settled_ns - clock->offset_ns : 0;
    return cf_clock_never_back(clock, stamp_ns);
}

/* How far a time stamp may be off, as far as can be told: a read delay that never falls below some
 * value looks like offset. */
CF_INLINE int64_t cf_clock_uncertainty(const cf_clock *clock)
{
    const int64_t tick_ns = clock->tick_num == 0 ? 0 : (int64_t)(clock->tick_num / clock->tick_den);
    if (clock->wrap_bits == CF_CLOCK_EPOCH)
        return 0;
    if (!clock->started)
        return CF_CLOCK_JUMP_NS;
    return tick_ns +
           (clock->tick_num != 0 && clock->fit.settled ? cf_whole_ns(clock->fit.residual_ns) + 1000 : clock->late_ns);
}

#endif
