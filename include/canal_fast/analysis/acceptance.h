/* canal_fast/analysis/acceptance.h - which frames a controller's acceptance filters let through.
 *
 * Every controller's filters are rows, tried in their order; the first that matches decides. Rows of all kinds test the
 * frame's word: its identifier, and above it whether it is extended, remote, CAN FD.
 */
#ifndef CANAL_FAST_ANALYSIS_ACCEPTANCE_H
#define CANAL_FAST_ANALYSIS_ACCEPTANCE_H

#include "../cpu.h"
#include "../frame.h"

#if CF_HAVE_X86
#include <immintrin.h>
#endif

#define CF_WORD_EXTENDED UINT32_C(0x80000000)
#define CF_WORD_REMOTE UINT32_C(0x40000000)
#define CF_WORD_FD UINT32_C(0x20000000)

enum {
    CF_ACCEPTANCE_REJECTS = -1, /* of a row and of an answer */
    CF_ACCEPTANCE_NO_FILTER = -2, /* let through, by none of the numbered filters */
    CF_ACCEPTANCE_KEYS = 4 * 2048 /* base frames: identifier, remote, FD */
};

/* X(C type, numpy format, name) */
/* clang-format off */
#define CF_ACCEPTANCE_ROW(X)                                                                          \
    X(uint32_t, "u4", mask)      /* matches where low <= (word & mask) <= low + span */               \
    X(uint32_t, "u4", low)                                                                            \
    X(uint32_t, "u4", span)                                                                           \
    X(uint16_t, "u2", data)      /* first two bytes of the payload; one that a frame lacks passes */  \
    X(uint16_t, "u2", data_mask)                                                                      \
    X(int16_t, "i2", index)      /* the filter's number, or CF_ACCEPTANCE_... */                      \
    X(uint16_t, "u2", inverted)  /* 1: matches where it would not */
/* clang-format on */

typedef struct cf_acceptance_row {
    CF_ACCEPTANCE_ROW(CF_RECORD_MEMBER)
} cf_acceptance_row;

/* Field `index` of a row, or NULL past the last. */
CF_RECORD_FIELDS(cf_acceptance_field, cf_acceptance_row, CF_ACCEPTANCE_ROW)

typedef struct cf_acceptance {
    const cf_acceptance_row *rows;
    size_t count;
    uint32_t error_mask;                /* error frames of one of these classes are let through */
    int asks;                         /* some of `base` are CF_ACCEPTANCE_ASK */
    uint32_t data_frames[64]; /* of base data frames, a bit each; nothing where `asks` */
    uint8_t base[CF_ACCEPTANCE_KEYS];   /* of base frames: 0 no, 1 yes, CF_ACCEPTANCE_ASK: the payload decides */
} cf_acceptance;

#define CF_ACCEPTANCE_ASK 2

CF_INLINE uint32_t cf_acceptance_word(uint32_t id, unsigned flags)
{
    return id | (uint32_t)(flags & CF_FLAG_EXTENDED_ID) << 31 | (uint32_t)(flags & CF_FLAG_REMOTE) << 29 |
           (uint32_t)(flags & CF_FLAG_FD) << 26;
}

CF_INLINE int cf_acceptance_word_matches(const cf_acceptance_row *row, uint32_t word)
{
    return (word & row->mask) - row->low <= row->span;
}

/* Number of the filter that lets a frame of this word and payload (`length` bytes, of which two are looked at) through,
 * or CF_ACCEPTANCE_REJECTS, CF_ACCEPTANCE_NO_FILTER. */
CF_INLINE int cf_acceptance_judge(const cf_acceptance *a, uint32_t word, const uint8_t *data, unsigned length)
{
    const unsigned there = length == 0 ? 0 : length == 1 ? 0xFF00 : 0xFFFF;
    const unsigned seen = (unsigned)data[0] << 8 | data[1];
    size_t i;
    for (i = 0; i < a->count; i++) {
        const cf_acceptance_row *row = &a->rows[i];
        const int matches = cf_acceptance_word_matches(row, word) && !((seen ^ row->data) & row->data_mask & there);
        if (matches != row->inverted)
            return row->index;
    }
    return CF_ACCEPTANCE_REJECTS;
}

