/* canal_fast/waveform/node.h - a listening node between stretches: where it stands, and how it gets to an idle bus. */
#ifndef CANAL_FAST_WAVEFORM_NODE_H
#define CANAL_FAST_WAVEFORM_NODE_H

#include "plain.h"

enum {
    CF_WAVE_STUCK = 9,       /* status of a row, after those of cf_wire_status */
    CF_WAVE_FIRST_IDLE = 6   /* recessive bits before the first edge: more than any inside a frame before EOF */
};

typedef enum cf_wave_state {
    CF_WAVE_BEGIN,       /* nothing is known but the level */
    CF_WAVE_INTEGRATING, /* waits for 11 recessive bits */
    CF_WAVE_IDLE,        /* edges[at], if there, is a falling edge on an idle bus */
    CF_WAVE_ROWS         /* the stretch may have more rows */
} cf_wave_state;

/* What is told of a row. Columns from `clock_ppm` on are NULL unless asked. */
typedef struct cf_wave_columns {
    uint8_t *status;
    int32_t *bit_index; /* of the trouble, counted from the row's first bit; -1 for none */
    int64_t *start_ns, *end_ns;
    double *clock_ppm, *clock_uncertainty, *margin_ns, *margin_percent;
    int32_t *glitches;
} cf_wave_columns;

typedef struct cf_wave {
    cf_wave_timing timing;
    cf_wave_edges edges;
    cf_units units;
    cf_wave_state state;
    int thorough;          /* never the short way */
    int tentative; /* the bus may not have been idle before this stretch: only a valid frame counts; -1: none */
    int64_t at; /* next edge; all before are done with */
    int64_t second, second_ns; /* tick of a whole second before the last row, and its time */
    int64_t idle_glitches; /* dominant pulses without a sample in them on an idle bus */
    uint64_t reciprocal;
    cf_stream stream;
    cf_stretch_end stretch_end;
    cf_stretch stretch;
    cf_plain plain;
} cf_wave;

/* What was found of one row. */
typedef struct cf_wave_row {
    int status;
    int64_t bit_index, start_ns, end_ns;
    cf_wave_measures measures;
} cf_wave_row;

CF_INLINE void cf_wave_begin(cf_wave *w, const cf_wave_timing *timing, cf_units units)
{
    memset(w, 0, sizeof *w);
    w->timing = *timing;
    w->units = units;
    w->reciprocal = ((uint64_t)1 << CF_PLAIN_SHIFT) / (uint64_t)timing->nominal.bit + 1;
    w->thorough = timing->rounding || timing->quantum[0];
}

/* A tick's time in whole nanoseconds; divides only when the second changes. */
CF_INLINE int64_t cf_wave_time(cf_wave *w, int64_t tick)
{
    const int64_t rest = tick - w->second;
    if (CF_UNLIKELY(rest < 0 || rest >= w->timing.ticks_a_second)) {
        w->second = tick / w->timing.ticks_a_second * w->timing.ticks_a_second;
        w->second_ns = tick / w->timing.ticks_a_second * 1000000000;
        return cf_wave_tick_ns(&w->timing, tick);
    }
    return w->second_ns + (int64_t)((double)rest * w->timing.tick_ns + 0.5);
}

CF_INLINE void cf_wave_unmeasured(cf_wave_measures *m)
{
    memset(m, 0, sizeof *m);
    m->clock_ppm = m->clock_uncertainty = m->margin_ns = m->margin_percent = NAN;
}

/* Time of the edge `number`, or of the end. */
CF_INLINE int64_t cf_wave_edge_time(const cf_wave *w, int64_t number)
{
    return number < w->edges.count ? w->edges.ticks[number] : w->edges.end;
}

CF_INLINE int cf_wave_is_long(const cf_wave *w, int64_t from, int64_t to, int bits)
{
    return cf_wave_parts(&w->timing, to - from) >= bits * w->timing.nominal.bit;
}

