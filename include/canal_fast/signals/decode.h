/* canal_fast/signals/decode.h - frames to columns, in three calls: cf_signals_group (group.h) counts, cf_signals_layout
 * finds the place of every column in one block of memory, cf_signals_decode fills it. */
#ifndef CANAL_FAST_SIGNALS_DECODE_H
#define CANAL_FAST_SIGNALS_DECODE_H

#include "convert.h"
#include "group.h"

#define CF_COLUMN_ALIGNMENT 64

/* Offsets in the memory of the columns; -1 where there is none. */
typedef struct cf_signal_place {
    int64_t column;
    int64_t valid; /* one byte a row, 0 or 1; -1: every row is valid */
} cf_signal_place;

typedef struct cf_message_place {
    int64_t rows;
    int64_t time, source, identifier; /* i8, i8, u4 */
    int64_t payload, length; /* offsets in the scratch memory */
} cf_message_place;

CF_INLINE int64_t cf_take_place(int64_t *total, int64_t bytes)
{
    const int64_t at = *total;
    *total += (bytes + CF_COLUMN_ALIGNMENT - 1) / CF_COLUMN_ALIGNMENT * CF_COLUMN_ALIGNMENT;
    return at;
}

/* Places of all columns for these counts (from cf_signals_group): message_count and signal_count entries. Writes the
 * bytes that the columns and that the scratch memory need. */
CF_INLINE void cf_signals_layout(const cf_plan *plan, const int64_t *counts, const uint8_t *shortest,
                                 cf_message_place *messages, cf_signal_place *signals, int64_t *bytes,
                                 int64_t *scratch_bytes)
{
    size_t m, i;
    *bytes = *scratch_bytes = 0;
    for (m = 0; m < plan->message_count; m++) {
        const cf_plan_message *message = &plan->messages[m];
        cf_message_place *place = &messages[m];
        const int64_t rows = place->rows = counts[m];
        place->time = place->source = place->identifier = place->payload = place->length = -1;
        if (rows) {
            place->time = cf_take_place(bytes, 8 * rows);
            place->source = cf_take_place(bytes, 8 * rows);
            if (message->key & CF_KEY_PGN)
                place->identifier = cf_take_place(bytes, 4 * rows);
            place->payload = cf_take_place(scratch_bytes, message->row_bytes * rows);
            place->length = cf_take_place(scratch_bytes, rows);
        }
        for (i = message->first_signal; i < message->first_signal + message->signals; i++) {
            const cf_signal *s = &plan->signals[i];
            const int partly = s->selector >= 0 || (s->kind & CF_SIGNAL_NULLS) || s->bytes > shortest[m];
            signals[i].column = rows ? cf_take_place(bytes, s->width * rows) : -1;
            signals[i].valid = rows && partly ? cf_take_place(bytes, rows) : -1;
        }
    }
}

/* One message's columns from its gathered rows. */
CF_INLINE void cf_signals_decode_message(const cf_plan *plan, size_t number, const uint8_t *rows, const uint8_t *length,
                                         size_t count, const cf_signal_place *places, char *CF_RESTRICT memory)
{
    const cf_plan_message *message = &plan->messages[number];
    const size_t end = message->first_signal + message->signals;
    cf_row_block block;
    uint8_t selected[CF_ROW_BLOCK];
    size_t at, i;
    for (at = 0; at < count; at += CF_ROW_BLOCK) {
        const size_t some = count - at < CF_ROW_BLOCK ? count - at : CF_ROW_BLOCK;
        int32_t chosen = -2; /* whose rows `selected` has */
        cf_block_begin(&block, rows + at * message->row_bytes, length + at, some, message->row_bytes);
        for (i = message->first_signal; i < end; i++) {
            const cf_signal *s = &plan->signals[i];
            char *column = memory + places[i].column + at * s->width;
            unsigned left;
            const uint64_t *words = cf_block_words(&block, s, &left);
            cf_signal_convert(s, words, left, some, column);
            if (places[i].valid >= 0) {
                uint8_t *valid = (uint8_t *)memory + places[i].valid + at;
                if (chosen != s->selector)
                    cf_block_select(&block, plan, s->selector, selected);
                chosen = s->selector;
                memcpy(valid, selected, some);
                cf_block_held(&block, s, valid);
                cf_clear_invalid(s, valid, some, column);
            }
        }
    }
}

/* Fills the columns. `frames` and `which` are those of cf_signals_group; `rows` has message_count entries of scratch;
 * `memory` and `scratch` have the bytes that cf_signals_layout told and are aligned to 8. */
CF_INLINE void cf_signals_decode(const cf_plan *plan, const void *frames, size_t count, size_t stride,
                                 const uint16_t *which, const cf_message_place *messages,
                                 const cf_signal_place *signals, cf_message_rows *rows, char *memory, uint8_t *scratch)
{
    size_t m;
    for (m = 0; m < plan->message_count; m++) {
        const cf_message_place *place = &messages[m];
        if (!place->rows)
            continue;
        rows[m].time = (int64_t *)(void *)(memory + place->time);
        rows[m].source = (int64_t *)(void *)(memory + place->source);
        rows[m].identifier = place->identifier < 0 ? NULL : (uint32_t *)(void *)(memory + place->identifier);
        rows[m].payload = scratch + place->payload;
        rows[m].length = scratch + place->length;
        rows[m].row_bytes = plan->messages[m].row_bytes;
    }
    cf_signals_scatter(frames, count, stride, which, plan->message_count, rows);
    for (m = 0; m < plan->message_count; m++) {
        const cf_message_place *place = &messages[m];
        if (place->rows)
            cf_signals_decode_message(plan, m, scratch + place->payload, scratch + place->length, (size_t)place->rows,
                                      signals, memory);
    }
}

#endif
