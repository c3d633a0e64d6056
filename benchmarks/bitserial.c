/* The peer of bench_wire.py: frames to bits and back one bit at a time, the plain way, and a bare loop.
 * Built by the benchmark with the compiler's -O3; not shipped. */
#include <canal_fast/frame.h>

typedef struct sender {
    uint8_t *out; /* loose bits, packed ones, or NULL to count only */
    int packed;
    uint64_t at;
    unsigned crc, run, last;
} sender;

static void raw(sender *s, unsigned bit)
{
    if (s->out && s->packed) {
        if ((s->at & 7) == 0)
            s->out[s->at >> 3] = 0;
        s->out[s->at >> 3] |= (uint8_t)(bit << (7 - (s->at & 7)));
    } else if (s->out) {
        s->out[s->at] = (uint8_t)bit;
    }
    s->at++;
}

static void field(sender *s, uint32_t value, unsigned width)
{
    while (width--) {
        const unsigned bit = value >> width & 1;
        const unsigned feedback = (s->crc >> 14 ^ bit) & 1;
        s->crc = (s->crc << 1 & 0x7FFF) ^ (feedback ? 0x4599 : 0);
        s->run = bit == s->last ? s->run + 1 : 1;
        s->last = bit;
        raw(s, bit);
        if (s->run == 5) {
            s->last = !bit;
            s->run = 1;
            raw(s, !bit);
        }
    }
}

static void send(sender *s, const cf_frame *frame)
{
    const unsigned remote = (frame->flags & CF_FLAG_REMOTE) != 0;
    const unsigned bytes = cf_payload_length(frame->flags, frame->dlc);
    unsigned i, tail = 0x2FF;
    s->crc = s->run = 0;
    s->last = 1;
    field(s, 0, 1);
    if (frame->flags & CF_FLAG_EXTENDED_ID) {
        field(s, frame->arbitration_id >> 18, 11);
        field(s, 3, 2);
        field(s, frame->arbitration_id & 0x3FFFF, 18);
    } else {
        field(s, frame->arbitration_id, 11);
    }
    field(s, remote << 2, 3);
    field(s, frame->dlc, 4);
    for (i = 0; i < bytes; i++)
        field(s, frame->data[i], 8);
    field(s, s->crc, 15);
    for (i = 10; i-- > 0;)
        raw(s, tail >> i & 1);
}

void serial_lengths(const cf_frame *frames, size_t count, int32_t *lengths)
{
    size_t i;
    for (i = 0; i < count; i++) {
        sender s = {NULL, 0, 0, 0, 0, 0};
        send(&s, &frames[i]);
        lengths[i] = (int32_t)s.at;
    }
}

void serial_encode(const cf_frame *frames, size_t count, int packed, uint8_t *out, int64_t *offsets)
{
    sender s = {out, packed, 0, 0, 0, 0};
    size_t i;
    for (i = 0; i < count; i++) {
        offsets[i] = (int64_t)s.at;
        send(&s, &frames[i]);
    }
    offsets[count] = (int64_t)s.at;
}

typedef struct receiver {
    const uint8_t *bits;
    int packed, good;
    int64_t at, end;
    unsigned crc, run, last;
} receiver;

static unsigned next(receiver *r)
{
    const int64_t at = r->at++;
    if (at >= r->end) {
        r->good = 0;
        return 1;
    }
    return r->packed ? r->bits[at >> 3] >> (7 - (at & 7)) & 1u : r->bits[at];
}

static uint32_t take(receiver *r, unsigned width)
{
    uint32_t value = 0;
    while (width--) {
        unsigned bit;
        if (r->run == 5) {
            bit = next(r);
            if (bit == r->last)
                r->good = 0;
            r->last = bit;
            r->run = 1;
        }
        bit = next(r);
        r->run = bit == r->last ? r->run + 1 : 1;
        r->last = bit;
        r->crc = (r->crc << 1 & 0x7FFF) ^ (((r->crc >> 14 ^ bit) & 1) ? 0x4599 : 0);
        value = value << 1 | bit;
    }
    return value;
}

/* Returns the number of good frames. */
size_t serial_decode(const uint8_t *bits, int packed, const int64_t *offsets, size_t count, cf_frame *frames)
{
    size_t i, good = 0;
    for (i = 0; i < count; i++) {
        receiver r = {bits, packed, 1, offsets[i], offsets[i + 1], 0, 0, 1};
        cf_frame *f = &frames[i];
        unsigned k, bytes, crc, tail = 0;
        memset(f, 0, sizeof *f);
        take(&r, 1);
        f->arbitration_id = take(&r, 11);
        f->flags = take(&r, 1) ? CF_FLAG_REMOTE : 0;
        if (take(&r, 1)) {
            f->arbitration_id = f->arbitration_id << 18 | take(&r, 18);
            f->flags = CF_FLAG_EXTENDED_ID | (take(&r, 1) ? CF_FLAG_REMOTE : 0);
            take(&r, 1);
        }
        take(&r, 1);
        f->dlc = (uint8_t)take(&r, 4);
        bytes = cf_payload_length(f->flags, f->dlc);
        for (k = 0; k < bytes; k++)
            f->data[k] = (uint8_t)take(&r, 8);
        crc = r.crc;
        if (take(&r, 15) != crc)
            r.good = 0;
        if (r.run == 5)
            next(&r);
        for (k = 0; k < 10; k++)
            tail = tail << 1 | next(&r);
        good += r.good && tail == 0x2FF;
    }
    return good;
}

/* What memory alone costs a kernel that makes four bytes of each record: all is read, nothing computed. */
void bare_move(const cf_frame *frames, size_t count, uint32_t *out)
{
    size_t i;
    for (i = 0; i < count; i++) {
        uint64_t words[3];
        memcpy(words, frames + i, sizeof words);
        out[i] = (uint32_t)(words[0] ^ words[1] ^ words[2]);
    }
}
