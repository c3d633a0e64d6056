/* canal_fast/base.h - what every other header stands on: portability words and status codes.
 *
 * Plain C11 and C++17; no Python, no operating system. Every function of the library is
 * `static inline`, so that a C program needs nothing but the include folder.
 */
#ifndef CANAL_FAST_BASE_H
#define CANAL_FAST_BASE_H

/* Strict C hides the POSIX names that thread.h needs unless they are asked for before the first
 * system header. */
#if defined(__STRICT_ANSI__) && !defined(__cplusplus) && !defined(_WIN32) && !defined(__APPLE__) && \
    !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CF_INLINE static inline
#define CF_RESTRICT __restrict

#if defined(__GNUC__) || defined(__clang__)
#define CF_LIKELY(x) __builtin_expect(!!(x), 1)
#define CF_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CF_ALWAYS_INLINE static inline __attribute__((always_inline))
#define CF_NEVER_INLINE static __attribute__((noinline, unused)) /* a loop that is to have all registers */
#define CF_FLAT static __attribute__((noinline, flatten, unused)) /* a path that nearly all items take: all inlined */
#define CF_MAY_ALIAS __attribute__((may_alias)) /* read through this type: what was written through another */
#else
#define CF_ALWAYS_INLINE static inline
#define CF_NEVER_INLINE static inline
#define CF_FLAT static inline
#define CF_MAY_ALIAS
#define CF_LIKELY(x) (x)
#define CF_UNLIKELY(x) (x)
#endif

/* Number, name and sentence of every status, once. Python's exceptions are made from these rows
 * (canal_fast/_gate.pyx). Ranges: 1..19 frames, 20..49 drivers and channels, 50..69 recordings,
 * 70..89 wire, 90..119 bit timing, 120..129 signals, 150..169 recordings in general, 170..189 text recordings. */
