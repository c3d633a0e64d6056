/* canal_fast/live/reader_thread.h - the native thread that keeps a driver drained.
 *
 * It never knows of Python. It drains the driver without blocking until that is empty, sleeps
 * `coalesce_ns`, drains again; on an idle bus it waits in finite blocking receives instead. With
 * reconnect_ns it opens a driver that failed again and again.
 */
#ifndef CANAL_FAST_LIVE_READER_THREAD_H
#define CANAL_FAST_LIVE_READER_THREAD_H

#include "reader_drain.h"

/* Looks at the driver's queue and, once a second, at its statistics. 0, or CF_READER_GONE. */
CF_INLINE int cf_reader_inspect(cf_reader *reader, int64_t now_ns)
{
    cf_counters *counters = &reader->producer.counters;
    const int64_t gap_ns = now_ns - reader->last_drain_ns;
    reader->last_drain_ns = now_ns;
    cf_reader_look_at_clock(reader);
    if ((uint64_t)gap_ns > counters->longest_drain_gap_ns)
        counters->longest_drain_gap_ns = (uint64_t)gap_ns;
    if (reader->library->data_available != NULL) {
        int waiting;
        uint64_t queue;
        cf_reader_go(reader, CF_FN_data_available);
        waiting = CF_CANAL(reader->library, data_available, (reader->handle));
        if (CF_UNLIKELY(cf_reader_back(reader)))
            return CF_READER_GONE;
        queue = waiting > 0 ? (uint64_t)waiting : 0;
        cf_atomic_u64_store_relaxed(&reader->share->driver_queue, queue);
        if (queue > counters->driver_queue_high_water)
            counters->driver_queue_high_water = queue;
    }
    if (now_ns - reader->last_overrun_poll_ns >= CF_OVERRUN_POLL_NS)
        cf_reader_poll_overruns(reader, now_ns);
    return 0;
}

/* Something came: how the thread waits for what comes next. Short waits first: after the last frame of a measurement
 * somebody may close the channel, who has to wait for the driver's return. */
CF_INLINE void cf_reader_delivered(cf_reader *reader, int64_t now_ns)
{
    reader->busy = now_ns - reader->delivered_ns < 2 * reader->coalesce_ns;
    reader->delivered_ns = reader->heard_ns = now_ns;
    reader->slice_ms = 1;
}

/* Waits for one message on an idle bus. Returns as cf_reader_drain. */
CF_INLINE int cf_reader_block(cf_reader *reader)
{
    const int64_t before_ns = cf_now_ns();
    const unsigned slice_ms = reader->slice_ms > 0 ? reader->slice_ms : 1;
    const int batch = reader->library->receive_batch != NULL;
    int more, got;
    int64_t now_ns;
    if (batch) {
        got = cf_reader_batch(reader, slice_ms, before_ns, &more);
    } else {
        cf_reader_go(reader, CF_FN_receive);
        got = cf_reader_receive(reader, slice_ms);
        if (CF_UNLIKELY(cf_reader_back(reader)))
            got = CF_READER_GONE;
    }
    if (CF_UNLIKELY(got == CF_READER_GONE))
        return got;
    now_ns = cf_now_ns();
    if (got == 1) {
        if (!batch) {
            cf_reader_look_at_clock(reader);
            got = cf_reader_keep(reader, now_ns);
        }
        cf_reader_observe(reader, now_ns);
    }
    if (got == 1)
        cf_reader_delivered(reader, now_ns);
    else
        reader->slice_ms = slice_ms < CF_BLOCKING_SLICE_MS / 2 ? 2 * slice_ms : (unsigned)CF_BLOCKING_SLICE_MS;
    if (got == 0 && now_ns - before_ns < slice_ms * INT64_C(500000)) {
        /* Some drivers answer "empty" at once, for a while or for ever: do not spin. */
        cf_sleeper_sleep(&reader->sleeper, (uint64_t)reader->coalesce_ns);
    }
    reader->last_drain_ns = now_ns; /* it was listening all the time */
    cf_producer_publish(&reader->producer); /* that the driver returned, too: see cf_driver_stop */
    if (got == 1)
        cf_consumer_notify(reader->consumer, 0);
    return got;
}

/* What CanalOpen returns. */
CF_INLINE long cf_reader_open(cf_reader *reader)
{
    memcpy(reader->config_copy, reader->config, sizeof reader->config);
    return CF_CANAL(reader->library, open, (reader->config_copy, reader->open_flags));
}

