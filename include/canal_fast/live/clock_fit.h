/* canal_fast/live/clock_fit.h - offset and drift between two clocks, the host's and the device's, from late frames.
 *
 * A point is a frame: its device time, and host time of reading - device time. Frames are read after they were stamped,
 * never before, so a point lies above the true offset by the frame's latency. Of each stretch of time the lowest point
 * is kept. The fitted line is the edge, over the mean time of these points, of their lower convex hull: no point is
 * below it, and of all such lines it has the smallest sum of distances. Late frames, however many and however late, do
 * not move it.
 */
#ifndef CANAL_FAST_LIVE_CLOCK_FIT_H
#define CANAL_FAST_LIVE_CLOCK_FIT_H

#include "../base.h"

enum { CF_FIT_POINTS = 64 };
#define CF_FIT_FIRST_NS (INT64_C(1) << 24) /* length of a stretch at first: 17 ms */
#define CF_FIT_LONGEST_NS (INT64_C(1) << 31) /* and at last: 2.1 s, so that the points span 137 s */
#define CF_FIT_SETTLED_NS INT64_C(1000000000) /* no slope is taken from less */
#define CF_FIT_STEADY_NS INT64_C(64000000000) /* points that span so much change the slope only */
#define CF_FIT_STEADY_SLOPE 5e-7 /* by so much at a time: a minute of late frames is no drift */

typedef struct cf_fit_point {
    int64_t ticks, host_ns;
} cf_fit_point;

/* Offsets host - device: offset_ns at device time device_ns, changing by `slope` per ns. */
typedef struct cf_line {
    int64_t device_ns, offset_ns;
    double slope;
} cf_line;

typedef struct cf_fit {
    cf_fit_point points[CF_FIT_POINTS]; /* ticks strictly increase; the last stretch is open */
    size_t count;
    int64_t stretch_ns, opened_ns;
    cf_line line;
    double residual_ns; /* mean distance of the points from the line */
    int settled; /* the slope was taken from the points */
} cf_fit;

/* a * num / den without overflow while the result fits; num and den below 2**31. Rounds toward minus
 * infinity for a >= 0, toward zero below. */
CF_INLINE int64_t cf_scale(int64_t a, uint32_t num, uint32_t den)
{
    return den == 1 ? a * num : a / den * num + a % den * num / den;
}

/* Toward zero, and never out of range: a line through garbage may be steep. */
CF_INLINE int64_t cf_whole_ns(double ns)
{
    return ns > 4e18 ? INT64_C(4000000000000000000) : ns < -4e18 ? -INT64_C(4000000000000000000) : (int64_t)ns;
}

CF_INLINE int64_t cf_line_at(const cf_line *line, int64_t device_ns)
{
    return line->offset_ns + cf_whole_ns(line->slope * (double)(device_ns - line->device_ns));
}

/* The edge, over the mean of x, of the lower hull of `count` (2..CF_FIT_POINTS) points with x strictly
 * increasing: *first and *last are the indexes of its ends. */
CF_INLINE void cf_hull_edge(const double *x, const double *y, size_t count, size_t *first, size_t *last)
{
    size_t hull[CF_FIT_POINTS], size = 0, i;
    double mean = 0.0;
    for (i = 0; i < count; i++) {
        while (size >= 2) {
            const size_t a = hull[size - 2], b = hull[size - 1];
            if ((x[b] - x[a]) * (y[i] - y[a]) > (y[b] - y[a]) * (x[i] - x[a]))
                break;
            size--;
        }
        hull[size++] = i;
        mean += x[i] / (double)count;
    }
    for (i = 1; i + 1 < size && x[hull[i]] <= mean; i++)
        ;
    *first = hull[i - 1];
    *last = hull[i];
}

CF_INLINE void cf_fit_clear(cf_fit *fit)
{
    fit->count = 0;
    fit->stretch_ns = CF_FIT_FIRST_NS;
    fit->settled = 0;
}

