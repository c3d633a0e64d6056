/* canal_fast/logs/state.h - what a reader and a writer of recordings remember between two calls.
 *
 * All formats share these structs and the shape of their functions (format.h); the memory is the
 * caller's. A zeroed struct is a valid start; `own` is needed where the format's row asks for it.
 */
#ifndef CANAL_FAST_LOGS_STATE_H
#define CANAL_FAST_LOGS_STATE_H

#include "../frame.h"

enum {
    CF_LOG_NAME_MAX = 63, /* bytes of an interface name */
    CF_LOG_INTERFACES = 256,
    CF_LOG_COUNTERS = 5,
    CF_LOG_KINDS = 32,    /* kinds of what was skipped; what comes after the last is counted there */
    CF_LOG_KIND_MAX = 47, /* bytes of a kind's name */
    CF_LOG_ITEM_MAX = 1 << 24, /* bytes of a line, block or container: a longer one is damage */
    CF_LOG_HEAD = 1 << 16      /* bytes that a recogniser is shown at most */
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
    uint8_t foreign;    /* 1: an interface of another kind of bus */
    uint8_t
        id_order; /* packet.h: byte order of identifiers where both occur, 0 = not chosen yet, 1 = little, 2 = big */
    uint32_t number; /* packet.h: the system's number of it, 0 = not said */
    uint8_t counted_before; /* pcapng: `counted` as earlier sections left it */
    uint64_t counters[CF_LOG_COUNTERS];
    uint64_t counters_before[CF_LOG_COUNTERS]; /* pcapng: as earlier sections left them */
} cf_log_interface;

/* Something that is no frame, by its name, and how often it was skipped. */
typedef struct cf_log_kind {
    char name[CF_LOG_KIND_MAX + 1];
    uint64_t count;
} cf_log_kind;

/* One call of a format's `read`: what it is given, and what it did. */
typedef struct cf_log_call {
    const uint8_t *data; /* the recording from the first byte that was not consumed yet ... */
    size_t size; /* ... as far as the caller has it */
    int final; /* nothing comes after these `size` bytes */
    void *frames; /* room for `capacity` records, `stride` (24 or 80) bytes apart */
    size_t capacity, stride;
    /* Results, zeroed by the caller: */
    size_t consumed; /* bytes of data that are done with */
    size_t made; /* records filled */
    /* Formats with packed parts (CF_LOG_PACKED), otherwise NULL and zeros: */
    const uint8_t *inner; /* what came out of packed parts, from the first byte not consumed yet */
    size_t inner_size, inner_consumed;
    size_t packed; /* result: bytes at data + consumed to unpack ... */
    size_t unpacked; /* ... and how many they should give */
    int packing; /* ... and how they are packed: CF_LOG_STORED or CF_LOG_ZLIB */
} cf_log_call;

enum { CF_LOG_STORED = 0, CF_LOG_ZLIB = 2 };

typedef struct cf_log_reader {
    /* Set by the caller before the first call: */
    void *own; /* zeroed memory, `own_size` of the format's row; NULL where that is 0 */
    uint8_t forgiving; /* 1: what is damaged is skipped and counted ("bad line" ...) instead of returned */
    uint8_t id_order; /* cooked captures: 0 = choose, 1 = little-endian identifiers, 2 = big-endian */
    /* After CF_LOG_START, and by the caller in another zone than UTC: */
    int64_t epoch_ns; /* added to the file's offsets; cf_log_begin sets it to start_ns */
    /* Results: */
    int64_t start_ns; /* wall clock of the last start that was met, read as UTC */
    uint8_t has_start;
    uint8_t truncated; /* the file ends inside something that was read as far as it goes */
    uint64_t lost_bytes; /* passed over in search of the next whole object or block */
    cf_log_kind kinds[CF_LOG_KINDS];
    size_t kind_count;
    /* Between the calls: */
    int64_t clock_ns; /* running time of formats whose lines give differences */
    uint8_t unended; /* lines.h: the line at hand is the last and has no line end */
    uint8_t gap[CF_LOG_INTERFACES]; /* 1: frames were lost before the channel's next frame */
    uint16_t channel_rows[CF_LOG_INTERFACES]; /* cf_log_row: 1 + row in interfaces[], 0 = none yet */
    cf_log_interface interfaces[CF_LOG_INTERFACES];
    size_t count; /* of them */
    size_t last; /* interface of the line before: the likely next one */
    uint8_t rows[CF_LOG_INTERFACES]; /* pcapng: interface id in this section -> interfaces[] */
    size_t section_interfaces; /* pcapng: described so far in this section */
    uint64_t skipped; /* packets that are no CAN frames, or are cut short */
    uint64_t lines; /* text: lines taken so far */
    size_t column; /* text: place of the trouble in its line, from 0 */
    uint8_t in_section, big_endian; /* pcapng */
    uint8_t searching; /* pcap, pcapng: after damage, for the next record or block */
} cf_log_reader;

/* Described by the caller: */
typedef struct cf_log_channel {
    char name[CF_LOG_NAME_MAX + 1];
    uint64_t speed; /* bit/s, 0 = not known */
} cf_log_channel;

/* What changes while writing: small, so that a caller can keep a copy and go back to it. */
typedef struct cf_log_progress {
    uint64_t frames; /* written, all channels */
    uint64_t channel_frames[CF_LOG_INTERFACES];
    int64_t last_ns[CF_LOG_INTERFACES]; /* time stamp of the last frame of a channel */
    uint16_t interface_ids[CF_LOG_INTERFACES]; /* pcapng: 1 + interface id, 0 = not described yet */
    uint32_t interfaces; /* pcapng: described so far */
    uint64_t gaps; /* frames with GAP among them */
    int64_t latest_ns; /* time stamp of the last frame */
} cf_log_progress;

typedef struct cf_log_writer {
    uint8_t nanoseconds; /* by the caller: text with times to the nanosecond, which few other programs read */
    uint8_t has_start;   /* by the caller, for dated formats: start_ns is a date, whose wall clock is to be stated */
    int64_t start_ns;    /* ... times are written from here; a whole millisecond */
    int64_t wall_ns;     /* ... and what the wall clock showed then, as if its zone were UTC */
    cf_log_channel channels[CF_LOG_INTERFACES];
    cf_log_progress progress;
} cf_log_writer;

#endif
