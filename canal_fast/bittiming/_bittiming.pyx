"""Glue of timing.h, solve.h, solve_fd.h, solve_linux.h and controllers.h."""

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset

from canal_fast._gate cimport Loan, lend
from canal_fast.capi.base cimport CF_OK, cf_status
from canal_fast.capi.bittiming cimport (
    CF_KERNEL_SJW_IS_ONE,
    CF_KERNEL_TIES_TO_LAST,
    CF_TIMING_MAX_BRP,
    CF_TIMING_MAX_DENOMINATOR,
    CF_TIMING_MAX_ERROR_PPM,
    CF_TIMING_MAX_SAMPLE_DENOMINATOR,
    CF_TIMING_MAX_SEGMENT,
    CF_TIMING_MAX_SOLUTIONS,
    CF_TIMING_MAX_TOLERANCE_PPB,
    CF_TIMING_MIN_RATE,
    cf_controller,
    cf_controller_row,
    cf_timing,
    cf_timing_all,
    cf_timing_best,
    cf_timing_check,
    cf_timing_default_sample_permille,
    cf_timing_limits,
    cf_timing_linux,
    cf_timing_linux_many,
    cf_timing_many,
    cf_timing_nearest,
    cf_timing_pair,
    cf_timing_pairs,
    cf_timing_rank,
    cf_timing_request,
)

import numpy

cdef cf_timing blank
memset(&blank, 0, sizeof(blank))
TIMING_DTYPE = numpy.dtype([(name, "u4") for name in blank])
PAIR_DTYPE = numpy.dtype([("nominal", TIMING_DTYPE), ("data", TIMING_DTYPE)])
cdef object I8 = numpy.dtype("i8")
cdef object U4 = numpy.dtype("u4")

MAX_SEGMENT = CF_TIMING_MAX_SEGMENT
MAX_BRP = CF_TIMING_MAX_BRP
MAX_DENOMINATOR = CF_TIMING_MAX_DENOMINATOR
MAX_SAMPLE_DENOMINATOR = CF_TIMING_MAX_SAMPLE_DENOMINATOR
MAX_ERROR_PPM = CF_TIMING_MAX_ERROR_PPM
MAX_TOLERANCE_PPB = CF_TIMING_MAX_TOLERANCE_PPB
MAX_SOLUTIONS = CF_TIMING_MAX_SOLUTIONS
MIN_RATE = CF_TIMING_MIN_RATE


cdef tuple _limits(const cf_timing_limits *l):
    return (l.tseg1_min, l.tseg1_max, l.tseg2_min, l.tseg2_max, l.sjw_max, l.brp_min, l.brp_max, l.brp_inc,
            l.brp_fine_max, l.brp_coarse_inc)


def controller_table():
    """Rows (name, title, f_clock, nominal limits, data limits, triple sampling, BTR, source, second source)."""
    rows = []
    cdef const cf_controller *row = cf_controller_row(0)
    while row != NULL:
        rows.append((row.name.decode(), row.title.decode(), row.f_clock, _limits(&row.nominal), _limits(&row.data),
                     bool(row.triple_sampling), bool(row.btr), row.source.decode(), row.second.decode()))
        row = cf_controller_row(len(rows))
    return rows


cdef int refuse(cf_status status) except -1:
    if status != CF_OK:  # the facade says which value; here nothing gets past that the kernels cannot take
        raise ValueError(f"status {int(status)}: not a request or not limits that the solver takes")
    return 0


@cython.final
cdef class Limits:
    """A controller's limits as C sees them."""

    cdef cf_timing_limits limits

    def __cinit__(self, tseg1_min, tseg1_max, tseg2_min, tseg2_max, sjw_max, brp_min, brp_max, brp_inc,
                  brp_fine_max=0, brp_coarse_inc=0):
        cdef cf_timing_request harmless = cf_timing_request(CF_TIMING_MIN_RATE, 1, CF_TIMING_MIN_RATE, 1, 2, 0, 0, 0, 0,
                                                            0)
        self.limits = cf_timing_limits(tseg1_min, tseg1_max, tseg2_min, tseg2_max, sjw_max, brp_min, brp_max, brp_inc,
                                       brp_fine_max, brp_coarse_inc)
        refuse(cf_timing_check(&self.limits, &harmless))


