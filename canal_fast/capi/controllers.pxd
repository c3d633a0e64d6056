from libc.stdint cimport uint32_t

from canal_fast.capi.bittiming cimport cf_timing_limits


cdef extern from "canal_fast/bittiming/controllers.h" nogil:
    ctypedef struct cf_controller:
        const char *name
        const char *title
        uint32_t f_clock
        cf_timing_limits nominal
        cf_timing_limits data
        uint32_t triple_sampling
        uint32_t btr
        const char *source
        const char *second

    const cf_controller *cf_controller_row(size_t index)
