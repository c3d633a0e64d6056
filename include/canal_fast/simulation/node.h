/* canal_fast/simulation/node.h - one controller: its state, and what is between frames: flags, delimiters, idle, off.
 *
 * A node is stepped once a bit (node_step.h): it drives `drive` in the coming bit, samples a level, and by that
 * becomes what it is in the next. 0 is dominant, 1 recessive.
 */
#ifndef CANAL_FAST_SIMULATION_NODE_H
#define CANAL_FAST_SIMULATION_NODE_H

#include "../filter.h"
#include "../wire/encode.h"
#include "event.h"
#include "queue.h"
#include "record.h"

enum { CF_NODE_WIRE_BYTES = (CF_MAX_FRAME_BITS + 7) / 8 + 16 };

/* What counts errors and sends flags is below CF_MODE_RESTRICTED. */
typedef enum cf_node_mode {
    CF_MODE_NORMAL = 0,
    CF_MODE_SELF_TEST = 1,   /* a missing ACK is no error */
    CF_MODE_RESTRICTED = 2,  /* acknowledges; sends no frames and no flags, counts nothing, integrates after errors */
    CF_MODE_LISTEN_ONLY = 3  /* drives nothing at all */
} cf_node_mode;

typedef enum cf_node_fd {
    CF_FD_ENABLED = 0,
    CF_FD_TOLERANT = 1, /* a recessive FDF is a protocol exception */
    CF_FD_CLASSICAL = 2 /* takes FDF for r0 or r1 */
} cf_node_fd;

enum { CF_REGION_REST = 0, CF_REGION_STUFFED = 1, CF_REGION_FIXED = 2 };

typedef struct cf_node_options {
    uint8_t mode;               /* cf_node_mode */
    uint8_t fd;                 /* cf_node_fd */
    uint8_t fd_ack_bits;        /* ACK slot of FD frames: 1, and a second dominant bit is taken; 2: always two bits */
    uint8_t protocol_exception; /* FD enabled, recessive res: 1 protocol exception, 0 form error */
    uint8_t on_request;         /* 1: comes back from bus off only when asked, and its requests are gone */
    uint8_t integrate;          /* 1: begins by waiting for 11 recessive bits, 0: begins idle */
} cf_node_options;

/* Frames begun on a bus: what several nodes see begin in one bit is one. */
typedef struct cf_starts {
    int64_t bit; /* of the last SOF; far below 0: none */
    int64_t apart; /* a SOF of another frame comes more than so many bits later; 0: all nodes are in step */
    uint64_t frames;
} cf_starts;

typedef struct cf_node {
    uint8_t drive;       /* level in the coming bit */
    uint8_t fast;        /* 1: the coming bit is at the data rate */
    uint8_t region;      /* CF_REGION_... of the coming bit */
    uint8_t field;       /* cf_bus_place of the coming bit */
    uint8_t sending;     /* 1: drives its frame's bits */
    uint8_t transmitter; /* 1: until the next SOF not its own, or lost arbitration */
    uint8_t before;      /* field that the last bit of the stuffed region belonged to */
    uint8_t group;       /* FD CRC: bits to the next fixed stuff bit */
    uint16_t left;       /* stuffed region: bits left in the field, or in the data byte */
    uint16_t index;      /* elsewhere: number of the coming bit in its field, from 1 */
    uint16_t sent_bits;  /* of the own frame */
    uint16_t wire_bits;  /* that it has, SOF to the last EOF bit, with one ACK bit */
    uint64_t raw;        /* bits as sampled, the last lowest */
    uint64_t plain;      /* without stuff bits */
    cf_sink *sink;       /* NULL: nothing is recorded */
    /* of the frame */
    uint32_t stuffed;    /* dynamic stuff bits */
    uint32_t unsummed;   /* raw bits that the CRC lacks */
    uint32_t crc;
    uint32_t arbitration_id;
    uint8_t extended, remote, fd, brs, esi, dlc;
    uint8_t bytes, size; /* of the payload: read, in all */
    uint8_t good;        /* the CRC sequence agrees */
    uint8_t acked;       /* dominant ACK slot */
    uint8_t late;        /* passive flag after a missing ACK: no dominant bit so far */
    uint8_t run_level;   /* passive flag: level of the run */
    uint8_t recovering;  /* off: 11 recessive bits count */
    uint8_t told_state;  /* last STATE event */
    uint16_t sequences;  /* off: of 11 recessive bits, complete */
    uint16_t id;         /* number on the bus */
    cf_error_counters counters;
    cf_node_options options;
    uint32_t request; /* row of the queue that is being sent, or CF_BUS_QUEUE_NONE */
    cf_bus_queue queue;
    const cf_filter *filters; /* the caller's; of received frames */
    size_t filter_count;
    uint64_t sent, received; /* frames */
    cf_starts *starts;       /* the bus's, or NULL */
    uint8_t data[CF_FD_DATA];
    uint8_t wire[CF_NODE_WIRE_BYTES];
} cf_node;

