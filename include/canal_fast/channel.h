/* canal_fast/channel.h - an open channel as its user sees it: open, wait, take, send, ask, close.
 *
 * Any number of threads may call these at once. They never call back and never block for longer
 * than told, but for the driver's own slowness.
 */
#ifndef CANAL_FAST_CHANNEL_H
#define CANAL_FAST_CHANNEL_H

#include "reader_thread.h"

typedef struct cf_channel_options {
    const char *config; /* at most CF_CONFIG_BYTES - 1 bytes */
    unsigned long flags;
    const cf_profile *profile;
    const cf_layout *layout; /* NULL: find out */
    uint32_t channel;
    int wait_when_full;
    int device_clock;
    int64_t coalesce_ns;
    int64_t reconnect_ns;   /* 0: a driver that fails is not opened again */
    uint64_t ring_capacity; /* a power of two */
    const cf_filter *filters; /* copied */
    size_t filter_count;
} cf_channel_options;

#define CF_LAST_WORDS_NS UINT64_C(10000000) /* for a thread that just came back to finish its message */
#define CF_STOP_PATIENCE_NS UINT64_C(2000000000) /* for a driver to return from a receive */

typedef struct cf_channel {
    cf_reader reader;
    cf_library library;
    cf_mutex ending; /* serialises stop and close */
    int joined, closed;
    int abandoned;                /* the driver never returned from a receive: thread and memory are left to it */
    cf_atomic_u32 closing;
    uint32_t waiters;      /* under reader.consumers */
    cf_ledger last_ledger; /* after close */
    cf_atomic_u64 sent, send_rejected;
    uint64_t send_slot[CF_SLOT_BYTES / 8]; /* under reader.calls */
} cf_channel;

CF_INLINE void cf_channel_free(cf_channel *channel);

/* Replaces the filters, from the next drain on; with `waiting` at once, also for records that wait already.
 * `filters` is copied. CF_OK, CF_NO_MEMORY, CF_CLOSED. */
CF_INLINE cf_status cf_channel_filter(cf_channel *channel, const cf_filter *filters, size_t count, int waiting)
{
    cf_filter_set *fresh, *taking = NULL, *before;
    if (cf_atomic_u32_load_acquire(&channel->closing))
        return CF_CLOSED;
    waiting = waiting && count > 0;
    fresh = cf_filter_set_new(filters, count);
    if (waiting)
        taking = cf_filter_set_new(filters, count);
    if (fresh == NULL || (waiting && taking == NULL)) {
        free(fresh);
        free(taking);
        return CF_NO_MEMORY;
    }
    cf_mutex_lock(&channel->reader.consumers);
    before = channel->reader.taking_filters;
    channel->reader.taking_filters = taking;
    cf_mutex_unlock(&channel->reader.consumers);
    free(before);
    free((void *)(uintptr_t)cf_atomic_u64_exchange(&channel->reader.next_filters, (uint64_t)(uintptr_t)fresh));
    return CF_OK;
}

/* Time since 1970 - monotonic time, from the quickest of a few looks at both. */
CF_INLINE int64_t cf_epoch_offset_ns(void)
{
    int64_t least_ns = INT64_MAX, offset_ns = 0;
    int i;
    for (i = 0; i < 5; i++) {
        const int64_t before_ns = cf_now_ns(), epoch_ns = (int64_t)cf_realtime_ns(), took_ns = cf_now_ns() - before_ns;
        if (took_ns < least_ns) {
            least_ns = took_ns;
            offset_ns = epoch_ns - before_ns - took_ns / 2;
        }
    }
    return offset_ns;
}

/* Opens: CanalOpen with a private writable copy of the configuration, ring, thread. `library` was
 * filled by cf_library_load and is copied. *result is malloc'ed; end it with cf_channel_close and
 * cf_channel_free. CF_OPEN_FAILED, CF_NO_MEMORY, CF_THREAD_FAILED; *code is then CanalOpen's result. */
