from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.frame cimport cf_fd_frame, cf_filter, cf_frame_head


cdef extern from "canal_fast/logs/state.h" nogil:
    enum:
        CF_LOG_NAME_MAX
        CF_LOG_INTERFACES
        CF_LOG_COUNTERS
        CF_LOG_ITEM_MAX
        CF_LOG_HEAD

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
        uint8_t foreign
        uint8_t id_order
        uint64_t counters[5]

    ctypedef struct cf_log_kind:
        char name[48]
        uint64_t count

    ctypedef struct cf_log_call:
        const uint8_t *data
        size_t size
        int final
        void *frames
        size_t capacity
        size_t stride
        size_t consumed
        size_t made
        const uint8_t *inner
        size_t inner_size
        size_t inner_consumed
        size_t packed
        size_t unpacked
        int packing

    ctypedef struct cf_log_reader:
        void *own
        uint8_t forgiving
        uint8_t id_order
        int64_t epoch_ns
        int64_t start_ns
        uint8_t has_start
        uint8_t truncated
        uint64_t lost_bytes
        cf_log_kind kinds[32]
        size_t kind_count
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
        uint64_t gaps
        int64_t latest_ns

    ctypedef struct cf_log_writer:
        uint8_t nanoseconds
        uint8_t has_start
        int64_t start_ns
        int64_t wall_ns
        cf_log_channel channels[256]
        cf_log_progress progress

cdef extern from "canal_fast/logs/format.h" nogil:
    const cf_code *cf_log_keeps_row(size_t index)

    ctypedef struct cf_log_target:
        int64_t step_ns
        int64_t fine_ns
        int64_t first_ns
        int64_t last_ns
        unsigned channels
        unsigned dated
        size_t (*end)(cf_log_writer *writer, uint8_t *out) noexcept nogil
        size_t (*container)(size_t packed, size_t inflated, uint8_t *out, size_t *padding) noexcept nogil
        size_t (*finish)(cf_log_writer *writer, uint64_t size, uint64_t inflated, uint8_t *out) noexcept nogil

    ctypedef struct cf_log_format:
        const char *name
        const char *title
        const char *suffixes
        const char *item
        unsigned zoned
        unsigned keeps
        size_t own_size
        int (*recognise)(const uint8_t *head, size_t size, int whole) noexcept nogil
        cf_status (*read)(cf_log_reader *reader, cf_log_call *call) noexcept nogil
        size_t (*write)(cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out,
                        size_t capacity, size_t *used) noexcept nogil
        size_t write_max
        size_t (*begin)(cf_log_writer *writer, const char *application, uint8_t *out) noexcept nogil
        size_t (*describe)(cf_log_writer *writer, unsigned channel, uint8_t *out) noexcept nogil
        size_t (*statistics)(cf_log_writer *writer, unsigned channel, const uint64_t *counters, unsigned counted,
                             const char *comment, uint8_t *out) noexcept nogil
        const cf_log_target *target

cdef extern from "canal_fast/logs/screen.h" nogil:
    enum:
        CF_LOG_LEFT_OUT_KINDS
        CF_LOG_REDUCED_REASONS

    const cf_code *cf_log_loss_row(size_t index)

    ctypedef struct cf_log_screen:
        const cf_log_target *target
        unsigned keeps
        int64_t step_ns
        int64_t start_ns
        uint8_t named[256]
        uint64_t given
        uint64_t written
        uint64_t reduced_frames
        uint64_t left_out[6]
        uint64_t reduced[9]
        unsigned pending

    int cf_log_loss(const cf_log_screen *screen, const cf_frame_head *head)
    size_t cf_log_screen_count(cf_log_screen *screen, const void *frames, size_t count, size_t stride, int strict,
                               size_t *index)
    size_t cf_log_screen_copy(cf_log_screen *screen, const void *frames, size_t count, size_t stride, void *out)

cdef extern from "canal_fast/logs/selection.h" nogil:
    ctypedef struct cf_log_selection:
        const cf_filter *filters
        size_t filter_count
        uint8_t unwanted[256]
        int64_t first_ns
        int64_t last_ns
        uint64_t read
        uint64_t filtered
        uint64_t cut

    size_t cf_log_select(cf_log_selection *selection, void *records, size_t count, size_t stride)

cdef extern from "canal_fast/logs/formats.h" nogil:
    const cf_log_format *cf_log_format_row(size_t index)

cdef extern from "canal_fast/logs/columns.h" nogil:
    enum:
        CF_COLUMNS
        CF_COLUMN_DataBytes

    const char *cf_column_name(size_t index)
    const cf_log_target *cf_columns_target()

    ctypedef struct cf_column:
        const char *at
        Py_ssize_t stride
        size_t size

    ctypedef struct cf_columns:
        cf_column member[11]
        const double *seconds
        size_t rows
        int64_t epoch_ns
        int event

    cf_status cf_columns_read(cf_log_reader *reader, const cf_columns *columns, cf_log_call *call)

cdef extern from "canal_fast/logs/mdf_records.h" nogil:
    ctypedef struct cf_mdf_group:
        uint64_t number
        uint64_t size
        uint64_t variable
        uint64_t records

    size_t cf_mdf_whole_records(
        const uint8_t *data, size_t size, unsigned id_size, cf_mdf_group *groups, size_t count, int *unknown
    )

cdef extern from "canal_fast/logs/candump_line.h" nogil:
    enum:
        CF_CANDUMP_NAME_MAX
        CF_CANDUMP_LINE_MAX

    cf_status cf_candump_parse(
        const char *line, size_t length, cf_fd_frame *frame, const char **iface, size_t *iface_length, size_t *column
    )
    size_t cf_candump_format(const void *record, size_t stride, const char *iface, char *out)


cdef extern from "canal_fast/logs/candump.h" nogil:
    cf_status cf_candump_read(cf_log_reader *reader, cf_log_call *call)
    size_t cf_candump_write(
        cf_log_writer *writer, const void *frames, size_t count, size_t stride, uint8_t *out, size_t capacity,
        size_t *used
    )

cdef extern from "canal_fast/logs/json_lines.h" nogil:
    enum:
        CF_JSON_LINE_MAX

    size_t cf_json_lines(const void *frames, size_t count, size_t stride, const char *about, const uint32_t *places,
                         char *out, size_t capacity, size_t *used)

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
    cf_status cf_pcapng_read(cf_log_reader *reader, cf_log_call *call)
