/* digest_wire.h - for kernel_digest.c: the kernels of the wire. */
#ifndef DIGEST_WIRE_H
#define DIGEST_WIRE_H

#include "digest.h"

#include <canal_fast/wire/bus_load.h>
#include <canal_fast/wire/crc_fold.h>
#include <canal_fast/wire/crc_simd.h>
#include <canal_fast/wire/decode_stream.h>
#include <canal_fast/wire/encode_stream.h>
#include <canal_fast/wire/length_sliced.h>
#include <canal_fast/wire/stuffing.h>

/* Rows of a decoder: frames and columns. */
typedef struct rows {
    void *frames;
    size_t room, stride;
    cf_wire_columns columns;
} rows;

static rows make_rows(size_t room, size_t stride)
{
    rows r;
    r.frames = own(room * stride);
    r.room = room;
    r.stride = stride;
    r.columns.status = (uint8_t *)own(room);
    r.columns.bit_index = (int64_t *)own(room * 8);
    r.columns.start = (int64_t *)own(room * 8);
    return r;
}

static void add_rows(const rows *r, size_t count)
{
    add(r->frames, count * r->stride);
    add(r->columns.status, count);
    add(r->columns.bit_index, count * 8);
    add(r->columns.start, count * 8);
}

static void free_rows(rows *r)
{
    free(r->frames), free(r->columns.status), free(r->columns.bit_index), free(r->columns.start);
}

static void compare(const void *frames, const rows *r, size_t count)
{
    const char *in = (const char *)frames, *out = (const char *)r->frames;
    const size_t from = offsetof(cf_frame, arbitration_id);
    size_t i;
    for (i = 0; i < count; i++, in += r->stride, out += r->stride) {
        cf_fd_frame copy;
        memcpy(&copy, in, r->stride);
        copy.channel = 0; /* not on the wire */
        wrong += memcmp((const char *)&copy + from, out + from, r->stride - from) != 0;
    }
}

static void bits(const void *frames, size_t count, size_t stride)
{
    const uint64_t room = cf_encode_room(frames, count, stride);
    uint8_t *packed = (uint8_t *)own(room + 8), *stream, *loose, *plain;
    int64_t *offsets = (int64_t *)own((count + 1) * 8), *gaps = (int64_t *)own(count * 8), total;
    rows r = make_rows(count, stride), s = make_rows(2 * count + 100, stride);
    size_t index = 0, i, made = 0, good;
    cf_packed view;
    wrong += cf_frames_encode(frames, count, stride, 1, 1, packed, room, offsets, &index) != CF_OK;
    view.bytes = packed;
    view.bits = total = offsets[count];
    add(packed, (size_t)(total + 7) / 8), add(offsets, (count + 1) * 8), tell("encode");
    wrong += cf_frames_decode(units, view, offsets, count, r.frames, stride, r.columns, &index) != CF_OK;
    compare(frames, &r, count);
    add_rows(&r, count), tell("decode");
    for (i = 0; i < count; i += 2) { /* every other frame with a wrong bit */
        const int64_t bit = offsets[i] + (int64_t)(next() % (uint64_t)(offsets[i + 1] - offsets[i]));
        packed[bit >> 3] ^= (uint8_t)(0x80 >> (bit & 7));
    }
    for (i = 0; i < count; i++) { /* one by one: a flipped FDF bit is no frame for a record of 24 bytes */
        rows one = r;
        one.columns.status += i, one.columns.bit_index += i, one.columns.start += i;
        add_number((uint64_t)cf_frames_decode(units, view, offsets + i, 1, (char *)r.frames + i * stride, stride,
                                              one.columns, &index));
    }
    add_rows(&r, count), tell("decode-errors");
    loose = (uint8_t *)own((size_t)8 * room + 64);
    wrong += cf_frames_encode(frames, count, stride, 0, 0, loose, 8 * room, offsets, &index) != CF_OK;
    add(loose, (size_t)total), tell("encode-loose");
    for (i = 0; i < count; i++)
        gaps[i] = (int64_t)(3 + next() % 20);
    stream = (uint8_t *)own(room + 3 * count + 100);
    wrong += cf_frames_encode_stream(frames, count, stride, 1, 20, gaps, stream, room + 3 * count + 100, offsets,
                                     &index) != CF_OK;
    view.bytes = stream;
    view.bits = offsets[count];
    add(stream, (size_t)(view.bits + 7) / 8), tell("encode-stream");
    for (i = 0; i < count / 50; i++) {
        const int64_t bit = (int64_t)(next() % (uint64_t)view.bits);
        stream[bit >> 3] ^= (uint8_t)(0x80 >> (bit & 7));
    }
    {
        cf_stream whole = {view, 0, CF_STREAM_INTEGRATING, units};
        add_number((uint64_t)cf_stream_decode(&whole, s.frames, s.room, stride, s.columns, &made));
    }
    add_rows(&s, made), tell("decode-stream");
    plain = (uint8_t *)own((size_t)total + (size_t)total / 4 + 8);
    made = cf_stuff(loose, (size_t)total, plain, &good);
    add(plain, made);
    add_number(cf_destuff(plain, made, loose, &good));
    add(loose, good < (size_t)total ? good : (size_t)total), tell("stuffing");
    free(packed), free(stream), free(loose), free(plain), free(offsets), free(gaps);
    free_rows(&r), free_rows(&s);
}

