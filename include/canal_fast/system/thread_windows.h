/* canal_fast/system/thread_windows.h - thread.h's pieces on Windows. */
#ifndef CANAL_FAST_SYSTEM_THREAD_WINDOWS_H
#define CANAL_FAST_SYSTEM_THREAD_WINDOWS_H

#include "../base.h"

#define CF_NS_PER_S UINT64_C(1000000000)

typedef void (*cf_thread_function)(void *argument);

#if defined(_WIN32)

#include "windows_api.h"

#define CF_MUTEX_INITIALIZER {SRWLOCK_INIT}
#define CF_COND_COARSE_NS INT64_C(20000000) /* so much later than told a wait for a condition may end */

typedef struct cf_mutex {
    SRWLOCK native;
} cf_mutex;

typedef struct cf_cond {
    CONDITION_VARIABLE native;
} cf_cond;

typedef struct cf_thread {
    cf_thread_function function;
    void *argument;
    const char *name;
    HANDLE native;
    DWORD id;
} cf_thread;

/* A thread's own means of sleeping: the high-resolution timer where Windows has one (10, 1803). */
typedef struct cf_sleeper {
    HANDLE timer;
} cf_sleeper;

CF_INLINE uint64_t cf_monotonic_ns(void)
{
    LARGE_INTEGER count, frequency;
    uint64_t whole, rest;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    whole = (uint64_t)count.QuadPart / (uint64_t)frequency.QuadPart;
    rest = (uint64_t)count.QuadPart % (uint64_t)frequency.QuadPart;
    return whole * CF_NS_PER_S + rest * CF_NS_PER_S / (uint64_t)frequency.QuadPart;
}

/* Nanoseconds since 1970-01-01 UTC. */
CF_INLINE uint64_t cf_realtime_ns(void)
{
    FILETIME time;
    uint64_t ticks;
#if _WIN32_WINNT >= 0x0602
    GetSystemTimePreciseAsFileTime(&time);
#else
    GetSystemTimeAsFileTime(&time);
#endif
    ticks = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
    return (ticks - UINT64_C(116444736000000000)) * 100; /* from 1601, in 100 ns */
}

CF_INLINE DWORD cf_milliseconds_up(uint64_t ns)
{
    const uint64_t ms = ns / 1000000 + (ns % 1000000 != 0);
    return ms < 0x7FFFFFFF ? (DWORD)ms : 0x7FFFFFFF; /* callers loop: a short wait is a spurious wake */
}

CF_INLINE cf_status cf_sleeper_init(cf_sleeper *s)
{
    s->timer = CreateWaitableTimerExW(NULL, NULL, 0x2 /* high resolution */, TIMER_ALL_ACCESS);
    if (s->timer == NULL)
        s->timer = CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
    return s->timer != NULL ? CF_OK : CF_THREAD_FAILED;
}

CF_INLINE void cf_sleeper_destroy(cf_sleeper *s)
{
    CloseHandle(s->timer);
}

CF_INLINE void cf_sleeper_sleep(cf_sleeper *s, uint64_t ns)
{
    LARGE_INTEGER due;
    due.QuadPart = -(LONGLONG)(ns / 100 + (ns % 100 != 0));
    if (SetWaitableTimer(s->timer, &due, 0, NULL, NULL, FALSE))
        WaitForSingleObject(s->timer, INFINITE);
    else
        Sleep(cf_milliseconds_up(ns));
}

CF_INLINE cf_status cf_mutex_init(cf_mutex *m)
{
    InitializeSRWLock(&m->native);
    return CF_OK;
}

CF_INLINE void cf_mutex_destroy(cf_mutex *m)
{
    (void)m;
}

CF_INLINE void cf_mutex_lock(cf_mutex *m)
{
    AcquireSRWLockExclusive(&m->native);
}

CF_INLINE int cf_mutex_trylock(cf_mutex *m)
{
    return TryAcquireSRWLockExclusive(&m->native) != 0;
}

CF_INLINE void cf_mutex_unlock(cf_mutex *m)
{
    ReleaseSRWLockExclusive(&m->native);
}

CF_INLINE cf_status cf_cond_init(cf_cond *c)
{
    InitializeConditionVariable(&c->native);
    return CF_OK;
}

CF_INLINE void cf_cond_destroy(cf_cond *c)
{
    (void)c;
}

CF_INLINE void cf_cond_signal(cf_cond *c)
{
    WakeConditionVariable(&c->native);
}

CF_INLINE void cf_cond_broadcast(cf_cond *c)
{
    WakeAllConditionVariable(&c->native);
}

CF_INLINE void cf_cond_wait(cf_cond *c, cf_mutex *m)
{
    SleepConditionVariableSRW(&c->native, &m->native, INFINITE, 0);
}

CF_INLINE int cf_cond_wait_until(cf_cond *c, cf_mutex *m, uint64_t deadline_ns)
{
    const uint64_t now = cf_monotonic_ns();
    if (now >= deadline_ns)
        return 0;
    SleepConditionVariableSRW(&c->native, &m->native, cf_milliseconds_up(deadline_ns - now), 0);
    return cf_monotonic_ns() < deadline_ns;
}

CF_INLINE DWORD WINAPI cf_thread_main(void *argument)
{
    cf_thread *t = (cf_thread *)argument; /* its name is for POSIX: Windows shows none before 10 */
    t->function(t->argument);
    return 0;
}

CF_INLINE cf_status cf_thread_start_native(cf_thread *t)
{
    t->native = CreateThread(NULL, 0, cf_thread_main, t, 0, &t->id);
    return t->native != NULL ? CF_OK : CF_THREAD_FAILED;
}

CF_INLINE void cf_thread_join(cf_thread *t)
{
    WaitForSingleObject(t->native, INFINITE);
    CloseHandle(t->native);
}

CF_INLINE int cf_thread_is_current(const cf_thread *t)
{
    return GetCurrentThreadId() == t->id;
}

/* Asks to be run before ordinary threads, where the system grants that; returns whether it did. */
CF_INLINE int cf_thread_urgent(void)
{
    return SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL) != 0;
}

#endif

#endif
