/* canal_fast/wire/length_sliced_kernel.h - exact lengths of 64 x CF_SLICE_LANES classical frames at once.
 *
 * A template, included by length_sliced.h once for each instruction set, with
 *
 *   CF_SLICE_LANES   64-bit lanes of a vector
 *   CF_SLICE(name)   the name for this instruction set
 *   CF_SLICE_TARGET  how its functions are compiled
 *   CF_SLICE_BUILD   what fills the rows, or undefined for the function here
 *   CF_SLICE_SWAP    what exchanges bits of two rows, or undefined for the function here
 *
 * Bit-sliced: frames are right-aligned in 128 bits and transposed, so that plane p holds bit p of every frame; then
 * the CRC register and the stuffing automaton are Boolean algebra on planes.
 */
#include "../cpu.h"
#include "length.h"

#ifndef CANAL_FAST_WIRE_LENGTH_SLICED_KERNEL_H
#define CANAL_FAST_WIRE_LENGTH_SLICED_KERNEL_H

enum { CF_SLICE_BITS = 118, CF_SLICE_FOURS = 120 }; /* SOF to the last CRC bit, extended, 8 bytes; in steps of four */

/* The fill's CRC by payload bytes, 0 to 8 */
#define CF_SLICE_FILL_BASE(X) \
    X(0x2AB0), X(0x493B), X(0x4010), X(0x082C), X(0x3BA8), X(0x44BE), X(0x17B2), X(0x74EB), X(0x6A59)
#define CF_SLICE_FILL_EXTENDED(X) \
    X(0x5DFE), X(0x6FA0), X(0x4184), X(0x171E), X(0x1D72), X(0x042A), X(0x6438), X(0x27EE), X(0x0000)
#define CF_SLICE_WHOLE(crc) crc
#define CF_SLICE_LOW(crc) (crc) & 255
#define CF_SLICE_HIGH(crc) (crc) >> 8

/* 9 * extended + bytes to the fill's CRC; and its low and high bytes */
#define CF_SLICE_FILL {CF_SLICE_FILL_BASE(CF_SLICE_WHOLE), CF_SLICE_FILL_EXTENDED(CF_SLICE_WHOLE)}
#define CF_SLICE_FILL_BYTES                                                      \
    {                                                                            \
        {CF_SLICE_FILL_BASE(CF_SLICE_LOW)}, {CF_SLICE_FILL_BASE(CF_SLICE_HIGH)}, \
            {CF_SLICE_FILL_EXTENDED(CF_SLICE_LOW)},                              \
        {                                                                        \
            CF_SLICE_FILL_EXTENDED(CF_SLICE_HIGH)                                \
        }                                                                        \
    }

/* Planes above the frame are recessive, so that the automaton idles there, and the CRC register runs over them too.
 * This is what they leave in it, by 9 * extended + bytes; added to the CRC field's place it vanishes. */
CF_INLINE uint64_t cf_slice_fill_crc(uint64_t row, uint64_t bytes)
{
    static const uint16_t table[18] = CF_SLICE_FILL;
    return table[row + bytes];
}

#endif

#ifndef CF_SLICE /* compiled alone */
#define CF_SLICE_LANES 1
#define CF_SLICE(name) name
#define CF_SLICE_TARGET
#endif

#if CF_SLICE_LANES > 1
typedef uint64_t CF_SLICE(cf_lanes) __attribute__((vector_size(8 * CF_SLICE_LANES)));
#else
typedef uint64_t CF_SLICE(cf_lanes);
#endif

enum { CF_SLICE(cf_slice_frames) = 64 * CF_SLICE_LANES };

/* What of the frames goes into the planes: lanes of row r are frames r * CF_SLICE_LANES and following. */
typedef struct CF_SLICE(cf_slice) {
    union {
        CF_SLICE(cf_lanes) planes[128];
        uint64_t words[128 * CF_SLICE_LANES];
    } u;
    union {
        CF_SLICE(cf_lanes) rows[64]; /* without stuff bits */
        uint64_t words[64 * CF_SLICE_LANES];
    } lengths;
} CF_SLICE(cf_slice);

#ifndef CF_SLICE_BUILD
#define CF_SLICE_BUILD CF_SLICE(cf_slice_build)

