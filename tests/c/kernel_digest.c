/* kernel_digest.c - what the kernels make of fixed pseudo-random frames, as one number each.
 *
 *     kernel_digest FRAMES UNITS [FOLDER]     UNITS: the bits of cf_units; what the machine has not is left out
 *
 * One line a kernel, NAME DIGEST: the same on every machine and with all units, whatever the sign of `char`. Exit 1:
 * a kernel refused its input, or a frame did not come back from its bits as it went in. FOLDER gets the recordings, as
 * files.
 */
#include "digest_wire.h"

#include <canal_fast/bittiming/controllers.h>
#include <canal_fast/bittiming/solve.h>
#include <canal_fast/bittiming/solve_linux.h>
#include <canal_fast/live/clock.h>
#include <canal_fast/logs/formats.h>
#include <canal_fast/signals.h>
#include <canal_fast/simulation.h>

static const char *folder;

static void keep(const char *name, const uint8_t *bytes, size_t size)
{
    char path[512];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s%s", folder, kind, name);
    file = fopen(path, "wb");
    wrong += file == NULL || fwrite(bytes, 1, size, file) != size;
    if (file != NULL)
        fclose(file);
}

/* Written in every format, read back where it is read. */
static void recordings(const void *frames, size_t count, size_t stride)
{
    const cf_log_format *row;
    size_t n, i;
    for (n = 0; (row = cf_log_format_row(n)) != NULL; n++) {
        cf_log_writer *writer = (cf_log_writer *)own(sizeof *writer);
        cf_log_reader *reader = (cf_log_reader *)own(sizeof *reader);
        rows r = make_rows(count, stride);
        uint8_t *out, *at;
        size_t used = 0;
        cf_log_call call;
        char name[64];
        if (row->write == NULL)
            continue;
        writer->nanoseconds = 1;
        for (i = 0; i < CF_LOG_INTERFACES; i++)
            memset(writer->channels[i].name, 'c', 4);
        out = at = (uint8_t *)own(row->write_max * (count + 2) + 4096);
        at += row->begin ? row->begin(writer, "digest", at) : 0;
        wrong += row->write(writer, frames, count, stride, at, row->write_max * count, &used) != count;
        at += used;
        at += row->target->end ? row->target->end(writer, at) : 0;
        add(out, (size_t)(at - out));
        snprintf(name, sizeof name, "write-%s", row->name), tell(name);
        if (folder != NULL)
            keep(row->name, out, (size_t)(at - out));
        memset(&call, 0, sizeof call);
        call.data = out;
        call.size = (size_t)(at - out);
        call.final = 1;
        call.frames = r.frames;
        call.capacity = count;
        call.stride = stride;
        reader->own = own(row->own_size);
        reader->forgiving = 1;
        for (i = 0; row->read != NULL && i < 100; i++) {
            const cf_status status = row->read(reader, &call);
            if (status != CF_LOG_START)
                break;
            call.data += call.consumed;
            call.size -= call.consumed;
            call.consumed = 0;
            call.frames = (char *)r.frames + call.made * stride;
        }
        add(r.frames, count * stride);
        add_number(call.made), add_number(reader->skipped);
        snprintf(name, sizeof name, "read-%s", row->name), tell(name);
        free(reader->own), free(reader), free(writer), free(out), free_rows(&r);
    }
}

static void timing(void)
{
    static const uint32_t rates[] = {10000, 33333, 83333, 125000, 250000, 500000, 615384, 800000, 1000000};
    const cf_controller *row;
    size_t i, k;
    for (i = 0; (row = cf_controller_row(i)) != NULL; i++)
        for (k = 0; k < 9 * 8; k++) {
            cf_timing found;
            cf_timing_request r;
            memset(&r, 0, sizeof r);
            memset(&found, 0, sizeof found);
            r.rate = rates[k / 8];
            r.rate_of = 1;
            r.f_clock = row->f_clock;
            r.sample = (uint32_t)(500 + next() % 450);
            r.sample_of = 1000;
            r.max_error_ppm = k & 1 ? 20000 : 0;
            r.delay_ps = k & 2 ? 300000 : 0;
            r.tolerance_ppb = k & 4 ? 3000000 : 0;
            if (cf_timing_check(&row->nominal, &r) == CF_OK)
                add_number((uint64_t)cf_timing_best(&row->nominal, &r, &found));
            add(&found, sizeof found);
            add_number((uint64_t)cf_timing_linux(&row->nominal, r.f_clock, rates[k / 8], r.sample, 0, k & 3, &found));
            add(&found, sizeof found);
        }
    tell("bit-timing");
}

