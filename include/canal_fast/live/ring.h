/* canal_fast/live/ring.h - a single-producer single-consumer ring of records, with its ledger.
 *
 * One block of memory: this header, then the slots. It holds sizes and offsets, no pointers, so that
 * the two sides may be in different processes. The producer publishes its counters and its write
 * index together, under a sequence number that is odd meanwhile, so that the ledger is consistent.
 */
#ifndef CANAL_FAST_LIVE_RING_H
#define CANAL_FAST_LIVE_RING_H

#include "../atomic.h"
#include "../frame.h"

enum { CF_RING_VERSION = 1 };

/* The producer's counters. X(name, meaning) */
/* clang-format off */
#define CF_PRODUCER_COUNTERS(X)                                                           \
    X(received, "everything the driver handed over, status messages included")            \
    X(malformed, "not delivered because no such frame exists")                            \
    X(filtered, "not delivered because of the filters")                                   \
    X(dropped, "not delivered because the ring was full")                                 \
    X(status_messages, "status messages among the delivered and pending")                 \
    X(high_water, "largest number of records that waited in the ring")                    \
    X(gaps, "runs of dropped frames and outages that a GAP flag marks")                   \
    X(driver_overruns, "frames the driver says it lost")                                  \
    X(driver_queue_high_water, "largest number of frames seen waiting in the driver")     \
    X(longest_drain_gap_ns, "longest time between two drains of the driver")              \
    X(outages, "times that the driver failed and was to be opened again")                 \
    X(outage_ns, "how long all of them lasted")                                           \
    X(clock_resets, "times that the device's counter was reset, or ran ahead of time")    \
    X(clock_steps, "times that the host's clock was set")                                 \
    X(clock_step_ns, "when it last was, in ns since 1970 by the clock as set")            \
    X(clock_step_before_ns, "time since 1970 - monotonic time before that, signed")       \
    X(clock_step_after_ns, "and after it")

typedef struct cf_counters {
#define CF_COUNTER_MEMBER(name, meaning) uint64_t name;
    CF_PRODUCER_COUNTERS(CF_COUNTER_MEMBER)
} cf_counters;

typedef struct cf_ring {
    uint32_t version, slot_size; /* 24 or 80 */
    uint64_t capacity;           /* slots; a power of two */
    uint64_t slots_offset;       /* from the start of this struct */
    uint8_t pad0[64 - 24];
    /* written by the producer */
    cf_atomic_u64 sequence; /* odd while the lines below change */
    cf_atomic_u64 written;  /* records published, ever */
#define CF_COUNTER_SHARED(name, meaning) cf_atomic_u64 name;
    CF_PRODUCER_COUNTERS(CF_COUNTER_SHARED)
    uint8_t pad1[64];
    /* written by the consumer */
    cf_atomic_u64 taken;     /* records taken out, ever: the read index */
    cf_atomic_u64 delivered; /* records copied to the caller */
    uint8_t pad2[64 - 16];
} cf_ring;
/* clang-format on */

/* A consistent view of both sides. */
typedef struct cf_ledger {
    cf_counters counters;
    uint64_t delivered, pending;
} cf_ledger;

/* Bytes to allocate (8-byte aligned) for a ring of `capacity` slots; capacity is a power of two. */
CF_INLINE size_t cf_ring_bytes(uint64_t capacity, uint32_t slot_size)
{
    return sizeof(cf_ring) + (size_t)(capacity * slot_size);
}

/* Prepares `memory`, cf_ring_bytes(...) long. */
CF_INLINE cf_ring *cf_ring_init(void *memory, uint64_t capacity, uint32_t slot_size)
{
    cf_ring *ring = (cf_ring *)memory;
    memset(ring, 0, sizeof *ring);
    ring->version = CF_RING_VERSION;
    ring->slot_size = slot_size;
    ring->capacity = capacity;
    ring->slots_offset = sizeof *ring;
    return ring;
}

CF_INLINE char *cf_ring_slot(const cf_ring *ring, uint64_t index)
{
    return (char *)ring + ring->slots_offset + (index & (ring->capacity - 1)) * ring->slot_size;
}

/* ---- producer ---- */

typedef struct cf_producer {
    cf_ring *ring;
    uint64_t written; /* not yet published ones included */
    uint64_t taken;   /* the consumer's index as last seen */
    uint16_t marks;   /* flags that the next record kept is to bear; CF_FLAG_GAP: some before it were lost */
    cf_counters counters;
} cf_producer;

