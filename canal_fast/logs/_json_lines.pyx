"""Glue of json_lines.h."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.logs cimport CF_JSON_LINE_MAX, cf_json_lines
from libc.stdint cimport uint32_t, uint8_t

import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U4 = numpy.dtype("u4")

LINE_MAX = int(CF_JSON_LINE_MAX)


def json_lines(frames, Py_ssize_t first, about, places, out):
    """Lines of frames[first:], as many as fit `out`: (frames, bytes).

    Channel c is told by about[places[c]:places[c + 1]] (u1; u4, 257 rising ones).
    """
    cdef Loan source = lend_frames(frames, "frames", False)
    cdef Loan text = lend(about, U1, "about", False)
    cdef Loan rows = lend(places, U4, "places", False, 257)
    cdef Loan target = lend(out, U1, "out", True)
    cdef const uint32_t *at = <const uint32_t *>rows.at
    cdef size_t used = 0, done
    if not 0 <= first <= source.count:
        raise IndexError("first is outside its array")
    if at[256] > <size_t>text.count or any([at[i] > at[i + 1] for i in range(256)]):
        raise ValueError("places do not rise, or end behind `about`")
    cdef const uint8_t *records = <const uint8_t *>source.at + first * source.stride
    with nogil:
        done = cf_json_lines(records, source.count - first, source.stride, <const char *>text.at, at,
                             <char *>target.at, target.count, &used)
    return done, used
