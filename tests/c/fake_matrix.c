/* fake_matrix.c - the live path on every misbehaving driver at once, without Python; for the sanitizers.
 *
 * Each line of the file argv[1] is a row, tab-separated: library, configuration, profile ("auto" for the one that
 * fits), frames, malformed, status messages, sizeData 9..15 (0 or 1), does it open, code that receive ends with.
 * Prints one line a row; exit code 1 when one is not survived.
 */
#include "open_port.h"

enum { MAX_ROWS = 128, BATCH = 100 };

typedef struct row {
    char library[512], config[256], profile[64];
    unsigned long frames, malformed, statuses, sizes, opens;
    long error;
    cf_thread thread;
    cf_port *port;
    cf_atomic_u32 finished;
    char verdict[128];
} row;

/* Is this frame number n of tests/fake_canal? */
static int matches(const row *r, const cf_frame *f, uint32_t n)
{
    const int standard = n % 4 == 3, remote = n % 50 == 7;
    const unsigned dlc = r->sizes && n % 16 == 5 ? 9 + n / 16 % 7 : n % 9;
    unsigned k;
    for (k = 0; k < 8; k++)
        if (f->data[k] != (k < dlc && !remote ? (uint8_t)(n * 31 + k * 7 + 1) : 0))
            return 0;
    return f->arbitration_id == (standard ? n & 0x7FF : n) && f->dlc == dlc &&
           f->flags == ((standard ? 0 : CF_FLAG_EXTENDED_ID) | (remote ? CF_FLAG_REMOTE : 0));
}

/* A second thread asks whatever can be asked meanwhile, and sends. */
static void ask(void *argument)
{
    row *r = (row *)argument;
    while (!cf_atomic_u32_load_acquire(&r->finished)) {
        cf_driver_status status;
        cf_driver_versions versions;
        cf_driver_statistics statistics;
        cf_snapshot now;
        cf_frame frame;
        size_t accepted;
        int known;
        long code;
        memset(&frame, 0, sizeof frame);
        cf_port_status(r->port, &status, &code);
        cf_port_statistics(r->port, &statistics, &known, &code);
        cf_port_versions(r->port, &versions, &code);
        cf_port_send(r->port, &frame, 1, sizeof frame, 1000000, &accepted, &code);
        cf_port_snapshot(r->port, &now);
        cf_sleep_ns(1000000);
    }
}

static void verdict(row *r, unsigned long got, unsigned long statuses, cf_status last, long code)
{
    cf_ledger books;
    int known;
    cf_consumer_ledger(&r->port->consumer, &books, &known);
    if (got != r->frames || statuses != r->statuses || books.counters.malformed != r->malformed)
        snprintf(r->verdict, sizeof r->verdict, "FAILED: %lu frames, %lu status messages, %lu malformed", got, statuses,
                 (unsigned long)books.counters.malformed);
    else if (books.counters.received != books.delivered + books.pending + r->malformed || books.pending)
        snprintf(r->verdict, sizeof r->verdict, "FAILED: the ledger does not balance");
    else if (r->error != (last == CF_DRIVER_FAILED ? code : 0))
        snprintf(r->verdict, sizeof r->verdict, "FAILED: ended with %d, code %ld", (int)last, code);
    else
        snprintf(r->verdict, sizeof r->verdict, "survived");
}

static void drain(row *r)
{
    const int64_t begun = cf_now_ns();
    unsigned long got = 0, statuses = 0;
    int stopped = 0;
    long code = 0;
    cf_status last;
    for (;;) {
        cf_frame frames[BATCH];
        uint64_t pending;
        size_t i, count;
        last = cf_consumer_wait(&r->port->consumer, 1, 20000000, &pending, &code);
        count = cf_consumer_take(&r->port->consumer, frames, BATCH);
        for (i = 0; i < count; i++)
            if (frames[i].flags & CF_FLAG_STATUS)
                statuses++;
            else if (!matches(r, &frames[i], (uint32_t)got++)) {
                snprintf(r->verdict, sizeof r->verdict, "FAILED: frame %lu is wrong", got - 1);
                return;
            }
        if (count == 0 && (last == CF_CLOSED || last == CF_DRIVER_FAILED))
            break;
        if (!stopped && cf_now_ns() - begun > 400000000) {
            cf_port_stop(r->port);
            stopped = 1;
        }
    }
    verdict(r, got, statuses, last, code);
}

static void survive(void *argument)
{
    row *r = (row *)argument;
    cf_open_question question = question_of(r->config, r->profile);
    cf_thread asking;
    cf_status status;
    r->port = open_port(r->library, NULL, &question, NULL, 0, 4096, &status);
    if ((status == CF_OK) != (r->opens != 0) || !r->opens) {
        snprintf(r->verdict, sizeof r->verdict, "%s",
                 !r->opens && status == CF_OPEN_FAILED ? "survived" : "FAILED: open");
        return;
    }
    if (cf_thread_start(&asking, ask, r, "ask") != CF_OK)
        return;
    drain(r);
    cf_atomic_u32_store_release(&r->finished, 1);
    cf_thread_join(&asking);
    end_port(r->port);
}

int main(int argc, char **argv)
{
    static row rows[MAX_ROWS];
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    int count = 0, i, failed = 0;
    if (file == NULL)
        return 2;
    while (count < MAX_ROWS &&
           fscanf(file, "%511[^\t]\t%255[^\t]\t%63[^\t]\t%lu\t%lu\t%lu\t%lu\t%lu\t%ld\n", rows[count].library,
                  rows[count].config, rows[count].profile, &rows[count].frames, &rows[count].malformed,
                  &rows[count].statuses, &rows[count].sizes, &rows[count].opens, &rows[count].error) == 9)
        count++;
    fclose(file);
    for (i = 0; i < count; i++)
        if (cf_thread_start(&rows[i].thread, survive, &rows[i], "row") != CF_OK)
            return 2;
    for (i = 0; i < count; i++) {
        cf_thread_join(&rows[i].thread);
        printf("%s\t%s\n", rows[i].config, rows[i].verdict);
        failed |= strcmp(rows[i].verdict, "survived") != 0;
    }
    return failed;
}
