/* wake_stress.c - descriptor, clock report, cyclic sending and reconnecting, from many threads at once.
 *
 *     wake_stress VIRTUAL_DRIVER UNPLUGGED_DRIVER ROUNDS     exit 0: no wake was lost, the books add up
 */
#include "open_port.h"

#include <canal_fast/live/periodic.h>

#include <poll.h>

typedef struct shared {
    cf_port *port;
    cf_periodic *periodic;
    cf_atomic_u64 taken;
    cf_atomic_u32 wrong, ended;
} shared;

static void fault(shared *s, int bad, const char *what)
{
    if (bad) {
        cf_atomic_u32_fetch_add(&s->wrong, 1);
        fprintf(stderr, "%s\n", what);
    }
}

/* Takes a few whenever the descriptor is readable, until nothing more will come. */
static void await(void *argument)
{
    shared *s = (shared *)argument;
    cf_frame frames[32];
    struct pollfd waiting;
    cf_status status = CF_OK;
    memset(&waiting, 0, sizeof waiting);
    fault(s, cf_consumer_descriptor(&s->port->consumer, 10, &waiting.fd) != CF_OK, "no descriptor");
    waiting.events = POLLIN;
    while (status != CF_CLOSED) {
        uint64_t pending;
        long code;
        size_t got;
        fault(s, poll(&waiting, 1, 3000) != 1, "a wake was lost");
        got = cf_consumer_take(&s->port->consumer, frames, 32);
        cf_atomic_u64_fetch_add(&s->taken, got);
        status = got > 0 ? CF_OK : cf_consumer_wait(&s->port->consumer, 1, 0, &pending, &code);
    }
}

static void ask(void *argument)
{
    shared *s = (shared *)argument;
    cf_clock_report report;
    int64_t frames = 0;
    while (!cf_atomic_u32_load_acquire(&s->ended)) {
        cf_driver_status status;
        cf_ledger ledger;
        int known;
        long code = 0;
        cf_clock_read(&s->port->consumer.share->clock, &report);
        fault(s, report.tick_num != 1000 || report.tick_den != 1 || report.wrap_bits != 32, "torn report");
        fault(s, report.frames < frames, "frames went back");
        frames = report.frames;
        cf_port_status(s->port, &status, &code);
        cf_consumer_ledger(&s->port->consumer, &ledger, &known);
        fault(s, ledger.counters.outage_ns > 0 && ledger.counters.outages == 0, "an outage without one");
        cf_sleep_ns(100000);
    }
}

static void repeat(void *argument)
{
    shared *s = (shared *)argument;
    cf_frame frames[3];
    unsigned turn;
    memset(frames, 0, sizeof frames);
    for (turn = 0; !cf_atomic_u32_load_acquire(&s->ended); turn++) {
        cf_task task;
        cf_task_counters counters;
        int active;
        long code;
        memset(&task, 0, sizeof task);
        task.frames = malloc(sizeof frames);
        memcpy(task.frames, frames, sizeof frames);
        task.count = 3;
        task.stride = sizeof frames[0];
        task.period_ns = 200000;
        if (cf_periodic_add(s->periodic, &task) == CF_OK) {
            cf_sleep_ns(1000000);
            frames[1].arbitration_id = turn & 0x7FF;
            cf_periodic_modify(s->periodic, &task, frames);
            cf_sleep_ns(1000000);
            cf_periodic_counters(s->periodic, &task, &counters, &active, &code);
            fault(s, counters.sent + counters.rejected != 3 * counters.periods, "a task's books");
        }
        cf_periodic_remove(s->periodic, &task);
        free(task.frames);
    }
}

static int one_round(const char *path, const char *config, int64_t reconnect_ns, unsigned turn)
{
    static const cf_thread_function functions[] = {await, ask, repeat, repeat};
    cf_open_question question = question_of(config, "virtual");
    cf_status status;
    cf_thread threads[4];
    shared s;
    cf_ledger ledger;
    long code = 0;
    int known, i;
    memset(&s, 0, sizeof s);
    question.layout_size = cf_layout_native()->size;
    question.coalesce_ns = 300000;
    question.reconnect_ns = reconnect_ns;
    for (i = 0; i < 2 && s.port == NULL; i++) /* once it may be unplugged */
        s.port = open_port(path, NULL, &question, NULL, 0, 1024, &status);
    if (s.port == NULL)
        return fprintf(stderr, "%s did not open\n", path);
    s.periodic = cf_periodic_new(s.port);
    for (i = 0; i < 4; i++)
        cf_thread_start(&threads[i], functions[i], &s, "stress");
    cf_sleep_ns(150000000);
    if (turn % 3 == 1)
        cf_port_stop(s.port);
    if (turn % 3 != 2)
        cf_periodic_stop(s.periodic);
    cf_port_close(s.port, &code);
    cf_atomic_u32_store_release(&s.ended, 1);
    for (i = 0; i < 4; i++)
        cf_thread_join(&threads[i]);
    cf_periodic_stop(s.periodic);
    cf_consumer_ledger(&s.port->consumer, &ledger, &known);
    fault(&s, ledger.delivered != cf_atomic_u64_load_relaxed(&s.taken), "delivered");
    fault(&s, ledger.counters.received != ledger.counters.dropped + ledger.delivered + ledger.pending, "books");
    fault(&s, ledger.counters.received == 0, "nothing came");
    fault(&s, (reconnect_ns != 0) != (ledger.counters.outages != 0), "outages");
    cf_periodic_free(s.periodic);
    cf_port_free(s.port);
    return cf_atomic_u32_load_relaxed(&s.wrong) != 0;
}

int main(int count, char **arguments)
{
    unsigned turn, wrong = 0;
    for (turn = 0; count == 4 && turn < (unsigned)atoi(arguments[3]); turn++) {
        wrong += one_round(arguments[1], "wake;1000000;load=0.9", 0, turn) != 0;
        wrong += one_round(arguments[2], "20;1", 10000000, turn) != 0;
    }
    return wrong != 0 || count != 4;
}
