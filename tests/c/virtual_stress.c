/* virtual_stress.c - the virtual driver under several threads, for sanitized builds.
 *
 *     virtual_stress LOG SECONDS     exit 0: every count added up
 *
 * The driver's source is compiled in; LOG is a candump log to replay.
 */
#include "../../canal_fast/drivers/virtual/virtual.c"

#include "../../include/canal_fast/atomic.h"

enum { WORKERS = 4, SENDS = 400 };

typedef struct worker {
    cf_thread thread;
    long handle;
    unsigned long sent, received, wrong;
} worker;

static cf_atomic_u32 working;

static void take(worker *w, const cf_canal_msg *message)
{
    w->received++;
    w->wrong += message->sizeData != 4 || message->data[3] != 0x5A;
}

/* Sends SENDS frames, receiving in between, then receives until nobody sends any more. */
static void work(void *argument)
{
    worker *w = (worker *)argument;
    cf_canal_msg message, got;
    memset(&message, 0, sizeof message);
    message.sizeData = 4;
    message.data[3] = 0x5A;
    while (w->sent < SENDS) {
        message.id = w->sent % 0x7FF;
        if (CanalSend(w->handle, &message) == CF_CANAL_SUCCESS ||
            CanalBlockingSend(w->handle, &message, 1000) == CF_CANAL_SUCCESS)
            w->sent++;
        while (CanalReceive(w->handle, &got) == CF_CANAL_SUCCESS)
            take(w, &got);
    }
    cf_atomic_u32_fetch_add(&working, (uint32_t)-1);
    for (;;) {
        const int code = CanalBlockingReceive(w->handle, &got, 100);
        if (code == CF_CANAL_SUCCESS)
            take(w, &got);
        else if (cf_atomic_u32_load_acquire(&working) == 0)
            break;
    }
}

/* A bus that only these handles use: all that was sent arrives everywhere else. */
static int traffic(void)
{
    worker workers[WORKERS];
    int i, bad = 0;
    memset(workers, 0, sizeof workers);
    cf_atomic_u32_store_release(&working, WORKERS);
    for (i = 0; i < WORKERS; i++) {
        workers[i].handle = CanalOpen("stress;1000000;fifo=8192;txqueue=16", 0);
        bad += workers[i].handle <= 0;
    }
    for (i = 0; i < WORKERS; i++)
        bad += cf_thread_start(&workers[i].thread, work, &workers[i], "stress") != CF_OK;
    for (i = 0; i < WORKERS; i++)
        cf_thread_join(&workers[i].thread);
    for (i = 0; i < WORKERS; i++) {
        cf_canal_statistics statistics;
        bad += CanalGetStatistics(workers[i].handle, &statistics) != CF_CANAL_SUCCESS;
        bad += statistics.tx_frames != SENDS || statistics.overruns != 0;
        bad += statistics.rx_frames != (WORKERS - 1) * SENDS;
        bad += workers[i].wrong != 0 || workers[i].received != (WORKERS - 1) * SENDS;
    }
    for (i = 0; i < WORKERS; i++)
        bad += CanalClose(workers[i].handle) != CF_CANAL_SUCCESS;
    return bad;
}

static void wait_for_one(void *argument)
{
    cf_canal_msg message;
    while (CanalBlockingReceive(*(const long *)argument, &message, 0) != CF_CANAL_NOT_OPEN)
        ;
}

/* Opens and closes under threads that wait, step, ask and set. */
static int churn(uint64_t until_ns)
{
    int bad = 0, turn;
    for (turn = 0; cf_monotonic_ns() < until_ns; turn++) {
        cf_thread threads[2];
        cf_canal_status status;
        const char *config = turn % 2 ? "churn;load=1;clock=step;status=3" : "churn;1000000;load=0.9;dlc=0-15;ext=0.5";
        long first = CanalOpen(config, turn % 3 ? CF_OPEN_STATUS_FRAMES : CF_OPEN_LOOPBACK);
        long second = CanalOpen("churn;fifo=3", CF_OPEN_LISTEN_ONLY);
        bad += first <= 0 || second <= 0 || CanalOpen("churn;seed=77", 0) != 0 || CanalVirtualLastError()[0] == 0;
        bad += cf_thread_start(&threads[0], wait_for_one, &first, "first") != CF_OK;
        bad += cf_thread_start(&threads[1], wait_for_one, &second, "second") != CF_OK;
        CanalVirtualStep("churn", 3000000);
        CanalVirtualSetErrors("churn", (unsigned)turn % 257, 0);
        bad += CanalGetStatus(second, &status) != CF_CANAL_SUCCESS;
        cf_sleep_ns(turn % 4 ? 100000 : 3000000);
        bad += CanalClose(first) != CF_CANAL_SUCCESS;
        bad += CanalClose(second) != CF_CANAL_SUCCESS;
        cf_thread_join(&threads[0]);
        cf_thread_join(&threads[1]);
    }
    return bad;
}

static int replay(const char *path)
{
    char config[CT_CONFIG_SIZE];
    cf_canal_msg message;
    cf_canal_status status;
    long handle;
    snprintf(config, sizeof config, "replay;replay=%s;speed=0;fifo=7", path);
    handle = CanalOpen(config, 0);
    while (CanalReceive(handle, &message) == CF_CANAL_SUCCESS)
        ;
    return handle <= 0 || CanalGetStatus(handle, &status) != CF_CANAL_SUCCESS ||
           !(status.channel_status & CF_CANAL_STOPPED) || CanalClose(handle) != CF_CANAL_SUCCESS;
}

/* Strings of every kind; none may do harm. */
static int garbage(void)
{
    static const char *const parts[] = {
        ";", "load=", "0.5", "ids=", "1-", "0x", ",", "b", "=", " ", "fifo=9", "99999999999999999999", "."};
    uint64_t state = 1;
    int turn, opened = 0;
    for (turn = 0; turn < 20000; turn++) {
        char config[300] = "";
        unsigned n = 0;
        vs_source random;
        random.random = state;
        for (state = vs_random(&random); n < state % 12; n++)
            strcat(config, parts[(vs_random(&random) >> 20) % (sizeof parts / sizeof parts[0])]);
        opened = (int)CanalOpen(config, 0);
        if (opened != 0 ? CanalClose(opened) != CF_CANAL_SUCCESS : CanalVirtualLastError()[0] == 0)
            return 1;
    }
    return 0;
}

int main(int count, char **arguments)
{
    const uint64_t seconds = count > 2 ? (uint64_t)strtoul(arguments[2], NULL, 10) : 1;
    int bad = 0;
    if (count > 1)
        bad += replay(arguments[1]);
    bad += garbage();
    bad += traffic();
    bad += churn(cf_monotonic_ns() + seconds * CF_NS_PER_S);
    printf("%d counts did not add up\n", bad);
    return bad != 0;
}
