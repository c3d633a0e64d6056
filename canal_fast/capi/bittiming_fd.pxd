from canal_fast.capi.bittiming cimport cf_timing, cf_timing_request


cdef extern from "canal_fast/bittiming/solve_fd.h" nogil:
    ctypedef struct cf_timing_pair:
        cf_timing nominal
        cf_timing data

    size_t cf_timing_pairs(const cf_timing_request *nr, const cf_timing *nominal, size_t nominals,
                           const cf_timing_request *dr, const cf_timing *data, size_t datas,
                           cf_timing_pair *out, size_t capacity, size_t *total)
