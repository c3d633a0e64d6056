/* canal_fast/logs/blf_search.h - finding the objects of a Vector BLF, damaged ones left out.
 *
 * After an object come up to 8 bytes of padding, whose rule depends on the writer; so the next one is looked for. Where
 * none is, the bytes up to the next are lost. A size that leads to no other object, but past the begin of one, is
 * damage: the object is given up and the search begins behind its first four bytes. So is an object that goes on in the
 * next container where no other follows: a container between the two is missing.
 */
#ifndef CANAL_FAST_LOGS_BLF_SEARCH_H
#define CANAL_FAST_LOGS_BLF_SEARCH_H

#include "blf_object.h"

enum {
    CF_BLF_LEAST_HEADER = 72, /* of a file: with start and end */
    CF_BLF_MOST_HEADER = 4096,
    CF_BLF_PADDING = 8
};

/* What has to be known from one call to the next of a stream of objects. */
typedef struct cf_blf_search {
    uint64_t passed; /* bytes since the last object's end */
    uint64_t seam;   /* bytes from the stream's place to where the last container's part begins */
    int damaged;     /* 1: an object was given up since; they are no padding */
} cf_blf_search;

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

#endif
