/* Fuzz entry of the wire decoder (libFuzzer):
 *
 *   clang -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude \
 *       tests/fuzz/fuzz_wire.c -o fuzz_wire && ./fuzz_wire -max_total_time=30
 *
 * Byte 0 chooses classical or FD records and how many of the last byte's bits count; the others are packed bits, in
 * memory of exactly that size. They are read as a stream and as slices. A valid frame must come out the same when it
 * is encoded and read again.
 */
#include "seen.h"

#include <canal_fast/wire/stuffing.h>
#include <canal_fast/wire/decode_stream.h>

#include <stdlib.h>

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_row(cf_packed bits, const cf_frame_head *head, size_t stride, const cf_decoded *result, int64_t start)
{
    cf_fd_frame copy;
    cf_decoded second;
    uint8_t bytes[8 * CF_FRAME_WORDS];
    cf_packed view = {bytes, 0};
    cf_writer writer = {bytes, 0, 0};
    require(start >= 0 && start < bits.bits && result->end <= bits.bits);
    require(result->bit_index >= -1 && result->bit_index <= bits.bits);
    require(result->valid == !(head->flags & CF_FLAG_ERROR_FRAME));
    if (!result->valid)
        return;
    require(cf_frame_check(head, stride) == CF_OK);
    cf_write_frame(&writer, head, cf_frame_shape(head, stride), 1);
    view.bits = 8 * (writer.to - bytes) + writer.count;
    memset(&copy, 0, sizeof copy);
    require(cf_decode_frame(view, 0, view.bits, (cf_frame_head *)&copy, stride, &second) == CF_OK);
    require(second.status == CF_WIRE_OK && second.end == view.bits);
    require(memcmp(&copy, head, stride) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cf_fd_frame record;
    cf_frame_head *head = (cf_frame_head *)&record;
    cf_decoded result;
    cf_packed bits;
    uint8_t *bytes, *loose, *plain;
    size_t stride, good, rows = 0;
    int64_t start = 0, at;
    cf_units stream_units;
    if (size < 2)
        return 0;
    stream_units = data[0] & 4 ? CF_PORTABLE : cf_cpu_units();
    stride = data[0] & 1 ? sizeof(cf_fd_frame) : sizeof(cf_frame);
    bytes = (uint8_t *)malloc(size - 1);
    require(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    bits.bytes = bytes;
    bits.bits = 8 * (int64_t)(size - 1) - (data[0] >> 1 & 7);
    require(bits.bits > 0);
    {
        cf_stream stream = {bits, 0, data[0] & 16 ? CF_STREAM_IDLE : CF_STREAM_INTEGRATING, stream_units};
        while (cf_stream_next(&stream, head, stride, &result, &start) == CF_OK) {
            seen(head, stride);
            require(stream.at > start);
            require((int64_t)++rows <= bits.bits);
            if (result.status != CF_WIRE_ERROR_FLAG && result.status != CF_WIRE_OVERLOAD)
                check_row(bits, head, stride, &result, start);
        }
    }
    for (at = 0; at < bits.bits; at += 1 + (data[0] >> 5)) {
        const int64_t end = at + 200 < bits.bits && data[0] & 8 ? at + 200 : bits.bits;
        memset(&record, 0, sizeof record);
        if (cf_decode_frame(bits, at, end, head, stride, &result) == CF_OK) {
            cf_fd_frame quick;
            cf_decoded same;
            memset(&quick, 0, sizeof quick);
            require(cf_decode_frame_on(stream_units, bits, at, end, (cf_frame_head *)&quick, stride, &same) == CF_OK);
            require(memcmp(&quick, &record, sizeof quick) == 0 && same.status == result.status);
            require(same.end == result.end && same.bit_index == result.bit_index && same.valid == result.valid);
            require(result.end <= end);
            check_row(bits, head, stride, &result, at);
        }
    }
    loose = (uint8_t *)malloc((size_t)bits.bits + (size_t)bits.bits / 4 + 1);
    plain = (uint8_t *)malloc((size_t)bits.bits + 1);
    require(loose != NULL && plain != NULL);
    for (at = 0; at < bits.bits; at++)
        plain[at] = (uint8_t)cf_bit(bits, at);
    rows = cf_stuff(plain, (size_t)bits.bits, loose, &good);
    require(good == (size_t)bits.bits);
    require(cf_destuff(loose, rows, plain, &good) == (size_t)bits.bits && good == rows);
    free(plain);
    free(loose);
    free(bytes);
    return 0;
}
