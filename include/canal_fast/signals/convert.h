/* canal_fast/signals/convert.h - words to columns: one loop a kind of signal, chosen once a block.
 *
 * raw * scale + offset rounds twice, as Python's and every database tool's does; a fused multiply-add would give other
 * numbers (1,027 of a 12-bit signal's 4,096 with scale 0.1 and offset -40).
 */
#ifndef CANAL_FAST_SIGNALS_CONVERT_H
#define CANAL_FAST_SIGNALS_CONVERT_H

#include "extract.h"
#include "number.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__) && (defined(__FMA__) || defined(__ARM_FEATURE_FMA))
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#define CF_SIGNALS_POP 1
#endif

#define CF_RAW_UNSIGNED(i) (words[i] << left >> right)
#define CF_RAW_SIGNED(i) ((uint64_t)((int64_t)(words[i] << left) >> right))

#define CF_STORE(type, value)                   \
    do {                                        \
        type *CF_RESTRICT out = (type *)column; \
        for (i = 0; i < count; i++)             \
            out[i] = (type)(value);             \
    } while (0)

#define CF_STORE_WIDTHS(raw)     \
    switch (s->width) {          \
    case 1:                      \
        CF_STORE(uint8_t, raw);  \
        break;                   \
    case 2:                      \
        CF_STORE(uint16_t, raw); \
        break;                   \
    case 4:                      \
        CF_STORE(uint32_t, raw); \
        break;                   \
    default:                     \
        CF_STORE(uint64_t, raw); \
        break;                   \
    }

/* CF_RULE_BITS and CF_RULE_INTEGER, which is arithmetic modulo 2^64: the column's type holds every result. */
CF_INLINE void cf_convert_integers(const cf_signal *s, const uint64_t *CF_RESTRICT words, unsigned left, size_t count,
                                   void *CF_RESTRICT column)
{
    const unsigned right = 64u - s->length;
    const uint64_t scale = (uint64_t)s->scale_integer, offset = (uint64_t)s->offset_integer;
    size_t i;
    if (s->rule == CF_RULE_INTEGER) {
        if (s->kind & CF_SIGNAL_SIGNED)
            CF_STORE_WIDTHS(CF_RAW_SIGNED(i) * scale + offset)
        else
            CF_STORE_WIDTHS(CF_RAW_UNSIGNED(i) * scale + offset)
    } else if (s->kind & CF_SIGNAL_SIGNED) {
        CF_STORE_WIDTHS(CF_RAW_SIGNED(i))
    } else {
        CF_STORE_WIDTHS(CF_RAW_UNSIGNED(i))
    }
}

#define CF_LINEAR(value)                                    \
    do {                                                    \
        double *CF_RESTRICT out = (double *)column;         \
        for (i = 0; i < count; i++) {                       \
            const double product = (double)(value) * scale; \
            out[i] = product + offset;                      \
        }                                                   \
    } while (0)

#define CF_MAGIC_BITS 0x4330000000000000u /* of 2^52: with a whole number below it in the low bits, their sum */

/* CF_RULE_LINEAR of integers. Up to 32 bits go through int32, which every machine converts in parallel; up to 52
 * through the bits of 2^52 + raw; what is longer one by one. */
CF_INLINE void cf_convert_linear(const cf_signal *s, const uint64_t *CF_RESTRICT words, unsigned left, size_t count,
                                 void *CF_RESTRICT column)
{
    const unsigned right = 64u - s->length;
    const double scale = s->scale, offset = s->offset;
    const double magic = 4503599627370496.0, half = 2251799813685248.0; /* 2^52, 2^51 */
    size_t i;
    if (s->kind & CF_SIGNAL_SIGNED) {
        if (s->length <= 32)
            CF_LINEAR((int32_t)CF_RAW_SIGNED(i));
        else if (s->length <= 52)
            CF_LINEAR(cf_double_of((CF_RAW_SIGNED(i) + ((uint64_t)1 << 51)) | CF_MAGIC_BITS) - (magic + half));
        else
            CF_LINEAR((int64_t)CF_RAW_SIGNED(i));
    } else if (s->length <= 31) {
        CF_LINEAR((int32_t)CF_RAW_UNSIGNED(i));
    } else if (s->length <= 52) {
        CF_LINEAR(cf_double_of(CF_RAW_UNSIGNED(i) | CF_MAGIC_BITS) - magic);
    } else {
        CF_LINEAR(CF_RAW_UNSIGNED(i));
    }
}