/* Fills `base` from the rows. */
CF_INLINE void cf_acceptance_index(cf_acceptance *a)
{
    static const uint8_t none[2] = {0, 0};
    uint32_t key;
    size_t i;
    a->asks = 0;
    memset(a->data_frames, 0, sizeof a->data_frames);
    for (key = 0; key < CF_ACCEPTANCE_KEYS; key++) {
        const unsigned flags = (key >> 11 & 1 ? CF_FLAG_REMOTE : 0) | (key >> 12 ? CF_FLAG_FD : 0);
        const uint32_t word = cf_acceptance_word(key & CF_MAX_STANDARD_ID, flags);
        a->base[key] = cf_acceptance_judge(a, word, none, 0) != CF_ACCEPTANCE_REJECTS;
        if (!(flags & CF_FLAG_REMOTE))
            for (i = 0; i < a->count; i++)
                if (a->rows[i].data_mask && cf_acceptance_word_matches(&a->rows[i], word))
                    a->base[key] = CF_ACCEPTANCE_ASK, a->asks = 1;
    }
    for (key = 0; key <= CF_MAX_STANDARD_ID; key++)
        a->data_frames[key >> 5] |= (uint32_t)(a->base[key] == 1) << (key & 31);
}

/* The answer of cf_acceptance_judge for a record. STATUS records are no frames. */
CF_INLINE int cf_acceptance_find(const cf_acceptance *a, const cf_frame_head *head)
{
    const unsigned flags = head->flags;
    if (CF_UNLIKELY(flags & CF_FLAG_STATUS))
        return CF_ACCEPTANCE_REJECTS;
    if (CF_UNLIKELY(flags & CF_FLAG_ERROR_FRAME))
        return head->arbitration_id & a->error_mask ? CF_ACCEPTANCE_NO_FILTER : CF_ACCEPTANCE_REJECTS;
    return cf_acceptance_judge(a, cf_acceptance_word(head->arbitration_id, flags), cf_record_data(head),
                               cf_payload_length(flags, head->dlc));
}

/* cf_acceptance_accepts for records of a stride that the compiler knows. */
CF_ALWAYS_INLINE void cf_acceptance_stride(const cf_acceptance *a, const void *frames, size_t count, size_t stride,
                                           uint8_t *CF_RESTRICT accepted)
{
    const unsigned others = CF_FLAG_EXTENDED_ID | CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME;
    const unsigned special = others | CF_FLAG_REMOTE | CF_FLAG_FD;
    const cf_frame_head whole_id = {0, ~(uint32_t)CF_MAX_STANDARD_ID, (uint16_t)special, 0, 0};
    const char *at = (const char *)frames;
    uint64_t outside;
    size_t i = 0;
    memcpy(&outside, &whole_id.arbitration_id,
           sizeof outside); /* bits that a base data frame has not, as a record lies */
    while (i < count) {
        size_t end = count - i < 8 ? count : i + 8;
        if (!a->asks && end - i == 8) {
            uint64_t any = 0;
            uint32_t ids[8];
            unsigned j;
            for (j = 0; j < 8; j++) {
                uint64_t word;
                memcpy(&word, at + j * stride + offsetof(cf_frame_head, arbitration_id), sizeof word);
                memcpy(&ids[j], &word, sizeof ids[j]);
                any |= word;
            }
            if (CF_LIKELY(!(any & outside))) {
                for (j = 0; j < 8; j++)
                    accepted[i + j] = a->base[ids[j]];
                i = end;
                at += 8 * stride;
                continue;
            }
        }
        for (; i < end; i++, at += stride) {
            const cf_frame_head *head = (const cf_frame_head *)at;
            const unsigned flags = head->flags;
            const uint32_t id = head->arbitration_id;
            unsigned found = CF_ACCEPTANCE_ASK;
            if (CF_LIKELY(!((flags & others) | id >> 11)))
                found = a->base[id | (flags & CF_FLAG_REMOTE) << 10 | (flags & CF_FLAG_FD) << 9];
            if (CF_UNLIKELY(found == CF_ACCEPTANCE_ASK))
                found = cf_acceptance_find(a, head) != CF_ACCEPTANCE_REJECTS;
            accepted[i] = (uint8_t)found;
        }
    }
}

