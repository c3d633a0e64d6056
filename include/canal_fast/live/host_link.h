/* canal_fast/live/host_link.h - the program's side of a bridge: listening to the host, and having it do things.
 *
 * A thread stands for the reader: it waits for the host's bell, wakes the consumers, counts the host's
 * heartbeats and notices its end. Whatever becomes of the host, records in the ring can still be taken.
 */
#ifndef CANAL_FAST_LIVE_HOST_LINK_H
#define CANAL_FAST_LIVE_HOST_LINK_H

#include "host_memory.h"
#include "../system/process.h"

typedef struct cf_bridge {
    cf_channel channel; /* its reader is not used but for `calls`, under which calls are made */
    cf_bridge_share *share;
    cf_ring *calls;
    cf_memory memory;
    cf_bell up, down; /* rung by the host, by the program */
    cf_process process;
    cf_thread listener;
    cf_atomic_u32 verdict; /* cf_status: why the host is to be ended; CF_CLOSED: it was told to leave */
    cf_atomic_u32 gone;    /* cf_status: it has, and why */
} cf_bridge;

/* ---- the listening thread */

/* A dead host may have left an odd sequence number: makes the books whole, as of what was published. */
CF_INLINE void cf_bridge_repair(cf_bridge *bridge)
{
    cf_ring *ring = bridge->channel.consumer.ring;
    cf_atomic_u64 *clock = &bridge->share->share.clock.sequence;
    const uint64_t sequence = cf_atomic_u64_load_acquire(&ring->sequence);
    if (sequence & 1) {
        cf_atomic_u64_store_relaxed(&ring->received, cf_atomic_u64_load_relaxed(&ring->malformed) +
                                                         cf_atomic_u64_load_relaxed(&ring->filtered) +
                                                         cf_atomic_u64_load_relaxed(&ring->dropped) +
                                                         cf_atomic_u64_load_relaxed(&ring->written));
        cf_atomic_u64_store_release(&ring->sequence, sequence + 1);
    }
    if (cf_atomic_u64_load_acquire(clock) & 1)
        cf_atomic_u64_fetch_add(clock, 1);
}

CF_INLINE void cf_bridge_mourn(cf_bridge *bridge)
{
    cf_share *share = &bridge->share->share;
    const cf_status verdict = (cf_status)cf_atomic_u32_load_acquire(&bridge->verdict);
    cf_bridge_repair(bridge);
    if (cf_atomic_u32_load_acquire(&share->state) == CF_READER_RUNNING) {
        cf_atomic_u32_store_relaxed(&share->overruns_known, 0); /* what it held when it ended nobody knows */
        share->failure = verdict == CF_OK ? CF_HOST_ENDED : verdict;
        share->failure_code = bridge->process.exit_code;
        cf_atomic_u32_store_release(&share->state, verdict == CF_CLOSED ? CF_READER_STOPPED : CF_READER_FAILED);
    }
    cf_atomic_u32_store_release(&bridge->gone, verdict == CF_OK ? CF_HOST_ENDED : verdict);
    cf_consumer_wake(&bridge->channel.consumer);
}

CF_INLINE void cf_bridge_listen(void *argument)
{
    cf_bridge *bridge = (cf_bridge *)argument;
    int64_t looked_ns = cf_now_ns(), told_ns = 0;
    cf_status verdict = CF_OK;
    uint32_t heart = 0;
    unsigned missed = 0;
    for (;;) {
        const int rung = cf_bell_wait(&bridge->up, verdict == CF_OK ? CF_BEAT_MS : 1);
        const int64_t now_ns = cf_now_ns();
        if (rung)
            cf_consumer_wake(&bridge->channel.consumer);
        verdict = (cf_status)cf_atomic_u32_load_acquire(&bridge->verdict);
        if (verdict == CF_OK) {
            const uint32_t beat = cf_atomic_u32_load_relaxed(&bridge->share->heart);
            if (now_ns - looked_ns < CF_BEAT_MS * INT64_C(1000000))
                continue;
            looked_ns = now_ns;
            missed = beat != heart ? 0 : missed + 1; /* while this thread was running, too */
            heart = beat;
            if (missed >= CF_SILENT_BEATS)
                cf_atomic_u32_store_release(&bridge->verdict, verdict = CF_HOST_SILENT);
        } else if (told_ns == 0) {
            told_ns = now_ns;
        }
        if (cf_process_ended(&bridge->process))
            break;
        if (verdict != CF_OK && (verdict != CF_CLOSED || now_ns - told_ns >= CF_LEAVE_NS))
            cf_process_kill(&bridge->process);
    }
    cf_bridge_mourn(bridge);
}

