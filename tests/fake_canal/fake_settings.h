/* fake_settings.h - the structs of the fake CANAL driver, and what its configuration string may say. */
#ifndef FAKE_SETTINGS_H
#define FAKE_SETTINGS_H

#include <stdint.h>

#ifndef FAKE_WORD
#define FAKE_WORD unsigned long
#endif
#ifndef FAKE_DATA
#define FAKE_DATA 8
#endif

typedef struct message {
    FAKE_WORD flags, obid, id;
    unsigned char size, data[FAKE_DATA];
    FAKE_WORD timestamp;
} message;

typedef struct statistics {
    FAKE_WORD rx_frames, tx_frames, rx_data, tx_data, overruns, warnings, bus_off;
} statistics;

typedef struct status {
    FAKE_WORD channel_status, code, subcode;
    char text[80];
} status;

/* X(key, default, what it does) */
/* clang-format off */
#define SETTINGS(X)                                                              \
    X(frames, 400, "how many come")                                              \
    X(bursts, 2, "in how many bursts")                                           \
    X(pause, 60, "ms between bursts")                                            \
    X(shared, 0, "FakeCount's numbers are in a file beside the library, named as it and .counts")           \
    X(first, 0, "number of the first frame")                                     \
    X(open, 1681, "what open returns")                                           \
    X(empty, 8, "receive when empty")                                            \
    X(untouched, 0, "receive when empty: 0, nothing written")                    \
    X(expired, 32, "blocking receive after its time")                            \
    X(die, -1, "after so many frames every call answers 0")                      \
    X(available, 0, "data available of a dead handle")                           \
    X(fail, 0, "receive after the last frame")                                   \
    X(instant, 0, "1: an 8 at once per frame that came; 2: until a blocking receive pops a frame") \
    X(forever, 0, "blocking time-out 0 waits for ever")                          \
    X(garbage, 0, "in obid, upper flags, upper halves, past the payload")        \
    X(sizes, 0, "sizeData 9..15 in every 16th frame")                            \
    X(oversize, 0, "a message with sizeData 200 after every 10th frame")         \
    X(status, 0, "a status message with garbage time stamp after every 10th")    \
    X(statistics, 0, "1: reset by reading, 2: lie, 3: never filled")             \
    X(text, 0, "status text without NUL")                                        \
    X(vendor, 0, "1: NULL, 2: crash, 3: hang")                                   \
    X(version, 0, "garbage in the upper half")                                   \
    X(close_ms, 0, "how long close takes")                                       \
    X(close0, 0, "close closes descriptor 0")                                    \
    X(print, 0, "prints to standard output")                                     \
    X(tick_num, 1000, "a tick is tick_num / tick_den ns")                        \
    X(tick_den, 1, "")                                                           \
    X(first_tick, 1, "")                                                         \
    X(wrap, 32, "bits of the tick counter")                                      \
    X(no_ticks, 0, "time stamps are 0")                                          \
    X(send_rate, 0, "frames/s that leave the send queue")                        \
    X(send_queue, 20, "")                                                        \
    X(crash, -1, "in receive, after so many frames")                             \
    X(crash_open, 0, "")                                                         \
    X(hang, -1, "in receive, after so many frames")                              \
    X(hang_open, 0, "")                                                          \
    X(hang_again, 0, "in every open but the first")                              \
    X(open_ms, 0, "how long open takes")                                         \
    X(hang_close, 0, "")                                                         \
    X(hang_send, 0, "")                                                          \
    X(hang_status, 0, "")                                                        \
    X(unplug, -1, "after so many frames the adapter is gone: empty for ever, status 13, until opened anew") \
    X(back, 0, "ms after which it can be")                                       \
    X(remote_data, 0, "remote frames to send go out as data frames")             \
    X(wedge, 0, "after a frame to send without data there is never room again")  \
    X(host_time, 0, "the payload is the host's time since 1970 in ns")           \
    X(slow, 0, "us that every receive takes")                                    \
    X(strtok, 0, "writes into the configuration string")                         \
    X(keep, 0, "reads the configuration string again at the first receive")

typedef struct settings {
#define MEMBER(key, value, meaning) long long key;
    SETTINGS(MEMBER)
} settings;
/* clang-format on */

#endif
