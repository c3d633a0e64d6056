/* fake_canal.c - a CANAL driver that breaks the specification on demand.
 *
 * Built in variants: FAKE_WORD (the driver's `unsigned long`), FAKE_DATA (8 or 64 data bytes), FAKE_GEN1 (no
 * blocking calls, no driver info), FAKE_FOUR (open, close, send, receive only), FAKE_NO_RECEIVE, FAKE_SET_FILTERS,
 * FAKE_DLL_VERSION (what CanalGetDllVersion says), FAKE_NEEDS (calls a function that no library has), FAKE_CDECL
 * (32-bit Windows: not stdcall). What it does at run time is in the configuration string, "key=value;key=value",
 * see fake_settings.h; the frames that it hands over are those of fake_state.h. Shares nothing with the library under
 * test. One handle at a time.
 */
#include "fake_state.h"

#ifndef FAKE_DLL_VERSION
#define FAKE_DLL_VERSION 0x00090001ULL
#endif

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