static void lengths(const void *frames, size_t count, size_t stride)
{
    int32_t *nominal = (int32_t *)own(count * 4), *data = (int32_t *)own(count * 4);
    int64_t *durations = (int64_t *)own(count * 8);
    double *load = (double *)own(8 * 100000);
    size_t index = 0;
    int mode;
    for (mode = 0; mode < 3; mode++) {
        wrong += cf_frames_lengths(frames, count, stride, (cf_length_mode)mode, 3, nominal, data, &index) != CF_OK;
        add(nominal, count * 4), add(data, count * 4);
    }
    tell("length-parts");
    wrong += cf_frames_lengths(frames, count, stride, CF_LENGTH_EXACT, 3, nominal, data, &index) != CF_OK;
    cf_durations(nominal, data, count, 700000, 3700000, durations); /* parts of a nanosecond of every size */
    add(durations, count * 8), tell("durations");
    add_number(cf_busload_add(frames, count, stride, durations, NULL, 1700000000000000000, 10000000, 100000, 1, load));
    add(load, 8 * 100000), tell("bus-load");
    wrong += cf_frames_exact(frames, count, stride, units, 3, nominal, &index) != CF_OK;
    add(nominal, count * 4), tell("length-exact");
    wrong += cf_frames_stuff_bits(frames, count, stride, nominal, &index) != CF_OK;
    add(nominal, count * 4), tell("stuff-bits");
    free(nominal), free(data), free(durations), free(load);
}

static void crc(const void *frames, size_t count, size_t stride)
{
    enum { LONG = 100000 };
    uint32_t *sequences = (uint32_t *)own(count * 4);
    uint8_t *bytes = (uint8_t *)own(LONG);
    size_t index, i;
    unsigned width;
    for (i = 0; i < count; i++) {
        const cf_frame_head *head = (const cf_frame_head *)(const void *)((const char *)frames + i * stride);
        if (stride == sizeof(cf_frame) && i == 0) {
            wrong += cf_frames_crc_on(units, frames, count, stride, 15, sequences, &index) != CF_OK;
            break;
        }
        width = cf_frame_shape(head, stride).crc_bits;
        wrong += cf_frames_crc_on(units, head, 1, stride, width, sequences + i, &index) != CF_OK;
    }
    add(sequences, count * 4), tell("crc-frames");
    for (i = 0; i < LONG; i++)
        bytes[i] = (uint8_t)next();
    for (width = 15; width <= 21; width += width == 15 ? 2 : 4)
        for (i = 0; i < 70; i++) {
            const size_t size = i * i + i;
            add_number(cf_crc_bytes_on(units, cf_crc_of_width(width), (uint32_t)i, bytes + i, size));
            add_number(cf_crc_bytes_on(units, cf_crc_of_width(width), 0, bytes + i, LONG - 69 - i));
        }
    tell("crc-bulk");
    free(sequences), free(bytes);
}

static void wire_kernels(const void *frames, size_t count, size_t stride)
{
    bits(frames, count, stride);
    lengths(frames, count, stride);
    crc(frames, count, stride);
}

#endif
