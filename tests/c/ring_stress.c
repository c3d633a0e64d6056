/* ring_stress.c - the ring between threads: one produces, one consumes, one reads the ledger.
 *
 *     ring_stress RECORDS     exit 0: every record, mark and count is where it belongs
 */
#include <canal_fast/live/ring.h>
#include <canal_fast/system/thread.h>

#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY = 64, FILTER_EVERY = 13 };

typedef struct shared {
    cf_ring *ring;
    cf_mutex consumers; /* the ledger and taking exclude one another, as in consumer.h */
    uint64_t records, made, kept, dropped;
    uint64_t delivered, marked, lost, wrong, snapshots, torn;
    cf_atomic_u32 ended;
} shared;

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ x >> 27;
}

/* Pushes numbered records in bursts, leaves out every 13th as filtered, waits for nobody. */
static void produce(void *argument)
{
    shared *s = (shared *)argument;
    cf_producer producer;
    cf_frame spare;
    cf_producer_init(&producer, s->ring);
    while (s->made < s->records) {
        uint64_t burst = 1 + mix(s->made) % (3 * CAPACITY / 2);
        while (burst-- > 0 && s->made < s->records) {
            cf_frame *frame = cf_producer_reserve(&producer, &spare);
            memset(frame, 0, sizeof *frame);
            frame->timestamp_ns = (int64_t)s->made;
            memcpy(frame->data, &s->made, 8);
            producer.counters.received++;
            if (s->made++ % FILTER_EVERY == 0)
                producer.counters.filtered++;
            else
                cf_producer_commit(&producer, frame, &spare);
        }
        cf_producer_publish(&producer);
        if (mix(s->made) % 4 == 0)
            cf_sleep_ns(1000);
    }
    s->kept = producer.written;
    s->dropped = producer.counters.dropped;
    cf_atomic_u32_store_release(&s->ended, 1);
}

/* The number of records between two kept ones that were neither filtered nor delivered. */
static uint64_t between(int64_t before, int64_t after)
{
    uint64_t count = 0;
    int64_t n;
    for (n = before + 1; n < after; n++)
        count += n % FILTER_EVERY != 0;
    return count;
}

static void consume(void *argument)
{
    shared *s = (shared *)argument;
    cf_frame frames[CAPACITY];
    int64_t before = -1;
    uint32_t ended;
    size_t got, i;
    do {
        ended = cf_atomic_u32_load_acquire(&s->ended);
        cf_mutex_lock(&s->consumers);
        got = cf_ring_take(s->ring, frames, (size_t)mix((uint64_t)before) % CAPACITY + 1);
        cf_mutex_unlock(&s->consumers);
        for (i = 0; i < got; i++) {
            const int64_t number = frames[i].timestamp_ns;
            const uint64_t missing = between(before, number);
            const int marked = (frames[i].flags & CF_FLAG_GAP) != 0;
            s->wrong += number <= before || memcmp(frames[i].data, &number, 8) != 0 || marked != (missing != 0);
            s->lost += missing;
            s->marked += (uint64_t)marked;
            before = number;
        }
        s->delivered += got;
        if (mix((uint64_t)before) % 8 == 0)
            cf_sleep_ns(2000);
    } while (!ended || got != 0);
    s->lost += between(before, (int64_t)s->made);
}

static int adds_up(const cf_ledger *l)
{
    return l->counters.received ==
           l->counters.malformed + l->counters.filtered + l->counters.dropped + l->delivered + l->pending;
}

static void audit(void *argument)
{
    shared *s = (shared *)argument;
    while (!cf_atomic_u32_load_acquire(&s->ended)) {
        cf_ledger ledger;
        cf_mutex_lock(&s->consumers);
        cf_ring_ledger(s->ring, &ledger);
        cf_mutex_unlock(&s->consumers);
        s->snapshots++;
        s->torn += !adds_up(&ledger) || ledger.pending > CAPACITY;
    }
}

int main(int count, char **arguments)
{
    static const cf_thread_function functions[] = {produce, consume, audit};
    cf_thread threads[3];
    cf_ledger ledger;
    shared s;
    int i, bad;
    memset(&s, 0, sizeof s);
    s.records = count > 1 ? strtoull(arguments[1], NULL, 10) : 100000;
    s.ring = cf_ring_init(malloc(cf_ring_bytes(CAPACITY, sizeof(cf_frame))), CAPACITY, sizeof(cf_frame));
    if (cf_mutex_init(&s.consumers) != CF_OK)
        return 2;
    for (i = 0; i < 3; i++)
        if (cf_thread_start(&threads[i], functions[i], &s, "stress") != CF_OK)
            return 2;
    for (i = 0; i < 3; i++)
        cf_thread_join(&threads[i]);
    cf_ring_ledger(s.ring, &ledger);
    bad = s.wrong != 0 || s.torn != 0 || s.snapshots == 0 || s.delivered != s.kept || s.lost != s.dropped ||
          s.marked != ledger.counters.gaps || ledger.delivered != s.delivered || ledger.pending != 0 ||
          ledger.counters.dropped != s.dropped || s.dropped == 0 || !adds_up(&ledger);
    printf("%llu made, %llu delivered, %llu dropped, %llu lost, %llu marked of %llu gaps, %llu wrong, %llu of %llu "
           "snapshots torn\n",
           (unsigned long long)s.made, (unsigned long long)s.delivered, (unsigned long long)s.dropped,
           (unsigned long long)s.lost, (unsigned long long)s.marked, (unsigned long long)ledger.counters.gaps,
           (unsigned long long)s.wrong, (unsigned long long)s.torn, (unsigned long long)s.snapshots);
    free(s.ring);
    cf_mutex_destroy(&s.consumers);
    return bad;
}
