/* canal_fast/live/port.h - what a caller holds of a channel, wherever its driver is: from load to close.
 *
 * A port is the consumer's end of the ring and a way to carry requests to the driver. port_thread.h and port_host.h
 * make the two kinds; nothing here knows which. consumer.h waits, takes and filters. Any number of threads may call
 * these at once. They never call back and never block for longer than told, but for the driver's own slowness.
 */
#ifndef CANAL_FAST_LIVE_PORT_H
#define CANAL_FAST_LIVE_PORT_H

#include "consumer.h"
#include "request.h"
#include "../system/convention.h"

enum { CF_SEND_SLICE_MS = 5 };                 /* of a send's time limit for one request, */
#define CF_PORT_PAUSE_NS UINT64_C(300000)      /* and then other callers have their turn */

typedef struct cf_port {
    cf_consumer consumer;
    /* Has a request done. CLOSE: ends the consumer, too; FREE: frees the port. */
    cf_status (*carry)(struct cf_port *port, cf_request *request);
    /* Has a CLOSE begun, if that can be done without waiting; NULL: it cannot. */
    void (*begin_close)(struct cf_port *port);
    cf_waiting waiting; /* how callers wait for the driver */
    cf_mutex ending;    /* serialises closing */
    cf_atomic_u32 closing; /* a flag alone: nothing else is read because it is set */
} cf_port;

/* What can be told of a channel at any time, at one moment. */
typedef struct cf_snapshot {
    cf_ledger ledger;
    int overruns_known; /* driver_overruns means something */
    uint32_t layout_size;
    uint64_t driver_queue; /* frames in the driver's own queue, as of the last drain */
    uint64_t sent, send_rejected;
} cf_snapshot;

/* For the makers of ports. Needs a port of zeros. CF_OK or CF_THREAD_FAILED, which leaves nothing behind. */
CF_INLINE cf_status cf_port_init(cf_port *port, cf_share *share, cf_ring *ring,
                                 cf_status (*carry)(cf_port *port, cf_request *request))
{
    cf_status status = cf_mutex_init(&port->ending);
    port->carry = carry;
    if (status == CF_OK) {
        status = cf_consumer_init(&port->consumer, share, ring);
        if (status != CF_OK)
            cf_mutex_destroy(&port->ending);
    }
    return status;
}

CF_INLINE void cf_port_destroy(cf_port *port)
{
    cf_consumer_destroy(&port->consumer);
    cf_mutex_destroy(&port->ending);
}

/* Has the driver do `operation`; *code gets what it returned, if anything. */
CF_INLINE cf_status cf_port_ask(cf_port *port, cf_operation operation, cf_request *request, long *code)
{
    cf_status status = CF_CLOSED;
    request->operation = operation;
    request->code = 0;
    request->result = 0;
    if (operation == CF_ASK_CLOSE || operation == CF_ASK_FREE || !cf_atomic_u32_load_acquire(&port->closing))
        status = port->carry(port, request);
    *code = request->code;
    return status;
}

/* The same for a question that is none but its name, and an answer of `bytes`. *result: see request.h. */
CF_INLINE cf_status cf_port_inquire(cf_port *port, cf_operation operation, void *answer, size_t bytes, uint64_t *result,
                                    long *code)
{
    cf_request request;
    cf_status status;
    memset(&request, 0, sizeof request);
    memset(answer, 0, bytes);
    request.answer = answer;
    request.answer_bytes = bytes;
    status = cf_port_ask(port, operation, &request, code);
    *result = request.result;
    return status;
}

/* ---- from load to close */

/* Loads the driver's library at `path` (absolute, UTF-8). *answer tells of it, or why not. As cf_library_load, or how
 * the host ended, with *code. */
