/* canal_fast/signals/lines.h - decoded columns as text: behind the lines of their frames, and as rows of CSV. */
#ifndef CANAL_FAST_SIGNALS_LINES_H
#define CANAL_FAST_SIGNALS_LINES_H

#include "../decimal.h"
#include "../frame.h"

enum { CF_UNKNOWN_MAX = 48 }; /* bytes behind a frame of no table at most, newline included */

/* clang-format off */
/* X(name, C type, how it is written); the name is numpy's */
#define CF_CELL_LIST(X)              \
    X(u1, uint8_t, cf_put_unsigned)  \
    X(i1, int8_t, cf_put_signed)     \
    X(u2, uint16_t, cf_put_unsigned) \
    X(i2, int16_t, cf_put_signed)    \
    X(u4, uint32_t, cf_put_unsigned) \
    X(i4, int32_t, cf_put_signed)    \
    X(u8, uint64_t, cf_put_unsigned) \
    X(i8, int64_t, cf_put_signed)    \
    X(f4, float, cf_put_double)      \
    X(f8, double, cf_put_double)
/* clang-format on */

enum {
#define CF_CELL_ENUM(name, type, put) CF_CELL_##name,
    CF_CELL_LIST(CF_CELL_ENUM)
#undef CF_CELL_ENUM
        CF_CELL_COUNT
};

/* numpy's name of a type, or NULL past the last. */
CF_INLINE const char *cf_cell_name(size_t type)
{
#define CF_CELL_NAME(name, type, put) #name,
    static const char *const names[] = {CF_CELL_LIST(CF_CELL_NAME)};
#undef CF_CELL_NAME
    return type < CF_CELL_COUNT ? names[type] : NULL;
}

typedef struct cf_cell_text {
    const char *at;
    size_t size;
} cf_cell_text;

/* A column: of each row `before`, the value, `after`. */
typedef struct cf_cells {
    const void *values;
    const uint8_t *valid; /* 0: the row has no value; NULL: all have one */
    const cf_cell_text *texts; /* what values, of CF_CELL_i4, stand for; NULL: themselves */
    size_t text_count;
    cf_cell_text before, after;
    int32_t type;
} cf_cells;

/* The columns of a message. */
typedef struct cf_cells_table {
    const cf_cells *columns;
    size_t count;
    size_t rows, row; /* how many there are, and the next */
    size_t longest;   /* from cf_cells_longest */
    cf_cell_text before;   /* of the row behind a frame's line */
} cf_cells_table;

/* Bytes that a row takes at most, in any form. */
CF_INLINE size_t cf_cells_longest(const cf_cells_table *table)
{
    size_t total = table->before.size + CF_DECIMAL_MAX + 8, i, k;
    for (i = 0; i < table->count; i++) {
        const cf_cells *column = &table->columns[i];
        size_t longest = CF_DECIMAL_MAX;
        for (k = 0; k < column->text_count; k++)
            if (column->texts[k].size > longest)
                longest = column->texts[k].size;
        total += column->before.size + longest + column->after.size + CF_DECIMAL_MAX; /* CSV: a time before each */
    }
    return total;
}

CF_INLINE char *cf_put_cell_text(char *out, cf_cell_text text)
{
    memcpy(out, text.at, text.size);
    return out + text.size;
}

CF_INLINE int cf_cell_held(const cf_cells *column, size_t row)
{
    return column->valid == NULL || column->valid[row];
}

/* `before` and the value of a row. A number that no text has gives none. */
CF_INLINE char *cf_put_cell(char *out, const cf_cells *column, size_t row)
{
    out = cf_put_cell_text(out, column->before);
    if (column->texts != NULL) {
        const uint32_t number = ((const uint32_t *)column->values)[row];
        return number < column->text_count ? cf_put_cell_text(out, column->texts[number]) : out;
    }
    switch (column->type) {
#define CF_CELL_PUT(name, type, put) \
    case CF_CELL_##name:             \
        return put(out, ((const type *)column->values)[row]);
        CF_CELL_LIST(CF_CELL_PUT)
#undef CF_CELL_PUT
    default:
        return out;
    }
}