@cython.final
cdef class Request:
    """What is asked, as C sees it. A sample point of 0 / 0 means the default for the rate."""

    cdef cf_timing_request request

    def __cinit__(self, uint64_t rate, uint32_t rate_of, uint32_t f_clock, uint32_t sample=0, uint32_t sample_of=0,
                  uint32_t max_error_ppm=0, uint32_t data_phase=0, uint32_t delay_ps=0, uint32_t tolerance_ppb=0,
                  uint32_t sjw=0):
        cdef cf_timing_limits harmless = cf_timing_limits(1, 1, 1, 1, 1, 1, 1, 1, 0, 0)
        if sample_of == 0:
            sample = cf_timing_default_sample_permille(rate, rate_of)
            sample_of = 1000
        self.request = cf_timing_request(rate, rate_of, f_clock, sample, sample_of, max_error_ppm, data_phase,
                                         delay_ps, tolerance_ppb, sjw)
        refuse(cf_timing_check(&harmless, &self.request))


def count(Limits limits not None, Request request not None):
    """How many timings satisfy the request; more than MAX_SOLUTIONS means that counting was given up."""
    cdef size_t found
    with nogil:
        found = cf_timing_all(&limits.limits, &request.request, NULL, 0, NULL)
    return found


def fill(Limits limits not None, Request request not None, out):
    """All timings, best first, into the TIMING_DTYPE array `out`, which is as long as `count` said."""
    cdef Loan loan = lend(out, TIMING_DTYPE, "out", True)
    cdef size_t found
    with nogil:
        found = cf_timing_all(&limits.limits, &request.request, <cf_timing *>loan.at, loan.count, NULL)
        cf_timing_rank(&request.request, <cf_timing *>loan.at, min(found, <size_t>loan.count))


def best(Limits limits not None, Request request not None):
    """(f_clock, brp, tseg1, tseg2, sjw, prop_seg) of the best timing, or None."""
    cdef cf_timing t
    cdef cf_status status
    with nogil:
        status = cf_timing_best(&limits.limits, &request.request, &t)
    if status != CF_OK:
        return None
    return t.f_clock, t.brp, t.tseg1, t.tseg2, t.sjw, t.prop_seg


def best_plain(Limits limits not None, f_clock, bitrate, sample_point):
    """BitTiming's fields for whole bit/s, a sample point in percent or None, and no constraint; None where anything
    is out of the ordinary."""
    cdef cf_timing_request r
    cdef cf_timing t
    cdef double ppm = 0
    if type(bitrate) is not int or type(f_clock) is not int:
        return None
    if not 0 < bitrate <= 0xFFFFFFFF or not 0 < f_clock <= 0xFFFFFFFF:
        return None
    memset(&r, 0, sizeof(r))
    r.rate = bitrate
    r.rate_of = 1
    r.f_clock = f_clock
    r.sample_of = 1000000
    if sample_point is None:
        r.sample = 1000 * cf_timing_default_sample_permille(r.rate, 1)
    elif type(sample_point) is float or type(sample_point) is int:
        ppm = <double>sample_point * 10000
        if not 500000 <= ppm < 1000000 or ppm != <uint32_t>ppm:
            return None
        r.sample = <uint32_t>ppm
    if cf_timing_check(&limits.limits, &r) != CF_OK or cf_timing_best(&limits.limits, &r, &t) != CF_OK:
        return None
    return t.f_clock, t.brp, t.tseg1, t.tseg2, t.sjw, 1, None


