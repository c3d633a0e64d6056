/* canal_fast/live/driver.h - a driver from load to close: its library, and the reader that drains it.
 *
 * Whoever holds it, a port in this process or a host, has driver_calls.h do what it is asked. Any number of threads may
 * call these at once. They never call back and never block for longer than told, but for the driver's own slowness.
 */
#ifndef CANAL_FAST_LIVE_DRIVER_H
#define CANAL_FAST_LIVE_DRIVER_H

#include "clock_publish.h"
#include "reader_thread.h"

#define CF_LAST_WORDS_NS UINT64_C(10000000) /* for a thread that just came back to finish its message */
#define CF_STOP_LOOK_NS UINT64_C(50000000)
enum { CF_STOP_LOOKS = 40 }; /* in vain, until a driver that does not return from a receive hangs */

typedef struct cf_driver {
    cf_consumer *consumer; /* woken when records come; its ring and its share are written */
    cf_library library;
    cf_reader reader;
    cf_mutex ending; /* serialises stop and close */
    int loaded, started, joined, closed;
    int abandoned; /* the driver never returned from a receive: thread and memory are left to it */
    cf_atomic_u32 closing; /* a flag alone: what closing changes is under the locks */
    uint64_t send_slot[CF_SLOT_BYTES / 8]; /* under reader.calls */
} cf_driver;

/* Needs a driver of zeros. CF_OK or CF_THREAD_FAILED, which leaves nothing behind. */
CF_INLINE cf_status cf_driver_init(cf_driver *driver, cf_consumer *consumer)
{
    cf_reader *reader = &driver->reader;
    driver->consumer = reader->consumer = consumer;
    reader->share = consumer->share;
    reader->library = &driver->library;
    if (cf_mutex_init(&driver->ending) != CF_OK)
        return CF_THREAD_FAILED;
    if (cf_mutex_init(&reader->calls) == CF_OK) {
        if (cf_sleeper_init(&reader->sleeper) == CF_OK)
            return CF_OK;
        cf_mutex_destroy(&reader->calls);
    }
    cf_mutex_destroy(&driver->ending);
    return CF_THREAD_FAILED;
}

/* Needs a closed one that no thread uses any more, and that was not abandoned. */
CF_INLINE void cf_driver_destroy(cf_driver *driver)
{
    cf_sleeper_destroy(&driver->reader.sleeper);
    cf_mutex_destroy(&driver->reader.calls);
    cf_mutex_destroy(&driver->ending);
}

/* Loads the library, as cf_library_load. */
CF_INLINE cf_status cf_driver_load(cf_driver *driver, const char *path, cf_convention convention,
                                   cf_load_answer *answer)
{
    const cf_status status = cf_library_load(&driver->library, path, convention);
    driver->loaded = status == CF_OK;
    memset(answer, 0, sizeof *answer);
    answer->functions = driver->library.functions;
    answer->cdecl_calls = (uint32_t)driver->library.cdecl_calls;
    cf_copy_text(answer->detail, sizeof answer->detail, driver->library.detail);
    return status;
}

/* What our own drivers say of an open that failed; `why` has CF_WHY_BYTES. */
CF_INLINE void cf_driver_ask_why(const cf_driver *driver, char *why)
{
    static const cf_function_row rows[] = {{"CanalVirtualLastError", 0, 0}, {"CanalSocketcanLastError", 0, 0}};
    size_t i;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *(*last_error)(void) = NULL;
        int decorated;
        void *found = cf_system_symbol(driver->library.system_handle, &rows[i], &decorated);
        memcpy(&last_error, &found, sizeof found);
        if (found != NULL)
            cf_copy_text(why, CF_WHY_BYTES, last_error());
    }
}

/* A reader that takes another's place, in a host: ring and time stamps go on where that one left them. */
CF_INLINE void cf_driver_go_on(cf_reader *reader)
{
    cf_clock *clock = &reader->clock;
    cf_clock_report before;
    cf_clock_read(&reader->share->clock, &before);
    if (before.epoch_offset_ns == 0) /* nothing was published: it is the first */
        return;
    reader->producer.marks |= CF_FLAG_GAP;
    clock->last_ns = (int64_t)cf_atomic_u64_load_relaxed(&reader->share->last_stamp_ns);
    clock->epoch_offset_ns = before.epoch_offset_ns;
    clock->step.count = (uint64_t)before.steps;
    clock->step.before_ns = before.step_before_ns;
    clock->step.after_ns = before.step_after_ns;
    clock->step.at_ns = before.step_ns - before.step_after_ns;
    clock->step.offset_ns = before.steps ? before.step_after_ns : before.epoch_offset_ns;
    clock->step.total_ns = clock->step.offset_ns - before.epoch_offset_ns;
    clock->resets = (uint64_t)before.resets;
    clock->frames = (uint64_t)before.frames;
}

