/* canal_fast/waveform/sampler.h - edges to bus bits from a SOF to where the bus is idle again, bit by bit.
 *
 * Follows all rules: hard synchronisation only where allowed, resynchronisation, triple sampling, both rates.
 */
#ifndef CANAL_FAST_WAVEFORM_SAMPLER_H
#define CANAL_FAST_WAVEFORM_SAMPLER_H

#include "../wire/decode_stream.h"
#include "timing.h"
#include "tracker.h"

enum {
    CF_WAVE_BITS = 4096,  /* of one stretch; more without an idle bus is no CAN traffic of this rate */
    CF_STUCK_BITS = 32,   /* dominant bits in a row that no flags explain */
    CF_IDLE_BITS = 13,    /* recessive bits in a row after which any bus is idle */
    CF_WAVE_FIELD_BITS = 9 /* fewer recessive ones in a row end neither frame nor delimiter */
};

/* Edges in ticks, rising in time; edges[i] leads to level `level` ^ (i + 1) % 2 */
typedef struct cf_wave_edges {
    const int64_t *ticks;
    int64_t count;
    unsigned level; /* before the first edge */
    int64_t end;    /* the level after the last edge is known up to here, in ticks */
    int final;      /* nothing follows `end` */
} cf_wave_edges;

typedef enum cf_stretch_end {
    CF_STRETCH_IDLE, /* the bus is idle */
    CF_STRETCH_CUT,  /* the wave ends */
    CF_STRETCH_FULL, /* CF_WAVE_BITS and the bus was never idle */
    CF_STRETCH_MORE  /* what follows has to be known first */
} cf_stretch_end;

/* Bits of one stretch. */
typedef struct cf_stretch {
    uint8_t bytes[CF_WAVE_BITS / 8 + 32]; /* packed, MSB first */
    int64_t sample[CF_WAVE_BITS];         /* parts from the SOF's edge to each sample */
    int64_t bits;
    int64_t fast_from, fast_to; /* bits that begin at the data rate */
    int64_t first, next;        /* number of the SOF's edge, and of the first edge that is not part of it */
} cf_stretch;

CF_INLINE unsigned cf_wave_level_after(const cf_wave_edges *e, int64_t edge)
{
    return e->level ^ ((unsigned)(edge + 1) & 1);
}

CF_INLINE const cf_sync_timing *cf_stretch_timing(const cf_stretch *s, const cf_wave_timing *t, int64_t bit)
{
    return bit >= s->fast_from && bit < s->fast_to ? &t->data : &t->nominal;
}

/* Parts from the SOF's edge to the start of bit `bit` (0..bits). */
CF_INLINE int64_t cf_stretch_bit_start(const cf_stretch *s, const cf_wave_timing *t, int64_t bit)
{
    const cf_sync_timing *timing = cf_stretch_timing(s, t, bit < s->bits ? bit : s->bits - 1);
    if (bit < s->bits)
        return s->sample[bit] - timing->sample;
    return s->bits ? s->sample[s->bits - 1] - timing->sample + timing->bit : 0;
}

/* What a node that has read the stretch so far thinks of the bus. */
typedef enum cf_standing { CF_STANDS_INSIDE, CF_STANDS_PAUSING, CF_STANDS_IDLE } cf_standing;

/* Needs a stretch that ends in at least one recessive bit. */
CF_INLINE cf_standing cf_stretch_standing(const cf_stretch *s, cf_units units, int64_t recessive)
{
    const cf_packed bits = {s->bytes, s->bits};
    cf_stream stream = {bits, 0, CF_STREAM_IDLE, units}, before;
    cf_fd_frame record;
    cf_decoded result;
    int64_t start, pause;
    for (;;) {
        before = stream;
        result.status = CF_WIRE_OK;
        if (cf_stream_next(&stream, (cf_frame_head *)&record, sizeof record, &result, &start) != CF_OK ||
            stream.at >= s->bits)
            break;
    }
    if (result.status == CF_WIRE_TRUNCATED)
        return CF_STANDS_INSIDE;
    switch (before.state) {
    case CF_STREAM_INTERMISSION:
        pause = s->bits - before.at;
        break;
    case CF_STREAM_DELIMITER:
        pause = s->bits - before.at - CF_DELIMITER_BITS;
        break;
    case CF_STREAM_IDLE:
        return CF_STANDS_IDLE;
    default: /* hunting for an error flag or an idle bus */
        return recessive >= CF_INTEGRATION_BITS ? CF_STANDS_IDLE : CF_STANDS_INSIDE;
    }
    return pause >= CF_INTERMISSION_BITS - 1 ? CF_STANDS_IDLE : pause >= 1 ? CF_STANDS_PAUSING : CF_STANDS_INSIDE;
}

/* One node that reads a stretch. */
typedef struct cf_sampler {
    const cf_wave_timing *timing;
    const cf_wave_edges *edges;
    cf_sync sync;
    cf_tracker tracker;
    int64_t at;         /* next edge */
    int64_t next;       /* its place in parts; INT64_MAX after the last one */
    unsigned level;     /* before it */
    unsigned recessive; /* bits in a row */
    unsigned dominant;
} cf_sampler;

