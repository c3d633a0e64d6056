/* canal_fast/simulation/fault.h - faults of a bus: when they begin, whom they hit, what they do to the level. */
#ifndef CANAL_FAST_SIMULATION_FAULT_H
#define CANAL_FAST_SIMULATION_FAULT_H

#include "node.h"

enum {
    CF_FAULT_PATTERN_BYTES = 128,
    CF_FAULT_STUFF = CF_BUS_PLACE_COUNT,     /* instead of a place: dynamic stuff bit number field_bit of the frame */
    CF_FAULT_FIXED = CF_BUS_PLACE_COUNT + 1, /* fixed stuff bit, likewise */
    CF_FAULT_ALL = -1 /* node */
};

#define CF_FAULT_EVER INT64_MAX
#define CF_FAULT_ALWAYS UINT32_MAX

typedef enum cf_fault_when { CF_WHEN_BIT = 0, CF_WHEN_TIME = 1, CF_WHEN_FIELD = 2 } cf_fault_when;

typedef enum cf_fault_action {
    CF_FAULT_DOMINANT = 0,
    CF_FAULT_RECESSIVE = 1,
    CF_FAULT_INVERT = 2,
    CF_FAULT_DRIVE = 3, /* a foreign sender adds the pattern to the wired AND */
    CF_FAULT_FORCE = 4  /* the pattern's levels, whatever is driven */
} cf_fault_action;

typedef enum cf_fault_side {
    CF_FAULT_SEEN = 0,  /* what the node, or every node, samples */
    CF_FAULT_DRIVEN = 1 /* what the node's transceiver sends */
} cf_fault_side;

typedef struct cf_fault {
    int64_t at;         /* CF_WHEN_BIT: the bit. CF_WHEN_TIME: ns since the bus began */
    int64_t length;     /* bits, from 1; CF_FAULT_EVER */
    uint64_t frame;     /* CF_WHEN_FIELD: frame on the bus, from 1; 0 = any */
    uint32_t id;        /* of the frame, where by_id */
    uint32_t times;     /* how often it may still begin; CF_FAULT_ALWAYS */
    uint32_t fired;     /* how often it began */
    uint8_t when, action, side;
    uint8_t by_id;      /* 0 = any identifier, 1 = base, 2 = extended */
    uint8_t field;      /* cf_bus_place, CF_FAULT_STUFF or CF_FAULT_FIXED */
    uint8_t active;
    uint16_t field_bit; /* from 1 */
    int16_t node;       /* number, or CF_FAULT_ALL */
    uint16_t pattern_bits;
    int64_t position;   /* bits since it began */
    uint8_t pattern[CF_FAULT_PATTERN_BYTES]; /* MSB first */
    int64_t after_fs;   /* below a bit: begins so long after the bit or time does */
    int64_t lasts_fs;   /* how long it lasts; 0: `length` bits, or levels of the pattern */
    int64_t step_fs;    /* how long a level of the pattern lasts; 0: a bit */
} cf_fault;

/* What the fault makes of `level` in its present bit. */
CF_INLINE unsigned cf_fault_apply(const cf_fault *f, unsigned level)
{
    const int64_t at = f->position;
    switch (f->action) {
    case CF_FAULT_DOMINANT:
        return 0;
    case CF_FAULT_RECESSIVE:
        return 1;
    case CF_FAULT_INVERT:
        return !level;
    case CF_FAULT_DRIVE:
        return level & (unsigned)(f->pattern[at >> 3] >> (7 - (at & 7)));
    default:
        return f->pattern[at >> 3] >> (7 - (at & 7)) & 1u;
    }
}

/* Does node `n` stand before the bit that the fault (CF_WHEN_FIELD) waits for? `frames`: begun so far. */
CF_INLINE int cf_fault_matches(const cf_fault *f, const cf_node *n, uint64_t frames)
{
    unsigned field, index;
    const unsigned stuff = cf_node_place(n, &field, &index);
    if (f->field >= CF_FAULT_STUFF) {
        if (stuff != 1u + (f->field == CF_FAULT_FIXED))
            return 0;
        index = stuff == 1 ? n->stuffed + 1 : 1 + ((n->size > CF_FD_CRC17_BYTES ? 25u : 21u) - n->left) / 4;
    } else if (field != f->field || (stuff && f->field != CF_FAULT_STUFF)) {
        return 0;
    }
    if (index != f->field_bit || (f->frame && f->frame != frames + (field == CF_BUS_PLACE_SOF)))
        return 0;
    return !f->by_id || (field >= CF_BUS_PLACE_FDF && n->arbitration_id == f->id && n->extended == (f->by_id == 2));
}

#endif
