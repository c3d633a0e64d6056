/* canal_fast/live/reader.h - draining a driver into a ring: the state of it, and one message.
 *
 * Whole drains are in reader_drain.h, the thread that does them again and again in reader_thread.h. What a
 * caller holds is in port.h.
 */
#ifndef CANAL_FAST_LIVE_READER_H
#define CANAL_FAST_LIVE_READER_H

#include "clock_publish.h"
#include "consumer.h"
#include "request.h"
#include "../drivers/library.h"
#include "../drivers/message.h"
#include "../drivers/profile.h"

enum {
    CF_DRAIN_CHUNK = 256,      /* messages between two looks at the clock and the stop flag */
    CF_IDLE_ROUNDS = 20,       /* empty drains of a busy bus before the thread waits in blocking receives */
    CF_BLOCKING_SLICE_MS = 50, /* how long such a wait may last: never 0, which some take as for ever */
    CF_ROUND_CHUNKS = 256      /* a drain ends after so many, whatever still comes */
};
enum { CF_READER_GONE = -2 };
#define CF_SILENCE_NS INT64_C(500000000) /* after so long a driver is asked whether it is still there */
#define CF_OVERRUN_POLL_NS 1000000000LL
#define CF_LOOK_NS INT64_C(1000000) /* no look at the two clocks of the host may take longer */
#define CF_STOPPED_DRAIN_NS INT64_C(500000000) /* a drain ends after so long once the thread is to stop */

/* `calls` guards the handle and every call to the driver but receiving. Where the consumer's lock is held, too,
 * `calls` was taken first. */
typedef struct cf_reader {
    const cf_library *library;
    const cf_profile *profile;
    cf_share *share;
    cf_consumer *consumer;
    const cf_layout *layout;   /* the thread's; others see share->layout_size */
    long handle; /* 0: closed until it can be opened again */
    uint32_t channel;
    int probe_layout;   /* find the layout out from the first message */
    int wait_when_full; /* stop draining instead of dropping */
    int can_block;      /* blocking calls may be used */
    int fd;             /* records of 80 bytes; frames come through the FD entry points */
    int overran;        /* the driver lost frames since its statistics were read */
    int64_t coalesce_ns;
    int64_t reconnect_ns; /* time between two tries to open a driver that failed; 0: never */
    unsigned long open_flags;
    char config[CF_CONFIG_BYTES], config_copy[CF_CONFIG_BYTES]; /* some drivers write into what they are given */
    cf_atomic_u32 stop;        /* a flag alone: nothing else is read because it is set */
    cf_atomic_u32 written_off; /* the driver did not return from a receive: the thread is to touch nothing more; a flag
                                * alone: what the thread may still touch it has CF_LAST_WORDS_NS for */
    cf_mutex calls;
    /* the thread's own */
    cf_thread thread;
    cf_sleeper sleeper;
    cf_producer producer;
    cf_clock clock;
    int busy; /* the last two deliveries came within twice the time of coalescing: it pays to sleep */
    int polls_vain; /* since the last frame from a wait in the driver no drain has found one */
    unsigned slice_ms; /* how long the next wait in the driver may last; twice that after one in vain */
    int64_t delivered_ns; /* when something came last */
    int64_t last_drain_ns, last_overrun_poll_ns;
    int64_t heard_ns; /* when the last frame came, or the driver was last asked */
    uint64_t overruns_seen; /* what the driver said when it was last asked */
    uint64_t slot[CF_SLOT_BYTES / 8];
    cf_filter_copy filters;
} cf_reader;

/* How many frames the driver says it lost, into *lost; 0 when it cannot tell. */
CF_INLINE int cf_reader_overruns(const cf_reader *reader, uint64_t *lost)
{
    uint64_t words[CF_SLOT_BYTES / 8];
    const unsigned word = reader->layout->word;
    memset(words, 0, sizeof words);
    if (!(reader->profile->trust & CF_TRUST_STATISTICS) || reader->library->get_statistics == NULL ||
        CF_CANAL(reader->library, get_statistics, (reader->handle, words)) != CF_CANAL_SUCCESS)
        return 0;
    *lost = cf_slot_word((const uint8_t *)words, 4 * word);
    return 1;
}

