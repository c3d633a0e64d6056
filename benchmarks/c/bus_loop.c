/* bus_loop.c - a bus run from C over the library's headers: what the Python call stands beside.
 *
 * Every node has `frames` 8-byte frames to send, back to back; identifiers 0x100 and up.
 */
#include <canal_fast/simulation.h>

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

typedef struct loop_bus {
    cf_bus bus;
    cf_node *nodes;
    cf_bus_request *rows;
    uint32_t *heap;
} loop_bus;

EXPORT loop_bus *loop_make(unsigned count, unsigned fd, unsigned frames);
EXPORT void loop_run(loop_bus *b, int64_t until);
EXPORT void loop_free(loop_bus *b);

EXPORT loop_bus *loop_make(unsigned count, unsigned fd, unsigned frames)
{
    const cf_node_options options = {CF_MODE_NORMAL, (uint8_t)(fd ? CF_FD_ENABLED : CF_FD_CLASSICAL), 1, 1, 0, 0};
    loop_bus *b = (loop_bus *)malloc(sizeof *b);
    unsigned i, k;
    b->nodes = (cf_node *)calloc(count, sizeof *b->nodes);
    b->rows = (cf_bus_request *)calloc((size_t)count * frames, sizeof *b->rows);
    b->heap = (uint32_t *)calloc((size_t)count * frames, sizeof *b->heap);
    cf_bus_init(&b->bus, b->nodes, count, 500000, fd ? 2000000 : 0);
    for (i = 0; i < count; i++) {
        cf_node_init(&b->nodes[i], i, options, cf_counters_make(0, 0));
        cf_bus_queue_init(&b->nodes[i].queue, b->rows + (size_t)i * frames, b->heap + (size_t)i * frames, frames, 0);
        for (k = 0; k < frames; k++) {
            cf_fd_frame frame;
            memset(&frame, 0, sizeof frame);
            frame.arbitration_id = 0x100 + i;
            frame.dlc = 8;
            frame.flags = fd ? CF_FLAG_FD : 0;
            cf_store_be64(frame.data, (k * 31 + i) * UINT64_C(0x9E3779B97F4A7C15));
            cf_bus_queue_add(&b->nodes[i].queue, &frame, 0, 0);
        }
    }
    cf_bus_connect(&b->bus);
    return b;
}

EXPORT void loop_run(loop_bus *b, int64_t until)
{
    cf_bus_run(&b->bus, until);
}

EXPORT void loop_free(loop_bus *b)
{
    free(b->heap);
    free(b->rows);
    free(b->nodes);
    free(b);
}
