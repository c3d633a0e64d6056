/* canal_fast/signals/encode.h - columns to payloads of one message.
 *
 * raw = (value - offset) / scale, to the nearest whole number, ties to even. Where neither is a float it is done in
 * integers. For more than 50 bits, where a quotient of doubles may miss by one or two, a neighbour that decodes to
 * exactly the value goes first.
 */
#ifndef CANAL_FAST_SIGNALS_ENCODE_H
#define CANAL_FAST_SIGNALS_ENCODE_H

#include "convert.h"

enum { CF_VALUES_F8 = 0, CF_VALUES_I8 = 1, CF_VALUES_U8 = 2 };

/* What one signal's rows get. */
typedef struct cf_encode_column {
    const void *values;   /* f8, i8 or u8, one a row; NULL: the fallback for all */
    const uint8_t *given; /* 0 where the row has no value and gets the fallback; NULL: all have one */
    int32_t type;         /* CF_VALUES_... */
    int32_t raw;          /* not 0: the values are raw ones */
    uint64_t fallback;    /* raw bits */
} cf_encode_column;

/* Bounds of the raw value: -below .. above, of a signal that is no float. */
CF_INLINE void cf_raw_bounds(const cf_signal *s, uint64_t *below, uint64_t *above)
{
    const uint64_t all = ~(uint64_t)0 >> (64u - s->length);
    *below = s->kind & CF_SIGNAL_SIGNED ? (all >> 1) + 1 : 0;
    *above = s->kind & CF_SIGNAL_SIGNED ? all >> 1 : all;
}

/* A magnitude and a sign to raw bits. Outside the bounds: the bound, and 0 is returned. */
CF_INLINE int cf_raw_bounded(const cf_signal *s, int below_zero, uint64_t magnitude, uint64_t *raw)
{
    uint64_t below, above, limit;
    cf_raw_bounds(s, &below, &above);
    limit = below_zero ? below : above;
    *raw = below_zero ? 0 - (magnitude < limit ? magnitude : limit) : (magnitude < limit ? magnitude : limit);
    return magnitude <= limit;
}

/* An integer value through an integer scale: exact, as integers of 65 bits. */
CF_INLINE int cf_raw_of_integer(const cf_signal *s, uint64_t value, int is_signed, int scaled, uint64_t *raw)
{
    cf_wide_integer wide = cf_wide_of(value, is_signed);
    const int64_t scale = scaled ? s->scale_integer : 1;
    const uint64_t divisor = scale < 0 ? 0 - (uint64_t)scale : (uint64_t)scale;
    uint64_t quotient, rest;
    int below;
    if (scaled)
        wide = cf_wide_sum(wide, cf_wide_negative(cf_wide_of((uint64_t)s->offset_integer, 1)));
    below = (int)(wide.high >> 63);
    if (below)
        wide = cf_wide_negative(wide);
    if (wide.high || divisor == 0) { /* beyond every raw value; a plan of any bytes has scales of 0 here, too */
        (void)cf_raw_bounded(s, below != (scale < 0), ~(uint64_t)0, raw);
        return 0;
    }
    quotient = wide.low / divisor;
    rest = wide.low % divisor;
    if (rest > divisor - rest || (rest == divisor - rest && (quotient & 1)))
        quotient++;
    return cf_raw_bounded(s, quotient && below != (scale < 0), quotient, raw);
}

/* Is `raw` one of the signal's, and does it decode to `value`? */
CF_INLINE int cf_raw_decodes(const cf_signal *s, uint64_t raw, double value)
{
    const unsigned spare = 64u - s->length;
    const uint64_t top = raw << spare;
    const uint64_t kept = s->kind & CF_SIGNAL_SIGNED ? (uint64_t)((int64_t)top >> spare) : top >> spare;
    return kept == raw && cf_decoded_value(s, raw) == value;
}

/* Of `raw` moved by what its value lacks, and the raw values at most 4 beside that, the nearest that decodes to
 * `value`; `raw` where none does. */
