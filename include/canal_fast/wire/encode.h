/* canal_fast/wire/encode.h - frames to bits, SOF to the last EOF bit. */
#ifndef CANAL_FAST_WIRE_ENCODE_H
#define CANAL_FAST_WIRE_ENCODE_H

#include "length.h"

enum { CF_FRAME_WORDS = (CF_MAX_FRAME_BITS + 63) / 64 + 1 };

/* One frame's bits, MSB first from the first word's top; those after the last are zero. */
typedef struct cf_frame_bits {
    uint64_t words[CF_FRAME_WORDS];
    unsigned bits;
    unsigned stuff; /* dynamic stuff bits among them */
} cf_frame_bits;

/* Appends the low `width` (1..64) bits of `value`, which has none above. */
CF_INLINE void cf_put(cf_frame_bits *out, uint64_t value, unsigned width)
{
    uint64_t *word = out->words + (out->bits >> 6);
    const unsigned room = 64 - (out->bits & 63);
    out->bits += width;
    if (width <= room) {
        word[0] |= value << (room - width);
    } else {
        word[0] |= value >> (width - room);
        word[1] = value << (64 - (width - room));
    }
}

/* CRC delimiter, ACK slot, ACK delimiter, EOF. */
CF_INLINE uint64_t cf_tail(unsigned ack)
{
    return ack ? 0x2FF : 0x3FF;
}

/* Runs the automaton over `count` bytes and appends what it sends, without the first `skip` bits. */
CF_INLINE unsigned cf_put_stuffed(cf_frame_bits *out, unsigned entry, const uint8_t *bytes, unsigned count,
                                  unsigned skip)
{
    const uint16_t *table = cf_stuff_table();
    while (count) {
        unsigned some = count < 6 ? count : 6, width = 0; /* 6 steps send at most 60 bits */
        uint64_t chunk = 0;
        count -= some;
        for (; some; some--, bytes++) {
            unsigned stuff;
            entry = table[(unsigned)*bytes << 3 | CF_STUFF_NEXT(entry)];
            stuff = CF_STUFF_COUNT(entry);
            chunk = chunk << (8 + stuff) | CF_STUFF_BITS(entry);
            width += 8 + stuff;
            out->stuff += stuff;
        }
        width -= skip; /* at most 7 of the first byte's 8 */
        cf_put(out, chunk & ~(uint64_t)0 >> (64 - width), width);
        skip = 0;
    }
    return entry;
}

CF_INLINE uint32_t cf_fd_crc_words(const cf_frame_bits *region, cf_crc crc)
{
    uint32_t value = crc.wire_init;
    const unsigned field = cf_stuff_count_field(region->stuff);
    const unsigned whole = region->bits >> 6;
    unsigned rest = region->bits & 63, i;
    uint64_t word;
    for (i = 0; i < whole; i++)
        value = cf_crc_word(crc, value, region->words[i]);
    for (word = region->words[whole]; rest >= 8; rest -= 8, word <<= 8)
        value = cf_crc_some(crc, value, (unsigned)(word >> 56), 8);
    value = cf_crc_some(crc, value, (unsigned)(word >> 56) >> (8 - rest), rest);
    return cf_crc_some(crc, value, field, 4);
}

/* The dynamically stuffed region of an FD frame. */
CF_INLINE void cf_encode_fd_region(const cf_frame_head *head, const uint8_t *data, cf_shape shape, cf_frame_bits *out)
{
    uint8_t first[8];
    const unsigned count = (shape.head_bits + 7) / 8;
    const unsigned last = shape.bytes ? data[shape.bytes - 1] : head->dlc;
    unsigned entry, surplus;
    cf_store_be64(first, cf_fd_first_bytes(head, shape));
    entry = cf_put_stuffed(out, CF_STUFF_IDLE, first + 8 - count, count, 8 * count - shape.head_bits);
    entry = cf_put_stuffed(out, entry, data, shape.bytes, 0);
    surplus = cf_fd_surplus(CF_STUFF_NEXT(entry), last);
    out->stuff -= surplus;
    out->bits -= surplus;
    if (surplus)
        out->words[out->bits >> 6] &= ~((uint64_t)1 << (63 - (out->bits & 63)));
}

CF_INLINE void cf_encode_fd(const cf_frame_head *head, const uint8_t *data, cf_shape shape, unsigned ack,
                            cf_frame_bits *out)
{
    const cf_crc crc = cf_crc_of_width(shape.crc_bits);
    unsigned last, left = 4 + shape.crc_bits;
    uint64_t fixed;
    cf_encode_fd_region(head, data, shape, out);
    last = (unsigned)(out->words[(out->bits - 1) >> 6] >> (63 - ((out->bits - 1) & 63))) & 1;
    fixed = (uint64_t)cf_stuff_count_field(out->stuff) << shape.crc_bits | cf_fd_crc_words(out, crc);
    while (left) {
        const unsigned some = left < 4 ? left : 4;
        const unsigned group = (unsigned)(fixed >> (left - some)) & ((1u << some) - 1);
        cf_put(out, (uint64_t)(!last) << some | group, some + 1);
        last = group & 1;
        left -= some;
    }
    cf_put(out, cf_tail(ack), CF_TAIL_BITS);
}

