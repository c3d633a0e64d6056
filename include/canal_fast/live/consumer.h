/* canal_fast/live/consumer.h - the end of the ring that records are taken from: wait, take, be told.
 *
 * cf_share is the page between reader and consumers: the reader writes there what consumers need to know, they write
 * what they wait for. It holds fixed widths and no pointers, as the ring does. Any number of threads may consume at
 * once.
 */
#ifndef CANAL_FAST_LIVE_CONSUMER_H
#define CANAL_FAST_LIVE_CONSUMER_H

#include "../system/bell.h"
#include "clock_report.h"
#include "filter_table.h"
#include "ring.h"
#include "watch.h"
#include "../system/thread.h"

typedef enum cf_reader_state { CF_READER_RUNNING, CF_READER_STOPPED, CF_READER_FAILED } cf_reader_state;

typedef struct cf_share {
    cf_atomic_u32 state;          /* cf_reader_state; 0 = running; release and acquire: `failure` comes first */
    cf_atomic_u32 layout_size;    /* of the driver's messages */
    cf_atomic_u32 overruns_known; /* driver_overruns means something */
    cf_atomic_u32 alarm;          /* wake the consumers, once, when so many records wait; 0 = none sleeps */
    cf_atomic_u32 full;           /* the reader sleeps until there is room */
    uint32_t failure;             /* cf_status, written before state becomes FAILED, */
    int64_t failure_code;         /* and what receive returned */
    cf_atomic_u64 driver_queue;   /* last reading of CanalDataAvailable */
    cf_atomic_u64 sent, send_rejected;
    cf_clock_shared clock;
    cf_presence presence; /* of the reader, in the driver */
    cf_atomic_u32 calling; /* CF_FN_... of the call that another thread makes, or made last */
    cf_atomic_u64 last_stamp_ns; /* of the last frame stamped, at least now and then */
    cf_filter_table filters;
} cf_share;

typedef struct cf_consumer {
    cf_share *share;
    cf_ring *ring;
    cf_ring_shape shape;
    cf_bell *other_end; /* wakes the process at the other end of the ring; NULL: both ends are in this one */
    cf_mutex lock; /* guards taking from the ring, its end, and what is below */
    cf_cond readable, writable;
    cf_bell wake;         /* for event loops: */
    uint32_t wake_wanted; /* rung while so many records wait; 0 = not in use */
    int wake_rung;
    int closed;
    cf_ledger last_ledger; /* as of closing */
    cf_filter_set *waiting; /* the share's filters, while records wait that the reader did not judge by them; or NULL */
    uint16_t gap; /* GAP and CLOCK_STEP of records that were withheld: for the next one */
} cf_consumer;

/* Needs a consumer of zeros. CF_OK or CF_THREAD_FAILED, which leaves nothing behind. */
CF_INLINE cf_status cf_consumer_init(cf_consumer *consumer, cf_share *share, cf_ring *ring)
{
    consumer->share = share;
    consumer->ring = ring;
    consumer->shape = cf_ring_shape_of(ring);
    if (cf_mutex_init(&consumer->lock) != CF_OK)
        return CF_THREAD_FAILED;
    if (cf_cond_init(&consumer->readable) == CF_OK) {
        if (cf_cond_init(&consumer->writable) == CF_OK)
            return CF_OK;
        cf_cond_destroy(&consumer->readable);
    }
    cf_mutex_destroy(&consumer->lock);
    return CF_THREAD_FAILED;
}

CF_INLINE void cf_consumer_destroy(cf_consumer *consumer)
{
    free(consumer->waiting);
    cf_bell_close(&consumer->wake);
    cf_cond_destroy(&consumer->readable);
    cf_cond_destroy(&consumer->writable);
    cf_mutex_destroy(&consumer->lock);
}

/* Asks the reader to notify from `wanted` records on. Look at the ring after this, not before. Needs the lock. */
CF_INLINE void cf_consumer_arm(cf_consumer *consumer, uint32_t wanted)
{
    cf_atomic_u32 *alarm = &consumer->share->alarm;
    const uint32_t others = cf_atomic_u32_load_relaxed(alarm);
    if (others == 0 || wanted < others)
        cf_atomic_u32_store_relaxed(alarm, wanted);
    cf_atomic_fence(); /* with the one in cf_consumer_notify: one of the two sees what the other wrote before it */
}

