from libc.stdint cimport int64_t


cdef extern from "canal_fast/live/clock_report.h" nogil:
    ctypedef struct cf_clock_report:
        int64_t tick_num
        int64_t tick_den
        int64_t wrap_bits
        int64_t calibrated
        int64_t settled
        int64_t offset_ns
        int64_t epoch_offset_ns
        int64_t drift_per_e12
        int64_t residual_ns
        int64_t uncertainty_ns
        int64_t resets
        int64_t frames

    ctypedef struct cf_clock_shared:
        pass

    void cf_clock_read(const cf_clock_shared *shared, cf_clock_report *report)
