/* canal_fast/simulation/fault_text.h - faults as text, one a line; # begins a comment.
 *
 *   WHEN [after N UNIT] WHAT [for N | for N UNIT] [each N UNIT] [times N] [at NODE | by NODE]
 *
 *   WHEN   bit N                     bit of the bus, from 0
 *          time N UNIT               s, ms, us or ns since the bus began; the bit in which that is
 *          frame N FIELD B           bit B of a field (from 1) in frame N of the bus (from 1)
 *          id HEX FIELD B            in a frame with this identifier: 1 to 3 digits base, 4 to 8 extended; FDF or later
 *          any FIELD B               in whatever frame or flag comes there
 *   WHAT   dominant | recessive | invert
 *          drive LEVELS              a foreign sender adds these levels (0 dominant, 1 recessive) to the bus
 *          force LEVELS              these levels, whatever is driven
 *   for N       bits that it lasts (1; `for ever`); with a unit: so long, from that very time on
 *   after N UNIT  begins so long after the bit or time does; each N UNIT: how long a level of LEVELS lasts
 *   times N     how often a place is met (1; `times ever`)
 *   at NODE     only what this node samples; by NODE: what this node's transceiver drives
 *
 * Fields are event.h's names, and `stuff` and `fixed`: dynamic and fixed stuff bits, counted through the frame.
 * Attacks and faults that have a name in the literature, each short for one of the above:
 *
 *   error_attack HEX [times N]         id HEX dlc 1 dominant for 6: an error in each frame that has the identifier
 *   bus_off_attack HEX                 the same until its sender is off
 *   double_receive N                   frame N end_of_frame 7 dominant: receivers have it, the sender repeats it
 *   no_ack N                           frame N ack_slot 1 recessive for 2
 *   recessive_override WHEN [for N]    WHEN recessive: a transceiver that pulls the wires apart no more (CAN injection)
 *   stuck_dominant WHEN [by NODE]      WHEN dominant for ever
 *   prolonged_flag N [times N]         any flag_end 1 dominant for N
 */
#ifndef CANAL_FAST_SIMULATION_FAULT_TEXT_H
#define CANAL_FAST_SIMULATION_FAULT_TEXT_H

#include "fault_words.h"

CF_INLINE int cf_fault_id(cf_fault_words *w, cf_fault *f)
{
    const size_t prefix = w->length > 2 && (w->word[1] | 32) == 'x' ? 2 : 0;
    const int extended = w->length - prefix > 3;
    int64_t id;
    if (!cf_fault_number(w, 16, 0, extended ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID, &id,
                         "expected an identifier: 1 to 3 hexadecimal digits up to 7FF (base) or 4 to 8 up to 1FFFFFFF"))
        return 0;
    f->id = (uint32_t)id;
    f->by_id = (uint8_t)(1 + extended);
    return 1;
}

/* FIELD B */
CF_INLINE int cf_fault_field(cf_fault_words *w, cf_fault *f)
{
    const char *const word = w->word;
    unsigned place, bits = 0;
    int64_t bit;
    for (place = 0; place < CF_BUS_PLACE_COUNT; place++)
        if (cf_fault_is(w, cf_bus_place_of(place)->name)) {
            bits = cf_bus_place_of(place)->bits;
            break;
        }
    if (place == CF_BUS_PLACE_COUNT) {
        if (cf_fault_is(w, "eof")) {
            place = CF_BUS_PLACE_END_OF_FRAME;
            bits = 7;
        } else if (cf_fault_is(w, "stuff")) {
            place = CF_FAULT_STUFF;
        } else if (cf_fault_is(w, "fixed")) {
            place = CF_FAULT_FIXED;
        } else {
            return cf_fault_fail(w,
                                 "expected a field: sof, id, rtr, ... end_of_frame, active_flag, ... stuff or fixed");
        }
    }
    if (f->by_id && place < CF_BUS_PLACE_FDF) {
        w->word = word;
        return cf_fault_fail(w, "an identifier is known from field fdf on: expected that or a later field");
    }
    f->field = (uint8_t)place;
    if (!cf_fault_number(w, 10, 1, bits ? bits : 10000, &bit, "expected the number of a bit of the field, from 1"))
        return 0;
    f->field_bit = (uint16_t)bit;
    return 1;
}

/* N UNIT, or N with the unit behind it, with a fraction, in parts of a ns as given by `parts`: 1 or 1000000 (fs).
 * `other`: what is expected instead of a unit, or NULL; then without a unit nothing is taken and 2 returned. */