#if CF_HAVE_X86
/* The same for classical records, sixteen at a time: identifiers picked out of six vectors and looked up in four. */
CF_TARGET_AVX512 CF_INLINE void cf_acceptance_avx512(const cf_acceptance *a, const void *frames, size_t count,
                                                     uint8_t *CF_RESTRICT accepted)
{
    static const uint32_t first[16] = {2, 8, 14, 20, 26, 0, 0, 0, 3, 9, 15, 21, 27, 0, 0, 0};
    static const uint32_t last[16] = {0, 0, 0, 0, 0, 0, 6, 12, 0, 0, 0, 0, 0, 1, 7, 13};
    const __m512i at_first = _mm512_loadu_si512(first), at_last = _mm512_loadu_si512(last);
    const __m512i table0 = _mm512_loadu_si512(a->data_frames), table1 = _mm512_loadu_si512(a->data_frames + 16);
    const __m512i table2 = _mm512_loadu_si512(a->data_frames + 32), table3 = _mm512_loadu_si512(a->data_frames + 48);
    const __m512i special = _mm512_set1_epi32(CF_FLAG_EXTENDED_ID | CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME |
                                              CF_FLAG_REMOTE | CF_FLAG_FD);
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i + 16 <= count; i += 16, at += 16 * sizeof(cf_frame)) {
        __m512i half[2], id, flags, found, upper;
        int k;
        for (k = 0; k < 2; k++) { /* eight identifiers below, eight flags above */
            const char *from = at + k * 8 * (int)sizeof(cf_frame);
            half[k] = _mm512_permutex2var_epi32(_mm512_loadu_si512(from), at_first, _mm512_loadu_si512(from + 64));
            half[k] = _mm512_mask_permutexvar_epi32(half[k], 0xE0E0, at_last, _mm512_loadu_si512(from + 128));
        }
        id = _mm512_shuffle_i64x2(half[0], half[1], 0x44);
        flags = _mm512_and_si512(_mm512_shuffle_i64x2(half[0], half[1], 0xEE), special);
        upper = _mm512_or_si512(_mm512_srli_epi32(id, 11), flags);
        if (CF_UNLIKELY(_mm512_test_epi32_mask(upper, upper))) {
            cf_acceptance_stride(a, at, 16, sizeof(cf_frame), accepted + i);
            continue;
        }
        found = _mm512_srli_epi32(id, 5);
        upper = _mm512_permutex2var_epi32(table2, found, table3);
        found = _mm512_mask_blend_epi32(_mm512_test_epi32_mask(id, _mm512_set1_epi32(0x400)),
                                        _mm512_permutex2var_epi32(table0, found, table1), upper);
        found = _mm512_srlv_epi32(found, _mm512_and_si512(id, _mm512_set1_epi32(31)));
        found = _mm512_and_si512(found, _mm512_set1_epi32(1));
        _mm_storeu_si128((__m128i *)(void *)(accepted + i), _mm512_cvtepi32_epi8(found));
    }
    cf_acceptance_stride(a, at, count - i, sizeof(cf_frame), accepted + i);
}
#endif

/* accepted[i] becomes 1 where record i is let through, else 0. Base frames by table, eight or sixteen at a time; others
 * by the rows. Same results with all units. */
CF_INLINE void cf_acceptance_accepts(cf_units units, const cf_acceptance *a, const void *frames, size_t count,
                                     size_t stride, uint8_t *CF_RESTRICT accepted)
{
    (void)units;
#if CF_HAVE_X86
    if (cf_units_have(units, CF_NEEDS_AVX512) && stride == sizeof(cf_frame) && !a->asks) {
        cf_acceptance_avx512(a, frames, count, accepted);
        return;
    }
#endif
    if (stride == sizeof(cf_frame))
        cf_acceptance_stride(a, frames, count, sizeof(cf_frame), accepted);
    else
        cf_acceptance_stride(a, frames, count, stride, accepted);
}

/* numbers[i] becomes cf_acceptance_find's answer for record i. */
CF_INLINE void cf_acceptance_numbers(const cf_acceptance *a, const void *frames, size_t count, size_t stride,
                                     int16_t *CF_RESTRICT numbers)
{
    const char *at = (const char *)frames;
    size_t i;
    for (i = 0; i < count; i++, at += stride)
        numbers[i] = (int16_t)cf_acceptance_find(a, (const cf_frame_head *)at);
}

#endif
