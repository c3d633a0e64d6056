/* canal_fast/logs/formats.h - the table of log formats: an include and a name each (format.h says what a row is). */
#ifndef CANAL_FAST_LOGS_FORMATS_H
#define CANAL_FAST_LOGS_FORMATS_H

#include "asc.h"
#include "blf.h"
#include "candump.h"
#include "csv.h"
#include "pcap.h"
#include "pcapng.h"
#include "trc.h"

/* In the order in which `canal-fast formats` lists them; the first of equally sure recognisers wins. */
/* clang-format off */
#define CF_LOG_FORMAT_LIST(X) \
    X(pcapng)                 \
    X(pcap)                   \
    X(blf)                    \
    X(asc)                    \
    X(trc)                    \
    X(trc_1_1)                \
    X(csv)                    \
    X(csv_gvret)              \
    X(candump)                \
    X(candump_delta)
/* clang-format on */

/* Row `index`, or NULL past the last. */
CF_INLINE const cf_log_format *cf_log_format_row(size_t index)
{
    const cf_log_format *const rows[] = {
#define CF_LOG_FORMAT_ROW(name) cf_log_format_##name(),
        CF_LOG_FORMAT_LIST(CF_LOG_FORMAT_ROW)
#undef CF_LOG_FORMAT_ROW
    };
    return index < sizeof rows / sizeof rows[0] ? rows[index] : NULL;
}

#endif
