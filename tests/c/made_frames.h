/* made_frames.h - fixed pseudo-random numbers and frames. */
#ifndef MADE_FRAMES_H
#define MADE_FRAMES_H

#include <canal_fast/frame.h>

#include <stdlib.h>

static uint64_t state = 1;

static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void *own(size_t size)
{
    void *got = calloc(size ? size : 1, 1);
    if (got == NULL)
        abort();
    return got;
}

/* Frames of every kind: identifiers, payloads of few and of many stuff bits, every dlc, remote, FD where it fits. */
static void make_frames(void *frames, size_t count, size_t stride)
{
    char *at = (char *)frames;
    int64_t now = 1700000000000000000;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        cf_frame_head *head = (cf_frame_head *)(void *)at;
        uint8_t *data = (uint8_t *)at + offsetof(cf_frame, data);
        const uint64_t what = next(), filler = next();
        const int fd = stride == sizeof(cf_fd_frame) && (what & 3) != 0;
        unsigned k;
        head->timestamp_ns = now += (int64_t)(next() % 2000000);
        head->flags = what & 4 ? CF_FLAG_EXTENDED_ID : 0;
        head->arbitration_id = (uint32_t)next() & (what & 4 ? CF_MAX_EXTENDED_ID : CF_MAX_STANDARD_ID);
        if (fd)
            head->flags |= CF_FLAG_FD | (what & 8 ? CF_FLAG_BITRATE_SWITCH : 0) |
                           (what & 16 ? CF_FLAG_ERROR_STATE_INDICATOR : 0);
        else if ((what & 0x700) == 0)
            head->flags |= CF_FLAG_REMOTE;
        head->dlc = what & 0x800 ? 8 : (uint8_t)(what >> 16 & 15);
        head->channel = (uint8_t)(what >> 20 & 3);
        for (k = 0; k < cf_payload_length(head->flags, head->dlc); k++)
            data[k] = (uint8_t)((what >> 24 & 3) == 0 ? 0 : (what >> 24 & 3) == 1 ? filler : next());
    }
}

#endif
