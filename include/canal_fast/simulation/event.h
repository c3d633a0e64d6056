/* canal_fast/simulation/event.h - what happens at a node: fields, events, and where they are recorded. */
#ifndef CANAL_FAST_SIMULATION_EVENT_H
#define CANAL_FAST_SIMULATION_EVENT_H

#include "../frame.h"
#include "confinement.h"

/* clang-format off */
/* What the coming bit of a node belongs to. X(name, number, text, bits, segment code of an SJA1000); 0 bits: as many as
 * it takes.
 * The order matters: BUS_OFF to SOF are between frames, ID to RTR_EXTENDED decide arbitration. */
#define CF_BUS_PLACE_LIST(X)                                                                                          \
    X(BUS_OFF, 0, "bus_off", 11, 0x00) /* bit in the sequence of 11 recessive ones */                                 \
    X(INTEGRATING, 1, "integrating", 11, 0x00) /* the same */                                                         \
    X(IDLE, 2, "idle", 1, 0x00)                                                                                       \
    X(INTERMISSION, 3, "intermission", 3, 0x12)                                                                       \
    X(SUSPEND, 4, "suspend", 8, 0x12)                                                                                 \
    X(SOF, 5, "sof", 1, 0x03)                                                                                         \
    X(ID, 6, "id", 11, 0x02)                                                                                          \
    X(RTR, 7, "rtr", 1, 0x04) /* behind the first 11 identifier bits: RTR, SRR or RRS */                              \
    X(IDE, 8, "ide", 1, 0x05)                                                                                         \
    X(ID_EXTENSION, 9, "id_extension", 18, 0x07)                                                                      \
    X(RTR_EXTENDED, 10, "rtr_extended", 1, 0x0C) /* of an extended frame: RTR or RRS */                               \
    X(FDF, 11, "fdf", 1, 0x0D) /* or r0 of a base frame, r1 of an extended one */                                     \
    X(RES, 12, "res", 1, 0x09) /* of an FD frame; r0 of an extended classical one */                                  \
    X(BRS, 13, "brs", 1, 0x09)                                                                                        \
    X(ESI, 14, "esi", 1, 0x09)                                                                                        \
    X(DLC, 15, "dlc", 4, 0x0B)                                                                                        \
    X(DATA, 16, "data", 512, 0x0A) /* counted through */                                                              \
    X(STUFF_COUNT, 17, "stuff_count", 4, 0x08)                                                                        \
    X(CRC, 18, "crc", 21, 0x08)                                                                                       \
    X(CRC_DELIMITER, 19, "crc_delimiter", 1, 0x18)                                                                    \
    X(ACK_SLOT, 20, "ack_slot", 2, 0x19)                                                                              \
    X(ACK_DELIMITER, 21, "ack_delimiter", 1, 0x1B)                                                                    \
    X(END_OF_FRAME, 22, "end_of_frame", 7, 0x1A)                                                                      \
    X(ACTIVE_FLAG, 23, "active_flag", 6, 0x11)                                                                        \
    X(PASSIVE_FLAG, 24, "passive_flag", 6, 0x16) /* bit in the run of equal ones */                                   \
    X(FLAG_END, 25, "flag_end", 0, 0x13) /* waits for the first recessive bit, the delimiter's first */               \
    X(DELIMITER, 26, "delimiter", 8, 0x17)                                                                            \
    X(OVERLOAD_FLAG, 27, "overload_flag", 6, 0x1C)                                                                    \
    X(OVERLOAD_END, 28, "overload_end", 0, 0x13)                                                                      \
    X(OVERLOAD_DELIMITER, 29, "overload_delimiter", 8, 0x17)
/* clang-format on */

typedef enum cf_bus_place {
#define CF_BUS_PLACE_ENUM(name, number, text, bits, code) CF_BUS_PLACE_##name = number,
    CF_BUS_PLACE_LIST(CF_BUS_PLACE_ENUM)
#undef CF_BUS_PLACE_ENUM
        CF_BUS_PLACE_COUNT
} cf_bus_place;

typedef struct cf_bus_place_row {
    const char *name;
    unsigned bits;
    uint8_t code;
} cf_bus_place_row;

/* NULL past the last. */
CF_INLINE const cf_bus_place_row *cf_bus_place_of(unsigned number)
{
    static const cf_bus_place_row rows[] = {
#define CF_BUS_PLACE_ROW(name, number, text, bits, code) {text, bits, code},
        CF_BUS_PLACE_LIST(CF_BUS_PLACE_ROW)
#undef CF_BUS_PLACE_ROW
    };
    return number < CF_BUS_PLACE_COUNT ? &rows[number] : NULL;
}