CF_INLINE uint64_t cf_raw_beside(const cf_signal *s, uint64_t raw, double value)
{
    const double lacking = cf_round_even((value - cf_decoded_value(s, raw)) / s->scale);
    const uint64_t moved = lacking > -1e9 && lacking < 1e9 ? raw + (uint64_t)(int64_t)lacking : raw;
    int i;
    for (i = 1; i <= 9; i++) {
        const uint64_t other = i & 1 ? moved - (uint64_t)(i / 2) : moved + (uint64_t)(i / 2);
        if (cf_raw_decodes(s, other, value))
            return other;
    }
    return raw;
}

/* A number to raw bits of an integer signal. NaN: 0 is returned and *raw is 0. */
CF_INLINE int cf_raw_of_number(const cf_signal *s, double value, int scaled, uint64_t *raw)
{
    const double number = scaled ? (value - s->offset) / s->scale : value;
    const double whole = cf_round_even(number);
    const double top = cf_double_of((uint64_t)(1023 + s->length) << 52); /* 2^length */
    const int is_signed = s->kind & CF_SIGNAL_SIGNED;
    const double low = is_signed ? -top / 2 : 0, high = is_signed ? top / 2 : top;
    *raw = 0;
    if (!(whole >= low && whole < high)) {
        if (whole != whole)
            return 0;
        (void)cf_raw_bounded(s, whole < low, ~(uint64_t)0, raw);
        return scaled && cf_decoded_value(s, *raw) == value; /* beside a large offset the quotient is out by some */
    }
    *raw = is_signed ? (uint64_t)(int64_t)whole : (uint64_t)whole;
    if (scaled && s->length > 50 && (s->rule == CF_RULE_LINEAR || s->rule == CF_RULE_WIDE) &&
        cf_decoded_value(s, *raw) != value)
        *raw = cf_raw_beside(s, *raw, value);
    return 1;
}

/* A number to raw bits of a float signal; a finite number beyond the format gives its largest, and 0 is returned. */
CF_INLINE int cf_raw_of_float(const cf_signal *s, double value, int scaled, uint64_t *raw)
{
    const double number = scaled && s->rule == CF_RULE_LINEAR ? (value - s->offset) / s->scale : value;
    const int finite = number - number == 0;
    if (s->length == 64) {
        *raw = cf_double_bits(number);
        return 1;
    }
    if (s->length == 32) {
        const double largest = 340282356779733661637539395458142568448.0; /* from here on, float rounds to infinity */
        const int fits = !finite || (number < largest && number > -largest);
        *raw = fits ? cf_float_bits((float)number) : number < 0 ? 0xFF7FFFFFu : 0x7F7FFFFFu;
        return fits;
    }
    *raw = cf_half_bits(number);
    if (*raw != 0x10000)
        return 1;
    *raw = number < 0 ? 0xFBFF : 0x7BFF;
    return 0;
}

/* Are integers of a column, raw or scaled, taken as integers? A value table's signal has CF_RULE_BITS and any scale. */
CF_INLINE int cf_signal_takes_integers(const cf_signal *s, int scaled)
{
    if (s->kind & CF_SIGNAL_FLOAT)
        return 0;
    return !scaled || (s->rule == CF_RULE_BITS ? s->scale == 1 && s->offset == 0 : s->rule != CF_RULE_LINEAR);
}

CF_INLINE double cf_encode_value(const cf_encode_column *c, size_t row)
{
    const uint64_t bits = ((const uint64_t *)c->values)[row];
    if (c->type == CF_VALUES_F8)
        return cf_double_of(bits);
    return c->type == CF_VALUES_I8 ? (double)(int64_t)bits : (double)bits;
}

