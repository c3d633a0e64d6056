"""Glue of frame.h."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport CF_OK, cf_cpu_units, cf_status, cf_unit, cf_unit_row
from canal_fast.capi.frame cimport (
    CF_MERGE_SOURCES,
    cf_frames_check,
    cf_merge,
    cf_merge_take,
    cf_payload_lengths,
    cf_records_check,
)
from libc.stdint cimport uint8_t
from libc.string cimport memset

import numpy

cdef object U1 = numpy.dtype("u1")


def cpu_units():
    """Bits of the units (cpu.h) that this machine has."""
    return int(cf_cpu_units())


def unit_table():
    """Rows (name, bit, contents) of the units."""
    rows = []
    cdef size_t index = 0
    cdef const cf_unit *at = cf_unit_row(0)
    while at != NULL:
        rows.append((at.name.decode(), int(at.bit), at.contents.decode()))
        index += 1
        at = cf_unit_row(index)
    return rows


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


cdef class Merge:
    """State of merging `sources` (1..256) sources of FD records by time."""

    cdef cf_merge state
    cdef list loans

    def __cinit__(self, size_t sources):
        memset(&self.state, 0, sizeof(self.state))
        if not 1 <= sources <= CF_MERGE_SOURCES:
            raise ValueError(f"{sources} sources, allowed 1..{CF_MERGE_SOURCES}")
        self.state.sources = sources
        self.loans = [None] * <Py_ssize_t>sources

    def give(self, size_t index, frames):
        """The next records of a source whose last ones are taken; None: it has ended. They stay borrowed until then."""
        cdef Loan loan = None
        if index >= self.state.sources or self.state.source[index].count:
            raise IndexError("no such source, or it has records")
        if frames is None:
            self.state.source[index].ended = 1
        else:
            loan = lend_frames(frames, "frames", False)
            if loan.stride != 80:
                raise TypeError("FD records are needed")
            self.state.source[index].at = <const char *>loan.at
            self.state.source[index].count = loan.count
        self.loans[index] = loan

    def take(self, frames, Py_ssize_t first):
        """Fill frames[first:]: (number made, source to be given more or None)."""
        cdef Loan target = lend_frames(frames, "frames", True)
        cdef size_t empty = 0, made
        if target.stride != 80 or not 0 <= first <= target.count:
            raise TypeError("FD records are needed, and room for them")
        with nogil:
            made = cf_merge_take(&self.state, 80, <uint8_t *>target.at + first * 80, target.count - first, &empty)
        return made, None if empty == self.state.sources else empty
