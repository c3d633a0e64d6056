from libc.stdint cimport uint8_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.recording cimport cf_log_reader, cf_log_writer


cdef extern from "canal_fast/logs/pcapng_write.h" nogil:
    enum:
        CF_PCAPNG_FRAME_MAX

    size_t cf_pcapng_section(const char *application, uint8_t *out)
    size_t cf_pcapng_describe(cf_log_writer *writer, unsigned channel, uint8_t *out)
    size_t cf_pcapng_write(
        cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out, size_t capacity,
        size_t *used
    )
    size_t cf_pcapng_statistics(
        cf_log_writer *writer, unsigned channel, const uint64_t *counters, unsigned counted, uint8_t *out
    )


cdef extern from "canal_fast/logs/pcapng_read.h" nogil:
    cf_status cf_pcapng_read(
        cf_log_reader *reader, const uint8_t *data, size_t size, void *frames, size_t capacity, size_t stride,
        size_t *consumed, size_t *made
    )
