/* canal_fast/live/port_thread.h - a port whose driver is in this process, drained by a thread of its own.
 *
 * The one place that knows both halves, what a caller holds and what runs the driver.
 */
#ifndef CANAL_FAST_LIVE_PORT_THREAD_H
#define CANAL_FAST_LIVE_PORT_THREAD_H

#include "driver_calls.h"
#include "port.h"

typedef struct cf_thread_port {
    cf_port port;
    cf_share share;
    cf_driver driver;
    void *memory; /* of the ring */
} cf_thread_port;

CF_INLINE cf_status cf_thread_port_free(cf_thread_port *self)
{
    if (self->driver.abandoned)
        return CF_DRIVER_HANGS;
    cf_driver_destroy(&self->driver);
    cf_port_destroy(&self->port);
    free(self->memory);
    free(self);
    return CF_OK;
}

CF_INLINE cf_status cf_thread_carry(cf_port *port, cf_request *request)
{
    cf_thread_port *self = (cf_thread_port *)port;
    cf_status status;
    if (request->operation == CF_ASK_FREE)
        return cf_thread_port_free(self);
    status = cf_driver_perform(&self->driver, request);
    if (request->operation == CF_ASK_CLOSE) {
        cf_consumer_close(&port->consumer);
        if (!self->driver.abandoned) {
            free(self->memory);
            self->memory = NULL;
        }
    }
    return status;
}

/* A port with a ring of `ring_capacity` slots (a power of two) of 24 or 80 bytes. End it with cf_port_close and
 * cf_port_free. CF_OK, CF_NO_MEMORY, CF_THREAD_FAILED. */
CF_INLINE cf_status cf_thread_port_new(uint64_t ring_capacity, uint32_t slot_size, cf_port **result)
{
    cf_thread_port *self = (cf_thread_port *)calloc(1, sizeof *self);
    void *memory = ring_capacity > (SIZE_MAX - sizeof(cf_ring)) / slot_size
                       ? NULL
                       : malloc(cf_ring_bytes(ring_capacity, slot_size));
    cf_status status = self == NULL || memory == NULL ? CF_NO_MEMORY : CF_OK;
    if (status == CF_OK) {
        self->memory = memory;
        status = cf_port_init(&self->port, &self->share, cf_ring_init(memory, ring_capacity, slot_size),
                              cf_thread_carry);
        if (status == CF_OK) {
            *result = &self->port;
            status = cf_driver_init(&self->driver, &self->port.consumer);
            if (status == CF_OK)
                return CF_OK;
            cf_port_destroy(&self->port);
        }
    }
    free(memory);
    free(self);
    return status;
}

#endif