CF_INLINE int cf_fault_span(cf_fault_words *w, double parts, double most, int64_t *span, const char *other)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    const char *const reason = other ? other : "expected a time: a number and s, ms, us or ns";
    const cf_fault_words begin = *w;
    double value = 0, scale = 1;
    size_t i = 0, k;
    int fraction = 0, digits = 0;
    for (; i < w->length && ((w->word[i] >= '0' && w->word[i] <= '9') || (w->word[i] == '.' && !fraction)); i++) {
        if (w->word[i] == '.') {
            fraction = 1;
            continue;
        }
        value = value * 10 + (w->word[i] - '0');
        scale *= fraction ? 10 : 1;
        digits++;
    }
    if (!digits || digits > 15)
        return cf_fault_fail(w, reason);
    if (i == w->length) {
        cf_fault_step(w);
    } else {
        w->word += i;
        w->length -= i;
    }
    for (k = 0; k < sizeof units / sizeof units[0]; k++)
        if (cf_fault_is(w, units[k].name)) {
            value = value / scale * units[k].ns * parts;
            if (value > most)
                return cf_fault_fail(w, reason);
            *span = (int64_t)(value + 0.5);
            return 1;
        }
    if (other == NULL)
        return cf_fault_fail(w, reason);
    *w = begin;
    return 2;
}

CF_INLINE int cf_fault_time(cf_fault_words *w, cf_fault *f)
{
    return cf_fault_span(w, 1, 9e18, &f->at, NULL);
}

/* The same in fs, above 0. */
CF_INLINE int cf_fault_short(cf_fault_words *w, int64_t *span)
{
    const cf_fault_words begin = *w;
    if (!cf_fault_span(w, 1e6, 4e18, span, NULL))
        return 0;
    if (*span)
        return 1;
    *w = begin;
    return cf_fault_fail(w, "expected a time above 0, at most 4000 s");
}

/* for N UNIT: 1; 2 and nothing taken when no unit follows; 0 and told when it is neither. */
CF_INLINE int cf_fault_lasts(cf_fault_words *w, cf_fault *f)
{
    static const char reason[] = "expected a number of bits, from 1, or ever, or a time: a number and s, ms, us or ns";
    const cf_fault_words begin = *w;
    const int found = cf_fault_span(w, 1e6, 4e18, &f->lasts_fs, reason);
    if (found != 1 || f->lasts_fs)
        return found;
    *w = begin;
    return cf_fault_fail(w, reason);
}

CF_INLINE int cf_fault_when_of(cf_fault_words *w, cf_fault *f)
{
    int64_t number = 0;
    f->when = CF_WHEN_FIELD;
    if (cf_fault_is(w, "bit")) {
        f->when = CF_WHEN_BIT;
        return cf_fault_number(w, 10, 0, INT64_MAX / 4, &f->at, "expected the number of a bit, from 0");
    }
    if (cf_fault_is(w, "time")) {
        f->when = CF_WHEN_TIME;
        return cf_fault_time(w, f);
    }
    if (cf_fault_is(w, "any"))
        return cf_fault_field(w, f);
    if (cf_fault_is(w, "id"))
        return cf_fault_id(w, f) && cf_fault_field(w, f);
    if (cf_fault_is(w, "frame")) {
        if (!cf_fault_number(w, 10, 1, INT64_MAX / 4, &number, "expected the number of a frame, from 1"))
            return 0;
        f->frame = (uint64_t)number;
        return cf_fault_field(w, f);
    }
    return cf_fault_fail(w, "expected bit, time, frame, id or any");
}

CF_INLINE int cf_fault_pattern(cf_fault_words *w, cf_fault *f)
{
    size_t i;
    if (w->length == 0 || w->length > 8 * CF_FAULT_PATTERN_BYTES)
        return cf_fault_fail(w, "expected 1 to 1024 levels, each 0 or 1");
    for (i = 0; i < w->length; i++) {
        if (w->word[i] != '0' && w->word[i] != '1')
            return cf_fault_fail(w, "expected 1 to 1024 levels, each 0 or 1");
        f->pattern[i >> 3] = (uint8_t)(f->pattern[i >> 3] | (w->word[i] - '0') << (7 - (i & 7)));
    }
    f->pattern_bits = (uint16_t)w->length;
    f->length = (int64_t)w->length;
    cf_fault_step(w);
    return 1;
}

CF_INLINE int cf_fault_what(cf_fault_words *w, cf_fault *f)
{
    static const char *const names[] = {"dominant", "recessive", "invert", "drive", "force"};
    unsigned k;
    for (k = 0; k < 5; k++)
        if (cf_fault_is(w, names[k])) {
            f->action = (uint8_t)k;
            return k < CF_FAULT_DRIVE || cf_fault_pattern(w, f);
        }
    return cf_fault_fail(w, "expected dominant, recessive, invert, drive or force");
}

CF_INLINE int cf_fault_node(cf_fault_words *w, cf_fault *f, unsigned side)
{
    unsigned k;
    for (k = 0; k < w->names.count; k++)
        if (w->length && strlen(w->names.names[k]) == w->length && memcmp(w->names.names[k], w->word, w->length) == 0) {
            f->node = (int16_t)k;
            f->side = (uint8_t)side;
            cf_fault_step(w);
            return 1;
        }
    return cf_fault_fail(w, "expected the name of a node");
}

