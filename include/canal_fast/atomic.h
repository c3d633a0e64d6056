/* canal_fast/atomic.h - atomic integers: the one place that knows how each compiler spells them.
 *
 * A struct that holds them has the same layout in C and in C++. Loads are relaxed or acquire,
 * stores relaxed or release, cf_atomic_..._fetch_add, cf_atomic_..._exchange and cf_atomic_fence
 * sequentially consistent.
 * On 32-bit machines the 64-bit ones stay lock-free as long as the machine has a double-word
 * compare-and-swap (i586, ARMv7 and later).
 */
#ifndef CANAL_FAST_ATOMIC_H
#define CANAL_FAST_ATOMIC_H

#include "base.h"

#if defined(__cplusplus)
#define CF_ALIGNAS(bytes) alignas(bytes)
#elif defined(_MSC_VER) && !defined(__clang__)
#define CF_ALIGNAS(bytes) __declspec(align(bytes))
#else
#define CF_ALIGNAS(bytes) _Alignas(bytes)
#endif

#if defined(__GNUC__) || defined(__clang__)

typedef struct cf_atomic_u32 {
    uint32_t value;
} cf_atomic_u32;

typedef struct cf_atomic_u64 {
    CF_ALIGNAS(8) uint64_t value;
} cf_atomic_u64;

