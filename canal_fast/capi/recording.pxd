from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "canal_fast/logs/state.h" nogil:
    enum:
        CF_LOG_NAME_MAX
        CF_LOG_INTERFACES
        CF_LOG_COUNTERS

    const char *cf_log_counter_name(size_t index)

    ctypedef struct cf_log_interface:
        char name[64]
        uint64_t speed
        int64_t offset
        uint32_t frames
        uint16_t link
        uint8_t channel
        uint8_t resolution
        uint8_t counted
        uint64_t counters[5]

    ctypedef struct cf_log_reader:
        cf_log_interface interfaces[256]
        size_t count
        uint64_t skipped
        uint64_t lines
        size_t column

    ctypedef struct cf_log_channel:
        char name[64]
        uint64_t speed

    ctypedef struct cf_log_progress:
        uint64_t frames
        uint64_t channel_frames[256]
        int64_t last_ns[256]

    ctypedef struct cf_log_writer:
        cf_log_channel channels[256]
        cf_log_progress progress