/* Signals of every length, sign and rule through one message, and their values back into payloads. */
static void signals(const void *frames, size_t count, size_t stride)
{
    static const uint8_t widths[] = {1, 2, 4, 8};
    cf_fd_frame *fixed = (cf_fd_frame *)own(count * stride);
    uint16_t *which = (uint16_t *)own(count * 2), *slots;
    double *values = (double *)own(count * 8);
    uint8_t *payloads = (uint8_t *)own(count * 64);
    char text[CF_DECIMAL_MAX];
    size_t turn, i, index, bad;
    memcpy(fixed, frames, count * stride);
    for (i = 0; i < count; i++) {
        cf_frame_head *head = (cf_frame_head *)(void *)((char *)fixed + i * stride);
        head->arbitration_id = 0x123;
        head->flags &= (uint16_t)~(CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE);
        values[i] = (double)(int64_t)next();
        values[i] /= (double)((uint64_t)1 << (next() & 63));
        add(text, (size_t)(cf_put_double(text, values[i]) - text));
    }
    for (turn = 0; turn < 60; turn++) {
        cf_plan plan = {0};
        cf_plan_message message = {0};
        cf_signal signal = {0};
        cf_message_place place;
        cf_signal_place column;
        cf_message_rows row = {0};
        cf_encode_column given = {values, NULL, CF_VALUES_F8, 0, 0};
        int64_t counts[1 + CF_GROUP_OTHERS] = {0}, bytes, scratch_bytes;
        uint8_t shortest[1 + CF_GROUP_OTHERS] = {0}, *scratch;
        char *memory;
        message.key = message.identifier = 0x123;
        message.signals = 1;
        message.row_bytes = 8;
        plan.messages = &message, plan.signals = &signal;
        plan.message_count = plan.signal_count = 1;
        signal.selector = -1;
        do {
            signal.scale = (double)(int64_t)(next() % 2001 - 1000) / 256 + 0.1;
            signal.offset = (double)(int64_t)(next() % 2001) / 100 - 10;
            signal.scale_integer = (int64_t)(next() % 7) - 3;
            signal.offset_integer = (int64_t)(next() % 100) - 50;
            signal.length = (uint8_t)(1 + next() % 64);
            signal.shift = (uint8_t)(next() % 64);
            signal.bytes = 8;
            signal.kind = (uint8_t)(next() & 7);
            signal.rule = (uint8_t)(turn % CF_RULE_COUNT);
            signal.width = widths[next() & 3];
        } while (cf_plan_check(&plan, &index) != CF_OK);
        plan.slot_count = cf_plan_slots(1);
        plan.slots = slots = (uint16_t *)own(plan.slot_count * 2);
        cf_plan_index(&message, 1, slots, plan.slot_count);
        cf_signals_group(&plan, fixed, count, stride, which, counts, shortest);
        cf_signals_layout(&plan, counts, shortest, &place, &column, &bytes, &scratch_bytes);
        memory = (char *)own((size_t)bytes);
        scratch = (uint8_t *)own((size_t)scratch_bytes);
        cf_signals_decode(&plan, fixed, count, stride, which, &place, &column, &row, memory, scratch);
        add(memory, (size_t)bytes);
        add_number((uint64_t)cf_signals_encode(&plan, 0, &given, count, 1, 0, payloads, &index, &bad));
        add(payloads, count * 8);
        free(memory), free(scratch), free(slots);
    }
    tell("signals");
    free(fixed), free(which), free(values), free(payloads);
}