/* Row `row` of a column to raw bits; 0: it does not fit, and *raw is the nearest that does. */
CF_INLINE int cf_raw_of(const cf_signal *s, const cf_encode_column *c, size_t row, uint64_t *raw)
{
    const int scaled = !c->raw;
    double value;
    if (c->values == NULL || (c->given != NULL && !c->given[row])) {
        *raw = c->fallback;
        return 1;
    }
    value = cf_encode_value(c, row);
    if (scaled && s->scale == 0) { /* every raw value is the offset */
        *raw = 0;
        return value == s->offset;
    }
    if (c->type != CF_VALUES_F8 && cf_signal_takes_integers(s, scaled) &&
        (!scaled || s->offset == (double)s->offset_integer))
        return cf_raw_of_integer(s, ((const uint64_t *)c->values)[row], c->type == CF_VALUES_I8,
                                 scaled && s->rule != CF_RULE_BITS, raw);
    return s->kind & CF_SIGNAL_FLOAT ? cf_raw_of_float(s, value, scaled, raw) : cf_raw_of_number(s, value, scaled, raw);
}

/* Rows `at`.. of a column to the raw bits of a block, without branches: for columns that are given wholly and signals
 * of at most 50 bits. Returns 0 where that is not so, or some value does not fit; then *raws means nothing. */
CF_INLINE int cf_block_raws(const cf_signal *s, const cf_encode_column *c, size_t at, size_t count,
                            uint64_t *CF_RESTRICT raws)
{
    const unsigned spare = 64u - s->length;
    const int is_signed = s->kind & CF_SIGNAL_SIGNED;
    size_t i;
    int bad = 0;
    if (c->values == NULL || c->given != NULL || s->length > 50 || (s->kind & CF_SIGNAL_FLOAT))
        return 0;
    if (c->type != CF_VALUES_F8) {
        const uint64_t *values = (const uint64_t *)c->values + at;
        if (!c->raw && (s->rule != CF_RULE_BITS || !cf_signal_takes_integers(s, 1)))
            return 0;
        for (i = 0; i < count; i++) {
            const uint64_t top = values[i] << spare;
            raws[i] = values[i];
            bad |= values[i] != (is_signed ? (uint64_t)((int64_t)top >> spare) : top >> spare);
        }
        return !bad && !(is_signed && c->type == CF_VALUES_U8 && s->length == 64);
    } else {
        const double *values = (const double *)c->values + at;
        const double offset = c->raw ? 0.0 : s->offset, scale = c->raw ? 1.0 : s->scale;
        const double magic = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to a whole number in the low bits */
        const double top = cf_double_of((uint64_t)(1023 + s->length) << 52);
        const double low = is_signed ? -top / 2 : 0, high = is_signed ? top / 2 : top;
        for (i = 0; i < count; i++) {
            const double sum = (values[i] - offset) / scale + magic;
            const double whole = sum - magic;
            raws[i] = cf_double_bits(sum) - cf_double_bits(magic);
            bad |= !(whole >= low) | !(whole < high);
        }
        return !bad;
    }
}

/* Puts the low bits of `raw` into the signal's place in a row; no other bit changes. */
CF_INLINE void cf_signal_put(const cf_signal *s, uint8_t *row, uint64_t raw)
{
    const uint64_t mask = ~(uint64_t)0 >> (64u - s->length);
    uint8_t *at = row + s->first_byte;
    raw &= mask;
    if (s->kind & CF_SIGNAL_BIG) {
        const uint64_t word = cf_load_be64(at);
        if (s->kind & CF_SIGNAL_NINE) {
            const unsigned beyond = s->shift + s->length - 64u, rest = 8 - beyond; /* bits in the ninth byte */
            cf_store_be64(at, (word & ~(mask >> beyond)) | raw >> beyond);
            at[8] = (uint8_t)((at[8] & ~(0xFFu << rest)) | (raw << rest & 0xFF));
        } else {
            const unsigned up = 64u - s->shift - s->length;
            cf_store_be64(at, (word & ~(mask << up)) | raw << up);
        }
    } else {
        cf_store_le64(at, (cf_load_le64(at) & ~(mask << s->shift)) | raw << s->shift);
        if (s->kind & CF_SIGNAL_NINE) {
            const unsigned up = 64u - s->shift;
            at[8] = (uint8_t)((at[8] & ~(mask >> up)) | raw >> up);
        }
    }
}