/* A dominant run between two edges (or the wave's start) as a row. */
CF_INLINE void cf_wave_stuck(const cf_wave *w, int64_t from, int64_t to, cf_frame_head *head, cf_wave_row *row)
{
    head->flags = CF_FLAG_ERROR_FRAME;
    row->status = CF_WAVE_STUCK;
    row->bit_index = 0;
    row->start_ns = cf_wave_tick_ns(&w->timing, from);
    row->end_ns = cf_wave_tick_ns(&w->timing, to);
    cf_wave_unmeasured(&row->measures);
}

/* Goes to the first falling edge after 11 recessive bits, as good as undisturbed ones: every edge begins the count
 * anew. Returns 1 with a row for a stuck line, 0 without; w->state is CF_WAVE_IDLE when it was found. */
CF_INLINE int cf_wave_integrate(cf_wave *w, cf_frame_head *head, cf_wave_row *row)
{
    const cf_wave_edges *e = &w->edges;
    while (w->at < e->count) {
        const int64_t now = e->ticks[w->at];
        const unsigned level = cf_wave_level_after(e, w->at) ^ 1;
        if (w->at > 0) {
            const int64_t before = e->ticks[w->at - 1];
            if (level && cf_wave_is_long(w, before, now, CF_INTEGRATION_BITS)) {
                w->state = CF_WAVE_IDLE;
                return 0;
            }
            if (!level && cf_wave_is_long(w, before, now, CF_STUCK_BITS)) {
                cf_wave_stuck(w, before, now, head, row);
                w->at++;
                return 1;
            }
        }
        w->at++;
    }
    if (e->final && w->at == e->count && w->at && !cf_wave_level_after(e, w->at - 1)) { /* stuck to the end */
        const int64_t before = e->ticks[w->at - 1];
        w->at++;
        if (cf_wave_is_long(w, before, e->end, CF_STUCK_BITS)) {
            cf_wave_stuck(w, before, e->end, head, row);
            return 1;
        }
    }
    return 0;
}

/* The level before the first edge lasted from `begin` (ticks) on. */
CF_INLINE int cf_wave_first(cf_wave *w, int64_t begin, cf_frame_head *head, cf_wave_row *row)
{
    const int64_t first = cf_wave_edge_time(w, 0);
    w->state = CF_WAVE_INTEGRATING;
    if (w->edges.level && cf_wave_is_long(w, begin, first, CF_WAVE_FIRST_IDLE)) {
        w->state = CF_WAVE_IDLE;
        w->tentative = !cf_wave_is_long(w, begin, first, CF_INTEGRATION_BITS);
    } else if (!w->edges.level && cf_wave_is_long(w, begin, first, CF_STUCK_BITS)) {
        cf_wave_stuck(w, begin, first, head, row);
        w->at = 1;
        return 1;
    } else if (!w->edges.level) {
        w->at = 1;
    }
    return 0;
}

/* A dominant pulse on an idle bus that ends before its sample is no SOF for any node. The first after 11 recessive bits
 * that lasts half a bit is worth a row, though: a SOF cut short. Returns 1 with that row. */
CF_INLINE int cf_wave_short_sof(cf_wave *w, int64_t begin, cf_frame_head *head, cf_wave_row *row)
{
    const int64_t fall = w->edges.ticks[w->at], rise = w->edges.ticks[w->at + 1];
    const int64_t before = w->at ? w->edges.ticks[w->at - 1] : begin;
    w->at += 2;
    w->idle_glitches++;
    if (!cf_wave_is_long(w, before, fall, CF_INTEGRATION_BITS) ||
        2 * cf_wave_parts(&w->timing, rise - fall) < w->timing.nominal.bit)
        return 0;
    head->flags = CF_FLAG_ERROR_FRAME;
    row->status = CF_WIRE_FORM_ERROR;
    row->bit_index = 0;
    row->start_ns = cf_wave_tick_ns(&w->timing, fall);
    row->end_ns = cf_wave_tick_ns(&w->timing, rise);
    cf_wave_unmeasured(&row->measures);
    return 1;
}

#endif
