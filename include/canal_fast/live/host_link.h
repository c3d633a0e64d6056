/* canal_fast/live/host_link.h - the program's side of a host: listening to it, and having it do things.
 *
 * A thread stands for the reader: it waits for the host's bell, wakes the consumers, counts the host's
 * signs of life and notices its end. Whatever becomes of the host, records in the ring can still be taken.
 */
#ifndef CANAL_FAST_LIVE_HOST_LINK_H
#define CANAL_FAST_LIVE_HOST_LINK_H

#include "host_memory.h"
#include "../system/process.h"

#define CF_TURN_NS UINT64_C(200000) /* until it is a call's turn, somebody looks so often */

typedef struct cf_link {
    cf_consumer *consumer; /* of the port */
    const cf_waiting *waiting; /* of the port */
    cf_host_memory *shared;
    cf_ring *calls;
    cf_memory memory;
    cf_bell up, down; /* rung by the host, by the program */
    cf_process process;
    cf_thread listener;
    cf_mutex calling;     /* one call at a time */
    cf_atomic_u32 reason; /* cf_status: why the host is to be ended; CF_CLOSED: it was told to leave; a number alone */
    cf_atomic_u32 gone; /* cf_status: it has, and why; release and acquire: exit_code comes first */
    cf_atomic_u32 away; /* cf_status: the same, and another is to take its place; release and acquire, too */
    cf_atomic_u64 exit_code; /* signed: of the last host that was attended; `process` may by now be the next one's */
    const cf_atomic_u32 *closing; /* of the port */
    char *program; /* of the host */
    cf_atomic_u64 reconnect_ns; /* between two tries to replace a host; 0: never; release and acquire: cf_host_memory's
                                   * `path` and `open` come first */
} cf_link;

/* ---- the listening thread */

/* A dead host may have left an odd sequence number: makes the books whole, as of what was published. Its last release
 * is older than its end, which the system reported; ours are for the acquire in cf_ring_ledger and cf_clock_read. */
