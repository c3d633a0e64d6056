from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_code, cf_status


cdef extern from "canal_fast/filter.h" nogil:
    enum:
        CF_FILTER_ANY_FORMAT

    ctypedef struct cf_filter:
        uint32_t can_id
        uint32_t can_mask
        uint32_t extended

cdef extern from "canal_fast/frame.h" nogil:
    enum:
        CF_FLAG_EXTENDED_ID
        CF_FLAG_REMOTE
        CF_FLAG_STATUS
        CF_FLAG_FD
        CF_FLAG_BITRATE_SWITCH
        CF_FLAG_ERROR_STATE_INDICATOR
        CF_FLAG_TX
        CF_FLAG_ERROR_FRAME

    ctypedef struct cf_frame_head:
        int64_t timestamp_ns
        uint32_t arbitration_id
        uint16_t flags
        uint8_t channel
        uint8_t dlc

    ctypedef struct cf_frame:
        int64_t timestamp_ns
        uint32_t arbitration_id
        uint16_t flags
        uint8_t channel
        uint8_t dlc
        uint8_t data[8]

    ctypedef struct cf_fd_frame:
        int64_t timestamp_ns
        uint32_t arbitration_id
        uint16_t flags
        uint8_t channel
        uint8_t dlc
        uint8_t data[64]

    ctypedef struct cf_field:
        const char *name
        const char *format
        size_t offset
        size_t count

    const cf_field *cf_frame_field(int fd, size_t index)
    const cf_code *cf_flag_row(size_t index)
    unsigned cf_fd_dlc(unsigned length)
    unsigned cf_payload_length(unsigned flags, unsigned dlc)
    void cf_payload_lengths(const void *frames, size_t count, size_t stride, uint8_t *lengths)
    cf_status cf_frames_check(const void *frames, size_t count, size_t stride, size_t *index)
    cf_status cf_records_check(const void *records, size_t count, size_t stride, size_t *index)

cdef extern from "canal_fast/seconds.h" nogil:
    double cf_seconds(int64_t ns)
    int cf_nanoseconds(double seconds, int64_t *ns)

cdef extern from "canal_fast/merge.h" nogil:
    enum:
        CF_MERGE_SOURCES

    ctypedef struct cf_merge_source:
        const char *at
        size_t count
        int64_t latest
        int begun
        int ended

    ctypedef struct cf_merge:
        size_t sources
        cf_merge_source source[256]

    size_t cf_merge_take(cf_merge *merge, size_t stride, void *out, size_t capacity, size_t *empty)

cdef extern from "canal_fast/error_frame.h" nogil:
    enum:
        CF_ERROR_PROTOCOL
        CF_ERROR_NO_ACK
        CF_ERROR_KIND
        CF_ERROR_KIND_BIT
        CF_ERROR_KIND_FORM
        CF_ERROR_KIND_STUFF
        CF_ERROR_KIND_OVERLOAD

cdef extern from "canal_fast/ids.h" nogil:
    ctypedef struct cf_ids:
        uint32_t *slots
        size_t mask
        uint64_t *keys
        size_t count
        size_t room

    void cf_ids_index(cf_ids *ids)
