/* canal_fast/live/host.h - the process that a driver lives in: a channel whose consumers are elsewhere.
 *
 * Three threads: one beats the heart and looks for the parent, one answers calls, one reads the driver. The
 * driver may hang in either of the last two.
 */
#ifndef CANAL_FAST_LIVE_HOST_H
#define CANAL_FAST_LIVE_HOST_H

#include "host_memory.h"
#include "../system/process.h"

typedef struct cf_host {
    cf_bridge_share *share;
    cf_memory memory;
    cf_bell up, down;
    uint64_t parent;
    cf_library library;
    int loaded;
    cf_channel *channel; /* NULL: not open */
    cf_thread server;
    cf_atomic_u32 leave;
} cf_host;

CF_INLINE void cf_host_load(cf_host *host, cf_call *call)
{
    call->status = (uint32_t)cf_library_load(&host->library, (const char *)call->body, (cf_convention)call->value);
    call->result = host->library.functions;
    call->value = (uint64_t)host->library.cdecl_calls;
    call->count = (uint64_t)host->library.decorated;
    memcpy(call->body, host->library.detail, sizeof host->library.detail);
    host->loaded = call->status == CF_OK;
}

/* What our own drivers say of an open that failed. */
CF_INLINE void cf_host_ask_why(cf_host *host, char *why)
{
    static const cf_function_row rows[] = {{"CanalVirtualLastError", 0, 0}, {"CanalSocketcanLastError", 0, 0}};
    size_t i;
    memset(why, 0, CF_WHY_BYTES);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *(*last_error)(void) = NULL;
        int decorated;
        void *found = cf_system_symbol(host->library.system_handle, &rows[i], &decorated);
        memcpy(&last_error, &found, sizeof found);
        if (found != NULL)
            cf_copy_text(why, CF_WHY_BYTES, last_error());
    }
}

CF_INLINE void cf_host_open(cf_host *host, cf_call *call)
{
    cf_channel_options options;
    cf_call_open open;
    long code = 0;
    memcpy(&open, call->body, sizeof open);
    memset(&options, 0, sizeof options);
    options.config = open.config;
    options.flags = open.flags;
    options.profile = cf_profile_named(open.profile);
    options.layout = cf_layout_of_size(open.layout_size);
    options.channel = open.channel;
    options.wait_when_full = (int)open.wait_when_full;
    options.device_clock = (int)open.device_clock;
    options.follow_clock = (int)open.follow_clock;
    options.fd = (int)open.fd;
    options.coalesce_ns = open.coalesce_ns;
    options.reconnect_ns = open.reconnect_ns;
    options.filters = (const cf_filter *)(const void *)(call->body + sizeof open);
    options.filter_count = open.filter_count;
    options.share = &host->share->share;
    options.ring = cf_bridge_ring(host->share);
    options.other_end = &host->up;
    call->status = CF_CLOSED;
    if (host->loaded)
        call->status = (uint32_t)cf_channel_open(&host->library, &options, &host->channel, &code);
    call->code = code;
    if (call->status == CF_OPEN_FAILED)
        cf_host_ask_why(host, (char *)call->body);
}

CF_INLINE void cf_host_answer(cf_host *host, cf_call *call)
{
    cf_channel *channel = host->channel;
    long code = 0;
    size_t accepted = 0;
    int filled = 0;
    cf_status status = CF_CLOSED;
    switch (channel != NULL || call->operation <= CF_CALL_OPEN ? call->operation : (uint32_t)CF_CALL_COUNT) {
    case CF_CALL_LOAD:
        cf_host_load(host, call);
        return;
    case CF_CALL_OPEN:
        cf_host_open(host, call);
        return;
    case CF_CALL_STOP:
        cf_channel_stop(channel);
        status = CF_OK;
        break;
    case CF_CALL_CLOSE:
        status = cf_channel_close(channel, &code);
        break;
    case CF_CALL_FILTER:
        status = cf_channel_filter(channel, (const cf_filter *)(const void *)call->body, (size_t)call->count, 0);
        break;
    case CF_CALL_SEND:
        status = cf_channel_send(channel, call->body, (size_t)call->count, (size_t)call->value, call->timeout_ns,
                                 &accepted, &code);
        call->result = accepted;
        break;
    case CF_CALL_STATUS:
        status = cf_channel_status(channel, (cf_driver_status *)(void *)call->body, &code);
        break;
    case CF_CALL_STATISTICS:
        status = cf_channel_statistics(channel, (uint32_t *)(void *)call->body, &filled, &code);
        call->result = (uint64_t)filled;
        break;
    case CF_CALL_SET:
        status = cf_channel_set(channel, (int)call->count, (unsigned long)call->value, &code);
        break;
    case CF_CALL_VERSIONS:
        status = cf_channel_versions(channel, (cf_driver_versions *)(void *)call->body, &code);
        break;
    case CF_CALL_COUNT: /* there is no channel */
        break;
    }
    if (call->operation == CF_CALL_CLOSE)
        cf_atomic_u32_store_release(&host->leave, 1);
    call->status = (uint32_t)(channel == NULL && call->operation == CF_CALL_CLOSE ? CF_OK : status);
    call->code = code;
}