/* Goes on where a producer before this one ended, or from zeros. */
CF_INLINE void cf_producer_init(cf_producer *producer, cf_ring *ring)
{
    memset(producer, 0, sizeof *producer);
    producer->ring = ring;
    producer->written = cf_atomic_u64_load_acquire(&ring->written); /* acquire: an earlier producer's counters */
    producer->taken = cf_atomic_u64_load_acquire(&ring->taken);     /* as in cf_producer_room */
#define CF_COUNTER_GO_ON(name, meaning) producer->counters.name = cf_atomic_u64_load_relaxed(&ring->name);
    CF_PRODUCER_COUNTERS(CF_COUNTER_GO_ON)
#undef CF_COUNTER_GO_ON
}

/* Free slots, at least; looks at the consumer's index only when fewer than `wanted` seem free. */
CF_INLINE uint64_t cf_producer_room(cf_producer *producer, uint64_t wanted)
{
    const uint64_t capacity = producer->ring->capacity;
    uint64_t room = capacity - (producer->written - producer->taken);
    if (CF_UNLIKELY(room < wanted)) {
        /* acquire, from the release in cf_ring_take: the consumer has copied what the free slots held */
        producer->taken = cf_atomic_u64_load_acquire(&producer->ring->taken);
        room = capacity - (producer->written - producer->taken);
    }
    return room;
}

/* Where the next record is to be written: a slot, or `spare` when the ring is full. */
CF_INLINE void *cf_producer_reserve(cf_producer *producer, void *spare)
{
    if (CF_UNLIKELY(cf_producer_room(producer, 1) == 0))
        return spare;
    return cf_ring_slot(producer->ring, producer->written);
}

/* Where the next records are to be written, and in *count how many fit there in one piece, at most `wanted`;
 * 0 when the ring is full. */
CF_INLINE char *cf_producer_span(cf_producer *producer, uint64_t wanted, uint64_t *count)
{
    const cf_ring *ring = producer->ring;
    const uint64_t to_end = ring->capacity - (producer->written & (ring->capacity - 1));
    *count = cf_producer_room(producer, wanted);
    if (*count > wanted)
        *count = wanted;
    if (*count > to_end)
        *count = to_end;
    return cf_ring_slot(ring, producer->written);
}

/* Keeps the record written there. One in `spare` is moved to a slot if there is room by now; only with the ring full
 * at this moment it counts as dropped. Not visible before cf_producer_publish. */
CF_INLINE void cf_producer_commit(cf_producer *producer, void *record, const void *spare)
{
    cf_frame_head *frame = (cf_frame_head *)record;
    if (CF_UNLIKELY(record == spare)) {
        if (cf_producer_room(producer, 1) == 0) {
            producer->counters.dropped++;
            producer->marks |= CF_FLAG_GAP;
            return;
        }
        frame = (cf_frame_head *)cf_ring_slot(producer->ring, producer->written);
        memcpy(frame, record, producer->ring->slot_size);
    }
    if (CF_UNLIKELY(producer->marks)) {
        frame->flags |= producer->marks;
        producer->counters.gaps += (producer->marks & CF_FLAG_GAP) != 0;
        producer->marks = 0;
    }
    if (CF_UNLIKELY(frame->flags & CF_FLAG_STATUS))
        producer->counters.status_messages++;
    producer->written++;
}

/* Makes everything committed visible, counters with it. */
CF_INLINE void cf_producer_publish(cf_producer *producer)
{
    cf_ring *ring = producer->ring;
    const uint64_t sequence = cf_atomic_u64_load_relaxed(&ring->sequence);
    const uint64_t waiting = producer->written - cf_atomic_u64_load_relaxed(&ring->taken); /* a number alone */
    if (waiting > producer->counters.high_water)
        producer->counters.high_water = waiting;
    cf_atomic_u64_store_relaxed(&ring->sequence, sequence + 1);
    cf_atomic_fence(); /* with the fence in cf_ring_ledger: who reads one new counter finds another sequence then */
#define CF_COUNTER_PUBLISH(name, meaning) cf_atomic_u64_store_relaxed(&ring->name, producer->counters.name);
    CF_PRODUCER_COUNTERS(CF_COUNTER_PUBLISH)
    /* release, for the acquire in cf_ring_pending: who reads the index reads the records before it */
    cf_atomic_u64_store_release(&ring->written, producer->written);
    /* release, for the acquire in cf_ring_ledger: who reads the even number reads these counters or later ones */
    cf_atomic_u64_store_release(&ring->sequence, sequence + 2);
}

