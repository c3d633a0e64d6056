/* virtual_handles.h - which buses and handles exist: a bus lives from its first handle to its last.
 *
 * One lock guards all of them; every function needs it held.
 */
#ifndef VIRTUAL_HANDLES_H
#define VIRTUAL_HANDLES_H

#include <stdlib.h>

#include "virtual_bus.h"

enum { VH_FIRST_HANDLE = 1681, VH_MAX_HANDLES = 256 };

static cf_mutex vh_lock = CF_MUTEX_INITIALIZER;
static vb_handle *vh_handles[VH_MAX_HANDLES]; /* at number % VH_MAX_HANDLES; numbers are not used twice */
static long vh_next_number = VH_FIRST_HANDLE;
static vb_bus *vh_buses;

/* The open handle of that number, or NULL. */
static vb_handle *vh_lookup(long number)
{
    vb_handle *h = number > 0 ? vh_handles[number % VH_MAX_HANDLES] : NULL;
    return h != NULL && h->number == number && !h->closed ? h : NULL;
}

/* The same, its bus settled. */
static vb_handle *vh_find(long number)
{
    vb_handle *h = vh_lookup(number);
    if (h != NULL)
        vb_settle(h->bus);
    return h;
}

static vb_bus *vh_find_bus(const char *name)
{
    vb_bus *bus = vh_buses;
    while (bus != NULL && (name == NULL || strcmp(bus->config.name, name) != 0))
        bus = bus->next;
    return bus;
}

static long vh_following(long number)
{
    return number < 0x7FFFFFFF ? number + 1 : VH_FIRST_HANDLE;
}

/* 0 when all handles are in use. */
static long vh_free_number(void)
{
    int tries;
    for (tries = 0; tries < VH_MAX_HANDLES; tries++) {
        if (vh_handles[vh_next_number % VH_MAX_HANDLES] == NULL)
            return vh_next_number;
        vh_next_number = vh_following(vh_next_number);
    }
    return 0;
}

static void vh_free_handle(vb_handle *h)
{
    if (h->bus != NULL && h->bus->bitwise != NULL)
        vn_leave(h->bus->bitwise, h->node);
    free(h->fifo);
    free(h->queue);
    free(h);
}

/* NULL when memory is short. */
static vb_handle *vh_new_handle(const vc_config *config, unsigned long flags)
{
    vb_handle *h = (vb_handle *)calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->flags = flags;
    h->errors = config->errors != 0;
    h->record = flags & CF_OPEN_FD ? sizeof(cf_fd_frame) : sizeof(cf_frame);
    h->fifo_size = (uint32_t)config->fifo;
    h->queue_size = (uint32_t)config->txqueue;
    h->fifo = (char *)malloc((size_t)h->fifo_size * h->record);
    h->queue = (vs_pending *)malloc(h->queue_size * sizeof *h->queue);
    if (h->fifo == NULL || h->queue == NULL) {
        vh_free_handle(h);
        return NULL;
    }
    return h;
}

static void vh_free_bus(vb_bus *bus)
{
    vs_close(&bus->source);
    vn_free(bus->bitwise);
    cf_cond_destroy(&bus->changed);
    free(bus);
}

static vb_bus *vh_new_bus(const vc_config *config, ct_error *error)
{
    vb_bus *bus = (vb_bus *)calloc(1, sizeof *bus);
    if (bus == NULL || cf_cond_init(&bus->changed) != CF_OK) {
        free(bus);
        ct_fail(error, "out of memory");
        return NULL;
    }
    bus->config = *config;
    bus->flight_end = VS_NEVER;
    bus->origin_ns = cf_monotonic_ns();
    if (!vs_open(&bus->source, &bus->config, error)) {
        cf_cond_destroy(&bus->changed);
        free(bus);
        return NULL;
    }
    if (config->bitwise && (bus->bitwise = vn_new(config, error)) == NULL) {
        vh_free_bus(bus);
        return NULL;
    }
    return bus;
}

/* Makes a new handle a node of a bus that is simulated bit by bit. 0 with the reason in words. */
static int vh_join(vb_handle *h, vb_bus *bus, const vc_config *config, ct_error *error)
{
    const unsigned mode = h->flags & CF_OPEN_LISTEN_ONLY ? CF_MODE_LISTEN_ONLY : CF_MODE_NORMAL;
    const unsigned place = vn_free_place(bus->bitwise);
    if (place == 0)
        return ct_fail(error, "bus \"%s\" has %d handles, and no room for more nodes", bus->config.name,
                       VN_NODES - VN_FIRST_HANDLE);
    if (!vn_join(bus->bitwise, place, vn_options(mode, config->on_request != 0, bus->bitwise->bus.bit > 0),
                 h->queue_size))
        return ct_fail(error, "no memory for txqueue=%llu", (unsigned long long)config->txqueue);
    h->node = place;
    return 1;
}

/* A new handle's number, or 0 with the reason in words. */
static long vh_attach(const vc_config *config, unsigned long flags, ct_error *error)
{
    vb_bus *bus = vh_find_bus(config->name), *made = NULL;
    vb_handle *h;
    const long number = vh_free_number();
    if (number == 0)
        return ct_fail(error, "all %d handles are in use", VH_MAX_HANDLES);
    if (bus == NULL)
        bus = made = vh_new_bus(config, error);
    else if (!vc_joins(config, &bus->config, error))
        return 0;
    if (bus == NULL)
        return 0;
    h = vh_new_handle(config, flags);
    if (h == NULL) {
        if (made != NULL)
            vh_free_bus(made);
        return ct_fail(error, "no memory for fifo=%llu and txqueue=%llu", (unsigned long long)config->fifo,
                       (unsigned long long)config->txqueue);
    }
    if (made == NULL)
        vb_settle(bus); /* what was before is not for the newcomer */
    if (bus->bitwise != NULL && !vh_join(h, bus, config, error)) {
        vh_free_handle(h);
        if (made != NULL)
            vh_free_bus(made);
        return 0;
    }
    if (made != NULL) {
        made->next = vh_buses;
        vh_buses = made;
    }
    h->number = number;
    h->bus = bus;
    h->next = bus->handles;
    bus->handles = h;
    vh_handles[number % VH_MAX_HANDLES] = h;
    vh_next_number = vh_following(number);
    return number;
}

static void vh_detach(vb_handle *h)
{
    vb_bus *bus = h->bus;
    vb_handle **link = &bus->handles;
    if (bus->handles->next != NULL)
        vb_settle(bus); /* others still get what this one sent; the last goes at once, however long it slept */
    h->closed = 1;
    cf_cond_broadcast(&bus->changed);
    while (h->waiters != 0)
        cf_cond_wait(&bus->changed, &vh_lock);
    while (*link != h)
        link = &(*link)->next;
    *link = h->next;
    if (bus->flight_sender == h)
        bus->flight_sender = NULL;
    vh_handles[h->number % VH_MAX_HANDLES] = NULL;
    vh_free_handle(h);
    if (bus->handles == NULL) {
        vb_bus **at = &vh_buses;
        while (*at != bus)
            at = &(*at)->next;
        *at = bus->next;
        vh_free_bus(bus);
    }
}

#endif
