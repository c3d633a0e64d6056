/* canal_fast/simulation/node_step.h - one controller, one bit: CRC delimiter to the end of the frame, what is between
 * frames, and the step itself.
 */
#ifndef CANAL_FAST_SIMULATION_NODE_STEP_H
#define CANAL_FAST_SIMULATION_NODE_STEP_H

#include "node_fd.h"

/* To bit `index` of `field` outside the stuffed region. */
CF_INLINE void cf_node_move(cf_node *n, cf_bus_place field, unsigned index)
{
    n->field = (uint8_t)field;
    n->index = (uint16_t)index;
    n->drive = 1;
}

/* ACK slot and delimiter of a receiver whose CRC does not agree: they pass, then it flags. */
CF_INLINE void cf_node_bad_tail(cf_node *n, int64_t bit)
{
    if (n->field == CF_BUS_PLACE_ACK_DELIMITER)
        cf_node_error(n, CF_BUS_EVENT_CRC_ERROR, 0, bit);
    else if (n->fd && n->index == 1)
        n->index = 2;
    else
        cf_node_move(n, CF_BUS_PLACE_ACK_DELIMITER, 1);
}

/* A bit of the ACK slot at a transmitter. */
CF_INLINE void cf_node_await_ack(cf_node *n, unsigned level, int64_t bit)
{
    const unsigned second = n->fd && n->index == 2;
    n->acked |= !level;
    if (n->fd && !second)
        n->index = 2;
    else if (!n->acked && n->options.mode != CF_MODE_SELF_TEST)
        cf_node_error(n, CF_BUS_EVENT_ACK_ERROR, 0, bit);
    else if (second && n->options.fd_ack_bits == 1 && level) /* that was the delimiter */
        cf_node_move(n, CF_BUS_PLACE_END_OF_FRAME, 1);
    else
        cf_node_move(n, CF_BUS_PLACE_ACK_DELIMITER, 1);
}

/* A bit of the ACK slot at a receiver whose CRC agrees. */
CF_INLINE void cf_node_acknowledge(cf_node *n, unsigned level, int64_t bit)
{
    if (n->index == 1) {
        if (level && !n->drive) {
            cf_node_error(n, CF_BUS_EVENT_BIT_ERROR, 0, bit);
            return;
        }
        if (cf_node_counts(n)) {
            n->counters = cf_counters_received(n->counters);
            cf_node_tell_at(n, CF_BUS_EVENT_ACKNOWLEDGED, CF_BUS_PLACE_ACK_SLOT, 1);
        }
        if (n->fd) {
            cf_node_move(n, CF_BUS_PLACE_ACK_SLOT, 2);
            return;
        }
    } else if (n->options.fd_ack_bits == 1 && level) { /* that was the delimiter */
        cf_node_move(n, CF_BUS_PLACE_END_OF_FRAME, 1);
        return;
    }
    cf_node_move(n, CF_BUS_PLACE_ACK_DELIMITER, 1);
}

/* Records a frame that the node has, as its logger writes it. */
CF_INLINE void cf_node_log(cf_node *n, const cf_fd_frame *frame, unsigned more_flags)
{
    cf_fd_frame *r;
    if (n->sink == NULL || n->sink->frame_room == 0 ||
        !cf_filter_match(n->filters, n->filter_count, (const cf_frame_head *)frame))
        return;
    r = cf_sink_frame(n->sink);
    if (r == NULL)
        return;
    *r = *frame;
    r->timestamp_ns = cf_sink_ns(n->sink);
    r->channel = (uint8_t)n->id;
    r->flags = (uint16_t)((r->flags & ~CF_FLAG_TX) | more_flags);
}

CF_INLINE void cf_node_log_received(cf_node *n)
{
    cf_fd_frame frame;
    memset(&frame, 0, sizeof frame);
    frame.arbitration_id = n->arbitration_id;
    frame.dlc = n->dlc;
    frame.flags = (uint16_t)((n->extended ? CF_FLAG_EXTENDED_ID : 0) | (n->remote && !n->fd ? CF_FLAG_REMOTE : 0) |
                             (n->fd ? CF_FLAG_FD : 0) | (n->brs ? CF_FLAG_BITRATE_SWITCH : 0) |
                             (n->esi ? CF_FLAG_ERROR_STATE_INDICATOR : 0));
    memcpy(frame.data, n->data, n->size);
    cf_node_log(n, &frame, 0);
}