/* Whether `wanted` records wait or no more will come. Acquire, from the reader's release of `state`: `failure` and its
 * code, and its last records. */
CF_INLINE int cf_consumer_has(const cf_consumer *consumer, uint32_t wanted)
{
    return cf_atomic_u32_load_acquire(&consumer->share->state) != CF_READER_RUNNING ||
           cf_ring_pending(consumer->ring) >= wanted;
}

/* Clears the event loops' bell when fewer records wait than wanted, rings it when enough do or no more will
 * come. Needs the lock. */
CF_INLINE void cf_consumer_settle(cf_consumer *consumer)
{
    if (consumer->wake_wanted == 0)
        return;
    if (consumer->wake_rung && !cf_consumer_has(consumer, consumer->wake_wanted)) {
        cf_bell_clear(&consumer->wake);
        consumer->wake_rung = 0;
    }
    if (!consumer->wake_rung) {
        cf_consumer_arm(consumer, consumer->wake_wanted);
        if (cf_consumer_has(consumer, consumer->wake_wanted)) {
            consumer->wake_rung = 1;
            cf_bell_ring(&consumer->wake);
        }
    }
}

CF_INLINE void cf_consumer_wake(cf_consumer *consumer)
{
    cf_mutex_lock(&consumer->lock);
    cf_consumer_settle(consumer); /* and who looked before the records were published sleeps by now */
    cf_mutex_unlock(&consumer->lock);
    cf_cond_broadcast(&consumer->readable);
}

/* For the reader, after publishing: wakes the consumers when as many records wait as they asked for. */
CF_INLINE void cf_consumer_notify(cf_consumer *consumer, int always)
{
    cf_atomic_u32 *alarm = &consumer->share->alarm;
    uint32_t wanted;
    cf_atomic_fence(); /* with the one in cf_consumer_arm: records are published before `alarm` is read */
    wanted = cf_atomic_u32_load_relaxed(alarm);
    if (!always && (wanted == 0 || cf_ring_pending(consumer->ring) < wanted))
        return;
    cf_atomic_u32_exchange(alarm, 0); /* all are woken, so who goes on sleeping asks anew */
    if (consumer->other_end != NULL)
        cf_bell_ring(consumer->other_end);
    if (consumer->other_end == NULL || always)
        cf_consumer_wake(consumer);
}

/* For a reader that found the ring full: sleeps until half of it is free, or stop is set, or a little while. */
CF_INLINE void cf_consumer_await_room(cf_consumer *consumer, cf_producer *producer, const cf_atomic_u32 *stop,
                                      uint64_t timeout_ns)
{
    const uint64_t half = (producer->ring->capacity + 1) / 2;
    cf_mutex_lock(&consumer->lock);
    cf_atomic_u32_store_relaxed(&consumer->share->full, 1);
    cf_atomic_fence(); /* with the one in cf_consumer_take_locked, where the lock is another process's */
    if (cf_producer_room(producer, half) < half && !cf_atomic_u32_load_relaxed(stop))
        cf_cond_wait_for(&consumer->writable, &consumer->lock, timeout_ns);
    cf_atomic_u32_store_relaxed(&consumer->share->full, 0);
    cf_mutex_unlock(&consumer->lock);
}

/* Waits until `wanted` records are there, at most timeout_ns. CF_OK: they are, or fewer and no more
 * will come; CF_TIMED_OUT; with none left: CF_CLOSED, or how the reader failed, with *code (from the driver with
 * CF_DRIVER_FAILED).
 * *pending is how many there are. */
