/* fake_canal.c - a CANAL driver that breaks the specification on demand.
 *
 * Built in variants: FAKE_WORD (the driver's `unsigned long`), FAKE_DATA (8 or 64 data bytes), FAKE_GEN1 (no
 * blocking calls, no driver info), FAKE_FOUR (open, close, send, receive only), FAKE_NO_RECEIVE, FAKE_SET_FILTERS,
 * FAKE_DLL_VERSION (what CanalGetDllVersion says), FAKE_NEEDS (calls a function that no library has), FAKE_CDECL
 * (32-bit Windows: not stdcall). What it does at run time is in the configuration string, "key=value;key=value",
 * see fake_settings.h. Shares nothing with the library under test.
 *
 * Frame n has the extended identifier n, or the standard one n & 0x7FF when n % 4 is 3; n % 9 bytes, each
 * n * 31 + k * 7 + 1; and is a remote frame when n % 50 is 7. One handle at a time.
 */
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

#ifndef FAKE_DLL_VERSION
#define FAKE_DLL_VERSION 0x00090001ULL
#endif

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

#if defined(EXPORT) /* given: a .def file names what is exported */
#elif defined(_WIN32)
#define EXPORT(type) __declspec(dllexport) type
#else
#define EXPORT(type) __attribute__((visibility("default"))) type
#endif
#if defined(_WIN32) && !defined(_WIN64) && !defined(FAKE_CDECL)
#define API(type) EXPORT(type) __stdcall
#else
#define API(type) EXPORT(type)
#endif

EXPORT(long) FakeCount(int which)
{
    return __atomic_load_n(&counts[which], __ATOMIC_RELAXED);
}

#ifdef FAKE_NEEDS
void function_that_no_library_has(void);
#endif

API(long) CanalOpen(const char *config, unsigned long flags)
{
    (void)flags;
#ifdef FAKE_NEEDS
    function_that_no_library_has();
#endif
    kept = config;
    kept_first = *config;
    configure(config);
    if (set.print) {
        printf("fake: initializing\n");
        fflush(stdout);
    }
    sleep_us(set.open_ms * 1000);
    if (set.crash_open)
        crash();
    if (set.hang_open || (set.hang_again && last_handle))
        hang();
    if (set.open <= 0)
        return set.open;
    if (open_handle || (unplugged_ns && now_ns() - unplugged_ns < set.back * 1000000))
        return 0;
    plugged_again |= unplugged_ns != 0;
    unplugged_ns = wedged = 0;
    if (set.shared && counts == own_counts)
        share_counts();
    memset(counts, 0, sizeof own_counts);
    memset(&books, 0, sizeof books);
    counts[LAYOUT] = sizeof(message);
    theApp = set.first;
    next = posts_used = send_queued = extra = signalled = 0;
    opened_ns = send_settled_ns = now_ns();
    last_handle = last_handle ? last_handle + 1 : set.open;
    return open_handle = last_handle;
}

API(int) CanalClose(long handle)
{
    if (handle != open_handle)
        return 0;
    if (set.hang_close)
        hang();
    enter();
    sleep_us(set.close_ms * 1000);
    open_handle = 0;
    if (set.close0)
        close(0);
    return leave(0);
}

#ifndef FAKE_NO_RECEIVE
API(int) CanalReceive(long handle, message *m)
{
    int code = 0;
    enter();
    count(RECEIVES, 1);
    if (!alive(handle) || pop(m, 0))
        return leave(0);
    if (set.fail && next >= set.frames)
        code = set.fail;
    else if (!set.untouched)
        code = set.empty;
    return leave(code);
}
#endif

static void send_settle(void)
{
    const long long now = now_ns();
    pthread_mutex_lock(&sending);
    while (send_queued > 0 && (!set.send_rate || now - send_settled_ns >= 1000000000 / set.send_rate)) {
        send_queued--;
        count(ON_BUS, 1);
        send_settled_ns += set.send_rate ? 1000000000 / set.send_rate : 0;
    }
    if (send_queued == 0)
        send_settled_ns = now;
    pthread_mutex_unlock(&sending);
}

