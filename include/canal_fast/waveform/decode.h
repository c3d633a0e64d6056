/* canal_fast/waveform/decode.h - edges to rows: frames, error and overload flags, a stuck line.
 *
 * A listening node with its time base. Frames that are plainly good go the short way (plain.h), all others are sampled
 * bit by bit (sampler.h) and read by the stream decoder of the wire.
 */
#ifndef CANAL_FAST_WAVEFORM_DECODE_H
#define CANAL_FAST_WAVEFORM_DECODE_H

#include "node.h"

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
            w->stretch_end = cf_stretch_read(&w->stretch, &timing, &w->edges, w->units);
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
    w->stretch_end = cf_stretch_read(s, &w->timing, &w->edges, w->units);
    if (w->stretch_end == CF_STRETCH_MORE)
        return w->stretch_end;
    if (w->timing.rounding && cf_wave_holds_frame(w) < 2)
        cf_wave_try_phases(w);
    w->stream.bits.bytes = s->bytes;
    w->stream.bits.bits = s->bits;
    w->stream.at = 0;
    w->stream.state = CF_STREAM_IDLE;
    w->stream.units = w->units;
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
            if (columns ? cf_plain_read(&w->plain, &w->timing, w->reciprocal, e, first, w->units, 1, head, stride)
                        : cf_plain_read(&w->plain, &w->timing, w->reciprocal, e, first, w->units, 0, head, stride)) {
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
