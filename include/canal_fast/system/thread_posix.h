/* canal_fast/system/thread_posix.h - thread.h's pieces on POSIX systems. */
#ifndef CANAL_FAST_SYSTEM_THREAD_POSIX_H
#define CANAL_FAST_SYSTEM_THREAD_POSIX_H

#include "../base.h"

#define CF_NS_PER_S UINT64_C(1000000000)

typedef void (*cf_thread_function)(void *argument);

#if !defined(_WIN32)

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#if !defined(CLOCK_MONOTONIC)
#error "POSIX clocks are hidden: include a canal_fast header before any other, or add -D_POSIX_C_SOURCE=200809L"
#endif

#if defined(__linux__) && !defined(__cplusplus) && !defined(_GNU_SOURCE)
int pthread_setname_np(pthread_t thread, const char *name); /* hidden without _GNU_SOURCE */
#endif

#define CF_MUTEX_INITIALIZER {PTHREAD_MUTEX_INITIALIZER}
#define CF_COND_COARSE_NS INT64_C(0)

typedef struct cf_mutex {
    pthread_mutex_t native;
} cf_mutex;

typedef struct cf_cond {
    pthread_cond_t native;
} cf_cond;

typedef struct cf_thread {
    cf_thread_function function;
    void *argument;
    const char *name;
    pthread_t native;
} cf_thread;

typedef struct cf_sleeper {
    int unused; /* POSIX sleeps need nothing */
} cf_sleeper;

CF_INLINE struct timespec cf_timespec(uint64_t ns)
{
    struct timespec time;
    time.tv_sec = (time_t)(ns / CF_NS_PER_S);
    time.tv_nsec = (long)(ns % CF_NS_PER_S);
    return time;
}

CF_INLINE uint64_t cf_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * CF_NS_PER_S + (uint64_t)now.tv_nsec;
}

CF_INLINE uint64_t cf_monotonic_ns(void)
{
    return cf_clock_ns(CLOCK_MONOTONIC);
}

/* Nanoseconds since 1970-01-01 UTC. */
CF_INLINE uint64_t cf_realtime_ns(void)
{
    return cf_clock_ns(CLOCK_REALTIME);
}

CF_INLINE cf_status cf_sleeper_init(cf_sleeper *s)
{
    s->unused = 0;
    return CF_OK;
}

CF_INLINE void cf_sleeper_destroy(cf_sleeper *s)
{
    (void)s;
}

CF_INLINE void cf_sleeper_sleep(cf_sleeper *s, uint64_t ns)
{
    struct timespec left = cf_timespec(ns);
    (void)s;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

CF_INLINE cf_status cf_mutex_init(cf_mutex *m)
{
    return pthread_mutex_init(&m->native, NULL) == 0 ? CF_OK : CF_THREAD_FAILED;
}

CF_INLINE void cf_mutex_destroy(cf_mutex *m)
{
    pthread_mutex_destroy(&m->native);
}

CF_INLINE void cf_mutex_lock(cf_mutex *m)
{
    pthread_mutex_lock(&m->native);
}

CF_INLINE int cf_mutex_trylock(cf_mutex *m)
{
    return pthread_mutex_trylock(&m->native) == 0;
}

CF_INLINE void cf_mutex_unlock(cf_mutex *m)
{
    pthread_mutex_unlock(&m->native);
}

CF_INLINE cf_status cf_cond_init(cf_cond *c)
{
#if defined(__APPLE__) /* has no clock attribute; waits by intervals instead */
    return pthread_cond_init(&c->native, NULL) == 0 ? CF_OK : CF_THREAD_FAILED;
#else
    pthread_condattr_t attributes;
    int failed;
    if (pthread_condattr_init(&attributes) != 0)
        return CF_THREAD_FAILED;
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
             pthread_cond_init(&c->native, &attributes) != 0;
    pthread_condattr_destroy(&attributes);
    return failed ? CF_THREAD_FAILED : CF_OK;
#endif
}

CF_INLINE void cf_cond_destroy(cf_cond *c)
{
    pthread_cond_destroy(&c->native);
}

CF_INLINE void cf_cond_signal(cf_cond *c)
{
    pthread_cond_signal(&c->native);
}

CF_INLINE void cf_cond_broadcast(cf_cond *c)
{
    pthread_cond_broadcast(&c->native);
}

CF_INLINE void cf_cond_wait(cf_cond *c, cf_mutex *m)
{
    pthread_cond_wait(&c->native, &m->native);
}

CF_INLINE int cf_cond_wait_until(cf_cond *c, cf_mutex *m, uint64_t deadline_ns)
{
#if defined(__APPLE__)
    const uint64_t now = cf_monotonic_ns();
    const struct timespec left = cf_timespec(deadline_ns > now ? deadline_ns - now : 0);
    return pthread_cond_timedwait_relative_np(&c->native, &m->native, &left) == 0;
#else
    const struct timespec deadline = cf_timespec(deadline_ns);
    return pthread_cond_timedwait(&c->native, &m->native, &deadline) == 0;
#endif
}

CF_INLINE void *cf_thread_main(void *argument)
{
    cf_thread *t = (cf_thread *)argument;
    sigset_t all; /* signals belong to the threads of the program that loaded us */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
#if defined(__APPLE__)
    pthread_setname_np(t->name);
#elif defined(__linux__)
    pthread_setname_np(pthread_self(), t->name); /* at most 15 characters, or it is ignored */
#endif
    t->function(t->argument);
    return NULL;
}

CF_INLINE cf_status cf_thread_start_native(cf_thread *t)
{
    return pthread_create(&t->native, NULL, cf_thread_main, t) == 0 ? CF_OK : CF_THREAD_FAILED;
}

CF_INLINE void cf_thread_join(cf_thread *t)
{
    pthread_join(t->native, NULL);
}

CF_INLINE int cf_thread_is_current(const cf_thread *t)
{
    return pthread_equal(pthread_self(), t->native) != 0;
}

/* On Linux this needs root, CAP_SYS_NICE or a limit on rtprio above 0. */
CF_INLINE int cf_thread_urgent(void)
{
    struct sched_param lowest;
    memset(&lowest, 0, sizeof lowest);
    lowest.sched_priority = sched_get_priority_min(SCHED_RR);
    return pthread_setschedparam(pthread_self(), SCHED_RR, &lowest) == 0;
}

#endif

#endif
