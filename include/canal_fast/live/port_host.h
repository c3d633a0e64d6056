/* canal_fast/live/port_host.h - a channel whose driver is in another process: begin, call, end.
 *
 * cf_bridge is a cf_channel whose calls go to a host; consumer.h and port.h serve both.
 */
#ifndef CANAL_FAST_LIVE_PORT_HOST_H
#define CANAL_FAST_LIVE_PORT_HOST_H

#include "host_link.h"

/* A call whose answer is `size` bytes of body. */
CF_INLINE cf_status cf_bridge_inquire(cf_channel *channel, cf_operation operation, void *result, size_t size,
                                      uint64_t *word, long *code)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_status status;
    cf_call *call = cf_bridge_begin(bridge, operation, &status, code);
    if (call == NULL)
        return status;
    status = cf_bridge_ask(bridge, call, code);
    memcpy(result, call->body, size);
    *word = call->result;
    cf_bridge_end(bridge);
    return status;
}

CF_INLINE cf_status cf_bridge_status(cf_channel *channel, cf_driver_status *result, long *code)
{
    uint64_t none;
    return cf_bridge_inquire(channel, CF_CALL_STATUS, result, sizeof *result, &none, code);
}

CF_INLINE cf_status cf_bridge_statistics(cf_channel *channel, uint32_t *counters, int *filled, long *code)
{
    uint64_t word = 0;
    const cf_status status = cf_bridge_inquire(channel, CF_CALL_STATISTICS, counters,
                                               CF_STATISTICS_WORDS * sizeof *counters, &word, code);
    *filled = (int)word;
    return status;
}

CF_INLINE cf_status cf_bridge_versions(cf_channel *channel, cf_driver_versions *result, long *code)
{
    uint64_t none;
    return cf_bridge_inquire(channel, CF_CALL_VERSIONS, result, sizeof *result, &none, code);
}

CF_INLINE cf_status cf_bridge_set(cf_channel *channel, int function, unsigned long value, long *code)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_status status;
    cf_call *call = cf_bridge_begin(bridge, CF_CALL_SET, &status, code);
    if (call == NULL)
        return status;
    call->count = (uint64_t)function;
    call->value = value;
    status = cf_bridge_ask(bridge, call, code);
    cf_bridge_end(bridge);
    return status;
}

CF_INLINE cf_status cf_bridge_filter(cf_channel *channel, const cf_filter *filters, size_t count)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_status status = CF_NO_MEMORY;
    long code;
    cf_call *call = count <= CF_BRIDGE_FILTERS ? cf_bridge_begin(bridge, CF_CALL_FILTER, &status, &code) : NULL;
    if (call == NULL)
        return status;
    call->count = count;
    if (count > 0)
        memcpy(call->body, filters, count * sizeof *filters);
    status = cf_bridge_ask(bridge, call, &code);
    cf_bridge_end(bridge);
    return status;
}

CF_INLINE cf_status cf_bridge_send(cf_channel *channel, const void *frames, size_t count, size_t stride,
                                   int64_t timeout_ns, size_t *accepted, long *code)
{
    static const int64_t slice_ns = CF_SEND_SLICE_MS * INT64_C(1000000);
    cf_bridge *bridge = (cf_bridge *)channel;
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    const size_t most = CF_CALL_BYTES / stride;
    cf_status status = CF_OK;
    *accepted = 0;
    while (status == CF_OK && *accepted < count) {
        const int64_t left_ns = deadline_ns - cf_now_ns();
        const size_t now = count - *accepted < most ? count - *accepted : most;
        cf_call *call = cf_bridge_begin(bridge, CF_CALL_SEND, &status, code);
        if (call == NULL)
            return status;
        call->count = now;
        call->value = stride;
        call->timeout_ns = left_ns < 0 ? 0 : left_ns < slice_ns ? left_ns : slice_ns;
        memcpy(call->body, (const char *)frames + *accepted * stride, now * stride);
        status = cf_bridge_ask(bridge, call, code);
        *accepted += call->result < now ? (size_t)call->result : now;
        cf_bridge_end(bridge);
        if (status == CF_TIMED_OUT && left_ns > slice_ns) {
            cf_sleep_ns(CF_SEND_PAUSE_NS); /* other callers have their turn */
            status = CF_OK;
        }
    }
    return status;
}