CF_INLINE void cf_reader_set_handle(cf_reader *reader, long handle)
{
    cf_mutex_lock(&reader->calls);
    reader->handle = handle;
    cf_mutex_unlock(&reader->calls);
}

/* Sleeps for ns, or until the thread is to stop. */
CF_INLINE void cf_reader_pause(cf_reader *reader, int64_t ns)
{
    const int64_t slice_ns = CF_BLOCKING_SLICE_MS * INT64_C(1000000);
    for (; ns > 0 && !cf_atomic_u32_load_acquire(&reader->stop); ns -= slice_ns)
        cf_sleeper_sleep(&reader->sleeper, (uint64_t)(ns < slice_ns ? ns : slice_ns));
}

/* After a failure: what a driver with batches may have held back because it came later (canal.h); it gets a GAP. 0, or
 * CF_READER_GONE. */
CF_INLINE int cf_reader_rest(cf_reader *reader)
{
    int got;
    if (reader->library->receive_batch == NULL)
        return 0;
    reader->producer.marks |= CF_FLAG_GAP;
    do {
        while (cf_reader_must_wait(reader) && !cf_atomic_u32_load_acquire(&reader->stop))
            cf_consumer_await_room(reader->consumer, &reader->producer, &reader->stop,
                                   CF_BLOCKING_SLICE_MS * UINT64_C(1000000));
        got = cf_reader_drain(reader);
    } while (got > 0 && reader->wait_when_full && !cf_atomic_u32_load_acquire(&reader->stop));
    return got == CF_READER_GONE ? got : 0;
}

/* Once the thread is to stop: takes what the driver holds by now, and behind a failure what came later. Returns as
 * cf_reader_drain. */
CF_INLINE int cf_reader_last_drain(cf_reader *reader)
{
    const int64_t end_ns = cf_now_ns() + CF_STOPPED_DRAIN_NS;
    int got;
    do
        got = cf_reader_drain(reader);
    while (got == 1 && !cf_reader_must_wait(reader) && cf_now_ns() < end_ns);
    if (got == -1 && cf_reader_rest(reader) == CF_READER_GONE)
        got = CF_READER_GONE;
    return got;
}

/* The driver has been away since began_ns, and after all outages before for before_ns: tells so. */
CF_INLINE void cf_reader_is_away(cf_reader *reader, int64_t began_ns, uint64_t before_ns)
{
    reader->last_drain_ns = cf_now_ns();
    reader->producer.counters.outage_ns = before_ns + (uint64_t)(reader->last_drain_ns - began_ns);
    cf_producer_publish(&reader->producer);
}

/* After a failure: closes the driver and tries to open it until that succeeds. What was lost meanwhile
 * nobody knows, so the next frame gets a GAP. 0: the failure is final, or the thread is to stop; CF_READER_GONE. */
CF_INLINE int cf_reader_reconnect(cf_reader *reader)
{
    cf_counters *counters = &reader->producer.counters;
    const long failed = reader->handle;
    const int64_t began_ns = cf_now_ns();
    const uint64_t before_ns = counters->outage_ns;
    long handle = 0;
    if (reader->reconnect_ns == 0 || reader->share->failure == CF_LAYOUT_UNKNOWN)
        return cf_reader_rest(reader);
    counters->outages++;
    cf_reader_is_away(reader, began_ns, before_ns);
    if (cf_reader_rest(reader) == CF_READER_GONE)
        return CF_READER_GONE;
    cf_reader_set_handle(reader, 0);
    cf_consumer_notify(reader->consumer, 0);
    cf_reader_go(reader, CF_FN_close);
    CF_CANAL(reader->library, close, (failed));
    if (cf_reader_back(reader))
        return CF_READER_GONE;
    while (handle <= 0 && !cf_atomic_u32_load_acquire(&reader->stop)) {
        cf_reader_pause(reader, reader->reconnect_ns);
        if (!cf_atomic_u32_load_acquire(&reader->stop)) {
            cf_reader_go(reader, CF_FN_open);
            handle = cf_reader_open(reader);
            if (cf_reader_back(reader)) {
                if (handle > 0) /* nobody else is to close it */
                    CF_CANAL(reader->library, close, (handle));
                return CF_READER_GONE;
            }
        }
        cf_reader_is_away(reader, began_ns, before_ns);
    }
    if (handle <= 0)
        return 0;
    cf_reader_set_handle(reader, handle);
    reader->overruns_seen = 0;
    if (!(reader->profile->trust & CF_TRUST_FROM_OPEN))
        cf_reader_overruns(reader, &reader->overruns_seen);
    reader->producer.marks |= CF_FLAG_GAP;
    reader->clock.settled_ns = reader->last_drain_ns;
    cf_clock_restart(&reader->clock);
    return 1;
}

