/* canal_fast/live/reader_drain.h - draining a driver until it is empty, in batches where it offers them.
 *
 * What holds of the ring: a frame counts as dropped only if the ring was full when the driver had handed it over, not
 * when it was asked; and nobody waits in the driver while the ring is full.
 */
#ifndef CANAL_FAST_LIVE_READER_DRAIN_H
#define CANAL_FAST_LIVE_READER_DRAIN_H

#include "reader.h"

enum {
    CF_BATCH_RECORDS = 4096, /* at most, between two looks at the clock and the stop flag */
    CF_SPARE_RECORDS = 32    /* read at a time while the ring is full */
};

/* Stamps, filters and keeps `count` records that lie in the ring where the next are to be, or elsewhere because
 * that was full (`spare`). */
CF_INLINE void cf_reader_keep_batch(cf_reader *reader, char *records, size_t count, int spare, int64_t now_ns)
{
    cf_producer *producer = &reader->producer;
    const size_t size = producer->ring->slot_size;
    const int epoch = reader->profile->wrap_bits == CF_CLOCK_EPOCH;
    const char *at = records;
    char *kept = records;
    producer->counters.received += count;
    for (; count > 0; count--, at += size) {
        cf_frame_head *frame = (cf_frame_head *)kept;
        if (CF_UNLIKELY(kept != at))
            memmove(kept, at, size);
        frame->channel = (uint8_t)reader->channel;
        if (CF_UNLIKELY(frame->flags & CF_FLAG_GAP)) {
            frame->flags &= (uint16_t)~CF_FLAG_GAP;
            producer->marks |= CF_FLAG_GAP;
            reader->overran = 1;
        }
        if (CF_UNLIKELY(frame->flags & CF_FLAG_STATUS))
            frame->timestamp_ns = cf_clock_status_stamp(&reader->clock);
        else if (epoch)
            frame->timestamp_ns = cf_clock_stamp_epoch(&reader->clock, frame->timestamp_ns, now_ns);
        else
            frame->timestamp_ns = cf_clock_stamp(&reader->clock, (uint32_t)frame->timestamp_ns, now_ns);
        if (!cf_reader_wants(reader, frame)) {
            producer->counters.filtered++;
            continue;
        }
        cf_producer_commit(producer, frame, spare ? frame : NULL);
        if (!spare)
            kept += size;
    }
}

/* One batch receive, waiting at most timeout_ms. Returns as cf_reader_receive; *more: the driver may have more. */
CF_INLINE int cf_reader_batch(cf_reader *reader, unsigned long timeout_ms, int64_t now_ns, int *more)
{
    uint64_t spare[CF_SPARE_RECORDS * sizeof(cf_fd_frame) / 8];
    const unsigned long size = reader->producer.ring->slot_size;
    uint64_t room;
    char *records = cf_producer_span(&reader->producer, CF_BATCH_RECORDS, &room);
    const int full = room == 0;
    long code;
    *more = 0;
    if (CF_UNLIKELY(full)) {
        records = (char *)spare;
        room = CF_SPARE_RECORDS;
    }
    cf_reader_go(reader, CF_FN_receive_batch);
    code = CF_CANAL(reader->library, receive_batch, (reader->handle, records, size, (unsigned long)room, timeout_ms));
    if (CF_UNLIKELY(cf_reader_back(reader)))
        return CF_READER_GONE;
    if (timeout_ms != 0)
        now_ns = cf_now_ns();
    if (CF_UNLIKELY(code > (long)room)) /* more than there is room for: nothing it says is to be believed */
        code = -CF_CANAL_INTERNAL;
    if (CF_LIKELY(code > 0)) {
        cf_reader_look_at_clock(reader);
        cf_reader_keep_batch(reader, records, (size_t)code, full, now_ns);
        *more = (uint64_t)code == room;
        return 1;
    }
    if (code == 0 || cf_code_in(reader->profile->empty | CF_CODES_BUS, -code))
        return 0;
    reader->share->failure = CF_DRIVER_FAILED;
    reader->share->failure_code = -code;
    return -1;
}

/* May cf_reader_run take the next messages? Not those that bear a mark, tell the layout, or find no room. */
CF_INLINE int cf_reader_may_run(cf_reader *reader)
{
    return !reader->probe_layout && !reader->fd && reader->producer.marks == 0 && reader->clock.started &&
           cf_producer_room(&reader->producer, 1) != 0;
}

/* Receives messages of one layout into the slots that are free in one piece, at most CF_DRAIN_CHUNK: what stays the
 * same meanwhile is asked once. `ticked` 0: the driver's time stamps say nothing. What is no plain frame, or is the
 * first one after a change of filters, goes through cf_reader_keep and ends it. Returns as cf_reader_receive for the
 * last message; *any: one came. Needs cf_reader_may_run, and cf_reader_go before. */
