/* canal_fast/logs/blf.h - Vector BLF: a header, then objects, most of them inside containers.
 *
 * File header: "LOGG", its size u4 @4 (144 or more), start as SYSTEMTIME @40 (8 x u2: year, month, day of the week,
 * day, hour, minute, second, millisecond; all 0: none). Sizes, counts and end time are not used: a logger that died
 * leaves them stale. Containers (object type 10): method u2 @16 (0 stored, 2 zlib), data @32. What they hold is one
 * stream: objects go on in the next container. Objects may also stand between containers.
 */
#ifndef CANAL_FAST_LOGS_BLF_H
#define CANAL_FAST_LOGS_BLF_H

#include "blf_search.h"
#include "blf_write.h"

typedef struct cf_blf_own {
    cf_blf_search outer, inner; /* the file itself, and what its containers hold */
    int begun;                  /* the file's header was read */
} cf_blf_own;

/* The file's header: CF_LOG_START, CF_OK (with own->begun: it has no start time; without: more bytes are wanted),
 * CF_BLF_MAGIC or CF_BLF_HEADER. */
CF_INLINE cf_status cf_blf_read_header(cf_log_reader *reader, cf_log_call *call, cf_blf_own *own)
{
    const uint8_t *p = call->data;
    const size_t size = call->size;
    size_t header;
    unsigned milliseconds;
    if (memcmp(p, "LOGG", size < 4 ? size : 4) != 0)
        return CF_BLF_MAGIC;
    if (size < CF_BLF_FILE_HEADER + 4 && !call->final)
        return CF_OK;
    if (size < CF_BLF_LEAST_HEADER)
        return CF_OK;
    header = cf_blf_u32(p + 4);
    if (header <= CF_BLF_MOST_HEADER && size < header + 4 && !call->final)
        return CF_OK;
    if (header < CF_BLF_LEAST_HEADER || header > size - 4 || !cf_blf_is_object(p + header)) {
        if (size >= CF_BLF_FILE_HEADER + 4 && cf_blf_is_object(p + CF_BLF_FILE_HEADER))
            header = CF_BLF_FILE_HEADER;
        else if (header < CF_BLF_LEAST_HEADER || header > CF_BLF_MOST_HEADER)
            return CF_BLF_HEADER;
        else if (header > size)
            return CF_OK;
    }
    own->begun = 1;
    call->consumed = header;
    milliseconds = cf_blf_u16(p + 54);
    return cf_log_begin(reader, cf_blf_u16(p + 40), cf_blf_u16(p + 42), cf_blf_u16(p + 46), cf_blf_u16(p + 48),
                        cf_blf_u16(p + 50), cf_blf_u16(p + 52),
                        milliseconds < 1000 ? milliseconds * 1000000u : UINT32_MAX)
               ? CF_LOG_START
               : CF_OK;
}

/* Records of the stream's objects while there is room, up to the end. s->at is where it stopped. */
CF_INLINE cf_status cf_blf_read_objects(cf_log_reader *reader, cf_log_call *call, cf_blf_stream *s)
{
    size_t size;
    cf_fd_frame frame;
    while (call->made < call->capacity && (size = cf_blf_next(reader, s)) != 0) {
        if (cf_blf_take(reader, s->data + s->at, size, &frame) && cf_log_put(reader, call, &frame) != CF_OK)
            return CF_FD_IN_CLASSICAL;
        s->at += size;
    }
    return CF_OK;
}

/* The same of the file up to a container, whose size is put into *container. `inner`: what is left of the containers
 * before; its whole objects come before those that stand behind them. */
CF_INLINE cf_status cf_blf_read_loose(cf_log_reader *reader, cf_log_call *call, cf_blf_stream *s, cf_blf_stream *inner,
                                      size_t *container)
{
    size_t size;
    cf_fd_frame frame;
    *container = 0;
    while (call->made < call->capacity && (size = cf_blf_next(reader, s)) != 0) {
        const uint8_t *object = s->data + s->at;
        if (cf_blf_u32(object + 12) == CF_BLF_CONTAINER && size >= CF_BLF_CONTAINER_HEAD) {
            *container = size;
            break;
        }
        if (inner->at < inner->size) {
            cf_status status;
            inner->final = 1;
            status = cf_blf_read_objects(reader, call, inner);
            inner->final = 0;
            if (status != CF_OK || call->made == call->capacity)
                return status;
        }
        if (cf_blf_take(reader, object, size, &frame) && cf_log_put(reader, call, &frame) != CF_OK)
            return CF_FD_IN_CLASSICAL;
        s->at += size;
    }
    return CF_OK;
}

