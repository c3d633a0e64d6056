/* text_format.h - the fuzz entries of the text formats: CF_FUZZ_FORMAT's row is read from the input, in pieces.
 *
 * Whatever the input is: read stays inside it (its own block, so that the sanitizer sees its end), gets on or returns,
 * and makes records that a controller could have sent, with zeros past their payload; with `forgiving` it reaches the
 * end. */
#include "seen.h"

#include <canal_fast/logs/formats.h>
#include <stdlib.h>

static cf_log_reader reader;

static void check(const cf_fd_frame *frame)
{
    unsigned i;
    const unsigned length = cf_payload_length(frame->flags, frame->dlc);
    if (cf_record_check((const cf_frame_head *)frame) != CF_OK)
        abort();
    if (!(frame->flags & CF_FLAG_ERROR_FRAME) && cf_frame_check((const cf_frame_head *)frame, sizeof *frame) != CF_OK)
        abort();
    for (i = length; i < CF_FD_DATA; i++)
        if (frame->data[i] != 0)
            abort();
}

/* Reads all of text[0..size), given `piece` bytes more at a time; the number of frames. */
static size_t read_all(const cf_log_format *row, const uint8_t *data, size_t size, size_t piece, int forgiving)
{
    static uint64_t own[1024];
    size_t at = 0, there = 0, count = 0, i;
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
        uint8_t *copy = (uint8_t *)malloc(there - at ? there - at : 1);
        memcpy(copy, data + at, there - at);
        memset(&call, 0, sizeof call);
        call.data = copy;
        call.size = there - at;
        call.final = there == size;
        call.frames = frames;
        call.capacity = 3;
        call.stride = sizeof frames[0];
        status = row->read(&reader, &call);
        free(copy);
        if (call.consumed > there - at || call.made > 3)
            abort();
        for (i = 0; i < call.made; i++) {
            check(&frames[i]);
            seen(&frames[i], sizeof frames[i]);
#ifdef CF_FUZZ_FRAME
            CF_FUZZ_FRAME(&frames[i]);
#endif
        }
        at += call.consumed;
        count += call.made;
        if (status == CF_LOG_START || call.made == 3)
            continue;
        if (status != CF_OK) {
            if (forgiving && status != CF_LOG_CHANNELS)
                abort();
            return count;
        }
        if (there == size)
            return count;
        there = size - there < piece ? size : there + piece;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const cf_log_format *row = CF_FUZZ_FORMAT();
    uint8_t *head = (uint8_t *)malloc(size ? size : 1);
    const size_t piece = size ? 1 + data[0] % 97u : 1;
    size_t strict;
    memcpy(head, data, size);
    (void)row->recognise(head, size, 1);
    (void)row->recognise(head, size, 0);
    free(head);
    strict = read_all(row, data, size, size, 0);
    if (read_all(row, data, size, piece, 0) != strict || read_all(row, data, size, piece, 1) < strict)
        abort();
    return 0;
}
