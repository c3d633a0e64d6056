/* canal_fast/signals/plan.h - a plan: which bits of which message go into which column, and how.
 *
 * Five plain tables, owned by the caller and never changed by anything here. cf_plan_check says whether they make
 * sense together; every other function of the wing needs a plan that passed it, and then reads no byte outside a
 * payload, whatever the tables say.
 *
 * Bits. A row is a payload in 8 or in 64 bytes, zero-filled. A signal's window is the 8 bytes from `first_byte` (and,
 * with CF_SIGNAL_NINE, the byte after them). `shift` is the place of its first bit in the window: counted from the
 * least significant bit of the little-endian word, or from the most significant one of the big-endian word.
 */
#ifndef CANAL_FAST_SIGNALS_PLAN_H
#define CANAL_FAST_SIGNALS_PLAN_H

#include "../frame.h"

#define CF_PLAN_MESSAGES 65000 /* a message's number fits 16 bits, and two more stand for what is no message */

/* clang-format off */
/* X(C type, numpy format, name) */
#define CF_SIGNAL_FIELDS(X)                                                                          \
    X(double, "f8", scale)           /* physical value = raw * scale + offset */                     \
    X(double, "f8", offset)                                                                          \
    X(int64_t, "i8", scale_integer)  /* the same two for CF_RULE_INTEGER and CF_RULE_WIDE */         \
    X(int64_t, "i8", offset_integer)                                                                 \
    X(uint64_t, "u8", null_from)     /* CF_SIGNAL_NULLS: raw values from here on are null */         \
    X(uint32_t, "u4", message)                                                                       \
    X(int32_t, "i4", selector)       /* where it is multiplexed; -1: always there */                 \
    X(uint8_t, "u1", first_byte)     /* of the window in the row */                                  \
    X(uint8_t, "u1", shift)          /* 0..63 */                                                     \
    X(uint8_t, "u1", length)         /* bits, 1..64 */                                               \
    X(uint8_t, "u1", bytes)          /* payload bytes that hold it wholly */                         \
    X(uint8_t, "u1", kind)           /* CF_SIGNAL_... */                                             \
    X(uint8_t, "u1", rule)           /* CF_RULE_... */                                               \
    X(uint8_t, "u1", width)          /* bytes of a column's element: 1, 2, 4 or 8 */                 \
    X(uint8_t, "u1", spare)

#define CF_MESSAGE_FIELDS(X)                                                                         \
    X(uint32_t, "u4", key)           /* identifier, or PGN, with CF_KEY_... */                       \
    X(uint32_t, "u4", identifier)    /* the same; of a PGN, the identifier that goes before it */    \
    X(uint32_t, "u4", first_signal)                                                                  \
    X(uint32_t, "u4", signals)                                                                       \
    X(uint32_t, "u4", row_bytes)     /* 8, or 64 where a signal lies beyond byte 8 */                \
    X(uint32_t, "u4", spare)

/* A selector is one set of multiplexer values. It applies where its parent does (-1: everywhere), the payload holds
 * the multiplexer, and the multiplexer's raw unsigned value is in one of the ranges. */
#define CF_SELECTOR_FIELDS(X)                                                                        \
    X(uint32_t, "u4", multiplexer)   /* number of the signal */                                      \
    X(int32_t, "i4", parent)         /* number of a selector before this one, or -1 */               \
    X(uint32_t, "u4", first_range)                                                                   \
    X(uint32_t, "u4", ranges)

#define CF_RANGE_FIELDS(X)                                                                           \
    X(uint64_t, "u8", low)           /* both ends are inside */                                      \
    X(uint64_t, "u8", high)
/* clang-format on */

typedef struct cf_signal {
    CF_SIGNAL_FIELDS(CF_RECORD_MEMBER)
} cf_signal;
typedef struct cf_plan_message {
    CF_MESSAGE_FIELDS(CF_RECORD_MEMBER)
} cf_plan_message;
typedef struct cf_selector {
    CF_SELECTOR_FIELDS(CF_RECORD_MEMBER)
} cf_selector;
typedef struct cf_selector_range {
    CF_RANGE_FIELDS(CF_RECORD_MEMBER)
} cf_selector_range;

/* clang-format off */
/* X(name, value, meaning) */
#define CF_SIGNAL_KIND_LIST(X)                                        \
    X(BIG, 1, "big-endian (Motorola)")                                \
    X(SIGNED, 2, "two's complement")                                  \
    X(FLOAT, 4, "the raw value is a float of 16, 32 or 64 bits")      \
    X(NINE, 8, "the signal reaches into a ninth byte")                \
    X(NULLS, 16, "raw values from null_from on are null")             \
    X(REAL, 32, "the column holds floats")

#define CF_RULE_LIST(X)                                               \
    X(BITS, 0, "the raw value itself, in the column's width")         \
    X(INTEGER, 1, "raw * scale + offset in integers")                 \
    X(LINEAR, 2, "raw * scale + offset in f8, rounded twice")         \
    X(WIDE, 3, "raw * scale exactly, then as f8")                     \
    X(HALF, 4, "float16 widened to f4")
/* clang-format on */

