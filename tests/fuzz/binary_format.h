/* binary_format.h - the fuzz entries of the binary formats: CF_FUZZ_FORMAT's row is read from the input, in pieces.
 *
 * Whatever the input is: read stays inside it (its own block, so that the sanitizer sees its end), gets on or returns,
 * and makes records that a recorder takes; with `forgiving` it reaches the end. What is packed is taken as if it had
 * unpacked to itself. */
#include "seen.h"

#include <canal_fast/logs/formats.h>
#include <stdlib.h>

static cf_log_reader reader;

typedef struct bytes {
    uint8_t *at;
    size_t size;
} bytes;

static bytes copy_of(const uint8_t *data, size_t size)
{
    bytes copy;
    copy.at = (uint8_t *)malloc(size ? size : 1);
    copy.size = size;
    if (size)
        memcpy(copy.at, data, size);
    return copy;
}

/* What is left of `inner` behind `consumed`, and `more` behind it. */
static bytes joined(bytes inner, size_t consumed, const uint8_t *more, size_t size)
{
    const size_t rest = inner.size - consumed;
    bytes out;
    out.size = rest + size;
    out.at = (uint8_t *)malloc(out.size ? out.size : 1);
    memcpy(out.at, inner.at + consumed, rest);
    if (size)
        memcpy(out.at + rest, more, size);
    free(inner.at);
    return out;
}

static void read_all(const cf_log_format *row, const uint8_t *data, size_t size, size_t piece, int forgiving,
                     size_t stride)
{
    static uint64_t own[64];
    size_t at = 0, there = piece < size ? piece : size;
    bytes inner = copy_of(data, 0);
    memset(&reader, 0, sizeof reader);
    memset(own, 0, sizeof own);
    reader.own = own;
    reader.forgiving = (uint8_t)forgiving;
    if (row->own_size > sizeof own)
        abort();
    for (;;) {
        cf_fd_frame frames[3];
        cf_log_call call;
        cf_status status;
        size_t i;
        bytes part = copy_of(data + at, there - at);
        memset(&call, 0, sizeof call);
        call.data = part.at;
        call.size = part.size;
        call.final = there == size;
        call.frames = frames;
        call.capacity = 3;
        call.stride = stride;
        call.inner = inner.at;
        call.inner_size = inner.size;
        status = row->read(&reader, &call);
        if (call.consumed + call.packed > part.size || call.made > 3 || call.inner_consumed > inner.size)
            abort();
        for (i = 0; i < call.made; i++) /* a recorder takes whatever a reader gives */
            if (cf_record_check((const cf_frame_head *)((const char *)frames + i * stride)) != CF_OK)
                abort();
        seen(frames, call.made * stride);
        inner = joined(inner, call.inner_consumed, part.at + call.consumed, status == CF_LOG_PACKED ? call.packed : 0);
        at += call.consumed + (status == CF_LOG_PACKED ? call.packed : 0);
        free(part.at);
        if (status == CF_LOG_START || status == CF_LOG_PACKED || call.made == 3)
            continue;
        if (status != CF_OK || there == size)
            break;
        there = size - there < piece ? size : there + piece;
    }
    free(inner.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const cf_log_format *row = CF_FUZZ_FORMAT();
    const size_t piece = size ? 1 + data[size / 2] % 97u : 1;
    bytes head = copy_of(data, size);
    (void)row->recognise(head.at, head.size, 1);
    free(head.at);
    read_all(row, data, size, size, 0, sizeof(cf_fd_frame));
    read_all(row, data, size, piece, 0, sizeof(cf_frame));
    read_all(row, data, size, piece, 1, sizeof(cf_fd_frame));
    return 0;
}
