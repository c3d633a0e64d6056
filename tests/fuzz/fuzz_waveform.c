/* Fuzz entry of the waveform decoder and the VCD scanner (libFuzzer):
 *
 *   clang -g -O1 -std=c11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Iinclude \
 *       tests/fuzz/fuzz_waveform.c -o fuzz_waveform && ./fuzz_waveform -max_total_time=30
 *
 * Bytes 0 to 7 choose timings; the others are distances of edges, in memory of exactly that size. What the short way
 * reads must be what the long way reads, in one piece and in two, and no row may leave the waveform. The same bytes are
 * scanned as VCD text and searched for edges as samples.
 */
#include "seen.h"

#include <canal_fast/waveform.h>

#include <stdlib.h>

enum { ROOM = 4096 };

static void require(int condition)
{
    if (!condition)
        abort();
}

typedef struct rows {
    cf_fd_frame frames[ROOM];
    uint8_t status[ROOM];
    int32_t bit_index[ROOM], glitches[ROOM];
    int64_t start_ns[ROOM], end_ns[ROOM];
    double clock_ppm[ROOM], clock_uncertainty[ROOM], margin_ns[ROOM], margin_percent[ROOM];
    size_t count;
} rows;

static cf_wave_timing choose(const uint8_t *data)
{
    cf_wave_timing t;
    memset(&t, 0, sizeof t);
    t.left = 16;
    t.nominal.bit = CF_WAVE_PARTS + ((int64_t)data[1] << 14);
    t.nominal.sample = t.nominal.bit * (40 + data[2] % 58) / 100;
    t.nominal.jump = (t.nominal.bit - t.nominal.sample) * (data[3] & 15) / 15;
    t.data.bit = t.nominal.bit / (1 + (data[3] >> 4) % 9);
    t.data.sample = t.data.bit * (40 + data[4] % 58) / 100;
    t.data.jump = (t.data.bit - t.data.sample) * (data[5] & 15) / 15;
    if (data[0] & 2)
        t.quantum[0] = t.nominal.bit / 16, t.quantum[1] = t.data.bit / 16;
    t.rounding = (data[0] & 12) == 12;
    t.quarter = t.rounding ? 1 << 14 : 0;
    t.tick_ns = 10;
    t.resolution = 1;
    t.ticks_a_second = 100000000;
    return t;
}

static void read_all(rows *out, const cf_wave_timing *timing, const int64_t *ticks, int64_t count, int64_t split,
                     unsigned level, int64_t end, int thorough)
{
    static cf_wave w;
    const cf_wave_columns all = {out->status,    out->bit_index,      out->start_ns,
                                 out->end_ns,    out->clock_ppm,      out->clock_uncertainty,
                                 out->margin_ns, out->margin_percent, out->glitches};
    cf_wave_begin(&w, timing, cf_cpu_units());
    w.thorough |= thorough;
    out->count = 0;
    for (;;) {
        cf_wave_columns c = all;
        size_t found = 0, k = out->count;
        c.status += k, c.bit_index += k, c.start_ns += k, c.end_ns += k, c.glitches += k;
        c.clock_ppm += k, c.clock_uncertainty += k, c.margin_ns += k, c.margin_percent += k;
        w.edges.ticks = ticks;
        w.edges.level = level;
        w.edges.count = split < 0 ? count : split;
        w.edges.final = split < 0;
        w.edges.end = split < 0 ? end : split ? ticks[split - 1] : 0;
        require(cf_wave_decode(&w, 0, out->frames + k, ROOM - k, sizeof(cf_fd_frame), &c, &found) == CF_OK);
        out->count += found;
        if (split < 0 || out->count == ROOM)
            return;
        split = -1;
    }
}

static int same(double a, double b)
{
    return (a != a && b != b) || a == b || fabs(a - b) <= 1e-6 * (fabs(a) + fabs(b));
}

static void compare(const rows *a, const rows *b)
{
    size_t i;
    require(a->count == b->count);
    for (i = 0; i < a->count; i++) {
        require(memcmp(&a->frames[i], &b->frames[i], sizeof a->frames[i]) == 0);
        require(a->status[i] == b->status[i] && a->bit_index[i] == b->bit_index[i]);
        require(a->start_ns[i] == b->start_ns[i] && a->end_ns[i] == b->end_ns[i]);
        require(a->glitches[i] == b->glitches[i] && same(a->clock_ppm[i], b->clock_ppm[i]));
        require(same(a->margin_ns[i], b->margin_ns[i]) && same(a->margin_percent[i], b->margin_percent[i]));
    }
}

