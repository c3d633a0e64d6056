/* channel_stress.c - an open channel used from many threads at once.
 *
 *     channel_stress DRIVER SECONDS [HOST]     exit 0: the books add up after every round
 *
 * DRIVER is the virtual driver, HOST the host program that it is to run in. Each round opens a saturated bus, lets two
 * consumers, a sender, a thread that changes filters and one that asks for status and ledger at it, and ends it in one
 * of three ways while they still run.
 */
#include "open_port.h"

enum { THREADS = 5 };

typedef struct shared {
    cf_port *port;
    cf_atomic_u64 taken;
    cf_atomic_u32 wrong, ended;
} shared;

static void fault(shared *s, int bad)
{
    if (bad)
        cf_atomic_u32_fetch_add(&s->wrong, 1);
}

static void consume(void *argument)
{
    shared *s = (shared *)argument;
    cf_frame frames[100];
    for (;;) {
        uint64_t pending;
        long code = 0;
        const cf_status status = cf_consumer_wait(&s->port->consumer, 40, 2000000, &pending, &code);
        const size_t got = code == 0 && cf_consumer_ready(&s->port->consumer, 10) != 0
                               ? cf_consumer_take_at_once(&s->port->consumer, 1, frames, 50)
                               : cf_consumer_take(&s->port->consumer, frames, 100);
        int64_t before = INT64_MIN;
        size_t i;
        cf_atomic_u64_fetch_add(&s->taken, got);
        for (i = 0; i < got; i++) {
            fault(s, frames[i].timestamp_ns < before || frames[i].dlc > 15);
            before = frames[i].timestamp_ns;
        }
        if (status == CF_CLOSED)
            return;
        fault(s, status != CF_OK && status != CF_TIMED_OUT);
    }
}

static void send_frames(void *argument)
{
    shared *s = (shared *)argument;
    cf_frame frames[20];
    cf_status status = CF_OK;
    memset(frames, 0, sizeof frames);
    while (status == CF_OK || status == CF_TIMED_OUT) {
        size_t accepted;
        long code = 0;
        status = cf_port_send(s->port, frames, 20, sizeof frames[0], 1000000, &accepted, &code);
        cf_port_reject(s->port, 20 - accepted);
        fault(s, accepted > 20 || status == CF_DRIVER_FAILED);
    }
}

static void refilter(void *argument)
{
    static const cf_filter filters[3] = {{0x100, 0x700, 0}, {0, 1, CF_FILTER_ANY_FORMAT}, {1, 1, 1}};
    shared *s = (shared *)argument;
    size_t n;
    for (n = 0; !cf_atomic_u32_load_acquire(&s->ended); n++) {
        const cf_status status = cf_consumer_filter(&s->port->consumer, filters, n % 4, n % 3 == 0);
        fault(s, status != CF_OK && status != CF_CLOSED);
        cf_sleep_ns(100000);
    }
}

static int adds_up(const cf_ledger *l)
{
    return l->counters.received ==
           l->counters.malformed + l->counters.filtered + l->counters.dropped + l->delivered + l->pending;
}

static void ask(void *argument)
{
    shared *s = (shared *)argument;
    while (!cf_atomic_u32_load_acquire(&s->ended)) {
        cf_driver_status status;
        cf_driver_versions versions;
        cf_driver_statistics statistics;
        cf_snapshot now;
        int filled;
        long code = 0;
        fault(s, cf_port_status(s->port, &status, &code) == CF_DRIVER_FAILED);
        fault(s, cf_port_statistics(s->port, &statistics, &filled, &code) == CF_DRIVER_FAILED);
        fault(s, cf_port_versions(s->port, &versions, &code) == CF_OK && versions.level != 1);
        cf_port_snapshot(s->port, &now);
        fault(s, !adds_up(&now.ledger));
    }
}

static int round_of(const char *library, const char *host, unsigned number)
{
    static const cf_thread_function functions[THREADS] = {consume, consume, send_frames, refilter, ask};
    cf_open_question question = question_of("stress;1000000;load=0.9;dlc=0-8;ext=0.5;status=50", "virtual");
    cf_status status;
    cf_thread threads[THREADS];
    cf_ledger ledger;
    shared s;
    uint64_t received;
    long code;
    int i, known;
    memset(&s, 0, sizeof s);
    question.flags = CF_OPEN_STATUS_FRAMES | CF_OPEN_LOOPBACK;
    question.wait_when_full = number % 2;
    question.coalesce_ns = 200000;
    s.port = open_port(library, host, &question, NULL, 0, 128, &status);
    if (s.port == NULL)
        return 1;
    for (i = 0; i < THREADS; i++)
        if (cf_thread_start(&threads[i], functions[i], &s, "stress") != CF_OK)
            return 1;
    cf_sleep_ns(50000000);
    if (number % 3 != 0)
        cf_port_stop(s.port); /* consumers take the rest, the sender goes on */
    if (number % 3 == 1)
        cf_sleep_ns(5000000);
    cf_port_close(s.port, &code);
    fault(&s, code != CF_CANAL_SUCCESS);
    cf_atomic_u32_store_release(&s.ended, 1);
    for (i = 0; i < THREADS; i++)
        cf_thread_join(&threads[i]);
    cf_consumer_ledger(&s.port->consumer, &ledger, &known);
    received = ledger.counters.received;
    fault(&s, !adds_up(&ledger) || ledger.delivered != cf_atomic_u64_load_relaxed(&s.taken) || received == 0 || !known);
    cf_port_close(s.port, &code);
    cf_port_free(s.port);
    if (cf_atomic_u32_load_relaxed(&s.wrong) != 0)
        printf("round %u: %u faults, %llu received\n", number, cf_atomic_u32_load_relaxed(&s.wrong),
               (unsigned long long)received);
    return cf_atomic_u32_load_relaxed(&s.wrong) != 0;
}

/* An open that the driver refuses leaves nothing behind. */
static int refused(const char *library, const char *host)
{
    static const cf_filter filter = {0, 0, 0};
    cf_open_question question = question_of("stress;no such key", "virtual");
    cf_status status;
    return open_port(library, host, &question, &filter, 1, 128, &status) != NULL || status != CF_OPEN_FAILED;
}

int main(int count, char **arguments)
{
    const uint64_t until = cf_monotonic_ns() + (count > 2 ? strtoull(arguments[2], NULL, 10) : 1) * CF_NS_PER_S;
    const char *host = count > 3 ? arguments[3] : NULL;
    unsigned rounds = 0;
    int bad = 0;
    if (count < 2)
        return 2;
    bad = refused(arguments[1], host);
    while (cf_monotonic_ns() < until || rounds < 6)
        bad |= round_of(arguments[1], host, rounds++);
    printf("%u rounds\n", rounds);
    return bad;
}
