/* canal_fast/logs/pcapng.h - pcapng as a log format. */
#ifndef CANAL_FAST_LOGS_PCAPNG_H
#define CANAL_FAST_LOGS_PCAPNG_H

#include "pcapng_read.h"
#include "pcapng_write.h"
#include "screen.h"

CF_INLINE int cf_pcapng_recognise(const uint8_t *head, size_t size, int whole)
{
    static const uint8_t magic[4] = {0x0A, 0x0D, 0x0D, 0x0A};
    (void)whole;
    if (size == 0 || memcmp(head, magic, size < 4 ? size : 4) != 0)
        return CF_LOG_NO;
    return size < 4 ? CF_LOG_PERHAPS : CF_LOG_SURE;
}

CF_INLINE const cf_log_format *cf_log_format_pcapng(void)
{
    static const cf_log_target target = {1, 1, INT64_MIN, INT64_MAX, CF_LOG_INTERFACES, 0, NULL, NULL, NULL, NULL};
    static const cf_log_format row = {"pcapng",
                                      "pcapng, link type 227",
                                      ".pcapng",
                                      "block",
                                      0,
                                      CF_LOG_KEEPS_NANOSECONDS | CF_LOG_KEEPS_FD | CF_LOG_KEEPS_RAW_DLC |
                                          CF_LOG_KEEPS_TX | CF_LOG_KEEPS_GAP | CF_LOG_KEEPS_ERRORS |
                                          CF_LOG_KEEPS_CHANNEL | CF_LOG_KEEPS_STATUS | CF_LOG_KEEPS_NAMES |
                                          CF_LOG_KEEPS_BITRATES | CF_LOG_KEEPS_COUNTERS | CF_LOG_KEEPS_REMOTE |
                                          CF_LOG_KEEPS_ERROR_FRAMES | CF_LOG_KEEPS_FD_FLAGS | CF_LOG_KEEPS_CLOCK_STEP,
                                      0,
                                      cf_pcapng_recognise,
                                      cf_pcapng_read,
                                      cf_pcapng_write,
                                      CF_PCAPNG_FRAME_MAX,
                                      cf_pcapng_begin,
                                      cf_pcapng_describe,
                                      cf_pcapng_statistics,
                                      &target};
    return &row;
}

#endif
