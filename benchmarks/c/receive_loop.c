/* receive_loop.c - bare C peers of the reader thread, and the reader's own drain without Python. */
#include <canal_fast/live/reader_drain.h>

typedef int (*receive_function)(long handle, void *message);

/* What any C program would do: receive into a scratch slot, pack 24-byte rows. `mask` + 1 rows. */
static size_t bare_drain(receive_function receive, long handle, cf_frame *rows, size_t mask, size_t at)
{
    uint64_t slot[CF_SLOT_BYTES / 8];
    const cf_canal_msg *message = (const cf_canal_msg *)(const void *)slot;
    while (receive(handle, slot) == CF_CANAL_SUCCESS) {
        cf_frame *row = &rows[at++ & mask];
        row->timestamp_ns = (int64_t)message->timestamp;
        row->arbitration_id = (uint32_t)message->id;
        row->flags = (uint16_t)message->flags;
        row->channel = 0;
        row->dlc = message->sizeData;
        memcpy(row->data, message->data, 8);
    }
    return at;
}

/* Drains once; returns the nanoseconds it took. `rows` holds `capacity` (a power of two) records. */
CF_CANAL_EXPORT uint64_t time_bare(void *receive, long handle, cf_frame *rows, uint64_t capacity)
{
    receive_function call;
    uint64_t before;
    memcpy(&call, &receive, sizeof call);
    before = cf_monotonic_ns();
    bare_drain(call, handle, rows, (size_t)capacity - 1, 0);
    return cf_monotonic_ns() - before;
}

/* A reader on an open handle, without its thread, with so many filters, of which the last lets everything through.
 * NULL: no memory. */
CF_CANAL_EXPORT cf_reader *make_reader(void *receive, long handle, const char *profile, uint64_t capacity,
                                       uint32_t filters)
{
    static cf_library library; /* one of each at a time is enough here */
    static cf_share shares[2]; /* with and without filters */
    static cf_consumer consumer;
    cf_reader *reader = (cf_reader *)calloc(1, sizeof *reader);
    void *memory = calloc(1, cf_ring_bytes(capacity, sizeof(cf_frame)));
    cf_share *share = &shares[filters != 0];
    cf_filter rows[16];
    uint32_t i;
    if (reader == NULL || memory == NULL || filters > 16)
        return NULL;
    for (i = 0; i < filters; i++) {
        rows[i].can_id = CF_MAX_EXTENDED_ID;
        rows[i].can_mask = i + 1 < filters ? CF_MAX_EXTENDED_ID : 0;
        rows[i].extended = CF_FILTER_ANY_FORMAT;
    }
    if (filters)
        cf_filter_table_write(&share->filters, rows, filters);
    memcpy(&library.receive, &receive, sizeof receive);
    reader->library = &library;
    reader->profile = cf_profile_named(profile);
    reader->layout = cf_layout_native();
    reader->handle = handle;
    reader->share = share;
    reader->consumer = &consumer;
    consumer.share = share;
    consumer.ring = cf_ring_init(memory, capacity, sizeof(cf_frame));
    cf_producer_init(&reader->producer, consumer.ring);
    cf_clock_init(&reader->clock, reader->profile->tick_num, reader->profile->tick_den, reader->profile->wrap_bits, 0,
                  0);
    return reader;
}

CF_CANAL_EXPORT void free_reader(cf_reader *reader)
{
    free(reader->producer.ring);
    free(reader);
}

/* As time_bare, through the reader. The ring is emptied before, by its index alone. */
CF_CANAL_EXPORT uint64_t time_reader(cf_reader *reader)
{
    uint64_t before;
    cf_atomic_u64_store_release(&reader->producer.ring->taken, reader->producer.written);
    before = cf_monotonic_ns();
    while (cf_reader_drain(reader) > 0)
        ;
    return cf_monotonic_ns() - before;
}

CF_CANAL_EXPORT uint64_t reader_received(const cf_reader *reader)
{
    return reader->producer.counters.received - reader->producer.counters.dropped;
}

typedef struct poller {
    receive_function receive;
    long handle;
    uint64_t until_ns, frames, cpu_ns;
    cf_frame rows[4096];
} poller;

static void poll_main(void *argument)
{
    poller *self = (poller *)argument;
    struct timespec cpu;
    cf_sleeper sleeper;
    cf_sleeper_init(&sleeper);
    while (cf_monotonic_ns() < self->until_ns) {
        self->frames = bare_drain(self->receive, self->handle, self->rows, 4095, (size_t)self->frames);
        cf_sleeper_sleep(&sleeper, 1000000);
    }
    cf_sleeper_destroy(&sleeper);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    self->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
}

/* A bare thread that drains and sleeps 1 ms for `duration_ns`: its CPU time; frames into *frames. */
CF_CANAL_EXPORT uint64_t poll_bare(void *receive, long handle, uint64_t duration_ns, uint64_t *frames)
{
    static poller self;
    cf_thread thread;
    memset(&self, 0, sizeof self);
    memcpy(&self.receive, &receive, sizeof receive);
    self.handle = handle;
    self.until_ns = cf_monotonic_ns() + duration_ns;
    if (cf_thread_start(&thread, poll_main, &self, "bare") != CF_OK)
        return 0;
    cf_thread_join(&thread);
    *frames = self.frames;
    return self.cpu_ns;
}