CF_INLINE void cf_node_received(cf_node *n)
{
    n->received++;
    if (n->sink != NULL && n->sink->frame_room)
        cf_node_log_received(n);
    cf_node_tell_at(n, CF_BUS_EVENT_RECEIVED, CF_BUS_PLACE_END_OF_FRAME, 6);
}

CF_INLINE void cf_node_sent(cf_node *n)
{
    const cf_bus_request *r = &n->queue.rows[n->request];
    cf_fd_frame frame = r->frame;
    frame.flags |= n->esi ? CF_FLAG_ERROR_STATE_INDICATOR : 0;
    n->counters = cf_counters_sent(n->counters);
    n->sent++;
    cf_node_log(n, &frame, CF_FLAG_TX);
    if (r->options & CF_REQUEST_SELF_RECEPTION) {
        n->received++;
        cf_node_log(n, &frame, 0);
    }
    cf_bus_queue_drop(&n->queue, n->request);
    n->request = CF_BUS_QUEUE_NONE;
    cf_node_tell_at(n, CF_BUS_EVENT_SENT, CF_BUS_PLACE_END_OF_FRAME, 7);
}

CF_INLINE void cf_node_end_of_frame(cf_node *n, unsigned level, int64_t bit)
{
    if (CF_UNLIKELY(!level)) {
        if (n->index < 7 || n->transmitter)
            cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
        else
            cf_node_overload(n);
        return;
    }
    if (n->index == 6 && !n->transmitter)
        cf_node_received(n);
    if (n->index == 7) {
        if (n->transmitter)
            cf_node_sent(n);
        cf_node_move(n, CF_BUS_PLACE_INTERMISSION, 1);
        return;
    }
    n->index++;
}

/* A bit of the own active error flag or overload flag. */
CF_INLINE void cf_node_flag_bit(cf_node *n, unsigned level, int64_t bit)
{
    if (CF_UNLIKELY(level))
        cf_node_flag_disturbed(n, bit);
    else if (n->index++ == 6)
        cf_node_move(n, n->field == CF_BUS_PLACE_ACTIVE_FLAG ? CF_BUS_PLACE_FLAG_END : CF_BUS_PLACE_OVERLOAD_END, 1);
}

/* Complete after six equal bits. */
CF_INLINE void cf_node_passive_flag_bit(cf_node *n, unsigned level, int64_t bit)
{
    if (n->late && !level) { /* exception c (1) holds no longer */
        n->late = 0;
        if (cf_node_eight(n, bit))
            return;
    }
    n->index = level == n->run_level ? (uint16_t)(n->index + 1) : 2;
    n->run_level = (uint8_t)level;
    if (n->index == 7)
        cf_node_move(n, CF_BUS_PLACE_FLAG_END, 1);
}

/* Behind a flag, before the first recessive bit, which is the delimiter's first. */
CF_INLINE void cf_node_flag_end(cf_node *n, unsigned level, int64_t bit)
{
    const unsigned error = n->field == CF_BUS_PLACE_FLAG_END;
    if (level) {
        cf_node_move(n, error ? CF_BUS_PLACE_DELIMITER : CF_BUS_PLACE_OVERLOAD_DELIMITER, 2);
        return;
    }
    if (n->index == 1 && error && !n->transmitter && cf_node_eight(n, bit)) /* rule b */
        return;
    if (n->index % 8 == 0 && cf_node_eight(n, bit)) /* rule f */
        return;
    n->index = (uint16_t)(n->index < 0xFFF8 ? n->index + 1 : n->index - 7);
}

CF_INLINE void cf_node_delimiter(cf_node *n, unsigned level, int64_t bit)
{
    if (CF_UNLIKELY(!level)) {
        if (n->index == 8)
            cf_node_overload(n);
        else
            cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
    } else if (n->index++ == 8) {
        cf_node_move(n, CF_BUS_PLACE_INTERMISSION, 1);
    }
}

CF_INLINE void cf_node_intermission(cf_node *n, unsigned level, int64_t bit)
{
    if (n->index < 3) {
        if (level)
            n->index++;
        else
            cf_node_overload(n);
    } else {
        const unsigned suspended = n->transmitter && cf_counters_passive(n->counters);
        if (!level)
            cf_node_foreign_start(n, !suspended, bit);
        else if (suspended)
            cf_node_move(n, CF_BUS_PLACE_SUSPEND, 1);
        else
            cf_node_rest(n, bit + 1);
    }
}

