/* canal_fast/live/port_thread.h - a port whose driver is in this process, drained by a thread of its own.
 *
 * The one place that knows both halves, what a caller holds and what runs the driver.
 */
#ifndef CANAL_FAST_LIVE_PORT_THREAD_H
#define CANAL_FAST_LIVE_PORT_THREAD_H

#include "driver_calls.h"
#include "errand.h"
#include "port.h"

typedef struct cf_thread_port {
    cf_port port;
    cf_share share;
    cf_driver driver;
    cf_errand errand; /* makes the calls of a driver that may hang */
    cf_watch watch;
    int lost;     /* a call hangs: what it uses is left to it */
    long culprit; /* CF_FN_... of that call, from then on */
    void *memory; /* of the ring */
} cf_thread_port;

CF_INLINE cf_status cf_thread_port_free(cf_thread_port *self)
{
    if (self->driver.abandoned || self->lost)
        return CF_DRIVER_HANGS;
    cf_errand_destroy(&self->errand);
    cf_driver_destroy(&self->driver);
    cf_port_destroy(&self->port);
    free(self->memory);
    free(self);
    return CF_OK;
}

/* Has the request done by this thread. */
CF_INLINE cf_status cf_thread_perform(void *with, cf_request *request)
{
    cf_thread_port *self = (cf_thread_port *)with;
    const cf_status status = cf_driver_perform(&self->driver, request);
    if (request->operation == CF_ASK_CLOSE && !self->driver.abandoned) {
        cf_consumer_close(&self->port.consumer);
        free(self->memory);
        self->memory = NULL;
    }
    return status;
}

CF_INLINE void cf_thread_idle(void *with)
{
    cf_thread_port *self = (cf_thread_port *)with;
    cf_driver_watch(&self->driver, &self->watch, CF_STEP_NS);
}

/* May the driver hang? Until it is opened, its profile is what the question says. */
CF_INLINE int cf_thread_may_hang(const cf_thread_port *self, const cf_request *request)
{
    const cf_profile *profile = self->driver.reader.profile;
    if (request->operation == CF_ASK_OPEN)
        profile = cf_profile_named(((const cf_open_question *)request->question)->profile);
    return profile != NULL && !(profile->trust & CF_RETURNS);
}

CF_INLINE cf_status cf_thread_carry(cf_port *port, cf_request *request)
{
    cf_thread_port *self = (cf_thread_port *)port;
    const int closing = request->operation == CF_ASK_CLOSE;
    cf_status status;
    if (request->operation == CF_ASK_FREE)
        return cf_thread_port_free(self);
    if (!cf_thread_may_hang(self, request))
        return cf_thread_perform(self, request);
    status = cf_errand_run(&self->errand, request, cf_request_patience_ns(request->operation) + request->timeout_ns,
                           &port->waiting);
    if (status == CF_DRIVER_HANGS) {
        const int ending = request->operation == CF_ASK_CLOSE || request->operation == CF_ASK_STOP ||
                           self->driver.abandoned; /* of what hangs */
        if (!self->lost)
            self->culprit = cf_presence_culprit(&self->share.presence, &self->share.calling, ending);
        self->lost = 1;
        request->code = self->culprit;
    }
    if (closing && (status == CF_DRIVER_HANGS || status == CF_TIMED_OUT))
        cf_consumer_close(&port->consumer);
    return status;
}

CF_INLINE void cf_thread_begin_close(cf_port *port)
{
    cf_thread_port *self = (cf_thread_port *)port;
    cf_request request;
    memset(&request, 0, sizeof request);
    request.operation = CF_ASK_CLOSE;
    if (cf_thread_may_hang(self, &request))
        cf_errand_begin(&self->errand, &request);
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
            self->port.begin_close = cf_thread_begin_close;
            status = cf_driver_init(&self->driver, &self->port.consumer);
            if (status == CF_OK) {
                status = cf_errand_init(&self->errand, cf_thread_perform, cf_thread_idle, self);
                if (status == CF_OK)
                    return CF_OK;
                cf_driver_destroy(&self->driver);
            }
            cf_port_destroy(&self->port);
        }
    }
    free(memory);
    free(self);
    return status;
}

#endif