/* Fills in the reader, but for its handle. */
CF_INLINE void cf_driver_prepare(cf_driver *driver, const cf_open_question *question, const cf_profile *profile)
{
    cf_reader *reader = &driver->reader;
    const cf_library *library = &driver->library;
    const cf_layout *layout = cf_layout_of_size(question->layout_size);
    reader->profile = profile;
    reader->probe_layout = layout == NULL;
    reader->layout = layout != NULL ? layout : cf_layout_native();
    cf_atomic_u32_store_relaxed(&reader->share->layout_size, reader->layout->size);
    reader->channel = question->channel;
    reader->fd = question->fd != 0;
    reader->can_block = (reader->fd ? library->blocking_receive_fd != NULL : library->blocking_receive != NULL) &&
                        (question->flags & profile->blocking_flag) == profile->blocking_flag;
    reader->wait_when_full = question->wait_when_full != 0;
    reader->coalesce_ns = question->coalesce_ns;
    reader->reconnect_ns = question->reconnect_ns;
    reader->open_flags = question->flags;
    cf_copy_text(reader->config, sizeof reader->config, question->config);
    cf_producer_init(&reader->producer, driver->consumer->ring);
    cf_clock_init(&reader->clock, profile->tick_num, profile->tick_den, profile->wrap_bits, question->device_clock != 0,
                  cf_epoch_offset_ns());
    reader->clock.follow = question->follow_clock != 0;
    cf_driver_go_on(reader);
    cf_clock_publish(&reader->clock, &reader->share->clock);
    reader->clock.settled_ns = reader->last_drain_ns = reader->heard_ns = cf_now_ns();
}

/* Opens: CanalOpen with a private writable copy of the configuration, then the reader thread. `why` (CF_WHY_BYTES)
 * gets the driver's own words when it failed, if there are any. CF_OK; CF_OPEN_FAILED with CanalOpen's result in *code;
 * CF_NOT_SUPPORTED: no such profile, or no CAN FD; CF_CLOSED: not loaded, or opened before; CF_THREAD_FAILED. */
CF_INLINE cf_status cf_driver_open(cf_driver *driver, const cf_open_question *question, char *why, long *code)
{
    cf_reader *reader = &driver->reader;
    const cf_library *library = &driver->library;
    const cf_profile *profile = cf_profile_named(question->profile);
    memset(why, 0, CF_WHY_BYTES);
    if (!driver->loaded || driver->started || cf_atomic_u32_load_acquire(&driver->closing))
        return CF_CLOSED;
    if (profile == NULL || (question->fd && (library->receive_fd == NULL || library->send_fd == NULL)))
        return CF_NOT_SUPPORTED;
    cf_driver_prepare(driver, question, profile);
    cf_atomic_u32_store_relaxed(&reader->share->calling, (uint32_t)CF_FN_open);
    reader->handle = cf_reader_open(reader);
    if (reader->handle <= 0) {
        *code = reader->handle;
        cf_driver_ask_why(driver, why);
        return CF_OPEN_FAILED;
    }
    if (!(profile->trust & CF_TRUST_FROM_OPEN)) /* else what was lost before this line would not count */
        cf_reader_overruns(reader, &reader->overruns_seen);
    cf_reader_poll_overruns(reader, reader->last_drain_ns);
    cf_mutex_lock(&driver->ending); /* who watches reads the reader only once it runs */
    driver->started = cf_thread_start(&reader->thread, cf_reader_main, reader, "canal_fast") == CF_OK;
    cf_mutex_unlock(&driver->ending);
    if (!driver->started) {
        CF_CANAL(library, close, (reader->handle));
        reader->handle = 0;
    }
    return driver->started ? CF_OK : CF_THREAD_FAILED;
}

/* Gives the reader up, which hangs in the driver; needs consumer->lock and a running reader. */
CF_INLINE void cf_driver_abandon(cf_driver *driver, cf_reader_state state)
{
    cf_reader *reader = &driver->reader;
    cf_consumer *consumer = driver->consumer;
    driver->abandoned = 1;
    cf_atomic_u32_store_release(&reader->written_off, 1);
    cf_sleep_ns(CF_LAST_WORDS_NS);
    /* acquire, from the last release in cf_presence_go and its like: the reader's counters and clock */
    if (cf_atomic_u32_load_acquire(&reader->share->presence.goings) != 0)
        cf_producer_publish(&reader->producer); /* ours now, with what it had not yet published */
    /* release, for the acquire in cf_consumer_has, as at the end of cf_reader_main */
    cf_atomic_u32_store_release(&consumer->share->state, (uint32_t)state);
    if (consumer->other_end != NULL)
        cf_bell_ring(consumer->other_end);
    cf_consumer_settle(consumer);
    cf_cond_broadcast(&consumer->readable);
}

