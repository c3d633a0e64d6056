/* edge_bus_loop.c - nodes with clocks of their own: the library's event-driven run, and the naive loop over all quanta
 * on the same node machine, which it stands beside.
 *
 * Every node has `frames` 8-byte frames to send, back to back; identifiers 0x100 and up; no delays.
 */
#include <canal_fast/simulation.h>

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

typedef struct quantum_clock {
    int64_t tick, quantum; /* end of the present quantum, fs */
    int position, bit, sample, jump; /* of the present quantum in its bit, from 0; quanta */
    unsigned out, seen, armed;
} quantum_clock;

typedef struct edge_loop {
    cf_bus bus;
    cf_edge_bus edges;
    quantum_clock clocks[CF_BUS_NODES_MAX];
    cf_node *nodes;
    cf_bus_request *rows;
    uint32_t *heap;
} edge_loop;

EXPORT edge_loop *edge_make(unsigned count, unsigned quanta, double ppm, unsigned frames);
EXPORT uint64_t edge_run(edge_loop *b, int64_t bits);
EXPORT uint64_t quantum_run(edge_loop *b, int64_t bits);
EXPORT void edge_free(edge_loop *b);

enum { BIT_NS = 2000 };

EXPORT edge_loop *edge_make(unsigned count, unsigned quanta, double ppm, unsigned frames)
{
    const cf_node_options options = {CF_MODE_NORMAL, CF_FD_CLASSICAL, 1, 1, 0, 0};
    edge_loop *b = (edge_loop *)malloc(sizeof *b);
    unsigned i, k;
    b->nodes = (cf_node *)calloc(count, sizeof *b->nodes);
    b->rows = (cf_bus_request *)calloc((size_t)count * frames, sizeof *b->rows);
    b->heap = (uint32_t *)calloc((size_t)count * frames, sizeof *b->heap);
    cf_bus_init(&b->bus, b->nodes, count, 1000000000 / BIT_NS, 0);
    for (i = 0; i < count; i++) {
        cf_node_init(&b->nodes[i], i, options, cf_counters_make(0, 0));
        cf_bus_queue_init(&b->nodes[i].queue, b->rows + (size_t)i * frames, b->heap + (size_t)i * frames, frames, 0);
        for (k = 0; k < frames; k++) {
            cf_fd_frame frame;
            memset(&frame, 0, sizeof frame);
            frame.arbitration_id = 0x100 + i;
            frame.dlc = 8;
            cf_store_be64(frame.data, (k * 31 + i) * UINT64_C(0x9E3779B97F4A7C15));
            cf_bus_queue_add(&b->nodes[i].queue, &frame, 0, 0);
        }
    }
    cf_edge_begin(&b->edges, &b->bus, (int64_t)BIT_NS * 1000000, 0);
    for (i = 0; i < count; i++) {
        const double off = ppm * (count > 1 ? 2.0 * i / (count - 1) - 1 : 1);
        cf_edge_timing timing;
        quantum_clock *c = &b->clocks[i];
        memset(&timing, 0, sizeof timing);
        timing.nominal.quantum = (int64_t)(BIT_NS * 1e6 / quanta * (1 - off * 1e-6));
        timing.nominal.tseg2 = quanta / 5;
        timing.nominal.tseg1 = quanta - 1 - timing.nominal.tseg2;
        timing.nominal.sjw = timing.nominal.tseg2 < 4 ? timing.nominal.tseg2 : 4;
        timing.data = timing.nominal;
        timing.clock = timing.nominal.quantum;
        timing.tdc_offset = -1;
        cf_edge_clock_init(&b->edges.clocks[i], timing, 0, 0, 1);
        memset(c, 0, sizeof *c);
        c->tick = c->quantum = timing.nominal.quantum;
        c->bit = (int)quanta;
        c->sample = (int)timing.nominal.tseg1;
        c->jump = (int)timing.nominal.sjw;
        c->seen = c->armed = c->out = 1;
    }
    cf_edge_connect(&b->edges);
    return b;
}

static uint64_t received(const edge_loop *b)
{
    uint64_t sum = 0;
    unsigned i;
    for (i = 0; i < b->bus.count; i++)
        sum += b->nodes[i].received;
    return sum;
}

EXPORT uint64_t edge_run(edge_loop *b, int64_t bits)
{
    cf_edge_run(&b->edges, bits * BIT_NS * 1000000);
    return received(b);
}

/* One quantum of a node. Returns 1 when what it drives has changed. */
static int quantum(quantum_clock *c, cf_node *n, unsigned level, int64_t bit)
{
    int begins = 0;
    if (CF_UNLIKELY(c->seen && !level && c->armed)) {
        const int behind = c->position > c->sample;
        if (cf_edge_is_hard(n, behind)) {
            begins = behind;
            c->position = 0;
            c->armed = 0;
        } else {
            const int error = behind ? c->position - c->bit : c->position;
            if (error <= 0 || c->out) {
                c->position -= error > c->jump ? c->jump : error < -c->jump ? -c->jump : error;
                c->armed = 0;
                begins = c->position == c->bit;
                if (begins)
                    c->position = 0;
            }
        }
    }
    c->seen = level;
    if (c->position == c->sample) {
        cf_node_step(n, level, bit);
        c->armed = level;
    }
    if (++c->position == c->bit) {
        begins = 1;
        c->position = 0;
    }
    c->tick += c->quantum;
    if (!begins || c->out == n->drive)
        return 0;
    c->out = n->drive;
    return 1;
}

EXPORT uint64_t quantum_run(edge_loop *b, int64_t bits)
{
    const int64_t bit_fs = (int64_t)BIT_NS * 1000000, until = bits * bit_fs;
    const unsigned count = b->bus.count;
    int64_t bit = 0, bit_end = bit_fs;
    unsigned level = 1, i;
    for (i = 0; i < count; i++) {
        cf_node_rest(&b->nodes[i], 0);
        b->clocks[i].out = b->nodes[i].drive;
        level &= b->clocks[i].out;
    }
    for (;;) {
        int64_t now = b->clocks[0].tick;
        unsigned changed = 0;
        for (i = 1; i < count; i++)
            now = b->clocks[i].tick < now ? b->clocks[i].tick : now;
        if (now >= until)
            break;
        while (now >= bit_end) {
            bit++;
            bit_end += bit_fs;
        }
        for (i = 0; i < count; i++)
            if (b->clocks[i].tick == now)
                changed |= (unsigned)quantum(&b->clocks[i], &b->nodes[i], level, bit);
        if (changed)
            for (i = 0, level = 1; i < count; i++)
                level &= b->clocks[i].out;
    }
    return received(b);
}

EXPORT void edge_free(edge_loop *b)
{
    free(b->heap);
    free(b->rows);
    free(b->nodes);
    free(b);
}
