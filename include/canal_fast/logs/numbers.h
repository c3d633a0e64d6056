/* canal_fast/logs/numbers.h - numbers out of a file in its byte order, whatever the machine's order and alignment. */
#ifndef CANAL_FAST_LOGS_NUMBERS_H
#define CANAL_FAST_LOGS_NUMBERS_H

#include "../base.h"

CF_INLINE unsigned cf_get16(const uint8_t *p, int big)
{
    return big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

CF_INLINE uint32_t cf_get32(const uint8_t *p, int big)
{
    return big ? (uint32_t)cf_get16(p, 1) << 16 | cf_get16(p + 2, 1)
               : (uint32_t)cf_get16(p + 2, 0) << 16 | cf_get16(p, 0);
}

CF_INLINE uint64_t cf_get64(const uint8_t *p, int big)
{
    return big ? (uint64_t)cf_get32(p, 1) << 32 | cf_get32(p + 4, 1)
               : (uint64_t)cf_get32(p + 4, 0) << 32 | cf_get32(p, 0);
}

#endif
