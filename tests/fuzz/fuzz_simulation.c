/* Fuzz entry of the simulation (libFuzzer):
 *
 *   clang -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude \
 *       tests/fuzz/fuzz_simulation.c -o fuzz_simulation && ./fuzz_simulation -max_total_time=30
 *
 * The input makes two to five nodes, their requests, and disturbances of what single nodes see; where it is used up, a
 * generator that it seeds goes on. It is also read as text of faults. What must hold in every bit, and what must come
 * true once nothing disturbs any more, is required below; a frame that a node receives must be one that the wire's
 * decoder reads in what that node saw.
 */
#include "seen.h"

#include <canal_fast/simulation.h>
#include <canal_fast/wire/decode.h>

#include <stdlib.h>

enum {
    NODES = 5,
    REQUESTS = 4,
    DISTURBED_BITS = 1200,
    HISTORY = 1024,                     /* bits seen that are kept; more than a frame has */
    LONGEST = CF_MAX_FRAME_BITS + 31,   /* a frame, error flags, delimiter, intermission, suspend */
    EVENTS = 16 * NODES * CF_BUS_EVENTS_A_BIT
};

typedef struct input {
    const uint8_t *at, *end;
    uint64_t more;
} input;

typedef struct world {
    cf_node nodes[NODES];
    cf_bus_request rows[NODES][REQUESTS];
    uint32_t heap[NODES][REQUESTS];
    unsigned count;
    cf_starts starts;
    cf_sink sink;
    cf_bus_event events[EVENTS];
    cf_fd_frame frames[EVENTS];
    uint8_t seen[NODES][HISTORY];
    int64_t sof[NODES];
    uint8_t state[NODES], asked[NODES];
    int64_t bit;
} world;

static world w;

static void require(int condition)
{
    if (!condition)
        abort();
}

static unsigned take(input *in)
{
    if (in->at < in->end)
        return *in->at++;
    in->more = in->more * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(in->more >> 56);
}

/* What the node saw from its SOF on is the frame that it recorded. */
static void check_received(const cf_bus_event *e, const cf_fd_frame *got)
{
    uint8_t loose[HISTORY], packed[HISTORY / 8];
    const int64_t count = e->bit - w.sof[e->node] + 1;
    cf_packed view = {packed, count + 1};
    cf_decoded decoded;
    cf_fd_frame frame;
    int64_t k;
    require(count > 40 && count < HISTORY - 1);
    for (k = 0; k < count; k++)
        loose[k] = w.seen[e->node][(w.sof[e->node] + k) % HISTORY];
    loose[count] = 1; /* the last EOF bit may yet become an overload condition */
    cf_pack_bits(loose, (size_t)count + 1, packed);
    memset(&frame, 0, sizeof frame);
    cf_decode_frame(view, 0, view.bits, (cf_frame_head *)&frame, sizeof frame, &decoded);
    if (w.nodes[e->node].options.fd != CF_FD_ENABLED && (frame.flags & CF_FLAG_FD))
        return; /* a classical controller takes FDF for a reserved bit */
    require(decoded.valid);
    require(frame.arbitration_id == got->arbitration_id && frame.dlc == got->dlc);
    require(frame.flags == (got->flags & ~CF_FLAG_TX) && memcmp(frame.data, got->data, sizeof frame.data) == 0);
}

static void check_events(void)
{
    size_t i, frame = 0;
    for (i = 0; i < w.sink.event_count; i++) {
        const cf_bus_event *e = &w.events[i];
        const unsigned before = w.state[e->node];
        require(e->event < CF_BUS_EVENT_COUNT && e->field < CF_BUS_PLACE_COUNT && e->state <= CF_NODE_BUS_OFF);
        require(e->tec < CF_BUS_OFF_LIMIT + 8 && e->rec <= CF_REC_MAX && e->field_bit > 0);
        if (e->event == CF_BUS_EVENT_START)
            w.sof[e->node] = e->bit;
        if (before == CF_NODE_PASSIVE && e->state < CF_NODE_PASSIVE) /* rules g and h */
            require(e->event == CF_BUS_EVENT_SENT || e->event == CF_BUS_EVENT_ACKNOWLEDGED);
        if (before == CF_NODE_BUS_OFF && e->state != CF_NODE_BUS_OFF) /* rule l, and only when asked */
            require(e->event == CF_BUS_EVENT_RECOVERED && (!w.nodes[e->node].options.on_request || w.asked[e->node]));
        w.state[e->node] = e->state;
        if (e->event == CF_BUS_EVENT_RECEIVED) {
            while (frame < w.sink.frame_count &&
                   ((w.frames[frame].flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS | CF_FLAG_TX)) ||
                    w.frames[frame].channel != e->node))
                frame++;
            require(frame < w.sink.frame_count);
            check_received(e, &w.frames[frame++]);
        }
    }
    seen(w.events, w.sink.event_count * sizeof *w.events);
    seen(w.frames, w.sink.frame_count * sizeof *w.frames);
    w.sink.event_count = w.sink.frame_count = 0;
    require(w.sink.lost == 0);
}