CF_INLINE unsigned cf_node_is_off(const cf_node *n)
{
    return n->field == CF_BUS_PLACE_BUS_OFF;
}

CF_INLINE cf_node_state cf_node_state_of(const cf_node *n)
{
    return cf_node_is_off(n) ? CF_NODE_BUS_OFF : cf_counters_state(n->counters);
}

CF_INLINE unsigned cf_node_counts(const cf_node *n)
{
    return n->options.mode < CF_MODE_RESTRICTED;
}

/* Field and number in it of the last bit of the stuffed region, `n` being past it. */
CF_INLINE void cf_node_before(const cf_node *n, unsigned *field, unsigned *index)
{
    *field = n->before;
    *index = n->before == CF_BUS_PLACE_DATA  ? 8u * n->bytes
             : n->before == CF_BUS_PLACE_CRC ? 15
                                             : cf_bus_place_of(n->before)->bits;
}

/* Field and number in it of the coming bit; returns 1 where that is a dynamic stuff bit, 2 a fixed one. */
CF_INLINE unsigned cf_node_place(const cf_node *n, unsigned *field, unsigned *index)
{
    const unsigned run = (unsigned)n->raw & 31;
    const unsigned due = n->region == CF_REGION_STUFFED && (run == 0 || run == 31);
    const unsigned width = n->field == CF_BUS_PLACE_DATA  ? 8
                           : n->field == CF_BUS_PLACE_CRC ? 15
                                                          : cf_bus_place_of(n->field)->bits;
    *field = n->field;
    *index = n->index;
    if (n->region == CF_REGION_FIXED) {
        const unsigned crc_bits = n->size > CF_FD_CRC17_BYTES ? 21 : 17;
        *index = (n->field == CF_BUS_PLACE_CRC ? crc_bits : crc_bits + 4) - n->left + 1;
        return n->group == 0 ? 2 : 0;
    }
    if (n->region == CF_REGION_STUFFED) {
        if (due && n->left == width) {
            cf_node_before(n, field, index);
        } else {
            *index = width - n->left + !due + (n->field == CF_BUS_PLACE_DATA ? 8u * n->bytes : 0);
        }
    }
    return due;
}

CF_INLINE void cf_node_push(cf_node *n, cf_bus_event_kind kind, unsigned state, unsigned field, unsigned index)
{
    cf_sink *s = n->sink;
    cf_bus_event spare, *e = &spare;
    if (s->event_count < s->event_room)
        e = &s->events[s->event_count++];
    else
        s->lost += s->event_room != 0;
    e->timestamp_ns = cf_sink_ns(s);
    e->bit = s->bit;
    e->arbitration_id = n->arbitration_id;
    e->field_bit = (uint16_t)index;
    e->tec = n->counters.tec;
    e->rec = n->counters.rec;
    e->node = (uint8_t)n->id;
    e->event = (uint8_t)kind;
    e->field = (uint8_t)field;
    e->state = (uint8_t)state;
    e->transmitter = n->transmitter;
    e->driven = n->drive;
    if (s->frame_room)
        cf_sink_log(s, e);
}

