/* canal_fast/arrow.h - Arrow's C data and stream interfaces: tables handed over without copies and without Arrow.
 *
 * The structs are those of the published ABI (arrow.apache.org/docs/format/CDataInterface.html); who includes Arrow's
 * own header first keeps that.
 */
#ifndef CANAL_FAST_ARROW_H
#define CANAL_FAST_ARROW_H

#include "base.h"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#endif

/* `count` bytes of 0 or 1 to a validity bitmap, least significant bit first ((count + 7) / 8 bytes, the rest of the
 * last one 0). Returns how many are 0. */
CF_INLINE size_t cf_arrow_validity(const uint8_t *CF_RESTRICT valid, size_t count, uint8_t *CF_RESTRICT bitmap)
{
    size_t i, k, ones = 0;
    for (i = 0; i < count; i += 8) {
        const size_t end = count - i < 8 ? count - i : 8;
        unsigned bits = 0;
        for (k = 0; k < end; k++) {
            bits |= (unsigned)(valid[i + k] & 1) << k;
            ones += valid[i + k] & 1;
        }
        bitmap[i / 8] = (uint8_t)bits;
    }
    return count - ones;
}

#endif