/* Four nodes, two of which send; every hundredth bit or so one of them sees another level. */
static void simulation(const cf_fd_frame *frames, size_t count)
{
    enum { NODES = 4, EVENTS = 16 * NODES * CF_BUS_EVENTS_A_BIT, REQUESTS = 8 };
    static cf_node nodes[NODES];
    static cf_bus_request requests[NODES][REQUESTS];
    static uint32_t heaps[NODES][REQUESTS];
    static cf_bus_event events[EVENTS];
    static cf_fd_frame seen[EVENTS];
    const cf_node_options options = {CF_MODE_NORMAL, CF_FD_ENABLED, 1, 1, 0, 0};
    cf_starts starts;
    cf_sink sink;
    unsigned i;
    size_t sent = 0;
    int64_t bit;
    memset(&starts, 0, sizeof starts);
    memset(&sink, 0, sizeof sink);
    starts.bit = -1;
    sink.events = events;
    sink.frames = seen;
    sink.event_room = sink.frame_room = EVENTS;
    sink.bitrate = 500000;
    sink.data_bitrate = 2000000;
    for (i = 0; i < NODES; i++) {
        cf_node_init(&nodes[i], i, options, cf_counters_make(0, 0));
        cf_bus_queue_init(&nodes[i].queue, requests[i], heaps[i], REQUESTS, 0);
        nodes[i].sink = &sink;
        nodes[i].starts = &starts;
        cf_node_rest(&nodes[i], 0);
    }
    for (bit = 0; bit < (int64_t)count * 20; bit++) {
        const uint64_t chance = next();
        unsigned all = 1;
        for (i = 0; i < 2; i++)
            if (nodes[i].queue.used == 0)
                cf_bus_queue_add(&nodes[i].queue, &frames[sent++ % count], bit + 5, 0);
        for (i = 0; i < NODES; i++)
            all &= nodes[i].drive;
        sink.bit = bit;
        for (i = 0; i < NODES; i++)
            cf_node_step(&nodes[i], all ^ ((chance & 1023) == i), bit);
        add(events, sink.event_count * sizeof *events);
        add(seen, sink.frame_count * sizeof *seen);
        sink.event_count = sink.frame_count = 0;
    }
    add_number(sent), tell("simulation");
}

static void device_clock(size_t count)
{
    cf_clock clock;
    int64_t host_ns = 1000000000;
    double drift = 1.00003;
    size_t i;
    cf_clock_init(&clock, 1984375, 2, 32, 0, 1700000000000000000);
    clock.settled_ns = host_ns;
    for (i = 0; i < count; i++) {
        host_ns += 200000 + (int64_t)(next() % 3000000);
        add_number((uint64_t)cf_clock_stamp(&clock, (uint32_t)((double)host_ns * drift / 992187.5), host_ns));
        cf_clock_observe(&clock, host_ns + (int64_t)(next() % 100000));
        clock.settled_ns = host_ns;
        add_number((uint64_t)cf_clock_uncertainty(&clock));
    }
    tell("device-clock");
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? (size_t)atol(argv[1]) : 1000;
    cf_frame *classical = (cf_frame *)own(count * sizeof *classical);
    cf_fd_frame *flexible = (cf_fd_frame *)own(count * sizeof *flexible);
    units = cf_cpu_units();
    if (argc > 2)
        units &= (cf_units)strtoul(argv[2], NULL, 0);
    folder = argc > 3 ? argv[3] : NULL;
    fprintf(stderr, "units %#x\n", (unsigned)units);
    make_frames(classical, count, sizeof *classical);
    make_frames(flexible, count, sizeof *flexible);
    add(classical, count * sizeof *classical), add(flexible, count * sizeof *flexible), tell("frames");
    wire_kernels(classical, count, sizeof *classical);
    recordings(classical, count, sizeof *classical);
    kind = "fd-";
    wire_kernels(flexible, count, sizeof *flexible);
    recordings(flexible, count, sizeof *flexible);
    kind = "";
    timing();
    signals(classical, count, sizeof *classical);
    simulation(flexible, count);
    device_clock(count);
    free(classical), free(flexible);
    return wrong != 0;
}