/* Some drivers answer "empty" for ever once their adapter is gone: asks such a one for its status, so long after the
 * last frame or the last question. -1: it is gone; CF_READER_GONE: the thread is; otherwise 0. */
CF_INLINE int cf_reader_ask_status(cf_reader *reader, int64_t now_ns)
{
    uint64_t words[CF_SLOT_BYTES / 8];
    long code = CF_CANAL_SUCCESS;
    if (!(reader->profile->trust & CF_STATUS_TELLS) || reader->library->get_status == NULL ||
        now_ns - reader->heard_ns < CF_SILENCE_NS || !cf_mutex_trylock(&reader->calls))
        return 0;
    reader->heard_ns = now_ns;
    memset(words, 0, sizeof words);
    cf_reader_go(reader, CF_FN_get_status);
    code = CF_CANAL(reader->library, get_status, (reader->handle, words));
    if (CF_UNLIKELY(cf_reader_back(reader)))
        return CF_READER_GONE;
    cf_mutex_unlock(&reader->calls);
    if (!cf_code_in(CF_CODES_GONE, code))
        return 0;
    reader->share->failure = CF_DRIVER_FAILED;
    reader->share->failure_code = code;
    return -1;
}

/* After `idle` empty drains: waits for room in the ring, in the driver, or, where that is busy or cannot wait, for a
 * moment. Returns as cf_reader_drain. */
CF_INLINE int cf_reader_wait(cf_reader *reader, unsigned idle)
{
    if (cf_reader_must_wait(reader))
        cf_consumer_await_room(reader->consumer, &reader->producer, &reader->stop,
                               CF_BLOCKING_SLICE_MS * UINT64_C(1000000));
    else if (reader->can_block && (!reader->busy || idle > CF_IDLE_ROUNDS) &&
             cf_producer_room(&reader->producer, 1) > 0)
        return cf_reader_block(reader);
    else
        cf_sleeper_sleep(&reader->sleeper, (uint64_t)reader->coalesce_ns);
    return 0;
}

/* What the thread does; `argument` is the reader. */
CF_INLINE void cf_reader_main(void *argument)
{
    cf_reader *reader = (cf_reader *)argument;
    unsigned idle = 0;
    int got = 0;
    while (!cf_atomic_u32_load_acquire(&reader->stop)) {
        if (got >= 0) {
            got = cf_reader_inspect(reader, cf_now_ns());
            if (got == 0)
                got = cf_reader_drain(reader);
            if (got == 1) {
                cf_reader_delivered(reader, cf_now_ns());
                reader->polls_vain = 0;
            }
        }
        if (got == 0)
            got = cf_reader_ask_status(reader, cf_now_ns());
        if (got == CF_READER_GONE)
            return;
        idle = got != 0 ? 0 : idle + 1;
        if (got < 0) {
            int again;
            reader->heard_ns = cf_now_ns(); /* a driver that comes back is not asked for its status at once */
            again = cf_reader_reconnect(reader);
            if (again == CF_READER_GONE)
                return;
            if (again == 0)
                break;
            got = 0;
            continue;
        }
        if (cf_atomic_u32_load_acquire(&reader->stop)) /* while it drained: no call to the driver more than need be */
            break;
        got = cf_reader_wait(reader, idle);
        if (got == 1 && !reader->polls_vain) { /* what comes next may be found without a wait in the driver */
            reader->polls_vain = 1;
            idle = 0;
        }
    }
    if (got == CF_READER_GONE)
        return;
    if (reader->handle > 0 && (got >= 0 || cf_atomic_u32_load_acquire(&reader->stop))) {
        const int last = cf_reader_last_drain(reader);
        got = got < 0 && last != CF_READER_GONE ? got : last;
    }
    if (got == CF_READER_GONE)
        return;
    if (reader->handle > 0)
        cf_reader_poll_overruns(reader, cf_now_ns());
    else
        got = 0; /* stopped while the driver was away */
    cf_producer_publish(&reader->producer);
    /* release, for the acquire in cf_consumer_has: `failure`, its code and the last records come first */
    cf_atomic_u32_store_release(&reader->share->state, (uint32_t)(got < 0 ? CF_READER_FAILED : CF_READER_STOPPED));
    cf_consumer_notify(reader->consumer, 1);
}

#endif