/* Rule l. */
CF_INLINE void cf_node_off_bit(cf_node *n, unsigned level, int64_t bit)
{
    n->index = (uint16_t)(level && n->recovering ? n->index + 1 : 1);
    if (n->index <= CF_RECOVERY_BITS)
        return;
    n->index = 1;
    if (++n->sequences < CF_RECOVERY_SEQUENCES)
        return;
    n->counters = cf_counters_make(0, 0);
    n->index = CF_RECOVERY_BITS;
    cf_node_tell(n, CF_BUS_EVENT_RECOVERED);
    cf_node_rest(n, bit + 1);
}

/* A bit outside the stuffed region. */
CF_INLINE void cf_node_rest_bit(cf_node *n, unsigned level, int64_t bit)
{
    switch (n->field) {
    case CF_BUS_PLACE_IDLE:
        if (!level)
            cf_node_foreign_start(n, 0, bit);
        else if (n->queue.ready || n->queue.next_bit <= bit + 1)
            cf_node_rest(n, bit + 1);
        break;
    case CF_BUS_PLACE_INTERMISSION:
        cf_node_intermission(n, level, bit);
        break;
    case CF_BUS_PLACE_SUSPEND:
        if (!level)
            cf_node_foreign_start(n, 0, bit);
        else if (n->index++ == 8)
            cf_node_rest(n, bit + 1);
        break;
    case CF_BUS_PLACE_CRC_DELIMITER:
        n->fast = 0;
        if (!level)
            cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
        else
            cf_node_move(n, CF_BUS_PLACE_ACK_SLOT, 1);
        if (level && !n->transmitter && n->good && n->options.mode != CF_MODE_LISTEN_ONLY)
            n->drive = 0;
        break;
    case CF_BUS_PLACE_ACK_SLOT:
        if (n->transmitter)
            cf_node_await_ack(n, level, bit);
        else if (n->good)
            cf_node_acknowledge(n, level, bit);
        else
            cf_node_bad_tail(n, bit);
        break;
    case CF_BUS_PLACE_ACK_DELIMITER:
        if (!n->transmitter && !n->good)
            cf_node_bad_tail(n, bit);
        else if (!level)
            cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
        else
            cf_node_move(n, CF_BUS_PLACE_END_OF_FRAME, 1);
        break;
    case CF_BUS_PLACE_END_OF_FRAME:
        cf_node_end_of_frame(n, level, bit);
        break;
    case CF_BUS_PLACE_ACTIVE_FLAG:
    case CF_BUS_PLACE_OVERLOAD_FLAG:
        cf_node_flag_bit(n, level, bit);
        break;
    case CF_BUS_PLACE_PASSIVE_FLAG:
        cf_node_passive_flag_bit(n, level, bit);
        break;
    case CF_BUS_PLACE_FLAG_END:
    case CF_BUS_PLACE_OVERLOAD_END:
        cf_node_flag_end(n, level, bit);
        break;
    case CF_BUS_PLACE_DELIMITER:
    case CF_BUS_PLACE_OVERLOAD_DELIMITER:
        cf_node_delimiter(n, level, bit);
        break;
    case CF_BUS_PLACE_INTEGRATING:
        n->index = (uint16_t)(level ? n->index + 1 : 1);
        if (n->index > CF_RECOVERY_BITS) {
            n->index = CF_RECOVERY_BITS;
            cf_node_tell(n, CF_BUS_EVENT_INTEGRATED);
            cf_node_rest(n, bit + 1);
        }
        break;
    default: /* CF_BUS_PLACE_BUS_OFF */
        cf_node_off_bit(n, level, bit);
    }
}

/* The node samples `level` in bit `bit`; afterwards it stands in the next bit. */
CF_INLINE void cf_node_step(cf_node *n, unsigned level, int64_t bit)
{
    if (n->region == CF_REGION_STUFFED)
        cf_node_stuffed_bit(n, level, bit);
    else if (n->region == CF_REGION_FIXED)
        cf_node_fixed_bit(n, level, bit);
    else
        cf_node_rest_bit(n, level, bit);
}

#endif