/* One bit; `flips`: for two bits a node what it sees: as it is, dominant, recessive, inverted. Returns the level. */
static unsigned step(unsigned flips)
{
    unsigned level = 1, i;
    for (i = 0; i < w.count; i++) {
        require(w.nodes[i].drive <= 1 && w.nodes[i].field < CF_BUS_PLACE_COUNT && w.nodes[i].region <= CF_REGION_FIXED);
        level &= w.nodes[i].drive;
    }
    w.sink.bit = w.bit;
    for (i = 0; i < w.count; i++) {
        const unsigned flip = flips >> (2 * i) & 3;
        const unsigned seen = flip == 0 ? level : flip == 1 ? 0 : flip == 2 ? 1 : !level;
        w.seen[i][w.bit % HISTORY] = (uint8_t)seen;
        cf_node_step(&w.nodes[i], seen, w.bit);
    }
    w.bit++;
    check_events();
    return level;
}

static void make_request(input *in, cf_node *n)
{
    cf_fd_frame frame;
    const unsigned kind = take(in), filler = take(in);
    unsigned k;
    memset(&frame, 0, sizeof frame);
    frame.arbitration_id = (kind & 1 ? 0x123u << 18 : 0) | (kind & 2 ? 0x7F0 : 0x120) | (take(in) & 15);
    frame.flags = kind & 1 ? CF_FLAG_EXTENDED_ID : 0;
    if ((kind & 4) && n->options.fd == CF_FD_ENABLED)
        frame.flags |= CF_FLAG_FD | (kind & 8 ? CF_FLAG_BITRATE_SWITCH : 0);
    else if (kind & 8)
        frame.flags |= CF_FLAG_REMOTE;
    frame.dlc = take(in) & 15;
    for (k = 0; k < cf_payload_length(frame.flags, frame.dlc); k++)
        frame.data[k] = (uint8_t)(kind & 16 ? filler : filler * (k + 1));
    cf_bus_queue_add(&n->queue, &frame, take(in) * 4, kind >> 5 & 3);
}

static void make_world(input *in)
{
    static const uint8_t counters[] = {0, 0, 0, 96, 120, 127, 128, 255};
    unsigned i, k;
    memset(&w, 0, sizeof w);
    w.count = 2 + take(in) % (NODES - 1);
    w.starts.bit = -1;
    w.sink.events = w.events;
    w.sink.frames = w.frames;
    w.sink.event_room = w.sink.frame_room = EVENTS;
    for (i = 0; i < w.count; i++) {
        cf_node_options options;
        const unsigned a = take(in), b = take(in);
        options.mode = (uint8_t)((a & 15) < 12 ? CF_MODE_NORMAL : (a & 15) - 12);
        options.fd = (uint8_t)((a >> 4 & 7) < 6 ? CF_FD_ENABLED : (a >> 4 & 7) - 5);
        options.fd_ack_bits = (uint8_t)(1 + (a >> 7));
        options.protocol_exception = b & 1;
        options.on_request = b >> 1 & 1;
        options.integrate = (b & 12) == 12;
        cf_node_init(&w.nodes[i], i, options, cf_counters_make(counters[b >> 5], counters[take(in) & 7]));
        cf_bus_queue_init(&w.nodes[i].queue, w.rows[i], w.heap[i], REQUESTS, b >> 4 & 1);
        w.nodes[i].sink = &w.sink;
        w.nodes[i].starts = &w.starts;
        w.state[i] = (uint8_t)cf_node_state_of(&w.nodes[i]);
        for (k = take(in) % (REQUESTS + 1); k > 0; k--)
            make_request(in, &w.nodes[i]);
        cf_node_rest(&w.nodes[i], 0);
        if (options.integrate)
            cf_node_enter(&w.nodes[i], CF_BUS_PLACE_INTEGRATING, 1);
    }
}

