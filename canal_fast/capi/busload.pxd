from libc.stdint cimport int32_t, int64_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/wire/bus_load.h" nogil:
    void cf_durations(const int32_t *nominal, const int32_t *data, size_t count, double bitrate, double data_bitrate,
                      int64_t *durations_ns)
    size_t cf_busload_add(const void *frames, size_t count, size_t stride, const int64_t *durations_ns,
                          const int64_t *rows, int64_t start_ns, int64_t window_ns, size_t windows, size_t keys,
                          double *load)