CF_INLINE cf_status cf_port_load(cf_port *port, const char *path, cf_convention convention, cf_load_answer *answer,
                                 long *code)
{
    cf_request request;
    cf_status status;
    memset(&request, 0, sizeof request);
    memset(answer, 0, sizeof *answer);
    request.question = path;
    request.question_bytes = strlen(path) + 1;
    request.value = (uint64_t)convention;
    request.answer = answer;
    request.answer_bytes = sizeof *answer;
    status = cf_port_ask(port, CF_ASK_LOAD, &request, code);
    answer->detail[sizeof answer->detail - 1] = 0;
    return status;
}

/* Opens the driver, once, and begins to drain it, with these filters from the first frame on. `why` (CF_WHY_BYTES) gets
 * the driver's own words when that failed, if there are any. As cf_driver_open, or how the host ended;
 * CF_TOO_MANY_FILTERS. */
CF_INLINE cf_status cf_port_open(cf_port *port, const cf_open_question *question, const cf_filter *filters,
                                 size_t count, char *why, long *code)
{
    cf_request request;
    cf_status status;
    memset(&request, 0, sizeof request);
    memset(why, 0, CF_WHY_BYTES);
    *code = 0;
    request.question = question;
    request.question_bytes = sizeof *question;
    request.answer = why;
    request.answer_bytes = CF_WHY_BYTES;
    status = cf_consumer_filter(&port->consumer, filters, count, 0);
    if (status == CF_OK)
        status = cf_port_ask(port, CF_ASK_OPEN, &request, code);
    why[CF_WHY_BYTES - 1] = 0;
    return status;
}

/* Ends the draining after a last drain; what the ring holds stays there. May be repeated. */
CF_INLINE cf_status cf_port_stop(cf_port *port)
{
    uint64_t none;
    long code;
    char nothing;
    return cf_port_inquire(port, CF_ASK_STOP, &nothing, 0, &none, &code);
}

/* Stops and closes the driver; nothing can be taken any more. The ledger stays. May be repeated; *code gets what
 * CanalClose returned, 0 when it was closed before. CF_TIMED_OUT: the reader hangs in call CF_FN_... *code, so it was
 * not called again; CF_DRIVER_HANGS: another call hangs, that in *code; CF_HOST_ENDED: it crashed while it was closed;
 * CF_INTERRUPTED: it goes on closing. */
CF_INLINE cf_status cf_port_close(cf_port *port, long *code)
{
    cf_status status = CF_OK;
    uint64_t none;
    char nothing;
    *code = 0;
    cf_atomic_u32_store_release(&port->closing, 1);
    while (!cf_mutex_trylock(&port->ending)) {
        if (port->waiting.interrupted != NULL && port->waiting.interrupted())
            return CF_INTERRUPTED;
        cf_sleep_ns(CF_PORT_PAUSE_NS);
    }
    if (!port->consumer.closed)
        status = cf_port_inquire(port, CF_ASK_CLOSE, &nothing, 0, &none, code);
    cf_mutex_unlock(&port->ending);
    return status;
}

/* At the end of a program: closing goes on while others begin to close; nobody waits for a driver beyond left_ns from
 * now. cf_port_close then waits for the rest. */
CF_INLINE void cf_port_hurry(cf_port *port, int64_t left_ns)
{
    cf_atomic_u64_store_relaxed(&port->waiting.until_ns, (uint64_t)(cf_now_ns() + left_ns));
    if (port->begin_close != NULL && !cf_atomic_u32_load_acquire(&port->closing))
        port->begin_close(port);
}

/* Frees what the port holds, itself included. Needs a closed one that no thread uses any more. Memory that a hanging
 * driver uses in this process stays. */
CF_INLINE void cf_port_free(cf_port *port)
{
    uint64_t none;
    long code;
    char nothing;
    cf_port_inquire(port, CF_ASK_FREE, &nothing, 0, &none, &code);
}

/* ---- sending and asking. CF_OK, CF_CLOSED, CF_DISCONNECTED, CF_NOT_SUPPORTED, CF_DRIVER_FAILED with *code, or how the
 * host ended. */

