/* filter_changes.c - filters that change while records are written and taken.
 *
 *     filter_changes table RECORDS CHANGES                      a writer and a taker on one ring
 *     filter_changes port RECORDS CHANGES DRIVER [HOST]         the same through an open port, here or in a host
 *
 * Exit 0: after each change with `waiting` no record that it rejects was taken, and the ledger is exact.
 */
#include "open_port.h"

enum { BATCH = 512 };

typedef struct counts {
    uint64_t taken, wrong, changes;
} counts;

static const char *failure;

static void check(int good, const char *what)
{
    if (!good && failure == NULL)
        failure = what;
}

/* Filter n: identifiers with one bit clear. Half of what one lets through the next one does, too. */
static cf_filter filter_of(uint64_t n)
{
    cf_filter row = {0, 1u << (n & 3), CF_FILTER_ANY_FORMAT};
    return row;
}

/* Takes until `records` were received, and changes the filters every so often: `changes` times in all. */
static void take_all(cf_consumer *consumer, uint64_t records, uint64_t changes, counts *c)
{
    static cf_frame frames[BATCH];
    cf_filter row = {0, 0, 0};
    cf_ledger ledger;
    uint64_t received = 0, pending;
    int known;
    do {
        size_t got, i;
        long code;
        if (c->changes < changes && received >= c->changes * (records / changes)) {
            row = filter_of(c->changes++);
            check(cf_consumer_filter(consumer, &row, 1, 1) == CF_OK, "a change was refused");
        }
        cf_consumer_wait(consumer, 1, 2000000, &pending, &code);
        got = cf_consumer_take(consumer, frames, BATCH);
        for (i = 0; i < got; i++)
            c->wrong += ((frames[i].arbitration_id ^ row.can_id) & row.can_mask) != 0;
        c->taken += got;
        cf_consumer_ledger(consumer, &ledger, &known);
        check(ledger.counters.received >= received, "received went back");
        check(ledger.counters.received == ledger.counters.malformed + ledger.counters.filtered +
                                              ledger.counters.dropped + ledger.delivered + ledger.pending,
              "the ledger does not balance");
        received = ledger.counters.received;
    } while (failure == NULL && (received < records || pending > 0 || c->changes < changes));
    check(ledger.delivered == c->taken && ledger.counters.dropped == 0, "delivered");
}

/* ---- a ring, a writer thread */

typedef struct writer {
    cf_consumer consumer;
    cf_share share;
    cf_producer producer;
    cf_filter_copy copy;
    uint64_t records;
} writer;

static void write_all(void *argument)
{
    writer *w = (writer *)argument;
    uint64_t n = 0;
    while (n < w->records) {
        unsigned k;
        while (cf_producer_room(&w->producer, 64) < 64)
            cf_sleep_ns(1000);
        for (k = 0; k < 64; k++, n++) {
            cf_fd_frame spare;
            cf_frame *frame = (cf_frame *)cf_producer_reserve(&w->producer, &spare);
            memset(frame, 0, sizeof *frame);
            frame->arbitration_id = (uint32_t)n & 0x7FF;
            w->producer.counters.received++;
            if (!cf_filter_table_wants(&w->share.filters, &w->copy, (cf_frame_head *)frame, w->producer.written))
                w->producer.counters.filtered++;
            else
                cf_producer_commit(&w->producer, frame, &spare);
        }
        cf_producer_publish(&w->producer);
        cf_consumer_notify(&w->consumer, 0);
    }
}

static void table(uint64_t records, uint64_t changes, counts *c)
{
    static writer w;
    void *memory = malloc(cf_ring_bytes(1 << 14, sizeof(cf_frame)));
    cf_thread thread;
    w.records = records;
    check(memory != NULL &&
              cf_consumer_init(&w.consumer, &w.share, cf_ring_init(memory, 1 << 14, sizeof(cf_frame))) == CF_OK,
          "no memory");
    cf_producer_init(&w.producer, w.consumer.ring);
    check(cf_thread_start(&thread, write_all, &w, "writer") == CF_OK, "no thread");
    take_all(&w.consumer, records, changes, c);
    cf_thread_join(&thread);
    cf_consumer_destroy(&w.consumer);
    free(memory);
}

static void through_port(uint64_t records, uint64_t changes, const char *driver, const char *host, counts *c)
{
    char config[64];
    cf_open_question question;
    cf_status status;
    cf_port *port;
    snprintf(config, sizeof config, "frames=%llu;bursts=1", (unsigned long long)records);
    question = question_of(config, "generic");
    question.wait_when_full = 1;
    question.coalesce_ns = 100000;
    port = open_port(driver, host, &question, NULL, 0, 1 << 14, &status);
    check(port != NULL, "not opened");
    if (port == NULL)
        return;
    take_all(&port->consumer, records, changes, c);
    check(end_port(port) == 0, "CanalClose");
}

int main(int count, char **arguments)
{
    counts c = {0, 0, 0};
    const uint64_t records = count > 3 ? strtoull(arguments[2], NULL, 10) : 0;
    const uint64_t changes = count > 3 ? strtoull(arguments[3], NULL, 10) : 0;
    if (count < 4 || changes == 0)
        return 2;
    if (strcmp(arguments[1], "table") == 0)
        table(records, changes, &c);
    else
        through_port(records, changes, arguments[4], count > 5 ? arguments[5] : NULL, &c);
    printf("%llu taken, %llu wrong, %llu changes: %s\n", (unsigned long long)c.taken, (unsigned long long)c.wrong,
           (unsigned long long)c.changes, failure != NULL ? failure : "the ledger is exact");
    return c.wrong != 0 || failure != NULL || c.changes != changes;
}