/* ---- beginning and end */

CF_INLINE void cf_bridge_stop(cf_channel *channel)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_status status;
    long code;
    cf_call *call = cf_bridge_begin(bridge, CF_CALL_STOP, &status, &code);
    if (call == NULL)
        return;
    cf_bridge_ask(bridge, call, &code);
    cf_bridge_end(bridge);
}

/* CF_TIMED_OUT: the driver did not return, CF_HOST_ENDED: it crashed while it was closed. */
CF_INLINE cf_status cf_bridge_close(cf_channel *channel, long *code)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_status status = CF_OK, gone;
    *code = CF_CANAL_SUCCESS;
    cf_mutex_lock(&channel->ending);
    if (!channel->consumer.closed) {
        cf_call *call;
        cf_atomic_u32_store_release(&channel->closing, 1);
        call = cf_bridge_begin(bridge, CF_CALL_CLOSE, &gone, code);
        if (call != NULL) {
            status = cf_bridge_ask(bridge, call, code);
            cf_bridge_end(bridge);
        } else {
            *code = CF_CANAL_SUCCESS; /* who used the channel was told */
        }
        if (cf_atomic_u32_load_acquire(&bridge->verdict) == CF_OK)
            cf_atomic_u32_store_release(&bridge->verdict, CF_CLOSED);
        cf_bell_ring(&bridge->up);
        cf_thread_join(&bridge->listener);
        cf_consumer_close(&channel->consumer);
    }
    cf_mutex_unlock(&channel->ending);
    return status == CF_DRIVER_HANGS ? CF_TIMED_OUT : status;
}

/* Needs a closed one that no thread uses any more. */
CF_INLINE void cf_bridge_free(cf_channel *channel)
{
    cf_bridge *bridge = (cf_bridge *)channel;
    cf_consumer_destroy(&channel->consumer);
    cf_mutex_destroy(&channel->reader.calls);
    cf_mutex_destroy(&channel->ending);
    cf_bell_close(&bridge->up);
    cf_bell_close(&bridge->down);
    cf_memory_free(&bridge->memory);
    free(bridge);
}

/* Starts a host for a ring of `ring_capacity` slots (a power of two). *result is malloc'ed; end it with
 * cf_channel_close and cf_channel_free. CF_NO_MEMORY, CF_THREAD_FAILED, CF_NOT_SUPPORTED; CF_HOST_FAILED with the
 * system's error in *code; CF_HOST_VERSION with the host's version there; CF_HOST_ENDED, CF_HOST_SILENT. */
CF_INLINE cf_status cf_bridge_start(const char *host, uint64_t ring_capacity, uint32_t slot_size, cf_bridge **result,
                                    long *code)
{
    static const cf_remote remote = {cf_bridge_stop,       cf_bridge_close, cf_bridge_free,
                                     cf_bridge_filter,     cf_bridge_send,  cf_bridge_status,
                                     cf_bridge_statistics, cf_bridge_set,   cf_bridge_versions};
    cf_bridge *bridge = (cf_bridge *)calloc(1, sizeof *bridge);
    cf_status status = bridge == NULL || ring_capacity > (SIZE_MAX / 2) / slot_size
                           ? CF_NO_MEMORY
                           : cf_memory_make(&bridge->memory, cf_bridge_bytes(ring_capacity, slot_size));
    cf_consumer *consumer;
    *code = 0;
    if (status != CF_OK) {
        free(bridge);
        return status;
    }
    consumer = &bridge->channel.consumer;
    bridge->channel.remote = &remote;
    bridge->share = (cf_bridge_share *)bridge->memory.at;
    cf_bridge_lay_out(bridge->share, ring_capacity, slot_size);
    bridge->calls = cf_bridge_calls(bridge->share);
    consumer->other_end = &bridge->down;
    if (cf_bell_open(&bridge->up) != CF_OK || cf_bell_open(&bridge->down) != CF_OK ||
        cf_mutex_init(&bridge->channel.reader.calls) != CF_OK || cf_mutex_init(&bridge->channel.ending) != CF_OK ||
        cf_consumer_init(consumer, &bridge->share->share, cf_bridge_ring(bridge->share)) != CF_OK)
        status = CF_NO_MEMORY;
    if (status == CF_OK)
        status = cf_process_start(&bridge->process, host, &bridge->memory, &bridge->up, &bridge->down, code);
    if (status == CF_OK && cf_thread_start(&bridge->listener, cf_bridge_listen, bridge, "canal_bridge") != CF_OK) {
        cf_process_kill(&bridge->process);
        status = CF_THREAD_FAILED;
    }
    if (status != CF_OK) {
        cf_bridge_free(&bridge->channel);
        return status;
    }
    cf_mutex_lock(&consumer->lock);
    while (!cf_atomic_u32_load_acquire(&bridge->share->attached) && !cf_atomic_u32_load_acquire(&bridge->gone))
        cf_cond_wait_for(&consumer->readable, &consumer->lock, CF_BEAT_MS * UINT64_C(1000000));
    cf_mutex_unlock(&consumer->lock);
    status = (cf_status)cf_atomic_u32_load_acquire(&bridge->gone);
    if (status != CF_OK) {
        const uint32_t version = cf_atomic_u32_load_acquire(&bridge->share->host_version);
        const long ended = bridge->process.exit_code;
        cf_channel_close(&bridge->channel, code);
        cf_channel_free(&bridge->channel);
        *code = ended == CF_HOST_OTHER_VERSION ? (long)version : ended;
        return ended == CF_HOST_OTHER_VERSION ? CF_HOST_VERSION : status;
    }
    *result = bridge;
    return CF_OK;
}

