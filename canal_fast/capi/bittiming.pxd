from libc.stdint cimport int64_t, uint32_t, uint64_t

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
        uint32_t brp_fine_max
        uint32_t brp_coarse_inc

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

cdef extern from "canal_fast/bittiming/solve_fd.h" nogil:
    ctypedef struct cf_timing_pair:
        cf_timing nominal
        cf_timing data

    size_t cf_timing_pairs(const cf_timing_request *nr, const cf_timing *nominal, size_t nominals,
                           const cf_timing_request *dr, const cf_timing *data, size_t datas,
                           cf_timing_pair *out, size_t capacity, size_t kept)

cdef extern from "canal_fast/bittiming/solve_linux.h" nogil:
    enum:
        CF_KERNEL_TIES_TO_LAST
        CF_KERNEL_SJW_IS_ONE

    cf_status cf_timing_linux(const cf_timing_limits *limits, uint32_t f_clock, uint32_t rate, uint32_t sample,
                              uint32_t sjw, unsigned behaviour, cf_timing *out)
    size_t cf_timing_linux_many(const cf_timing_limits *limits, const uint32_t *rates, const uint32_t *clocks,
                                const uint32_t *samples, uint32_t sjw, unsigned behaviour, size_t count,
                                cf_timing *out)

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

cdef extern from "canal_fast/bittiming/sync.h" nogil:
    ctypedef struct cf_sync_timing:
        int64_t bit
        int64_t sample
        int64_t jump