CF_INLINE cf_status cf_consumer_wait(cf_consumer *consumer, uint32_t wanted, int64_t timeout_ns, uint64_t *pending,
                                     long *code)
{
    cf_share *share = consumer->share;
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    cf_status status = CF_TIMED_OUT;
    int armed = 0;
    cf_mutex_lock(&consumer->lock);
    *pending = 0;
    for (;;) {
        uint32_t state;
        if (consumer->closed) {
            status = CF_CLOSED;
            break;
        }
        state = cf_atomic_u32_load_acquire(&share->state); /* as in cf_consumer_has */
        *pending = cf_ring_pending(consumer->ring);
        if (*pending >= wanted && (*pending > 0 || state == CF_READER_RUNNING)) {
            status = CF_OK; /* also where none are wanted, but an ended reader is never silent */
            break;
        }
        if (state != CF_READER_RUNNING) {
            status = *pending > 0 ? CF_OK : state != CF_READER_FAILED ? CF_CLOSED : (cf_status)share->failure;
            *code = (long)share->failure_code;
            break;
        }
        if (cf_now_ns() >= deadline_ns)
            break;
        if (!armed)
            cf_consumer_arm(consumer, wanted);
        else
            cf_cond_wait_until(&consumer->readable, &consumer->lock, (uint64_t)deadline_ns);
        armed = !armed;
    }
    cf_mutex_unlock(&consumer->lock);
    return status;
}

/* Replaces the channel's filters; with `waiting` also for records that wait already. `rows` is copied.
 * CF_OK, CF_TOO_MANY_FILTERS, CF_NO_MEMORY, CF_CLOSED. */
CF_INLINE cf_status cf_consumer_filter(cf_consumer *consumer, const cf_filter *rows, size_t count, int waiting)
{
    cf_filter_set *set = NULL, *before;
    cf_status status = CF_CLOSED;
    if (count > CF_FILTERS_MOST)
        return CF_TOO_MANY_FILTERS;
    if (waiting && count > 0 && (set = cf_filter_set_new(rows, count)) == NULL)
        return CF_NO_MEMORY;
    cf_mutex_lock(&consumer->lock);
    before = set;
    if (!consumer->closed) {
        cf_filter_table_write(&consumer->share->filters, rows, (uint32_t)count);
        before = consumer->waiting;
        consumer->waiting = set;
        status = CF_OK;
    }
    cf_mutex_unlock(&consumer->lock);
    free(before);
    return status;
}

/* Of `count` records just taken from index `first` on, keeps those that match, as far as the reader has not looked
 * yet. Returns how many. Needs the lock and consumer->waiting. */
CF_INLINE size_t cf_consumer_keep(cf_consumer *consumer, void *records, uint64_t first, size_t count)
{
    const uint32_t size = consumer->ring->slot_size;
    const size_t unjudged = cf_filter_table_unjudged(&consumer->share->filters, first, count);
    const size_t kept = cf_filter_keep(consumer->waiting, records, unjudged, size, &consumer->gap);
    char *judged = (char *)records + unjudged * size;
    if (unjudged < count) {
        ((cf_frame_head *)(void *)judged)->flags |= consumer->gap;
        consumer->gap = 0;
        if (kept < unjudged)
            memmove((char *)records + kept * size, judged, (count - unjudged) * size);
        free(consumer->waiting); /* no record before these is left */
        consumer->waiting = NULL;
    }
    cf_ring_withhold(consumer->ring, unjudged - kept);
    return count - unjudged + kept;
}

/* Needs the lock and a ring that is there. */
CF_INLINE size_t cf_consumer_take_locked(cf_consumer *consumer, void *records, size_t count)
{
    size_t taken, got;
    cf_ring_reshape(consumer->ring, &consumer->shape);
    do {
        const uint64_t first = cf_atomic_u64_load_relaxed(&consumer->ring->taken);
        got = taken = cf_ring_take(consumer->ring, records, count);
        if (CF_UNLIKELY(consumer->waiting != NULL))
            got = cf_consumer_keep(consumer, records, first, taken);
    } while (got == 0 && taken > 0);
    if (consumer->other_end != NULL)
        cf_atomic_fence(); /* with the one in cf_consumer_await_room: records are taken before `full` is read */
    if (cf_atomic_u32_load_relaxed(&consumer->share->full) &&
        cf_ring_pending(consumer->ring) <= consumer->ring->capacity / 2) {
        if (consumer->other_end == NULL)
            cf_cond_broadcast(&consumer->writable);
        else if (cf_atomic_u32_exchange(&consumer->share->full, 0))
            cf_bell_ring(consumer->other_end);
    }
    cf_consumer_settle(consumer);
    return got;
}

