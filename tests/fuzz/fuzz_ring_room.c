/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_ring_room.c
 *
 * The input is a schedule: what the driver has, when consumers take, also while the reader is in the driver. Whatever
 * it is, the reader drops exactly the frames for which the ring had no room when the driver handed them over, it
 * never waits in the driver while the ring is full, nothing is invented, and the books balance. */
#include <canal_fast/live/reader_thread.h>
#include <stdlib.h>

enum { CAPACITY = 16, MOST = 64 };

static const uint8_t *schedule;
static size_t left;
static cf_reader reader;
static cf_library library;
static cf_share share;
static cf_consumer consumer;
static cf_ring *ring;
static uint32_t next_sent, next_taken;
static uint64_t dropped; /* as the model has it */

static unsigned next_byte(void)
{
    if (left == 0)
        return 0;
    left--;
    return *schedule++;
}

static void take(unsigned count)
{
    cf_frame frames[CAPACITY];
    const size_t got = cf_ring_take(ring, frames, count < CAPACITY ? count : CAPACITY);
    size_t i;
    for (i = 0; i < got; i++) {
        const int gap = (frames[i].flags & CF_FLAG_GAP) != 0;
        if (frames[i].arbitration_id < next_taken || gap != (frames[i].arbitration_id != next_taken))
            abort();
        next_taken = frames[i].arbitration_id + 1;
    }
}

static uint64_t room(void)
{
    return CAPACITY - (reader.producer.written - cf_atomic_u64_load_relaxed(&ring->taken));
}

static void fill(void *record, uint32_t number)
{
    cf_frame *frame = (cf_frame *)record;
    memset(frame, 0, sizeof *frame);
    frame->arbitration_id = number;
}

static void hand_over(uint64_t count)
{
    const uint64_t fits = room();
    next_sent += (uint32_t)count;
    dropped += count > fits ? count - fits : 0;
}

static int CF_CANAL_CALL receive_batch(long handle, void *records, unsigned long size, unsigned long count,
                                       unsigned long timeout_ms)
{
    const unsigned action = next_byte();
    unsigned long n = next_byte() % MOST, i;
    (void)handle;
    if (timeout_ms != 0 && room() == 0)
        abort();
    if (action & 1) /* before the frames come ... */
        take(action >> 1 & 15);
    if (n > count)
        n = count;
    for (i = 0; i < n; i++)
        fill((char *)records + i * size, next_sent + (uint32_t)i);
    if (action & 0x20) /* ... or after */
        take(action >> 1 & 15);
    hand_over(n);
    return (int)n;
}

static int CF_CANAL_CALL receive(long handle, void *message)
{
    const unsigned action = next_byte();
    cf_canal_msg m;
    (void)handle;
    if (action & 1)
        take(action >> 1 & 15);
    if (action & 0x80)
        return CF_CANAL_FIFO_EMPTY;
    memset(&m, 0, sizeof m);
    m.flags = CF_MSG_EXTENDED;
    m.id = next_sent;
    memcpy(message, &m, sizeof m);
    hand_over(1);
    return CF_CANAL_SUCCESS;
}

static int CF_CANAL_CALL blocking_receive(long handle, void *message, unsigned long timeout_ms)
{
    (void)timeout_ms;
    if (room() == 0)
        abort();
    return receive(handle, message);
}

static void start(int batch, void *memory)
{
    memset(&reader, 0, sizeof reader);
    memset(&library, 0, sizeof library);
    memset(&share, 0, sizeof share);
    memset(&consumer, 0, sizeof consumer);
    next_sent = next_taken = 0;
    dropped = 0;
    library.receive = receive;
    library.blocking_receive = blocking_receive;
    library.receive_batch = batch ? receive_batch : NULL;
    ring = cf_ring_init(memory, CAPACITY, sizeof(cf_frame));
    reader.library = &library;
    reader.profile = cf_profile_row(0);
    reader.share = &share;
    reader.consumer = &consumer;
    reader.layout = cf_layout_native();
    reader.handle = reader.can_block = 1;
    cf_producer_init(&reader.producer, ring);
    cf_clock_init(&reader.clock, 0, 1, 32, 0, 0);
    if (cf_consumer_init(&consumer, &share, ring) != CF_OK || cf_sleeper_init(&reader.sleeper) != CF_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *memory = malloc(cf_ring_bytes(CAPACITY, sizeof(cf_frame)));
    cf_ledger books;
    schedule = data;
    left = size;
    start((int)(next_byte() & 1), memory);
    while (left > 0) {
        const unsigned action = next_byte();
        if (action & 1)
            take(action >> 1 & 31);
        else if ((action & 2 ? cf_reader_drain(&reader) : cf_reader_wait(&reader, action)) < 0)
            abort();
        cf_producer_publish(&reader.producer);
        cf_ring_ledger(ring, &books);
        if (books.counters.dropped != dropped || books.counters.received != next_sent ||
            books.counters.received != books.counters.dropped + books.delivered + books.pending)
            abort();
    }
    take(CAPACITY);
    cf_sleeper_destroy(&reader.sleeper);
    cf_consumer_destroy(&consumer);
    free(memory);
    return 0;
}