/* clang-format off */
#define CF_STATUS_LIST(X)                                                                           \
    X(OK, 0, "success")                                                                             \
    X(ID_RANGE, 1, "arbitration_id does not fit the identifier")                                    \
    X(DLC_RANGE, 2, "dlc is above 15")                                                              \
    X(REMOTE_FD, 3, "a CAN FD frame cannot be a remote frame")                                      \
    X(FD_IN_CLASSICAL, 4, "an FD frame does not fit a classical (24-byte) record")                  \
    X(FD_FLAG_MISSING, 5, "BITRATE_SWITCH and ERROR_STATE_INDICATOR need the FD flag")              \
    X(NOT_A_FRAME, 6, "a STATUS or ERROR_FRAME record is not a frame on the wire")                  \
    X(FLAGS_UNKNOWN, 7, "flags that no record has")                                                 \
    X(NO_MEMORY, 20, "out of memory")                                                               \
    X(FILE_MISSING, 21, "no such file")                                                             \
    X(NOT_A_LIBRARY, 22, "not a shared library")                                                    \
    X(WRONG_ARCHITECTURE, 23, "built for another machine")                                          \
    X(LOAD_FAILED, 24, "the system could not load the library")                                     \
    X(SYMBOL_MISSING, 25, "a mandatory CANAL function is not exported")                             \
    X(OPEN_FAILED, 26, "CanalOpen returned no handle")                                              \
    X(CLOSED, 27, "the channel is closed")                                                          \
    X(TIMED_OUT, 28, "timed out")                                                                   \
    X(DRIVER_FAILED, 29, "the driver reported an error")                                            \
    X(NOT_SUPPORTED, 30, "the driver does not offer this")                                          \
    X(THREAD_FAILED, 31, "the reader thread could not be started")                                  \
    X(LAYOUT_UNKNOWN, 32, "the driver's message layout is none of the known ones")                  \
    X(TRUNCATED, 33, "the file ends before its contents do")                                        \
    X(DISCONNECTED, 34, "the driver failed; the channel waits to open it again")                    \
    X(TOO_MANY_FILTERS, 35, "more than 8192 filters")                                               \
    X(OTHER_CONVENTION, 38, "the library has another calling convention")                           \
    X(HOST_FAILED, 40, "the driver's host process could not be started")                            \
    X(HOST_VERSION, 41, "the host process is of another version")                                   \
    X(HOST_ENDED, 42, "the driver's host process ended")                                            \
    X(HOST_SILENT, 43, "the driver's host process does not answer")                                 \
    X(DRIVER_HANGS, 44, "the driver did not return")                                                \
    X(INTERRUPTED, 45, "interrupted")                                                               \
    X(LOG_BLANK, 50, "no frame on this line")                                                       \
    X(LOG_TIME, 51, "the time stamp is not (seconds.fraction) with 1 to 9 decimals")                \
    X(LOG_INTERFACE, 52, "an interface name of 1 to 63 bytes is missing")                           \
    X(LOG_IDENTIFIER, 53, "the identifier is not 3 (up to 7FF) or 8 hexadecimal digits before a #") \
    X(LOG_DATA, 54, "the data are not whole hexadecimal bytes, or more than fit")                   \
    X(LOG_TRAILING, 55, "only R or T may follow the data")                                          \
    X(LOG_CHANNELS, 56, "more than 256 interfaces")                                                 \
    X(PCAPNG_MAGIC, 60, "no pcapng section begins here")                                            \
    X(PCAPNG_VERSION, 61, "a pcapng version other than 1")                                          \
    X(PCAPNG_LENGTH, 62, "a block length that is below 12, above 16 MiB or no multiple of 4")       \
    X(PCAPNG_TRAILER, 63, "a block whose two lengths differ")                                       \
    X(PCAPNG_SHORT, 64, "a block too short for what it should hold")                                \
    X(PCAPNG_OPTION, 65, "an option that reaches past its block")                                   \
    X(PCAPNG_NO_INTERFACE, 66, "a packet or statistics of an interface that was not described")     \
    X(NO_ROOM, 70, "the output is too small")                                                       \
    X(OTHER_CRC, 71, "the frame's CRC has another width")                                           \
    X(OFFSET_ORDER, 72, "offsets must rise")                                                        \
    X(OFFSET_RANGE, 73, "an offset is outside the bits")                                            \
    X(STREAM_END, 74, "the bits are used up")                                                       \
    X(TIMING_NONE, 90, "no bit timing fits")                                                        \
    X(TIMING_LIMITS, 91, "the controller limits contradict themselves or are out of range")         \
    X(TIMING_RATE, 92, "the bit rate is not in 100 bit/s .. f_clock")                               \
    X(TIMING_SAMPLE_POINT, 93, "the sample point is not inside the bit")                            \
    X(TIMING_CONSTRAINT, 94, "a constraint is out of its range")                                    \
    X(TIMING_KERNEL_REFUSES, 95, "the Linux kernel finds no bit timing either")                     \
    X(SIGNALS_PLAN, 120, "the tables of a decoding plan contradict each other")                     \
    X(SIGNALS_RANGE, 121, "a value does not fit its signal")                                        \
    X(LOG_START, 150, "a start time was read")                                                      \
    X(LOG_PACKED, 151, "a compressed part is to be unpacked")                                       \
    X(LOG_CUT, 152, "the line ends before what it states")                                          \
    X(LOG_LONG, 153, "an item of more than 16 MiB")                                                 \
    X(BLF_MAGIC, 154, "no BLF header begins here")                                                  \
    X(BLF_HEADER, 155, "a BLF header shorter than 72 bytes, or with no object behind it")           \
    X(BLF_METHOD, 156, "a container packed in an unknown way")                                      \
    X(PCAP_MAGIC, 157, "no pcap header begins here")                                                \
    X(PCAP_VERSION, 158, "a pcap version other than 2")                                             \
    X(PCAP_RECORD, 159, "a record whose packet is too long for its link type, or that has no time") \
    X(LOG_START_HERE, 170, "a start time was read on a line that holds a frame")                    \
    X(TEXT_TIME, 171, "a time is expected: decimal digits that fit 64 bits of nanoseconds")         \
    X(TEXT_IDENTIFIER, 172, "an identifier is expected: at most 7FF, or extended and at most 1FFFFFFF") \
    X(TEXT_LENGTH, 173, "a dlc or data length is expected that this kind of frame can have")        \
    X(TEXT_DATA, 174, "as many data bytes are expected as the line says")                           \
    X(TEXT_FIELD, 175, "another field is expected here")                                            \
    X(TEXT_BINARY, 176, "text is expected, not a zero byte")                                        \
    X(TRC_VERSION, 177, "a file version is expected: 1.0, 1.1, 1.2, 1.3, 2.0 or 2.1")               \
    X(TRC_COLUMNS, 178, "$COLUMNS is expected: N,O,T first, then I and l or L, D last; of B d R any")    \
    X(TRC_NUMBER, 179, "the line's number is expected, with ) behind it up to version 1.3")         \
    X(TRC_TYPE, 180, "a type is expected: Rx, Tx, Warng or Error; from version 2 on two letters")   \
    X(CSV_HEADER, 181, "the header of python-can's or GVRET's columns is expected")

typedef enum cf_status {
#define CF_STATUS_ENUM(name, number, sentence) CF_##name = number,
    CF_STATUS_LIST(CF_STATUS_ENUM)
#undef CF_STATUS_ENUM
} cf_status;
/* clang-format on */

enum { CF_EXIT_UNKNOWN = -100000 }; /* with CF_HOST_ENDED: another part of the program waited for it */

typedef struct cf_code {
    long number;
    const char *name;
    const char *sentence;
} cf_code;

/* Makes a function: row `index` of `list`, which is X(name, number, sentence), or NULL past its end. */
#define CF_CODE_ROWS(function, list)                                       \
    CF_INLINE const cf_code *function(size_t index)                        \
    {                                                                      \
        static const cf_code rows[] = {list(CF_CODE_ROW)};                 \
        return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL; \
    }
#define CF_CODE_ROW(name, number, sentence) {number, #name, sentence},

CF_CODE_ROWS(cf_status_row, CF_STATUS_LIST)

#endif