/* The same for a block of rows, `step` bytes apart. */
CF_INLINE void cf_block_put(const cf_signal *s, uint8_t *rows, size_t step, const uint64_t *CF_RESTRICT raws,
                            size_t count)
{
    const uint64_t mask = ~(uint64_t)0 >> (64u - s->length);
    uint8_t *at = rows + s->first_byte;
    size_t i;
    if (s->kind & CF_SIGNAL_NINE) {
        for (i = 0; i < count; i++)
            cf_signal_put(s, rows + i * step, raws[i]);
    } else if (s->kind & CF_SIGNAL_BIG) {
        const unsigned up = 64u - s->shift - s->length;
        for (i = 0; i < count; i++, at += step)
            cf_store_be64(at, (cf_load_be64(at) & ~(mask << up)) | (raws[i] & mask) << up);
    } else {
        const unsigned up = s->shift;
        for (i = 0; i < count; i++, at += step)
            cf_store_le64(at, (cf_load_le64(at) & ~(mask << up)) | (raws[i] & mask) << up);
    }
}

/* One signal of a block, row by row where a value needs a second look. Returns the row that does not fit, or count. */
CF_INLINE size_t cf_block_encode(const cf_signal *s, const cf_encode_column *c, size_t at, size_t count, int saturate,
                                 const uint8_t *selected, uint8_t *rows, size_t step)
{
    uint64_t raws[CF_ROW_BLOCK];
    size_t k;
    if (s->selector < 0 && cf_block_raws(s, c, at, count, raws)) {
        cf_block_put(s, rows, step, raws, count);
        return count;
    }
    for (k = 0; k < count; k++) {
        if (!selected[k])
            continue;
        if (!cf_raw_of(s, c, at + k, &raws[k])) {
            const double *values = (const double *)c->values;
            if (!saturate || (c->type == CF_VALUES_F8 && values[at + k] != values[at + k]))
                return k;
        }
        cf_signal_put(s, rows + k * step, raws[k]);
    }
    return count;
}

CF_INLINE size_t cf_selector_depth(const cf_plan *plan, int32_t selector)
{
    size_t depth = 0;
    for (; selector >= 0; selector = plan->selectors[selector].parent)
        depth++;
    return depth;
}

/* `count` payloads of message `number` into `rows` (row_bytes each, written whole; unused bits are those of
 * `padding`). `columns` has an entry for each signal of the message. Multiplexers are written before what they select,
 * and signals only where they are selected. CF_SIGNALS_RANGE: the value of *row for *signal (within the message) does
 * not fit; with `saturate` only NaN does not. */
CF_INLINE cf_status cf_signals_encode(const cf_plan *plan, size_t number, const cf_encode_column *columns, size_t count,
                                      int saturate, unsigned padding, uint8_t *rows, size_t *row, size_t *signal)
{
    const cf_plan_message *message = &plan->messages[number];
    const cf_signal *signals = plan->signals + message->first_signal;
    uint8_t selected[CF_ROW_BLOCK], full[CF_ROW_BLOCK];
    cf_row_block block;
    size_t at, i, bad, depth, left;
    memset(rows, (int)padding, count * message->row_bytes);
    memset(full, CF_FD_DATA, sizeof full);
    for (at = 0; at < count; at += CF_ROW_BLOCK) {
        uint8_t *some = rows + at * message->row_bytes;
        const size_t size = count - at < CF_ROW_BLOCK ? count - at : CF_ROW_BLOCK;
        for (depth = 0, left = message->signals; left; depth++) {
            for (i = 0; i < message->signals; i++) {
                const cf_signal *s = &signals[i];
                if (cf_selector_depth(plan, s->selector) != depth)
                    continue;
                left--;
                cf_block_begin(&block, some, full, size, message->row_bytes);
                cf_block_select(&block, plan, s->selector, selected);
                bad = cf_block_encode(s, &columns[i], at, size, saturate, selected, some, message->row_bytes);
                if (bad < size) {
                    *row = at + bad;
                    *signal = i;
                    return CF_SIGNALS_RANGE;
                }
            }
        }
    }
    return CF_OK;
}

#endif
