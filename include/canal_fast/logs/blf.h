/* canal_fast/logs/blf.h - Vector BLF: a header, then objects, most of them inside containers.
 *
 * File header: "LOGG", its size u4 @4 (144 or more), start as SYSTEMTIME @40 (8 x u2: year, month, day of the week,
 * day, hour, minute, second, millisecond; all 0: none). Sizes, counts and end time are not used: a logger that died
 * leaves them stale. Containers (object type 10): method u2 @16 (0 stored, 2 zlib), data @32. What they hold is one
 * stream: objects go on in the next container. Objects may also stand between containers.
 *
 * After an object come up to 8 bytes of padding, whose rule depends on the writer; so the next one is looked for. Where
 * none is, the bytes up to the next are lost. A size that leads to no other object, but past the begin of one, is
 * damage: the object is given up and the search begins behind its first four bytes. So is an object that goes on in the
 * next container where no other follows: a container between the two is missing.
 */
#ifndef CANAL_FAST_LOGS_BLF_H
#define CANAL_FAST_LOGS_BLF_H

#include "blf_object.h"

enum {
    CF_BLF_FILE_HEADER = 144,
    CF_BLF_LEAST_HEADER = 72, /* with start and end */
    CF_BLF_MOST_HEADER = 4096,
    CF_BLF_CONTAINER_HEAD = 32,
    CF_BLF_PADDING = 8
};

/* What has to be known from one call to the next of a stream of objects. */
typedef struct cf_blf_search {
    uint64_t passed; /* bytes since the last object's end */
    uint64_t seam;   /* bytes from the stream's place to where the last container's part begins */
    int damaged;     /* 1: an object was given up since; they are no padding */
} cf_blf_search;

typedef struct cf_blf_own {
    cf_blf_search outer, inner; /* the file itself, and what its containers hold */
    int begun;                  /* the file's header was read */
} cf_blf_own;

/* One of the two streams during a call. */
typedef struct cf_blf_stream {
    const uint8_t *data;
    size_t size, at;
    int final; /* nothing comes after data[size) */
    cf_blf_search *search;
} cf_blf_stream;

CF_INLINE int cf_blf_is_object(const uint8_t *p)
{
    return memcmp(p, "LOBJ", 4) == 0;
}

/* Could an object begin with these 16 bytes? */
CF_INLINE int cf_blf_is_head(const uint8_t *p)
{
    const unsigned header = cf_blf_u16(p + 4);
    const uint32_t size = cf_blf_u32(p + 8);
    return cf_blf_is_object(p) && header >= CF_BLF_HEAD && header <= 255 && size >= header &&
           size <= (uint32_t)CF_LOG_ITEM_MAX;
}

/* Does another object, or the end, follow these `size` bytes, padding between? Needs 12 bytes behind, or `final`. */
CF_INLINE int cf_blf_is_followed(const cf_blf_stream *s, size_t size)
{
    const uint8_t *p = s->data + s->at + size, *end = s->data + s->size;
    unsigned i;
    for (i = 0; i <= CF_BLF_PADDING && end - p >= 4; i++, p++)
        if (*p == 'L' && cf_blf_is_object(p))
            return 1;
    return end - p < 4 && i <= CF_BLF_PADDING;
}

/* Do three bytes of another object's "LOBJ" follow these `size` bytes, padding between? */
CF_INLINE int cf_blf_is_nearly_followed(const cf_blf_stream *s, size_t size)
{
    const uint8_t *p = s->data + s->at + size, *end = s->data + s->size;
    unsigned i;
    for (i = 0; i <= CF_BLF_PADDING && end - p >= 4; i++, p++)
        if ((p[0] == 'L') + (p[1] == 'O') + (p[2] == 'B') + (p[3] == 'J') == 3)
            return 1;
    return 0;
}

/* Does a container of `size` bytes stand at s->at that holds objects as they are, and says so? */
CF_INLINE int cf_blf_is_stored(const cf_blf_stream *s, size_t size)
{
    const uint8_t *object = s->data + s->at;
    return cf_blf_u32(object + 12) == CF_BLF_CONTAINER && s->size - s->at >= CF_BLF_CONTAINER_HEAD &&
           size >= CF_BLF_CONTAINER_HEAD && cf_blf_u16(object + 16) == CF_LOG_STORED &&
           cf_blf_u32(object + 24) == size - CF_BLF_CONTAINER_HEAD;
}

