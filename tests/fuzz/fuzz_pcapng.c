/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_pcapng.c
 *
 * Beside what binary_format.h does: what was made must survive being encoded again. */
#include <canal_fast/logs/formats.h>
#include <stdlib.h>

static cf_log_writer writer;

static void encode_again(const uint8_t *data, size_t size, size_t stride);

#define CF_FUZZ_FORMAT cf_log_format_pcapng
#define LLVMFuzzerTestOneInput read_in_pieces
#include "binary_format.h"
#undef LLVMFuzzerTestOneInput

static void encode_again(const uint8_t *data, size_t size, size_t stride)
{
    enum { CAPACITY = 64 };
    cf_log_call call;
    size_t used = 0;
    uint8_t *frames = (uint8_t *)malloc(CAPACITY * stride);
    uint8_t *out = (uint8_t *)malloc((size_t)CAPACITY * CF_PCAPNG_FRAME_MAX);
    memset(&reader, 0, sizeof reader);
    memset(&writer, 0, sizeof writer);
    memset(&call, 0, sizeof call);
    call.data = data;
    call.size = size;
    call.final = 1;
    call.frames = frames;
    call.capacity = CAPACITY;
    call.stride = stride;
    (void)cf_pcapng_read(&reader, &call);
    if (cf_pcapng_write(&writer, frames, call.made, stride, out, (size_t)CAPACITY * CF_PCAPNG_FRAME_MAX, &used) !=
        call.made)
        abort();
    free(out);
    free(frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    encode_again(data, size, sizeof(cf_fd_frame));
    encode_again(data, size, sizeof(cf_frame));
    return read_in_pieces(data, size);
}
