/* instructions.c - `instructions KERNEL N`: runs one kernel over N frames, for counting instructions. */
#include <canal_fast/live/reader_drain.h>

#include <canal_fast/logs/candump_line.h>
#include <canal_fast/logs/pcapng_write.h>
#include <canal_fast/wire/encode.h>

#include <stdio.h>

enum { BATCH = 1000 };

static unsigned long left;

static int receive(long handle, void *slot)
{
    cf_canal_msg *message = (cf_canal_msg *)slot;
    (void)handle;
    if (left == 0)
        return CF_CANAL_FIFO_EMPTY;
    memset(message, 0, sizeof *message);
    message->id = left-- & 0x7FF;
    message->sizeData = 8;
    return CF_CANAL_SUCCESS;
}

static cf_frame frames[BATCH];
static uint8_t out[BATCH * 256];

static cf_library library;
static cf_share share;
static cf_consumer consumer;
static cf_reader reader;
static uint64_t memory[(sizeof(cf_ring) + 65536 * sizeof(cf_frame)) / 8];

static void prepare(void)
{
    library.receive = receive;
    reader.library = &library;
    reader.profile = cf_profile_named("virtual");
    reader.layout = cf_layout_native();
    reader.handle = 1;
    reader.share = &share;
    reader.consumer = &consumer;
    cf_consumer_init(&consumer, &share, cf_ring_init(memory, 65536, sizeof(cf_frame)));
    cf_producer_init(&reader.producer, consumer.ring);
    cf_clock_init(&reader.clock, 1000, 1, 32, 0, 0);
}

static void drain(unsigned long count)
{
    for (; count > 0; count -= BATCH) {
        left = BATCH;
        cf_reader_drain(&reader);
        cf_atomic_u64_store_release(&consumer.ring->taken, reader.producer.written);
    }
}

/* Drain and take, with 16 filters of which the last one matches. */
static void filter(unsigned long count, int waiting)
{
    cf_filter rows[16];
    size_t i;
    memset(rows, 0, sizeof rows);
    for (i = 0; i < 15; i++) {
        rows[i].can_id = 0x1FFFFFFF;
        rows[i].can_mask = 0x1FFFFFFF;
    }
    cf_consumer_filter(&consumer, rows, 16, waiting);
    for (; count > 0; count -= BATCH) {
        left = BATCH;
        cf_reader_drain(&reader);
        cf_consumer_take(&consumer, frames, BATCH);
    }
}

/* Push and take. */
static void push(unsigned long count)
{
    for (; count > 0; count -= BATCH) {
        size_t i;
        for (i = 0; i < BATCH; i++) {
            cf_frame spare, *frame = (cf_frame *)cf_producer_reserve(&reader.producer, &spare);
            *frame = frames[i];
            cf_producer_commit(&reader.producer, frame, &spare);
        }
        cf_producer_publish(&reader.producer);
        cf_consumer_take(&consumer, out, BATCH);
    }
}

static void parse(void)
{
    static const char line[] = "(1436509052.249713) can0 12D#0011223344556677\n";
    const char *iface;
    size_t length, column, i;
    cf_fd_frame frame;
    for (i = 0; i < BATCH; i++)
        out[i] = (uint8_t)cf_candump_parse(line, sizeof line - 1, &frame, &iface, &length, &column);
}

int main(int argc, char **argv)
{
    static cf_log_writer writer;
    static int64_t offsets[BATCH + 1];
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, lengths = 0;
    size_t index, i, used;
    for (i = 0; i < BATCH; i++) {
        frames[i].arbitration_id = (uint32_t)(i * 2654435761u) & 0x7FF;
        frames[i].dlc = 8;
        for (index = 0; index < 8; index++)
            frames[i].data[index] = (uint8_t)(i * 2654435761u >> index);
    }
    if (count == 0)
        return 2;
    prepare();
    if (strcmp(argv[1], "drain") == 0) {
        drain(count);
        return 0;
    }
    if (strcmp(argv[1], "push-take") == 0) {
        push(count);
        return 0;
    }
    if (strncmp(argv[1], "filter", 6) == 0) {
        filter(count, strcmp(argv[1], "filter-waiting") == 0);
        return 0;
    }
    for (; count > 0; count -= BATCH) {
        if (strcmp(argv[1], "length") == 0)
            for (i = 0; i < BATCH; i++)
                lengths += cf_frame_length_bits(&frames[i]);
        else if (strcmp(argv[1], "encode") == 0)
            cf_frames_encode(frames, BATCH, sizeof(cf_frame), 1, 1, out, sizeof out, offsets, &index);
        else if (strcmp(argv[1], "pcapng-write") == 0)
            cf_pcapng_write(&writer, frames, BATCH, sizeof(cf_frame), out, sizeof out, &used);
        else if (strcmp(argv[1], "candump-read") == 0)
            parse();
        else
            return 2;
    }
    return lengths == 1; /* so that the sum is needed */
}