CF_INLINE void cf_sampler_look(cf_sampler *r, const cf_stretch *s)
{
    const cf_wave_edges *e = r->edges;
    r->next = INT64_MAX;
    if (r->at < e->count)
        r->next = cf_wave_parts(r->timing, e->ticks[r->at] - e->ticks[s->first]);
}

CF_INLINE const cf_sync_timing *cf_sampler_rate(const cf_sampler *r)
{
    return r->tracker.fast ? &r->timing->data : &r->timing->nominal;
}

/* The edge at r->next. Returns 1 where it ends the stretch: a SOF on an idle bus. */
CF_INLINE int cf_sampler_edge(cf_sampler *r, const cf_stretch *s, cf_units units)
{
    const cf_sync_timing *rate = cf_sampler_rate(r);
    cf_standing standing = CF_STANDS_INSIDE;
    if (r->level == 1 && r->sync.armed && r->recessive >= CF_WAVE_FIELD_BITS)
        standing = cf_stretch_standing(s, units, r->recessive);
    if (standing == CF_STANDS_IDLE)
        return 1;
    r->level ^= 1;
    r->at++;
    if (r->timing->rounding) {
        r->sync.sample += (r->next - cf_sync_bit_start(&r->sync, rate)) / 8;
    } else if (r->level == 0 && r->sync.armed) {
        if (standing == CF_STANDS_PAUSING || r->tracker.hard)
            cf_sync_hard(&r->sync, rate, r->next);
        else
            cf_sync_edge(&r->sync, rate, r->next, 0);
    }
    cf_sampler_look(r, s);
    return 0;
}

/* Level `before` parts before the sample, to which all edges have been taken. */
CF_INLINE unsigned cf_sampler_level(const cf_sampler *r, const cf_stretch *s, int64_t before)
{
    const int64_t *ticks = r->edges->ticks;
    unsigned level = r->level;
    int64_t i;
    for (i = r->at; i > s->first; i--) {
        if (cf_wave_parts(r->timing, ticks[i - 1] - ticks[s->first]) <= r->sync.sample - before)
            break;
        level ^= 1;
    }
    return level;
}

CF_INLINE unsigned cf_sampler_value(const cf_sampler *r, const cf_stretch *s)
{
    const int64_t quantum = r->timing->quantum[r->tracker.fast];
    if (!quantum)
        return r->level;
    return r->level + cf_sampler_level(r, s, quantum) + cf_sampler_level(r, s, 2 * quantum) >= 2;
}

/* Appends the sampled bit. */
CF_INLINE void cf_sampler_take(cf_sampler *r, cf_stretch *s, unsigned bit)
{
    const int fast = r->tracker.fast;
    s->sample[s->bits] = r->sync.sample;
    s->bytes[s->bits >> 3] |= (uint8_t)(bit << (7 - (s->bits & 7)));
    s->bits++;
    r->recessive = bit ? r->recessive + 1 : 0;
    r->dominant = bit ? 0 : r->dominant + 1;
    cf_tracker_bit(&r->tracker, bit);
    if (fast != r->tracker.fast) {
        *(fast ? &s->fast_to : &s->fast_from) = s->bits;
        r->sync.sample += fast ? -r->timing->enter : r->timing->enter;
    }
    if (r->tracker.fast)
        s->fast_to = INT64_MAX;
    cf_sync_sampled(&r->sync, cf_sampler_rate(r), bit);
}

/* Reads from the falling edge s->first, at which the bus is idle, to where it is idle again. All else in *s is set. */
CF_INLINE cf_stretch_end cf_stretch_read(cf_stretch *s, const cf_wave_timing *timing, const cf_wave_edges *edges,
                                         cf_units units)
{
    cf_sampler r = {timing, edges, {0, 0}, {CF_TRACK_REST, 0, 0, 0, 0, 0, 0, 0, 0, 0}, s->first + 1, 0, 0, 0, 0};
    const int64_t last = cf_wave_parts(timing, edges->end - edges->ticks[s->first]);
    memset(s->bytes, 0, sizeof s->bytes);
    s->bits = 0;
    s->fast_from = s->fast_to = INT64_MAX;
    cf_tracker_begin(&r.tracker);
    cf_sync_hard(&r.sync, &timing->nominal, timing->offset);
    cf_sampler_look(&r, s);
    while (s->bits < CF_WAVE_BITS) {
        s->next = r.at;
        if (r.next <= r.sync.sample) {
            if (cf_sampler_edge(&r, s, units))
                return CF_STRETCH_IDLE;
            continue;
        }
        if (r.at == edges->count && r.sync.sample >= last)
            return edges->final ? CF_STRETCH_CUT : CF_STRETCH_MORE;
        if (r.dominant >= CF_STUCK_BITS && r.level == 0) {
            if (r.at == edges->count)
                return edges->final ? CF_STRETCH_CUT : CF_STRETCH_MORE;
            r.sync.sample += (r.next - r.sync.sample) / timing->nominal.bit *
                             timing->nominal.bit; /* to the next edge */
        }
        cf_sampler_take(&r, s, cf_sampler_value(&r, s));
        if (r.recessive >= CF_IDLE_BITS) {
            s->next = r.at;
            return CF_STRETCH_IDLE;
        }
    }
    return CF_STRETCH_FULL;
}

#endif
