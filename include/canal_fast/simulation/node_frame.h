/* canal_fast/simulation/node_frame.h - one controller inside a frame: the stuffed region, SOF to the end of it. */
#ifndef CANAL_FAST_SIMULATION_NODE_FRAME_H
#define CANAL_FAST_SIMULATION_NODE_FRAME_H

#include "node.h"

CF_INLINE unsigned cf_node_wire_bit(const cf_node *n)
{
    return n->wire[n->sent_bits >> 3] >> (7 - (n->sent_bits & 7)) & 1;
}

/* The next bit of the own frame goes out. */
CF_INLINE void cf_node_drive_next(cf_node *n)
{
    n->sent_bits++;
    n->drive = (uint8_t)cf_node_wire_bit(n);
}

/* To the field that comes next in the stuffed region. */
CF_INLINE void cf_node_next(cf_node *n, cf_bus_place field, unsigned bits)
{
    n->field = (uint8_t)field;
    n->left = (uint16_t)bits;
}

CF_INLINE void cf_node_clear_frame(cf_node *n)
{
    n->region = CF_REGION_STUFFED;
    n->raw = 0x15; /* no run reaches back beyond SOF */
    n->plain = 0;
    n->stuffed = n->unsummed = 0;
    n->arbitration_id = 0;
    n->extended = n->remote = n->fd = n->brs = n->esi = n->dlc = 0;
    n->bytes = n->size = n->good = n->acked = 0;
    n->before = CF_BUS_PLACE_SOF;
}

/* Takes a request and puts its bits together; an error passive sender of an FD frame says so. */
CF_INLINE void cf_node_load(cf_node *n)
{
    cf_writer w = {n->wire, 0, 0};
    cf_bus_request *r;
    cf_fd_frame frame;
    cf_shape shape;
    n->request = cf_bus_queue_take(&n->queue);
    r = &n->queue.rows[n->request];
    shape = cf_frame_shape((const cf_frame_head *)&r->frame, sizeof r->frame);
    if (shape.fd && cf_counters_passive(n->counters)) {
        frame = r->frame;
        frame.flags |= CF_FLAG_ERROR_STATE_INDICATOR;
        cf_write_frame(&w, (const cf_frame_head *)&frame, shape, 0);
    } else {
        cf_write_frame(&w, (const cf_frame_head *)&r->frame, shape, 0);
    }
    n->wire_bits = (uint16_t)((size_t)(w.to - n->wire) * 8 + w.count);
}

/* Does a request wait that may go in bit `bit`? */
CF_INLINE unsigned cf_node_has_request(cf_node *n, int64_t bit)
{
    if (n->queue.next_bit <= bit)
        cf_bus_queue_due(&n->queue, bit);
    return n->queue.ready != 0 && cf_node_counts(n);
}

/* The bus is free for this node from bit `bit` on. */
CF_INLINE void cf_node_rest(cf_node *n, int64_t bit)
{
    if (!cf_node_has_request(n, bit)) {
        cf_node_enter(n, CF_BUS_PLACE_IDLE, 1);
        return;
    }
    cf_node_load(n);
    cf_node_clear_frame(n);
    cf_node_next(n, CF_BUS_PLACE_SOF, 1);
    n->sending = n->transmitter = 1;
    n->sent_bits = 0;
    n->drive = 0;
}

/* Bit `bit` was a SOF. */
CF_INLINE void cf_node_started(cf_node *n, int64_t bit)
{
    if (n->starts != NULL && bit - n->starts->bit > n->starts->apart) {
        n->starts->bit = bit;
        n->starts->frames++;
    }
    cf_node_tell_at(n, CF_BUS_EVENT_START, CF_BUS_PLACE_SOF, 1);
    cf_node_next(n, CF_BUS_PLACE_ID, 11);
}

/* Bit `bit` was the SOF of another. `join`: a request that waits sends its identifier behind it. */
CF_INLINE void cf_node_foreign_start(cf_node *n, unsigned join, int64_t bit)
{
    cf_node_clear_frame(n);
    n->raw <<= 1;
    n->unsummed = 1;
    n->transmitter = n->sending = 0;
    n->drive = 1;
    if (join && cf_node_has_request(n, bit + 1)) {
        cf_node_load(n);
        n->transmitter = n->sending = 1;
        n->sent_bits = 0;
    }
    cf_node_started(n, bit);
    if (n->sending)
        cf_node_drive_next(n);
}

