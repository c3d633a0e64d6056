/* virtual_nodes.h - the nodes of a virtual bus that is simulated bit by bit, and what they have to tell.
 *
 * Node 0 is "generator" (where there is traffic), node 1 "others", a controller that only acknowledges (not with
 * ack=0), and node 1 + n "handleN", the n-th place for a handle; faults name them so. Every function needs the driver's
 * lock.
 */
#ifndef VIRTUAL_NODES_H
#define VIRTUAL_NODES_H

#include <stdlib.h>

#include "../../../include/canal_fast/simulation/bus_run.h"
#include "../../../include/canal_fast/simulation/fault_text.h"
#include "virtual_config.h"

enum {
    VN_GENERATOR = 0,
    VN_OTHERS = 1,
    VN_FIRST_HANDLE = 2,
    VN_NODES = CF_BUS_NODES_MAX,
    VN_FEED = 4096,         /* generated frames that wait at their node */
    VN_EVENTS = 1 << 14,    /* between two looks */
    VN_FRAMES = 1 << 12,
    VN_HISTORY = 1 << 16,   /* events that CanalVirtualEvents still finds */
    VN_CHUNK_BITS = 100000, /* run at once */
    VN_FAULTS_MAX = 4096,
    VN_NAME_SIZE = 16
};

typedef struct vn_nodes {
    cf_bus bus;
    cf_node nodes[VN_NODES];
    cf_sink sink;
    cf_bus_event events[VN_EVENTS];
    cf_fd_frame frames[VN_FRAMES];
    cf_bus_event history[VN_HISTORY];
    uint64_t happened, read; /* events since the bus began, and those that CanalVirtualEvents handed out */
    cf_fault *faults;
    size_t fault_count;
    char names[VN_NODES][VN_NAME_SIZE];
    const char *name_of[VN_NODES];
} vn_nodes;

/* Gives node `number` a queue of `room` requests and makes it a controller like these. 0 when memory is short. */
static int vn_join(vn_nodes *v, unsigned number, cf_node_options options, uint32_t room)
{
    cf_node *node = &v->nodes[number];
    cf_bus_request *rows = (cf_bus_request *)malloc(room * sizeof *rows);
    uint32_t *heap = (uint32_t *)malloc(room * sizeof *heap);
    if (rows == NULL || heap == NULL) {
        free(rows);
        free(heap);
        return 0;
    }
    cf_node_init(node, number, options, cf_counters_make(0, 0));
    cf_bus_queue_init(&node->queue, rows, heap, room, 1);
    if (number >= v->bus.count)
        v->bus.count = number + 1;
    cf_bus_connect(&v->bus);
    return 1;
}

static void vn_leave(vn_nodes *v, unsigned number)
{
    cf_node *node = &v->nodes[number];
    free(node->queue.rows);
    free(node->queue.heap);
    cf_node_detach(node);
    cf_bus_queue_init(&node->queue, NULL, NULL, 0, 1);
}

/* Is there a controller at this place? */
static int vn_is_there(const vn_nodes *v, unsigned number)
{
    return v->nodes[number].queue.rows != NULL;
}

/* A place for one more handle, or 0. */
static unsigned vn_free_place(const vn_nodes *v)
{
    unsigned i;
    for (i = VN_FIRST_HANDLE; i < VN_NODES; i++)
        if (!vn_is_there(v, i))
            return i;
    return 0;
}

static cf_node_options vn_options(unsigned mode, unsigned on_request, unsigned integrate)
{
    cf_node_options options;
    memset(&options, 0, sizeof options);
    options.mode = (uint8_t)mode;
    options.fd_ack_bits = 1;
    options.protocol_exception = 1;
    options.on_request = (uint8_t)on_request;
    options.integrate = (uint8_t)integrate;
    return options;
}

/* One fault more, a line of `size` bytes. `where` goes before the reason; nothing happens for an empty line. */
static int vn_fault(vn_nodes *v, const char *line, size_t size, const char *where, ct_error *error)
{
    const cf_fault_names names = {v->name_of, VN_NODES};
    cf_fault_error wrong;
    cf_fault fault, *grown;
    const int found = cf_fault_parse(line, size, names, &fault, &wrong);
    if (found < 0)
        return ct_fail(error, "%scolumn %zu: %s", where, wrong.column, wrong.reason);
    if (found == 0)
        return 1;
    if (fault.when == CF_WHEN_BIT && fault.at < v->bus.bit)
        return ct_fail(error, "%sbit %lld is over: the bus is at bit %lld", where, (long long)fault.at,
                       (long long)v->bus.bit);
    if (v->fault_count == VN_FAULTS_MAX)
        return ct_fail(error, "%sthere are %d faults already", where, VN_FAULTS_MAX);
    grown = (cf_fault *)realloc(v->faults, (v->fault_count + 1) * sizeof *grown);
    if (grown == NULL)
        return ct_fail(error, "%sout of memory", where);
    grown[v->fault_count++] = fault;
    v->bus.faults = v->faults = grown;
    v->bus.fault_count = v->fault_count;
    cf_bus_watch(&v->bus);
    return 1;
}

