/* canal_fast/logs/pcap_write.h - records into classic pcap, link type 227, little-endian, times in nanoseconds. */
#ifndef CANAL_FAST_LOGS_PCAP_WRITE_H
#define CANAL_FAST_LOGS_PCAP_WRITE_H

#include "pcapng_write.h"
#include "screen.h"
#include "writing.h"

enum { CF_PCAP_WRITE_HEADER = 24, CF_PCAP_WRITE_MAX = 16 + CF_PCAPNG_HEAD + CF_FD_DATA };

#define CF_PCAP_LAST_NS (INT64_C(0xFFFFFFFF) * 1000000000 + 999999999)

CF_INLINE size_t cf_pcap_begin(cf_log_writer *writer, const char *application, uint8_t *out)
{
    uint8_t *p = cf_put32(out, 0xA1B23C4Du);
    (void)writer;
    (void)application;
    p = cf_put16(cf_put16(p, 2), 4);
    p = cf_put64(p, 0);
    cf_put32(cf_put32(p, 1u << 16), CF_PCAPNG_LINK_CAN);
    return CF_PCAP_WRITE_HEADER;
}

CF_INLINE size_t cf_pcap_put(const cf_log_writer *writer, const cf_frame_head *head, size_t stride, uint8_t *out)
{
    const uint64_t time = (uint64_t)head->timestamp_ns;
    uint8_t *packet = out + 16, *p = cf_pcapng_can(head, stride, packet);
    const uint32_t size = (uint32_t)(p - packet);
    (void)writer;
    cf_put32(cf_put32(out, (uint32_t)(time / 1000000000u)), (uint32_t)(time % 1000000000u));
    cf_put32(cf_put32(out + 8, size), size);
    return (size_t)(p - out);
}

CF_INLINE size_t cf_pcap_write(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                               size_t capacity, size_t *used)
{
    return cf_log_write_each(writer, frames, count, stride, out, capacity, used, CF_PCAP_WRITE_MAX, cf_pcap_put);
}

#endif
