/* canal_fast/logs/format.h - what a log format is: one row, which formats.h collects.
 *
 * A format is one header (logs/<name>.h) with its functions and a function that returns its row,
 *     CF_INLINE const cf_log_format *cf_log_format_<name>(void)
 * the header's include in formats.h and <name> in CF_LOG_FORMAT_LIST there. Nothing else knows it.
 *
 * READING. The caller zeroes a cf_log_reader, gives it `own` (zeroed, own_size bytes) and calls row->read again and
 * again with the bytes that were not consumed yet and those that came since. read takes as many whole items (lines,
 * records, blocks, objects) as data and capacity allow and returns
 *
 *   CF_OK              More bytes are wanted, or more room (made == capacity). Items that are not whole are left; when
 *                      `final` is set and bytes are left, the file is truncated: the caller says so. Bytes that mean
 *                      nothing (padding at the end) are consumed. CF_OK with nothing consumed and nothing made means
 *                      "more bytes": the caller's buffer grows up to CF_LOG_ITEM_MAX and a little, then refuses.
 *                      With a capacity of 0 headers are read, and what is skipped before the first frame.
 *   CF_LOG_START       A wall-clock start was met and consumed (cf_log_begin). The caller may set reader->epoch_ns to
 *                      what start_ns is in the recording's zone; then, or if it knows no zones, it calls again.
 *   CF_LOG_PACKED      call->packed bytes at data + consumed are to be unpacked. The caller appends what comes out to
 *                      what is left of `inner`, adds `packed` to what it has consumed, and calls again. If they cannot
 *                      be unpacked it may leave them out; then it empties inner, too (no tail may meet a wrong head).
 *   CF_FD_IN_CLASSICAL The next record is an FD frame and stride is 24. Nothing of it was consumed, no state has
 *                      changed: the caller may call again with stride 80.
 *   any other status   The item at data + consumed is damaged; records before it were made, nothing of it was consumed.
 *                      Text: reader->lines lines stand before it, reader->column is the place in it (from 0).
 *                      With reader->forgiving read never returns these but steps over the item and counts it by
 *                      cf_log_skip ("bad line"), in lost_bytes where it has to search for the next.
 *
 * Whatever the bytes are: read touches nothing outside data[0..size), inner[0..inner_size) and the records, always gets
 * on or returns, and takes time in proportion to what it consumes.
 *
 * FRAMES. Build a cf_fd_frame (every byte set; data past the payload zero; dlc the raw code; channel counted from 0)
 * and give it with cf_log_put (reading.h), which checks the stride, sets GAP, counts for the interface and stores 24 or
 * 80 bytes. Channels of a file that counts from 1: cf_log_channel_number. Times: cf_log_stamp(reader, offset).
 * Error frames: CF_FLAG_ERROR_FRAME, arbitration_id the error class bits, details in data[2], data[3] (reading.h).
 *
 * WHAT IS NO FRAME is passed to cf_log_skip(reader, "kind"), so that frames + skipped = items met, blank lines,
 * comments and headers apart. Frames that the file says were lost: cf_log_gap(reader, channel).
 *
 * TEXT formats hand cf_log_read_lines (lines.h) a function for one line and have all of the above from there.
 */
#ifndef CANAL_FAST_LOGS_FORMAT_H
#define CANAL_FAST_LOGS_FORMAT_H

#include "state.h"

/* How sure a recogniser is. The highest wins; among equals the one whose suffix the name has, then the first row. */
enum {
    CF_LOG_NO = 0,      /* not this format */
    CF_LOG_PERHAPS = 1, /* nothing speaks against it: comments and blank lines alone, or bytes cut short */
    CF_LOG_LIKELY = 2,  /* a line or record that this format would have */
    CF_LOG_SURE = 3     /* a magic number or header that no other format has */
};

/* X(name, bit, meaning): what a recording in the format keeps of the records that are written to it */
/* clang-format off */
#define CF_LOG_KEEPS_LIST(X)                                                \
    X(NANOSECONDS, 0x0001, "times to the nanosecond")                       \
    X(FD, 0x0002, "CAN FD frames")                                          \
    X(RAW_DLC, 0x0004, "dlc 9 to 15 of classical frames")                   \
    X(TX, 0x0008, "which frames were sent")                                 \
    X(GAP, 0x0010, "that frames were lost")                                 \
    X(ERRORS, 0x0020, "error frames with all their details")                \
    X(CHANNEL, 0x0040, "the channel")                                       \
    X(STATUS, 0x0080, "the driver's status messages")                       \
    X(NAMES, 0x0100, "interface names")                                     \
    X(BITRATES, 0x0200, "bit rates")                                        \
    X(COUNTERS, 0x0400, "what was received, lost and filtered")             \
    X(REMOTE, 0x0800, "remote frames")                                      \
    X(ERROR_FRAMES, 0x1000, "error frames, maybe without their details")    \
    X(FD_FLAGS, 0x2000, "bit rate switch and error state of FD frames")     \
    X(CLOCK_STEP, 0x4000, "that the host's clock was set")