CF_INLINE void cf_link_repair(cf_link *link)
{
    cf_ring *ring = link->consumer->ring;
    cf_atomic_u64 *clock = &link->shared->share.clock.sequence;
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

CF_INLINE void cf_link_note_end(cf_link *link)
{
    cf_share *share = &link->shared->share;
    const cf_status reason = (cf_status)cf_atomic_u32_load_acquire(&link->reason);
    cf_link_repair(link);
    if (cf_atomic_u32_load_acquire(&share->state) == CF_READER_RUNNING) {
        cf_atomic_u32_store_relaxed(&share->overruns_known, 0); /* what it held when it ended nobody knows */
        share->failure = reason == CF_OK ? CF_HOST_ENDED : reason;
        share->failure_code = share->failure == CF_DRIVER_HANGS ? (int64_t)cf_atomic_u32_load_relaxed(&share->calling)
                                                                : link->process.exit_code;
        cf_atomic_u32_store_release(&share->state, reason == CF_CLOSED ? CF_READER_STOPPED : CF_READER_FAILED);
    }
    cf_atomic_u32_store_release(&link->gone, reason == CF_OK ? CF_HOST_ENDED : reason);
    cf_consumer_wake(link->consumer);
}

/* Listens until the host has ended. */
CF_INLINE void cf_link_attend(cf_link *link)
{
    int64_t looked_ns = cf_now_ns(), told_ns = 0;
    cf_status reason = CF_OK;
    uint32_t beats = 0;
    unsigned missed = 0;
    for (;;) {
        const int rung = cf_bell_wait(&link->up, reason == CF_OK ? CF_BEAT_MS : 1);
        const int64_t now_ns = cf_now_ns();
        if (rung)
            cf_consumer_wake(link->consumer);
        reason = (cf_status)cf_atomic_u32_load_acquire(&link->reason);
        if (reason == CF_OK) {
            const uint32_t beat = cf_atomic_u32_load_relaxed(&link->shared->beats);
            if (now_ns - looked_ns < CF_BEAT_MS * INT64_C(1000000))
                continue;
            looked_ns = now_ns;
            missed = beat != beats ? 0 : missed + 1; /* while this thread was running, too */
            beats = beat;
            if (missed >= CF_SILENT_BEATS)
                cf_atomic_u32_store_release(&link->reason, reason = CF_HOST_SILENT);
        } else if (told_ns == 0) {
            told_ns = now_ns;
        }
        if (cf_process_ended(&link->process))
            break;
        if (reason != CF_OK && (reason != CF_CLOSED || now_ns - told_ns >= CF_LEAVE_NS))
            cf_process_kill(&link->process);
    }
    cf_atomic_u64_store_relaxed(&link->exit_code, (uint64_t)(int64_t)link->process.exit_code);
}

/* How the host ended. Needs that `gone` or `away` says so. */
CF_INLINE long cf_link_exit_code(const cf_link *link)
{
    return (long)(int64_t)cf_atomic_u64_load_relaxed(&link->exit_code);
}

/* What belongs to `reason`, for who asked for `operation`: the call that hangs, or the exit code. */
CF_INLINE long cf_link_code(const cf_link *link, cf_status reason, cf_operation operation)
{
    const cf_share *share = &link->shared->share;
    return reason != CF_DRIVER_HANGS ? cf_link_exit_code(link)
                                     : cf_presence_culprit(&share->presence, &share->calling,
                                                           operation == CF_ASK_CLOSE || operation == CF_ASK_STOP);
}

/* Answers the call that the host left, if there is one, by how it ended: the next host is not to do it. */
CF_INLINE void cf_link_answer_for(cf_link *link)
{
    /* acquire, from the release in cf_link_call: the call */
    const uint64_t written = cf_atomic_u64_load_acquire(&link->calls->written);
    if (cf_atomic_u64_load_relaxed(&link->calls->taken) != written) {
        cf_call *call = cf_host_call(link->calls, written - 1);
        const cf_status reason = (cf_status)cf_atomic_u32_load_relaxed(&link->away);
        call->status = (uint32_t)reason;
        call->code = cf_link_code(link, reason, (cf_operation)call->operation);
        call->result = 0;
    }
    cf_atomic_u64_store_release(&link->calls->taken, written); /* for the acquire in cf_link_await: the answer */
}

/* Is nobody to wait for a new host any more? */
CF_INLINE int cf_link_closing(const cf_link *link)
{
    return cf_atomic_u32_load_acquire(&link->reason) == CF_CLOSED || cf_atomic_u32_load_acquire(link->closing);
}

/* Starts a host that opens the driver as the last one did, and waits until it has. 1: it has. */
CF_INLINE int cf_link_start_anew(cf_link *link)
{
    cf_host_memory *shared = link->shared;
    const int64_t most_ns = cf_request_patience_ns(CF_ASK_LOAD) + cf_request_patience_ns(CF_ASK_OPEN);
    int64_t waited_ns = 0;
    long code;
    cf_link_answer_for(link);
    cf_atomic_u32_store_relaxed(&shared->caller_waits, 0);
    cf_atomic_u32_store_relaxed(&shared->host_waits, 0);
    cf_atomic_u32_store_relaxed(&shared->resumed, 0);
    cf_atomic_u32_store_release(&shared->attached, 0);
    if (cf_process_start(&link->process, link->program, &link->memory, &link->up, &link->down, &code) != CF_OK)
        return 0;
    while (!cf_atomic_u32_load_acquire(&shared->resumed)) {
        if (cf_process_ended(&link->process))
            return 0;
        if (waited_ns >= most_ns || cf_link_closing(link))
            cf_process_kill(&link->process);
        cf_bell_wait(&link->up, CF_BEAT_MS);
        waited_ns += CF_BEAT_MS * INT64_C(1000000);
    }
    return 1;
}

/* After a host's end: another takes its place, as soon as it can open the driver. The ring and its books go on. 0: no
 * other is wanted. */
CF_INLINE int cf_link_replace(cf_link *link)
{
    const cf_status reason = (cf_status)cf_atomic_u32_load_acquire(&link->reason);
    cf_ring *ring = link->consumer->ring;
    const int64_t began_ns = cf_now_ns();
    uint64_t before_ns;
    int there = 0;
    if (cf_atomic_u64_load_acquire(&link->reconnect_ns) == 0 || reason == CF_CLOSED ||
        cf_atomic_u32_load_acquire(&link->shared->share.state) != CF_READER_RUNNING)
        return 0;
    cf_link_repair(link);
    before_ns = cf_atomic_u64_load_relaxed(&ring->outage_ns);
    cf_atomic_u64_fetch_add(&ring->outages, 1);
    cf_atomic_u32_store_release(&link->away, reason == CF_OK ? CF_HOST_ENDED : reason);
    cf_atomic_u32_store_release(&link->reason, CF_OK);
    cf_consumer_wake(link->consumer);
    while (!there && !cf_link_closing(link)) {
        int64_t left_ns = (int64_t)cf_atomic_u64_load_acquire(&link->reconnect_ns);
        for (; left_ns > 0 && !cf_link_closing(link); left_ns -= CF_BEAT_MS * INT64_C(1000000))
            cf_sleep_ns((uint64_t)(left_ns < CF_BEAT_MS * INT64_C(1000000) ? left_ns : CF_BEAT_MS * INT64_C(1000000)));
        cf_atomic_u64_store_relaxed(&ring->outage_ns, before_ns + (uint64_t)(cf_now_ns() - began_ns));
        there = !cf_link_closing(link) && cf_link_start_anew(link);
    }
    cf_atomic_u32_store_release(&link->away, CF_OK);
    return there;
}

CF_INLINE void cf_link_listen(void *argument)
{
    cf_link *link = (cf_link *)argument;
    do
        cf_link_attend(link);
    while (cf_link_replace(link));
    cf_link_note_end(link);
}

/* ---- calls */

/* Sleeps until the host answered call `index`, or limit_ns are used up: only time counts in which this thread waited.
 * 1: it did; 0: it never will; -1: interrupted. */
CF_INLINE int cf_link_await(cf_link *link, uint64_t index, int64_t limit_ns)
{
    const int64_t step_ns = CF_BEAT_MS * INT64_C(1000000);
    cf_consumer *consumer = link->consumer;
    int answered, interrupted = 0;
    cf_mutex_lock(&consumer->lock);
    while (!interrupted) {
        const int64_t begun_ns = cf_now_ns();
        int64_t took_ns;
        cf_atomic_u32_store_relaxed(&link->shared->caller_waits, 1);
        cf_atomic_fence(); /* with the one in cf_host_serve after an answer: `caller_waits` before `taken` is read */
        /* acquire, from the release in cf_host_serve: the answer */
        answered = cf_atomic_u64_load_acquire(&link->calls->taken) > index;
        if (answered || cf_atomic_u32_load_acquire(&link->gone) != CF_OK ||
            cf_atomic_u32_load_acquire(&link->away) != CF_OK)
            break;
        if ((limit_ns <= 0 || cf_waiting_left_ns(link->waiting, begun_ns) <= 0) &&
            cf_atomic_u32_load_acquire(&link->reason) == CF_OK) {
            cf_atomic_u32_store_release(&link->reason, CF_DRIVER_HANGS); /* the listening thread ends it */
            cf_bell_ring(&link->up);
        }
        cf_cond_wait_for(&consumer->readable, &consumer->lock,
                         (uint64_t)(limit_ns > 0 && limit_ns < step_ns ? limit_ns : step_ns));
        took_ns = cf_now_ns() - begun_ns;
        limit_ns -= took_ns < step_ns ? took_ns : step_ns;
        if (link->waiting->interrupted != NULL) {
            cf_mutex_unlock(&consumer->lock);
            interrupted = link->waiting->interrupted();
            cf_mutex_lock(&consumer->lock);
        }
    }
    cf_mutex_unlock(&consumer->lock);
    return answered ? 1 : interrupted ? -1 : 0;
}

/* Writes call `index` and has the host do it; needs link->calling. Returns the host's answer, or how it ended. */
CF_INLINE cf_status cf_link_call(cf_link *link, cf_request *request, uint64_t index)
{
    cf_call *call = cf_host_call(link->calls, index);
    const int64_t limit_ns = cf_request_patience_ns(request->operation) + request->timeout_ns;
    int answered;
    const uint64_t frames = request->operation == CF_ASK_SEND ? request->count : 0;
    memset(call, 0, offsetof(cf_call, question));
    call->operation = (uint32_t)request->operation;
    call->timeout_ns = request->timeout_ns;
    call->count = request->count;
    call->value = request->value;
    if (request->question_bytes > 0)
        memcpy(call->question, request->question, request->question_bytes);
    /* release, for the acquire in cf_host_serve: who reads the index reads the call */
    cf_atomic_u64_store_release(&link->calls->written, index + 1);
    cf_atomic_fence(); /* with the one in cf_host_serve before it sleeps: `written` before `host_waits` is read */
    if (cf_atomic_u32_load_relaxed(&link->shared->host_waits) && cf_atomic_u32_exchange(&link->shared->host_waits, 0))
        cf_bell_ring(&link->down);
    answered = cf_host_spin(&link->calls->taken, index, frames);
    if (!answered)
        answered = cf_link_await(link, index, limit_ns);
    if (answered < 0)
        return CF_INTERRUPTED;
    if (!answered) {
        cf_status gone = (cf_status)cf_atomic_u32_load_acquire(&link->gone);
        if (gone == CF_OK)
            gone = (cf_status)cf_atomic_u32_load_acquire(&link->away);
        request->code = cf_link_code(link, gone, request->operation);
        return gone != CF_OK ? gone : CF_DISCONNECTED;
    }
    if (request->answer_bytes > 0)
        memcpy(request->answer, call->answer, request->answer_bytes);
    request->result = call->result;
    request->code = (long)call->code;
    return (cf_status)call->status;
}

/* Keeps how the driver was loaded and opened, for a host that takes this one's place. */
CF_INLINE void cf_link_remember(cf_link *link, const cf_request *request)
{
    cf_host_memory *shared = link->shared;
    if (request->operation == CF_ASK_LOAD && request->question_bytes <= sizeof shared->path) {
        memcpy(shared->path, request->question, request->question_bytes);
        shared->convention = request->value;
    } else if (request->operation == CF_ASK_OPEN && shared->path[0]) {
        memcpy(&shared->open, request->question, sizeof shared->open);
        shared->resume = 1;
        cf_atomic_u64_store_release(&link->reconnect_ns, (uint64_t)shared->open.reconnect_ns);
    }
}

/* Has the host do what is asked, as far as it fits a call: of frames the first ones. CF_NOT_SUPPORTED: it does not fit.
 * `closing`: of the port, read again once it is this call's turn. */
CF_INLINE cf_status cf_link_ask(cf_link *link, cf_request *request, const cf_atomic_u32 *closing)
{
    cf_status status;
    if (request->operation == CF_ASK_SEND && request->question_bytes > CF_CALL_BYTES) {
        request->count = CF_CALL_BYTES / request->value;
        request->question_bytes = (size_t)(request->count * request->value);
    }
    if (request->question_bytes > CF_CALL_BYTES || request->answer_bytes > CF_ANSWER_BYTES)
        return CF_NOT_SUPPORTED;
    while (!cf_mutex_trylock(&link->calling)) {
        if (link->waiting->interrupted != NULL && link->waiting->interrupted())
            return CF_INTERRUPTED;
        cf_sleep_ns(CF_TURN_NS);
    }
    status = (cf_status)cf_atomic_u32_load_acquire(&link->gone);
    if (status != CF_OK)
        request->code = cf_link_exit_code(link);
    else if (cf_atomic_u32_load_acquire(&link->away) != CF_OK)
        status = CF_DISCONNECTED;
    else if (request->operation != CF_ASK_CLOSE && cf_atomic_u32_load_acquire(closing))
        status = CF_CLOSED;
    else
        status = cf_link_call(link, request, cf_atomic_u64_load_relaxed(&link->calls->written));
    if (status == CF_OK)
        cf_link_remember(link, request);
    cf_mutex_unlock(&link->calling);
    return status;
}

#endif
