/* reader_runs.c - drains in runs beside drains one by one.
 *
 *     reader_runs ROUNDS SEED
 *
 * Two readers are given the same driver's messages, plain and odd ones, with changes of filters while the reader is in
 * the driver. One asks once a run what stays the same (cf_reader_run_any), the other for each message (cf_reader_walk).
 * Exit 0: records, counters and clocks are equal, for every layout, tick and way to wait.
 */
#include <canal_fast/live/reader_thread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1100, CAPACITY = 256 };

typedef struct message {
    uint8_t bytes[CF_SLOT_BYTES];
    int code, untouched, refilter;
} message;

typedef struct side {
    cf_reader reader;
    cf_share share;
    cf_consumer consumer;
    cf_ring *ring;
    size_t at;
    cf_frame kept[MOST * 4];
    size_t kept_count;
} side;

static message script[MOST];
static size_t script_count;
static const cf_layout *layout;
static side sides[2], *now_in;
static cf_library library;
static uint64_t state;
static uint64_t runs, walks; /* frames by each way of the first side, to show that both were gone */

static unsigned below(unsigned limit)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((state >> 33) % limit);
}

static void put_word(uint8_t *bytes, unsigned offset, uint32_t word)
{
    memcpy(bytes + offset, &word, sizeof word);
}

static void make_message(message *m, uint32_t *ticks)
{
    const unsigned kind = below(60);
    unsigned i;
    memset(m, 0, sizeof *m);
    for (i = 0; i < CF_SLOT_BYTES; i++)
        m->bytes[i] = (uint8_t)below(256);
    *ticks += below(3000);
    put_word(m->bytes, layout->flags,
             below(2) | (below(8) == 0 ? CF_MSG_REMOTE : 0) | (below(9) == 0 ? CF_MSG_SEND : 0));
    put_word(m->bytes, layout->id, below(0x800));
    m->bytes[layout->length] = (uint8_t)below(kind == 0 ? 256 : kind == 1 ? 16 : 9);
    put_word(m->bytes, layout->timestamp, kind == 2 ? below(1 << 20) : *ticks);
    if (kind == 3)
        put_word(m->bytes, layout->flags, CF_MSG_STATUS);
    if (kind == 4)
        put_word(m->bytes, layout->id, UINT32_MAX - below(2));
    m->untouched = kind == 5;
    m->code = kind == 6 ? CF_CANAL_BUS_WARNING : CF_CANAL_SUCCESS;
    m->refilter = below(150) == 0 ? 1 + (int)below(4) : 0;
}

static void take(side *s, size_t count)
{
    s->kept_count += cf_ring_take(s->ring, s->kept + s->kept_count, count);
}

static int CF_CANAL_CALL receive(long handle, void *slot)
{
    side *s = now_in;
    const message *m;
    (void)handle;
    if (s->at == script_count)
        return CF_CANAL_FIFO_EMPTY;
    m = &script[s->at++];
    if (m->refilter) {
        cf_filter rows[4];
        int i;
        for (i = 0; i < 4; i++) {
            rows[i].can_id = (uint32_t)(m->refilter * 97 + i * 31);
            rows[i].can_mask = 3;
            rows[i].extended = CF_FILTER_ANY_FORMAT;
        }
        cf_filter_table_write(&s->share.filters, rows, (uint32_t)m->refilter - 1);
    }
    if (m->code == CF_CANAL_SUCCESS && !m->untouched)
        memcpy(slot, m->bytes, layout->size);
    return m->code;
}

static void start(side *s, uint64_t room, uint32_t num, uint32_t den, uint32_t wrap_bits, int device, int waits)
{
    void *memory = malloc(cf_ring_bytes(room, sizeof(cf_frame)));
    if (memory == NULL)
        abort();
    memset(s, 0, sizeof *s);
    s->ring = cf_ring_init(memory, room, sizeof(cf_frame));
    s->reader.library = &library;
    s->reader.profile = cf_profile_row(0);
    s->reader.share = &s->share;
    s->reader.consumer = &s->consumer;
    s->reader.layout = layout;
    s->reader.handle = 1;
    s->reader.channel = 3;
    s->reader.wait_when_full = waits;
    cf_producer_init(&s->reader.producer, s->ring);
    cf_clock_init(&s->reader.clock, num, den, wrap_bits, device, 1000000);
    if (cf_consumer_init(&s->consumer, &s->share, s->ring) != CF_OK)
        abort();
}

