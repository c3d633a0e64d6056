/* canal_fast/logger/selection.h - which records of a recording are played, and through which lane. */
#ifndef CANAL_FAST_LOGGER_SELECTION_H
#define CANAL_FAST_LOGGER_SELECTION_H

#include "../filter.h"
#include "../frame.h"

/* X(name, meaning). The first that fits counts. From FD on: what the lane's bus cannot carry. */
/* clang-format off */
#define CF_PLAY_KINDS(X)                                         \
    X(PLAYED, "played")                                          \
    X(STATUS, "status messages")                                 \
    X(ERROR_FRAME, "error frames")                               \
    X(CUT, "before the start or after the stop")                 \
    X(FILTERED, "filtered")                                      \
    X(TX, "sent by the recorder itself")                         \
    X(UNMAPPED, "of channels that are not mapped to a source")   \
    X(FD, "CAN FD frames on a classical bus")                    \
    X(REMOTE, "remote frames, which the driver cannot send")     \
    X(EMPTY, "frames without data, which the driver cannot send") \
    X(INVALID, "frames that no controller could send")

typedef enum cf_play_kind {
#define CF_PLAY_ENUM(name, meaning) CF_PLAY_##name,
    CF_PLAY_KINDS(CF_PLAY_ENUM)
#undef CF_PLAY_ENUM
    CF_PLAY_KIND_COUNT
} cf_play_kind;
/* clang-format on */

enum { CF_PLAY_LANES = 255, CF_PLAY_NO_LANE = 255 };
enum { CF_LANE_NO_FD = 1, CF_LANE_NO_REMOTE = 2, CF_LANE_NO_EMPTY = 4 }; /* what a lane cannot carry */

/* Of one recording. The caller sets all but the counters, which begin with zeros. */
typedef struct cf_play_selection {
    uint8_t lane[256];    /* by the recording's channel; CF_PLAY_NO_LANE: not mapped */
    uint8_t refuses[256]; /* CF_LANE_NO_... by lane */
    const cf_filter *filters;
    size_t filter_count; /* 0: all pass */
    int64_t first_ns, end_ns; /* times in the recording that are wanted: from first_ns on, before end_ns */
    int64_t shift_ns;         /* is added to the times, modulo 2^64 */
    int without_tx;           /* what the recorder sent itself is left out */
    uint64_t counts[CF_PLAY_KIND_COUNT];
    uint64_t frames[256];         /* by channel: neither status nor error frame */
    int64_t earliest_ns;          /* of those that are played, before the shift; */
    int64_t latest_ns;            /* meaningful when any is */
    uint64_t read;          /* records so far */
    uint64_t first_refused; /* number, from 0, of the first one that the bus cannot carry; UINT64_MAX at first */
} cf_play_selection;

CF_INLINE const cf_code *cf_play_kind_row(size_t index)
{
#define CF_PLAY_ROW(name, meaning) {CF_PLAY_##name, #name, meaning},
    static const cf_code rows[] = {CF_PLAY_KINDS(CF_PLAY_ROW)};
#undef CF_PLAY_ROW
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

CF_INLINE cf_play_kind cf_play_judge(const cf_play_selection *selection, const cf_frame_head *head, size_t stride)
{
    const uint8_t lane = selection->lane[head->channel];
    const uint8_t refuses = selection->refuses[lane];
    cf_frame_head frame = *head;
    frame.flags &= (uint16_t)~CF_FLAGS_OFF_WIRE;
    if (head->flags & CF_FLAG_STATUS)
        return CF_PLAY_STATUS;
    if (head->flags & CF_FLAG_ERROR_FRAME)
        return CF_PLAY_ERROR_FRAME;
    if (head->timestamp_ns < selection->first_ns || head->timestamp_ns >= selection->end_ns)
        return CF_PLAY_CUT;
    if (!cf_filter_match(selection->filters, selection->filter_count, head))
        return CF_PLAY_FILTERED;
    if (selection->without_tx && (head->flags & CF_FLAG_TX))
        return CF_PLAY_TX;
    if (lane == CF_PLAY_NO_LANE)
        return CF_PLAY_UNMAPPED;
    if ((refuses & CF_LANE_NO_FD) && (head->flags & CF_FLAG_FD))
        return CF_PLAY_FD;
    if ((refuses & CF_LANE_NO_REMOTE) && (head->flags & CF_FLAG_REMOTE))
        return CF_PLAY_REMOTE;
    if ((refuses & CF_LANE_NO_EMPTY) && head->dlc == 0)
        return CF_PLAY_EMPTY;
    return cf_frame_check(&frame, stride) == CF_OK ? CF_PLAY_PLAYED : CF_PLAY_INVALID;
}

/* Moves what is played to the front, in order: `channel` becomes the lane, the times are shifted, what was only said of
 * a frame (TX, GAP, CLOCK_STEP) goes. Returns their number. */
CF_INLINE size_t cf_play_select(cf_play_selection *selection, void *records, size_t count, size_t stride)
{
    char *at = (char *)records, *to = at;
    size_t i;
    for (i = 0; i < count; i++, at += stride, selection->read++) {
        cf_frame_head *head = (cf_frame_head *)to;
        const cf_play_kind kind = cf_play_judge(selection, (const cf_frame_head *)at, stride);
        selection->counts[kind]++;
        if (kind >= CF_PLAY_FD && selection->read < selection->first_refused)
            selection->first_refused = selection->read;
        if (kind != CF_PLAY_STATUS && kind != CF_PLAY_ERROR_FRAME)
            selection->frames[((const cf_frame_head *)at)->channel]++;
        if (kind != CF_PLAY_PLAYED)
            continue;
        if (to != at)
            memmove(to, at, stride);
        if (selection->counts[CF_PLAY_PLAYED] == 1)
            selection->earliest_ns = selection->latest_ns = head->timestamp_ns;
        if (head->timestamp_ns < selection->earliest_ns)
            selection->earliest_ns = head->timestamp_ns;
        if (head->timestamp_ns > selection->latest_ns)
            selection->latest_ns = head->timestamp_ns;
        head->timestamp_ns = (int64_t)((uint64_t)head->timestamp_ns + (uint64_t)selection->shift_ns);
        head->channel = selection->lane[head->channel];
        head->flags &= (uint16_t)~CF_FLAGS_OFF_WIRE;
        to += stride;
    }
    return (size_t)(to - (char *)records) / stride;
}

#endif
