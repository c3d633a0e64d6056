/* virtual_source.h - where a virtual bus's traffic comes from: a seeded generator or a replayed log.
 *
 * Times are whole ticks since the bus was made: nominal bits, or what those of both bit rates are multiples of.
 */
#ifndef VIRTUAL_SOURCE_H
#define VIRTUAL_SOURCE_H

#include "../../../include/canal_fast/system/thread.h"
#include "../../../include/canal_fast/wire/length.h"
#include "virtual_config.h"
#include "virtual_replay.h"

#define VS_NEVER UINT64_MAX

typedef struct vs_pending {
    cf_fd_frame frame; /* timestamp_ns: the 32-bit microsecond stamp, once it is known */
    uint64_t ready;    /* the tick from which on it may be sent; a replayed one arrives then */
    uint32_t ticks;    /* SOF to the last EOF bit */
    uint32_t key;      /* the lower wins arbitration */
} vs_pending;

typedef struct vs_source {
    const vc_config *config;
    vs_pending head; /* valid while ready != VS_NEVER */
    uint64_t random, carry, count, gap; /* gap: from the last frame's ready to the head's, in parts */
    vr_replay *replay; /* NULL: the generator's */
    int64_t first_ns; /* time of the log's first frame */
    int started;
    char error[80]; /* why a replay ended early, or empty */
} vs_source;

/* `value` ticks of 1/from s in ticks of 1/to s, rounded down; exact over any span that fits. */
static uint64_t vs_scale(uint64_t value, uint64_t from, uint64_t to)
{
    return value / from * to + value % from * to / from;
}

/* An error flag on an idle bus, the flags with which the others answer its sixth bit, the delimiter. */
enum { VS_ERROR_BITS = 6 + 6 + 8 };

/* ISO 11898-1:2015, 10.4.2: identifier, then RTR (SRR is recessive), then IDE; dominant wins,
 * and of an error flag all is dominant. */
static uint32_t vs_arbitration_key(const cf_fd_frame *frame)
{
    const uint32_t remote = (frame->flags & CF_FLAG_REMOTE) != 0;
    const uint32_t id = frame->arbitration_id;
    if (!(frame->flags & (CF_FLAG_EXTENDED_ID | CF_FLAG_ERROR_FRAME)))
        return id << 21 | remote << 20;
    return frame->flags & CF_FLAG_ERROR_FRAME ? 0 : id >> 18 << 21 | 3u << 19 | (id & 0x3FFFF) << 1 | remote;
}

static uint32_t vs_length(const vc_config *config, const cf_fd_frame *frame)
{
    const cf_frame_head *head = (const cf_frame_head *)frame;
    cf_shape shape;
    cf_length length;
    if (!(frame->flags & (CF_FLAG_FD | CF_FLAG_ERROR_FRAME)))
        return cf_frame_length_bits((const cf_frame *)frame) * config->bit_ticks;
    if (frame->flags & CF_FLAG_ERROR_FRAME)
        return VS_ERROR_BITS * config->bit_ticks;
    shape = cf_frame_shape(head, sizeof *frame);
    length = cf_length_of(head, shape, CF_LENGTH_EXACT, cf_fd_stuff_bits(head, frame->data, shape));
    return (uint32_t)length.nominal * config->bit_ticks + (uint32_t)length.data * config->data_ticks;
}

static void vs_queue(const vc_config *config, vs_pending *pending, uint64_t ready)
{
    pending->ready = ready;
    pending->ticks = vs_length(config, &pending->frame);
    pending->key = vs_arbitration_key(&pending->frame);
}