CF_INLINE cf_status cf_channel_open(const cf_library *library, const cf_channel_options *options,
                                    cf_channel **result, long *code)
{
    cf_channel *channel = (cf_channel *)calloc(1, sizeof *channel);
    cf_reader *reader;
    void *memory = options->ring_capacity > (SIZE_MAX - sizeof(cf_ring)) / sizeof(cf_frame)
                       ? NULL
                       : malloc(cf_ring_bytes(options->ring_capacity, sizeof(cf_frame)));
    const int64_t now_ns = cf_now_ns();
    *code = 0;
    if (channel == NULL || memory == NULL || cf_mutex_init(&channel->ending) != CF_OK) {
        free(channel);
        free(memory);
        return CF_NO_MEMORY;
    }
    reader = &channel->reader;
    channel->library = *library;
    reader->library = &channel->library;
    reader->profile = options->profile;
    reader->probe_layout = options->layout == NULL;
    reader->layout = options->layout != NULL ? options->layout : cf_layout_native();
    cf_atomic_u32_store_relaxed(&reader->layout_size, reader->layout->size);
    reader->channel = options->channel;
    reader->can_block = library->blocking_receive != NULL &&
                        (options->flags & options->profile->blocking_flag) == options->profile->blocking_flag;
    reader->wait_when_full = options->wait_when_full;
    reader->coalesce_ns = options->coalesce_ns;
    reader->memory = memory;
    reader->ring = cf_ring_init(memory, options->ring_capacity, sizeof(cf_frame));
    cf_producer_init(&reader->producer, reader->ring);
    cf_clock_init(&reader->clock, options->profile->tick_num, options->profile->tick_den,
                  options->profile->wrap_bits, options->device_clock,
                  cf_epoch_offset_ns());
    cf_clock_publish(&reader->clock, &reader->clock_shared);
    reader->clock.settled_ns = reader->last_drain_ns = reader->last_overrun_poll_ns = now_ns;
    if (cf_mutex_init(&reader->consumers) != CF_OK ||
        cf_mutex_init(&reader->calls) != CF_OK || cf_cond_init(&reader->readable) != CF_OK ||
        cf_cond_init(&reader->writable) != CF_OK || cf_sleeper_init(&reader->sleeper) != CF_OK) {
        free(memory);
        free(channel);
        return CF_THREAD_FAILED;
    }
    if (cf_channel_filter(channel, options->filters, options->filter_count, 0) != CF_OK) {
        free(memory);
        cf_channel_free(channel);
        return CF_NO_MEMORY;
    }
    strncpy(reader->config, options->config, sizeof reader->config - 1);
    reader->open_flags = options->flags;
    reader->reconnect_ns = options->reconnect_ns;
    reader->handle = cf_reader_open(reader);
    if (reader->handle <= 0) {
        *code = reader->handle;
        free(memory);
        cf_channel_free(channel);
        return CF_OPEN_FAILED;
    }
    cf_reader_overruns(reader, &reader->overruns_at_open);
    cf_reader_poll_overruns(reader, now_ns);
    if (cf_thread_start(&reader->thread, cf_reader_main, reader, "canal_fast") != CF_OK) {
        CF_CANAL(reader->library, close, (reader->handle));
        free(memory);
        cf_channel_free(channel);
        return CF_THREAD_FAILED;
    }
    *result = channel;
    return CF_OK;
}

/* Ends the reader thread after a last drain; what the ring holds stays there. May be repeated.
 * A thread that publishes nothing for CF_STOP_PATIENCE_NS hangs in the driver and is abandoned. */
CF_INLINE void cf_channel_stop(cf_channel *channel)
{
    cf_reader *reader = &channel->reader;
    uint64_t seen = 0, deadline_ns = 0;
    cf_mutex_lock(&channel->ending);
    if (!channel->joined && !channel->abandoned) {
        cf_mutex_lock(&reader->consumers);
        cf_atomic_u32_store_release(&reader->stop, 1);
        cf_cond_broadcast(&reader->writable);
        while (cf_atomic_u32_load_acquire(&reader->state) == CF_READER_RUNNING) {
            const uint64_t sequence = cf_atomic_u64_load_acquire(&reader->ring->sequence);
            if (deadline_ns == 0 || sequence != seen)
                deadline_ns = cf_monotonic_ns() + CF_STOP_PATIENCE_NS;
            else if (cf_monotonic_ns() >= deadline_ns)
                break;
            seen = sequence;
            cf_cond_wait_until(&reader->readable, &reader->consumers, deadline_ns);
        }
        channel->abandoned = cf_atomic_u32_load_acquire(&reader->state) == CF_READER_RUNNING;
        if (channel->abandoned) {
            cf_atomic_u32_store_release(&reader->written_off, 1);
            cf_sleep_ns(CF_LAST_WORDS_NS);
            if (cf_atomic_u32_load_acquire(&reader->entered))
                cf_producer_publish(&reader->producer); /* ours now, with what it had not yet published */
            cf_atomic_u32_store_release(&reader->state, CF_READER_STOPPED);
            cf_wake_settle(&reader->wake, reader->ring, &reader->state);
            cf_cond_broadcast(&reader->readable);
        }
        cf_mutex_unlock(&reader->consumers);
        if (!channel->abandoned)
            cf_thread_join(&reader->thread);
        channel->joined = !channel->abandoned;
    }
    cf_mutex_unlock(&channel->ending);
}