/* Edges of frames made of the bytes, 128 ticks a bit, each displaced by a few ticks. Returns how many. */
static size_t frame_edges(const uint8_t *data, size_t size, int64_t *ticks, size_t room)
{
    size_t at = 0, found = 0;
    int64_t now = 128 * 12;
    unsigned level = 1;
    while (at + 12 <= size && found + CF_MAX_FRAME_BITS <= room) {
        uint8_t bytes[8 * CF_FRAME_WORDS] = {0};
        cf_writer writer = {bytes, 0, 0};
        cf_fd_frame record;
        cf_frame_head *head = (cf_frame_head *)&record;
        int64_t bits, i;
        memset(&record, 0, sizeof record);
        head->arbitration_id = (uint32_t)(data[at] << 3 | data[at + 1] >> 5);
        head->flags = data[at + 1] & 1 ? CF_FLAG_FD : 0;
        head->dlc = data[at + 2] & 15;
        memcpy(record.data, data + at + 3, head->dlc < 8 ? head->dlc : 8);
        if (!(head->flags & CF_FLAG_FD) && head->dlc > 8)
            head->dlc = 8;
        cf_write_frame(&writer, head, cf_frame_shape(head, sizeof record), data[at + 1] >> 1 & 1);
        bits = 8 * (writer.to - bytes) + writer.count;
        for (i = 0; i < bits; i++, now += 128) {
            const unsigned bit = bytes[i >> 3] >> (7 - (i & 7)) & 1;
            if (bit != level)
                ticks[found++] = now + (data[at + (size_t)i % 12] & 7);
            level = bit;
        }
        now += 128 * (int64_t)(data[at + 11] & 15);
        at += 12;
    }
    return found;
}

static void scan_text(const uint8_t *data, size_t size)
{
    cf_vcd v;
    int64_t edges[64];
    size_t used = 0, at = 0;
    memset(&v, 0, sizeof v);
    v.name[0] = '!';
    v.begin = -1;
    v.level = CF_VCD_NO_LEVEL;
    v.recessive = 1;
    while (at < size) {
        const size_t found = cf_vcd_scan(&v, (const char *)data + at, size - at, 1, edges, 64, &used);
        require(found < 64 && used <= size - at && used > 0);
        at += used;
    }
}

static void find_edges(const uint8_t *data, size_t size)
{
    int64_t edges[64], used;
    cf_edge_finder f = {0, 1}, g = {0, 1};
    int64_t at = 0, i, found = 0, expected = 0;
    unsigned before = 1;
    const int64_t bits = 8 * (int64_t)size - (size ? data[0] & 7 : 0);
    for (i = 0; i < bits; i++) {
        const unsigned now = data[i >> 3] >> (7 - (i & 7)) & 1;
        expected += now != before;
        before = now;
    }
    while (at < bits) { /* pieces begin at whole bytes */
        found += (int64_t)cf_edges_packed(&f, data + (at >> 3), bits - at, edges, 64, &used);
        at += used;
    }
    require(found == expected && f.at == bits && f.level == before);
    for (at = 0; at < (int64_t)size; at += used)
        (void)cf_edges_units(&g, data + at, (int64_t)size - at, 1, 3, edges, 64, &used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rows quick, full, parts;
    cf_wave_timing timing;
    int64_t *ticks, now = 0, end;
    size_t i, n;
    if (size < 9)
        return 0;
    timing = choose(data);
    n = (size - 8) / 2;
    if (data[0] & 32) {
        static int64_t made[8 * CF_MAX_FRAME_BITS];
        n = frame_edges(data + 8, size - 8 < 96 ? size - 8 : 96, made, sizeof made / sizeof *made);
        ticks = (int64_t *)malloc(n ? n * sizeof *ticks : 1);
        require(ticks != NULL);
        memcpy(ticks, made, n * sizeof *ticks);
        now = n ? ticks[n - 1] : 0;
        if (data[0] & 64)
            timing.nominal.bit = CF_WAVE_PARTS, timing.nominal.sample = CF_WAVE_PARTS / 8 * 7,
            timing.nominal.jump = CF_WAVE_PARTS / 8, timing.data = timing.nominal;
    } else {
        ticks = (int64_t *)malloc(n ? n * sizeof *ticks : 1);
        require(ticks != NULL);
    }
    for (i = 0; i < n && !(data[0] & 32); i++) {
        const unsigned bits = data[8 + 2 * i], rest = data[9 + 2 * i];
        now += bits & 128 ? (bits & 127) * (int64_t)(1 + rest) : (bits & 7) * 128 + (rest & 15) * (data[6] & 15);
        ticks[i] = now;
    }
    end = now + ((int64_t)data[7] << (data[6] >> 4));
    read_all(&full, &timing, ticks, (int64_t)n, -1, data[0] & 1, end, 1);
    read_all(&quick, &timing, ticks, (int64_t)n, -1, data[0] & 1, end, 0);
    if (full.count < ROOM) {
        compare(&quick, &full);
        read_all(&parts, &timing, ticks, (int64_t)n, (int64_t)(n * data[6] / 256), data[0] & 1, end, 0);
        compare(&quick, &parts);
    }
    seen(full.frames, full.count * sizeof *full.frames);
    seen(full.start_ns, full.count * sizeof *full.start_ns);
    for (i = 0; i < full.count; i++) {
        require(full.start_ns[i] >= 0 && full.start_ns[i] <= 10 * end + 1000);
        require(!i || full.start_ns[i] >= full.start_ns[i - 1]);
        require(full.end_ns[i] >= full.start_ns[i]);
        if (!(full.frames[i].flags & CF_FLAG_ERROR_FRAME))
            require(cf_frame_check((const cf_frame_head *)&full.frames[i], sizeof(cf_fd_frame)) == CF_OK);
    }
    scan_text(data, size);
    find_edges(data, size);
    free(ticks);
    return 0;
}