CF_INLINE void cf_reader_poll_overruns(cf_reader *reader, int64_t now_ns)
{
    uint64_t lost = 0;
    reader->last_overrun_poll_ns = now_ns;
    reader->overran = 0;
    if (cf_reader_overruns(reader, &lost)) {
        const uint32_t more = (uint32_t)(lost - reader->overruns_seen); /* it counts in 32 bits, the ledger in 64 */
        reader->producer.counters.driver_overruns += more < 0x80000000u ? more : (uint32_t)lost; /* else set to 0 */
        reader->overruns_seen = lost;
        cf_atomic_u32_store_relaxed(&reader->share->overruns_known, 1);
    }
}

/* The layout, from the first message received. 1: known now; 0: nothing was written; -1: unknown. */
CF_INLINE int cf_reader_probe(cf_reader *reader)
{
    const cf_layout untouched = {0, 0, 0, 0, 0, 0, 0, 0};
    const cf_layout *found = cf_layout_probe((const uint8_t *)reader->slot, &untouched);
    if (found == &untouched)
        return 0;
    if (found == NULL) {
        reader->share->failure = CF_LAYOUT_UNKNOWN;
        return -1;
    }
    reader->layout = found;
    cf_atomic_u32_store_relaxed(&reader->share->layout_size, found->size);
    reader->probe_layout = 0;
    return 1;
}

/* Whether the filters keep this frame. The filters in force when the driver handed the frame over are asked, so a frame
 * that reaches the driver after a change of filters is judged by the new ones. */
CF_INLINE int cf_reader_wants(cf_reader *reader, const cf_frame_head *head)
{
    return cf_filter_table_wants(&reader->share->filters, &reader->filters, head, reader->producer.written);
}

/* Takes the message in the slot apart and keeps it, or counts why not. 1: done;
 * 0: there was none; -1: the driver failed. */
CF_INLINE int cf_reader_keep(cf_reader *reader, int64_t now_ns)
{
    const uint8_t *slot = (const uint8_t *)reader->slot;
    cf_producer *producer = &reader->producer;
    cf_fd_frame spare;
    void *record = cf_producer_reserve(producer, &spare);
    cf_frame_head *frame = (cf_frame_head *)record;
    cf_message_kind kind;
    uint32_t ticks = 0;
    if (CF_UNLIKELY(reader->probe_layout) && !reader->fd) {
        const int known = cf_reader_probe(reader);
        if (known != 1)
            return known;
    }
    kind = reader->fd ? cf_message_fd_decode(slot, reader->channel, (cf_fd_frame *)record, &ticks)
                      : cf_message_decode(slot, reader->layout, reader->channel, (cf_frame *)record, &ticks);
    if (CF_UNLIKELY(kind == CF_MESSAGE_UNTOUCHED))
        return 0;
    producer->counters.received++;
    if (CF_UNLIKELY(kind == CF_MESSAGE_MALFORMED)) {
        producer->counters.malformed++;
        return 1;
    }
    frame->timestamp_ns = CF_UNLIKELY(frame->flags & CF_FLAG_STATUS) ? cf_clock_status_stamp(&reader->clock)
                                                                     : cf_clock_stamp(&reader->clock, ticks, now_ns);
    if (!cf_reader_wants(reader, frame))
        producer->counters.filtered++;
    else
        cf_producer_commit(producer, record, &spare);
    return 1;
}

/* Before a call to the driver by the thread, or some of the same function. */
CF_INLINE void cf_reader_go(cf_reader *reader, int function)
{
    cf_presence_go(&reader->share->presence, function);
}

/* After it. 1: the thread was given up meanwhile, and is to touch nothing more. */
CF_INLINE int cf_reader_back(cf_reader *reader)
{
    if (CF_UNLIKELY(cf_atomic_u32_load_acquire(&reader->written_off)))
        return 1;
    cf_presence_back(&reader->share->presence);
    return 0;
}

/* What a receive call that gave no message says. 0: there was none; -1: the driver failed (failure_code says how). */
CF_INLINE int cf_reader_refused(cf_reader *reader, long code)
{
    if (cf_code_in(reader->profile->empty | CF_CODES_BUS, code))
        return 0;
    reader->share->failure = CF_DRIVER_FAILED;
    reader->share->failure_code = code;
    return -1;
}