/* ---- consumer ---- */

/* Where the slots are. A producer in another process could overwrite it, were its memory to be corrupted. */
typedef struct cf_ring_shape {
    uint32_t slot_size;
    uint64_t capacity, slots_offset;
} cf_ring_shape;

CF_INLINE cf_ring_shape cf_ring_shape_of(const cf_ring *ring)
{
    cf_ring_shape shape;
    shape.slot_size = ring->slot_size;
    shape.capacity = ring->capacity;
    shape.slots_offset = ring->slots_offset;
    return shape;
}

/* Gives the ring its shape back, so that nothing outside its memory is touched. */
CF_INLINE void cf_ring_reshape(cf_ring *ring, const cf_ring_shape *shape)
{
    if (CF_UNLIKELY(ring->slot_size != shape->slot_size || ring->capacity != shape->capacity ||
                    ring->slots_offset != shape->slots_offset)) {
        ring->slot_size = shape->slot_size;
        ring->capacity = shape->capacity;
        ring->slots_offset = shape->slots_offset;
    }
}

/* Records waiting to be taken. Acquire, from the release in cf_producer_publish: the records are there. */
CF_INLINE uint64_t cf_ring_pending(const cf_ring *ring)
{
    return cf_atomic_u64_load_acquire(&ring->written) - cf_atomic_u64_load_relaxed(&ring->taken);
}

/* Copies at most `count` records to `records`, oldest first; returns how many. */
CF_INLINE size_t cf_ring_take(cf_ring *ring, void *records, size_t count)
{
    const uint64_t taken = cf_atomic_u64_load_relaxed(&ring->taken);
    const uint64_t waiting = cf_ring_pending(ring), capacity = ring->capacity;
    const uint64_t pending = waiting < capacity ? waiting : capacity;
    const uint64_t to_end = ring->capacity - (taken & (ring->capacity - 1));
    size_t first;
    if (count > pending)
        count = (size_t)pending;
    first = count < to_end ? count : (size_t)to_end;
    memcpy(records, cf_ring_slot(ring, taken), first * ring->slot_size);
    memcpy((char *)records + first * ring->slot_size, cf_ring_slot(ring, 0), (count - first) * ring->slot_size);
    /* release, for the acquire in cf_producer_room: the slots are read before they are written anew */
    cf_atomic_u64_store_release(&ring->taken, taken + count);
    cf_atomic_u64_store_relaxed(&ring->delivered, cf_atomic_u64_load_relaxed(&ring->delivered) + count);
    return count;
}

/* Of the records just taken, so many are not for the caller: they count as filtered. */
CF_INLINE void cf_ring_withhold(cf_ring *ring, size_t count)
{
    cf_atomic_u64_store_relaxed(&ring->delivered, cf_atomic_u64_load_relaxed(&ring->delivered) - count);
}

/* Both sides at one moment. Needs that no consumer takes records meanwhile. */
CF_INLINE void cf_ring_ledger(const cf_ring *ring, cf_ledger *ledger)
{
    uint64_t before, written;
    do {
        do /* acquire, from the last release in cf_producer_publish: counters as of this number or later */
            before = cf_atomic_u64_load_acquire(&ring->sequence);
        while (before & 1);
        written = cf_atomic_u64_load_relaxed(&ring->written);
#define CF_COUNTER_READ(name, meaning) ledger->counters.name = cf_atomic_u64_load_relaxed(&ring->name);
        CF_PRODUCER_COUNTERS(CF_COUNTER_READ)
        cf_atomic_fence(); /* with the fence in cf_producer_publish: a later counter shows as a later number below */
    } while (cf_atomic_u64_load_relaxed(&ring->sequence) != before);
    ledger->delivered = cf_atomic_u64_load_relaxed(&ring->delivered);
    ledger->pending = written - cf_atomic_u64_load_relaxed(&ring->taken);
    ledger->counters.filtered += cf_atomic_u64_load_relaxed(&ring->taken) - ledger->delivered;
}

#endif
