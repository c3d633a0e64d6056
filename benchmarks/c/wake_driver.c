/* wake_driver.c - a CANAL driver whose frames come from a thread of its own, each with that time in its payload. */

#include <canal_fast/canal.h>
#include <pthread.h>
#include <time.h>

enum { ROOM = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived;
static int64_t queue[ROOM];
static unsigned head, tail;
static pthread_t sender;
static int64_t period_ns;
static unsigned left;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Under the lock. */
static int take(void *message)
{
    cf_canal_msg m;
    if (head == tail)
        return CF_CANAL_FIFO_EMPTY;
    memset(&m, 0, sizeof m);
    m.id = 0x123;
    m.sizeData = 8;
    memcpy(m.data, &queue[tail++ % ROOM], 8);
    memcpy(message, &m, sizeof m);
    return CF_CANAL_SUCCESS;
}

/* Frames at 3/4 to 5/4 of the period. */
static void *send_all(void *unused)
{
    uint32_t seed = 1;
    for (; left > 0; left--) {
        struct timespec t;
        int64_t ns;
        seed = seed * 1664525u + 1013904223u;
        ns = period_ns * 3 / 4 + (int64_t)(seed >> 8) % (period_ns / 2);
        t.tv_sec = (time_t)(ns / 1000000000);
        t.tv_nsec = (long)(ns % 1000000000);
        nanosleep(&t, NULL);
        pthread_mutex_lock(&lock);
        queue[head++ % ROOM] = now_ns();
        pthread_cond_signal(&arrived);
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

CF_CANAL_EXPORT void WakeStart(int64_t ns, unsigned count)
{
    period_ns = ns;
    left = count;
    pthread_create(&sender, NULL, send_all, NULL);
}

CF_CANAL_EXPORT void WakeJoin(void)
{
    pthread_join(sender, NULL);
}

/* A bare wait for each of `count` frames: how long after it had come it was taken, ns. */
CF_CANAL_EXPORT void WakeBare(unsigned count, int64_t *late_ns)
{
    cf_canal_msg m;
    int64_t came_ns;
    unsigned i;
    for (i = 0; i < count; i++) {
        pthread_mutex_lock(&lock);
        while (head == tail)
            pthread_cond_wait(&arrived, &lock);
        take(&m);
        pthread_mutex_unlock(&lock);
        memcpy(&came_ns, m.data, sizeof came_ns);
        late_ns[i] = now_ns() - came_ns;
    }
}

CF_CANAL_EXPORT long CF_CANAL_CALL CanalOpen(const char *config, unsigned long flags)
{
    static int made;
    (void)config;
    (void)flags;
    if (!made) {
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&arrived, &monotonic);
        made = 1;
    }
    tail = head;
    return 1;
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalClose(long handle)
{
    (void)handle;
    return CF_CANAL_SUCCESS;
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalSend(long handle, const void *message)
{
    (void)handle;
    (void)message;
    return CF_CANAL_SUCCESS;
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalDataAvailable(long handle)
{
    (void)handle;
    return (int)(head - tail);
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalReceive(long handle, void *message)
{
    int code;
    (void)handle;
    pthread_mutex_lock(&lock);
    code = take(message);
    pthread_mutex_unlock(&lock);
    return code;
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalBlockingReceive(long handle, void *message, unsigned long timeout_ms)
{
    const int64_t end_ns = now_ns() + (int64_t)timeout_ms * 1000000;
    struct timespec end;
    int code;
    (void)handle;
    end.tv_sec = (time_t)(end_ns / 1000000000);
    end.tv_nsec = (long)(end_ns % 1000000000);
    pthread_mutex_lock(&lock);
    while (head == tail && pthread_cond_timedwait(&arrived, &lock, &end) == 0)
        ;
    code = take(message);
    pthread_mutex_unlock(&lock);
    return code == CF_CANAL_FIFO_EMPTY ? CF_CANAL_TIMEOUT : code;
}

CF_CANAL_EXPORT int CF_CANAL_CALL CanalBlockingSend(long handle, const void *message, unsigned long timeout_ms)
{
    (void)timeout_ms;
    return CanalSend(handle, message);
}
