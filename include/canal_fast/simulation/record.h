/* canal_fast/simulation/record.h - what a logger at a node writes of errors and state changes.
 *
 * ERROR_FRAME records are laid out as SocketCAN's error frames: class in the identifier, detail in data[1..3], TEC and
 * REC in data[6] and data[7]. STATUS records are laid out as CANAL's status messages.
 */
#ifndef CANAL_FAST_SIMULATION_RECORD_H
#define CANAL_FAST_SIMULATION_RECORD_H

#include "../canal.h"
#include "../error_frame.h"
#include "event.h"

/* Segment code of a bit, in data[3]. */
CF_INLINE uint8_t cf_error_location(unsigned field, unsigned index)
{
    if (field == CF_BUS_PLACE_ID)
        return index <= 8 ? 0x02 : 0x06;
    if (field == CF_BUS_PLACE_ID_EXTENSION)
        return index <= 5 ? 0x07 : index <= 13 ? 0x0F : 0x0E;
    return field < CF_BUS_PLACE_COUNT ? cf_bus_place_of(field)->code : 0;
}

CF_INLINE uint8_t cf_counter_byte(unsigned counter)
{
    return (uint8_t)(counter < 255 ? counter : 255);
}

/* An empty ERROR_FRAME record with the counters. */
CF_INLINE void cf_error_record(cf_fd_frame *r, uint32_t classes, cf_error_counters counters)
{
    memset(r, 0, sizeof *r);
    r->flags = CF_FLAG_ERROR_FRAME;
    r->dlc = 8;
    r->arbitration_id = classes | CF_ERROR_COUNTERS;
    r->data[6] = cf_counter_byte(counters.tec);
    r->data[7] = cf_counter_byte(counters.rec);
}

/* The error frame of an event from CF_BUS_EVENT_BIT_ERROR to CF_BUS_EVENT_OVERLOAD. */
CF_INLINE void cf_error_frame_of(cf_fd_frame *r, const cf_bus_event *e)
{
    cf_error_record(
        r, e->event == CF_BUS_EVENT_ACK_ERROR ? CF_ERROR_NO_ACK | CF_ERROR_BUS : CF_ERROR_PROTOCOL | CF_ERROR_BUS,
        cf_counters_make(e->tec, e->rec));
    if (e->event == CF_BUS_EVENT_BIT_ERROR)
        r->data[CF_ERROR_KIND] = e->driven ? CF_ERROR_KIND_BIT1 : CF_ERROR_KIND_BIT0;
    else if (e->event == CF_BUS_EVENT_STUFF_ERROR)
        r->data[CF_ERROR_KIND] = CF_ERROR_KIND_STUFF;
    else if (e->event == CF_BUS_EVENT_FORM_ERROR)
        r->data[CF_ERROR_KIND] = CF_ERROR_KIND_FORM;
    else if (e->event == CF_BUS_EVENT_OVERLOAD)
        r->data[CF_ERROR_KIND] = CF_ERROR_KIND_OVERLOAD;
    if (e->transmitter)
        r->data[CF_ERROR_KIND] |= CF_ERROR_KIND_TX;
    r->data[CF_ERROR_PLACE] = e->event == CF_BUS_EVENT_CRC_ERROR ? 0x08 : cf_error_location(e->field, e->field_bit);
}

/* The error frame of a CF_BUS_EVENT_STATE or CF_BUS_EVENT_RECOVERED: what the controller has become. */
CF_INLINE void cf_state_frame_of(cf_fd_frame *r, const cf_bus_event *e)
{
    const unsigned by_rec = e->rec > e->tec, warning = by_rec ? 0x04 : 0x08;
    if (e->event == CF_BUS_EVENT_RECOVERED) {
        cf_error_record(r, CF_ERROR_RESTARTED, cf_counters_make(e->tec, e->rec));
    } else if (e->state == CF_NODE_BUS_OFF) {
        cf_error_record(r, CF_ERROR_BUS_OFF, cf_counters_make(e->tec, e->rec));
    } else {
        cf_error_record(r, CF_ERROR_CONTROLLER, cf_counters_make(e->tec, e->rec));
        r->data[1] = (uint8_t)(e->state == CF_NODE_PASSIVE   ? warning << 2
                               : e->state == CF_NODE_WARNING ? warning
                                                             : 0x40);
    }
}

/* The STATUS record of an error state: code, REC up to 127, TEC up to 255. */
CF_INLINE void cf_status_record_of(cf_fd_frame *r, const cf_bus_event *e)
{
    static const uint8_t codes[] = {0x00, 0x02, 0x03, 0x04}; /* canal.h: OK, BUS_LIGHT, BUS_HEAVY, BUS_OFF */
    memset(r, 0, sizeof *r);
    r->flags = CF_FLAG_STATUS;
    r->dlc = 4;
    r->data[0] = codes[e->state & 3];
    r->data[1] = (uint8_t)(e->rec < 127 ? e->rec : 127);
    r->data[2] = cf_counter_byte(e->tec);
}

/* Room for one more record of node `id` in the sink, or NULL. */
CF_INLINE cf_fd_frame *cf_sink_frame(cf_sink *s)
{
    if (s->frame_count < s->frame_room)
        return &s->frames[s->frame_count++];
    s->lost += s->frame_room != 0;
    return NULL;
}

/* Writes what a logger at the event's node makes of it: an ERROR_FRAME of each error, a STATUS of each new state. */
CF_INLINE void cf_sink_log(cf_sink *s, const cf_bus_event *e)
{
    cf_fd_frame *r;
    const unsigned error = e->event >= CF_BUS_EVENT_BIT_ERROR && e->event <= CF_BUS_EVENT_ACK_ERROR;
    if (!error && e->event != CF_BUS_EVENT_STATE)
        return;
    r = cf_sink_frame(s);
    if (r == NULL)
        return;
    if (error)
        cf_error_frame_of(r, e);
    else
        cf_status_record_of(r, e);
    r->timestamp_ns = e->timestamp_ns;
    r->channel = e->node;
}

#endif
