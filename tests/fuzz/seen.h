/* seen.h - what a fuzz entry computed, for replay.c, which compares it with another machine's; else nothing. */
#ifndef SEEN_H
#define SEEN_H

#include <stddef.h>

#if defined(CF_FUZZ_REPLAY)
void seen(const void *bytes, size_t size);
#else
static inline void seen(const void *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}
#endif

#endif
