/* virtual_replay.h - a recording as a source of frames: every format that the table of log formats reads, uncompressed.
 *
 * What is no frame of a bus (CAN XL, damaged lines, status messages) is stepped over; vr_skipped counts it.
 */
#ifndef VIRTUAL_REPLAY_H
#define VIRTUAL_REPLAY_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../include/canal_fast/logs/formats.h"
#include "../config_text.h"

enum { VR_FRAMES = 64, VR_BYTES = 1 << 17 };

typedef struct vr_replay {
    FILE *file;
    const cf_log_format *format;
    uint8_t *data, *inner;
    size_t start, stop, room, inner_start, inner_stop;
    int ended;
    cf_fd_frame frames[VR_FRAMES];
    size_t at, made;
    uint64_t skipped; /* records; the reader counts what became none */
    cf_log_reader reader;
} vr_replay;

/* Frames, or what may have been some, that were stepped over so far; comments, events and other buses are neither. */
static uint64_t vr_skipped(const vr_replay *r)
{
    static const char *const begins[] = {"frame ",   "CAN XL",     "bad ",           "damaged ",
                                         "symbolic", "container ", "packet without", "others"};
    uint64_t count = r->skipped;
    size_t kind, i;
    for (kind = 0; kind < r->reader.kind_count; kind++)
        for (i = 0; i < sizeof begins / sizeof begins[0]; i++)
            if (strncmp(r->reader.kinds[kind].name, begins[i], strlen(begins[i])) == 0)
                count += r->reader.kinds[kind].count;
    return count;
}

/* Can a bus carry it? Of error frames it carries the flag, so what a recording says of them is left as it is. */
static int vr_is_carried(const cf_frame_head *head)
{
    if (head->flags & CF_FLAG_ERROR_FRAME)
        return cf_record_check(head) == CF_OK && head->dlc <= CF_CLASSICAL_DATA &&
               (head->flags & (CF_FLAG_STATUS | CF_FLAG_FD | CF_FLAG_REMOTE)) == 0;
    return cf_frame_check(head, sizeof(cf_fd_frame)) == CF_OK;
}

static void vr_close(vr_replay *r)
{
    if (r == NULL)
        return;
    if (r->file != NULL)
        fclose(r->file);
    free(r->reader.own);
    free(r->data);
    free(r->inner);
    free(r);
}

/* Reads on behind what is left of the buffer, which grows when it is full. 0: no memory. */
static int vr_fill(vr_replay *r)
{
    size_t got;
    if (r->start > 0) {
        memmove(r->data, r->data + r->start, r->stop - r->start);
        r->stop -= r->start;
        r->start = 0;
    }
    if (r->stop == r->room) {
        uint8_t *grown = (uint8_t *)realloc(r->data, r->room * 2);
        if (grown == NULL)
            return 0;
        r->data = grown;
        r->room *= 2;
    }
    got = fread(r->data + r->stop, 1, r->room - r->stop, r->file);
    r->stop += got;
    r->ended = got == 0;
    return 1;
}

/* The packed part at data + start goes behind what is left of `inner`. NULL, or why it cannot. */
static const char *vr_unpack(vr_replay *r, const cf_log_call *call)
{
    const size_t rest = r->inner_stop - r->inner_start;
    uint8_t *fresh;
    if (call->packing != CF_LOG_STORED)
        return "its frames are compressed; convert it first";
    fresh = (uint8_t *)malloc(rest + call->packed + 1);
    if (fresh == NULL)
        return "out of memory";
    if (rest != 0)
        memcpy(fresh, r->inner + r->inner_start, rest);
    memcpy(fresh + rest, r->data + r->start, call->packed);
    free(r->inner);
    r->inner = fresh;
    r->inner_start = 0;
    r->inner_stop = rest + call->packed;
    r->start += call->packed;
    return NULL;
}

/* More frames into r->frames: NULL with r->made 0 at the end of the recording; otherwise why it cannot go on. */
static const char *vr_read(vr_replay *r)
{
    r->at = r->made = 0;
    for (;;) {
        cf_log_call call;
        cf_status status;
        const char *why;
        memset(&call, 0, sizeof call);
        call.data = r->data + r->start;
        call.size = r->stop - r->start;
        call.final = r->ended;
        call.frames = r->frames;
        call.capacity = VR_FRAMES;
        call.stride = sizeof r->frames[0];
        call.inner = r->inner != NULL ? r->inner + r->inner_start : NULL;
        call.inner_size = r->inner_stop - r->inner_start;
        status = r->format->read(&r->reader, &call);
        r->start += call.consumed;
        r->inner_start += call.inner_consumed;
        r->made = call.made;
        if (status == CF_LOG_PACKED && (why = vr_unpack(r, &call)) != NULL)
            return why;
        if (status != CF_OK && status != CF_LOG_START && status != CF_LOG_PACKED)
            return "it is damaged beyond reading on";
        if (r->made != 0)
            return NULL;
        if (status != CF_OK)
            continue;
        if (r->ended) {
            if (r->stop > r->start)
                r->skipped++; /* cut short: what is left is no whole frame */
            return NULL;
        }
        if (r->stop - r->start > (size_t)CF_LOG_ITEM_MAX + VR_BYTES)
            return "a part of it is too long";
        if (!vr_fill(r))
            return "out of memory";
    }
}

/* The next frame that a bus carries, until the next call; NULL at the end or, with *why, where it cannot go on. */
static const cf_fd_frame *vr_next(vr_replay *r, const char **why)
{
    *why = NULL;
    for (;;) {
        const cf_fd_frame *frame = &r->frames[r->at];
        if (r->at == r->made) {
            *why = vr_read(r);
            if (r->made == 0 || *why != NULL)
                return NULL;
            continue;
        }
        r->at++;
        if (vr_is_carried((const cf_frame_head *)frame))
            return frame;
        r->skipped++;
    }
}

/* A replay of the file, or NULL with the reason in words. */
static vr_replay *vr_open(const char *path, ct_error *error)
{
    vr_replay *r = (vr_replay *)calloc(1, sizeof *r);
    const cf_log_format *row;
    int best = CF_LOG_NO;
    size_t i;
    if (r != NULL)
        r->data = (uint8_t *)malloc(r->room = VR_BYTES);
    if (r == NULL || r->data == NULL) {
        vr_close(r);
        ct_fail(error, "replay=%s: out of memory", path);
        return NULL;
    }
    r->file = fopen(path, "rb");
    if (r->file == NULL || !vr_fill(r) || ferror(r->file)) {
        ct_fail(error, "replay=%s cannot be %s: %s", path, r->file == NULL ? "opened" : "read", strerror(errno));
        vr_close(r);
        return NULL;
    }
    for (i = 0; (row = cf_log_format_row(i)) != NULL; i++) {
        const size_t head = r->stop < CF_LOG_HEAD ? r->stop : CF_LOG_HEAD;
        const int sure = row->read != NULL ? row->recognise(r->data, head, r->stop < r->room) : CF_LOG_NO;
        if (sure > best) {
            best = sure;
            r->format = row;
        }
    }
    if (best == CF_LOG_NO) {
        vr_close(r);
        ct_fail(error, "replay=%s is no recording in a format that is read here, uncompressed", path);
        return NULL;
    }
    r->reader.forgiving = 1;
    r->reader.own = calloc(1, r->format->own_size + 1);
    if (r->reader.own == NULL) {
        vr_close(r);
        ct_fail(error, "replay=%s: out of memory", path);
        return NULL;
    }
    return r;
}

#endif
