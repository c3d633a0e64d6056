/* canal_fast/signals/extract.h - rows to words: a signal's bits at the top of a 64-bit word, a block of rows at a time.
 *
 * A raw value is then `word << left >> right`, arithmetically for signed ones: a loop without branches. Rows of 8 bytes
 * are loaded once a block, in either byte order, for all their signals.
 */
#ifndef CANAL_FAST_SIGNALS_EXTRACT_H
#define CANAL_FAST_SIGNALS_EXTRACT_H

#include "../bits.h"
#include "plan.h"

#define CF_ROW_BLOCK 512 /* rows at a time: a block's words stay in the first-level cache */

/* A block of rows, and what was loaded of it. */
typedef struct cf_row_block {
    const uint8_t *rows;
    const uint8_t *length; /* payload bytes of each row */
    size_t count, row_bytes;
    int loaded[2]; /* rows of 8 bytes: words[big] is filled */
    uint64_t words[2][CF_ROW_BLOCK];
    uint64_t own[CF_ROW_BLOCK]; /* rows of 64 bytes: the words of one signal */
} cf_row_block;

CF_INLINE void cf_block_begin(cf_row_block *block, const uint8_t *rows, const uint8_t *length, size_t count,
                              size_t row_bytes)
{
    block->rows = rows;
    block->length = length;
    block->count = count;
    block->row_bytes = row_bytes;
    block->loaded[0] = block->loaded[1] = 0;
}

CF_INLINE void cf_load_words(const uint8_t *at, size_t step, int big, size_t count, uint64_t *CF_RESTRICT words)
{
    size_t i;
    if (big) {
        for (i = 0; i < count; i++)
            words[i] = cf_load_be64(at + i * step);
    } else {
        for (i = 0; i < count; i++)
            words[i] = cf_load_le64(at + i * step);
    }
}

/* 65 to 72 bits, of which `length` count: the value at the top of the word. */
CF_INLINE void cf_load_nine(const uint8_t *at, size_t step, const cf_signal *s, size_t count,
                            uint64_t *CF_RESTRICT words)
{
    size_t i;
    for (i = 0; i < count; i++, at += step) {
        if (s->kind & CF_SIGNAL_BIG)
            words[i] = cf_load_be64(at) << s->shift | at[8] >> (8 - s->shift);
        else
            words[i] = (cf_load_le64(at) >> s->shift | (uint64_t)at[8] << (64 - s->shift)) << (64 - s->length);
    }
}

/* The words of a signal for the block's rows; word << *left has the value at its top. */
CF_INLINE const uint64_t *cf_block_words(cf_row_block *block, const cf_signal *s, unsigned *left)
{
    const int big = s->kind & CF_SIGNAL_BIG ? 1 : 0;
    *left = big ? s->shift : 64u - s->shift - s->length;
    if (s->kind & CF_SIGNAL_NINE) {
        *left = 0;
        cf_load_nine(block->rows + s->first_byte, block->row_bytes, s, block->count, block->own);
        return block->own;
    }
    if (block->row_bytes != 8) {
        cf_load_words(block->rows + s->first_byte, block->row_bytes, big, block->count, block->own);
        return block->own;
    }
    if (!block->loaded[big]) {
        cf_load_words(block->rows, 8, big, block->count, block->words[big]);
        block->loaded[big] = 1;
    }
    return block->words[big];
}

/* Where do the selector and all its parents apply? Writes 0 or 1 for each row of the block. */
CF_INLINE void cf_block_select(cf_row_block *block, const cf_plan *plan, int32_t selector, uint8_t *CF_RESTRICT valid)
{
    memset(valid, 1, block->count);
    for (; selector >= 0; selector = plan->selectors[selector].parent) {
        const cf_selector *chosen = &plan->selectors[selector];
        const cf_signal *s = &plan->signals[chosen->multiplexer];
        const cf_selector_range *range = plan->ranges + chosen->first_range;
        const unsigned right = 64u - s->length;
        unsigned left;
        const uint64_t *words = cf_block_words(block, s, &left);
        size_t i, r;
        for (i = 0; i < block->count; i++) {
            const uint64_t raw = words[i] << left >> right;
            unsigned inside = 0;
            for (r = 0; r < chosen->ranges; r++)
                inside |= raw >= range[r].low && raw <= range[r].high;
            valid[i] &= (uint8_t)(inside && block->length[i] >= s->bytes);
        }
    }
}

/* Rows that hold a value of the signal: `valid` says where its selector applies, and loses short payloads and J1939's
 * "error" and "not available". */
CF_INLINE void cf_block_held(cf_row_block *block, const cf_signal *s, uint8_t *CF_RESTRICT valid)
{
    size_t i;
    for (i = 0; i < block->count; i++)
        valid[i] &= block->length[i] >= s->bytes;
    if (s->kind & CF_SIGNAL_NULLS) {
        unsigned left;
        const uint64_t *words = cf_block_words(block, s, &left);
        for (i = 0; i < block->count; i++)
            valid[i] &= words[i] << left >> (64u - s->length) < s->null_from;
    }
}

#endif
