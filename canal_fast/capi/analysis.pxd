from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.frame cimport cf_field


cdef extern from "canal_fast/analysis/ids.h" nogil:
    ctypedef struct cf_ids:
        uint32_t *slots
        size_t mask
        uint64_t *keys
        size_t count
        size_t room

    void cf_ids_index(cf_ids *ids)
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
