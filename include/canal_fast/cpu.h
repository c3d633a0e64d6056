/* canal_fast/cpu.h - which units of the processor kernels may use, and words to compile single functions for them.
 *
 * A kernel asks a set of units for all that it needs; none implies another. Nothing here changes how the rest is
 * compiled: the baseline stays the compiler's own, and a function marked CF_TARGET_X is only to be called where
 * cf_units_have(units, CF_NEEDS_X). Elsewhere than on x86-64 and little-endian aarch64, with GNU-like compilers, all
 * is portable.
 */
#ifndef CANAL_FAST_CPU_H
#define CANAL_FAST_CPU_H

#include "base.h"

/* Bit, name and contents of each unit. NEON is what compilers for ARM use by themselves, too: to leave it out leaves
 * out the kernels that are written for it. */
/* clang-format off */
#define CF_UNIT_LIST(X)                                                       \
    X(PCLMUL, 0, "pclmul", "PCLMULQDQ with SSSE3 and SSE4.1")                 \
    X(AVX2, 1, "avx2", "AVX2")                                                \
    X(PEXT, 2, "pext", "BMI2 and POPCNT, where PEXT is no microcode")         \
    X(VPCLMUL, 3, "vpclmul", "VPCLMULQDQ")                                    \
    X(AVX512, 4, "avx512", "AVX-512 F, BW, DQ and VL")                        \
    X(NEON, 5, "neon", "ARM's Advanced SIMD")                                 \
    X(PMULL, 6, "pmull", "ARM's PMULL of 64 bits")                            \
    X(GFNI, 7, "gfni", "GFNI, multiplication of 8 x 8 bits by a vector's bytes")

typedef uint32_t cf_units; /* a set */

enum {
    CF_PORTABLE = 0,
#define CF_UNIT_BIT(name, bit, word, contents) CF_UNIT_##name = 1 << bit,
    CF_UNIT_LIST(CF_UNIT_BIT)
#undef CF_UNIT_BIT
    CF_NEEDS_PCLMUL = CF_UNIT_PCLMUL,
    CF_NEEDS_PEXT = CF_UNIT_PEXT | CF_UNIT_PCLMUL,
    CF_NEEDS_AVX2 = CF_UNIT_AVX2,
    CF_NEEDS_AVX2_PCLMUL = CF_UNIT_AVX2 | CF_UNIT_PCLMUL,
    CF_NEEDS_VPCLMUL = CF_UNIT_AVX2 | CF_UNIT_PCLMUL | CF_UNIT_VPCLMUL,
    CF_NEEDS_AVX512 = CF_UNIT_AVX512,
    CF_NEEDS_AVX512_VPCLMUL = CF_UNIT_AVX512 | CF_UNIT_VPCLMUL,
    CF_NEEDS_AVX2_GFNI = CF_UNIT_AVX2 | CF_UNIT_GFNI,
    CF_NEEDS_AVX512_GFNI = CF_UNIT_AVX512 | CF_UNIT_GFNI,
    CF_NEEDS_NEON = CF_UNIT_NEON,
    CF_NEEDS_PMULL = CF_UNIT_PMULL
};
/* clang-format on */

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define CF_HAVE_X86 1
#include <cpuid.h>
#define CF_TARGET(units) __attribute__((target(units)))
#define CF_TARGET_PCLMUL CF_TARGET("pclmul,ssse3,sse4.1")
#define CF_TARGET_PEXT CF_TARGET("pclmul,ssse3,sse4.1,bmi,bmi2,popcnt")
#define CF_TARGET_AVX2 CF_TARGET("avx2")
#define CF_TARGET_AVX2_PCLMUL CF_TARGET("avx2,pclmul")
#define CF_TARGET_AVX2_GFNI CF_TARGET("avx2,gfni")
#define CF_TARGET_VPCLMUL CF_TARGET("avx2,pclmul,vpclmulqdq")
#if defined(__clang__)
#define CF_WIDE "avx512f,avx512bw,avx512dq,avx512vl"
#else
#define CF_WIDE "avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"
#endif
#define CF_TARGET_AVX512 CF_TARGET(CF_WIDE)
#define CF_TARGET_AVX512_VPCLMUL CF_TARGET(CF_WIDE ",vpclmulqdq")
#define CF_TARGET_AVX512_GFNI CF_TARGET(CF_WIDE ",gfni")
#else
#define CF_HAVE_X86 0
#endif

