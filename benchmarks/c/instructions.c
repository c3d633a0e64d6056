/* instructions.c - `instructions KERNEL N`: runs one kernel over N frames, for counting instructions. */
#include <canal_fast/live/reader_drain.h>

#include <canal_fast/logs/candump_line.h>
#include <canal_fast/logs/pcapng_write.h>
#include <canal_fast/simulation.h>
#include <canal_fast/signals/decode.h>
#include <canal_fast/signals/encode.h>
#include <canal_fast/wire/encode.h>

#include <stdio.h>

enum { BATCH = 1000 };

/* The virtual driver, linked in. */
long CanalOpen(const char *config, unsigned long flags);
int CanalReceiveBatch(long handle, void *records, unsigned long size, unsigned long count, unsigned long timeout_ms);
int CanalVirtualStep(const char *name, unsigned long long ns);

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

/* Frames from the first of three nodes to the others, whole or bit by bit. */
static void simulate(unsigned long count, unsigned whole)
{
    static cf_node nodes[3];
    static cf_bus_request rows[BATCH];
    static uint32_t heap[BATCH];
    const cf_node_options options = {CF_MODE_NORMAL, CF_FD_CLASSICAL, 1, 1, 0, 0};
    cf_bus bus;
    unsigned i;
    cf_bus_init(&bus, nodes, 3, 500000, 0);
    bus.whole_frames = whole;
    for (i = 0; i < 3; i++)
        cf_node_init(&nodes[i], i, options, cf_counters_make(0, 0));
    cf_bus_queue_init(&nodes[0].queue, rows, heap, BATCH, 1);
    cf_bus_connect(&bus);
    for (; count > 0; count -= BATCH) {
        for (i = 0; i < BATCH; i++) {
            cf_fd_frame frame;
            memset(&frame, 0, sizeof frame);
            memcpy(&frame, &frames[i], sizeof frames[i]);
            cf_bus_queue_add(&nodes[0].queue, &frame, bus.bit, 0);
        }
        while (nodes[0].queue.used)
            cf_bus_run(&bus, bus.bit + 10000);
    }
}

/* Frames that a virtual bus generates, to a program that asks for what came every 100 ms. */
static int virtual_bus(unsigned long count)
{
    char config[80];
    long handle;
    snprintf(config, sizeof config, "instructions;1000000;load=1;clock=step;frames=%lu", count);
    handle = CanalOpen(config, 0);
    while (count > 0) {
        int got = CanalVirtualStep("instructions", 100000000);
        got = got == CF_CANAL_SUCCESS ? CanalReceiveBatch(handle, frames, sizeof frames[0], BATCH, 0) : 0;
        if (got <= 0)
            return 3;
        count -= (unsigned long)got;
    }
    return 0;
}

enum { MESSAGES = 16, EACH = 6 };

/* 16 messages of 6 signals: flags, small integers, and numbers with a scale, in both byte orders. */
static const cf_plan *signals_plan(void)
{
    static const uint8_t lengths[EACH] = {1, 8, 12, 16, 5, 14};
    static cf_plan_message messages[MESSAGES];
    static cf_signal signals[MESSAGES * EACH];
    static uint16_t slots[4096];
    static cf_plan plan;
    unsigned m, i, at;
    for (m = 0; m < MESSAGES; m++) {
        messages[m].key = messages[m].identifier = m;
        messages[m].first_signal = m * EACH;
        messages[m].signals = EACH;
        messages[m].row_bytes = 8;
        for (i = at = 0; i < EACH; at += lengths[i++]) {
            cf_signal *s = &signals[m * EACH + i];
            s->message = m;
            s->selector = -1;
            s->shift = (uint8_t)at;
            s->length = lengths[i];
            s->bytes = 8;
            s->kind = (uint8_t)(i & 1 ? CF_SIGNAL_BIG : 0);
            s->rule = i < 3 ? CF_RULE_BITS : CF_RULE_LINEAR;
            s->width = i < 3 ? 2 : 8;
            s->scale = 0.1;
        }
    }
    plan.messages = messages;
    plan.signals = signals;
    plan.slots = slots;
    plan.message_count = MESSAGES;
    plan.signal_count = MESSAGES * EACH;
    plan.slot_count = cf_plan_slots(MESSAGES);
    if (cf_plan_check(&plan, &(size_t){0}) != CF_OK || plan.slot_count > 4096)
        exit(3);
    cf_plan_index(messages, MESSAGES, slots, plan.slot_count);
    return &plan;
}

static void decode_signals(const cf_plan *plan)
{
    static uint64_t memory[BATCH * 16 + MESSAGES * EACH * 16], scratch[BATCH * 4];
    static uint16_t which[BATCH];
    static int64_t counts[MESSAGES + CF_GROUP_OTHERS];
    static uint8_t shortest[MESSAGES + CF_GROUP_OTHERS];
    static cf_message_place messages[MESSAGES];
    static cf_signal_place signals[MESSAGES * EACH];
    static cf_message_rows rows[MESSAGES];
    int64_t bytes, scratch_bytes;
    cf_signals_group(plan, frames, BATCH, sizeof frames[0], which, counts, shortest);
    cf_signals_layout(plan, counts, shortest, messages, signals, &bytes, &scratch_bytes);
    if ((size_t)bytes > sizeof memory || (size_t)scratch_bytes > sizeof scratch)
        exit(3);
    cf_signals_decode(plan, frames, BATCH, sizeof frames[0], which, messages, signals, rows, (char *)memory,
                      (uint8_t *)scratch);
}

static void encode_signals(const cf_plan *plan)
{
    static double values[BATCH];
    cf_encode_column columns[EACH] = {{0}};
    size_t i, row, signal;
    for (i = 0; i < EACH; i++)
        columns[i].values = values;
    if (cf_signals_encode(plan, 0, columns, BATCH, 0, 0, out, &row, &signal) != CF_OK)
        exit(3);
}

int main(int argc, char **argv)
{
    static cf_log_writer writer;
    static int64_t offsets[BATCH + 1];
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, lengths = 0;
    size_t index, i, used;
    if (strncmp(argc == 3 ? argv[1] : "", "signals-", 8) == 0) {
        const cf_plan *plan = signals_plan();
        for (i = 0; i < BATCH; i++) {
            frames[i].arbitration_id = (uint32_t)(i * 7 % MESSAGES);
            frames[i].dlc = 8;
        }
        for (; count > 0; count -= BATCH) {
            if (strcmp(argv[1], "signals-decode") == 0)
                decode_signals(plan);
            else
                encode_signals(plan);
        }
        return 0;
    }
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
    if (strncmp(argv[1], "bus-", 4) == 0) {
        simulate(count, strcmp(argv[1], "bus-frame") == 0);
        return 0;
    }
    if (strcmp(argv[1], "virtual") == 0)
        return virtual_bus(count);
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