/* Does nobody record such an event? Loggers write errors and changes of state only. */
CF_INLINE int cf_node_silent(const cf_node *n, cf_bus_event_kind kind)
{
    return n->sink == NULL ||
           (n->sink->event_room == 0 && (kind < CF_BUS_EVENT_BIT_ERROR || kind > CF_BUS_EVENT_ACK_ERROR) &&
            n->told_state == (unsigned)cf_counters_state(n->counters));
}

/* Records an event of the bit in (field, index), and a change of state behind it. */
CF_INLINE void cf_node_tell_at(cf_node *n, cf_bus_event_kind kind, unsigned field, unsigned index)
{
    unsigned state;
    if (cf_node_silent(n, kind))
        return;
    state = cf_counters_state(n->counters);
    cf_node_push(n, kind, state, field, index);
    if (state != n->told_state) {
        n->told_state = (uint8_t)state;
        cf_node_push(n, CF_BUS_EVENT_STATE, state, field, index);
    }
}

/* The same, before the node moves on: the bit just sampled is the one it stands in. */
CF_INLINE void cf_node_tell(cf_node *n, cf_bus_event_kind kind)
{
    unsigned field, index;
    if (cf_node_silent(n, kind))
        return;
    cf_node_place(n, &field, &index);
    cf_node_tell_at(n, kind, field, index);
}

/* Into a field outside the stuffed region, at its first bit, driving `drive`. */
CF_INLINE void cf_node_enter(cf_node *n, cf_bus_place field, unsigned drive)
{
    n->region = CF_REGION_REST;
    n->field = (uint8_t)field;
    n->index = 1;
    n->drive = (uint8_t)drive;
    n->sending = 0;
    n->fast = 0;
}

CF_INLINE void cf_node_abandon(cf_node *n)
{
    cf_bus_queue_drop(&n->queue, n->request);
    n->request = CF_BUS_QUEUE_NONE;
    cf_node_tell(n, CF_BUS_EVENT_ABANDONED);
}

/* The request that is being sent, if there is one, ends (one shot) or waits for the next chance. */
CF_INLINE void cf_node_give_back(cf_node *n)
{
    if (n->request == CF_BUS_QUEUE_NONE)
        return;
    if (n->queue.rows[n->request].options & CF_REQUEST_ONE_SHOT) {
        cf_node_abandon(n);
    } else {
        cf_bus_queue_ready(&n->queue, n->request);
        n->request = CF_BUS_QUEUE_NONE;
    }
}

/* Rule j. A node that only its host brings back loses its requests, as a controller under reset does. */
CF_INLINE void cf_node_go_off(cf_node *n, int64_t bit)
{
    cf_node_give_back(n);
    n->transmitter = 0;
    cf_node_tell(n, CF_BUS_EVENT_BUS_OFF);
    if (n->options.on_request) {
        cf_bus_queue_due(&n->queue, bit);
        while (n->queue.ready) {
            n->request = cf_bus_queue_take(&n->queue);
            cf_node_abandon(n);
        }
    }
    cf_node_enter(n, CF_BUS_PLACE_BUS_OFF, 1);
    n->recovering = !n->options.on_request;
    n->sequences = 0;
}

/* A flag that the error found in this bit asks for; `passive` is the state before it counted. */
CF_INLINE void cf_node_flag(cf_node *n, unsigned passive, unsigned late, int64_t bit)
{
    if (CF_UNLIKELY(n->counters.tec >= CF_BUS_OFF_LIMIT)) {
        cf_node_go_off(n, bit);
        return;
    }
    cf_node_enter(n, passive ? CF_BUS_PLACE_PASSIVE_FLAG : CF_BUS_PLACE_ACTIVE_FLAG, passive);
    n->late = (uint8_t)late;
    n->run_level = 2;
}

