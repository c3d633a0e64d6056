/* unit_variants.c - the kernels with each set of units beside what is slow and obvious.
 *
 *     unit_variants FRAMES UNITS...     UNITS: bits of cf_units; what the machine has not is left out
 *
 * Frames of every kind, runs of base frames of 8 bytes, every start of 0..3 frames and 0..69 at the end, every address
 * modulo 64 that records have, refused records at many places. A line a set, UNITS DIFFERENCES by kernel: CRC, lengths,
 * decoding, bulk CRC, acceptance. Exit 1: some differ.
 */
#include "made_frames.h"

#include <canal_fast/analysis/acceptance.h>
#include <canal_fast/wire.h>

#include <stdio.h>

enum { CRC, LENGTH, DECODE, BULK, ACCEPTS, KERNELS };
enum { FEW = 1100, LONG = 8000 };

static unsigned long differences[KERNELS];

static uint32_t crc_bit(uint32_t crc, unsigned bit)
{
    return (crc << 1 & 0x7FFF) ^ ((crc >> 14 ^ bit) & 1 ? 0x4599 : 0);
}

static uint32_t crc_field(uint32_t crc, uint32_t value, unsigned width)
{
    while (width--)
        crc = crc_bit(crc, value >> width & 1);
    return crc;
}

/* CRC-15 from SOF on, bit by bit. */
static uint32_t plain_crc(const cf_frame *f)
{
    const unsigned remote = (f->flags & CF_FLAG_REMOTE) != 0, size = cf_payload_length(f->flags, f->dlc);
    uint32_t crc = crc_field(0, 0, 1);
    unsigned i;
    if (f->flags & CF_FLAG_EXTENDED_ID)
        crc = crc_field(crc_field(crc_field(crc, f->arbitration_id >> 18, 11), 3, 2), f->arbitration_id & 0x3FFFF, 18);
    else
        crc = crc_field(crc, f->arbitration_id, 11);
    crc = crc_field(crc_field(crc, remote << 2, 3), f->dlc, 4);
    for (i = 0; i < size; i++)
        crc = crc_field(crc, f->data[i], 8);
    return crc;
}

/* Half of them base frames of 8 bytes, in runs of 1 to 512; marks that are not on the wire, and any channel. */
static void make_runs(cf_frame *frames, size_t count)
{
    size_t i, end;
    make_frames(frames, count, sizeof *frames);
    for (i = next() % 64; i < count; i = end + next() % (end % 3 ? 8 : 512)) {
        end = i + 1 + next() % (next() & 1 ? 512 : 64);
        for (; i < end && i < count; i++) {
            const uint64_t data = next();
            frames[i].arbitration_id &= CF_MAX_STANDARD_ID;
            frames[i].flags = (uint16_t)(data & 7 ? 0 : CF_FLAGS_OFF_WIRE);
            frames[i].channel = (uint8_t)(data >> 8);
            frames[i].dlc = 8;
            memcpy(frames[i].data, &data, 8);
        }
    }
}

typedef struct table {
    cf_frame *frames;
    size_t count;
    uint32_t *crc;
    int32_t *length;
    uint8_t *bits, *accepted;
    int64_t *offsets, total;
    cf_acceptance acceptance;
} table;

static table make_table(size_t count)
{
    table t;
    size_t i, index;
    memset(&t, 0, sizeof t);
    t.count = count;
    t.frames = (cf_frame *)own(count * sizeof(cf_frame));
    make_runs(t.frames, count);
    t.crc = (uint32_t *)own(count * 4);
    t.length = (int32_t *)own(count * 4);
    t.accepted = (uint8_t *)own(count);
    t.offsets = (int64_t *)own((count + 1) * 8);
    t.bits = (uint8_t *)own(count * 20 + 64);
    for (i = 0; i < CF_ACCEPTANCE_KEYS; i++)
        t.acceptance.base[i] = (uint8_t)(next() & 1);
    for (i = 0; i <= CF_MAX_STANDARD_ID; i++)
        t.acceptance.data_frames[i >> 5] |= (uint32_t)t.acceptance.base[i] << (i & 31);
    for (i = 0; i < count; i++) {
        t.crc[i] = plain_crc(t.frames + i);
        t.length[i] = (int32_t)cf_frame_length_bits(t.frames + i);
    }
    cf_acceptance_accepts(CF_PORTABLE, &t.acceptance, t.frames, count, sizeof(cf_frame), t.accepted);
    if (cf_frames_encode(t.frames, count, sizeof(cf_frame), 1, 1, t.bits, count * 20, t.offsets, &index) != CF_OK)
        abort();
    t.total = t.offsets[count];
    return t;
}