/* splitmix64 */
static uint64_t vs_random(vs_source *s)
{
    uint64_t x = s->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

static uint32_t vs_choose(const vc_ranges *ranges, uint64_t random)
{
    uint64_t at = random % ranges->total;
    uint32_t i = 0;
    for (; at > ranges->high[i] - ranges->low[i]; i++)
        at -= (uint64_t)ranges->high[i] - ranges->low[i] + 1;
    return ranges->low[i] + (uint32_t)at;
}

/* Eight bytes, the lowest first. */
static void vs_put64(uint8_t *out, uint64_t value)
{
    unsigned i;
    for (i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

/* Does a share (millionths) take this one, by 20 random bits? */
static int vs_takes(uint64_t random, uint64_t share)
{
    return (random & 0xFFFFF) * 1000000 >> 20 < share;
}

/* CAN FD's flags of a generated frame. */
static uint16_t vs_flexible(const vc_config *config, uint64_t random)
{
    if (!vs_takes(random, config->fd))
        return 0;
    return CF_FLAG_FD | (vs_takes(random >> 20, config->brs) ? CF_FLAG_BITRATE_SWITCH : 0);
}

/* The generator's next frame. Its sequence number stands in the first four payload bytes, little
 * endian, or is the 29-bit identifier of a frame that has no room for it. */
static void vs_generate(vs_source *s)
{
    const vc_config *config = s->config;
    const uint64_t kind = vs_random(s), choice = vs_random(s);
    uint64_t data = vs_random(s);
    const uint16_t flexible = config->fd != 0 ? vs_flexible(config, vs_random(s)) : 0;
    const uint32_t sequence = (uint32_t)s->count;
    cf_fd_frame *frame = &s->head.frame;
    unsigned i, length;
    if (config->frames != 0 && s->count == config->frames) {
        s->head.ready = VS_NEVER;
        return;
    }
    memset(frame, 0, sizeof *frame);
    frame->dlc = (uint8_t)vs_choose(&config->dlc, kind >> 40);
    frame->flags = flexible ? flexible : vs_takes(kind, config->remote) ? CF_FLAG_REMOTE : 0;
    if (vs_takes(kind >> 20, config->ext))
        frame->flags |= CF_FLAG_EXTENDED_ID;
    frame->arbitration_id = vs_choose(frame->flags & CF_FLAG_EXTENDED_ID ? &config->extids : &config->ids, choice);
    length = cf_payload_length(frame->flags, frame->dlc);
    if (length >= 4)
        data = (data & ~UINT64_C(0xFFFFFFFF)) | sequence;
    for (i = 0; i < length; i += 8) {
        if (i != 0)
            data = vs_random(s);
        if (length - i < 8)
            data &= ~(~UINT64_C(0) << 8 * (length - i));
        vs_put64(frame->data + i, data);
    }
    if (length < 4) {
        frame->flags |= CF_FLAG_EXTENDED_ID;
        frame->arbitration_id = sequence & CF_MAX_EXTENDED_ID;
    }
    /* The next frame's distance is load's or rate's exact quotient; remainders are carried on. */
    s->carry += s->gap;
    vs_queue(config, &s->head, s->head.ready + s->carry / (config->load ? config->load : config->rate));
    s->carry %= config->load ? config->load : config->rate;
    s->gap = config->load ? (s->head.ticks + (uint64_t)CF_INTERMISSION_BITS * config->bit_ticks) * 1000000
                          : config->ticks * 1000;
    s->count++;
}

/* The recording's next frame. */
static void vs_read(vs_source *s)
{
    cf_fd_frame *frame = &s->head.frame;
    const char *why;
    const cf_fd_frame *next = vr_next(s->replay, &why);
    uint64_t after_ns;
    if (next == NULL) {
        if (why != NULL)
            snprintf(s->error, sizeof s->error, "replay, after %llu frames: %s", (unsigned long long)s->count, why);
        s->head.ready = VS_NEVER;
        return;
    }
    *frame = *next;
    frame->flags &= CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAG_FD | CF_FLAG_BITRATE_SWITCH | CF_FLAG_TX |
                    CF_FLAG_ERROR_STATE_INDICATOR | CF_FLAG_ERROR_FRAME;
    if (!s->started)
        s->first_ns = frame->timestamp_ns;
    s->started = 1;
    /* Both are differences modulo 2^64, so a log that steps back in time does no harm. */
    after_ns = (uint64_t)frame->timestamp_ns - (uint64_t)s->first_ns;
    frame->timestamp_ns = (int64_t)((uint64_t)((int64_t)after_ns / 1000) + s->config->t0) & UINT32_MAX;
    if (s->config->speed != 0 && (int64_t)after_ns > 0) {
        const uint64_t wait_ns = vs_scale(after_ns, s->config->speed, 1000);
        uint64_t ready = vs_scale(wait_ns, CF_NS_PER_S, s->config->ticks);
        ready += vs_scale(ready, s->config->ticks, CF_NS_PER_S) < wait_ns; /* never before its time */
        if (ready > s->head.ready)
            s->head.ready = ready;
    }
    s->count++;
}

/* Makes the head ready. */
static void vs_next(vs_source *s)
{
    if (s->replay != NULL)
        vs_read(s);
    else if (s->config->load != 0 || s->config->rate != 0)
        vs_generate(s);
    else
        s->head.ready = VS_NEVER;
}

static int vs_open(vs_source *s, const vc_config *config, ct_error *error)
{
    memset(s, 0, sizeof *s);
    s->config = config;
    s->random = config->seed;
    if (config->replay[0] != 0) {
        s->replay = vr_open(config->replay, error);
        if (s->replay == NULL)
            return 0;
    }
    vs_next(s);
    if (s->replay != NULL && s->head.ready == VS_NEVER) {
        vr_close(s->replay);
        return ct_fail(error, "replay=%s: %s", config->replay, s->error[0] ? s->error : "it holds no frame");
    }
    return 1;
}

static void vs_close(vs_source *s)
{
    vr_close(s->replay);
}

/* Did the traffic come to an end? */
static int vs_ended(const vs_source *s)
{
    return s->head.ready == VS_NEVER && s->count != 0;
}

/* Is the head a replayed frame to be handed over as soon as there is room? */
static int vs_floods(const vs_source *s)
{
    return s->replay != NULL && s->config->speed == 0;
}

#endif
