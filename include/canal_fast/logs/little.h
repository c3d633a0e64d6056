/* canal_fast/logs/little.h - little-endian numbers out of a file, whatever the machine's own order and alignment. */
#ifndef CANAL_FAST_LOGS_LITTLE_H
#define CANAL_FAST_LOGS_LITTLE_H

#include "../base.h"

CF_INLINE unsigned cf_little16(const uint8_t *p)
{
    return (unsigned)p[1] << 8 | p[0];
}

CF_INLINE uint32_t cf_little32(const uint8_t *p)
{
    return (uint32_t)cf_little16(p + 2) << 16 | cf_little16(p);
}

CF_INLINE uint64_t cf_little64(const uint8_t *p)
{
    return (uint64_t)cf_little32(p + 4) << 32 | cf_little32(p);
}

#endif