static int vn_fault_file(vn_nodes *v, const char *path, ct_error *error)
{
    char line[1024], where[64];
    unsigned number = 0;
    int good = 1;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return ct_fail(error, "faults=%s cannot be opened: %s", path, strerror(errno));
    while (good && fgets(line, sizeof line, file) != NULL) {
        size_t size = strlen(line);
        snprintf(where, sizeof where, "faults, line %u, ", ++number);
        if (size == 0)
            good = ct_fail(error, "%stext is expected, not a zero byte", where);
        else if (size == sizeof line - 1 && line[size - 1] != '\n')
            good = ct_fail(error, "%sthe line is longer than %zu characters", where, sizeof line - 2);
        else
            good = vn_fault(v, line, size - (line[size - 1] == '\n'), where, error);
    }
    if (good && ferror(file))
        good = ct_fail(error, "faults=%s cannot be read", path);
    fclose(file);
    return good;
}

static void vn_free(vn_nodes *v)
{
    unsigned i;
    if (v == NULL)
        return;
    for (i = 0; i < VN_NODES; i++)
        vn_leave(v, i);
    free(v->faults);
    free(v);
}

/* The nodes of a bus of this configuration, without handles; NULL with the reason in words. */
static vn_nodes *vn_new(const vc_config *config, ct_error *error)
{
    vn_nodes *v = (vn_nodes *)calloc(1, sizeof *v);
    unsigned i;
    int good;
    if (v == NULL) {
        ct_fail(error, "out of memory");
        return NULL;
    }
    for (i = 0; i < VN_NODES; i++) {
        if (i < VN_FIRST_HANDLE)
            snprintf(v->names[i], VN_NAME_SIZE, "%s", i == VN_GENERATOR ? "generator" : "others");
        else
            snprintf(v->names[i], VN_NAME_SIZE, "handle%u", i - 1);
        v->name_of[i] = v->names[i];
    }
    cf_bus_init(&v->bus, v->nodes, VN_FIRST_HANDLE, (uint32_t)config->bitrate, 0);
    v->bus.whole_frames = 1;
    v->bus.sink = &v->sink;
    v->sink.events = v->events;
    v->sink.event_room = VN_EVENTS;
    v->sink.frames = v->frames;
    v->sink.frame_room = VN_FRAMES;
    for (i = 0; i < VN_NODES; i++)
        cf_node_detach(&v->nodes[i]);
    good = (config->load == 0 && config->rate == 0) ||
           vn_join(v, VN_GENERATOR, vn_options(CF_MODE_NORMAL, 0, 0), VN_FEED);
    good = good && (config->ack == 0 || vn_join(v, VN_OTHERS, vn_options(CF_MODE_NORMAL, 0, 0), 1));
    if (!good)
        ct_fail(error, "out of memory");
    else if (config->faults[0] != 0)
        good = vn_fault_file(v, config->faults, error);
    if (!good) {
        vn_free(v);
        return NULL;
    }
    return v;
}

/* Does anything happen in the coming bits that no request announces? */
static int vn_is_busy(const vn_nodes *v)
{
    unsigned i;
    for (i = 0; i < v->bus.count; i++)
        if (vn_is_there(v, i) && (v->nodes[i].field != CF_BUS_PLACE_IDLE || v->nodes[i].queue.used != 0))
            return 1;
    return v->bus.watched != 0 || v->bus.next_fault != CF_BUS_QUEUE_NEVER;
}

static void vn_remember(vn_nodes *v, const cf_bus_event *events, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        v->history[v->happened++ % VN_HISTORY] = events[i];
}

/* Hands out the oldest events not yet read, at most `count`: how many, or minus CF_CANAL_OVERRUN, once, after some
 * were overwritten unread. */
static int vn_read(vn_nodes *v, cf_bus_event *out, unsigned count)
{
    unsigned got = 0;
    if (v->happened - v->read > VN_HISTORY) {
        v->read = v->happened - VN_HISTORY;
        return -CF_CANAL_OVERRUN;
    }
    for (; got < count && v->read < v->happened; got++)
        out[got] = v->history[v->read++ % VN_HISTORY];
    return (int)got;
}

#endif
