/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_pcapng.c
 *
 * Decodes the input whole, in small helpings and as classical records; what it made must survive
 * being encoded again. */
#include <canal_fast/logs/pcapng_read.h>
#include <stdlib.h>

static cf_log_reader reader;
static cf_log_writer writer;

static void decode(const uint8_t *data, size_t size, size_t capacity, size_t stride)
{
    size_t at = 0, consumed = 0, made = 0, used = 0;
    uint8_t *frames = (uint8_t *)malloc(capacity * stride);
    uint8_t *out = (uint8_t *)malloc(capacity * CF_PCAPNG_FRAME_MAX);
    memset(&reader, 0, sizeof reader);
    memset(&writer, 0, sizeof writer);
    while (cf_pcapng_read(&reader, data + at, size - at, frames, capacity, stride, &consumed, &made) == CF_OK) {
        if (consumed > size - at || made > capacity)
            abort();
        if (cf_pcapng_write(&writer, frames, made, stride, out, capacity * CF_PCAPNG_FRAME_MAX, &used) != made)
            abort();
        at += consumed;
        if (made < capacity)
            break;
    }
    free(out);
    free(frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)malloc(size + 1); /* its own block, so that the sanitizer sees its end */
    memcpy(copy, data, size);
    copy = (uint8_t *)realloc(copy, size ? size : 1);
    decode(copy, size, 64, sizeof(cf_fd_frame));
    decode(copy, size, 1, sizeof(cf_fd_frame));
    decode(copy, size, 3, sizeof(cf_frame));
    free(copy);
    return 0;
}
