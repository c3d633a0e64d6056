/* canal_fast/live/host_memory.h - the memory that a program shares with its host process.
 *
 * This header, then the ring of calls, then the ring of records. The same bytes for 32- and 64-bit programs: fixed
 * widths, explicit padding, offsets. The program writes calls and the host answers each in place; the host writes
 * records. Neither ever waits for a lock that the other might hold.
 */
#ifndef CANAL_FAST_LIVE_HOST_MEMORY_H
#define CANAL_FAST_LIVE_HOST_MEMORY_H

#include "port.h"

#ifndef CF_BRIDGE_VERSION
#define CF_BRIDGE_VERSION 1 /* changes with anything in the shared memory */
#endif

enum {
    CF_BRIDGE_MAGIC = 0x46434243,
    CF_CALLS = 4,               /* that may wait for the host; a power of two */
    CF_CALL_BYTES = 96 * 1024,  /* of frames, filters or text with a call: 4096 classical frames */
    CF_WHY_BYTES = 512,
    CF_CALL_SPIN_NS = 50000,    /* both sides look for so long before they sleep, */
    CF_FRAME_SPIN_NS = 100,     /* and for so much longer for each frame of the call */
    CF_BEAT_MS = 100,           /* between two beats of the host's heart */
    CF_SILENT_BEATS = 20        /* so many missed: it does not answer */
};

#define CF_LEAVE_NS INT64_C(1000000000) /* for a host to end by itself */

/* X(name, what, for how many seconds beyond its own time limit the driver may take) */
/* clang-format off */
#define CF_CALL_LIST(X)                             \
    X(LOAD, "loading the library", 60)              \
    X(OPEN, "CanalOpen", 60)                        \
    X(STOP, "CanalReceive", 10)                     \
    X(CLOSE, "CanalClose", 20)                      \
    X(FILTER, "set_filters", 5)                     \
    X(SEND, "CanalSend", 5)                         \
    X(STATUS, "CanalGetStatus", 10)                 \
    X(STATISTICS, "CanalGetStatistics", 10)         \
    X(SET, "CanalSetFilter", 10)                    \
    X(VERSIONS, "CanalGetVersion", 10)

typedef enum cf_operation {
#define CF_CALL_ENUM(name, what, patience_s) CF_CALL_##name,
    CF_CALL_LIST(CF_CALL_ENUM)
#undef CF_CALL_ENUM
    CF_CALL_COUNT
} cf_operation;
/* clang-format on */

enum { /* exit codes of the host */
       CF_HOST_DONE = 0,
       CF_HOST_USAGE = 2,
       CF_HOST_NO_MEMORY = 3,
       CF_HOST_OTHER_VERSION = 4,
       CF_HOST_SECOND = 5
};

typedef struct cf_call {
    uint32_t operation; /* cf_operation */
    uint32_t status;    /* the answer: cf_status */
    int64_t code;       /* the answer: from the driver */
    int64_t timeout_ns;
    uint64_t count;  /* frames or filters in the body; SET: the function; LOAD, the answer: decorated */
    uint64_t value;  /* SEND: bytes from frame to frame; SET: what is to be set; LOAD: convention, then cdecl_calls */
    uint64_t result; /* the answer: SEND: frames accepted; LOAD: functions found; STATISTICS: filled */
    uint8_t body[CF_CALL_BYTES];
} cf_call;

/* In an OPEN call's body, `filter_count` filters follow. */
typedef struct cf_call_open {
    char config[CF_CONFIG_BYTES], profile[32];
    uint32_t flags, layout_size /* 0: find out */, channel, wait_when_full, device_clock, filter_count, fd, follow_clock;
    int64_t coalesce_ns, reconnect_ns;
} cf_call_open;

typedef struct cf_bridge_share {
    uint32_t magic, version; /* of the program; these and the host's version stay where they are for ever */
    cf_atomic_u32 host_version;
    cf_atomic_u32 attached; /* only the first host to set it goes on */
    uint32_t bytes, call_bytes; /* sizes of this struct and of cf_call */
    uint64_t calls_offset, ring_offset;
    cf_atomic_u32 heart;        /* the host counts it up every CF_BEAT_MS */
    cf_atomic_u32 caller_waits; /* ring when a call is answered */
    cf_atomic_u32 host_waits;   /* ring when a call is there */
    uint32_t pad;
    cf_share share;
} cf_bridge_share;

enum { CF_BRIDGE_FILTERS = (CF_CALL_BYTES - sizeof(cf_call_open)) / sizeof(cf_filter) };

CF_INLINE size_t cf_bridge_bytes(uint64_t ring_capacity, uint32_t slot_size)
{
    return sizeof(cf_bridge_share) + cf_ring_bytes(CF_CALLS, sizeof(cf_call)) + cf_ring_bytes(ring_capacity, slot_size);
}

/* Prepares cf_bridge_bytes(...) of zeros. */
CF_INLINE void cf_bridge_lay_out(cf_bridge_share *share, uint64_t ring_capacity, uint32_t slot_size)
{
    share->magic = CF_BRIDGE_MAGIC;
    share->version = CF_BRIDGE_VERSION;
    share->bytes = sizeof *share;
    share->call_bytes = sizeof(cf_call);
    share->calls_offset = sizeof *share;
    share->ring_offset = share->calls_offset + cf_ring_bytes(CF_CALLS, sizeof(cf_call));
    cf_ring_init((char *)share + share->calls_offset, CF_CALLS, sizeof(cf_call));
    cf_ring_init((char *)share + share->ring_offset, ring_capacity, slot_size);
}

CF_INLINE cf_ring *cf_bridge_calls(cf_bridge_share *share)
{
    return (cf_ring *)(void *)((char *)share + share->calls_offset);
}

/* Call `index`; a corrupted ring does not lead out of it. */
CF_INLINE cf_call *cf_bridge_call(cf_ring *calls, uint64_t index)
{
    return (cf_call *)(void *)((char *)calls + sizeof *calls) + (index & (CF_CALLS - 1));
}

CF_INLINE cf_ring *cf_bridge_ring(cf_bridge_share *share)
{
    return (cf_ring *)(void *)((char *)share + share->ring_offset);
}

/* Looks for about as long as `frames` take to be sent whether *index got past `last`: to sleep and to be woken would
 * take longer. */
CF_INLINE int cf_bridge_spin(const cf_atomic_u64 *index, uint64_t last, uint64_t frames)
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

/* What a call does, and how many nanoseconds the driver may take beyond the call's own limit. */
CF_INLINE const char *cf_call_what(uint32_t operation, int64_t *patience_ns)
{
    static const struct {
        const char *what;
        int64_t patience_s;
    /* clang-format off */
    } rows[] = {
#define CF_CALL_ROW(name, what, patience_s) {what, patience_s},
        CF_CALL_LIST(CF_CALL_ROW)
#undef CF_CALL_ROW
    };
    /* clang-format on */
    *patience_ns = rows[operation].patience_s * INT64_C(1000000000);
    return rows[operation].what;
}

#endif
