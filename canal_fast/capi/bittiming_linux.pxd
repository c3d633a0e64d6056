from libc.stdint cimport uint32_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.bittiming cimport cf_timing, cf_timing_limits


cdef extern from "canal_fast/bittiming/solve_linux.h" nogil:
    enum:
        CF_KERNEL_TIES_TO_LAST
        CF_KERNEL_SJW_IS_ONE

    cf_status cf_timing_linux(const cf_timing_limits *limits, uint32_t f_clock, uint32_t rate, uint32_t sample,
                              uint32_t sjw, unsigned behaviour, cf_timing *out)
