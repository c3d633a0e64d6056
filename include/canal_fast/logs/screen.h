/* canal_fast/logs/screen.h - what a format cannot hold of records: frames that are left out, and what others lose.
 *
 * A reason counts only where something is really lost: a time of whole microseconds loses nothing in six decimals.
 */
#ifndef CANAL_FAST_LOGS_SCREEN_H
#define CANAL_FAST_LOGS_SCREEN_H

#include "../seconds.h"
#include "format.h"

/* X(NAME, word, sentence): kinds of frames that a format has no place for */
/* clang-format off */
#define CF_LOG_LEFT_OUT_LIST(X)                                                    \
    X(FD, "fd", "a CAN FD frame")                                                  \
    X(ERROR_FRAME, "error_frame", "an error frame")                                \
    X(REMOTE, "remote", "a remote frame")                                          \
    X(STATUS, "status", "a status message of the driver")                          \
    X(CHANNEL, "channel", "of a channel above those that it numbers")              \
    X(TIME, "time", "of a time outside those that it can state")

/* X(NAME, word, sentence): what written frames lose */
#define CF_LOG_REDUCED_LIST(X)                                                     \
    X(NANOSECONDS, "nanoseconds", "its time to the nanosecond")                    \
    X(RAW_DLC, "raw_dlc", "its dlc above 8")                                       \
    X(FD_FLAGS, "fd_flags", "that it is FD, its bit rate switch or error state")   \
    X(DIRECTION, "direction", "that it was sent")                                  \
    X(GAP, "gap", "that frames were lost before it")                               \
    X(CLOCK_STEP, "clock_step", "that the clock was set before it")                \
    X(ERROR_DETAIL, "error_detail", "details of the error, or that it is a status message") \
    X(CHANNEL, "channel", "its channel")                                           \
    X(NAME, "name", "the name of its interface")
/* clang-format on */

enum {
#define CF_LOG_LEFT_OUT_ENUM(name, word, sentence) CF_LOG_LEFT_OUT_##name,
    CF_LOG_LEFT_OUT_LIST(CF_LOG_LEFT_OUT_ENUM)
#undef CF_LOG_LEFT_OUT_ENUM
        CF_LOG_LEFT_OUT_KINDS
};

enum {
#define CF_LOG_REDUCED_ENUM(name, word, sentence) CF_LOG_REDUCED_##name,
    CF_LOG_REDUCED_LIST(CF_LOG_REDUCED_ENUM)
#undef CF_LOG_REDUCED_ENUM
        CF_LOG_REDUCED_REASONS
};