/* Fills the rows; returns nonzero where a record is not a classical frame that a controller could send. */
CF_SLICE_TARGET CF_INLINE uint64_t CF_SLICE(cf_slice_build)(const cf_frame *frames, uint64_t *CF_RESTRICT low,
                                                            uint64_t *CF_RESTRICT high, uint64_t *CF_RESTRICT lengths)
{
    const uint64_t refused = ~(uint64_t)(CF_FLAG_EXTENDED_ID | CF_FLAG_REMOTE | CF_FLAGS_OFF_WIRE) & 0xFFFF;
    const uint64_t ones = ~(uint64_t)0;
    uint64_t bad = 0;
    int i;
    for (i = 0; i < CF_SLICE(cf_slice_frames); i++) {
        const uint64_t id = frames[i].arbitration_id, flags = frames[i].flags, dlc = frames[i].dlc;
        const uint64_t extended = 0 - (flags & CF_FLAG_EXTENDED_ID), remote = flags >> 1 & 1;
        const uint64_t bytes = (dlc < 8 ? dlc : 8) & (remote - 1);
        const uint64_t half = 4 * bytes, up = 32 - half; /* shifts by 64 in two steps */
        const uint64_t longer = ((id >> 18 << 2 | 3) << 18) | (id & 0x3FFFF);
        const uint64_t head = (id ^ ((id ^ longer) & extended)) << 7 | remote << 6 | dlc;
        const uint64_t data = cf_load_be64(frames[i].data) >> up >> up;
        const uint64_t size = 34 + (extended & 20) + 8 * bytes; /* SOF to the last CRC bit */
        const uint64_t above = size < 64 ? 64 : size;
        const uint64_t m1 = head >> up >> up, m0 = data | head << half << half;
        bad |= (flags & refused) | dlc >> 4 | id >> 29 | (id >> 11 & ~extended);
        low[i] = m0 << 15 | (size < 64 ? ones << size : 0) | cf_slice_fill_crc(extended & 9, bytes);
        high[i] = m1 << 15 | m0 >> 49 | ones << (above - 64);
        lengths[i] = size + CF_TAIL_BITS;
    }
    return bad;
}
#endif

#ifndef CF_SLICE_SWAP
#define CF_SLICE_SWAP CF_SLICE(cf_swap_two)

/* The bits of `first` that `mask`, moved up by `distance`, names change places with those of `second` that it names. */
CF_SLICE_TARGET CF_ALWAYS_INLINE void CF_SLICE(cf_swap_two)(CF_SLICE(cf_lanes) * first, CF_SLICE(cf_lanes) * second,
                                                            unsigned distance, uint64_t mask)
{
    const CF_SLICE(cf_lanes) t = ((*first >> distance) ^ *second) & mask;
    *second ^= t;
    *first ^= t << distance;
}
#endif

CF_SLICE_TARGET CF_ALWAYS_INLINE void CF_SLICE(cf_swap)(CF_SLICE(cf_lanes) * rows, unsigned count, unsigned distance,
                                                        uint64_t mask)
{
    unsigned at, k;
    for (at = 0; at < count; at += 2 * distance)
        for (k = at; k < at + distance; k++)
            CF_SLICE_SWAP(rows + k, rows + k + distance, distance, mask);
}

/* 64 rows of 64 bits become 64 planes. */
CF_SLICE_TARGET CF_INLINE void CF_SLICE(cf_transpose)(CF_SLICE(cf_lanes) * rows)
{
    CF_SLICE(cf_swap)(rows, 64, 32, 0x00000000FFFFFFFFu);
    CF_SLICE(cf_swap)(rows, 64, 16, 0x0000FFFF0000FFFFu);
    CF_SLICE(cf_swap)(rows, 64, 8, 0x00FF00FF00FF00FFu);
    CF_SLICE(cf_swap)(rows, 64, 4, 0x0F0F0F0F0F0F0F0Fu);
    CF_SLICE(cf_swap)(rows, 64, 2, 0x3333333333333333u);
    CF_SLICE(cf_swap)(rows, 64, 1, 0x5555555555555555u);
}

/* Stuff bits of the frames in `planes`, as numbers: bit r of counts[k] is bit k of that of row r. Puts the CRC sequence
 * into its place. */
