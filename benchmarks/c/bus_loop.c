/* bus_loop.c - a bus run from C over the library's headers: what the Python call stands beside.
 *
 * bus_loop(nodes, fd, bits, frames a node): every node sends 8-byte frames back to back. Returns the frames sent.
 */
#include <canal_fast/simulation.h>

#include <stdlib.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

EXPORT uint64_t bus_loop(unsigned count, unsigned fd, int64_t bits, unsigned frames);
EXPORT uint64_t bus_loop(unsigned count, unsigned fd, int64_t bits, unsigned frames)
{
    cf_node *nodes = (cf_node *)calloc(count, sizeof *nodes);
    cf_request *rows = (cf_request *)calloc((size_t)count * frames, sizeof *rows);
    uint32_t *heap = (uint32_t *)calloc((size_t)count * frames, sizeof *heap);
    const cf_node_options options = {CF_MODE_NORMAL, (uint8_t)(fd ? CF_FD_ENABLED : CF_FD_CLASSICAL), 1, 1, 0, 0};
    uint64_t sent = 0;
    cf_bus bus;
    unsigned i, k;
    cf_bus_init(&bus, nodes, count, 500000, fd ? 2000000 : 0);
    for (i = 0; i < count; i++) {
        cf_node_init(&nodes[i], i, options, cf_counters_make(0, 0));
        cf_queue_init(&nodes[i].queue, rows + (size_t)i * frames, heap + (size_t)i * frames, frames, 0);
        for (k = 0; k < frames; k++) {
            cf_fd_frame frame;
            memset(&frame, 0, sizeof frame);
            frame.arbitration_id = 0x100 + i;
            frame.dlc = 8;
            frame.flags = fd ? CF_FLAG_FD : 0;
            cf_store_be64(frame.data, (uint64_t)(k * 31 + i) * 0x9E3779B97F4A7C15u);
            cf_queue_add(&nodes[i].queue, &frame, 0, 0);
        }
    }
    cf_bus_connect(&bus);
    cf_bus_run(&bus, bits);
    for (i = 0; i < count; i++)
        sent += nodes[i].sent;
    free(heap);
    free(rows);
    free(nodes);
    return sent;
}
