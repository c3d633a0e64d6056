/* canal_fast/live/driver.h - an open channel from open to close. consumer.h waits and takes, port.h sends and asks.
 *
 * Any number of threads may call these at once. They never call back and never block for longer
 * than told, but for the driver's own slowness.
 */
#ifndef CANAL_FAST_LIVE_DRIVER_H
#define CANAL_FAST_LIVE_DRIVER_H

#include "clock_publish.h"
#include "reader_thread.h"

typedef struct cf_channel_options {
    const char *config; /* at most CF_CONFIG_BYTES - 1 bytes */
    unsigned long flags;
    const cf_profile *profile;
    const cf_layout *layout; /* NULL: find out */
    uint32_t channel;
    int wait_when_full;
    int device_clock;
    int fd; /* records of 80 bytes; needs a library with CanalReceiveFD and CanalSendFD */
    int64_t coalesce_ns;
    int64_t reconnect_ns;   /* 0: a driver that fails is not opened again */
    uint64_t ring_capacity; /* a power of two */
    /* For a reader whose consumers are in another process; otherwise NULL */
    cf_share *share;
    cf_ring *ring;
    cf_bell *other_end;
    const cf_filter *filters; /* copied */
    size_t filter_count;
} cf_channel_options;

#define CF_LAST_WORDS_NS UINT64_C(10000000) /* for a thread that just came back to finish its message */
#define CF_STOP_PATIENCE_NS UINT64_C(2000000000) /* for a driver to return from a receive */

struct cf_channel;
struct cf_driver_status;
struct cf_driver_versions;

/* Calls to a driver in another process: as the functions of these names here and in port.h. */
typedef struct cf_remote {
    void (*stop)(struct cf_channel *channel);
    cf_status (*close)(struct cf_channel *channel, long *code);
    void (*free)(struct cf_channel *channel);
    cf_status (*filter)(struct cf_channel *channel, const cf_filter *filters, size_t count);
    cf_status (*send)(struct cf_channel *channel, const void *frames, size_t count, size_t stride, int64_t timeout_ns,
                      size_t *accepted, long *code);
    cf_status (*status)(struct cf_channel *channel, struct cf_driver_status *result, long *code);
    cf_status (*statistics)(struct cf_channel *channel, uint32_t *counters, int *filled, long *code);
    cf_status (*set)(struct cf_channel *channel, int function, unsigned long value, long *code);
    cf_status (*versions)(struct cf_channel *channel, struct cf_driver_versions *result, long *code);
} cf_remote;

typedef struct cf_channel {
    cf_consumer consumer;
    const cf_remote *remote; /* NULL: the driver is in this process, and what follows is in use */
    cf_share share;
    cf_reader reader;
    cf_library library;
    void *memory;    /* of the ring */
    cf_mutex ending; /* serialises stop and close */
    int joined;
    int abandoned; /* the driver never returned from a receive: thread and memory are left to it */
    cf_atomic_u32 closing;
    uint64_t send_slot[CF_SLOT_BYTES / 8]; /* under reader.calls */
} cf_channel;

CF_INLINE void cf_channel_free(cf_channel *channel);

/* Replaces the filters; with `waiting` also for records that wait already. `filters` is copied.
 * CF_OK, CF_NO_MEMORY, CF_CLOSED. */
CF_INLINE cf_status cf_channel_filter(cf_channel *channel, const cf_filter *filters, size_t count, int waiting)
{
    cf_filter_set *fresh, *taking = NULL;
    cf_status status = CF_OK;
    if (cf_atomic_u32_load_acquire(&channel->closing))
        return CF_CLOSED;
    waiting = waiting && count > 0;
    if (waiting && (taking = cf_filter_set_new(filters, count)) == NULL)
        return CF_NO_MEMORY;
    if (channel->remote != NULL) {
        status = channel->remote->filter(channel, filters, count);
    } else if ((fresh = cf_filter_set_new(filters, count)) == NULL) {
        status = CF_NO_MEMORY;
    } else {
        fresh = (cf_filter_set *)(uintptr_t)cf_atomic_u64_exchange(&channel->reader.next_filters,
                                                                   (uint64_t)(uintptr_t)fresh);
        free(fresh); /* the one before, which nobody took over */
    }
    if (status == CF_OK)
        cf_consumer_filter(&channel->consumer, taking);
    else
        free(taking);
    return status;
}

/* Opens: CanalOpen with a private writable copy of the configuration, ring, thread. `library` was
 * filled by cf_library_load and is copied. *result is malloc'ed; end it with cf_channel_close and
 * cf_channel_free. CF_OPEN_FAILED, CF_NO_MEMORY, CF_THREAD_FAILED; *code is then CanalOpen's result. */
