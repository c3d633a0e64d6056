from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.channel cimport cf_channel
from canal_fast.capi.message cimport cf_layout


cdef extern from "canal_fast/live/port.h" nogil:
    enum:
        CF_STATISTICS_WORDS

    ctypedef struct cf_driver_status:
        uint32_t channel_status
        uint32_t last_error_code
        uint32_t last_error_subcode
        char text[81]

    ctypedef struct cf_driver_versions:
        uint32_t level
        uint32_t version
        uint32_t dll_version
        char vendor[256]
        char info[2048]

    const cf_layout *cf_channel_layout(cf_channel *channel)
    uint64_t cf_channel_queue(cf_channel *channel)
    cf_status cf_channel_send(cf_channel *channel, const void *frames, size_t count, size_t stride,
                              int64_t timeout_ns, size_t *accepted, long *code)
    void cf_channel_reject(cf_channel *channel, size_t count)
    void cf_channel_sent(cf_channel *channel, uint64_t *sent, uint64_t *rejected)
    cf_status cf_channel_status(cf_channel *channel, cf_driver_status *result, long *code)
    cf_status cf_channel_statistics(cf_channel *channel, uint32_t *counters, int *filled, long *code)
    cf_status cf_channel_set(cf_channel *channel, int function, unsigned long value, long *code)
    cf_status cf_channel_versions(cf_channel *channel, cf_driver_versions *result, long *code)
