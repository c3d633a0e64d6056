/* canal_fast/live/port_host.h - a port whose driver is in a host process. */
#ifndef CANAL_FAST_LIVE_PORT_HOST_H
#define CANAL_FAST_LIVE_PORT_HOST_H

#include "host_link.h"
#include "port.h"

typedef struct cf_host_port {
    cf_port port;
    cf_link link;
} cf_host_port;

/* Has the host close the driver, and ends it. CF_TIMED_OUT, CF_DRIVER_HANGS: the driver did not return;
 * CF_HOST_ENDED: it crashed. */
CF_INLINE cf_status cf_host_port_close(cf_host_port *self, cf_request *request)
{
    cf_link *link = &self->link;
    const int there = cf_atomic_u32_load_acquire(&link->gone) == CF_OK &&
                      cf_atomic_u32_load_acquire(&link->away) == CF_OK;
    cf_status status = cf_link_ask(link, request, &self->port.closing);
    if (status == CF_INTERRUPTED)
        return status;
    if (!there) {
        status = CF_OK; /* the calls that met the host's end reported it */
        request->code = 0;
    }
    if (cf_atomic_u32_load_acquire(&link->reason) == CF_OK)
        cf_atomic_u32_store_release(&link->reason, CF_CLOSED);
    cf_bell_ring(&link->up);
    cf_thread_join(&link->listener);
    cf_consumer_close(&self->port.consumer);
    return status;
}

CF_INLINE cf_status cf_host_port_free(cf_host_port *self)
{
    cf_link *link = &self->link;
    cf_mutex_destroy(&link->calling);
    cf_port_destroy(&self->port);
    cf_bell_close(&link->up);
    cf_bell_close(&link->down);
    cf_memory_free(&link->memory);
    free(link->program);
    free(self);
    return CF_OK;
}

CF_INLINE cf_status cf_host_carry(cf_port *port, cf_request *request)
{
    cf_host_port *self = (cf_host_port *)port;
    return request->operation == CF_ASK_FREE    ? cf_host_port_free(self)
           : request->operation == CF_ASK_CLOSE ? cf_host_port_close(self, request)
                                                : cf_link_ask(&self->link, request, &port->closing);
}

/* Number of the host process. Needs a port that cf_host_port_new made. */
CF_INLINE uint64_t cf_host_port_process(const cf_port *port)
{
    return cf_process_number(&((const cf_host_port *)port)->link.process);
}

/* Waits until the host attached to the memory. CF_OK, or how it ended, with *code. */
CF_INLINE cf_status cf_host_port_await(cf_host_port *self, long *code)
{
    cf_link *link = &self->link;
    cf_consumer *consumer = &self->port.consumer;
    cf_status gone;
    cf_mutex_lock(&consumer->lock);
    while (!cf_atomic_u32_load_acquire(&link->shared->attached) && !cf_atomic_u32_load_acquire(&link->gone))
        cf_cond_wait_for(&consumer->readable, &consumer->lock, CF_BEAT_MS * UINT64_C(1000000));
    cf_mutex_unlock(&consumer->lock);
    gone = (cf_status)cf_atomic_u32_load_acquire(&link->gone);
    if (gone == CF_OK)
        return CF_OK;
    *code = cf_link_exit_code(link);
    if (*code != CF_HOST_OTHER_VERSION)
        return gone;
    *code = (long)cf_atomic_u32_load_acquire(&link->shared->host_version);
    return CF_HOST_VERSION;
}

/* Lays the memory out, then makes locks and bells. CF_OK, or nothing but the memory is left behind. */
CF_INLINE cf_status cf_host_port_init(cf_host_port *self, uint64_t ring_capacity, uint32_t slot_size)
{
    cf_link *link = &self->link;
    cf_status status = cf_mutex_init(&link->calling);
    link->shared = (cf_host_memory *)link->memory.at;
    cf_host_lay_out(link->shared, ring_capacity, slot_size);
    link->calls = cf_host_calls(link->shared);
    link->consumer = &self->port.consumer;
    link->waiting = &self->port.waiting;
    link->closing = &self->port.closing;
    self->port.consumer.other_end = &link->down;
    if (status == CF_OK) {
        status = cf_port_init(&self->port, &link->shared->share, cf_host_ring(link->shared), cf_host_carry);
        if (status != CF_OK)
            cf_mutex_destroy(&link->calling);
    }
    return status;
}

/* Starts the program `host` and the thread that listens to it. */
CF_INLINE cf_status cf_host_port_start(cf_host_port *self, const char *host, long *code)
{
    cf_link *link = &self->link;
    const size_t bytes = strlen(host) + 1;
    cf_status status = cf_bell_open(&link->up);
    link->program = (char *)malloc(bytes);
    if (link->program == NULL)
        return CF_NO_MEMORY;
    memcpy(link->program, host, bytes);
    if (status == CF_OK)
        status = cf_bell_open(&link->down);
    if (status == CF_OK)
        status = cf_process_start(&link->process, host, &link->memory, &link->up, &link->down, code);
    if (status == CF_OK && cf_thread_start(&link->listener, cf_link_listen, link, "canal_host") != CF_OK) {
        cf_process_kill(&link->process);
        status = CF_THREAD_FAILED;
    }
    return status;
}

/* A port with a host of its own and a ring of `ring_capacity` slots (a power of two) of 24 or 80 bytes. End it with
 * cf_port_close and cf_port_free. CF_NO_MEMORY, CF_THREAD_FAILED, CF_NOT_SUPPORTED; CF_HOST_FAILED with the system's
 * error in *code; CF_HOST_VERSION with the host's version there; CF_HOST_ENDED, CF_HOST_SILENT. */
CF_INLINE cf_status cf_host_port_new(const char *host, uint64_t ring_capacity, uint32_t slot_size, cf_port **result,
                                     long *code)
{
    cf_host_port *self = (cf_host_port *)calloc(1, sizeof *self);
    cf_status status = self == NULL || ring_capacity > (SIZE_MAX / 2) / slot_size
                           ? CF_NO_MEMORY
                           : cf_memory_make(&self->link.memory, cf_host_bytes(ring_capacity, slot_size));
    long ignored;
    *code = 0;
    if (status != CF_OK) {
        free(self);
        return status;
    }
    status = cf_host_port_init(self, ring_capacity, slot_size);
    if (status != CF_OK) {
        cf_memory_free(&self->link.memory);
        free(self);
        return status;
    }
    *result = &self->port;
    status = cf_host_port_start(self, host, code);
    if (status != CF_OK) {
        cf_host_port_free(self);
        return status;
    }
    status = cf_host_port_await(self, code);
    if (status != CF_OK) {
        cf_port_close(&self->port, &ignored);
        cf_port_free(&self->port);
    }
    return status;
}

#endif