/* The program took records, or calls: a reader that waits for room looks again. */
CF_INLINE void cf_host_make_room(cf_host *host)
{
    if (host->channel != NULL) {
        cf_mutex_lock(&host->channel->consumer.lock);
        cf_cond_broadcast(&host->channel->consumer.writable);
        cf_mutex_unlock(&host->channel->consumer.lock);
    }
}

/* What the serving thread does: answers calls until it is to leave. */
CF_INLINE void cf_host_serve(void *argument)
{
    cf_host *host = (cf_host *)argument;
    cf_ring *calls = cf_bridge_calls(host->share);
    uint64_t taken = cf_atomic_u64_load_relaxed(&calls->taken);
    long code;
    while (!cf_atomic_u32_load_acquire(&host->leave)) {
        if (cf_atomic_u64_load_acquire(&calls->written) != taken) {
            cf_host_answer(host, cf_bridge_call(calls, taken));
            cf_atomic_u64_store_release(&calls->taken, ++taken);
            cf_atomic_fence(); /* pairs with the one in cf_bridge_await */
            if (cf_atomic_u32_load_relaxed(&host->share->caller_waits) &&
                cf_atomic_u32_exchange(&host->share->caller_waits, 0))
                cf_bell_ring(&host->up);
            cf_bridge_spin(&calls->written, taken, 0); /* often the next call comes at once */
        } else {
            cf_atomic_u32_store_relaxed(&host->share->host_waits, 1);
            cf_atomic_fence(); /* pairs with the one in cf_bridge_ask */
            if (cf_atomic_u64_load_acquire(&calls->written) == taken && cf_bell_wait(&host->down, CF_BEAT_MS))
                cf_host_make_room(host);
            cf_atomic_u32_store_relaxed(&host->share->host_waits, 0);
        }
    }
    if (host->channel != NULL)
        cf_channel_close(host->channel, &code);
    cf_process_leave(CF_HOST_DONE);
}

/* Attaches to what this process inherited. CF_HOST_DONE, or the exit code. */
CF_INLINE int cf_host_attach(cf_host *host, uint64_t memory, uint64_t up, uint64_t down)
{
    cf_bridge_share *share;
    if (cf_memory_adopt(&host->memory, memory) != CF_OK || host->memory.size < sizeof *share)
        return CF_HOST_NO_MEMORY;
    share = host->share = (cf_bridge_share *)host->memory.at;
    if (share->magic != CF_BRIDGE_MAGIC)
        return CF_HOST_NO_MEMORY;
    cf_atomic_u32_store_release(&share->host_version, CF_BRIDGE_VERSION);
    if (share->version != CF_BRIDGE_VERSION || share->bytes != sizeof *share || share->call_bytes != sizeof(cf_call))
        return CF_HOST_OTHER_VERSION;
    if (cf_atomic_u32_exchange(&share->attached, 1) != 0)
        return CF_HOST_SECOND;
    cf_bell_adopt(&host->up, up);
    cf_bell_adopt(&host->down, down);
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
                (int)CF_BRIDGE_VERSION);
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
        cf_atomic_u32_fetch_add(&host.share->heart, 1);
        cf_sleep_ns(CF_BEAT_MS * UINT64_C(1000000));
    }
    cf_atomic_u32_store_release(&host.leave, 1); /* the serving thread closes the driver, if that does not hang */
    cf_bell_ring(&host.down);
    cf_sleep_ns(CF_LEAVE_NS);
    cf_process_leave(CF_HOST_DONE);
    return CF_HOST_DONE;
}

#endif
