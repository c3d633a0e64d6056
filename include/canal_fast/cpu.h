/* canal_fast/cpu.h - which instruction sets this machine has, and words to compile single functions for them.
 *
 * Nothing here changes how the rest is compiled: the baseline stays the compiler's own, and a function marked
 * CF_TARGET_... is only to be called where cf_cpu_level() allows. Elsewhere than GNU-like x86-64 all is portable.
 */
#ifndef CANAL_FAST_CPU_H
#define CANAL_FAST_CPU_H

#include "base.h"

typedef enum cf_level {
    CF_PORTABLE = 0,
    CF_AVX2 = 1,  /* AVX2, BMI2, LZCNT, POPCNT */
    CF_AVX512 = 2 /* and AVX-512 F, BW, DQ, VL, VPCLMULQDQ */
} cf_level;

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define CF_HAVE_X86 1
#include <cpuid.h>
#define CF_AVX2_UNITS "avx2,bmi,bmi2,lzcnt,popcnt,pclmul"
#define CF_AVX512_UNITS CF_AVX2_UNITS ",avx512f,avx512bw,avx512dq,avx512vl,vpclmulqdq"
#define CF_TARGET_AVX2 __attribute__((target(CF_AVX2_UNITS)))
#if defined(__clang__)
#define CF_TARGET_AVX512 __attribute__((target(CF_AVX512_UNITS)))
#else
#define CF_TARGET_AVX512 __attribute__((target(CF_AVX512_UNITS ",prefer-vector-width=512")))
#endif
#else
#define CF_HAVE_X86 0
#endif

#if CF_HAVE_X86
/* LZCNT: bit 5 of ECX of CPUID 0x80000001. gcc 12's __builtin_cpu_supports does not know the name; where the unit is
 * missing the instruction counts from the other end, without a fault. */
CF_INLINE int cf_cpu_has_lzcnt(void)
{
    unsigned eax, ebx, ecx = 0, edx;
    return __get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx) && (ecx >> 5 & 1);
}
#endif

/* The highest level that this machine runs. */
CF_INLINE cf_level cf_cpu_level(void)
{
#if CF_HAVE_X86
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
          __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("pclmul") && cf_cpu_has_lzcnt()))
        return CF_PORTABLE;
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
          __builtin_cpu_supports("vpclmulqdq")))
        return CF_AVX2;
    return CF_AVX512;
#else
    return CF_PORTABLE;
#endif
}

#endif