/* One look after the reader by who looks every step_ns: one that hangs is given up. 1: it does. The channel has failed
 * then, but in a host that another will replace. Never waits for whoever ends the driver. */
CF_INLINE int cf_driver_watch(cf_driver *driver, cf_watch *watch, int64_t step_ns)
{
    cf_share *share = driver->consumer->share;
    int hangs = 0;
    if (!cf_watch_look(watch, &share->presence, step_ns) || !cf_mutex_trylock(&driver->ending))
        return 0;
    if (driver->started && !driver->joined && !driver->abandoned) {
        const int replaced = driver->consumer->other_end != NULL && driver->reader.reconnect_ns != 0;
        cf_mutex_lock(&driver->consumer->lock);
        if (cf_atomic_u32_load_acquire(&share->state) == CF_READER_RUNNING &&
            !cf_atomic_u32_load_acquire(&driver->reader.stop)) {
            share->failure = CF_DRIVER_HANGS;
            share->failure_code = (int64_t)cf_atomic_u32_load_relaxed(&share->presence.where);
            cf_driver_abandon(driver, replaced ? CF_READER_RUNNING : CF_READER_FAILED);
            hangs = 1;
        }
        cf_mutex_unlock(&driver->consumer->lock);
    }
    cf_mutex_unlock(&driver->ending);
    return hangs;
}

/* Ends the reader thread after a last drain; what the ring holds stays there. May be repeated.
 * A thread that publishes nothing between CF_STOP_LOOKS looks hangs in the driver and is abandoned. Looks count, not
 * time: where the machine stands still, or is too busy for either of us, nothing hangs. */
CF_INLINE void cf_driver_stop(cf_driver *driver)
{
    cf_reader *reader = &driver->reader;
    cf_consumer *consumer = driver->consumer;
    cf_atomic_u32 *state = &consumer->share->state;
    uint64_t seen = 0;
    int looks = 0;
    cf_mutex_lock(&driver->ending);
    if (driver->started && !driver->joined && !driver->abandoned) {
        cf_mutex_lock(&consumer->lock);
        cf_atomic_u32_store_release(&reader->stop, 1);
        cf_cond_broadcast(&consumer->writable);
        while (cf_atomic_u32_load_acquire(state) == CF_READER_RUNNING) {
            const uint64_t sequence = cf_atomic_u64_load_relaxed(&consumer->ring->sequence);
            if (sequence != seen)
                looks = 0;
            else if (looks == CF_STOP_LOOKS)
                break;
            seen = sequence;
            looks += !cf_cond_wait_until(&consumer->readable, &consumer->lock, cf_monotonic_ns() + CF_STOP_LOOK_NS);
        }
        if (cf_atomic_u32_load_acquire(state) == CF_READER_RUNNING)
            cf_driver_abandon(driver, CF_READER_STOPPED);
        cf_mutex_unlock(&consumer->lock);
        if (!driver->abandoned)
            cf_thread_join(&reader->thread);
        driver->joined = !driver->abandoned;
    }
    cf_mutex_unlock(&driver->ending);
}

/* Stops and closes the driver. May be repeated; *code gets what CanalClose returned, CF_CANAL_SUCCESS when it was
 * closed before or never opened. CF_TIMED_OUT, each time: the reader hangs in the driver, in the call CF_FN_... in
 * *code, so that was not called again, and the thread and all that it uses are left to it. */
CF_INLINE cf_status cf_driver_close(cf_driver *driver, long *code)
{
    cf_reader *reader = &driver->reader;
    cf_status status = CF_OK;
    *code = CF_CANAL_SUCCESS;
    cf_atomic_u32_store_release(&driver->closing, 1);
    cf_driver_stop(driver);
    cf_mutex_lock(&driver->ending);
    if (driver->abandoned) {
        *code = (long)cf_atomic_u32_load_relaxed(&reader->share->presence.where);
        status = CF_TIMED_OUT; /* the reader may hold `calls`, so nobody asks for it */
    } else if (!driver->closed) {
        cf_mutex_lock(&reader->calls);
        cf_atomic_u32_store_relaxed(&reader->share->calling, (uint32_t)CF_FN_close);
        if (reader->handle > 0)
            *code = CF_CANAL(reader->library, close, (reader->handle));
        cf_mutex_unlock(&reader->calls);
    }
    driver->closed = 1;
    cf_mutex_unlock(&driver->ending);
    return status;
}

#endif