/* clang-format off */
/* X(name, number, sentence) */
#define CF_BUS_EVENT_LIST(X)                                                                    \
    X(START, 0, "a frame begins: its SOF was sampled")                                          \
    X(ARBITRATION_LOST, 1, "a dominant bit where the node sent a recessive one in arbitration") \
    X(BIT_ERROR, 2, "another level than the one driven")                                        \
    X(STUFF_ERROR, 3, "a sixth equal bit")                                                      \
    X(FORM_ERROR, 4, "a bit of fixed form has the wrong level")                                 \
    X(CRC_ERROR, 5, "the CRC sequence or the stuff count is not that of the bits received")     \
    X(ACK_ERROR, 6, "nobody acknowledged the frame")                                            \
    X(OVERLOAD, 7, "an overload condition")                                                     \
    X(DOMINANT, 8, "dominant bits in or behind the node's flag that count 8")                   \
    X(ACKNOWLEDGED, 9, "a frame is good up to the ACK slot")                                    \
    X(RECEIVED, 10, "a frame was received")                                                     \
    X(SENT, 11, "a frame was sent")                                                             \
    X(ABANDONED, 12, "a request ended without its frame sent")                                  \
    X(PROTOCOL_EXCEPTION, 13, "a later protocol, which the node sits out")                      \
    X(INTEGRATED, 14, "11 recessive bits: the node takes part again")                           \
    X(BUS_OFF, 15, "the node is off")                                                           \
    X(RECOVERED, 16, "128 sequences of 11 recessive bits: the node is back")                    \
    X(STATE, 17, "the error state changed")
/* clang-format on */

typedef enum cf_bus_event_kind {
#define CF_BUS_EVENT_ENUM(name, number, sentence) CF_BUS_EVENT_##name = number,
    CF_BUS_EVENT_LIST(CF_BUS_EVENT_ENUM)
#undef CF_BUS_EVENT_ENUM
        CF_BUS_EVENT_COUNT
} cf_bus_event_kind;

CF_CODE_ROWS(cf_bus_event_row, CF_BUS_EVENT_LIST)

/* clang-format off */
/* X(C type, numpy format, name) */
#define CF_BUS_EVENT_MEMBERS(X)                                                              \
    X(int64_t, "i8", timestamp_ns)    /* end of the bit, ns since the bus began */           \
    X(int64_t, "i8", bit)             /* number of the bit whose sample it was, from 0 */    \
    X(uint32_t, "u4", arbitration_id) /* of the frame, as far as this node has read it */    \
    X(uint16_t, "u2", field_bit)      /* bit in the field, from 1; a stuff bit has the number of the bit before it */ \
    X(uint16_t, "u2", tec)            /* afterwards; 256 and above: off */                   \
    X(uint16_t, "u2", rec)                                                                   \
    X(uint8_t, "u1", node)            /* its number */                                       \
    X(uint8_t, "u1", event)           /* cf_bus_event_kind */                                \
    X(uint8_t, "u1", field)           /* cf_bus_place of the bit */                          \
    X(uint8_t, "u1", state)           /* cf_node_state, afterwards */                        \
    X(uint8_t, "u1", transmitter)     /* 1: of this frame */                                 \
    X(uint8_t, "u1", driven)          /* level that the node drove in the bit */
/* clang-format on */

typedef struct cf_bus_event {
    CF_BUS_EVENT_MEMBERS(CF_RECORD_MEMBER)
} cf_bus_event;

CF_RECORD_FIELDS(cf_bus_event_field, cf_bus_event, CF_BUS_EVENT_MEMBERS)

enum { CF_BUS_EVENTS_A_BIT = 6 }; /* at most, of one node */

/* Where events and frames are recorded. The caller owns the arrays and empties them; what finds no room is counted in
 * `lost`. cf_bus_run stops before a bit whose events might find none. */
typedef struct cf_sink {
    cf_bus_event *events;
    size_t event_count, event_room;
    cf_fd_frame *frames; /* what loggers at the nodes record; `channel` is the node's number */
    size_t frame_count, frame_room;
    uint64_t lost;
    int64_t bit;       /* now; these are the bus's */
    int64_t data_bits; /* at the data rate, up to the end of this one */
    uint32_t bitrate, data_bitrate;
    int64_t stamped_bit, stamp_ns; /* the bit whose end was last worked out */
} cf_sink;

CF_INLINE int64_t cf_bits_ns(int64_t bits, uint32_t rate)
{
    return bits / rate * 1000000000 + bits % rate * 1000000000 / rate;
}

/* End of the present bit, ns since the bus began. */
CF_INLINE int64_t cf_sink_ns(cf_sink *s)
{
    if (s->stamped_bit != s->bit + 1) {
        s->stamped_bit = s->bit + 1; /* 0 is none */
        s->stamp_ns = s->bitrate ? cf_bits_ns(s->bit + 1 - s->data_bits, s->bitrate) : 0;
        s->stamp_ns += s->data_bitrate ? cf_bits_ns(s->data_bits, s->data_bitrate) : 0;
    }
    return s->stamp_ns;
}

#endif
