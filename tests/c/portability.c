/* portability.c - thread.h and atomic.h at work; also built as C++, and prints the same. */
#include <canal_fast/frame.h>

#include <canal_fast/atomic.h>
#include <canal_fast/system/thread.h>
#include <stdio.h>

enum { THREADS = 4, TURNS = 50000 };

struct counters {
    char first;
    cf_atomic_u64 wide;
    char second;
    cf_atomic_u32 narrow;
};

static struct counters counters;
static cf_mutex mutex = CF_MUTEX_INITIALIZER;
static cf_cond changed;
static uint64_t guarded;
static int arrived;

static void count(void *argument)
{
    int i;
    for (i = 0; i < TURNS; i++) {
        cf_atomic_u64_fetch_add(&counters.wide, UINT64_C(1) << 20);
        cf_atomic_u32_fetch_add(&counters.narrow, 1);
        cf_mutex_lock(&mutex);
        guarded += *(const uint64_t *)argument;
        cf_mutex_unlock(&mutex);
    }
    cf_sleep_ns(1000000);
    cf_mutex_lock(&mutex);
    arrived++;
    cf_cond_broadcast(&changed);
    cf_mutex_unlock(&mutex);
}

int main(void)
{
    cf_thread threads[THREADS];
    uint64_t one = 1, started;
    int i, held, bad = cf_cond_init(&changed) != CF_OK;
    cf_mutex_lock(&mutex);
    started = cf_monotonic_ns();
    while (cf_cond_wait_for(&changed, &mutex, 20000000))
        ;
    bad += cf_monotonic_ns() - started < 20000000;
    held = cf_mutex_trylock(&mutex);
    cf_mutex_unlock(&mutex);
    for (i = 0; i < THREADS; i++)
        bad += cf_thread_start(&threads[i], count, &one, "counter") != CF_OK;
    cf_mutex_lock(&mutex);
    while (arrived < THREADS)
        cf_cond_wait(&changed, &mutex);
    cf_mutex_unlock(&mutex);
    for (i = 0; i < THREADS; i++) {
        bad += cf_thread_is_current(&threads[i]);
        cf_thread_join(&threads[i]);
    }
    cf_atomic_fence();
    bad += cf_realtime_ns() < UINT64_C(1700000000000000000); /* 2023 */
    printf("%d %d %llu %lu %llu", bad, held, (unsigned long long)cf_atomic_u64_load_acquire(&counters.wide),
           (unsigned long)cf_atomic_u32_load_relaxed(&counters.narrow), (unsigned long long)guarded);
    cf_atomic_u64_store_release(&counters.wide, UINT64_MAX);
    cf_atomic_u32_store_relaxed(&counters.narrow, UINT32_MAX);
    bad += cf_atomic_u64_load_relaxed(&counters.wide) != UINT64_MAX;
    bad += cf_atomic_u32_load_acquire(&counters.narrow) != UINT32_MAX;
    printf(" %lu %lu %lu\n", (unsigned long)offsetof(struct counters, wide),
           (unsigned long)offsetof(struct counters, narrow), (unsigned long)sizeof(struct counters));
    cf_cond_destroy(&changed);
    return bad;
}