/* To the CRC delimiter. */
CF_INLINE void cf_node_enter_tail(cf_node *n)
{
    n->region = CF_REGION_REST;
    n->field = CF_BUS_PLACE_CRC_DELIMITER;
    n->index = 1;
    n->drive = 1;
    n->sending = 0;
}

/* After the protocol exception. */
CF_INLINE void cf_node_sit_out(cf_node *n)
{
    cf_node_tell(n, CF_BUS_EVENT_PROTOCOL_EXCEPTION);
    cf_node_give_back(n);
    n->transmitter = 0;
    cf_node_enter(n, CF_BUS_PLACE_INTEGRATING, 1);
}

/* Brings the CRC up to the last bit. Classical frames: the bits without stuff bits, of which `bits` are new. */
CF_INLINE void cf_node_sum(cf_node *n, unsigned bits)
{
    if (n->fd) {
        const cf_crc crc = n->size > CF_FD_CRC17_BYTES ? cf_crc21() : cf_crc17();
        unsigned left = n->unsummed;
        for (; left > 8; left -= 8)
            n->crc = cf_crc_some(crc, n->crc, (unsigned)(n->raw >> (left - 8)) & 255, 8);
        n->crc = cf_crc_some(crc, n->crc, (unsigned)n->raw & ((1u << left) - 1), left);
        n->unsummed = 0;
    } else {
        n->crc = cf_crc_some(cf_crc15(), n->crc, (unsigned)n->plain & ((1u << bits) - 1), bits);
    }
}

/* Behind the last data bit, or the DLC where there is none. */
CF_INLINE void cf_node_after_data(cf_node *n)
{
    cf_node_next(n, n->fd ? CF_BUS_PLACE_STUFF_COUNT : CF_BUS_PLACE_CRC, 15);
    if (n->fd) {
        n->left = n->size > CF_FD_CRC17_BYTES ? 25 : 21;
        n->region = CF_REGION_FIXED;
        n->group = 0;
        n->plain = 0;
    }
}

CF_INLINE void cf_node_after_dlc(cf_node *n)
{
    n->dlc = n->plain & 15;
    n->size = (uint8_t)(n->fd ? cf_fd_length(n->dlc) : n->remote ? 0 : n->dlc < 8 ? n->dlc : 8);
    if (n->fd) {
        n->crc = n->size > CF_FD_CRC17_BYTES ? cf_crc21().wire_init : cf_crc17().wire_init;
        cf_node_sum(n, 0);
    } else { /* at most 39 bits; zeros before them do not matter */
        n->crc = cf_crc_word(cf_crc15(), 0, n->plain);
    }
    if (n->size)
        cf_node_next(n, CF_BUS_PLACE_DATA, 8);
    else
        cf_node_after_data(n);
}