CF_INLINE int64_t cf_fit_above(const cf_fit *fit, const cf_fit_point *p, uint32_t num, uint32_t den)
{
    const int64_t device_ns = cf_scale(p->ticks, num, den);
    return p->host_ns - device_ns - cf_line_at(&fit->line, device_ns);
}

CF_INLINE int64_t cf_fit_span(const cf_fit *fit)
{
    return fit->points[fit->count - 1].host_ns - fit->points[0].host_ns;
}

CF_INLINE void cf_fit_turn(cf_fit *fit, double slope)
{
    double change = slope - fit->line.slope;
    if (fit->settled && cf_fit_span(fit) >= CF_FIT_STEADY_NS)
        change = change > CF_FIT_STEADY_SLOPE    ? CF_FIT_STEADY_SLOPE
                 : change < -CF_FIT_STEADY_SLOPE ? -CF_FIT_STEADY_SLOPE
                                                 : change;
    fit->line.slope += change;
    fit->settled = 1;
}

/* The line under the points; with `turn` its slope, too, once they span CF_FIT_SETTLED_NS. */
CF_INLINE void cf_fit_solve(cf_fit *fit, uint32_t num, uint32_t den, int turn)
{
    double x[CF_FIT_POINTS], y[CF_FIT_POINTS], least = 0.0, sum = 0.0;
    const int64_t device_ns = cf_scale(fit->points[0].ticks, num, den);
    const int64_t offset_ns = fit->points[0].host_ns - device_ns;
    size_t i, first, last;
    for (i = 0; i < fit->count; i++) {
        const int64_t at_ns = cf_scale(fit->points[i].ticks, num, den);
        x[i] = (double)(at_ns - device_ns);
        y[i] = (double)(fit->points[i].host_ns - at_ns - offset_ns);
    }
    if (turn && fit->count >= 2 && cf_fit_span(fit) >= CF_FIT_SETTLED_NS) {
        cf_hull_edge(x, y, fit->count, &first, &last);
        cf_fit_turn(fit, (y[last] - y[first]) / (x[last] - x[first]));
    }
    for (i = 0; i < fit->count; i++) {
        const double above = y[i] - fit->line.slope * x[i];
        if (i == 0 || above < least)
            least = above;
        sum += above;
    }
    fit->line.device_ns = device_ns;
    fit->line.offset_ns = offset_ns + cf_whole_ns(least);
    fit->residual_ns = sum / (double)fit->count - least;
}

/* Makes room: halves the number of points by doubling the stretch, or forgets the oldest. */
CF_INLINE void cf_fit_thin(cf_fit *fit, uint32_t num, uint32_t den)
{
    size_t i;
    if (fit->stretch_ns >= CF_FIT_LONGEST_NS) {
        memmove(fit->points, fit->points + 1, --fit->count * sizeof fit->points[0]);
        return;
    }
    fit->stretch_ns *= 2;
    fit->count /= 2;
    for (i = 0; i < fit->count; i++) {
        const cf_fit_point *pair = fit->points + 2 * i;
        fit->points[i] = pair[cf_fit_above(fit, pair + 1, num, den) < cf_fit_above(fit, pair, num, den)];
    }
}

/* Takes in that the frame of these ticks was read at host_ns. */
CF_INLINE void cf_fit_add(cf_fit *fit, int64_t ticks, int64_t host_ns, uint32_t num, uint32_t den)
{
    cf_fit_point point, *open = &fit->points[fit->count > 0 ? fit->count - 1 : 0];
    point.ticks = ticks;
    point.host_ns = host_ns;
    if (fit->count == 0 || (host_ns - fit->opened_ns >= fit->stretch_ns && ticks > open->ticks)) {
        if (fit->count == CF_FIT_POINTS)
            cf_fit_thin(fit, num, den);
        fit->points[fit->count++] = point;
        fit->opened_ns = host_ns;
        cf_fit_solve(fit, num, den, 1);
    } else {
        const int64_t above = cf_fit_above(fit, &point, num, den);
        if (ticks < open->ticks || above >= cf_fit_above(fit, open, num, den))
            return;
        *open = point;
        if (above < 0)
            cf_fit_solve(fit, num, den, 0);
    }
}

#endif
