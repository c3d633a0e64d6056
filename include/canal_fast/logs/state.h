/* canal_fast/logs/state.h - what a reader and a writer of recordings remember between two calls.
 *
 * Both formats (candump.h, pcapng_write.h and pcapng_read.h) share these structs and the shape of
 * their functions; the memory is the caller's. A zeroed struct is a valid start.
 */
#ifndef CANAL_FAST_LOGS_STATE_H
#define CANAL_FAST_LOGS_STATE_H

#include "../frame.h"

enum {
    CF_LOG_NAME_MAX = 63, /* bytes of an interface name */
    CF_LOG_INTERFACES = 256,
    CF_LOG_COUNTERS = 5
};

/* X(index, name): the counters of an Interface Statistics Block, in the order of their options */
/* clang-format off */
#define CF_LOG_COUNTER_LIST(X) \
    X(0, "ifrecv")             \
    X(1, "ifdrop")             \
    X(2, "filteraccept")       \
    X(3, "osdrop")             \
    X(4, "usrdeliv")
/* clang-format on */

/* Name of counter `index`, or NULL past the last. */
CF_INLINE const char *cf_log_counter_name(size_t index)
{
    /* clang-format off */
    static const char *const names[] = {
#define CF_LOG_COUNTER_NAME(index, name) name,
        CF_LOG_COUNTER_LIST(CF_LOG_COUNTER_NAME)
#undef CF_LOG_COUNTER_NAME
    };
    /* clang-format on */
    return index < CF_LOG_COUNTERS ? names[index] : NULL;
}

typedef struct cf_log_interface {
    char name[CF_LOG_NAME_MAX + 1];
    uint64_t speed;    /* bit/s, 0 = not said */
    int64_t offset;    /* seconds added to time stamps */
    uint32_t frames;   /* read from it, modulo 2^32 */
    uint16_t link;     /* link type */
    uint8_t channel;
    uint8_t resolution; /* if_tsresol as it stands in the file */
    uint8_t counted;    /* bit i: counters[i] was given */
    uint64_t counters[CF_LOG_COUNTERS];
} cf_log_interface;

typedef struct cf_log_reader {
    cf_log_interface interfaces[CF_LOG_INTERFACES];
    size_t count;                       /* of them */
    size_t last;                        /* interface of the line before: the likely next one */
    uint8_t rows[CF_LOG_INTERFACES];    /* pcapng: interface id in this section -> interfaces[] */
    uint8_t taken[CF_LOG_INTERFACES];   /* candump: channel in use */
    size_t section_interfaces;          /* pcapng: described so far in this section */
    uint64_t skipped;                   /* packets that are no CAN frames, or are cut short */
    uint64_t lines;                     /* candump: lines taken so far */
    size_t column;                      /* candump: place of the trouble, from 0 */
    uint8_t in_section, big_endian;     /* pcapng */
} cf_log_reader;

/* Described by the caller: */
typedef struct cf_log_channel {
    char name[CF_LOG_NAME_MAX + 1];
    uint64_t speed; /* bit/s, 0 = not known */
} cf_log_channel;

/* What changes while writing: small, so that a caller can keep a copy and go back to it. */
typedef struct cf_log_progress {
    uint64_t frames;                        /* written, all channels */
    uint64_t channel_frames[CF_LOG_INTERFACES];
    int64_t last_ns[CF_LOG_INTERFACES];     /* time stamp of the last frame of a channel */
    uint16_t interface_ids[CF_LOG_INTERFACES]; /* pcapng: 1 + interface id, 0 = not described yet */
    uint32_t interfaces;                    /* pcapng: described so far */
} cf_log_progress;

typedef struct cf_log_writer {
    cf_log_channel channels[CF_LOG_INTERFACES];
    cf_log_progress progress;
} cf_log_writer;

#endif