#define CF_ATOMIC_OPERATIONS(bits)                                                                     \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_load_relaxed(const cf_atomic_u##bits *a)              \
    {                                                                                                  \
        return __atomic_load_n(&a->value, __ATOMIC_RELAXED);                                           \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_load_acquire(const cf_atomic_u##bits *a)              \
    {                                                                                                  \
        return __atomic_load_n(&a->value, __ATOMIC_ACQUIRE);                                           \
    }                                                                                                  \
    CF_INLINE void cf_atomic_u##bits##_store_relaxed(cf_atomic_u##bits *a, uint##bits##_t value)       \
    {                                                                                                  \
        __atomic_store_n(&a->value, value, __ATOMIC_RELAXED);                                          \
    }                                                                                                  \
    CF_INLINE void cf_atomic_u##bits##_store_release(cf_atomic_u##bits *a, uint##bits##_t value)       \
    {                                                                                                  \
        __atomic_store_n(&a->value, value, __ATOMIC_RELEASE);                                          \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_fetch_add(cf_atomic_u##bits *a, uint##bits##_t value) \
    {                                                                                                  \
        return __atomic_fetch_add(&a->value, value, __ATOMIC_SEQ_CST);                                 \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_exchange(cf_atomic_u##bits *a, uint##bits##_t value)  \
    {                                                                                                  \
        return __atomic_exchange_n(&a->value, value, __ATOMIC_SEQ_CST);                                \
    }

CF_INLINE void cf_atomic_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#elif defined(_MSC_VER)

#include <intrin.h>

typedef struct cf_atomic_u32 {
    volatile long value;
} cf_atomic_u32;

typedef struct cf_atomic_u64 {
    CF_ALIGNAS(8) volatile __int64 value;
} cf_atomic_u64;

/* Interlocked operations are full barriers on every machine, which is more than is asked for; a
 * plain aligned access is atomic and ordered enough only on x86, and only up to its word. */
#if defined(_M_X64) || defined(_M_IX86)
#define CF_ATOMIC_PLAIN_U32 1
#endif
#if defined(_M_X64)
#define CF_ATOMIC_PLAIN_U64 1
#endif

CF_INLINE __int64 cf_interlocked_add64(volatile __int64 *at, __int64 value)
{
    __int64 seen = *at, before; /* a torn first read only costs one more turn */
    while ((before = _InterlockedCompareExchange64(at, seen + value, seen)) != seen)
        seen = before;
    return seen;
}

CF_INLINE __int64 cf_interlocked_set64(volatile __int64 *at, __int64 value)
{
    __int64 seen = *at, before;
    while ((before = _InterlockedCompareExchange64(at, value, seen)) != seen)
        seen = before;
    return seen;
}

CF_INLINE uint32_t cf_atomic_u32_load_acquire(const cf_atomic_u32 *a)
{
#if defined(CF_ATOMIC_PLAIN_U32)
    const long value = a->value;
    _ReadWriteBarrier();
    return (uint32_t)value;
#else
    return (uint32_t)_InterlockedCompareExchange((volatile long *)&a->value, 0, 0);
#endif
}

CF_INLINE void cf_atomic_u32_store_release(cf_atomic_u32 *a, uint32_t value)
{
#if defined(CF_ATOMIC_PLAIN_U32)
    _ReadWriteBarrier();
    a->value = (long)value;
#else
    _InterlockedExchange(&a->value, (long)value);
#endif
}

CF_INLINE uint64_t cf_atomic_u64_load_acquire(const cf_atomic_u64 *a)
{
#if defined(CF_ATOMIC_PLAIN_U64)
    const __int64 value = a->value;
    _ReadWriteBarrier();
    return (uint64_t)value;
#else
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)&a->value, 0, 0);
#endif
}

CF_INLINE void cf_atomic_u64_store_release(cf_atomic_u64 *a, uint64_t value)
{
#if defined(CF_ATOMIC_PLAIN_U64)
    _ReadWriteBarrier();
    a->value = (__int64)value;
#else
    cf_interlocked_set64(&a->value, (__int64)value);
#endif
}

CF_INLINE uint32_t cf_atomic_u32_fetch_add(cf_atomic_u32 *a, uint32_t value)
{
    return (uint32_t)_InterlockedExchangeAdd(&a->value, (long)value);
}

CF_INLINE uint32_t cf_atomic_u32_exchange(cf_atomic_u32 *a, uint32_t value)
{
    return (uint32_t)_InterlockedExchange(&a->value, (long)value);
}

CF_INLINE uint64_t cf_atomic_u64_exchange(cf_atomic_u64 *a, uint64_t value)
{
    return (uint64_t)cf_interlocked_set64(&a->value, (__int64)value);
}

CF_INLINE uint64_t cf_atomic_u64_fetch_add(cf_atomic_u64 *a, uint64_t value)
{
    return (uint64_t)cf_interlocked_add64(&a->value, (__int64)value);
}

CF_INLINE void cf_atomic_fence(void)
{
    volatile long here = 0;
    _InterlockedExchange(&here, 1);
#if defined(_M_ARM64)
    __dmb(_ARM64_BARRIER_ISH);
#endif
}

#define CF_ATOMIC_OPERATIONS(bits)                                                               \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_load_relaxed(const cf_atomic_u##bits *a)        \
    {                                                                                            \
        return cf_atomic_u##bits##_load_acquire(a);                                              \
    }                                                                                            \
    CF_INLINE void cf_atomic_u##bits##_store_relaxed(cf_atomic_u##bits *a, uint##bits##_t value) \
    {                                                                                            \
        cf_atomic_u##bits##_store_release(a, value);                                             \
    }

#else /* any other compiler: what its standard library offers */

#if defined(__cplusplus)
#include <atomic>
#define CF_ATOMIC_OF(type) std::atomic<type>
#define CF_ATOMIC_STD std::
#else
#include <stdatomic.h>
#define CF_ATOMIC_OF(type) _Atomic(type)
#define CF_ATOMIC_STD
#endif

typedef struct cf_atomic_u32 {
    CF_ATOMIC_OF(uint32_t) value;
} cf_atomic_u32;

typedef struct cf_atomic_u64 {
    CF_ALIGNAS(8) CF_ATOMIC_OF(uint64_t) value;
} cf_atomic_u64;

#define CF_ATOMIC_OPERATIONS(bits)                                                                     \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_load_relaxed(const cf_atomic_u##bits *a)              \
    {                                                                                                  \
        return CF_ATOMIC_STD atomic_load_explicit(&a->value, CF_ATOMIC_STD memory_order_relaxed);      \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_load_acquire(const cf_atomic_u##bits *a)              \
    {                                                                                                  \
        return CF_ATOMIC_STD atomic_load_explicit(&a->value, CF_ATOMIC_STD memory_order_acquire);      \
    }                                                                                                  \
    CF_INLINE void cf_atomic_u##bits##_store_relaxed(cf_atomic_u##bits *a, uint##bits##_t value)       \
    {                                                                                                  \
        CF_ATOMIC_STD atomic_store_explicit(&a->value, value, CF_ATOMIC_STD memory_order_relaxed);     \
    }                                                                                                  \
    CF_INLINE void cf_atomic_u##bits##_store_release(cf_atomic_u##bits *a, uint##bits##_t value)       \
    {                                                                                                  \
        CF_ATOMIC_STD atomic_store_explicit(&a->value, value, CF_ATOMIC_STD memory_order_release);     \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_fetch_add(cf_atomic_u##bits *a, uint##bits##_t value) \
    {                                                                                                  \
        return CF_ATOMIC_STD atomic_fetch_add(&a->value, value);                                       \
    }                                                                                                  \
    CF_INLINE uint##bits##_t cf_atomic_u##bits##_exchange(cf_atomic_u##bits *a, uint##bits##_t value)  \
    {                                                                                                  \
        return CF_ATOMIC_STD atomic_exchange(&a->value, value);                                        \
    }

CF_INLINE void cf_atomic_fence(void)
{
    CF_ATOMIC_STD atomic_thread_fence(CF_ATOMIC_STD memory_order_seq_cst);
}

#endif

CF_ATOMIC_OPERATIONS(32)
CF_ATOMIC_OPERATIONS(64)

/* Between two looks at what another thread is to write: leaves it the shared parts of the processor. */
CF_INLINE void cf_relax(void)
{
#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
    __builtin_ia32_pause();
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_IX86))
    _mm_pause();
#endif
}

#endif