/* One receive call for a message of this layout, after cf_reader_go for CF_FN_receive and before cf_reader_back:
 * blocking for at most timeout_ms, or not at all when that is 0. 1: a message is in the slot; 0, -1: cf_reader_refused;
 * CF_READER_GONE: the channel has been given up meanwhile, and nothing of it is this thread's any more. */
CF_ALWAYS_INLINE int cf_reader_receive_layout(cf_reader *reader, const cf_layout *layout, unsigned long timeout_ms)
{
    uint8_t *slot = (uint8_t *)reader->slot;
    long code;
    cf_slot_poison(slot, layout);
    cf_presence_again(&reader->share->presence);
    code = timeout_ms == 0 ? CF_CANAL(reader->library, receive, (reader->handle, slot))
                           : CF_CANAL(reader->library, blocking_receive, (reader->handle, slot, timeout_ms));
    if (CF_UNLIKELY(cf_atomic_u32_load_acquire(&reader->written_off)))
        return CF_READER_GONE;
    return CF_LIKELY(code == CF_CANAL_SUCCESS) ? 1 : cf_reader_refused(reader, code);
}

/* The same for a channel of either kind, also while its layout is not known. */
CF_INLINE int cf_reader_receive(cf_reader *reader, unsigned long timeout_ms)
{
    uint8_t *slot = (uint8_t *)reader->slot;
    long code;
    if (CF_LIKELY(!reader->fd && !reader->probe_layout))
        return cf_reader_receive_layout(reader, reader->layout, timeout_ms);
    if (reader->probe_layout)
        memset(slot, CF_POISON, CF_SLOT_BYTES);
    else
        cf_slot_poison(slot, cf_layout_fd());
    cf_presence_again(&reader->share->presence);
    if (!reader->fd)
        code = timeout_ms == 0 ? CF_CANAL(reader->library, receive, (reader->handle, slot))
                               : CF_CANAL(reader->library, blocking_receive, (reader->handle, slot, timeout_ms));
    else
        code = timeout_ms == 0 ? CF_CANAL(reader->library, receive_fd, (reader->handle, slot))
                               : CF_CANAL(reader->library, blocking_receive_fd, (reader->handle, slot, timeout_ms));
    if (CF_UNLIKELY(cf_atomic_u32_load_acquire(&reader->written_off)))
        return CF_READER_GONE;
    return CF_LIKELY(code == CF_CANAL_SUCCESS) ? 1 : cf_reader_refused(reader, code);
}

CF_INLINE int cf_reader_must_wait(cf_reader *reader)
{
    return reader->wait_when_full && cf_producer_room(&reader->producer, 1) == 0;
}

/* Was the host's clock set? Then the books tell, and the next record is to bear CLOCK_STEP. */
CF_INLINE void cf_reader_look_at_clock(cf_reader *reader)
{
    const int64_t before_ns = cf_now_ns(), epoch_ns = (int64_t)cf_realtime_ns(), after_ns = cf_now_ns();
    const cf_clock_step *step = &reader->clock.step;
    cf_counters *counters = &reader->producer.counters;
    if (after_ns - before_ns > CF_LOOK_NS) /* interrupted between the two clocks */
        return;
    if (CF_LIKELY(!cf_clock_look(&reader->clock, before_ns, epoch_ns - before_ns)))
        return;
    if (!reader->clock.device)
        reader->producer.marks |= CF_FLAG_CLOCK_STEP;
    counters->clock_steps = step->count;
    counters->clock_step_ns = (uint64_t)(step->at_ns + step->after_ns);
    counters->clock_step_before_ns = (uint64_t)step->before_ns;
    counters->clock_step_after_ns = (uint64_t)step->after_ns;
}

/* After a run of frames that ended now: what they tell of the clock. */
CF_INLINE void cf_reader_observe(cf_reader *reader, int64_t now_ns)
{
    if (reader->clock.fresh) {
        reader->producer.counters.clock_resets = reader->clock.resets;
        cf_clock_observe(&reader->clock, now_ns);
        cf_clock_publish(&reader->clock, &reader->share->clock);
        cf_atomic_u64_store_relaxed(&reader->share->last_stamp_ns, (uint64_t)reader->clock.last_ns);
    }
}

#endif