/* The last bit of a field was `level`. Returns 1 where that ended the stuffed region or the frame. */
CF_INLINE int cf_node_field_end(cf_node *n, unsigned level, int64_t bit)
{
    n->before = n->field;
    switch (n->field) {
    case CF_BUS_PLACE_SOF:
        cf_node_started(n, bit);
        break;
    case CF_BUS_PLACE_ID:
        n->arbitration_id = n->plain & CF_MAX_STANDARD_ID;
        cf_node_next(n, CF_BUS_PLACE_RTR, 1);
        break;
    case CF_BUS_PLACE_RTR:
        n->remote = (uint8_t)level;
        cf_node_next(n, CF_BUS_PLACE_IDE, 1);
        break;
    case CF_BUS_PLACE_IDE:
        n->extended = (uint8_t)level;
        cf_node_next(n, level ? CF_BUS_PLACE_ID_EXTENSION : CF_BUS_PLACE_FDF, level ? 18 : 1);
        break;
    case CF_BUS_PLACE_ID_EXTENSION:
        n->arbitration_id = n->arbitration_id << 18 | (n->plain & 0x3FFFF);
        cf_node_next(n, CF_BUS_PLACE_RTR_EXTENDED, 1);
        break;
    case CF_BUS_PLACE_RTR_EXTENDED:
        n->remote = (uint8_t)level;
        cf_node_next(n, CF_BUS_PLACE_FDF, 1);
        break;
    case CF_BUS_PLACE_FDF:
        if (level && n->options.fd == CF_FD_TOLERANT) {
            n->left = 1;
            cf_node_sit_out(n);
            return 1;
        }
        n->fd = level && n->options.fd == CF_FD_ENABLED;
        cf_node_next(n, n->fd || n->extended ? CF_BUS_PLACE_RES : CF_BUS_PLACE_DLC, n->fd || n->extended ? 1 : 4);
        break;
    case CF_BUS_PLACE_RES:
        if (n->fd && level) {
            n->left = 1;
            if (n->options.protocol_exception && !n->transmitter)
                cf_node_sit_out(n);
            else
                cf_node_error(n, CF_BUS_EVENT_FORM_ERROR, 0, bit);
            return 1;
        }
        cf_node_next(n, n->fd ? CF_BUS_PLACE_BRS : CF_BUS_PLACE_DLC, n->fd ? 1 : 4);
        break;
    case CF_BUS_PLACE_BRS:
        n->brs = n->fast = (uint8_t)level;
        cf_node_next(n, CF_BUS_PLACE_ESI, 1);
        break;
    case CF_BUS_PLACE_ESI:
        n->esi = (uint8_t)level;
        cf_node_next(n, CF_BUS_PLACE_DLC, 4);
        break;
    case CF_BUS_PLACE_DLC:
        cf_node_after_dlc(n);
        break;
    case CF_BUS_PLACE_DATA:
        n->data[n->bytes++] = (uint8_t)n->plain;
        cf_node_sum(n, 8);
        n->left = 8;
        if (n->bytes == n->size)
            cf_node_after_data(n);
        break;
    default: /* CF_BUS_PLACE_CRC of a classical frame */
        n->good = (n->plain & 0x7FFF) == n->crc;
        if ((n->raw & 31) != 0 && (n->raw & 31) != 31) {
            cf_node_enter_tail(n);
            return 1;
        }
    }
    return 0;
}

/* A level that the sender did not drive, in the stuffed region: an error, or arbitration is lost. Returns 1 where the
 * frame has ended for the node. */
CF_INLINE int cf_node_mismatch(cf_node *n, unsigned due, unsigned level, int64_t bit)
{
    const unsigned arbitration = !level && n->field >= CF_BUS_PLACE_ID && n->field <= CF_BUS_PLACE_RTR_EXTENDED;
    if (due || !arbitration) {
        const unsigned exempt = arbitration && n->field != CF_BUS_PLACE_IDE;
        cf_node_error(n, exempt ? CF_BUS_EVENT_STUFF_ERROR : CF_BUS_EVENT_BIT_ERROR, exempt, bit);
        return 1;
    }
    n->transmitter = n->sending = 0;
    cf_node_tell(n, CF_BUS_EVENT_ARBITRATION_LOST);
    cf_node_give_back(n);
    n->drive = 1;
    return 0;
}

/* One bit of the stuffed region. */
CF_INLINE void cf_node_stuffed_bit(cf_node *n, unsigned level, int64_t bit)
{
    const unsigned run = (unsigned)n->raw & 31;
    const unsigned due = run == 0 || run == 31;
    if (CF_UNLIKELY(n->sending && level != n->drive) && cf_node_mismatch(n, due, level, bit))
        return;
    if (CF_UNLIKELY(due)) {
        if (CF_UNLIKELY((run & 1) == level)) {
            cf_node_error(n, CF_BUS_EVENT_STUFF_ERROR, 0, bit);
            return;
        }
        n->raw = n->raw << 1 | level;
        n->stuffed++;
        n->unsummed++;
        if (n->left == 0) { /* it was the one behind the CRC sequence */
            cf_node_enter_tail(n);
            return;
        }
    } else {
        n->raw = n->raw << 1 | level;
        n->plain = n->plain << 1 | level;
        n->unsummed++;
        if (--n->left == 0 && cf_node_field_end(n, level, bit))
            return;
    }
    if (n->sending)
        cf_node_drive_next(n);
}

#endif