CF_SLICE_TARGET CF_INLINE void CF_SLICE(cf_slice_count)(CF_SLICE(cf_lanes) * planes, CF_SLICE(cf_lanes) counts[8])
{
    const CF_SLICE(cf_lanes) zero = planes[0] ^ planes[0];
    CF_SLICE(cf_lanes) rest[CF_SLICE_BITS];
    CF_SLICE(cf_lanes) e1 = zero, e2 = zero, e3 = zero, e4 = zero, last = ~zero;
    CF_SLICE(cf_lanes) c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero;
    int i, k;
    for (i = 0; i < CF_SLICE_BITS; i++)
        rest[i] = planes[i];
    for (i = CF_SLICE_BITS - 1; i >= 15; i--) { /* 0x4599 */
        const CF_SLICE(cf_lanes) top = rest[i];
        rest[i - 1] ^= top;
        rest[i - 5] ^= top;
        rest[i - 7] ^= top;
        rest[i - 8] ^= top;
        rest[i - 11] ^= top;
        rest[i - 12] ^= top;
        rest[i - 15] ^= top;
    }
    for (i = 0; i < 15; i++)
        planes[i] = rest[i];
    for (i = CF_SLICE_FOURS; i > 0; i -= 4) { /* at most one of four is a stuff bit */
        CF_SLICE(cf_lanes) any = zero, d0, d1, d2, d3;
        for (k = 1; k <= 4; k++) {
            const CF_SLICE(cf_lanes) bit = planes[i - k];
            const CF_SLICE(cf_lanes) differs = bit ^ last;
            const CF_SLICE(cf_lanes) stuff = e4 & ~differs;
            const CF_SLICE(cf_lanes) restart = differs | e4;
            e4 = e3 & ~differs;
            e3 = e2 & ~differs;
            e2 = e1 & ~differs;
            e1 = restart;
            last = bit ^ stuff;
            any |= stuff;
        }
        d0 = c0 & any;
        d1 = c1 & d0;
        d2 = c2 & d1;
        d3 = c3 & d2;
        c0 ^= any;
        c1 ^= d0;
        c2 ^= d1;
        c3 ^= d2;
        c4 ^= d3;
    }
    counts[0] = c0;
    counts[1] = c1;
    counts[2] = c2;
    counts[3] = c3;
    counts[4] = c4;
    counts[5] = counts[6] = counts[7] = zero;
}

/* Exact lengths of one block; nonzero, and nothing written, where a record is refused. */
CF_SLICE_TARGET CF_INLINE uint64_t CF_SLICE(cf_slice_lengths)(const cf_frame *frames, int32_t extra,
                                                              int32_t *CF_RESTRICT lengths)
{
    CF_SLICE(cf_slice) s;
    CF_SLICE(cf_lanes) counts[8];
    int byte, k, i;
    const uint64_t bad = CF_SLICE_BUILD(frames, s.u.words, s.u.words + 64 * CF_SLICE_LANES, s.lengths.words);
    if (bad)
        return bad;
    CF_SLICE(cf_transpose)(s.u.planes);
    CF_SLICE(cf_transpose)(s.u.planes + 64);
    CF_SLICE(cf_slice_count)(s.u.planes, counts);
    CF_SLICE(cf_swap)(counts, 8, 4, 0x0F0F0F0F0F0F0F0Fu); /* byte b of counts[k]: that of row 8 b + k */
    CF_SLICE(cf_swap)(counts, 8, 2, 0x3333333333333333u);
    CF_SLICE(cf_swap)(counts, 8, 1, 0x5555555555555555u);
    for (byte = 0; byte < 8; byte++)
        for (k = 0; k < 8; k++)
            s.lengths.rows[8 * byte + k] += counts[k] >> (8 * byte) & 0xFF;
    for (i = 0; i < CF_SLICE(cf_slice_frames); i++)
        lengths[i] = (int32_t)s.lengths.words[i] + extra;
    return 0;
}

#undef CF_SLICE_LANES
#undef CF_SLICE
#undef CF_SLICE_BUILD
#undef CF_SLICE_SWAP
#undef CF_SLICE_TARGET