/* CF_RULE_LINEAR of floats. */
CF_INLINE void cf_convert_floats(const cf_signal *s, const uint64_t *CF_RESTRICT words, unsigned left, size_t count,
                                 void *CF_RESTRICT column)
{
    const unsigned right = 64u - s->length;
    const double scale = s->scale, offset = s->offset;
    size_t i;
    if (s->length == 64)
        CF_LINEAR(cf_double_of(CF_RAW_UNSIGNED(i)));
    else if (s->length == 32)
        CF_LINEAR(cf_float_of((uint32_t)CF_RAW_UNSIGNED(i)));
    else
        CF_LINEAR(cf_half_value((unsigned)CF_RAW_UNSIGNED(i)));
}

/* CF_RULE_LINEAR of one raw value of an integer signal. */
CF_INLINE double cf_linear_value(const cf_signal *s, uint64_t raw)
{
    const double product = (s->kind & CF_SIGNAL_SIGNED ? (double)(int64_t)raw : (double)raw) * s->scale;
    return product + s->offset;
}

/* CF_RULE_WIDE of one raw value: an integer offset is added before the only rounding, another after it. */
CF_INLINE double cf_wide_value(const cf_signal *s, uint64_t raw)
{
    const int is_signed = s->kind & CF_SIGNAL_SIGNED;
    const cf_wide_integer product = cf_wide_product(raw, is_signed, s->scale_integer);
    const double offset = s->offset;
    if (offset == (double)s->offset_integer)
        return cf_wide_double(cf_wide_sum(product, cf_wide_of((uint64_t)s->offset_integer, 1)));
    return cf_wide_double(product) + offset;
}

/* The words of a block (cf_block_words) to `count` elements at `column`, which is aligned to them. */
CF_INLINE void cf_signal_convert(const cf_signal *s, const uint64_t *CF_RESTRICT words, unsigned left, size_t count,
                                 void *CF_RESTRICT column)
{
    const unsigned right = 64u - s->length;
    size_t i;
    switch (s->rule) {
    case CF_RULE_LINEAR:
        if (s->kind & CF_SIGNAL_FLOAT)
            cf_convert_floats(s, words, left, count, column);
        else
            cf_convert_linear(s, words, left, count, column);
        break;
    case CF_RULE_WIDE:
        if (s->kind & CF_SIGNAL_SIGNED)
            CF_STORE(double, cf_wide_value(s, CF_RAW_SIGNED(i)));
        else
            CF_STORE(double, cf_wide_value(s, CF_RAW_UNSIGNED(i)));
        break;
    case CF_RULE_HALF:
        CF_STORE(float, cf_half_value((unsigned)CF_RAW_UNSIGNED(i)));
        break;
    default:
        cf_convert_integers(s, words, left, count, column);
        break;
    }
}

/* Where `valid` is 0, a float column gets NaN and an integer one 0. */
CF_INLINE void cf_clear_invalid(const cf_signal *s, const uint8_t *CF_RESTRICT valid, size_t count,
                                void *CF_RESTRICT column)
{
    const uint64_t nothing = !(s->kind & CF_SIGNAL_REAL) ? 0 : s->width == 4 ? 0x7FC00000u : 0x7FF8000000000000u;
    size_t i;
#define CF_KEEP(type) CF_STORE(type, valid[i] ? out[i] : (type)nothing)
    switch (s->width) {
    case 1:
        CF_KEEP(uint8_t);
        break;
    case 2:
        CF_KEEP(uint16_t);
        break;
    case 4:
        CF_KEEP(uint32_t);
        break;
    default:
        CF_KEEP(uint64_t);
        break;
    }
#undef CF_KEEP
}

/* What one raw value of an integer signal with CF_RULE_LINEAR or CF_RULE_WIDE decodes to. */
CF_INLINE double cf_decoded_value(const cf_signal *s, uint64_t raw)
{
    return s->rule == CF_RULE_WIDE ? cf_wide_value(s, raw) : cf_linear_value(s, raw);
}

#undef CF_LINEAR
#undef CF_STORE_WIDTHS
#undef CF_STORE
#undef CF_RAW_SIGNED
#undef CF_RAW_UNSIGNED
#ifdef CF_SIGNALS_POP
#pragma GCC pop_options
#undef CF_SIGNALS_POP
#endif

#endif