/* ---- calls */

/* Begins a call: its slot, with the lock taken, or NULL and *status (with *code) when the host is gone. */
CF_INLINE cf_call *cf_bridge_begin(cf_bridge *bridge, cf_operation operation, cf_status *status, long *code)
{
    cf_call *call;
    cf_mutex_lock(&bridge->channel.reader.calls);
    *status = (cf_status)cf_atomic_u32_load_acquire(&bridge->gone);
    if (*status == CF_OK && operation != CF_CALL_CLOSE && cf_atomic_u32_load_acquire(&bridge->channel.closing))
        *status = CF_CLOSED;
    if (*status != CF_OK) {
        *code = bridge->process.exit_code;
        cf_mutex_unlock(&bridge->channel.reader.calls);
        return NULL;
    }
    call = cf_bridge_call(bridge->calls, cf_atomic_u64_load_relaxed(&bridge->calls->written));
    memset(call, 0, offsetof(cf_call, body));
    call->operation = (uint32_t)operation;
    return call;
}

CF_INLINE void cf_bridge_end(cf_bridge *bridge)
{
    cf_mutex_unlock(&bridge->channel.reader.calls);
}

/* Sleeps until the host answered call `index`. 0: it never will. */
CF_INLINE int cf_bridge_await(cf_bridge *bridge, uint64_t index, int64_t deadline_ns)
{
    cf_consumer *consumer = &bridge->channel.consumer;
    int answered;
    cf_mutex_lock(&consumer->lock);
    for (;;) {
        cf_atomic_u32_store_relaxed(&bridge->share->caller_waits, 1);
        cf_atomic_fence(); /* pairs with the one in cf_host_serve */
        answered = cf_atomic_u64_load_acquire(&bridge->calls->taken) > index;
        if (answered || cf_atomic_u32_load_acquire(&bridge->gone) != CF_OK)
            break;
        if (cf_now_ns() >= deadline_ns && cf_atomic_u32_load_acquire(&bridge->verdict) == CF_OK) {
            cf_atomic_u32_store_release(&bridge->verdict, CF_DRIVER_HANGS); /* the listening thread ends it */
            cf_bell_ring(&bridge->up);
        }
        cf_cond_wait_for(&consumer->readable, &consumer->lock, CF_BEAT_MS * UINT64_C(1000000));
    }
    cf_mutex_unlock(&consumer->lock);
    return answered;
}

/* Has the host do what cf_bridge_begin began. Returns its answer, or how it ended; the lock stays taken. */
CF_INLINE cf_status cf_bridge_ask(cf_bridge *bridge, cf_call *call, long *code)
{
    const uint64_t index = cf_atomic_u64_load_relaxed(&bridge->calls->written);
    const int64_t now_ns = cf_now_ns();
    const uint64_t frames = call->operation == CF_CALL_SEND ? call->count : 0;
    int64_t patience_ns;
    cf_call_what(call->operation, &patience_ns);
    patience_ns += call->timeout_ns;
    cf_atomic_u64_store_release(&bridge->calls->written, index + 1);
    cf_atomic_fence(); /* pairs with the one in cf_host_serve */
    if (cf_atomic_u32_load_relaxed(&bridge->share->host_waits) && cf_atomic_u32_exchange(&bridge->share->host_waits, 0))
        cf_bell_ring(&bridge->down);
    if (!cf_bridge_spin(&bridge->calls->taken, index, frames) &&
        !cf_bridge_await(bridge, index, now_ns + patience_ns)) {
        *code = bridge->process.exit_code;
        return (cf_status)cf_atomic_u32_load_acquire(&bridge->gone);
    }
    *code = (long)call->code;
    return (cf_status)call->status;
}

#endif
