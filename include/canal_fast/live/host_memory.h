/* canal_fast/live/host_memory.h - the memory that a program shares with its host process.
 *
 * This header, then the ring of calls, then the ring of records. The same bytes for 32- and 64-bit programs: fixed
 * widths, explicit padding, offsets. The program writes calls and the host answers each in place; the host writes
 * records. Neither ever waits for a lock that the other might hold.
 */
#ifndef CANAL_FAST_LIVE_HOST_MEMORY_H
#define CANAL_FAST_LIVE_HOST_MEMORY_H

#include "consumer.h"
#include "request.h"

#ifndef CF_HOST_PROTOCOL
#define CF_HOST_PROTOCOL 3 /* changes with anything in the shared memory */
#endif

enum {
    CF_HOST_MAGIC = 0x46434243,
    CF_CALLS = 4,               /* that may wait for the host; a power of two */
    CF_CALL_BYTES = 96 * 1024,  /* of a call's question: 4096 classical frames */
    CF_CALL_SPIN_NS = 50000,    /* both sides look for so long before they sleep, */
    CF_FRAME_SPIN_NS = 100,     /* and for so much longer for each frame of the call */
    CF_BEAT_MS = 100,           /* between two signs of life of the host */
    CF_SILENT_BEATS = 20        /* so many missed: it does not answer */
};

#define CF_LEAVE_NS INT64_C(1000000000) /* for a host to end by itself */

enum { /* exit codes of the host */
       CF_HOST_DONE = 0,
       CF_HOST_USAGE = 2,
       CF_HOST_NO_MEMORY = 3,
       CF_HOST_OTHER_VERSION = 4,
       CF_HOST_SECOND = 5,
       CF_HOST_NO_DRIVER = 6, /* it could not open the driver as the one before did */
       CF_HOST_HUNG = 7       /* the driver does not return to the reader */
};

/* A cf_request, flat. */
typedef struct cf_call {
    uint32_t operation; /* cf_operation */
    uint32_t status;    /* the answer: cf_status */
    int64_t code;       /* the answer: from the driver */
    int64_t timeout_ns;
    uint64_t count, value;
    uint64_t result; /* the answer */
    uint8_t question[CF_CALL_BYTES];
    uint8_t answer[CF_ANSWER_BYTES];
} cf_call;

typedef struct cf_host_memory {
    uint32_t magic, version; /* of the program; these and the host's version stay where they are for ever */
    cf_atomic_u32 host_version; /* a number alone */
    cf_atomic_u32 attached;     /* only the first host to set it goes on; a flag alone: each call has its own pair */
    uint32_t bytes, call_bytes; /* sizes of this struct and of cf_call */
    uint64_t calls_offset, ring_offset;
    cf_atomic_u32 beats;        /* the host counts it up every CF_BEAT_MS */
    cf_atomic_u32 caller_waits; /* ring when a call is answered */
    cf_atomic_u32 host_waits;   /* ring when a call is there */
    uint32_t resume;       /* a host that attaches is to open the driver as the one before did: */
    cf_atomic_u32 resumed; /* it has; a flag alone, as `attached` */
    uint32_t pad;
    uint64_t convention;
    char path[4096]; /* of the library; empty: none is loaded, or its name is too long to be loaded again */
    cf_open_question open;
    cf_share share;
} cf_host_memory;

/* Up to whole cache lines: a ring's two sides lie in different ones only where it begins with one. */
CF_INLINE size_t cf_host_whole_lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

CF_INLINE size_t cf_host_bytes(uint64_t ring_capacity, uint32_t slot_size)
{
    return cf_host_whole_lines(sizeof(cf_host_memory)) + cf_host_whole_lines(cf_ring_bytes(CF_CALLS, sizeof(cf_call))) +
           cf_ring_bytes(ring_capacity, slot_size);
}

/* Prepares cf_host_bytes(...) of zeros. */
CF_INLINE void cf_host_lay_out(cf_host_memory *memory, uint64_t ring_capacity, uint32_t slot_size)
{
    memory->magic = CF_HOST_MAGIC;
    memory->version = CF_HOST_PROTOCOL;
    memory->bytes = sizeof *memory;
    memory->call_bytes = sizeof(cf_call);
    memory->calls_offset = cf_host_whole_lines(sizeof *memory);
    memory->ring_offset = memory->calls_offset + cf_host_whole_lines(cf_ring_bytes(CF_CALLS, sizeof(cf_call)));
    cf_ring_init((char *)memory + memory->calls_offset, CF_CALLS, sizeof(cf_call));
    cf_ring_init((char *)memory + memory->ring_offset, ring_capacity, slot_size);
}

CF_INLINE cf_ring *cf_host_calls(cf_host_memory *memory)
{
    return (cf_ring *)(void *)((char *)memory + memory->calls_offset);
}

/* Call `index`; a corrupted ring does not lead out of it. */
CF_INLINE cf_call *cf_host_call(cf_ring *calls, uint64_t index)
{
    return (cf_call *)(void *)((char *)calls + sizeof *calls) + (index & (CF_CALLS - 1));
}

CF_INLINE cf_ring *cf_host_ring(cf_host_memory *memory)
{
    return (cf_ring *)(void *)((char *)memory + memory->ring_offset);
}

/* Looks for about as long as `frames` take to be sent whether *index got past `last`: to sleep and to be woken would
 * take longer. Acquire, from the release of who moved it: the call, or the answer. */
CF_INLINE int cf_host_spin(const cf_atomic_u64 *index, uint64_t last, uint64_t frames)
{
    const int64_t end_ns = cf_now_ns() + CF_CALL_SPIN_NS + (int64_t)frames * CF_FRAME_SPIN_NS;
    unsigned i;
    do
        for (i = 0; i < 32; i++) {
            if (cf_atomic_u64_load_acquire(index) > last)
                return 1;
            cf_relax();
        }
    while (cf_now_ns() < end_ns);
    return 0;
}

#endif
