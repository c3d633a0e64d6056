from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.frame cimport cf_field


cdef extern from "canal_fast/signals/plan.h" nogil:
    enum:
        CF_KEY_EXTENDED
        CF_KEY_PGN

    ctypedef struct cf_signal:
        uint8_t width

    ctypedef struct cf_plan_message:
        uint32_t key
        uint32_t first_signal
        uint32_t signals
        uint32_t row_bytes

    ctypedef struct cf_selector:
        uint32_t multiplexer

    ctypedef struct cf_selector_range:
        uint64_t low
        uint64_t high

    ctypedef struct cf_plan:
        const cf_plan_message *messages
        const cf_signal *signals
        const cf_selector *selectors
        const cf_selector_range *ranges
        const uint16_t *slots
        size_t message_count
        size_t signal_count
        size_t selector_count
        size_t range_count
        size_t slot_count

    const cf_field *cf_signal_field(size_t index)
    const cf_field *cf_plan_message_field(size_t index)
    const cf_field *cf_selector_field(size_t index)
    const cf_field *cf_selector_range_field(size_t index)
    const cf_code *cf_signal_kind_row(size_t index)
    const cf_code *cf_rule_row(size_t index)
    cf_status cf_plan_check(const cf_plan *plan, size_t *index)


cdef extern from "canal_fast/signals/group.h" nogil:
    enum:
        CF_GROUP_UNKNOWN
        CF_GROUP_NOT_DECODABLE
        CF_GROUP_OTHERS

    ctypedef struct cf_message_rows:
        size_t row_bytes

    size_t cf_plan_slots(size_t message_count)
    void cf_plan_index(const cf_plan_message *messages, size_t count, uint16_t *slots, size_t slot_count)
    void cf_signals_group(const cf_plan *plan, const void *frames, size_t count, size_t stride, uint16_t *which,
                         int64_t *counts, uint8_t *shortest)


cdef extern from "canal_fast/signals/decode.h" nogil:
    ctypedef struct cf_signal_place:
        int64_t column
        int64_t valid

    ctypedef struct cf_message_place:
        int64_t rows

    void cf_signals_layout(const cf_plan *plan, const int64_t *counts, const uint8_t *shortest,
                          cf_message_place *messages, cf_signal_place *signals, int64_t *bytes, int64_t *scratch_bytes)
    void cf_signals_decode(const cf_plan *plan, const void *frames, size_t count, size_t stride, const uint16_t *which,
                          const cf_message_place *messages, const cf_signal_place *signals,
                           cf_message_rows *rows, char *memory,
                          uint8_t *scratch)


cdef extern from "canal_fast/signals/encode.h" nogil:
    enum:
        CF_VALUES_F8
        CF_VALUES_I8
        CF_VALUES_U8

    ctypedef struct cf_encode_column:
        const void *values
        const uint8_t *given
        int32_t type
        int32_t raw
        uint64_t fallback

    cf_status cf_signals_encode(const cf_plan *plan, size_t number, const cf_encode_column *columns, size_t count,
                                int saturate, unsigned padding, uint8_t *rows, size_t *row, size_t *signal)


cdef extern from "canal_fast/signals/protect.h" nogil:
    void cf_crc8_table(unsigned polynomial, uint8_t *table)
    void cf_rows_crc8(const uint8_t *rows, size_t step, const uint8_t *length, size_t count, size_t first, size_t last,
                      size_t skip, const uint8_t *suffix, size_t suffix_size, const uint8_t *table, unsigned initial,
                      unsigned final_xor, uint8_t *results)
    void cf_rows_xor(const uint8_t *rows, size_t step, const uint8_t *length, size_t count, size_t first, size_t last,
                     size_t skip, const uint8_t *suffix, size_t suffix_size, unsigned initial, uint8_t *results)


cdef extern from "canal_fast/signals/lines.h" nogil:
    enum:
        CF_UNKNOWN_MAX

    ctypedef struct cf_cell_text:
        const char *at
        size_t size

    ctypedef struct cf_cells:
        const void *values
        const uint8_t *valid
        const cf_cell_text *texts
        size_t text_count
        cf_cell_text before
        cf_cell_text after
        int32_t type

    ctypedef struct cf_cells_table:
        const cf_cells *columns
        size_t count
        size_t rows
        size_t row
        size_t longest
        cf_cell_text before

    ctypedef struct cf_signal_lines:
        const char *frames
        size_t count
        size_t stride
        const char *lines
        const char *end
        const uint16_t *which
        cf_cells_table *tables
        size_t table_count
        int others

    const char *cf_cell_name(size_t type)
    size_t cf_cells_longest(const cf_cells_table *table)
    size_t cf_signal_lines_write(cf_signal_lines *lines, char *out, size_t capacity)
    size_t cf_csv_rows_write(cf_cells_table *table, const int64_t *times, int each, char *out, size_t capacity)
