/* libFuzzer entry: clang -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_log_writing.c
 *
 * Records of any bytes, in every format, into room of any size: nothing is written outside, no record takes more than
 * its format says, and what was written into small room is what is written into large room. What the screen lets
 * through is counted as given. */
#include "seen.h"

#include <canal_fast/logs/formats.h>
#include <canal_fast/logs/screen.h>
#include <stdlib.h>

enum { RECORDS = 40 };

/* A block of its own for each array, so that the sanitizer sees its end. */
static uint8_t *own(size_t size)
{
    uint8_t *got = (uint8_t *)calloc(size ? size : 1, 1);
    if (got == NULL)
        abort();
    return got;
}

static void ensure(int good)
{
    if (!good)
        abort();
}

static cf_log_writer *new_writer(uint8_t options, int64_t start)
{
    cf_log_writer *writer = (cf_log_writer *)own(sizeof *writer);
    unsigned channel;
    writer->nanoseconds = options & 1;
    writer->has_start = options >> 1 & 1;
    writer->start_ns = writer->has_start ? start : 0;
    writer->wall_ns = writer->start_ns;
    for (channel = 0; channel < CF_LOG_INTERFACES; channel++)
        memset(writer->channels[channel].name, 'n', options & 4 ? CF_LOG_NAME_MAX : 1);
    return writer;
}

static void write_all(const cf_log_format *row, const uint8_t *records, size_t count, size_t stride, size_t room,
                      uint8_t options, int64_t start)
{
    cf_log_writer *small = new_writer(options, start), *large = new_writer(options, start);
    const size_t most = row->write_max * (count + 1);
    uint8_t *all = own(most), *parts = own(most), *part = own(room), *head = own(row->write_max);
    size_t used = 0, done = 0, size = 0;
    ensure(row->begin == NULL || row->begin(small, "an application with a long name, as long as one may be: 64 bytes",
                                            head) <= row->write_max);
    ensure(row->describe == NULL || row->describe(small, 7, head) <= row->write_max);
    small->progress = large->progress;
    ensure(row->write(large, records, count, stride, all, most, &used) == count);
    while (done < count) {
        size_t bytes = 0;
        const size_t made = row->write(small, records + done * stride, count - done, stride, part, room, &bytes);
        ensure(bytes <= room && (made > 0 || room < row->write_max));
        if (made == 0)
            break;
        memcpy(parts + size, part, bytes);
        size += bytes;
        done += made;
    }
    ensure(size <= used && memcmp(all, parts, size) == 0 && (done < count || size == used));
    if (row->target->end != NULL)
        ensure(row->target->end(small, head) <= row->write_max);
    if (row->target->finish != NULL)
        ensure(row->target->finish(large, 1, 2, head) <= row->write_max);
    seen(all, used);
    free(all);
    free(parts);
    free(part);
    free(head);
    free(small);
    free(large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const cf_log_format *row;
    size_t index, stride, count, room, seen = 0, kept;
    uint8_t *records, *copy;
    int64_t start;
    uint8_t options;
    if (size < 12)
        return 0;
    options = data[0];
    stride = options & 8 ? sizeof(cf_frame) : sizeof(cf_fd_frame);
    room = (size_t)data[1] * 8;
    memcpy(&start, data + 2, 8);
    start = start < 0 ? 0 : start / 1000000 * 1000000;
    count = (size - 12) / stride < RECORDS ? (size - 12) / stride : RECORDS;
    records = own(count * stride);
    copy = own(count * stride);
    memcpy(records, data + 12, count * stride);
    for (index = 0; (row = cf_log_format_row(index)) != NULL; index++) {
        cf_log_screen *screen;
        if (row->write == NULL)
            continue;
        write_all(row, records, count, stride, room, options, start);
        screen = (cf_log_screen *)own(sizeof *screen);
        screen->target = row->target;
        screen->keeps = row->keeps;
        screen->step_ns = options & 1 ? row->target->fine_ns : row->target->step_ns;
        screen->start_ns = options & 2 && row->target->dated ? start : 0;
        kept = cf_log_screen_count(screen, records, count, stride, 0, &seen);
        ensure(seen == count && kept == cf_log_screen_copy(screen, records, count, stride, copy));
        free(screen);
    }
    free(records);
    free(copy);
    return 0;
}
