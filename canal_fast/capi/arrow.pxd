from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint8_t


cdef extern from "canal_fast/arrow.h" nogil:
    enum:
        ARROW_FLAG_NULLABLE

    ctypedef struct ArrowSchema "struct ArrowSchema":
        const char *format
        const char *name
        const char *metadata
        int64_t flags
        int64_t n_children
        ArrowSchema **children
        ArrowSchema *dictionary
        void (*release)(ArrowSchema *) noexcept nogil
        void *private_data

    ctypedef struct ArrowArray "struct ArrowArray":
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void **buffers
        ArrowArray **children
        ArrowArray *dictionary
        void (*release)(ArrowArray *) noexcept nogil
        void *private_data

    ctypedef struct ArrowArrayStream "struct ArrowArrayStream":
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *) noexcept nogil
        int (*get_next)(ArrowArrayStream *, ArrowArray *) noexcept nogil
        const char *(*get_last_error)(ArrowArrayStream *) noexcept nogil
        void (*release)(ArrowArrayStream *) noexcept nogil
        void *private_data

    size_t cf_arrow_validity(const uint8_t *valid, size_t count, uint8_t *bitmap)

cdef extern from "canal_fast/arrow_frames.h" nogil:
    ctypedef struct cf_frame_columns:
        int64_t *timestamp_ns
        uint32_t *arbitration_id
        uint16_t *flags
        uint8_t *channel
        uint8_t *dlc
        int32_t *offsets
        uint8_t *data

    size_t cf_frames_split(const void *frames, size_t count, size_t stride, size_t limit, cf_frame_columns to,
                           unsigned *channel)
    size_t cf_frames_join(cf_frame_columns source, size_t size, size_t count, void *frames, size_t stride)
