from libc.stddef cimport size_t
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_units
from canal_fast.capi.frame cimport cf_field, cf_ids, cf_ids_index


cdef extern from "canal_fast/analysis/ids.h" nogil:
    size_t cf_ids_number(cf_ids *ids, const void *frames, size_t count, size_t stride, uint32_t *numbers,
                         int64_t *counts)
    void cf_ids_order(const uint32_t *numbers, size_t count, int64_t *next, int64_t *order)
    size_t cf_ids_changed(cf_ids *ids, const void *frames, size_t begin, size_t count, size_t stride, int64_t *last,
                          uint8_t *changed)

cdef extern from "canal_fast/analysis/statistics.h" nogil:
    enum:
        CF_PERIOD_BINS

    ctypedef struct cf_id_statistics:
        int64_t count

    ctypedef struct cf_window_statistics:
        int64_t channel

    ctypedef struct cf_statistics:
        cf_ids ids
        cf_id_statistics *rows
        int64_t *bins
        int64_t latest_ns
        int64_t window_ns
        cf_window_statistics *windows
        size_t window_count
        size_t window_room

    const cf_field *cf_id_statistics_field(size_t index)
    const cf_field *cf_window_statistics_field(size_t index)
    void cf_add_periods(cf_id_statistics *rows, int64_t *bins, const int64_t *periods, size_t count)
    size_t cf_statistics_add(cf_statistics *s, const void *frames, size_t count, size_t stride, const int32_t *bits,
                             const int32_t *data_bits)

cdef extern from "canal_fast/analysis/traffic.h" nogil:
    ctypedef struct cf_traffic_id:
        int64_t count

    ctypedef struct cf_traffic_channel:
        int64_t frames

    const cf_field *cf_traffic_id_field(size_t index)
    const cf_field *cf_traffic_channel_field(size_t index)
    size_t cf_traffic_add(cf_ids *ids, const void *frames, size_t count, size_t stride, const int32_t *bits,
                          const int32_t *data_bits, cf_traffic_id *rows, cf_traffic_channel *channels, int whole)

cdef extern from "canal_fast/analysis/acceptance.h" nogil:
    ctypedef struct cf_acceptance_row:
        uint32_t mask

    ctypedef struct cf_acceptance:
        const cf_acceptance_row *rows
        size_t count
        uint32_t error_mask
        uint8_t *base

    const cf_field *cf_acceptance_field(size_t index)
    void cf_acceptance_index(cf_acceptance *a)
    void cf_acceptance_accepts(cf_units units, const cf_acceptance *a, const void *frames, size_t count,
                               size_t stride, uint8_t *accepted)
    void cf_acceptance_numbers(const cf_acceptance *a, const void *frames, size_t count, size_t stride,
                               int16_t *numbers)

cdef extern from "canal_fast/analysis/design_cost.h" nogil:
    enum:
        CF_DESIGN_GROUPS

    ctypedef struct cf_design_group:
        uint32_t all

    ctypedef struct cf_design:
        int kind
        int count_extended
        unsigned room[2]
        uint32_t together
        const uint32_t *points
        const uint32_t *look
        const uint32_t *weights
        uint32_t *hits
        uint32_t *more
        size_t point_count
        const uint32_t *words
        size_t word_count
        int64_t work

    const cf_field *cf_design_group_field(size_t index)

cdef extern from "canal_fast/analysis/design.h" nogil:
    ctypedef struct cf_design_room:
        pass

    ctypedef struct cf_design_answer:
        int64_t cost
        int64_t bound
        int64_t greedy

    int cf_design_run(cf_design *d, const cf_design_group *elements, size_t count, uint32_t *open,
                      cf_design_room *room, int64_t proving, uint8_t *place, uint8_t *side,
                      cf_design_answer *answer)
