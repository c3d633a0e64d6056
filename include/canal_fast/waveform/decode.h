/* canal_fast/waveform/decode.h - edges to rows: frames, error and overload flags, a stuck line.
 *
 * A listening node with its time base. Frames that are plainly good go the short way (plain.h), all others are sampled
 * bit by bit (sampler.h) and read by the stream decoder of the wire.
 */
#ifndef CANAL_FAST_WAVEFORM_DECODE_H
#define CANAL_FAST_WAVEFORM_DECODE_H

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
    cf_level level;
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

CF_INLINE void cf_wave_begin(cf_wave *w, const cf_wave_timing *timing, cf_level level)
{
    memset(w, 0, sizeof *w);
    w->timing = *timing;
    w->level = level;
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

/* Whether the stretch begins with a valid frame (1) that is acknowledged (2). */
CF_INLINE int cf_wave_holds_frame(const cf_wave *w)
{
    const cf_packed bits = {w->stretch.bytes, w->stretch.bits};
    cf_fd_frame record;
    cf_decoded result;
    memset(&record, 0, sizeof record);
    if (!bits.bits || cf_decode_frame(bits, 0, bits.bits, (cf_frame_head *)&record, sizeof record, &result) != CF_OK)
        return 0;
    return result.valid + (result.valid && result.status != CF_WIRE_NOT_ACKNOWLEDGED);
}

/* Reads the stretch again where runs are rounded: the SOF's edge may lie anywhere in the sample before it, and with two
 * samples a bit only the CRC can tell which way a run of half a bit too much has to be rounded. */
CF_INLINE void cf_wave_try_phases(cf_wave *w)
{
    static const int quarters[] = {0, 1, -1, 2, -2, 0}; /* the last stands if none is good */
    cf_wave_timing timing = w->timing;
    int wanted, i;
    for (wanted = 2; wanted; wanted--) {
        for (i = 0; i < 6; i++) {
            timing.offset = w->timing.quarter * quarters[i];
            w->stretch_end = cf_stretch_read(&w->stretch, &timing, &w->edges, w->level);
            if (cf_wave_holds_frame(w) >= wanted)
                return;
        }
    }
}

/* Samples the stretch whose SOF is edges[at]. */
CF_INLINE cf_stretch_end cf_wave_stretch(cf_wave *w)
{
    cf_stretch *s = &w->stretch;
    s->first = w->at;
    w->stretch_end = cf_stretch_read(s, &w->timing, &w->edges, w->level);
    if (w->stretch_end == CF_STRETCH_MORE)
        return w->stretch_end;
    if (w->timing.rounding && cf_wave_holds_frame(w) < 2)
        cf_wave_try_phases(w);
    w->stream.bits.bytes = s->bytes;
    w->stream.bits.bits = s->bits;
    w->stream.at = 0;
    w->stream.state = CF_STREAM_IDLE;
    w->stream.level = w->level;
    w->state = CF_WAVE_ROWS;
    return w->stretch_end;
}

CF_INLINE void cf_wave_stretch_done(cf_wave *w)
{
    const int wrong = w->tentative < 0; /* the bus was not idle */
    w->at = wrong ? w->at + 1 : w->stretch.next;
    w->state = wrong || w->stretch_end == CF_STRETCH_FULL ? CF_WAVE_INTEGRATING : CF_WAVE_IDLE;
    w->tentative = 0;
}

/* A dominant run of the stretch from bit `from` on. */
CF_INLINE int64_t cf_wave_run(const cf_stretch *s, int64_t from)
{
    const cf_packed bits = {s->bytes, s->bits};
    return cf_find_bit(bits, from, 1) - from;
}

/* The row of a dominant run too long for any flags. */
CF_INLINE void cf_wave_stuck_at(const cf_wave *w, int64_t bit, cf_frame_head *head, cf_wave_row *row)
{
    const cf_stretch *s = &w->stretch;
    const int64_t origin = w->edges.ticks[s->first], from = s->sample[bit];
    const int64_t after = bit + cf_wave_run(s, bit), until = after < s->bits ? s->sample[after] : INT64_MAX;
    int64_t begin = s->first, end;
    while (begin + 1 < s->next && cf_wave_parts(&w->timing, w->edges.ticks[begin + 1] - origin) <= from)
        begin++;
    for (end = begin + 1; end + 1 < s->next; end++) {
        if (cf_wave_parts(&w->timing, w->edges.ticks[end + 1] - origin) > until)
            break;
    }
    cf_wave_stuck(w, w->edges.ticks[begin], after < s->bits ? cf_wave_edge_time(w, end) : w->edges.end, head, row);
}

/* The next row of the stretch; CF_STREAM_END after the last. */
CF_INLINE cf_status cf_wave_stretch_row(cf_wave *w, int columns, cf_frame_head *head, size_t stride, cf_wave_row *row)
{
    const cf_stretch *s = &w->stretch;
    const int64_t origin = cf_wave_tick_ns(&w->timing, w->edges.ticks[s->first]);
    for (;;) {
        cf_decoded result;
        int64_t start, end;
        const cf_status status = cf_stream_next(&w->stream, head, stride, &result, &start);
        if (status != CF_OK)
            return status;
        if (w->tentative && !result.valid) {
            w->tentative = -1;
            return CF_STREAM_END;
        }
        w->tentative = 0;
        if (result.status == CF_WIRE_TRUNCATED && w->stretch_end != CF_STRETCH_CUT)
            return CF_STREAM_END;
        if (cf_wave_run(s, start) >= CF_STUCK_BITS) {
            if (result.status != CF_WIRE_ERROR_FLAG)
                continue; /* the flag follows */
            cf_wave_stuck_at(w, start, head, row);
            return CF_OK;
        }
        end = result.end;
        row->status = result.status;
        row->bit_index = result.bit_index < 0 ? -1 : result.bit_index - start;
        row->start_ns = origin;
        if (start)
            row->start_ns += (int64_t)cf_wave_parts_ns(&w->timing, cf_stretch_bit_start(s, &w->timing, start));
        row->end_ns = origin + (int64_t)cf_wave_parts_ns(&w->timing, cf_stretch_bit_start(s, &w->timing, end));
        if (columns) {
            const int64_t clock_end = result.valid ? end - CF_TAIL_BITS + 1 : start;
            cf_stretch_measure(s, &w->timing, &w->edges, start, end, clock_end, &row->measures);
        }
        return CF_OK;
    }
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

/* The next row into the zeroed record and *row; `begin` is where the wave begins, in ticks. CF_STREAM_END when the
 * edges are used up: of those before w->at nothing is needed any more. CF_FD_IN_CLASSICAL where the record is
 * classical and the frame is not; then the same row comes again. */
CF_INLINE cf_status cf_wave_next(cf_wave *w, int64_t begin, int columns, cf_frame_head *head, size_t stride,
                                 cf_wave_row *row)
{
    const cf_wave_edges *e = &w->edges;
    for (;;) {
        if (w->state == CF_WAVE_ROWS) {
            const cf_stream before = w->stream;
            const cf_status status = cf_wave_stretch_row(w, columns, head, stride, row);
            if (status == CF_FD_IN_CLASSICAL)
                w->stream = before;
            if (status != CF_STREAM_END)
                return status;
            cf_wave_stretch_done(w);
            memset(head, 0, stride);
        }
        if (w->state == CF_WAVE_BEGIN) {
            if (e->count == 0 && !e->final)
                return CF_STREAM_END;
            if (cf_wave_first(w, begin, head, row))
                return CF_OK;
        }
        if (w->state == CF_WAVE_INTEGRATING && cf_wave_integrate(w, head, row))
            return CF_OK;
        if (w->at >= e->count)
            return CF_STREAM_END;
        if (w->at + 1 < e->count && !w->timing.rounding &&
            cf_wave_parts(&w->timing, e->ticks[w->at + 1] - e->ticks[w->at]) <= w->timing.nominal.sample) {
            if (cf_wave_short_sof(w, begin, head, row))
                return CF_OK;
            continue;
        }
        if (!w->thorough && !w->tentative) {
            const int64_t first = w->at;
            if (columns ? cf_plain_read(&w->plain, &w->timing, w->reciprocal, e, first, w->level, 1, head, stride)
                        : cf_plain_read(&w->plain, &w->timing, w->reciprocal, e, first, w->level, 0, head, stride)) {
                row->status = CF_WIRE_OK;
                row->bit_index = -1;
                row->start_ns = cf_wave_time(w, e->ticks[first]);
                row->end_ns = row->start_ns + (int64_t)cf_wave_parts_ns(&w->timing, w->plain.end);
                if (columns)
                    cf_plain_measure(&w->plain, &w->timing, e, first, &row->measures);
                w->at = w->plain.next;
                return CF_OK;
            }
            memset(head, 0, stride);
        }
        if (cf_wave_stretch(w) == CF_STRETCH_MORE)
            return CF_STREAM_END;
    }
}

/* Up to `room` rows; *count tells how many. Less than `room`: the edges are used up. */
CF_INLINE cf_status cf_wave_decode(cf_wave *w, int64_t begin, void *frames, size_t room, size_t stride,
                                   const cf_wave_columns *c, size_t *count)
{
    const int columns = c->clock_ppm != NULL;
    char *at = (char *)frames;
    cf_wave_row row;
    for (*count = 0; *count < room; ++*count, at += stride) {
        const size_t i = *count;
        cf_frame_head *head = (cf_frame_head *)at;
        cf_status status;
        memset(at, 0, sizeof(cf_frame)); /* a size that the compiler knows */
        if (stride > sizeof(cf_frame))
            memset(at + sizeof(cf_frame), 0, stride - sizeof(cf_frame));
        status = cf_wave_next(w, begin, columns, head, stride, &row);
        if (status != CF_OK)
            return status == CF_STREAM_END ? CF_OK : status;
        head->timestamp_ns = row.start_ns;
        c->status[i] = (uint8_t)row.status;
        c->bit_index[i] = (int32_t)row.bit_index;
        c->start_ns[i] = row.start_ns;
        c->end_ns[i] = row.end_ns;
        if (columns) {
            c->clock_ppm[i] = row.measures.clock_ppm;
            c->clock_uncertainty[i] = row.measures.clock_uncertainty;
            c->margin_ns[i] = row.measures.margin_ns;
            c->margin_percent[i] = row.measures.margin_percent;
            c->glitches[i] = row.measures.glitches;
        }
    }
    return CF_OK;
}

#endif
