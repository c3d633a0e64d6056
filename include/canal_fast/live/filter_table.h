/* canal_fast/live/filter_table.h - the filters of a channel, in the memory that program and reader share.
 *
 * The program writes them under a generation that is odd meanwhile. The reader looks at the generation before it
 * judges a record, copies the rows when it is even and new, and tells from which record on they were applied. So the
 * records in the ring that the present rows did not judge are those before that one; no other is judged twice.
 */
#ifndef CANAL_FAST_LIVE_FILTER_TABLE_H
#define CANAL_FAST_LIVE_FILTER_TABLE_H

#include "../atomic.h"
#include "../filter.h"

enum { CF_FILTERS_MOST = 8192 };

typedef struct cf_filter_table {
    /* written by the program */
    cf_atomic_u32 generation; /* odd while the rows change; 0: there were never any */
    cf_atomic_u32 count;
    cf_atomic_u32 words[3 * CF_FILTERS_MOST]; /* can_id, can_mask, extended of each row */
    uint8_t pad0[64];
    /* written by the reader */
    cf_atomic_u64 from;    /* index of the first record that was judged by generation `applied` */
    cf_atomic_u32 applied; /* stored after `from` */
    uint32_t pad1;
} cf_filter_table;

/* The reader's copy of the rows: those in force, and room for the next ones, which may turn out to be half written.
 * Needs zeros. */
typedef struct cf_filter_copy {
    uint32_t generation, count;
    const cf_filter *rows;
    cf_filter room[2][CF_FILTERS_MOST];
} cf_filter_copy;

/* Replaces the rows; `count` is at most CF_FILTERS_MOST. Needs that nobody else writes meanwhile. */
CF_INLINE void cf_filter_table_write(cf_filter_table *table, const cf_filter *rows, uint32_t count)
{
    const uint32_t generation = cf_atomic_u32_load_relaxed(&table->generation);
    uint32_t i;
    cf_atomic_u32_store_relaxed(&table->generation, generation + 1);
    cf_atomic_fence(); /* with the fence in cf_filter_table_take: who reads one new word finds another generation */
    cf_atomic_u32_store_relaxed(&table->count, count);
    for (i = 0; i < count; i++) {
        cf_atomic_u32_store_relaxed(&table->words[3 * i], rows[i].can_id);
        cf_atomic_u32_store_relaxed(&table->words[3 * i + 1], rows[i].can_mask);
        cf_atomic_u32_store_relaxed(&table->words[3 * i + 2], rows[i].extended);
    }
    /* release, for the acquire in cf_filter_table_wants: who reads the even number reads these rows or later ones */
    cf_atomic_u32_store_release(&table->generation, generation + 2);
}

/* Takes the rows over, if they are whole, and tells that they are applied from record `next` on. */
CF_INLINE void cf_filter_table_take(cf_filter_table *table, cf_filter_copy *copy, uint32_t generation, uint64_t next)
{
    cf_filter *rows = copy->room[copy->rows == copy->room[0]];
    const uint32_t count = cf_atomic_u32_load_relaxed(&table->count);
    uint32_t i;
    if ((generation & 1) || count > CF_FILTERS_MOST)
        return;
    for (i = 0; i < count; i++) {
        rows[i].can_id = cf_atomic_u32_load_relaxed(&table->words[3 * i]);
        rows[i].can_mask = cf_atomic_u32_load_relaxed(&table->words[3 * i + 1]);
        rows[i].extended = cf_atomic_u32_load_relaxed(&table->words[3 * i + 2]);
    }
    cf_atomic_fence(); /* with the fence in cf_filter_table_write: a later word shows as a later generation */
    if (cf_atomic_u32_load_relaxed(&table->generation) != generation)
        return; /* written meanwhile: before the next record */
    copy->rows = rows;
    copy->count = count;
    copy->generation = generation;
    cf_atomic_u64_store_relaxed(&table->from, next);
    /* release, for the acquire in cf_filter_table_unjudged: who reads `applied` reads its `from` */
    cf_atomic_u32_store_release(&table->applied, generation);
}

/* For the reader: does it want this record, which would get index `next`? Never waits. */
CF_INLINE int cf_filter_table_wants(cf_filter_table *table, cf_filter_copy *copy, const cf_frame_head *head,
                                    uint64_t next)
{
    /* acquire, from the last release in cf_filter_table_write: the rows of this generation */
    const uint32_t generation = cf_atomic_u32_load_acquire(&table->generation);
    if (CF_UNLIKELY(generation != copy->generation))
        cf_filter_table_take(table, copy, generation, next);
    return cf_filter_match(copy->rows, copy->count, head);
}

/* For the consumer, who took `count` records from index `first` on: how many of them, the first ones, were not judged
 * by the present rows. */
CF_INLINE size_t cf_filter_table_unjudged(const cf_filter_table *table, uint64_t first, size_t count)
{
    uint64_t from;
    /* acquire, from the release in cf_filter_table_take: `from`. Records that these rows judged were published after
     * `applied`: who took them reads that, too. `generation` is the consumer's own, under its lock. */
    if (cf_atomic_u32_load_acquire(&table->applied) != cf_atomic_u32_load_relaxed(&table->generation))
        return count;
    from = cf_atomic_u64_load_relaxed(&table->from);
    return from <= first ? 0 : from - first < count ? (size_t)(from - first) : count;
}

#endif