/* Pairs of bytes: bits until it begins; then which nodes see what, for how long. */
static void disturb(input *in)
{
    unsigned left = take(in) % 64, idle;
    while (left-- && w.bit < DISTURBED_BITS) {
        for (idle = take(in); idle && w.bit < DISTURBED_BITS; idle--)
            step(0);
        unsigned flips = take(in), length;
        flips |= (take(in) & 3) << 8;
        length = take(in);
        for (length = length < 240 ? 1 + (length & 7) : length & 127; length; length--)
            step(flips);
        if (left % 8 == 7) {
            const unsigned who = take(in) % w.count;
            w.asked[who] |= cf_node_is_off(&w.nodes[who]);
            cf_node_recover(&w.nodes[who]);
        }
    }
}

static unsigned waiting(void)
{
    unsigned i, sum = 0;
    for (i = 0; i < w.count; i++)
        sum += w.nodes[i].queue.used;
    return sum;
}

/* Nodes that are off and come back by themselves, or have been asked. */
static unsigned coming_back(void)
{
    unsigned i, sum = 0;
    for (i = 0; i < w.count; i++)
        sum += cf_node_is_off(&w.nodes[i]) && w.nodes[i].recovering;
    return sum;
}

/* Nothing disturbs any more. */
static void settle(void)
{
    int64_t since[NODES], k;
    unsigned i, quiet = waiting() == 0;
    for (i = 0; i < w.count; i++)
        since[i] = w.bit;
    for (k = 0; k < 130 * LONGEST && (coming_back() || (k < 6 * LONGEST && waiting())); k++) {
        step(0);
        for (i = 0; i < w.count; i++) {
            if (!cf_node_is_off(&w.nodes[i]) || !w.nodes[i].recovering)
                since[i] = w.bit;
            require(w.bit - since[i] <= (quiet ? 128 * 11 + 2 * LONGEST : 129 * LONGEST));
        }
    }
    require(!coming_back() || waiting());
    if (waiting())
        return;
    for (k = 0; k < LONGEST; k++)
        step(0);
    for (i = 0; i < w.count; i++) /* off: on request, or its last error took it there just now */
        require(w.nodes[i].field == CF_BUS_PLACE_IDLE || cf_node_is_off(&w.nodes[i]));
    require(step(0) == 1);
}

/* Lines of text, each in memory of its own size; those that are faults act on a bus of two nodes. */
static void read_faults(input in)
{
    static const char *const known[] = {"a", "b"};
    const cf_fault_names names = {known, 2};
    static cf_node nodes[2];
    static cf_bus_request row;
    static uint32_t heap;
    cf_fault faults[8];
    cf_fault_error error;
    cf_bus bus;
    size_t count = 0;
    const cf_node_options options = {0, 0, 1, 1, 0, 0};
    cf_fd_frame frame;
    while (in.at < in.end && count < 8) {
        const uint8_t *stop = (const uint8_t *)memchr(in.at, '\n', (size_t)(in.end - in.at));
        const size_t size = (size_t)((stop ? stop : in.end) - in.at);
        char *line = (char *)malloc(size ? size : 1);
        int found;
        memcpy(line, in.at, size);
        found = cf_fault_parse(line, size, names, &faults[count], &error);
        require(found >= 0 || (error.reason != NULL && error.column >= 1 && error.column <= size + 1));
        count += found > 0;
        free(line);
        in.at += size + (stop != NULL);
    }
    cf_bus_init(&bus, nodes, 2, 500000, 2000000);
    cf_node_init(&nodes[0], 0, options, cf_counters_make(0, 0));
    cf_node_init(&nodes[1], 1, options, cf_counters_make(0, 0));
    cf_bus_queue_init(&nodes[0].queue, &row, &heap, 1, 0);
    memset(&frame, 0, sizeof frame);
    frame.arbitration_id = 0x123;
    frame.dlc = 8;
    cf_bus_queue_add(&nodes[0].queue, &frame, 0, 0);
    bus.faults = faults;
    bus.fault_count = count;
    cf_bus_connect(&bus);
    cf_bus_watch(&bus);
    require(cf_bus_run(&bus, 300) != CF_BUS_NEEDS_ROOM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in;
    size_t i;
    in.at = data;
    in.end = data + size;
    in.more = 1;
    read_faults(in);
    for (i = 0; i < size; i++)
        in.more = (in.more ^ data[i]) * 0x100000001B3u;
    make_world(&in);
    disturb(&in);
    settle();
    return 0;
}