/* Frames `from` to `from` + `count` - 1, which lie at `at`. */
static void compare(cf_units units, const table *t, size_t from, size_t count, const void *at)
{
    uint32_t *crc = (uint32_t *)own(count * 4 + 4);
    int32_t *length = (int32_t *)own(count * 4 + 4);
    uint8_t *accepted = (uint8_t *)own(count + 1);
    size_t index, i;
    crc[count] = 0xABCD, length[count] = 0xABCD, accepted[count] = 0xAB; /* what is beyond stays */
    if (cf_frames_crc_on(units, at, count, sizeof(cf_frame), 15, crc, &index) != CF_OK || crc[count] != 0xABCD)
        differences[CRC]++;
    if (cf_frames_exact(at, count, sizeof(cf_frame), units, 0, length, &index) != CF_OK || length[count] != 0xABCD)
        differences[LENGTH]++;
    cf_acceptance_accepts(units, &t->acceptance, at, count, sizeof(cf_frame), accepted);
    differences[ACCEPTS] += accepted[count] != 0xAB;
    for (i = 0; i < count; i++) {
        differences[CRC] += crc[i] != t->crc[from + i];
        differences[LENGTH] += length[i] != t->length[from + i];
        differences[ACCEPTS] += accepted[i] != t->accepted[from + i];
    }
    free(crc), free(length), free(accepted);
}

/* One record of `few` that no controller could send: told by its number. */
static void refuse(cf_units units, cf_frame *few)
{
    static const struct refused {
        uint32_t arbitration_id;
        uint16_t flags;
        uint8_t dlc;
    } rows[] = {{CF_MAX_STANDARD_ID + 1, 0, 8},
                {CF_MAX_EXTENDED_ID + 1, CF_FLAG_EXTENDED_ID, 8},
                {1, CF_FLAG_STATUS, 8},
                {1, CF_FLAG_ERROR_FRAME, 8},
                {1, CF_FLAG_FD, 8},
                {1, CF_FLAG_BITRATE_SWITCH, 8},
                {1, 0, 16},
                {1, 0, 136}};
    static uint32_t crc[FEW];
    static int32_t length[FEW];
    size_t place, k, index;
    for (place = 0; place < FEW; place += 1 + place / 8) {
        const cf_frame before = few[place];
        for (k = 0; k < sizeof rows / sizeof rows[0]; k++) {
            few[place].arbitration_id = rows[k].arbitration_id;
            few[place].flags = rows[k].flags;
            few[place].dlc = rows[k].dlc;
            differences[CRC] += cf_frames_crc_on(units, few, FEW, sizeof *few, 15, crc, &index) == CF_OK ||
                                index != place;
            differences[LENGTH] += cf_frames_exact(few, FEW, sizeof *few, units, 0, length, &index) == CF_OK ||
                                   index != place;
        }
        few[place] = before;
    }
}