/* Loads a library in the host. Fills what *library tells of it; no function in it may be called here. Returns as
 * cf_library_load, or how the host ended. */
CF_INLINE cf_status cf_bridge_load(cf_bridge *bridge, const char *path, cf_convention convention, cf_library *library,
                                   long *code)
{
    cf_status status = CF_FILE_MISSING;
    cf_call *call = strlen(path) < CF_CALL_BYTES ? cf_bridge_begin(bridge, CF_CALL_LOAD, &status, code) : NULL;
    memset(library, 0, sizeof *library);
    if (call == NULL)
        return status;
    memcpy(call->body, path, strlen(path) + 1);
    call->value = (uint64_t)convention;
    status = cf_bridge_ask(bridge, call, code);
    library->functions = call->result;
    library->cdecl_calls = (int)call->value;
    library->decorated = (int)call->count;
    memcpy(library->detail, call->body, sizeof library->detail - 1);
    cf_bridge_end(bridge);
    return status;
}

/* cf_channel_open in the host, for the loaded library. `why` (CF_WHY_BYTES) gets the driver's own words, if any. */
CF_INLINE cf_status cf_bridge_open(cf_bridge *bridge, const cf_channel_options *options, char *why, long *code)
{
    cf_status status;
    cf_call *call;
    cf_call_open open;
    memset(&open, 0, sizeof open);
    memset(why, 0, CF_WHY_BYTES);
    strncpy(open.config, options->config, sizeof open.config - 1);
    strncpy(open.profile, options->profile->name, sizeof open.profile - 1);
    open.flags = (uint32_t)options->flags;
    open.layout_size = options->layout != NULL ? options->layout->size : 0;
    open.channel = options->channel;
    open.wait_when_full = (uint32_t)options->wait_when_full;
    open.device_clock = (uint32_t)options->device_clock;
    open.fd = (uint32_t)options->fd;
    open.coalesce_ns = options->coalesce_ns;
    open.reconnect_ns = options->reconnect_ns;
    open.filter_count = (uint32_t)options->filter_count;
    if (options->filter_count > CF_BRIDGE_FILTERS)
        return CF_NO_MEMORY;
    call = cf_bridge_begin(bridge, CF_CALL_OPEN, &status, code);
    if (call == NULL)
        return status;
    memcpy(call->body, &open, sizeof open);
    if (options->filter_count > 0)
        memcpy(call->body + sizeof open, options->filters, options->filter_count * sizeof *options->filters);
    status = cf_bridge_ask(bridge, call, code);
    memcpy(why, call->body, CF_WHY_BYTES - 1);
    cf_bridge_end(bridge);
    return status;
}

#endif