/* Bytes that the packed output of cf_frames_encode needs at most: 9 spare ones, since whole words are written. */
CF_INLINE uint64_t cf_encode_room(const void *frames, size_t count, size_t stride)
{
    const char *at = (const char *)frames;
    uint64_t bits = 0;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_shape shape = cf_frame_shape((const cf_frame_head *)at, stride);
        bits += cf_shape_region(shape) + cf_shape_worst_stuff(shape) + shape.fixed_bits;
    }
    return bits / 8 + 9;
}

/* Packed bits one after the other into memory that has eight bytes more than they need. */
typedef struct cf_writer {
    uint8_t *to;      /* of the first bit that is not in memory for good */
    uint64_t pending; /* fewer than eight bits, at the top */
    unsigned count;   /* of them */
} cf_writer;

/* Appends the low `width` (1..56) bits of `value`, which has none above. */
CF_INLINE void cf_write(cf_writer *w, uint64_t value, unsigned width)
{
    const unsigned total = w->count + width;
    const uint64_t word = w->pending | value << (64 - total);
    cf_store_be64(w->to, word);
    w->to += total >> 3;
    w->pending = word << (total & ~7u);
    w->count = total & 7;
}

CF_INLINE void cf_write_classical(cf_writer *w, const cf_frame_head *head, cf_shape shape, unsigned ack)
{
    const uint16_t *table = cf_stuff_table();
    uint8_t bytes[16];
    unsigned left = cf_classical_bytes(head, cf_record_data(head), shape, bytes), entry = CF_STUFF_IDLE;
    unsigned skip = (8 - shape.head_bits % 8) % 8; /* 0101.. before SOF */
    const uint8_t *at = bytes + 16 - left;
    while (left) {
        unsigned some = left < 5 ? left : 5, width = 0; /* at most 50 bits */
        uint64_t chunk = 0;
        left -= some;
        for (; some; some--, at++) {
            const uint16_t *row = table + ((unsigned)*at << 3);
            entry = row[CF_STUFF_NEXT(entry)];
            chunk = chunk << CF_STUFF_COUNT(entry) << 8 | CF_STUFF_BITS(entry);
            width += 8 + CF_STUFF_COUNT(entry);
        }
        width -= skip;
        chunk &= ~(uint64_t)0 >> (64 - width);
        skip = 0;
        if (!left) { /* the bit after the CRC is not sent */
            chunk >>= 1;
            width--;
        }
        cf_write(w, chunk, width);
    }
    cf_write(w, cf_tail(ack), CF_TAIL_BITS);
}

CF_INLINE void cf_write_fd(cf_writer *w, const cf_frame_head *head, cf_shape shape, unsigned ack)
{
    cf_frame_bits frame;
    unsigned k;
    memset(&frame, 0, sizeof frame);
    cf_encode_fd(head, cf_record_data(head), shape, ack, &frame);
    for (k = 0; k < frame.bits; k += 32) {
        const uint64_t half = frame.words[k >> 6] << (k & 32) >> 32;
        const unsigned width = frame.bits - k < 32 ? frame.bits - k : 32;
        cf_write(w, half >> (32 - width), width);
    }
}

/* The bits of one frame that cf_frame_check accepts. */
CF_INLINE void cf_write_frame(cf_writer *w, const cf_frame_head *head, cf_shape shape, unsigned ack)
{
    if (shape.fd)
        cf_write_fd(w, head, shape, ack);
    else
        cf_write_classical(w, head, shape, ack);
}

/* Frames to loose bits (packed = 0) or contiguous packed ones in out[0..room); offsets[i] is frame i's first
 * bit, offsets[count] their number. CF_NO_ROOM where `room` might not do, which happens only when the records
 * change under our hands. */
CF_INLINE cf_status cf_frames_encode(const void *frames, size_t count, size_t stride, unsigned ack, unsigned packed,
                                     uint8_t *CF_RESTRICT out, uint64_t room, int64_t *CF_RESTRICT offsets,
                                     size_t *index)
{
    const char *at = (const char *)frames;
    uint8_t frame[(CF_MAX_FRAME_BITS + 7) / 8 + 8];
    cf_writer w = {out, 0, 0};
    uint64_t bits = 0;
    size_t i;
    for (i = 0; i < count; i++, at += stride) {
        const cf_frame_head *head = (const cf_frame_head *)at;
        const cf_shape shape = cf_frame_shape(head, stride);
        const uint64_t most = bits + cf_shape_region(shape) + cf_shape_worst_stuff(shape) + shape.fixed_bits;
        cf_status status = cf_frame_check(head, stride);
        if (status == CF_OK && (packed ? most / 8 : most) + 9 > room)
            status = CF_NO_ROOM;
        if (CF_UNLIKELY(status != CF_OK)) {
            *index = i;
            return status;
        }
        offsets[i] = (int64_t)bits;
        if (packed) {
            cf_write_frame(&w, head, shape, ack);
            bits = (uint64_t)(w.to - out) * 8 + w.count;
        } else {
            unsigned size, k;
            w.to = frame;
            w.pending = w.count = 0;
            cf_write_frame(&w, head, shape, ack);
            size = (unsigned)(w.to - frame) * 8 + w.count;
            for (k = 0; k < size; k += 8)
                cf_unpack_byte(frame[k >> 3], out + bits + k);
            bits += size;
        }
    }
    offsets[count] = (int64_t)bits;
    return CF_OK;
}

#endif