/* Does the quick way take the same frames as the portable quick way? What it leaves, decode.h takes, only slower. */
static void decode_quickly(cf_units units, const table *t)
{
#if CF_HAVE_X86
    size_t i;
    for (i = 0; i + 2 < t->count && cf_units_have(units, CF_NEEDS_PEXT); i++) {
        const uint8_t *bytes = t->bits + (t->offsets[i] >> 3);
        const unsigned shift = (unsigned)(t->offsets[i] & 7);
        const int guess = i % 3 ? (int)(t->offsets[i + 1] - t->offsets[i]) - CF_TAIL_BITS : 0;
        cf_frame one, other;
        memset(&one, 0, sizeof one), memset(&other, 0, sizeof other);
        differences[DECODE] += cf_quick_pext(bytes, shift, guess, (cf_frame_head *)&one) !=
                               cf_quick_portable(bytes, shift, guess, (cf_frame_head *)&other);
        differences[DECODE] += memcmp(&one, &other, sizeof one) != 0;
    }
#else
    (void)units, (void)t;
#endif
}

static void decode(cf_units units, const table *t)
{
    const cf_packed view = {t->bits, t->total};
    cf_frame *back = (cf_frame *)own(t->count * sizeof *back);
    const cf_wire_columns columns = {(uint8_t *)own(t->count), (int64_t *)own(t->count * 8),
                                     (int64_t *)own(t->count * 8)};
    size_t index = 0, i;
    if (cf_frames_decode(units, view, t->offsets, t->count, back, sizeof *back, columns, &index) != CF_OK)
        differences[DECODE]++;
    for (i = 0; i < t->count; i++) {
        const cf_frame *f = t->frames + i;
        const size_t size = cf_payload_length(f->flags, f->dlc);
        differences[DECODE] += columns.status[i] != CF_WIRE_OK || back[i].arbitration_id != f->arbitration_id ||
                               back[i].flags != (f->flags & ~CF_FLAGS_OFF_WIRE) || back[i].dlc != f->dlc ||
                               memcmp(back[i].data, f->data, size) != 0;
    }
    free(back), free(columns.status), free(columns.bit_index), free(columns.start);
}

/* Each start with each end, and lengths about where another way begins. */
static void bulk(cf_units units, const uint8_t *bytes, const uint32_t *prefix)
{
    size_t start, count;
    for (start = 0; start < 70; start++)
        for (count = start * 8; count < start * 8 + 70 && count < LONG; count++)
            differences[BULK] += cf_crc_bytes_on(units, cf_crc15(), prefix[start], bytes + start, count) !=
                                 prefix[start + count];
    for (count = LONG - 100; count < LONG; count++)
        differences[BULK] += cf_crc_bytes_on(units, cf_crc15(), 0, bytes, count) != prefix[count];
}

int main(int argc, char **argv)
{
    const size_t count = argc > 1 ? (size_t)atol(argv[1]) : 20000;
    const table t = make_table(count < FEW ? FEW : count);
    uint8_t *bytes = (uint8_t *)own(LONG + 70), *moved = (uint8_t *)own(FEW * sizeof(cf_frame) + 64);
    uint32_t *prefix = (uint32_t *)own((LONG + 71) * 4);
    unsigned long all = 0;
    size_t i, from, tail;
    int k, arg;
    for (i = 0; i < LONG + 70; i++) {
        bytes[i] = (uint8_t)next();
        prefix[i + 1] = crc_field(prefix[i], bytes[i], 8);
    }
    for (arg = 2; arg < argc; arg++) {
        const cf_units chosen = (cf_units)strtoul(argv[arg], NULL, 0) & cf_cpu_units();
        memset(differences, 0, sizeof differences);
        compare(chosen, &t, 0, t.count, t.frames);
        for (from = 0; from < 4; from++)
            for (tail = 0; tail < 70; tail++)
                compare(chosen, &t, from, (tail % 3 ? 512 : 256) + tail, t.frames + from);
        for (i = 0; i < 64; i += 8) { /* records that lie across lines of the cache in each way */
            memcpy(moved + i, t.frames, FEW * sizeof(cf_frame));
            compare(chosen, &t, 0, FEW, moved + i);
        }
        refuse(chosen, t.frames);
        decode(chosen, &t);
        decode_quickly(chosen, &t);
        bulk(chosen, bytes, prefix);
        printf("%#x", (unsigned)chosen);
        for (k = 0; k < KERNELS; k++)
            all += differences[k], printf(" %lu", differences[k]);
        printf("\n");
    }
    return all != 0;
}
