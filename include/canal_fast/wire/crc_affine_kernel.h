/* canal_fast/wire/crc_affine_kernel.h - CRC-15 of base data frames of 8 bytes, 4 x CF_AFFINE_LANES at a time.
 *
 * A template, included by crc_affine.h once for each instruction set, with
 *
 *   CF_AFFINE_LANES   quadwords of a vector
 *   CF_AFFINE_VECTOR  its type
 *   CF_AFFINE(name)   the name for this instruction set; cf_affine_load and cf_affine_store are there
 *   CF_AFFINE_TARGET  how its functions are compiled
 *   CF_AFFINE_OP(op)  the intrinsic
 *   CF_AFFINE_ALL     two quadwords, the high one first, in each lane of 16 bytes
 *   CF_AFFINE_NEXT(v) each lane of 16 bytes one lane on, the last one first
 */
#include "crc_table.h"

#ifdef CF_AFFINE

/* Lane by lane: bytes 2 i and 2 i + 1 of the even and of the odd quadwords of four rows become pairs[i]: of the even
 * ones four of byte 2 i, of the odd ones four, then eight of byte 2 i + 1. Heads are a place behind the data of their
 * frame: with them an odd quadword stands before the even one that follows it. */
CF_AFFINE_TARGET CF_ALWAYS_INLINE void CF_AFFINE(cf_affine_pairs)(const CF_AFFINE_VECTOR rows[4], int heads,
                                                                  CF_AFFINE_VECTOR pairs[4])
{
    CF_AFFINE_VECTOR two[4], four[4];
    int i;
    for (i = 0; i < 2; i++) {
        two[i] = CF_AFFINE_OP(unpacklo_epi8)(rows[2 * i], rows[2 * i + 1]);
        two[i + 2] = CF_AFFINE_OP(unpackhi_epi8)(rows[2 * i], rows[2 * i + 1]);
    }
    for (i = 0; i < 2; i++) { /* even, then odd: bytes 0..3, bytes 4..7 */
        four[2 * i] = CF_AFFINE_OP(unpacklo_epi16)(two[2 * i], two[2 * i + 1]);
        four[2 * i + 1] = CF_AFFINE_OP(unpackhi_epi16)(two[2 * i], two[2 * i + 1]);
    }
    for (i = 0; i < 2; i++) {
        const CF_AFFINE_VECTOR first = heads ? CF_AFFINE_NEXT(four[i + 2]) : four[i];
        const CF_AFFINE_VECTOR second = heads ? four[i] : four[i + 2];
        pairs[2 * i] = CF_AFFINE_OP(unpacklo_epi32)(first, second);
        pairs[2 * i + 1] = CF_AFFINE_OP(unpackhi_epi32)(first, second);
    }
}

/* What a pair's bytes add to the low bytes of the CRCs (half 0) or to the high ones (half 1); the second byte's row of
 * the matrices is `step` from that of the first. */
CF_AFFINE_TARGET CF_ALWAYS_INLINE CF_AFFINE_VECTOR CF_AFFINE(cf_affine_add)(CF_AFFINE_VECTOR pair, int row, int step,
                                                                            int half)
{
    const cf_affine_table table = cf_crc15_affine();
    const int64_t first = (int64_t)table[row][half], second = (int64_t)table[row + step][half];
    return CF_AFFINE_OP(gf2p8affine_epi64_epi8)(pair, CF_AFFINE_ALL(second, first), 0);
}

/* One block; 0, and nothing written, where one of its frames is something else than a base data frame of 8 bytes. */
CF_AFFINE_TARGET CF_ALWAYS_INLINE int CF_AFFINE(cf_affine_block)(const cf_frame *frames,
                                                                 uint32_t *CF_RESTRICT sequences)
{
    const CF_AFFINE_VECTOR in_turn = CF_AFFINE_ALL(0x0F070E060D050C04, 0x0B030A0209010800);
    const CF_AFFINE_VECTOR dlc8 = CF_AFFINE_ALL(0x1414141414141414, 0x5B5B5B5B5B5B5B5B); /* what DLC = 8 adds: 0x145B */
    CF_AFFINE_VECTOR data[4], heads[4], half[2], sum;
    int i;
    if (!CF_AFFINE(cf_affine_load)(frames, data, heads))
        return 0;
    CF_AFFINE(cf_affine_pairs)(data, 0, data);
    CF_AFFINE(cf_affine_pairs)(heads, 1, heads);
    for (i = 0; i < 2; i++)
        half[i] = CF_AFFINE(cf_affine_add)(data[0], 7, -1, i) ^ CF_AFFINE(cf_affine_add)(data[1], 5, -1, i) ^
                  CF_AFFINE(cf_affine_add)(data[2], 3, -1, i) ^ CF_AFFINE(cf_affine_add)(data[3], 1, -1, i) ^
                  CF_AFFINE(cf_affine_add)(heads[0], 13, 1, i);
    sum = CF_AFFINE_OP(unpacklo_epi64)(half[0], half[1]) ^ CF_AFFINE_OP(unpackhi_epi64)(half[0], half[1]);
    sum = CF_AFFINE_OP(shuffle_epi8)(sum ^ dlc8, in_turn);
    CF_AFFINE(cf_affine_store)(sum, sequences);
    return 1;
}

/* Returns the number of frames done: all, or those before a block that has another. From the second block on records
 * begin where lines of the cache do, and the last block ends with the array: both do some frames again. */
CF_AFFINE_TARGET CF_INLINE size_t CF_AFFINE(cf_crc15_frames)(const cf_frame *frames, size_t count,
                                                             uint32_t *CF_RESTRICT sequences)
{
    const size_t size = 4 * CF_AFFINE_LANES, shift = 3 * ((uintptr_t)frames >> 3) & (CF_AFFINE_LANES - 1);
    size_t at = 0, done = 0;
    while (done < count && size <= count && CF_AFFINE(cf_affine_block)(frames + at, sequences + at)) {
        done = at + size;
        at = at ? done : done - shift;
        if (at + size > count)
            at = count - size;
    }
    return done;
}

#undef CF_AFFINE
#undef CF_AFFINE_ALL
#undef CF_AFFINE_LANES
#undef CF_AFFINE_NEXT
#undef CF_AFFINE_OP
#undef CF_AFFINE_TARGET
#undef CF_AFFINE_VECTOR
#endif