/* Hands over at most `count` frames (`stride` = 24 or 80 bytes apart, all accepted by cf_frame_check, FD only with an
 * open for FD), waiting at most timeout_ns for room in the driver's queue. *accepted: how many it took. Also
 * CF_TIMED_OUT. */
CF_INLINE cf_status cf_port_send(cf_port *port, const void *frames, size_t count, size_t stride, int64_t timeout_ns,
                                 size_t *accepted, long *code)
{
    const int64_t deadline_ns = cf_now_ns() + timeout_ns, slice_ns = CF_SEND_SLICE_MS * INT64_C(1000000);
    cf_status status = CF_OK;
    *accepted = 0;
    while (status == CF_OK && *accepted < count) {
        const int64_t left_ns = deadline_ns - cf_now_ns();
        const size_t left = count - *accepted;
        cf_request request;
        memset(&request, 0, sizeof request);
        request.question = (const char *)frames + *accepted * stride;
        request.question_bytes = left * stride;
        request.count = left;
        request.value = stride;
        request.timeout_ns = left_ns < 0 ? 0 : left_ns < slice_ns ? left_ns : slice_ns;
        status = cf_port_ask(port, CF_ASK_SEND, &request, code);
        *accepted += request.result < left ? (size_t)request.result : left;
        if (status == CF_TIMED_OUT && left_ns > slice_ns) {
            cf_sleep_ns(CF_PORT_PAUSE_NS);
            status = CF_OK;
        }
    }
    return status;
}

/* Counts frames that the caller gave up on. */
CF_INLINE void cf_port_reject(cf_port *port, size_t count)
{
    cf_atomic_u64_fetch_add(&port->consumer.share->send_rejected, count);
}

CF_INLINE cf_status cf_port_status(cf_port *port, cf_driver_status *answer, long *code)
{
    uint64_t none;
    const cf_status status = cf_port_inquire(port, CF_ASK_STATUS, answer, sizeof *answer, &none, code);
    answer->text[sizeof answer->text - 1] = 0;
    return status;
}

/* *filled is 0 when the driver returned success and wrote nothing. */
CF_INLINE cf_status cf_port_statistics(cf_port *port, cf_driver_statistics *answer, int *filled, long *code)
{
    uint64_t result;
    const cf_status status = cf_port_inquire(port, CF_ASK_STATISTICS, answer, sizeof *answer, &result, code);
    *filled = result != 0;
    return status;
}

CF_INLINE cf_status cf_port_versions(cf_port *port, cf_driver_versions *answer, long *code)
{
    uint64_t none;
    const cf_status status = cf_port_inquire(port, CF_ASK_VERSIONS, answer, sizeof *answer, &none, code);
    answer->vendor[sizeof answer->vendor - 1] = answer->info[sizeof answer->info - 1] = 0;
    return status;
}

/* `operation`: CF_ASK_SET_FILTER, CF_ASK_SET_MASK, CF_ASK_SET_BAUDRATE. */
CF_INLINE cf_status cf_port_set(cf_port *port, cf_operation operation, unsigned long value, long *code)
{
    cf_request request;
    memset(&request, 0, sizeof request);
    request.value = value;
    return cf_port_ask(port, operation, &request, code);
}

CF_INLINE void cf_port_snapshot(cf_port *port, cf_snapshot *now)
{
    cf_share *share = port->consumer.share;
    cf_consumer_ledger(&port->consumer, &now->ledger, &now->overruns_known);
    now->layout_size = cf_atomic_u32_load_relaxed(&share->layout_size);
    now->driver_queue = cf_atomic_u64_load_relaxed(&share->driver_queue);
    now->sent = cf_atomic_u64_load_relaxed(&share->sent);
    now->send_rejected = cf_atomic_u64_load_relaxed(&share->send_rejected);
}

#endif
