/* canal_fast/simulation/bus_frames.h - whole frames and idle stretches at once, where bit by bit gives the same.
 *
 * That is so when all nodes are idle or at a SOF, error active, understand the frame alike, one wins arbitration alone
 * and no fault comes before its end. Events, counters, frames and levels are those of the bits.
 */
#ifndef CANAL_FAST_SIMULATION_BUS_FRAMES_H
#define CANAL_FAST_SIMULATION_BUS_FRAMES_H

#include "../wire/length.h"
#include "bus.h"

/* What goes over the bus at once. */
typedef struct cf_bus_frame {
    cf_node *winner;
    int64_t bits;      /* SOF to the last EOF bit */
    int64_t data_bits; /* of them, at the data rate */
    int64_t ack;       /* number of the ACK slot's first bit in the frame */
    unsigned acked;
    unsigned losers;
} cf_bus_frame;

/* A node that nothing on the bus concerns: off until its host asks. */
CF_INLINE int cf_node_inert(const cf_node *n)
{
    return n->field == CF_BUS_PLACE_BUS_OFF && !n->recovering;
}

/* Who wins, and is it a case for this header? */
CF_INLINE int cf_bus_frame_winner(const cf_bus *b, cf_bus_frame *f)
{
    uint32_t best = 0, key;
    unsigned i, tie = 0, senders = 0;
    f->winner = NULL;
    for (i = 0; i < b->count; i++) {
        cf_node *n = &b->nodes[i];
        if (cf_node_inert(n))
            continue;
        if ((n->field != CF_BUS_PLACE_IDLE && n->field != CF_BUS_PLACE_SOF) || cf_counters_passive(n->counters))
            return 0;
        if (n->field == CF_BUS_PLACE_IDLE)
            continue;
        key = n->queue.rows[n->request].key;
        senders++;
        if (f->winner == NULL || key < best) {
            best = key;
            tie = 0;
            f->winner = n;
        } else {
            tie |= key == best;
        }
    }
    f->losers = senders - 1;
    return f->winner != NULL && !tie;
}

/* Do all nodes take the frame for the same bits, and how many are they? */
CF_INLINE int cf_bus_frame_fits(const cf_bus *b, cf_bus_frame *f, int64_t until)
{
    const cf_node *w = f->winner;
    const cf_frame_head *head = (const cf_frame_head *)&w->queue.rows[w->request].frame;
    const cf_shape shape = cf_frame_shape(head, sizeof(cf_fd_frame));
    const size_t most = (size_t)b->count * CF_BUS_EVENTS_A_BIT;
    const cf_sink *s = b->sink;
    unsigned i;
    f->acked = 0;
    for (i = 0; i < b->count; i++) {
        const cf_node *n = &b->nodes[i];
        if (cf_node_inert(n))
            continue;
        if (shape.fd && (n->options.fd != CF_FD_ENABLED || n->options.fd_ack_bits != w->options.fd_ack_bits))
            return 0;
        f->acked |= n != w && n->options.mode != CF_MODE_LISTEN_ONLY;
    }
    if (!f->acked && w->options.mode != CF_MODE_SELF_TEST)
        return 0;
    f->ack = w->wire_bits - 9;
    f->bits = w->wire_bits + (shape.fd && w->options.fd_ack_bits == 2);
    f->data_bits = 0;
    if (b->flexible && (head->flags & CF_FLAG_BITRATE_SWITCH))
        f->data_bits =
            cf_length_of(head, shape, CF_LENGTH_EXACT, w->wire_bits - cf_shape_region(shape) - shape.fixed_bits).data;
    return b->bit + f->bits <= until && (b->bits == NULL || b->bit + f->bits - b->bits_from <= b->bits_room) &&
           (s == NULL || ((!s->event_room || s->event_room - s->event_count >= most) &&
                          (!s->frame_room || s->frame_room - s->frame_count >= most)));
}

/* SOF, and the arbitration of those who lose it. */
CF_INLINE void cf_bus_frame_arbitration(cf_bus *b, cf_bus_frame *f)
{
    const uint8_t *wire = f->winner->wire;
    unsigned losers = f->losers, i;
    int64_t k;
    for (k = 0; k == 0 || losers; k++) {
        const unsigned level = wire[k >> 3] >> (7 - (k & 7)) & 1;
        if (b->sink != NULL) {
            b->sink->bit = b->bit + k;
            b->sink->data_bits = b->data_bits;
        }
        for (i = 0; i < b->count; i++) {
            cf_node *n = &b->nodes[i];
            const unsigned sent = n->sending;
            if (cf_node_inert(n) || (k && (!sent || n == f->winner)))
                continue;
            cf_node_step(n, level, b->bit + k);
            losers -= sent && !n->sending;
        }
    }
}

/* A receiver reads what the winner sent. */
CF_INLINE void cf_bus_frame_copy(cf_node *n, const cf_frame_head *head, const uint8_t *data)
{
    n->arbitration_id = head->arbitration_id;
    n->dlc = head->dlc;
    n->extended = (head->flags & CF_FLAG_EXTENDED_ID) != 0;
    n->remote = (head->flags & CF_FLAG_REMOTE) != 0;
    n->fd = (head->flags & CF_FLAG_FD) != 0;
    n->brs = (head->flags & CF_FLAG_BITRATE_SWITCH) != 0;
    n->esi = (head->flags & CF_FLAG_ERROR_STATE_INDICATOR) != 0;
    n->size = (uint8_t)cf_payload_length(head->flags, head->dlc);
    n->good = 1;
    n->region = CF_REGION_REST;
    n->fast = 0;
    n->sending = 0;
    memcpy(n->data, data, n->size);
}