/* [for N] [times N] [at NODE | by NODE], to the line's end */
CF_INLINE int cf_fault_rest(cf_fault_words *w, cf_fault *f)
{
    int64_t number;
    while (w->length) {
        if (f->action < CF_FAULT_DRIVE && cf_fault_is(w, "for")) {
            int found = 1;
            if (cf_fault_is(w, "ever"))
                f->length = CF_FAULT_EVER;
            else
                found = cf_fault_lasts(w, f);
            if (found == 2)
                found = cf_fault_number(w, 10, 1, INT64_MAX / 4, &f->length,
                                        "expected a number of bits, from 1, or ever");
            if (!found)
                return 0;
        } else if (f->action >= CF_FAULT_DRIVE && cf_fault_is(w, "each")) {
            if (!cf_fault_short(w, &f->step_fs))
                return 0;
        } else if (f->when == CF_WHEN_FIELD && !f->frame && cf_fault_is(w, "times")) {
            if (cf_fault_is(w, "ever")) {
                f->times = CF_FAULT_ALWAYS;
            } else {
                if (!cf_fault_number(w, 10, 1, CF_FAULT_ALWAYS - 1, &number, "expected a number from 1, or ever"))
                    return 0;
                f->times = (uint32_t)number;
            }
        } else if (f->node < 0 && f->action != CF_FAULT_DRIVE && cf_fault_is(w, "at")) {
            if (!cf_fault_node(w, f, CF_FAULT_SEEN))
                return 0;
        } else if (f->node < 0 && f->action != CF_FAULT_DRIVE && cf_fault_is(w, "by")) {
            if (!cf_fault_node(w, f, CF_FAULT_DRIVEN))
                return 0;
        } else {
            return cf_fault_fail(w, "not expected here: a fault is WHEN WHAT [for N] [times N] [at NODE | by NODE]");
        }
    }
    return 1;
}

/* The named ones: 1 or 0 as for all, -1 where the line begins with none of them. */
CF_INLINE int cf_fault_named(cf_fault_words *w, cf_fault *f)
{
    int64_t number;
    f->when = CF_WHEN_FIELD;
    if (cf_fault_is(w, "error_attack") || cf_fault_is(w, "bus_off_attack")) {
        const int off = (w->text[0] | 32) == 'b';
        f->field = CF_BUS_PLACE_DLC;
        f->field_bit = 1;
        f->length = 6;
        f->times = off ? CF_FAULT_ALWAYS : 1;
        return cf_fault_id(w, f);
    }
    if (cf_fault_is(w, "double_receive") || cf_fault_is(w, "no_ack")) {
        const int ack = (w->text[0] | 32) == 'n';
        f->field = ack ? CF_BUS_PLACE_ACK_SLOT : CF_BUS_PLACE_END_OF_FRAME;
        f->field_bit = ack ? 1 : 7;
        f->length = ack ? 2 : 1;
        f->action = ack ? CF_FAULT_RECESSIVE : CF_FAULT_DOMINANT;
        if (!cf_fault_number(w, 10, 1, INT64_MAX / 4, &number, "expected the number of a frame, from 1"))
            return 0;
        f->frame = (uint64_t)number;
        return 1;
    }
    if (cf_fault_is(w, "prolonged_flag")) {
        f->field = CF_BUS_PLACE_FLAG_END;
        f->field_bit = 1;
        return cf_fault_number(w, 10, 1, INT64_MAX / 4, &f->length, "expected a number of bits, from 1");
    }
    if (cf_fault_is(w, "recessive_override")) {
        f->action = CF_FAULT_RECESSIVE;
        return cf_fault_when_of(w, f);
    }
    if (cf_fault_is(w, "stuck_dominant")) {
        f->length = CF_FAULT_EVER;
        return cf_fault_when_of(w, f);
    }
    return -1;
}

/* One line of `size` bytes, without its end, into *f. Returns 1 for a fault, 0 for an empty line or a comment, -1 for
 * a bad line: *error says what and where. */
CF_INLINE int cf_fault_parse(const char *text, size_t size, cf_fault_names names, cf_fault *f, cf_fault_error *error)
{
    cf_fault_words w;
    int named;
    memset(f, 0, sizeof *f);
    memset(error, 0, sizeof *error);
    w.at = text;
    w.end = text + size;
    w.names = names;
    w.error = error;
    cf_fault_step(&w);
    w.text = w.word;
    if (w.length == 0)
        return 0;
    f->length = 1;
    f->times = 1;
    f->node = CF_FAULT_ALL;
    named = cf_fault_named(&w, f);
    if (named < 0)
        named = cf_fault_when_of(&w, f) && (!cf_fault_is(&w, "after") || cf_fault_short(&w, &f->after_fs)) &&
                cf_fault_what(&w, f);
    if (named && cf_fault_rest(&w, f))
        return 1;
    error->column += (size_t)(w.text - text);
    return -1;
}

#endif