/* Stops, closes the driver, frees the ring. The ledger stays. May be repeated; *code gets what
 * CanalClose returned, CF_CANAL_SUCCESS when it was closed before. CF_TIMED_OUT: the driver hangs in a
 * receive, so it was not called again, and its thread and the channel's memory are left to it. */
CF_INLINE cf_status cf_channel_close(cf_channel *channel, long *code)
{
    cf_reader *reader = &channel->reader;
    cf_status status = CF_OK;
    *code = CF_CANAL_SUCCESS;
    cf_atomic_u32_store_release(&channel->closing, 1);
    cf_channel_stop(channel);
    cf_mutex_lock(&channel->ending);
    cf_mutex_lock(&reader->calls);
    if (!channel->closed) {
        cf_mutex_lock(&reader->consumers);
        cf_ring_ledger(reader->ring, &channel->last_ledger);
        channel->closed = 1;
        cf_wake_settle(&reader->wake, reader->ring, &reader->state);
        if (!channel->abandoned) {
            free(reader->memory);
            reader->memory = NULL;
            reader->ring = NULL;
        }
        cf_cond_broadcast(&reader->readable);
        cf_mutex_unlock(&reader->consumers);
        if (channel->abandoned)
            status = CF_TIMED_OUT;
        else if (reader->handle > 0)
            *code = CF_CANAL(reader->library, close, (reader->handle));
    }
    cf_mutex_unlock(&reader->calls);
    cf_mutex_unlock(&channel->ending);
    return status;
}

/* Needs a closed channel that no thread uses any more. An abandoned one stays. */
CF_INLINE void cf_channel_free(cf_channel *channel)
{
    cf_reader *reader = &channel->reader;
    if (channel->abandoned)
        return;
    free(reader->filters);
    free(reader->taking_filters);
    free((void *)(uintptr_t)cf_atomic_u64_load_relaxed(&reader->next_filters));
    cf_wake_close(&reader->wake);
    cf_sleeper_destroy(&reader->sleeper);
    cf_cond_destroy(&reader->readable);
    cf_cond_destroy(&reader->writable);
    cf_mutex_destroy(&reader->consumers);
    cf_mutex_destroy(&reader->calls);
    cf_mutex_destroy(&channel->ending);
    free(channel);
}

/* Waits until `wanted` records are there, at most timeout_ns. CF_OK: they are, or fewer and no more
 * will come; CF_TIMED_OUT; with none left: CF_CLOSED, CF_LAYOUT_UNKNOWN, or CF_DRIVER_FAILED with *code
 * from the driver.
 * *pending is how many there are. */
CF_INLINE cf_status cf_channel_wait(cf_channel *channel, uint32_t wanted, int64_t timeout_ns,
                                    uint64_t *pending, long *code)
{
    cf_reader *reader = &channel->reader;
    const int64_t deadline_ns = cf_now_ns() + timeout_ns;
    cf_status status = CF_TIMED_OUT;
    cf_mutex_lock(&reader->consumers);
    channel->waiters++;
    *pending = 0;
    for (;;) {
        uint32_t state, others;
        if (channel->closed) {
            status = CF_CLOSED;
            break;
        }
        others = cf_atomic_u32_load_relaxed(&reader->wanted);
        if (wanted != 0 && (others == 0 || wanted < others)) /* who wants none does not sleep */
            cf_atomic_u32_store_relaxed(&reader->wanted, wanted);
        cf_atomic_fence(); /* pairs with the one in cf_reader_notify */
        state = cf_atomic_u32_load_acquire(&reader->state);
        *pending = cf_ring_pending(reader->ring);
        if (*pending >= wanted) {
            status = CF_OK;
            break;
        }
        if (state != CF_READER_RUNNING) {
            status = *pending > 0                                ? CF_OK
                     : state != CF_READER_FAILED                 ? CF_CLOSED
                     : reader->failure_code == CF_FAILURE_LAYOUT ? CF_LAYOUT_UNKNOWN
                                                                 : CF_DRIVER_FAILED;
            *code = reader->failure_code;
            break;
        }
        if (cf_now_ns() >= deadline_ns)
            break;
        cf_cond_wait_until(&reader->readable, &reader->consumers, (uint64_t)deadline_ns);
    }
    if (--channel->waiters == 0)
        cf_atomic_u32_store_relaxed(&reader->wanted, 0);
    cf_mutex_unlock(&reader->consumers);
    return status;
}

