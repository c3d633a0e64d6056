from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.consumer cimport cf_consumer
from canal_fast.capi.filter cimport cf_filter
from canal_fast.capi.library cimport cf_library
from canal_fast.capi.message cimport cf_layout
from canal_fast.capi.profile cimport cf_profile


cdef extern from "canal_fast/live/driver.h" nogil:
    enum:
        CF_CONFIG_BYTES

    ctypedef struct cf_channel_options:
        const char *config
        unsigned long flags
        const cf_profile *profile
        const cf_layout *layout
        uint32_t channel
        int wait_when_full
        int device_clock
        int fd
        int64_t coalesce_ns
        int64_t reconnect_ns
        uint64_t ring_capacity
        const cf_filter *filters
        size_t filter_count

    ctypedef struct cf_channel:
        cf_consumer consumer

    cf_status cf_channel_open(const cf_library *library, const cf_channel_options *options, cf_channel **result,
                              long *code)
    void cf_channel_stop(cf_channel *channel)
    cf_status cf_channel_close(cf_channel *channel, long *code)
    void cf_channel_free(cf_channel *channel)
    cf_status cf_channel_filter(cf_channel *channel, const cf_filter *filters, size_t count, int waiting)