/* Sets the clock of the records to bit `k` behind the data phase. */
CF_INLINE void cf_bus_frame_now(cf_bus *b, const cf_bus_frame *f, int64_t k)
{
    if (b->sink == NULL)
        return;
    b->sink->bit = b->bit + k;
    b->sink->data_bits = b->data_bits + f->data_bits;
}

CF_INLINE void cf_bus_frame_bits(cf_bus *b, const cf_bus_frame *f)
{
    uint8_t *to = b->bits + (b->bit - b->bits_from);
    const uint8_t *wire = f->winner->wire;
    int64_t k;
    for (k = 0; k < f->ack; k++)
        to[k] = wire[k >> 3] >> (7 - (k & 7)) & 1;
    to[k++] = (uint8_t)!f->acked;
    for (; k < f->bits; k++)
        to[k] = 1;
}

/* The intermission behind it, where it ends before `until`; nobody is suspended. */
CF_INLINE void cf_bus_frame_intermission(cf_bus *b, int64_t until)
{
    const int64_t end = b->bit + CF_INTERMISSION_BITS;
    unsigned i;
    if (end > until || (b->bits != NULL && end > b->bits_from + b->bits_room))
        return;
    if (b->bits != NULL)
        memset(b->bits + (b->bit - b->bits_from), 1, CF_INTERMISSION_BITS);
    for (i = 0; i < b->count; i++)
        if (!cf_node_inert(&b->nodes[i]))
            cf_node_rest(&b->nodes[i], end);
    b->bit = end;
}

/* The whole frame. */
CF_INLINE void cf_bus_frame_go(cf_bus *b, cf_bus_frame *f)
{
    cf_node *w = f->winner;
    const cf_fd_frame frame = w->queue.rows[w->request].frame;
    unsigned i;
    if (b->bits != NULL)
        cf_bus_frame_bits(b, f);
    cf_bus_frame_arbitration(b, f);
    cf_bus_frame_now(b, f, f->ack);
    for (i = 0; i < b->count; i++) {
        cf_node *n = &b->nodes[i];
        if (cf_node_inert(n))
            continue;
        cf_bus_frame_copy(n, (const cf_frame_head *)&frame, frame.data);
        cf_node_move(n, CF_BUS_PLACE_ACK_SLOT, 1);
        n->drive = n == w || n->options.mode == CF_MODE_LISTEN_ONLY;
        if (n != w)
            cf_node_acknowledge(n, !f->acked, b->bit + f->ack);
    }
    cf_bus_frame_now(b, f, f->bits - 2);
    for (i = 0; i < b->count; i++) {
        cf_node *n = &b->nodes[i];
        if (cf_node_inert(n) || n == w)
            continue;
        cf_node_move(n, CF_BUS_PLACE_END_OF_FRAME, 6);
        cf_node_received(n);
        cf_node_move(n, CF_BUS_PLACE_INTERMISSION, 1);
    }
    cf_bus_frame_now(b, f, f->bits - 1);
    cf_node_move(w, CF_BUS_PLACE_END_OF_FRAME, 7);
    cf_node_sent(w);
    cf_node_move(w, CF_BUS_PLACE_INTERMISSION, 1);
    b->bit += f->bits;
    b->data_bits += f->data_bits;
}

/* Sends the frame that begins in the coming bit, whose level is dominant, to its end. Returns 0, and does nothing,
 * where it must go bit by bit. */
CF_INLINE int cf_bus_whole_frame(cf_bus *b, int64_t until)
{
    cf_bus_frame f;
    if (b->driven != NULL || !cf_bus_frame_winner(b, &f) || !cf_bus_frame_fits(b, &f, until))
        return 0;
    cf_bus_frame_go(b, &f);
    cf_bus_frame_intermission(b, until);
    return 1;
}

/* Bits, up to `until`, for which an idle bus stays so, the coming one included. */
CF_INLINE int64_t cf_bus_idle_bits(const cf_bus *b, int64_t until)
{
    unsigned i;
    for (i = 0; i < b->count; i++) {
        const cf_node *n = &b->nodes[i];
        if (cf_node_inert(n))
            continue;
        if (n->field != CF_BUS_PLACE_IDLE || n->queue.ready)
            return 0;
        if (n->queue.next_bit - 1 < until)
            until = n->queue.next_bit - 1;
    }
    if (b->bits != NULL && until > b->bits_from + b->bits_room)
        until = b->bits_from + b->bits_room;
    return until > b->bit ? until - b->bit : 0;
}

/* Passes idle bits at once; returns how many. */
CF_INLINE int64_t cf_bus_skip_idle(cf_bus *b, int64_t until)
{
    const int64_t some = b->driven == NULL ? cf_bus_idle_bits(b, until) : 0;
    if (some > 0 && b->bits != NULL)
        memset(b->bits + (b->bit - b->bits_from), 1, (size_t)some);
    b->bit += some;
    return some;
}

#endif