/* Everything of the script that there is room for. */
static void drain(side *s, int64_t now_ns, int in_runs)
{
    int any = 0, got = 1;
    now_in = s;
    while (got == 1 || s->at < script_count) {
        const size_t before = s->at;
        if (in_runs && cf_reader_may_run(&s->reader)) {
            got = cf_reader_run_any(&s->reader, now_ns, &any);
            runs += s->at - before;
        } else {
            got = cf_reader_walk(&s->reader, now_ns, &any);
            walks += in_runs ? s->at - before : 0;
        }
        cf_producer_publish(&s->reader.producer);
        if (s->at == before && cf_reader_must_wait(&s->reader))
            take(s, CAPACITY / 2);
    }
    cf_reader_observe(&s->reader, now_ns);
    cf_producer_publish(&s->reader.producer);
}

static int equal(const side *a, const side *b)
{
    const cf_counters *one = &a->reader.producer.counters, *two = &b->reader.producer.counters;
    return a->kept_count == b->kept_count && memcmp(a->kept, b->kept, a->kept_count * sizeof(cf_frame)) == 0 &&
           memcmp(&a->reader.clock, &b->reader.clock, sizeof(cf_clock)) == 0 &&
           a->reader.producer.written == b->reader.producer.written && one->received == two->received &&
           one->malformed == two->malformed && one->filtered == two->filtered && one->dropped == two->dropped &&
           one->status_messages == two->status_messages && one->gaps == two->gaps;
}

/* One drain takes all that the driver holds, odd or not. */
static int takes_all(void)
{
    uint32_t ticks = 0;
    int taken;
    layout = cf_layout_row(sizeof(long) == 8);
    start(&sides[0], 2048, 0, 1, 32, 0, 0);
    sides[0].reader.clock.started = 1;
    now_in = &sides[0];
    for (script_count = 0; script_count < MOST; script_count++) {
        do
            make_message(&script[script_count], &ticks);
        while (script[script_count].untouched || script[script_count].code != CF_CANAL_SUCCESS);
        if (script_count % 2)
            put_word(script[script_count].bytes, layout->flags, CF_MSG_STATUS);
    }
    taken = cf_reader_drain(&sides[0].reader) == 1 && sides[0].at == MOST;
    cf_consumer_destroy(&sides[0].consumer);
    free(sides[0].ring);
    return taken;
}

int main(int count, char **arguments)
{
    static const uint32_t units[][2] = {{0, 1}, {0, 0}, {1000, 1}, {1984375, 2}};
    const unsigned rounds = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 100;
    unsigned round;
    state = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    library.receive = receive;
    for (round = 0; round < rounds; round++) {
        const uint32_t *unit = units[below(4)];
        const uint32_t wrap_bits = below(2) ? 32 : 24;
        const int device = (int)below(2), waits = (int)below(2);
        uint32_t ticks = below(1u << 24);
        int64_t now_ns = INT64_C(1000000000) + below(1000000);
        unsigned part, k;
        layout = cf_layout_row(below(3) == 0 ? below(4) : sizeof(long) == 8);
        for (k = 0; k < 2; k++)
            start(&sides[k], CAPACITY, unit[0], unit[1], wrap_bits, device, waits);
        for (part = 0; part < 4; part++, now_ns += below(5000000)) {
            script_count = below(MOST);
            for (k = 0; k < script_count; k++)
                make_message(&script[k], &ticks);
            for (k = 0; k < 2; k++) {
                sides[k].at = 0;
                drain(&sides[k], now_ns, k == 0);
            }
            for (k = 0; k < 2; k++)
                take(&sides[k], part % 2 ? CAPACITY : CAPACITY / 3);
        }
        for (k = 0; k < 2; k++)
            take(&sides[k], CAPACITY);
        if (!equal(&sides[0], &sides[1])) {
            printf("round %u: runs and single messages differ\n", round);
            return 1;
        }
        for (k = 0; k < 2; k++) {
            cf_consumer_destroy(&sides[k].consumer);
            free(sides[k].ring);
        }
    }
    if (!takes_all()) {
        printf("a drain ended before the driver was empty\n");
        return 1;
    }
    printf("%llu frames in runs, %llu one by one\n", (unsigned long long)runs, (unsigned long long)walks);
    return runs == 0 || walks == 0;
}
