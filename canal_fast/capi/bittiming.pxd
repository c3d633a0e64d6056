from libc.stdint cimport uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/bittiming/timing.h" nogil:
    enum:
        CF_TIMING_MIN_RATE
        CF_TIMING_MAX_DENOMINATOR
        CF_TIMING_MAX_SAMPLE_DENOMINATOR
        CF_TIMING_MAX_ERROR_PPM
        CF_TIMING_MAX_TOLERANCE_PPB
        CF_TIMING_MAX_SEGMENT
        CF_TIMING_MAX_BRP
        CF_TIMING_MAX_SOLUTIONS

    ctypedef struct cf_timing_limits:
        uint32_t tseg1_min
        uint32_t tseg1_max
        uint32_t tseg2_min
        uint32_t tseg2_max
        uint32_t sjw_max
        uint32_t brp_min
        uint32_t brp_max
        uint32_t brp_inc

    ctypedef struct cf_timing:
        uint32_t f_clock
        uint32_t brp
        uint32_t tseg1
        uint32_t tseg2
        uint32_t sjw
        uint32_t prop_seg
        uint32_t status

    ctypedef struct cf_timing_request:
        uint64_t rate
        uint32_t rate_of
        uint32_t f_clock
        uint32_t sample
        uint32_t sample_of
        uint32_t max_error_ppm
        uint32_t data_phase
        uint32_t delay_ps
        uint32_t tolerance_ppb
        uint32_t sjw

    cf_status cf_timing_check(const cf_timing_limits *limits, const cf_timing_request *r)
    uint32_t cf_timing_default_sample_permille(uint64_t rate, uint32_t rate_of)
