/* canal_fast/seconds.h - time stamps as floating-point seconds and back, as exact as those are. */
#ifndef CANAL_FAST_SECONDS_H
#define CANAL_FAST_SECONDS_H

#include "base.h"

#define CF_SECOND_NS INT64_C(1000000000)
#define CF_MOST_SECONDS 9.2e9 /* what an int64_t of nanoseconds holds, nearly */

CF_INLINE double cf_seconds(int64_t ns)
{
    return (double)(ns / CF_SECOND_NS) + (double)(ns % CF_SECOND_NS) / 1e9;
}

/* The nearest number of nanoseconds into *ns; 0, with *ns untouched, when it does not fit or is none. Whole
 * seconds and the rest apart: their product with 1e9 would be rounded to 256 ns for present dates. */
CF_INLINE int cf_nanoseconds(double seconds, int64_t *ns)
{
    int64_t whole;
    if (!(seconds >= -CF_MOST_SECONDS && seconds <= CF_MOST_SECONDS))
        return 0;
    whole = (int64_t)seconds;
    if ((double)whole > seconds)
        whole--;
    *ns = whole * CF_SECOND_NS + (int64_t)((seconds - (double)whole) * 1e9 + 0.5);
    return 1;
}

#endif
