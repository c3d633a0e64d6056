/* fake_state.h - what fake_canal.c remembers: its settings, counts and clock, and the frames that come.
 *
 * Frame n has the extended identifier n, or the standard one n & 0x7FF when n % 4 is 3; n % 9 bytes, each
 * n * 31 + k * 7 + 1; and is a remote frame when n % 50 is 7.
 */
#ifndef FAKE_STATE_H
#define FAKE_STATE_H

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifndef _WIN32
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#endif

#include "fake_settings.h"

enum { RECEIVES, BLOCKS, STATISTICS, OVERLAPS, ON_BUS, SEND_ERRORS, LAYOUT, AS_DATA, COUNTS };

/* Global and visible, as in the drivers of one family that are all built from one skeleton. */
long long theApp;

static settings set;
static long own_counts[COUNTS];
static long *counts = own_counts;
static long open_handle, last_handle;
static long long opened_ns, next, posts_used, send_queued, send_settled_ns;
static int extra, signalled, inside, wedged, plugged_again;
static long long unplugged_ns; /* when the adapter went, 0: it is there */
static const char *kept;
static char kept_first;
static statistics books;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;

static void count(int which, long by)
{
    __atomic_add_fetch(&counts[which], by, __ATOMIC_RELAXED);
}

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_us(long long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static void hang(void)
{
    for (;;)
        sleep_us(1000000);
}

/* A real fault: a raised signal would wait for ever in a thread that blocks it. */
static void crash(void)
{
    *(volatile int *)8 = 0;
}

static void setting(const char *key, const char *value)
{
#define READ(name, initial, meaning) \
    if (strcmp(key, #name) == 0)     \
        set.name = strtoll(value, NULL, 0);
    SETTINGS(READ)
}

static void configure(const char *config)
{
    char copy[512], *text = copy, *save = NULL, *item;
#define INITIAL(key, value, meaning) set.key = value;
    SETTINGS(INITIAL)
    snprintf(copy, sizeof copy, "%s", config);
    if (strstr(config, "strtok=1"))
        text = (char *)(uintptr_t)config;
    for (item = strtok_r(text, ";", &save); item; item = strtok_r(NULL, ";", &save)) {
        char *equals = strchr(item, '=');
        if (equals) {
            *equals = 0;
            setting(item, equals + 1);
        }
    }
}

/* Puts the counts where another process sees them. */
static void share_counts(void)
{
#ifndef _WIN32
    char path[4096];
    Dl_info here;
    void *memory;
    int file;
    if (!dladdr((void *)(uintptr_t)&share_counts, &here))
        abort();
    snprintf(path, sizeof path, "%s.counts", here.dli_fname);
    file = open(path, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, sizeof own_counts) != 0)
        abort();
    memory = mmap(NULL, sizeof own_counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        abort();
    counts = (long *)memory;
#endif
}

/* Frames that came by now, popped ones included. */
static long long came(void)
{
    long long burst = 1;
    if (set.bursts > 1)
        burst += (now_ns() - opened_ns) / (set.pause * 1000000);
    return burst >= set.bursts ? set.frames : set.frames * burst / set.bursts;
}

static uint64_t ticks_now(void)
{
    const long long passed = now_ns() - opened_ns;
    const uint64_t ticks = set.first_tick + passed / set.tick_num * set.tick_den +
                           passed % set.tick_num * set.tick_den / set.tick_num;
    return set.wrap == 64 ? ticks : ticks & ((1ULL << set.wrap) - 1);
}

static void fill(message *m)
{
    const long long n = next + theApp;
    int k;
    memset(m, set.garbage ? 0xEE : 0, sizeof *m);
    m->flags = set.garbage ? (FAKE_WORD)0x7EEEEEEE7EEEEEF0ULL : 0;
    m->timestamp = set.no_ticks ? 0 : (FAKE_WORD)ticks_now();
    if (set.garbage)
        m->timestamp |= (FAKE_WORD)0xEEEEEEEE00000000ULL;
    if (extra) {
        extra = 0;
        m->flags |= 0x0304;
        m->id = 0;
        m->size = set.oversize ? 200 : 4;
        m->data[0] = 3;
        m->timestamp = (FAKE_WORD)0x5A5A5A5A5A5A5A5AULL;
        return;
    }
    m->flags |= (n % 4 == 3 ? 0 : 1) | (n % 50 == 7 ? 2 : 0);
    m->id = n % 4 == 3 ? n & 0x7FF : n & 0x1FFFFFFF;
    m->size = set.sizes && n % 16 == 5 ? 9 + n / 16 % 7 : n % 9;
    for (k = 0; k < 8 && (k < m->size || n % 50 == 7); k++)
        m->data[k] = n * 31 + k * 7 + 1;
    if (set.host_time) {
        struct timespec t;
        int64_t ns;
        clock_gettime(CLOCK_REALTIME, &t);
        ns = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
        m->size = 8;
        m->flags &= ~(FAKE_WORD)2;
        memcpy(m->data, &ns, 8);
    }
    next++;
    extra = (set.oversize || set.status) && next % 10 == 0;
    books.rx_frames++;
}

static int alive(long handle)
{
    return handle == open_handle && (set.die < 0 || next < set.die);
}

static int pop(message *m, int blocking)
{
    if (set.keep && kept && *kept != kept_first)
        raise(SIGSEGV);
    kept = NULL;
    if (set.crash >= 0 && next >= set.crash)
        crash();
    if (set.hang >= 0 && next >= set.hang)
        hang();
    if (set.unplug >= 0 && next >= set.unplug && !plugged_again && !unplugged_ns)
        unplugged_ns = now_ns();
    if ((next >= came() && !extra) || unplugged_ns)
        return 0;
    if (set.instant == 2)
        signalled = !blocking;
    fill(m);
    return 1;
}

static void enter(void)
{
    if (__atomic_exchange_n(&inside, 1, __ATOMIC_ACQUIRE))
        count(OVERLAPS, 1);
    if (set.slow)
        sleep_us(set.slow);
}

static int leave(int code)
{
    __atomic_store_n(&inside, 0, __ATOMIC_RELEASE);
    return code;
}

#endif
