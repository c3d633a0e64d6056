/* canal_fast/waveform/measure.h - what a frame's edges tell: the sender's clock, margins, glitches. */
#ifndef CANAL_FAST_WAVEFORM_MEASURE_H
#define CANAL_FAST_WAVEFORM_MEASURE_H

#include <math.h>

#include "sampler.h"

typedef struct cf_wave_measures {
    double clock_ppm;         /* of the sender, above 0 when its bits are short; NaN when unknown */
    double clock_uncertainty; /* ppm, for 95 % of frames */
    double margin_ns;         /* the least time between an edge and a sample; NaN when unknown */
    double margin_percent;    /* of that sample's bit */
    int32_t glitches;         /* pulses without a sample in them */
} cf_wave_measures;

/* Sums for the slope of edge times (ticks) over bits, in groups that have each an intercept of their own. */
typedef struct cf_slope {
    double n, x, t, xx, xt, tt;  /* of the group */
    double count, sxx, sxt, stt; /* of those before, about their means */
} cf_slope;

CF_INLINE void cf_slope_add(cf_slope *s, double bits, double ticks)
{
    s->n += 1;
    s->x += bits;
    s->t += ticks;
    s->xx += bits * bits;
    s->xt += bits * ticks;
    s->tt += ticks * ticks;
}

CF_INLINE void cf_slope_next_group(cf_slope *s)
{
    if (s->n > 0) {
        s->sxx += s->xx - s->x * s->x / s->n;
        s->sxt += s->xt - s->x * s->t / s->n;
        s->stt += s->tt - s->t * s->t / s->n;
        s->count += s->n;
    }
    s->n = s->x = s->t = s->xx = s->xt = s->tt = 0;
}

/* `nominal` ticks a bit. The uncertainty is the larger of two: a sample over the length of the edges, since edges of a
 * clock that hardly drifts against the samples err together, and 2.2 deviations of the slope, for jitter. */
CF_INLINE void cf_slope_end(cf_slope *s, double nominal, double resolution, cf_wave_measures *m)
{
    cf_slope_next_group(s);
    m->clock_ppm = m->clock_uncertainty = NAN;
    if (s->count > 2 && s->sxx > 0 && s->sxt > 0) {
        const double rest = s->stt - s->sxt * s->sxt / s->sxx;
        const double sampling = resolution / sqrt(12 * s->sxx / s->count);
        const double jitter = 2.2 * sqrt((rest > 0 ? rest : 0) / (s->count - 2) / s->sxx);
        m->clock_ppm = (nominal * s->sxx / s->sxt - 1) * 1e6;
        m->clock_uncertainty = 1e6 * (sampling > jitter ? sampling : jitter) / nominal;
    }
}

CF_INLINE void cf_wave_margin(cf_wave_measures *m, const cf_wave_timing *t, int64_t parts, int64_t bit)
{
    m->margin_ns = parts == INT64_MAX ? NAN : cf_wave_parts_ns(t, parts);
    m->margin_percent = parts == INT64_MAX ? NAN : 100.0 * (double)parts / (double)bit;
}

/* Measures bits from..to-1 of a stretch; the clock is that of falling edges of bits below `clock_end`. */
CF_INLINE void cf_stretch_measure(const cf_stretch *s, const cf_wave_timing *t, const cf_wave_edges *e, int64_t from,
                                  int64_t to, int64_t clock_end, cf_wave_measures *m)
{
    const double fast = (double)t->data.bit / (double)t->nominal.bit;
    const double nominal = (double)t->nominal.bit * (double)((uint64_t)1 << t->right) /
                           (double)((uint64_t)1 << t->left);
    cf_slope slope = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    int64_t edge, bit = from, least = INT64_MAX, least_bit = 1, group = 0, last = -1;
    int glitch;
    memset(m, 0, sizeof *m);
    for (edge = s->first; edge < s->next; edge++) {
        const int64_t ticks = e->ticks[edge] - e->ticks[s->first], at = cf_wave_parts(t, ticks);
        const unsigned level = cf_wave_level_after(e, edge);
        int64_t side;
        while (bit < to && s->sample[bit] < at)
            bit++;
        for (side = bit - 1; side <= bit; side++) { /* the samples before and after the edge */
            const int64_t away = side < from || side >= to ? INT64_MAX : s->sample[side] - at;
            const int64_t parts = away < 0 ? -away : away;
            if (parts < least) {
                least = parts;
                least_bit = cf_stretch_timing(s, t, side)->bit;
            }
        }
        if (bit == to)
            break;
        m->glitches += bit == last;
        glitch = bit == last ||
                 (edge + 1 < s->next && cf_wave_parts(t, e->ticks[edge + 1] - e->ticks[s->first]) <= s->sample[bit]);
        last = bit;
        if (level == 0 && !glitch && bit < clock_end && at >= (from ? s->sample[from - 1] : 0)) {
            const int64_t now = bit < s->fast_from ? 0 : bit < s->fast_to ? 1 : 2;
            if (now != group)
                cf_slope_next_group(&slope);
            group = now;
            cf_slope_add(&slope, now == 1 ? (double)(bit - s->fast_from) * fast : (double)bit, (double)ticks);
        }
    }
    cf_wave_margin(m, t, least, least_bit);
    cf_slope_end(&slope, nominal, t->resolution, m);
}

#endif