/* The container at data + consumed, of which `there` bytes are there: CF_LOG_PACKED, or CF_BLF_METHOD. */
CF_INLINE cf_status cf_blf_open_container(cf_log_call *call, size_t there)
{
    const uint8_t *p = call->data + call->consumed;
    const size_t head = cf_blf_u16(p + 4) + (size_t)(CF_BLF_CONTAINER_HEAD - CF_BLF_HEAD);
    call->packing = (int)cf_blf_u16(p + 16);
    if (call->packing != CF_LOG_STORED && call->packing != CF_LOG_ZLIB)
        return CF_BLF_METHOD;
    call->unpacked = cf_blf_u32(p + 24);
    call->packed = there < head ? 0 : there - head;
    call->consumed += there < head ? there : head;
    return CF_LOG_PACKED;
}

/* The file: its objects and containers. `inner`: what is left of the containers before. */
CF_INLINE cf_status cf_blf_read_file(cf_log_reader *reader, cf_log_call *call, cf_blf_stream *s, cf_blf_stream *inner)
{
    for (;;) {
        size_t container, left;
        cf_status status = cf_blf_read_loose(reader, call, s, inner, &container);
        call->consumed = s->at;
        left = s->size - s->at;
        if (status != CF_OK || call->made == call->capacity)
            return status;
        if (!container) { /* a cut one is read as far as it goes */
            if (!s->final || left < CF_BLF_CONTAINER_HEAD || cf_blf_u32(s->data + s->at + 12) != CF_BLF_CONTAINER)
                return CF_OK;
            reader->truncated = 1;
            container = left;
        }
        status = cf_blf_open_container(call, container);
        if (status == CF_LOG_PACKED || !reader->forgiving)
            return status;
        cf_log_skip(reader, "container packed in an unknown way");
        reader->lost_bytes += container + inner->size - inner->at;
        inner->at = inner->size;
        s->at += container;
    }
}

/* A format's `read`. */
CF_INLINE cf_status cf_blf_read(cf_log_reader *reader, cf_log_call *call)
{
    cf_blf_own *own = (cf_blf_own *)reader->own;
    cf_blf_stream outer = {call->data, call->size, 0, call->final, &own->outer};
    cf_blf_stream inner = {call->inner, call->inner_size, 0, 0, &own->inner};
    cf_status status = CF_OK;
    if (!own->begun) {
        status = cf_blf_read_header(reader, call, own);
        if (!own->begun || status != CF_OK)
            return status;
        outer.at = call->consumed;
    }
    if (inner.size)
        status = cf_blf_read_objects(reader, call, &inner);
    if (status == CF_OK && call->made < call->capacity)
        status = cf_blf_read_file(reader, call, &outer, &inner);
    if (status == CF_OK && call->final && call->made < call->capacity && inner.size) {
        inner.final = 1;
        status = cf_blf_read_objects(reader, call, &inner);
        if (status == CF_OK && call->made < call->capacity && inner.at < inner.size) {
            reader->truncated = 1;
            inner.at = inner.size;
        }
    }
    call->inner_consumed = inner.at;
    own->inner.seam = status == CF_LOG_PACKED      ? inner.size - inner.at
                      : inner.at < own->inner.seam ? own->inner.seam - inner.at
                                                   : 0;
    return status;
}

CF_INLINE int cf_blf_recognise(const uint8_t *head, size_t size, int whole)
{
    (void)whole;
    if (size == 0 || memcmp(head, "LOGG", size < 4 ? size : 4) != 0)
        return CF_LOG_NO;
    return size < 4 ? CF_LOG_PERHAPS : CF_LOG_SURE;
}

CF_INLINE const cf_log_format *cf_log_format_blf(void)
{
    static const cf_log_target target = {1,
                                         1,
                                         INT64_MIN,
                                         INT64_MAX,
                                         CF_LOG_INTERFACES,
                                         1000000,
                                         cf_log_holds_code,
                                         NULL,
                                         cf_blf_container,
                                         cf_blf_finish};
    static const cf_log_format row = {"blf",
                                      "Vector BLF",
                                      ".blf",
                                      "object",
                                      1,
                                      CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC |
                                          CF_LOG_KEEPS_TX | CF_LOG_KEEPS_GAP | CF_LOG_KEEPS_CHANNEL |
                                          CF_LOG_KEEPS_NAMES | CF_LOG_KEEPS_REMOTE | CF_LOG_KEEPS_ERROR_FRAMES |
                                          CF_LOG_KEEPS_FD_FLAGS,
                                      sizeof(cf_blf_own),
                                      cf_blf_recognise,
                                      cf_blf_read,
                                      cf_blf_write,
                                      CF_BLF_WRITE_MAX,
                                      cf_blf_begin,
                                      cf_blf_describe,
                                      NULL,
                                      &target};
    return &row;
}

#endif