/* Moves at most `count` records, oldest first, to `records`; returns how many. */
CF_INLINE size_t cf_consumer_take(cf_consumer *consumer, void *records, size_t count)
{
    size_t got = 0;
    cf_mutex_lock(&consumer->lock);
    if (!consumer->closed)
        got = cf_consumer_take_locked(consumer, records, count);
    cf_mutex_unlock(&consumer->lock);
    return got;
}

enum { CF_AT_ONCE = 64 };

/* Number of records that wait, if there are `wanted` and that can be told without waiting for
 * anybody; else 0. */
CF_INLINE uint64_t cf_consumer_ready(cf_consumer *consumer, uint32_t wanted)
{
    uint64_t pending = 0;
    if (!cf_mutex_trylock(&consumer->lock))
        return 0;
    if (!consumer->closed)
        pending = cf_ring_pending(consumer->ring);
    cf_mutex_unlock(&consumer->lock);
    return pending >= wanted ? pending : 0;
}

/* cf_consumer_take, if `wanted` records wait and the few there are can be had without waiting for
 * anybody; else 0. So short that a caller need not let go of a lock of its own. */
CF_INLINE size_t cf_consumer_take_at_once(cf_consumer *consumer, uint32_t wanted, void *records, size_t count)
{
    size_t got = 0;
    if (count > CF_AT_ONCE || !cf_mutex_trylock(&consumer->lock))
        return 0;
    if (!consumer->closed && cf_ring_pending(consumer->ring) >= wanted)
        got = cf_consumer_take_locked(consumer, records, count);
    cf_mutex_unlock(&consumer->lock);
    return got;
}

/* A descriptor that is readable while `wanted` records wait, or once no more will come; the same at
 * every call, and valid until cf_consumer_destroy. CF_OK, CF_CLOSED, CF_NO_MEMORY, CF_NOT_SUPPORTED. */
CF_INLINE cf_status cf_consumer_descriptor(cf_consumer *consumer, uint32_t wanted, int *descriptor)
{
    cf_status status = CF_CLOSED;
    cf_mutex_lock(&consumer->lock);
    if (!consumer->closed) {
        status = consumer->wake.open ? CF_OK : cf_bell_open(&consumer->wake);
        if (status == CF_OK && cf_bell_descriptor(&consumer->wake) < 0)
            status = CF_NOT_SUPPORTED;
        if (status == CF_OK) {
            consumer->wake_wanted = wanted;
            cf_consumer_settle(consumer);
        }
    }
    *descriptor = cf_bell_descriptor(&consumer->wake);
    cf_mutex_unlock(&consumer->lock);
    return status;
}

/* The books at this moment, or those at the end. *overruns_known: driver_overruns means something. */
CF_INLINE void cf_consumer_ledger(cf_consumer *consumer, cf_ledger *ledger, int *overruns_known)
{
    cf_mutex_lock(&consumer->lock);
    if (consumer->closed)
        *ledger = consumer->last_ledger;
    else
        cf_ring_ledger(consumer->ring, ledger);
    cf_mutex_unlock(&consumer->lock);
    *overruns_known = (int)cf_atomic_u32_load_relaxed(&consumer->share->overruns_known);
}

/* Keeps the books; nobody takes from the ring any more, and who made it frees it. Needs an ended reader. May be
 * repeated, when the ring is gone. */
CF_INLINE void cf_consumer_close(cf_consumer *consumer)
{
    cf_mutex_lock(&consumer->lock);
    if (!consumer->closed)
        cf_ring_ledger(consumer->ring, &consumer->last_ledger);
    consumer->closed = 1;
    cf_consumer_settle(consumer);
    cf_cond_broadcast(&consumer->readable);
    cf_mutex_unlock(&consumer->lock);
}

#endif
