from libc.stdint cimport int64_t, uint32_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.bittiming cimport cf_timing, cf_timing_limits, cf_timing_request


cdef extern from "canal_fast/bittiming/solve.h" nogil:
    size_t cf_timing_all(const cf_timing_limits *limits, const cf_timing_request *r, cf_timing *out,
                         size_t capacity, cf_timing *best)
    void cf_timing_rank(const cf_timing_request *r, cf_timing *timings, size_t count)
    cf_status cf_timing_best(const cf_timing_limits *limits, const cf_timing_request *r, cf_timing *best)
    size_t cf_timing_many(const cf_timing_limits *limits, const cf_timing_request *common,
                          const int64_t *rates_milli, const uint32_t *clocks, const uint32_t *samples,
                          size_t count, cf_timing *out)
    void cf_timing_nearest(const cf_timing_limits *limits, const cf_timing_request *r, uint32_t *slower,
                           uint32_t *faster)