/* A row behind its frame's line: the cells that are there, commas between them, in brackets. */
CF_INLINE char *cf_put_row(char *out, const cf_cells_table *table, size_t row)
{
    const char *first = out = cf_put_cell_text(out, table->before);
    size_t i;
    for (i = 0; i < table->count; i++) {
        const cf_cells *column = &table->columns[i];
        if (!cf_cell_held(column, row))
            continue;
        if (out != first) {
            *out++ = ',';
            *out++ = ' ';
        }
        out = cf_put_cell_text(cf_put_cell(out, column, row), column->after);
    }
    *out++ = ')';
    return out;
}

/* Behind a frame of no table: its identifier; nothing behind what is no data frame. */
CF_INLINE char *cf_put_unknown(char *out, const cf_frame_head *head)
{
    static const cf_cell_text words = {" :: Unknown frame id ", 21};
    const uint32_t id = head->arbitration_id;
    int shift = 28;
    if (head->flags & (CF_FLAG_REMOTE | CF_FLAG_STATUS | CF_FLAG_ERROR_FRAME))
        return out;
    out = cf_put_unsigned(cf_put_cell_text(out, words), id);
    memcpy(out, " (0x", 4);
    out += 4;
    while (shift && !(id >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *out++ = "0123456789abcdef"[id >> shift & 15];
    *out++ = ')';
    return out;
}

/* Lines of frames, with what was decoded behind them. */
typedef struct cf_signal_lines {
    const char *frames; /* records that are left */
    size_t count, stride;
    const char *lines, *end; /* their lines, each with its newline */
    const uint16_t *which;   /* the table of each; another number: of none */
    cf_cells_table *tables;  /* their rows in the frames' order */
    size_t table_count;
    int others; /* write frames of no table, too */
} cf_signal_lines;

/* Writes as many as fit `capacity`; their bytes. */
CF_INLINE size_t cf_signal_lines_write(cf_signal_lines *s, char *out, size_t capacity)
{
    char *p = out;
    for (; s->count; s->count--, s->which++, s->frames += s->stride) {
        const char *newline = (const char *)memchr(s->lines, '\n', (size_t)(s->end - s->lines));
        const size_t length = (size_t)((newline != NULL ? newline : s->end) - s->lines);
        cf_cells_table *table = *s->which < s->table_count ? &s->tables[*s->which] : NULL;
        if (table != NULL && table->row >= table->rows)
            table = NULL;
        if (capacity - (size_t)(p - out) < length + (table != NULL ? table->longest : (size_t)CF_UNKNOWN_MAX))
            break;
        if (table != NULL || s->others) {
            memcpy(p, s->lines, length);
            p += length;
            p = table != NULL ? cf_put_row(p, table, table->row++)
                              : cf_put_unknown(p, (const cf_frame_head *)(const void *)s->frames);
            *p++ = '\n';
        }
        s->lines += length + (newline != NULL);
    }
    return (size_t)(p - out);
}

/* A row of CSV: its time and all cells, without a value where there is none; or with `each` a row for each value. */
CF_INLINE char *cf_csv_row(char *out, const cf_cells_table *table, int64_t time, size_t row, int each)
{
    size_t i;
    if (!each)
        out = cf_put_signed(out, time);
    for (i = 0; i < table->count; i++) {
        const cf_cells *column = &table->columns[i];
        const int held = cf_cell_held(column, row);
        if (each && !held)
            continue;
        if (each)
            out = cf_put_signed(out, time);
        out = held ? cf_put_cell(out, column, row) : cf_put_cell_text(out, column->before);
        out = cf_put_cell_text(out, column->after);
    }
    if (!each) {
        *out++ = '\r';
        *out++ = '\n';
    }
    return out;
}

/* Writes as many of the table's rows as fit `capacity`; their bytes. */
CF_INLINE size_t cf_csv_rows_write(cf_cells_table *table, const int64_t *times, int each, char *out, size_t capacity)
{
    char *p = out;
    for (; table->row < table->rows && capacity - (size_t)(p - out) >= table->longest; table->row++)
        p = cf_csv_row(p, table, times[table->row], table->row, each);
    return (size_t)(p - out);
}

#endif