def many(Limits limits not None, Request common not None, rates_milli, clocks, samples, out):
    """Solve one request per element into the TIMING_DTYPE array `out`; returns how many failed."""
    cdef Loan rate = lend(rates_milli, I8, "rates_milli", False)
    cdef Loan clock = lend(clocks, U4, "clocks", False)
    cdef Loan sample = lend(samples, U4, "samples", False)
    cdef Loan target = lend(out, TIMING_DTYPE, "out", True)
    cdef size_t failed
    if not rate.count == clock.count == sample.count == target.count:
        raise ValueError("rates_milli, clocks, samples and out differ in length")
    with nogil:
        failed = cf_timing_many(&limits.limits, &common.request, <const int64_t *>rate.at,
                                <const uint32_t *>clock.at, <const uint32_t *>sample.at, rate.count,
                                <cf_timing *>target.at)
    return failed


def nearest(Limits limits not None, Request request not None):
    """Clock periods per bit of the nearest achievable rates (not above, not below the asked); 0: none."""
    cdef uint32_t slower, faster
    cf_timing_nearest(&limits.limits, &request.request, &slower, &faster)
    return slower, faster


cdef unsigned behaviour(bint ties_to_last, bint sjw_is_one) noexcept:
    return (CF_KERNEL_TIES_TO_LAST if ties_to_last else 0) | (CF_KERNEL_SJW_IS_ONE if sjw_is_one else 0)


def linux(Limits limits not None, uint32_t f_clock, uint32_t bitrate, uint32_t sample_permille, uint32_t sjw,
          bint ties_to_last, bint sjw_is_one):
    """(f_clock, brp, tseg1, tseg2, sjw, prop_seg) as the Linux kernel chooses, or None where it refuses."""
    cdef cf_timing t
    if sample_permille == 0:
        sample_permille = cf_timing_default_sample_permille(bitrate, 1)
    if bitrate == 0 or sample_permille >= 1000:
        return None
    if cf_timing_linux(&limits.limits, f_clock, bitrate, sample_permille, sjw, behaviour(ties_to_last, sjw_is_one),
                       &t) != CF_OK:
        return None
    return t.f_clock, t.brp, t.tseg1, t.tseg2, t.sjw, t.prop_seg


def linux_many(Limits limits not None, rates, clocks, samples_permille, uint32_t sjw, bint ties_to_last,
               bint sjw_is_one, out):
    """`linux` for each element, into the TIMING_DTYPE array `out`; returns how many failed."""
    cdef Loan rate = lend(rates, U4, "rates", False)
    cdef Loan clock = lend(clocks, U4, "clocks", False)
    cdef Loan sample = lend(samples_permille, U4, "samples_permille", False)
    cdef Loan target = lend(out, TIMING_DTYPE, "out", True)
    cdef unsigned how = behaviour(ties_to_last, sjw_is_one)
    cdef size_t failed
    if not rate.count == clock.count == sample.count == target.count:
        raise ValueError("rates, clocks, samples_permille and out differ in length")
    with nogil:
        failed = cf_timing_linux_many(&limits.limits, <const uint32_t *>rate.at, <const uint32_t *>clock.at,
                                      <const uint32_t *>sample.at, sjw, how, rate.count, <cf_timing *>target.at)
    return failed


def pairs(Request nominal_request not None, nominal, Request data_request not None, data, out, size_t kept):
    """The best pairs of two TIMING_DTYPE arrays into the PAIR_DTYPE array `out`, which has `kept` of earlier calls.

    Returns how many it has then."""
    cdef Loan first = lend(nominal, TIMING_DTYPE, "nominal", False)
    cdef Loan second = lend(data, TIMING_DTYPE, "data", False)
    cdef Loan target = lend(out, PAIR_DTYPE, "out", True)
    if kept > <size_t>target.count:
        raise ValueError("out has not so many pairs")
    with nogil:
        kept = cf_timing_pairs(&nominal_request.request, <const cf_timing *>first.at, first.count,
                               &data_request.request, <const cf_timing *>second.at, second.count,
                               <cf_timing_pair *>target.at, target.count, kept)
    return kept
