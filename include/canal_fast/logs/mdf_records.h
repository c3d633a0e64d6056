/* canal_fast/logs/mdf_records.h - where the last whole record of an MDF data block ends whose length nobody wrote. */
#ifndef CANAL_FAST_LOGS_MDF_RECORDS_H
#define CANAL_FAST_LOGS_MDF_RECORDS_H

#include "numbers.h"

/* A channel group: its identifier, the bytes of a record (where each states its own length, u4: those of all met so
 * far), whether each does so, and how many were met. */
typedef struct cf_mdf_group {
    uint64_t number, size, variable, records;
} cf_mdf_group;

/* The group of the record at p, which begins with an identifier of id_size bytes (0: there is one group), or NULL. */
CF_INLINE cf_mdf_group *cf_mdf_group_of(const uint8_t *p, unsigned id_size, cf_mdf_group *groups, size_t count)
{
    uint64_t number = 0;
    size_t i;
    for (i = id_size; i-- > 0;)
        number = number << 8 | p[i];
    for (i = 0; i < count; i++)
        if (id_size == 0 || groups[i].number == number)
            return &groups[i];
    return NULL;
}

/* Bytes of the whole records that data[0..size) begin with, which their groups count; id_size is 8 at most. *unknown:
 * behind them stands a record of a group that there is none of. */
CF_INLINE size_t cf_mdf_whole_records(const uint8_t *data, size_t size, unsigned id_size, cf_mdf_group *groups,
                                      size_t count, int *unknown)
{
    size_t at = 0;
    *unknown = 0;
    while (size - at > id_size) {
        const size_t left = size - at - id_size;
        cf_mdf_group *group = cf_mdf_group_of(data + at, id_size, groups, count);
        uint64_t step;
        if (group == NULL) {
            *unknown = 1;
            return at;
        }
        if (group->variable && left < 4)
            return at;
        step = group->variable ? 4 + (uint64_t)cf_get32(data + at + id_size, 0) : group->size;
        if (step > left || step + id_size == 0)
            return at;
        at += id_size + (size_t)step;
        group->size += group->variable ? step - 4 : 0;
        group->records++;
    }
    return at;
}

#endif
