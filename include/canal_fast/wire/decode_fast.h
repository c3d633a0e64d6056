/* canal_fast/wire/decode_fast.h - decodes the frames that are as they should be: classical, complete, acknowledged.
 *
 * Finding stuff bits needs no bit-by-bit walk: in a correct stream no run exceeds five, so that each run of five is
 * followed by a stuff bit. Whatever is not plainly good is left to decode.h, which says what is wrong.
 */
#ifndef CANAL_FAST_WIRE_DECODE_FAST_H
#define CANAL_FAST_WIRE_DECODE_FAST_H

#include "frame_simd.h"
#include "decode.h"

enum {
    CF_QUICK_USUAL = 70,                /* the least for the way of most frames */
    CF_QUICK_MOST = 192 - CF_TAIL_BITS, /* bits before the tail that are in view */
    CF_QUICK_STUFF = 26                 /* the most that 128 correct bits have */
};

/* 192 bits from SOF on, MSB first. Single words rather than arrays: compilers like to gather arrays into vector
 * registers by way of memory, which costs more than all else here. */
typedef struct cf_quick {
    uint64_t word0, word1, word2;    /* as received */
    uint64_t mark0, mark1, mark2;    /* where stuff bits are */
    uint64_t sixth0, sixth1, sixth2; /* stuff bits that equal the bit before them */
    uint64_t plain0, plain1, plain2; /* each word without its stuff bits, those after moved up */
    unsigned stuff0, stuff1;         /* how many it had */
} cf_quick;

CF_ALWAYS_INLINE uint64_t cf_shifted_word(const uint8_t *bytes, unsigned shift)
{
    return cf_load_be64(bytes) << shift | (uint64_t)bytes[8] >> (8 - shift);
}

/* Bits that equal the one after them, given the next word. */
CF_ALWAYS_INLINE uint64_t cf_equal(uint64_t word, uint64_t next)
{
    return ~(word ^ (word << 1 | next >> 63));
}

/* Bits that begin a run of five. */
CF_ALWAYS_INLINE uint64_t cf_runs(uint64_t equal, uint64_t next)
{
    return equal & (equal << 1 | next >> 63) & (equal << 2 | next >> 62) & (equal << 3 | next >> 61);
}

CF_ALWAYS_INLINE cf_quick cf_quick_load(const uint8_t *bytes, unsigned shift)
{
    cf_quick q;
    uint64_t equal0, equal1, equal2, run0, run1, run2;
    q.word0 = cf_shifted_word(bytes, shift);
    q.word1 = cf_shifted_word(bytes + 8, shift);
    q.word2 = cf_shifted_word(bytes + 16, shift);
    equal0 = cf_equal(q.word0, q.word1);
    equal1 = cf_equal(q.word1, q.word2);
    equal2 = cf_equal(q.word2, 0);
    run0 = cf_runs(equal0, equal1);
    run1 = cf_runs(equal1, equal2);
    run2 = cf_runs(equal2, 0);
    q.mark0 = run0 >> 5;
    q.mark1 = run1 >> 5 | run0 << 59;
    q.mark2 = run2 >> 5 | run1 << 59;
    q.sixth0 = q.mark0 & equal0 >> 1;
    q.sixth1 = q.mark1 & (equal1 >> 1 | equal0 << 63);
    q.sixth2 = q.mark2 & (equal2 >> 1 | equal1 << 63);
    return q;
}

/* `word` without the marked bits, those after moved up. */
CF_ALWAYS_INLINE uint64_t cf_squeeze(uint64_t word, uint64_t marks)
{
    for (; marks; marks &= marks - 1) {
        const uint64_t lowest = marks & (0 - marks);
        word = (word & ~((lowest << 1) - 1)) | (word & (lowest - 1)) << 1;
    }
    return word;
}