#if defined(__aarch64__) && !defined(__AARCH64EB__) && (defined(__GNUC__) || defined(__clang__))
#define CF_HAVE_NEON 1
#else
#define CF_HAVE_NEON 0
#endif

#if CF_HAVE_NEON && defined(__ARM_FEATURE_AES)
#define CF_HAVE_PMULL 1
#define CF_TARGET_PMULL
#elif CF_HAVE_NEON && defined(__linux__) && !defined(__clang__) /* some clangs lack what was not asked for */
#define CF_HAVE_PMULL 1
#define CF_TARGET_PMULL __attribute__((target("+crypto")))
#ifdef __cplusplus /* what libgcc asks, too: no header of the system */
extern "C" unsigned long __getauxval(unsigned long kind);
#else
extern unsigned long __getauxval(unsigned long kind);
#endif
#else
#define CF_HAVE_PMULL 0
#endif

typedef struct cf_unit {
    cf_units bit;
    const char *name;
    const char *contents;
} cf_unit;

/* Row `index` of the units, or NULL past the last. */
CF_INLINE const cf_unit *cf_unit_row(size_t index)
{
    static const cf_unit rows[] = {
#define CF_UNIT_ROW(name, bit, word, contents) {CF_UNIT_##name, word, contents},
        CF_UNIT_LIST(CF_UNIT_ROW)
#undef CF_UNIT_ROW
    };
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

CF_INLINE int cf_units_have(cf_units units, cf_units needed)
{
    return (units & needed) == needed;
}

/* PEXT is microcode of up to 250 steps on AMD's processors before family 0x19 (Zen 3) and on Hygon's, made after Zen 1.
 * `vendor`: EBX of CPUID 0; `signature`: EAX of CPUID 1. */
CF_INLINE int cf_pext_is_fast(uint32_t vendor, uint32_t signature)
{
    const uint32_t amd = 0x68747541, hygon = 0x6F677948; /* "Auth", "Hygo" */
    const uint32_t base = signature >> 8 & 15, family = base == 15 ? base + (signature >> 20 & 255) : base;
    return (vendor != amd && vendor != hygon) || family >= 0x19;
}

/* All units that this machine has. Asks the processor, which takes microseconds: to be kept. */
CF_INLINE cf_units cf_cpu_units(void)
{
    cf_units units = CF_PORTABLE;
#if CF_HAVE_X86
    unsigned eax, ebx = 0, ecx, edx, signature = 0, vendor = 0;
    __builtin_cpu_init();
    if (__get_cpuid(0, &eax, &vendor, &ecx, &edx))
        (void)__get_cpuid(1, &signature, &ebx, &ecx, &edx);
    if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1"))
        units |= CF_UNIT_PCLMUL;
    if (__builtin_cpu_supports("avx2"))
        units |= CF_UNIT_AVX2;
    if (__builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
        cf_pext_is_fast(vendor, signature))
        units |= CF_UNIT_PEXT;
    if (__builtin_cpu_supports("vpclmulqdq"))
        units |= CF_UNIT_VPCLMUL;
    if (__builtin_cpu_supports("gfni"))
        units |= CF_UNIT_GFNI;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        units |= CF_UNIT_AVX512;
#elif CF_HAVE_NEON
    units |= CF_UNIT_NEON;
#if defined(__ARM_FEATURE_AES)
    units |= CF_UNIT_PMULL;
#elif CF_HAVE_PMULL
    if (__getauxval(16) >> 4 & 1) /* AT_HWCAP, HWCAP_PMULL */
        units |= CF_UNIT_PMULL;
#endif
#endif
    return units;
}

#endif
