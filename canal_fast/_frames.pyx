"""Glue of frame.h."""

from cpython.buffer cimport PyBuffer_Release

from canal_fast._gate cimport borrow, borrow_frames
from canal_fast.capi.base cimport CF_OK, cf_cpu_level, cf_status
from canal_fast.capi.frame cimport cf_frames_check, cf_payload_lengths
from libc.stdint cimport uint8_t

import numpy

cdef object U1 = numpy.dtype("u1")


def cpu_level():
    """The highest level (cpu.h) that this machine runs."""
    return int(cf_cpu_level())


def payload_lengths(frames, lengths):
    """Write the payload length of each record into the u1 array `lengths`, as long as `frames`."""
    cdef Py_buffer source, target
    cdef Py_ssize_t count = borrow_frames(frames, "frames", False, &source)
    try:
        if borrow(lengths, U1, "lengths", True, &target) != count:
            PyBuffer_Release(&target)
            raise ValueError("lengths and frames differ in length")
        with nogil:
            cf_payload_lengths(source.buf, count, source.itemsize, <uint8_t *>target.buf)
        PyBuffer_Release(&target)
    finally:
        PyBuffer_Release(&source)


def check(frames):
    """(status, index) of the first record that no controller could send; (0, count) when all are good."""
    cdef Py_buffer source
    cdef Py_ssize_t count = borrow_frames(frames, "frames", False, &source)
    cdef size_t index = count
    cdef cf_status status
    with nogil:
        status = cf_frames_check(source.buf, count, source.itemsize, &index)
    PyBuffer_Release(&source)
    return int(status), index