/* Does another object begin inside these `size` bytes, of which those up to the stream's end are there? */
CF_INLINE int cf_blf_holds_object(const cf_blf_stream *s, size_t size)
{
    const uint8_t *p = s->data + s->at + CF_BLF_HEAD, *end;
    const size_t there = s->size - s->at;
    end = s->data + s->at + (there > CF_BLF_HEAD && size < there - CF_BLF_HEAD ? size + CF_BLF_HEAD - 1 : there);
    while (end - p >= CF_BLF_HEAD && (p = (const uint8_t *)memchr(p, 'L', (size_t)(end - p) - 15)) != NULL) {
        if (cf_blf_is_head(p))
            return 1;
        p++;
    }
    return 0;
}

/* Goes to the next "LOBJ". 1: it stands at s->at. 0: more bytes are wanted, or the stream has ended. */
CF_INLINE int cf_blf_find(cf_log_reader *reader, cf_blf_stream *s)
{
    cf_blf_search *search = s->search;
    size_t left;
    while ((left = s->size - s->at) >= 4) {
        const uint8_t *p = s->data + s->at, *next;
        size_t step = left;
        if (CF_LIKELY(cf_blf_is_object(p)))
            break;
        next = (const uint8_t *)memchr(p + 1, 'L', left - 1);
        if (next != NULL)
            step = (size_t)(next - p);
        s->at += step;
        search->passed += step;
    }
    if (left < 4) {
        for (; left > 0 && memcmp(s->data + s->at, "LOBJ", left) != 0; left--) {
            s->at++;
            search->passed++;
        }
        if (!s->final || left > 0)
            return 0;
    }
    if (search->damaged || search->passed > CF_BLF_PADDING)
        reader->lost_bytes += search->passed;
    search->passed = 0;
    search->damaged = 0;
    return left >= 4;
}

/* Does an object of `size` bytes stand at s->at, as far as that can be told? Needs 16 bytes behind it, or `final`. */
CF_INLINE int cf_blf_is_sound(const cf_blf_stream *s, size_t size)
{
    const int there = size <= s->size - s->at;
    if (CF_LIKELY(there && cf_blf_is_followed(s, size)))
        return 1;
    if (there && s->at < s->search->seam && size > s->search->seam - s->at && !cf_blf_is_nearly_followed(s, size))
        return 0;
    return cf_blf_is_stored(s, size) || !cf_blf_holds_object(s, size);
}

/* Goes to the next whole object and returns its size, without moving behind it; 0: more bytes are wanted, or the stream
 * has ended; then what is left, if anything, is a cut object. */
CF_INLINE size_t cf_blf_next(cf_log_reader *reader, cf_blf_stream *s)
{
    while (cf_blf_find(reader, s)) {
        const uint8_t *p = s->data + s->at;
        const size_t left = s->size - s->at;
        if (left < CF_BLF_HEAD)
            return 0;
        if (CF_LIKELY(cf_blf_is_head(p))) {
            const size_t size = cf_blf_u32(p + 8);
            if (left < size + CF_BLF_HEAD && !s->final)
                return 0;
            if (cf_blf_is_sound(s, size))
                return left >= size ? size : 0;
        }
        s->at += 4;
        s->search->passed += 4;
        s->search->damaged = 1;
    }
    return 0;
}

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
    static const cf_log_format row = {"blf",
                                      "Vector BLF",
                                      ".blf",
                                      "object",
                                      1,
                                      CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC |
                                          CF_LOG_KEEPS_TX | CF_LOG_KEEPS_GAP | CF_LOG_KEEPS_CHANNEL |
                                          CF_LOG_KEEPS_NAMES,
                                      sizeof(cf_blf_own),
                                      cf_blf_recognise,
                                      cf_blf_read,
                                      NULL,
                                      0,
                                      NULL,
                                      NULL,
                                      NULL};
    return &row;
}

#endif
