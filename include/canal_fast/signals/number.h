/* canal_fast/signals/number.h - single numbers: float16, and integers of 128 bits that become doubles with one
 * rounding. Rounding is to nearest, ties to even (IEEE 754), and nothing depends on the compiler's wide types. */
#ifndef CANAL_FAST_SIGNALS_NUMBER_H
#define CANAL_FAST_SIGNALS_NUMBER_H

#include "../bits.h"

CF_INLINE float cf_float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CF_INLINE double cf_double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CF_INLINE uint32_t cf_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

CF_INLINE uint64_t cf_double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* float16 (IEEE 754 binary16) to float, exactly. */
CF_INLINE float cf_half_value(unsigned half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, fraction = half & 0x3FF, exponent = half >> 10 & 31;
    if (exponent == 31)
        return cf_float_of(sign | 0x7F800000u | fraction << 13);
    if (exponent)
        return cf_float_of(sign | (exponent + 112) << 23 | fraction << 13);
    return cf_float_of(sign | cf_float_bits((float)fraction * (1.0f / 16777216.0f)));
}

/* double to float16; a finite value that none stands for gives 0x10000. */
CF_INLINE unsigned cf_half_bits(double value)
{
    const uint64_t bits = cf_double_bits(value), fraction = bits & 0xFFFFFFFFFFFFFu;
    const unsigned sign = (unsigned)(bits >> 48) & 0x8000;
    const int exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    uint64_t whole, rest, half;
    unsigned shift, result;
    if (exponent == 1024)
        return sign | 0x7C00 | (fraction ? 0x200 | (unsigned)(fraction >> 42) : 0);
    if (exponent < -25)
        return sign;
    if (exponent > 15)
        return 0x10000;
    shift = exponent < -14 ? 42u + (unsigned)(-14 - exponent) : 42u; /* bits that go */
    whole = (fraction | (uint64_t)1 << 52) >> shift;
    rest = (fraction | (uint64_t)1 << 52) & (((uint64_t)1 << shift) - 1);
    half = (uint64_t)1 << (shift - 1);
    result = (unsigned)whole + (unsigned)(rest > half || (rest == half && (whole & 1)));
    if (exponent >= -14) /* the hidden bit is in `whole` */
        result += (unsigned)(exponent + 14) << 10;
    return result >= 0x7C00 ? 0x10000 : sign | result;
}

/* Two's complement, 128 bits. */
typedef struct cf_wide_parts {
    uint64_t high, low;
} cf_wide_integer;

CF_INLINE cf_wide_integer cf_wide_negative(cf_wide_integer a)
{
    cf_wide_integer result;
    result.low = ~a.low + 1;
    result.high = ~a.high + (result.low == 0);
    return result;
}

CF_INLINE cf_wide_integer cf_wide_of(uint64_t raw, int is_signed)
{
    cf_wide_integer result;
    result.low = raw;
    result.high = is_signed && raw >> 63 ? ~(uint64_t)0 : 0;
    return result;
}

CF_INLINE cf_wide_integer cf_wide_sum(cf_wide_integer a, cf_wide_integer b)
{
    cf_wide_integer result;
    result.low = a.low + b.low;
    result.high = a.high + b.high + (result.low < a.low);
    return result;
}

/* Product of two magnitudes below 2^64. */
CF_INLINE cf_wide_integer cf_wide_magnitude(uint64_t a, uint64_t b)
{
    const uint64_t al = a & 0xFFFFFFFFu, ah = a >> 32, bl = b & 0xFFFFFFFFu, bh = b >> 32;
    const uint64_t low = al * bl, cross = ah * bl + (low >> 32), other = al * bh + (cross & 0xFFFFFFFFu);
    cf_wide_integer result;
    result.low = (other << 32) | (low & 0xFFFFFFFFu);
    result.high = ah * bh + (cross >> 32) + (other >> 32);
    return result;
}

/* raw (signed or not) times scale; |result| stays below 2^127. */
CF_INLINE cf_wide_integer cf_wide_product(uint64_t raw, int is_signed, int64_t scale)
{
    const int raw_below = is_signed && raw >> 63, scale_below = scale < 0;
    const uint64_t a = raw_below ? 0 - raw : raw, b = scale_below ? 0 - (uint64_t)scale : (uint64_t)scale;
    const cf_wide_integer product = cf_wide_magnitude(a, b);
    return raw_below != scale_below ? cf_wide_negative(product) : product;
}

/* The nearest double. */
CF_INLINE double cf_wide_double(cf_wide_integer value)
{
    const int below = (int)(value.high >> 63);
    double result;
    if (below)
        value = cf_wide_negative(value);
    if (value.high) { /* 64 bits at the top, what follows them as one sticky bit: one rounding when converted */
        const unsigned zeros = cf_leading_zeros(value.high), shift = 64 - zeros;
        const uint64_t top = zeros ? value.high << zeros | value.low >> shift : value.high;
        const uint64_t rest = zeros ? value.low << zeros : value.low;
        result = (double)(top | (rest != 0));
        result *= cf_double_of((uint64_t)(1023 + shift) << 52);
    } else {
        result = (double)value.low;
    }
    return below ? -result : result;
}

/* The nearest whole number, ties to even. */
CF_INLINE double cf_round_even(double value)
{
    const double large = 4503599627370496.0; /* 2^52: above it every double is whole */
    if (value >= 0)
        return value < large ? (value + large) - large : value;
    return value > -large ? (value - large) + large : value;
}

#endif