/* Row `index` of the kinds, then of the reasons (number from 0 in either; word, sentence), or NULL past the last. */
CF_INLINE const cf_code *cf_log_loss_row(size_t index)
{
    static const cf_code rows[] = {
#define CF_LOG_LOSS_ROW(name, word, sentence) {CF_LOG_LEFT_OUT_##name, word, sentence},
        CF_LOG_LEFT_OUT_LIST(CF_LOG_LOSS_ROW)
#undef CF_LOG_LOSS_ROW
#define CF_LOG_LOSS_ROW(name, word, sentence) {CF_LOG_REDUCED_##name, word, sentence},
            CF_LOG_REDUCED_LIST(CF_LOG_LOSS_ROW)
#undef CF_LOG_LOSS_ROW
    };
    return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

typedef struct cf_log_screen {
    /* Set by the caller: */
    const cf_log_target *target;
    unsigned keeps;    /* CF_LOG_KEEPS_ bits */
    int64_t step_ns;   /* the target's, or 1 where text gets nine decimals */
    int64_t start_ns;  /* of a dated recording, otherwise 0 */
    uint8_t named[CF_LOG_INTERFACES]; /* 1: the channel has a name of its own */
    /* Results: */
    uint64_t given, written, reduced_frames;
    uint64_t left_out[CF_LOG_LEFT_OUT_KINDS], reduced[CF_LOG_REDUCED_REASONS];
    /* Between the calls: GAP and CLOCK_STEP of frames that were left out, for the channel's next one. */
    uint16_t carried[CF_LOG_INTERFACES];
    unsigned pending; /* channels for which there are some */
} cf_log_screen;

/* What becomes of a record: -1 - kind when it is left out, otherwise a bit for each reason. */
CF_INLINE int cf_log_loss(const cf_log_screen *screen, const cf_frame_head *head)
{
    const cf_log_target *target = screen->target;
    const unsigned flags = head->flags, keeps = screen->keeps;
    const int64_t offset = (int64_t)((uint64_t)head->timestamp_ns - (uint64_t)screen->start_ns);
    const int wraps = (head->timestamp_ns < screen->start_ns) != (offset < 0);
    int64_t back = 0;
    int loss = 0, held = CF_LOG_HELD_WHOLE;
    if (CF_UNLIKELY(wraps || offset < target->first_ns || offset > target->last_ns))
        return -1 - CF_LOG_LEFT_OUT_TIME;
    if (CF_UNLIKELY(head->channel >= target->channels))
        return -1 - CF_LOG_LEFT_OUT_CHANNEL;
    if (CF_UNLIKELY(flags & (CF_FLAG_ERROR_FRAME | CF_FLAG_STATUS))) {
        if (!(keeps & (flags & CF_FLAG_STATUS ? CF_LOG_KEEPS_STATUS : CF_LOG_KEEPS_ERRORS)))
            held = target->holds == NULL ? CF_LOG_HELD_NOT : target->holds(head);
        if (held == CF_LOG_HELD_NOT)
            return -1 - (flags & CF_FLAG_STATUS ? CF_LOG_LEFT_OUT_STATUS : CF_LOG_LEFT_OUT_ERROR_FRAME);
        if (held == CF_LOG_HELD_PART || (head->dlc > CF_CLASSICAL_DATA && !(keeps & CF_LOG_KEEPS_RAW_DLC)))
            loss |= 1 << CF_LOG_REDUCED_ERROR_DETAIL;
    } else if (flags & CF_FLAG_FD) {
        if (!(keeps & CF_LOG_KEEPS_FD))
            return -1 - CF_LOG_LEFT_OUT_FD;
        if (!(keeps & CF_LOG_KEEPS_FD_FLAGS) && (cf_fd_length(head->dlc) <= CF_CLASSICAL_DATA ||
                                                 flags & (CF_FLAG_BITRATE_SWITCH | CF_FLAG_ERROR_STATE_INDICATOR)))
            loss |= 1 << CF_LOG_REDUCED_FD_FLAGS;
    } else {
        if (flags & CF_FLAG_REMOTE && !(keeps & CF_LOG_KEEPS_REMOTE))
            return -1 - CF_LOG_LEFT_OUT_REMOTE;
        if (CF_UNLIKELY(head->dlc > CF_CLASSICAL_DATA) && !(keeps & CF_LOG_KEEPS_RAW_DLC))
            loss |= 1 << CF_LOG_REDUCED_RAW_DLC;
    }
    if (CF_UNLIKELY(flags & (CF_FLAG_TX | CF_FLAG_GAP | CF_FLAG_CLOCK_STEP))) {
        loss |= (flags & CF_FLAG_TX && !(keeps & CF_LOG_KEEPS_TX)) << CF_LOG_REDUCED_DIRECTION;
        loss |= (flags & CF_FLAG_GAP && !(keeps & CF_LOG_KEEPS_GAP)) << CF_LOG_REDUCED_GAP;
        loss |= (flags & CF_FLAG_CLOCK_STEP && !(keeps & CF_LOG_KEEPS_CLOCK_STEP)) << CF_LOG_REDUCED_CLOCK_STEP;
    }
    if (screen->step_ns > 1)
        loss |= (offset % screen->step_ns != 0) << CF_LOG_REDUCED_NANOSECONDS;
    else if (screen->step_ns == 0)
        loss |= (!cf_nanoseconds(cf_seconds(offset), &back) || back != offset) << CF_LOG_REDUCED_NANOSECONDS;
    loss |= (head->channel != 0 && !(keeps & CF_LOG_KEEPS_CHANNEL)) << CF_LOG_REDUCED_CHANNEL;
    loss |= (screen->named[head->channel] && !(keeps & CF_LOG_KEEPS_NAMES)) << CF_LOG_REDUCED_NAME;
    return loss;
}

/* Counts what becomes of `count` records; the number of those that are written. With `strict` it ends at the first that
 * loses something, before counting it, with its number in *index (otherwise `count`). */
CF_INLINE size_t cf_log_screen_count(cf_log_screen *screen, const void *frames, size_t count, size_t stride, int strict,
                                     size_t *index)
{
    const char *at = (const char *)frames;
    size_t i, kept = 0;
    unsigned reason;
    if (screen->keeps == CF_LOG_KEEPS_ALL) { /* nothing can be lost */
        screen->given += count;
        screen->written += count;
        return *index = count;
    }
    for (i = 0; i < count; i++, at += stride) {
        const int loss = cf_log_loss(screen, (const cf_frame_head *)at);
        if (CF_UNLIKELY(loss != 0)) {
            if (strict)
                break;
            if (loss < 0) {
                screen->left_out[-1 - loss]++;
                continue;
            }
            screen->reduced_frames++;
            for (reason = 0; reason < CF_LOG_REDUCED_REASONS; reason++)
                screen->reduced[reason] += (unsigned)loss >> reason & 1;
        }
        kept++;
    }
    screen->given += i;
    screen->written += kept;
    *index = i;
    return kept;
}

/* Copies the records that are written into `out` (as many as the count above); needed where that is not all of them or
 * `pending` is not 0. GAP and CLOCK_STEP of those left out go to the channel's next. Returns their number. */
CF_INLINE size_t cf_log_screen_copy(cf_log_screen *screen, const void *frames, size_t count, size_t stride, void *out)
{
    const char *at = (const char *)frames;
    char *to = (char *)out;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        uint16_t *carried = &screen->carried[head->channel];
        const unsigned before = *carried != 0;
        if (cf_log_loss(screen, head) < 0) {
            *carried |= (uint16_t)(head->flags & (CF_FLAG_GAP | CF_FLAG_CLOCK_STEP));
            screen->pending += (*carried != 0) - before;
            continue;
        }
        memcpy(to, at, stride);
        ((cf_frame_head *)to)->flags |= *carried;
        *carried = 0;
        screen->pending -= before;
        to += stride;
    }
    return (size_t)(to - (char *)out) / stride;
}

/* A `holds`: error frames and status messages become error frames, whose details may say less. */
CF_INLINE int cf_log_holds_as_error(const cf_frame_head *record)
{
    (void)record;
    return CF_LOG_HELD_PART;
}

#endif
