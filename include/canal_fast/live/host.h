/* canal_fast/live/host.h - the process that runs a driver for a program that takes its records elsewhere.
 *
 * Three threads: one gives signs of life and looks for the parent, one answers calls, one reads the driver. The driver
 * may hang in either of the last two.
 */
#ifndef CANAL_FAST_LIVE_HOST_H
#define CANAL_FAST_LIVE_HOST_H

#include "driver_calls.h"
#include "host_memory.h"
#include "../system/process.h"

typedef struct cf_host {
    cf_host_memory *shared;
    cf_memory memory;
    cf_bell up, down;
    uint64_t parent;
    cf_consumer consumer; /* stands for the program's: wakes it, and waits for room */
    cf_driver driver;
    cf_watch watch;
    cf_thread server;
    cf_atomic_u32 leave; /* a flag alone */
} cf_host;

/* Has the driver do what the call says, and writes the answer into it. */
CF_INLINE void cf_host_answer(cf_host *host, cf_call *call)
{
    cf_request request;
    memset(&request, 0, sizeof request);
    request.operation = call->operation < CF_ASK_COUNT ? (cf_operation)call->operation : CF_ASK_COUNT;
    request.timeout_ns = call->timeout_ns;
    request.count = call->count;
    request.value = call->value;
    request.question = call->question;
    request.answer = call->answer;
    call->status = (uint32_t)cf_driver_perform(&host->driver, &request);
    call->result = request.result;
    call->code = request.code;
    if (request.operation == CF_ASK_CLOSE)
        cf_atomic_u32_store_release(&host->leave, 1);
}

/* The program took records, or calls: a reader that waits for room looks again. */
CF_INLINE void cf_host_make_room(cf_host *host)
{
    cf_mutex_lock(&host->consumer.lock);
    cf_cond_broadcast(&host->consumer.writable);
    cf_mutex_unlock(&host->consumer.lock);
}

/* Opens the driver as the host before this one did. 0: that failed. */
CF_INLINE int cf_host_resume(cf_host *host)
{
    cf_host_memory *shared = host->shared;
    cf_load_answer loaded;
    char why[CF_WHY_BYTES];
    long code = 0;
    if (cf_driver_load(&host->driver, shared->path, (cf_convention)shared->convention, &loaded) != CF_OK ||
        cf_driver_open(&host->driver, &shared->open, why, &code) != CF_OK)
        return 0;
    cf_atomic_u32_store_release(&shared->resumed, 1);
    cf_bell_ring(&host->up);
    return 1;
}

/* What the serving thread does: answers calls until it is to leave. */
CF_INLINE void cf_host_serve(void *argument)
{
    cf_host *host = (cf_host *)argument;
    cf_ring *calls = cf_host_calls(host->shared);
    uint64_t taken = cf_atomic_u64_load_relaxed(&calls->taken);
    long code;
    if (host->shared->resume && !cf_host_resume(host))
        cf_process_leave(CF_HOST_NO_DRIVER);
    while (!cf_atomic_u32_load_acquire(&host->leave)) {
        /* acquire, from the release in cf_link_call: the call */
        if (cf_atomic_u64_load_acquire(&calls->written) != taken) {
            cf_host_answer(host, cf_host_call(calls, taken));
            cf_atomic_u64_store_release(&calls->taken, ++taken); /* for the acquire in cf_link_await: the answer */
            cf_atomic_fence(); /* with the one in cf_link_await: `taken` before `caller_waits` is read */
            if (cf_atomic_u32_load_relaxed(&host->shared->caller_waits) &&
                cf_atomic_u32_exchange(&host->shared->caller_waits, 0))
                cf_bell_ring(&host->up);
            cf_host_spin(&calls->written, taken, 0); /* often the next call comes at once */
        } else {
            cf_atomic_u32_store_relaxed(&host->shared->host_waits, 1);
            cf_atomic_fence(); /* with the one in cf_link_call: `host_waits` before `written`, acquire as above */
            if (cf_atomic_u64_load_acquire(&calls->written) == taken && cf_bell_wait(&host->down, CF_BEAT_MS))
                cf_host_make_room(host);
            cf_atomic_u32_store_relaxed(&host->shared->host_waits, 0);
        }
    }
    cf_driver_close(&host->driver, &code);
    cf_process_leave(CF_HOST_DONE);
}

/* Attaches to what this process inherited. CF_HOST_DONE, or the exit code. */
CF_INLINE int cf_host_attach(cf_host *host, uint64_t memory, uint64_t up, uint64_t down)
{
    cf_host_memory *shared;
    if (cf_memory_adopt(&host->memory, memory) != CF_OK || host->memory.size < sizeof *shared)
        return CF_HOST_NO_MEMORY;
    shared = host->shared = (cf_host_memory *)host->memory.at;
    if (shared->magic != CF_HOST_MAGIC)
        return CF_HOST_NO_MEMORY;
    cf_atomic_u32_store_release(&shared->host_version, CF_HOST_PROTOCOL);
    if (shared->version != CF_HOST_PROTOCOL || shared->bytes != sizeof *shared || shared->call_bytes != sizeof(cf_call))
        return CF_HOST_OTHER_VERSION;
    if (cf_atomic_u32_exchange(&shared->attached, 1) != 0)
        return CF_HOST_SECOND;
    cf_bell_adopt(&host->up, up);
    cf_bell_adopt(&host->down, down);
    host->consumer.other_end = &host->up;
    if (cf_consumer_init(&host->consumer, &shared->share, cf_host_ring(shared)) != CF_OK ||
        cf_driver_init(&host->driver, &host->consumer) != CF_OK)
        return CF_HOST_NO_MEMORY;
    return CF_HOST_DONE;
}

/* The program: arguments are the numbers of memory, up, down and parent, as cf_process_start gave them. */
CF_INLINE int cf_host_main(int count, char **arguments)
{
    static cf_host host;
    uint64_t numbers[4];
    int i, failed;
    for (i = 0; i < 4 && count == 5; i++)
        numbers[i] = strtoull(arguments[i + 1], NULL, 10);
    if (count != 5) {
        fprintf(stderr, "canal_host %d: canal_fast starts this program for drivers that it opens with bridge=\n",
                (int)CF_HOST_PROTOCOL);
        return CF_HOST_USAGE;
    }
    failed = cf_host_attach(&host, numbers[0], numbers[1], numbers[2]);
    if (failed)
        return failed;
    host.parent = numbers[3];
    cf_process_detach();
    if (cf_thread_start(&host.server, cf_host_serve, &host, "canal_host") != CF_OK)
        return CF_HOST_NO_MEMORY;
    cf_bell_ring(&host.up);
    while (!cf_parent_gone(host.parent)) {
        cf_atomic_u32_fetch_add(&host.shared->beats, 1);
        if (cf_driver_watch(&host.driver, &host.watch, CF_BEAT_MS * INT64_C(1000000)) && host.shared->open.reconnect_ns)
            cf_process_leave(CF_HOST_HUNG); /* another takes this one's place */
        cf_sleep_ns(CF_BEAT_MS * UINT64_C(1000000));
    }
    cf_atomic_u32_store_release(&host.leave, 1); /* the serving thread closes the driver, if that does not hang */
    cf_bell_ring(&host.down);
    cf_sleep_ns(CF_LEAVE_NS);
    cf_process_leave(CF_HOST_DONE);
    return CF_HOST_DONE;
}

#endif
