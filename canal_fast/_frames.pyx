"""Glue of frame.h."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport CF_OK, cf_cpu_level, cf_status
from canal_fast.capi.frame cimport cf_frames_check, cf_payload_lengths, cf_records_check
from libc.stdint cimport uint8_t

import numpy

cdef object U1 = numpy.dtype("u1")


def cpu_level():
    """The highest level (cpu.h) that this machine runs."""
    return int(cf_cpu_level())


def payload_lengths(frames, lengths):
    """Write the payload length of each record into the u1 array `lengths`, as long as `frames`."""
    cdef Loan source = lend_frames(frames, "frames", False)
    cdef Loan target = lend(lengths, U1, "lengths", True)
    if target.count != source.count:
        raise ValueError("lengths and frames differ in length")
    with nogil:
        cf_payload_lengths(source.at, source.count, source.stride, <uint8_t *>target.at)


def check(frames, bint kept=False):
    """(status, index) of the first record that no controller could send, or (`kept`) no recording could hold;
    (0, count) when all are good."""
    cdef Loan source = lend_frames(frames, "frames", False)
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = (cf_records_check if kept else cf_frames_check)(source.at, source.count, source.stride, &index)
    return int(status), index