/* Needs the lock on consumers and a channel that is not closed. */
CF_INLINE size_t cf_channel_take_locked(cf_reader *reader, void *records, size_t count)
{
    const cf_filter_set *filters = reader->taking_filters;
    size_t taken, got;
    do {
        got = taken = cf_ring_take(reader->ring, records, count);
        if (CF_UNLIKELY(filters != NULL)) {
            got = cf_filter_keep(filters, records, taken, reader->ring->slot_size);
            cf_ring_withhold(reader->ring, taken - got);
        }
    } while (got == 0 && taken > 0);
    if (cf_atomic_u32_load_relaxed(&reader->full) &&
        cf_ring_pending(reader->ring) <= reader->ring->capacity / 2)
        cf_cond_broadcast(&reader->writable);
    cf_wake_settle(&reader->wake, reader->ring, &reader->state);
    return got;
}

/* Moves at most `count` records, oldest first, to `records`; returns how many. */
CF_INLINE size_t cf_channel_take(cf_channel *channel, void *records, size_t count)
{
    cf_reader *reader = &channel->reader;
    size_t got = 0;
    cf_mutex_lock(&reader->consumers);
    if (!channel->closed)
        got = cf_channel_take_locked(reader, records, count);
    cf_mutex_unlock(&reader->consumers);
    return got;
}

enum { CF_AT_ONCE = 64 };

/* Number of records that wait, if there are `wanted` and that can be told without waiting for
 * anybody; else 0. */
CF_INLINE uint64_t cf_channel_ready(cf_channel *channel, uint32_t wanted)
{
    cf_reader *reader = &channel->reader;
    uint64_t pending = 0;
    if (!cf_mutex_trylock(&reader->consumers))
        return 0;
    if (!channel->closed)
        pending = cf_ring_pending(reader->ring);
    cf_mutex_unlock(&reader->consumers);
    return pending >= wanted ? pending : 0;
}

/* cf_channel_take, if `wanted` records wait and the few there are can be had without waiting for
 * anybody; else 0. So short that a caller need not let go of a lock of its own. */
CF_INLINE size_t cf_channel_take_at_once(cf_channel *channel, uint32_t wanted, void *records, size_t count)
{
    cf_reader *reader = &channel->reader;
    size_t got = 0;
    if (count > CF_AT_ONCE || !cf_mutex_trylock(&reader->consumers))
        return 0;
    if (!channel->closed && cf_ring_pending(reader->ring) >= wanted)
        got = cf_channel_take_locked(reader, records, count);
    cf_mutex_unlock(&reader->consumers);
    return got;
}

/* A descriptor that is readable while `wanted` records wait, or once no more will come; the same at
 * every call, and valid until cf_channel_free. CF_OK, CF_CLOSED, CF_NO_MEMORY, CF_NOT_SUPPORTED. */
CF_INLINE cf_status cf_channel_descriptor(cf_channel *channel, uint32_t wanted, int *descriptor)
{
    cf_reader *reader = &channel->reader;
    cf_status status = CF_CLOSED;
    cf_mutex_lock(&reader->consumers);
    if (!channel->closed) {
        status = reader->wake.open ? CF_OK : cf_wake_open(&reader->wake);
        if (status == CF_OK) {
            cf_atomic_u32_store_relaxed(&reader->wake.wanted, wanted);
            cf_wake_settle(&reader->wake, reader->ring, &reader->state);
        }
    }
    *descriptor = reader->wake.read_fd;
    cf_mutex_unlock(&reader->consumers);
    return status;
}

/* The books at this moment, or those at close. *overruns_known: driver_overruns means something. */
CF_INLINE void cf_channel_ledger(cf_channel *channel, cf_ledger *ledger, int *overruns_known)
{
    cf_reader *reader = &channel->reader;
    cf_mutex_lock(&reader->consumers);
    if (channel->closed)
        *ledger = channel->last_ledger;
    else
        cf_ring_ledger(reader->ring, ledger);
    cf_mutex_unlock(&reader->consumers);
    *overruns_known = (int)cf_atomic_u32_load_relaxed(&reader->overruns_known);
}

#endif