enum {
#define CF_KIND_ENUM(name, value, meaning) CF_SIGNAL_##name = value,
    CF_SIGNAL_KIND_LIST(CF_KIND_ENUM)
#undef CF_KIND_ENUM
        CF_KEY_EXTENDED = (int)0x40000000, /* of a key: the identifier has 29 bits */
    CF_KEY_PGN = 0x20000000            /* the key is a PGN; priority, source and destination are not compared */
};

enum {
#define CF_RULE_ENUM(name, value, meaning) CF_RULE_##name = value,
    CF_RULE_LIST(CF_RULE_ENUM)
#undef CF_RULE_ENUM
        CF_RULE_COUNT
};

typedef struct cf_plan {
    const cf_plan_message *messages;
    const cf_signal *signals; /* those of a message stand together, in the messages' order */
    const cf_selector *selectors;
    const cf_selector_range *ranges;
    const uint16_t *slots; /* from cf_plan_index */
    size_t message_count, signal_count, selector_count, range_count, slot_count;
} cf_plan;

/* Field `index` of each record, or NULL past the last. */
CF_RECORD_FIELDS(cf_signal_field, cf_signal, CF_SIGNAL_FIELDS)
CF_RECORD_FIELDS(cf_plan_message_field, cf_plan_message, CF_MESSAGE_FIELDS)
CF_RECORD_FIELDS(cf_selector_field, cf_selector, CF_SELECTOR_FIELDS)
CF_RECORD_FIELDS(cf_selector_range_field, cf_selector_range, CF_RANGE_FIELDS)

/* Rows of the two lists above, or NULL past the end. */
CF_CODE_ROWS(cf_signal_kind_row, CF_SIGNAL_KIND_LIST)

CF_CODE_ROWS(cf_rule_row, CF_RULE_LIST)

/* Does this signal stay inside a row, and do its kind, rule and width agree? */
CF_INLINE int cf_signal_check(const cf_signal *s, uint32_t row_bytes)
{
    const unsigned bits = s->length, width = s->width, floating = s->kind & CF_SIGNAL_FLOAT;
    const unsigned window = s->kind & CF_SIGNAL_NINE ? 9 : 8;
    if (bits < 1 || bits > 64 || s->shift > 63 || s->first_byte + window > row_bytes)
        return 0;
    if (s->kind & CF_SIGNAL_NINE ? s->shift < 1 || s->shift > 7 || s->shift + bits <= 64 : s->shift + bits > 64)
        return 0;
    if (s->rule >= CF_RULE_COUNT || (width != 1 && width != 2 && width != 4 && width != 8))
        return 0;
    if (floating && bits != 16 && bits != 32 && bits != 64)
        return 0;
    switch (s->rule) {
    case CF_RULE_LINEAR:
        return width == 8;
    case CF_RULE_WIDE:
        return width == 8 && !floating;
    case CF_RULE_HALF:
        return width == 4 && floating && bits == 16;
    case CF_RULE_INTEGER:
        return !floating;
    default:
        return 8 * width >= bits;
    }
}

/* Do the tables fit each other? CF_OK, or CF_SIGNALS_PLAN with the number of the message, signal or selector in
 * *index. Selectors name a multiplexer of their signals' message and only selectors before them as parents. */
CF_INLINE cf_status cf_plan_check(const cf_plan *plan, size_t *index)
{
    size_t m, i, next = 0;
    if (plan->message_count > CF_PLAN_MESSAGES || plan->signal_count > INT32_MAX || plan->range_count > INT32_MAX)
        return CF_SIGNALS_PLAN;
    for (i = 0; i < plan->selector_count; i++) {
        const cf_selector *s = &plan->selectors[i];
        *index = i;
        if (s->multiplexer >= plan->signal_count || s->parent < -1 || s->parent >= (int64_t)i ||
            s->first_range > plan->range_count || s->ranges > plan->range_count - s->first_range)
            return CF_SIGNALS_PLAN;
        if (s->parent >= 0 &&
            plan->signals[plan->selectors[s->parent].multiplexer].message != plan->signals[s->multiplexer].message)
            return CF_SIGNALS_PLAN;
    }
    for (m = 0; m < plan->message_count; m++) {
        const cf_plan_message *message = &plan->messages[m];
        *index = m;
        if ((message->row_bytes != 8 && message->row_bytes != 64) || message->first_signal != next ||
            message->signals > plan->signal_count - next)
            return CF_SIGNALS_PLAN;
        for (i = 0; i < message->signals; i++, next++) {
            const cf_signal *s = &plan->signals[next];
            *index = next;
            if (s->message != m || !cf_signal_check(s, message->row_bytes))
                return CF_SIGNALS_PLAN;
            if (s->selector < -1 || (s->selector >= 0 && (size_t)s->selector >= plan->selector_count))
                return CF_SIGNALS_PLAN;
            if (s->selector >= 0 &&
                plan->selectors[s->selector].multiplexer - message->first_signal >= message->signals)
                return CF_SIGNALS_PLAN;
        }
    }
    *index = next;
    return next == plan->signal_count ? CF_OK : CF_SIGNALS_PLAN;
}

#endif