CF_INLINE cf_status cf_channel_open(const cf_library *library, const cf_channel_options *options, cf_channel **result,
                                    long *code)
{
    cf_channel *channel = (cf_channel *)calloc(1, sizeof *channel);
    cf_reader *reader;
    const uint32_t slot_size = options->fd ? sizeof(cf_fd_frame) : sizeof(cf_frame);
    void *memory = options->ring != NULL || options->ring_capacity > (SIZE_MAX - sizeof(cf_ring)) / slot_size
                       ? NULL
                       : malloc(cf_ring_bytes(options->ring_capacity, slot_size));
    cf_ring *ring = options->ring;
    const int64_t now_ns = cf_now_ns();
    *code = 0;
    if (channel == NULL || (memory == NULL && ring == NULL) || cf_mutex_init(&channel->ending) != CF_OK) {
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
    if (ring == NULL)
        ring = cf_ring_init(memory, options->ring_capacity, slot_size);
    reader->share = options->share != NULL ? options->share : &channel->share;
    reader->consumer = &channel->consumer;
    channel->consumer.other_end = options->other_end;
    cf_atomic_u32_store_relaxed(&reader->share->layout_size, reader->layout->size);
    reader->channel = options->channel;
    reader->fd = options->fd;
    reader->can_block = (options->fd ? library->blocking_receive_fd != NULL : library->blocking_receive != NULL) &&
                        (options->flags & options->profile->blocking_flag) == options->profile->blocking_flag;
    reader->wait_when_full = options->wait_when_full;
    reader->coalesce_ns = options->coalesce_ns;
    channel->memory = memory;
    cf_producer_init(&reader->producer, ring);
    cf_clock_init(&reader->clock, options->profile->tick_num, options->profile->tick_den, options->profile->wrap_bits,
                  options->device_clock, cf_epoch_offset_ns());
    cf_clock_publish(&reader->clock, &reader->share->clock);
    reader->clock.settled_ns = reader->last_drain_ns = reader->last_overrun_poll_ns = now_ns;
    if (cf_consumer_init(&channel->consumer, reader->share, ring) != CF_OK || cf_mutex_init(&reader->calls) != CF_OK ||
        cf_sleeper_init(&reader->sleeper) != CF_OK) {
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
    if (!(options->profile->trust & CF_TRUST_FROM_OPEN)) /* else what was lost before this line would not count */
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
    cf_consumer *consumer = &channel->consumer;
    cf_atomic_u32 *state = &consumer->share->state;
    uint64_t seen = 0, deadline_ns = 0;
    if (channel->remote != NULL) {
        channel->remote->stop(channel);
        return;
    }
    cf_mutex_lock(&channel->ending);
    if (!channel->joined && !channel->abandoned) {
        cf_mutex_lock(&consumer->lock);
        cf_atomic_u32_store_release(&reader->stop, 1);
        cf_cond_broadcast(&consumer->writable);
        while (cf_atomic_u32_load_acquire(state) == CF_READER_RUNNING) {
            const uint64_t sequence = cf_atomic_u64_load_acquire(&consumer->ring->sequence);
            if (deadline_ns == 0 || sequence != seen)
                deadline_ns = cf_monotonic_ns() + CF_STOP_PATIENCE_NS;
            else if (cf_monotonic_ns() >= deadline_ns)
                break;
            seen = sequence;
            cf_cond_wait_until(&consumer->readable, &consumer->lock, deadline_ns);
        }
        channel->abandoned = cf_atomic_u32_load_acquire(state) == CF_READER_RUNNING;
        if (channel->abandoned) {
            cf_atomic_u32_store_release(&reader->written_off, 1);
            cf_sleep_ns(CF_LAST_WORDS_NS);
            if (cf_atomic_u32_load_acquire(&reader->entered))
                cf_producer_publish(&reader->producer); /* ours now, with what it had not yet published */
            cf_atomic_u32_store_release(state, CF_READER_STOPPED);
            cf_consumer_settle(consumer);
            cf_cond_broadcast(&consumer->readable);
        }
        cf_mutex_unlock(&consumer->lock);
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
    if (channel->remote != NULL)
        return channel->remote->close(channel, code);
    cf_atomic_u32_store_release(&channel->closing, 1);
    cf_channel_stop(channel);
    cf_mutex_lock(&channel->ending);
    cf_mutex_lock(&reader->calls);
    if (!channel->consumer.closed) {
        cf_consumer_close(&channel->consumer);
        if (!channel->abandoned)
            free(channel->memory);
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
    if (channel->remote != NULL) {
        channel->remote->free(channel);
        return;
    }
    if (channel->abandoned)
        return;
    free(reader->filters);
    free((void *)(uintptr_t)cf_atomic_u64_load_relaxed(&reader->next_filters));
    cf_sleeper_destroy(&reader->sleeper);
    cf_consumer_destroy(&channel->consumer);
    cf_mutex_destroy(&reader->calls);
    cf_mutex_destroy(&channel->ending);
    free(channel);
}

#endif