/* An error of this kind in the bit just sampled. `exempt`: exception c (2). */
CF_INLINE void cf_node_error(cf_node *n, cf_bus_event_kind kind, unsigned exempt, int64_t bit)
{
    const unsigned passive = cf_counters_passive(n->counters);
    const unsigned late = kind == CF_BUS_EVENT_ACK_ERROR && passive;
    if (!cf_node_counts(n)) {
        cf_node_tell(n, kind);
        n->transmitter = 0;
        cf_node_enter(n, CF_BUS_PLACE_INTEGRATING, 1);
        return;
    }
    n->counters = cf_counters_error(n->counters, n->transmitter, exempt || late);
    cf_node_tell(n, kind);
    cf_node_give_back(n);
    cf_node_flag(n, passive, late, bit);
}

/* A bit error in the own active error flag or overload flag. */
CF_INLINE void cf_node_flag_disturbed(cf_node *n, int64_t bit)
{
    const unsigned passive = cf_counters_passive(n->counters);
    n->counters = cf_counters_eight(n->counters, n->transmitter);
    cf_node_tell(n, CF_BUS_EVENT_BIT_ERROR);
    cf_node_flag(n, passive, 0, bit);
}

CF_INLINE void cf_node_overload(cf_node *n)
{
    if (cf_node_counts(n)) {
        cf_node_tell(n, CF_BUS_EVENT_OVERLOAD);
        cf_node_enter(n, CF_BUS_PLACE_OVERLOAD_FLAG, 0);
    } else {
        n->transmitter = 0;
        cf_node_enter(n, CF_BUS_PLACE_INTEGRATING, 1);
    }
}

/* Eight for dominant bits in or behind the flag. Returns 1 when that was too much. */
CF_INLINE int cf_node_eight(cf_node *n, int64_t bit)
{
    n->counters = cf_counters_eight(n->counters, n->transmitter);
    cf_node_tell(n, CF_BUS_EVENT_DOMINANT);
    if (CF_LIKELY(n->counters.tec < CF_BUS_OFF_LIMIT))
        return 0;
    cf_node_go_off(n, bit);
    return 1;
}

/* Everything at rest; requests go to `queue` later (cf_bus_queue_init). Needs zeroed or any memory. */
CF_INLINE void cf_node_init(cf_node *n, unsigned id, cf_node_options options, cf_error_counters counters)
{
    memset(n, 0, sizeof *n);
    n->id = (uint16_t)id;
    n->options = options;
    n->counters = counters;
    n->request = CF_BUS_QUEUE_NONE;
    n->told_state = (uint8_t)cf_counters_state(counters);
    cf_bus_queue_init(&n->queue, NULL, NULL, 0, 0);
    if (counters.tec >= CF_BUS_OFF_LIMIT) {
        cf_node_enter(n, CF_BUS_PLACE_BUS_OFF, 1);
        n->recovering = !options.on_request;
    } else {
        cf_node_enter(n, options.integrate ? CF_BUS_PLACE_INTEGRATING : CF_BUS_PLACE_IDLE, 1);
    }
}

/* A node that is not there: drives nothing, takes no part, comes back by cf_node_init only. Its queue is the
 * caller's. */
CF_INLINE void cf_node_detach(cf_node *n)
{
    cf_node_enter(n, CF_BUS_PLACE_BUS_OFF, 1);
    n->recovering = 0;
    n->transmitter = 0;
    n->request = CF_BUS_QUEUE_NONE;
    n->sink = NULL;
}

/* The host asks a node that is off to come back: rule l begins to count with the coming bit. */
CF_INLINE void cf_node_recover(cf_node *n)
{
    n->recovering = 1;
}

#endif