/* Frames to send must be numbered as those received. */
API(int) CanalSend(long handle, const message *m)
{
    unsigned long long n;
    if (!alive(handle))
        return 0;
    if (set.hang_send)
        hang();
    if (set.remote_data && m->flags & 2)
        count(AS_DATA, 1);
    wedged |= set.wedge && m->size == 0;
    if (wedged)
        return 21;
    send_settle();
    pthread_mutex_lock(&sending);
    n = FakeCount(ON_BUS) + send_queued;
    if (send_queued >= set.send_queue) {
        pthread_mutex_unlock(&sending);
        return 21;
    }
    if ((uint32_t)m->id != (n % 4 == 3 ? n & 0x7FF : n) || m->size != n % 9 ||
        (m->size && n % 50 != 7 && m->data[0] != (unsigned char)(n * 31 + 1)))
        count(SEND_ERRORS, 1);
    send_queued++;
    books.tx_frames++;
    pthread_mutex_unlock(&sending);
    send_settle();
    return 0;
}

#ifndef FAKE_FOUR
#ifndef FAKE_GEN1
API(int) CanalBlockingReceive(long handle, message *m, unsigned long timeout)
{
    const long long deadline = now_ns() + (long long)timeout * 1000000;
    enter();
    count(BLOCKS, 1);
    if (!alive(handle))
        return leave(0);
    for (;;) {
        if (pop(m, 1))
            return leave(0);
        if (set.fail && next >= set.frames)
            return leave(set.fail);
        if ((set.instant == 1 && posts_used < came()) || signalled) {
            posts_used++;
            return leave(8);
        }
        if (now_ns() >= deadline && !(timeout == 0 && set.forever))
            return leave(set.untouched ? 0 : set.expired);
        sleep_us(500);
    }
}

API(int) CanalBlockingSend(long handle, const message *m, unsigned long timeout)
{
    const long long deadline = now_ns() + (long long)timeout * 1000000;
    for (;;) {
        const int code = CanalSend(handle, m);
        if (code != 21 || (now_ns() >= deadline && !(timeout == 0 && set.forever)))
            return code == 21 ? 32 : code;
        sleep_us(500);
    }
}

API(const char *) CanalGetDriverInfo(void)
{
    return NULL;
}
#endif

API(int) CanalDataAvailable(long handle)
{
    send_settle();
    return alive(handle) ? (int)(came() - next) : (int)set.available;
}

API(int) CanalGetStatus(long handle, status *s)
{
    if (!alive(handle))
        return 0;
    if (set.hang_status)
        hang();
    if (unplugged_ns)
        return 13;
    s->channel_status = 0x10000000;
    s->code = s->subcode = 0;
    memset(s->text, set.text ? 'X' : 0, sizeof s->text);
    return 0;
}

API(int) CanalGetStatistics(long handle, statistics *s)
{
    count(STATISTICS, 1);
    if (!alive(handle) || set.statistics == 3)
        return 0;
    *s = books;
    if (set.statistics == 1)
        memset(&books, 0, sizeof books);
    if (set.statistics == 2)
        s->overruns = 0xDEAD;
    return 0;
}

#ifdef FAKE_SET_FILTERS
API(int) CanalSetFilters(long handle, int n, unsigned long *filters)
{
    (void)handle, (void)n, (void)filters;
    return 0;
}
#else
API(int) CanalSetFilter(long handle, unsigned long filter)
{
    (void)handle, (void)filter;
    return 0; /* and is never applied */
}

API(int) CanalSetMask(long handle, unsigned long mask)
{
    (void)handle, (void)mask;
    return 0;
}
#endif

API(int) CanalSetBaudrate(long handle, unsigned long code)
{
    (void)handle, (void)code;
    return 17;
}

API(unsigned long) CanalGetLevel(long handle)
{
    (void)handle;
    return 1;
}

API(unsigned long) CanalGetVersion(void)
{
    return (unsigned long)(set.version ? 0xEEEEEEEE00010101ULL : 0x00010101ULL);
}

API(unsigned long) CanalGetDllVersion(void)
{
    return (unsigned long)(set.version ? 0xEEEEEEEE00000000ULL | FAKE_DLL_VERSION : FAKE_DLL_VERSION);
}

API(const char *) CanalGetVendorString(void)
{
    if (set.vendor == 2)
        raise(SIGSEGV);
    if (set.vendor == 3)
        hang();
    return set.vendor == 1 || !open_handle ? NULL : "1.7;1.0;1.0.1;1.0.9;fake";
}
#endif