/* clang-format on */

enum {
#define CF_LOG_KEEPS_ENUM(name, bit, meaning) CF_LOG_KEEPS_##name = bit,
    CF_LOG_KEEPS_LIST(CF_LOG_KEEPS_ENUM)
#undef CF_LOG_KEEPS_ENUM
#define CF_LOG_KEEPS_OR(name, bit, meaning) | bit
        CF_LOG_KEEPS_ALL = 0 CF_LOG_KEEPS_LIST(CF_LOG_KEEPS_OR)
#undef CF_LOG_KEEPS_OR
};

/* Row `index` of that table (number, name, meaning), or NULL past its end. */
CF_CODE_ROWS(cf_log_keeps_row, CF_LOG_KEEPS_LIST)

/* How much of an ERROR_FRAME or STATUS record a recording holds. */
enum { CF_LOG_HELD_NOT, CF_LOG_HELD_PART, CF_LOG_HELD_WHOLE };

/* What a format can hold where a CF_LOG_KEEPS_ bit does not say it, and how its recordings begin and end. "Offset":
 * from the start where the recording is `dated`, otherwise the time itself. */
typedef struct cf_log_target {
    int64_t step_ns, fine_ns; /* offsets are multiples of this (asked for nanoseconds: fine_ns); 0: as doubles */
    int64_t first_ns, last_ns; /* the offsets that there are */
    unsigned channels; /* 1..256: channels from 0 up */
    unsigned dated; /* 1: `begin` states the start, so it waits for the first frame */
    /* How much it has of an ERROR_FRAME or STATUS record where its CF_LOG_KEEPS_ bit is not set; NULL: nothing. */
    int (*holds)(const cf_frame_head *record);
    size_t (*end)(cf_log_writer *writer, uint8_t *out); /* the last bytes (as `begin`), or NULL */
    /* What `write` and `describe` give goes into containers, compressed: the container's header for so many bytes, the
     * padding behind it in *padding; NULL: it goes as it is. */
    size_t (*container)(size_t packed, size_t inflated, uint8_t *out, size_t *padding);
    /* Anew the bytes that `begin` gave, for a file of so many bytes (so many if nothing were compressed); or NULL. */
    size_t (*finish)(cf_log_writer *writer, uint64_t size, uint64_t inflated, uint8_t *out);
} cf_log_target;

typedef struct cf_log_format {
    const char *name; /* what format= and `canal-fast formats` call it: "asc" */
    const char *title; /* for people: "Vector ASC" */
    const char *suffixes; /* separated by a blank, the usual one first: ".asc"; "" where another row has it */
    const char *item; /* what damage is told in: "line" (then with its number), "block", "object", "record" */
    unsigned zoned; /* 1: times stand on a wall-clock start without a zone (CF_LOG_START) */
    unsigned keeps; /* CF_LOG_KEEPS_ bits */
    size_t own_size; /* bytes of reader->own that read wants */

    /* Is this the format of a recording that begins with head[0..size)? `whole`: that is all of it.
     * CF_LOG_NO .. CF_LOG_SURE. */
    int (*recognise)(const uint8_t *head, size_t size, int whole);
    cf_status (*read)(cf_log_reader *reader, cf_log_call *call); /* NULL: only written */

    /* Writing; all NULL where it is only read. */
    /* Encodes as many of `count` records as fit `capacity`; their number, with the bytes in *used. */
    size_t (*write)(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                    size_t capacity, size_t *used);
    size_t write_max; /* bytes that one record takes at most, with what has to stand before it */
    /* Each puts its bytes into out (room for write_max) and returns their number; NULL: there is nothing to put. */
    size_t (*begin)(cf_log_writer *writer, const char *application, uint8_t *out); /* the file's first bytes */
    size_t (*describe)(cf_log_writer *writer, unsigned channel, uint8_t *out); /* an interface, once */
    size_t (*statistics)(cf_log_writer *writer, unsigned channel, const uint64_t *counters, unsigned counted,
                         const char *comment, uint8_t *out); /* counters[i] where bit i is set */
    const cf_log_target *target;
} cf_log_format;

#endif