/* `fast`: the caller is compiled for CF_TARGET_PEXT */
CF_ALWAYS_INLINE unsigned cf_ones(uint64_t word, int fast)
{
#if CF_HAVE_X86
    if (fast)
        return (unsigned)__builtin_popcountll(word);
#endif
    (void)fast;
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    return (unsigned)(((word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u >> 56);
}

/* The first `count` bits of `word`: all from 64 on, none from 0 down. */
CF_ALWAYS_INLINE uint64_t cf_first(uint64_t word, int count)
{
    const unsigned gone = count >= 64 ? 0 : count <= 0 ? 64 : 64 - (unsigned)count;
    return word >> gone / 2 >> (gone + 1) / 2;
}

CF_ALWAYS_INLINE uint32_t cf_quick_crc(cf_wire_message m, int fast)
{
#if CF_HAVE_X86
    if (fast)
        return cf_crc15_clmul(m.high, m.low);
#endif
    (void)fast;
    return cf_wire_message_crc15(m);
}

/* Bits at `at` of high:low, `count` (1..64) of them. */
CF_ALWAYS_INLINE uint64_t cf_pick(uint64_t high, uint64_t low, unsigned at, unsigned count)
{
    const uint64_t word = at >= 64 ? low << (at - 64) : at ? high << at | low >> (64 - at) : high;
    return word >> (64 - count);
}

/* Fills the zeroed record; `guess` (0..CF_QUICK_MOST) is where SOF to the last CRC bit may end. Returns the number of
 * bits from SOF to the last EOF bit, or 0 where a frame is not plainly good or not classical. */
CF_ALWAYS_INLINE unsigned cf_quick_finish(const cf_quick *q, int fast, int guess, cf_frame_head *head)
{
    const unsigned kept = 64 - q->stuff0, next = (kept - q->stuff1) & 63; /* of word 0 in `high`, of word 1 in `low` */
    const uint64_t high = q->plain0 | q->plain1 >> (kept / 2) >> ((kept + 1) / 2);
    const uint64_t low = q->plain1 << q->stuff0 | (next ? q->plain2 >> next : 0);
    const unsigned extended = (unsigned)(high >> 50) & 1;
    const unsigned control = (unsigned)(high >> (extended ? 25 : 45)) & 0xFFFF; /* .. RTR, r1 or IDE, r0, DLC */
    const unsigned header = extended ? 39 : 19, dlc = control & 15;
    const unsigned fdf = control >> (extended ? 5 : 4) & 1, remote = control >> 6 & 1;
    const unsigned bytes = remote ? 0 : dlc < 8 ? dlc : 8, message = header + 8 * bytes;
    uint64_t data;
    cf_wire_message m;
    int length, found;
    if (high >> 63 || fdf)
        return 0;
    /* The region has as many stuff bits as are marked in it, and none is due after it. Mostly `guess` is right. */
    for (length = guess;; length = found) {
        const int marked = (int)(cf_ones(cf_first(q->mark0, length), fast) +
                                 cf_ones(cf_first(q->mark1, length - 64), fast) +
                                 cf_ones(cf_first(q->mark2, length - 128), fast));
        const uint64_t due = length < 64    ? q->mark0 << length
                             : length < 128 ? q->mark1 << (length - 64)
                                            : q->mark2 << (length - 128);
        const int least = (int)message + 15 + marked;
        if (least == length && !(due >> 63))
            break;
        found = length == guess ? (int)message + 15 : least + (int)(due >> 63);
        guess = -1;
        if (found > CF_QUICK_MOST)
            return 0;
    }
    if (cf_first(q->sixth0, length) | cf_first(q->sixth1, length - 64) | cf_first(q->sixth2, length - 128))
        return 0;
    if ((length<64 ? cf_pick(q->word0, q->word1, (unsigned)length, CF_TAIL_BITS)
                   : length<128 ? cf_pick(q->word1, q->word2, (unsigned)length - 64, CF_TAIL_BITS)
                                : q->word2 << (length - 128)>>(64 - CF_TAIL_BITS)) != 0x2FF)
        return 0;
    m.high = message > 64 ? high >> (128 - message) : 0;
    m.low = message > 64 ? cf_pick(high, low, message - 64, 64) : high >> (64 - message);
    if (cf_quick_crc(m, fast) != cf_pick(high, low, message, 15))
        return 0;
    data = bytes ? cf_pick(high, low, header, 64) >> (64 - 8 * bytes) << (64 - 8 * bytes) : 0;
    head->arbitration_id = (uint32_t)(extended ? (high >> 52 << 18 | (high >> 32 & 0x3FFFF)) : high >> 52);
    head->flags = (uint16_t)((extended ? CF_FLAG_EXTENDED_ID : 0) | (remote ? CF_FLAG_REMOTE : 0));
    head->dlc = (uint8_t)dlc;
    cf_store_be64((uint8_t *)head + offsetof(cf_frame, data), data);
    return (unsigned)length + CF_TAIL_BITS;
}

/* The bits of `word` that `marks` does not mark, right-aligned; there are 64 - `gone` of them. */
CF_ALWAYS_INLINE uint64_t cf_unmarked(uint64_t word, uint64_t marks, unsigned gone, int fast)
{
#if CF_HAVE_X86
    if (fast)
        return cf_pext(word, ~marks);
#endif
    (void)fast;
    return cf_squeeze(word, marks) >> gone;
}

/* The same for most frames there are, in less time: data frames whose last CRC bit is where `length`, which is
 * CF_QUICK_USUAL to 127, says. Also 0 for all others. */
CF_ALWAYS_INLINE unsigned cf_quick_usual(const uint8_t *bytes, unsigned shift, unsigned length, int fast,
                                         cf_frame_head *head)
{
    const uint64_t word0 = cf_shifted_word(bytes, shift), word1 = cf_shifted_word(bytes + 8, shift);
    const unsigned split = length - 64, rest = 128 - length;
    const uint64_t tail = word1 << split | cf_shifted_word(bytes + 16, shift) >> rest;
    const uint64_t equal0 = cf_equal(word0, word1), equal1 = cf_equal(word1, 0);
    const uint64_t run0 = cf_runs(equal0, equal1), run1 = cf_runs(equal1, 0); /* up to bit 122, marks up to 127 */
    const uint64_t mark0 = run0 >> 5, mark1 = run1 >> 5 | run0 << 59;
    const uint64_t inside1 = mark1 >> rest << rest;
    const uint64_t sixth = (mark0 & equal0 >> 1) | (inside1 & (equal1 >> 1 | equal0 << 63));
    const unsigned stuff0 = cf_ones(mark0, fast), stuff1 = cf_ones(inside1, fast);
    uint64_t first, second, high, low, top;
    unsigned extended, control, header, dlc, size;
    cf_wire_message m;
    if ((word0 | mark1 << split) >> 63 || sixth || tail >> (64 - CF_TAIL_BITS) != 0x2FF)
        return 0;
    first = cf_unmarked(word0, mark0, stuff0, fast);
    second = cf_unmarked(word1 >> rest, inside1 >> rest, stuff1, fast);
    high = first >> (64 - (split - stuff1)); /* stuff bits are five apart, so that some others are left */
    low = first << (split - stuff1) | second;
    top = first << stuff0;
    extended = (unsigned)(top >> 50) & 1;
    control = (unsigned)(top >> (extended ? 25 : 45)) & 0x7F; /* RTR, r1 or IDE, r0, DLC */
    header = extended ? 39 : 19;
    dlc = control & 15;
    size = dlc < 8 ? 8 * dlc : 64;
    if (control & (extended ? 0x60 : 0x50) || !dlc || header + size + 15 != length - stuff0 - stuff1)
        return 0;
    m.high = high >> 15;
    m.low = high << 49 | low >> 15;
    if (cf_quick_crc(m, fast) != (low & 0x7FFF))
        return 0;
    head->arbitration_id = (uint32_t)(extended ? (top >> 52 << 18 | (top >> 32 & 0x3FFFF)) : top >> 52);
    head->flags = (uint16_t)(extended ? CF_FLAG_EXTENDED_ID : 0);
    head->dlc = (uint8_t)dlc;
    cf_store_be64((uint8_t *)head + offsetof(cf_frame, data), m.low << (64 - size));
    return length + CF_TAIL_BITS;
}

CF_INLINE unsigned cf_quick_portable(const uint8_t *bytes, unsigned shift, int guess, cf_frame_head *head)
{
    cf_quick q;
    if (CF_LIKELY(guess >= CF_QUICK_USUAL && guess < 128)) {
        const unsigned length = cf_quick_usual(bytes, shift, (unsigned)guess, 0, head);
        if (CF_LIKELY(length))
            return length;
    }
    q = cf_quick_load(bytes, shift);
    q.stuff0 = cf_ones(q.mark0, 0);
    q.stuff1 = cf_ones(q.mark1, 0);
    if (q.stuff0 + q.stuff1 > CF_QUICK_STUFF) /* more than any frame has: an idle bus follows */
        return 0;
    q.plain0 = cf_squeeze(q.word0, q.mark0);
    q.plain1 = cf_squeeze(q.word1, q.mark1);
    q.plain2 = cf_squeeze(q.word2, q.mark2);
    return cf_quick_finish(&q, 0, guess, head);
}

#if CF_HAVE_X86
CF_TARGET_PEXT CF_INLINE unsigned cf_quick_pext(const uint8_t *bytes, unsigned shift, int guess, cf_frame_head *head)
{
    cf_quick q;
    if (CF_LIKELY(guess >= CF_QUICK_USUAL && guess < 128)) {
        const unsigned length = cf_quick_usual(bytes, shift, (unsigned)guess, 1, head);
        if (CF_LIKELY(length))
            return length;
    }
    q = cf_quick_load(bytes, shift);
    q.stuff0 = cf_ones(q.mark0, 1);
    q.stuff1 = cf_ones(q.mark1, 1);
    q.plain0 = _pext_u64(q.word0, ~q.mark0) << q.stuff0;
    q.plain1 = _pext_u64(q.word1, ~q.mark1) << (q.stuff1 & 63); /* 64: nothing is left */
    q.plain2 = _pext_u64(q.word2, ~q.mark2) << (cf_ones(q.mark2, 1) & 63);
    return cf_quick_finish(&q, 1, guess, head);
}
#endif

/* As cf_decode_frame. */
CF_INLINE cf_status cf_decode_frame_on(cf_units units, cf_packed bits, int64_t start, int64_t end, cf_frame_head *head,
                                       size_t stride, cf_decoded *result)
{
    if (CF_LIKELY((start >> 3) + 25 <= bits.bits >> 3)) {
        const uint8_t *bytes = bits.bytes + (start >> 3);
        const unsigned shift = (unsigned)(start & 7);
        const int64_t most = end - start - CF_TAIL_BITS;
        const int guess = most < 0 || most > CF_QUICK_MOST ? 0 : (int)most;
        unsigned length;
#if CF_HAVE_X86
        if (cf_units_have(units, CF_NEEDS_PEXT))
            length = cf_quick_pext(bytes, shift, guess, head);
        else
#endif
            length = cf_quick_portable(bytes, shift, guess, head);
        if (CF_LIKELY(length && start + length <= end)) {
            result->status = CF_WIRE_OK;
            result->bit_index = -1;
            result->end = start + length;
            result->valid = 1;
            return CF_OK;
        }
        memset(head, 0, stride);
    }
    (void)units;
    return cf_decode_frame(bits, start, end, head, stride, result);
}

#endif
