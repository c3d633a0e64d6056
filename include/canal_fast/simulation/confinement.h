/* canal_fast/simulation/confinement.h - fault confinement: transmit and receive error counter, and what they mean.
 *
 * ISO 11898-1:2015, clause 12, rules a to l. Pure functions: counters in, counters out.
 */
#ifndef CANAL_FAST_SIMULATION_CONFINEMENT_H
#define CANAL_FAST_SIMULATION_CONFINEMENT_H

#include "../base.h"

enum {
    CF_WARNING_LIMIT = 96,
    CF_PASSIVE_LIMIT = 128,
    CF_BUS_OFF_LIMIT = 256,
    CF_REC_MAX = 255,         /* REC may stop at 128; here it counts on as far as a byte goes */
    CF_REC_AFTER_PASSIVE = 127, /* rule h allows 119..127 */
    CF_RECOVERY_SEQUENCES = 128, /* rule l */
    CF_RECOVERY_BITS = 11
};

/* clang-format off */
/* X(name, number, sentence) */
#define CF_NODE_STATE_LIST(X)                                \
    X(ACTIVE, 0, "error active")                             \
    X(WARNING, 1, "error active, a counter at 96 or above")  \
    X(PASSIVE, 2, "error passive: a counter at 128 or above") \
    X(BUS_OFF, 3, "bus off: TEC reached 256")
/* clang-format on */

typedef enum cf_node_state {
#define CF_NODE_STATE_ENUM(name, number, sentence) CF_NODE_##name = number,
    CF_NODE_STATE_LIST(CF_NODE_STATE_ENUM)
#undef CF_NODE_STATE_ENUM
} cf_node_state;

/* Row `index` of the state table, or NULL past its end. */
CF_CODE_ROWS(cf_node_state_row, CF_NODE_STATE_LIST)

typedef struct cf_error_counters {
    uint16_t tec, rec;
} cf_error_counters;

CF_INLINE cf_error_counters cf_counters_make(unsigned tec, unsigned rec)
{
    cf_error_counters c;
    c.tec = (uint16_t)tec;
    c.rec = (uint16_t)rec;
    return c;
}

/* Rules i, j and k. A node that is off stays so until rule l: the caller knows. */
CF_INLINE cf_node_state cf_counters_state(cf_error_counters c)
{
    const unsigned worst = c.tec > c.rec ? c.tec : c.rec;
    return c.tec >= CF_BUS_OFF_LIMIT   ? CF_NODE_BUS_OFF
           : worst >= CF_PASSIVE_LIMIT ? CF_NODE_PASSIVE
           : worst >= CF_WARNING_LIMIT ? CF_NODE_WARNING
                                       : CF_NODE_ACTIVE;
}

CF_INLINE unsigned cf_counters_passive(cf_error_counters c)
{
    return c.tec >= CF_PASSIVE_LIMIT || c.rec >= CF_PASSIVE_LIMIT;
}

CF_INLINE cf_error_counters cf_rec_add(cf_error_counters c, unsigned some)
{
    const unsigned rec = c.rec + some;
    c.rec = (uint16_t)(rec < (unsigned)CF_REC_MAX ? rec : (unsigned)CF_REC_MAX);
    return c;
}

/* Rule c (transmitter; `exempt` where one of its exceptions holds) or a (receiver): an error is found. */
CF_INLINE cf_error_counters cf_counters_error(cf_error_counters c, unsigned transmitter, unsigned exempt)
{
    if (!transmitter)
        return cf_rec_add(c, 1);
    c.tec = (uint16_t)(c.tec + (exempt ? 0 : 8));
    return c;
}

/* Rules d and e (bit error in the own active error flag or overload flag), f (eighth dominant bit behind a flag and
 * every eighth further), b (receiver: first bit behind its error flag is dominant), and what exception c (1) put
 * off. */
CF_INLINE cf_error_counters cf_counters_eight(cf_error_counters c, unsigned transmitter)
{
    if (!transmitter)
        return cf_rec_add(c, 8);
    c.tec = (uint16_t)(c.tec + 8);
    return c;
}

/* Rule g: a frame was sent. */
CF_INLINE cf_error_counters cf_counters_sent(cf_error_counters c)
{
    c.tec = (uint16_t)(c.tec - (c.tec > 0));
    return c;
}

/* Rule h: a frame was received up to the ACK slot and acknowledged. */
CF_INLINE cf_error_counters cf_counters_received(cf_error_counters c)
{
    c.rec = (uint16_t)(c.rec > CF_REC_AFTER_PASSIVE ? (int)CF_REC_AFTER_PASSIVE : c.rec - (c.rec > 0));
    return c;
}

#endif