CF_ALWAYS_INLINE int cf_reader_run(cf_reader *reader, const cf_layout *layout, int ticked, int64_t now_ns, int *any)
{
    cf_producer *producer = &reader->producer;
    cf_filter_table *table = &reader->share->filters;
    const cf_filter *rows = reader->filters.rows;
    const uint32_t rules = reader->filters.count, generation = reader->filters.generation;
    const unsigned channel = reader->channel;
    uint64_t room;
    cf_frame *to = (cf_frame *)(void *)cf_producer_span(producer, CF_DRAIN_CHUNK, &room);
    const cf_frame *const end = to + room;
    int64_t stamp_ns = 0;
    int got = 1, odd = 0, stamped = 0;
    if (!ticked)
        stamp_ns = cf_clock_host_stamp(&reader->clock, now_ns);
    while (to < end && stamped < CF_DRAIN_CHUNK) {
        uint32_t ticks;
        got = cf_reader_receive_layout(reader, layout, 0);
        if (CF_UNLIKELY(got == CF_READER_GONE))
            return got;
        if (CF_UNLIKELY(got != 1))
            break;
        /* acquire, as in cf_filter_table_wants, which looks again if it is odd */
        odd = cf_message_decode((const uint8_t *)reader->slot, layout, channel, to, &ticks) != CF_MESSAGE_FRAME ||
              (to->flags & CF_FLAG_STATUS) || cf_atomic_u32_load_acquire(&table->generation) != generation;
        if (CF_UNLIKELY(odd))
            break;
        stamped++;
        producer->counters.received++; /* at once, like the rest: the next call may not come back */
        to->timestamp_ns = ticked ? cf_clock_stamp(&reader->clock, ticks, now_ns) : stamp_ns;
        if (cf_filter_match(rows, rules, (const cf_frame_head *)(const void *)to)) {
            producer->written++;
            to++;
        } else {
            producer->counters.filtered++;
        }
    }
    if (!ticked)
        cf_clock_stamped(&reader->clock, (uint64_t)stamped, stamp_ns, now_ns);
    *any |= stamped != 0;
    if (CF_UNLIKELY(odd)) {
        got = cf_reader_keep(reader, now_ns);
        *any |= got == 1;
    }
    return got;
}

/* The same with the layout, and whether there are ticks, known to the compiler where they are usual. */
CF_INLINE int cf_reader_run_any(cf_reader *reader, int64_t now_ns, int *any)
{
    const cf_layout *usual = cf_layout_row(sizeof(long) == 8), *layout = reader->layout;
    if (CF_UNLIKELY(layout != usual))
        return cf_reader_run(reader, layout, 1, now_ns, any);
    return cf_clock_ticks(&reader->clock) ? cf_reader_run(reader, usual, 1, now_ns, any)
                                          : cf_reader_run(reader, usual, 0, now_ns, any);
}

/* The same for messages of any kind, one by one. */
CF_INLINE int cf_reader_walk(cf_reader *reader, int64_t now_ns, int *any)
{
    int got = 1;
    unsigned i;
    for (i = 0; i < CF_DRAIN_CHUNK && got == 1 && !cf_reader_must_wait(reader); i++) {
        got = cf_reader_receive(reader, 0);
        if (got == 1)
            got = cf_reader_keep(reader, now_ns);
        *any |= got == 1;
    }
    return got;
}

/* One batch, or at most CF_DRAIN_CHUNK messages. Returns as cf_reader_receive for the last of them; *any: one came. */
CF_INLINE int cf_reader_chunk(cf_reader *reader, int64_t now_ns, int *any)
{
    int got = 1, more = 1;
    if (reader->library->receive_batch != NULL) {
        if (cf_reader_must_wait(reader))
            return 1;
        got = cf_reader_batch(reader, 0, now_ns, &more);
        *any |= got == 1;
        return got == 1 && !more ? 0 : got;
    }
    cf_reader_look_at_clock(reader);
    cf_reader_go(reader, CF_FN_receive);
    if (CF_LIKELY(cf_reader_may_run(reader)))
        got = cf_reader_run_any(reader, now_ns, any);
    else
        got = cf_reader_walk(reader, now_ns, any);
    return CF_UNLIKELY(cf_reader_back(reader)) ? CF_READER_GONE : got;
}

/* May a drain go on? It ends after so many batches or messages, whatever still comes. */
CF_INLINE int cf_reader_may_go_on(const cf_reader *reader, unsigned chunks, uint64_t received_before)
{
    if (reader->library->receive_batch != NULL)
        return chunks < CF_ROUND_CHUNKS;
    return reader->producer.counters.received - received_before < CF_ROUND_CHUNKS * CF_DRAIN_CHUNK;
}

/* Drains until the driver is empty. 1: something came, 0: nothing, -1: the driver failed. */
CF_INLINE int cf_reader_drain(cf_reader *reader)
{
    int any = 0, got = 1;
    int64_t now_ns = cf_now_ns();
    const int64_t stopped_end_ns = now_ns + CF_STOPPED_DRAIN_NS;
    const uint64_t before = reader->producer.counters.received;
    unsigned chunk;
    for (chunk = 0; got == 1 && cf_reader_may_go_on(reader, chunk, before); chunk++) {
        const int64_t began_ns = now_ns;
        got = cf_reader_chunk(reader, began_ns, &any);
        if (CF_UNLIKELY(got == CF_READER_GONE))
            return got;
        now_ns = cf_now_ns();
        cf_reader_observe(reader, now_ns);
        if (CF_UNLIKELY(reader->overran))
            cf_reader_poll_overruns(reader, now_ns);
        if (got == 0)
            reader->clock.settled_ns = began_ns;
        cf_producer_publish(&reader->producer);
        cf_consumer_notify(reader->consumer, 0);
        if (cf_reader_must_wait(reader) || (now_ns >= stopped_end_ns && cf_atomic_u32_load_acquire(&reader->stop)))
            break;
    }
    return got < 0 ? -1 : any;
}

#endif
