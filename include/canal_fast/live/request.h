/* canal_fast/live/request.h - what may be asked of a driver: one struct, whoever carries it there.
 *
 * A thread port has it done in this process, a host port in the host: the same operations, the same answers. Questions
 * and answers are the same bytes for 32- and 64-bit programs: fixed widths, no pointers, explicit padding.
 */
#ifndef CANAL_FAST_LIVE_REQUEST_H
#define CANAL_FAST_LIVE_REQUEST_H

#include "../atomic.h"
#include "../base.h"

enum { CF_CONFIG_BYTES = 256, CF_WHY_BYTES = 512, CF_STATISTICS_WORDS = 7 };

/* X(name, seconds that the driver may take beyond the request's own time limit). The last one never reaches a
 * driver: it has the port freed. */
/* clang-format off */
#define CF_REQUEST_LIST(X)                                                                        \
    X(LOAD, 30)         /* question: path; value: cf_convention; answer: cf_load_answer */        \
    X(OPEN, 20)         /* question: cf_open_question; answer: why not, CF_WHY_BYTES */           \
    X(STOP, 5)                                                                                    \
    X(CLOSE, 8)                                                                                   \
    X(SEND, 5)          /* question: `count` frames, `value` bytes apart; result: how many it took */ \
    X(STATUS, 5)        /* answer: cf_driver_status */                                            \
    X(STATISTICS, 5)    /* answer: cf_driver_statistics; result: whether it was filled in */      \
    X(SET_FILTER, 5)    /* value */                                                               \
    X(SET_MASK, 5)      /* value */                                                               \
    X(SET_BAUDRATE, 5)  /* value */                                                               \
    X(VERSIONS, 5)      /* answer: cf_driver_versions */                                          \
    X(TRANSMIT_PENDING, 5) /* result: twice how many frames wait, and 1 if they go by themselves */ \
    X(FREE, 0)

typedef enum cf_operation {
#define CF_REQUEST_ENUM(name, patience_s) CF_ASK_##name,
    CF_REQUEST_LIST(CF_REQUEST_ENUM)
#undef CF_REQUEST_ENUM
    CF_ASK_COUNT
} cf_operation;
/* clang-format on */

/* What a loaded library is; see cf_library. */
typedef struct cf_load_answer {
    uint64_t functions;
    uint32_t cdecl_calls, pad;
    char detail[512]; /* why it was not loaded */
} cf_load_answer;

typedef struct cf_open_question {
    char config[CF_CONFIG_BYTES], profile[32]; /* profile: name of a row */
    uint32_t flags;
    uint32_t layout_size;    /* 0: find out */
    uint32_t channel;        /* number that the records carry */
    uint32_t wait_when_full; /* stop draining instead of dropping */
    uint32_t device_clock;
    uint32_t fd; /* records of 80 bytes; needs a library with CanalReceiveFD and CanalSendFD */
    uint32_t follow_clock, pad; /* time stamps go with the host's clock where that is set */
    int64_t coalesce_ns;
    int64_t reconnect_ns; /* time between two tries to open a driver that failed; 0: never */
} cf_open_question;

/* A driver's status; text is terminated. */
typedef struct cf_driver_status {
    uint32_t channel_status, last_error_code, last_error_subcode;
    char text[84];
} cf_driver_status;

/* In the order of cf_canal_statistics. */
typedef struct cf_driver_statistics {
    uint32_t counters[CF_STATISTICS_WORDS];
} cf_driver_statistics;

/* What the driver says of itself. Numbers are 0 and texts empty where it does not, or must not be asked. */
typedef struct cf_driver_versions {
    uint32_t level, version, dll_version;
    char vendor[256], info[2048];
} cf_driver_versions;

enum { CF_ANSWER_BYTES = 2320 }; /* the longest answer, in whole 8 bytes */

typedef struct cf_request {
    cf_operation operation;
    int64_t timeout_ns;
    uint64_t count, value;
    const void *question;
    size_t question_bytes;
    void *answer;
    size_t answer_bytes;
    uint64_t result;
    long code; /* from the driver; or how its host ended */
} cf_request;

/* How somebody waits for an answer. */
typedef struct cf_waiting {
    int (*interrupted)(void); /* asked from time to time, with no lock held: is the wait to end? NULL: never */
    cf_atomic_u64 until_ns;   /* monotonic: not beyond that, whatever the limit; 0: no such end */
} cf_waiting;

/* How much of its time a wait that began at now_ns may take. */
CF_INLINE int64_t cf_waiting_left_ns(const cf_waiting *waiting, int64_t now_ns)
{
    const int64_t until_ns = (int64_t)cf_atomic_u64_load_relaxed(&waiting->until_ns);
    return until_ns == 0 ? INT64_MAX : until_ns - now_ns;
}

/* How many nanoseconds the driver may take beyond the request's own limit. */
CF_INLINE int64_t cf_request_patience_ns(cf_operation operation)
{
    /* clang-format off */
    static const int64_t seconds[] = {
#define CF_REQUEST_PATIENCE(name, patience_s) patience_s,
        CF_REQUEST_LIST(CF_REQUEST_PATIENCE)
#undef CF_REQUEST_PATIENCE
    };
    /* clang-format on */
    return seconds[operation] * INT64_C(1000000000);
}

#endif
