# cython: binding=True, embedsignature.format=c
# Public functions, which keep their way of being called and shown
"""Glue of crc.h and crc_simd.h."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport CF_PORTABLE, cf_cpu_units, cf_units, cf_status
from canal_fast.capi.wire cimport cf_crc, cf_crc_bits, cf_crc_bytes_on, cf_crc_of_width, cf_frames_crc_on
from libc.stdint cimport uint8_t, uint32_t

import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U4 = numpy.dtype("u4")
cdef enum:
    LONG = 4096  # bytes from which giving up the GIL is worth its price

cdef cf_units units = CF_PORTABLE


def select(unsigned wanted):
    """Choose the units, of those that the machine has, of the kernels here."""
    global units
    units = wanted & cf_cpu_units()


cdef int refuse_init(unsigned width, long init) except -1:
    raise ValueError(f"init = {init:#x}, allowed 0..{(1 << width) - 1:#x}")


cdef inline uint32_t over_bytes(unsigned width, object data, long init) except? 0xFFFFFFFF:
    cdef cf_crc crc = cf_crc_of_width(width)
    cdef uint32_t value
    cdef Py_buffer view
    if init < 0 or init >> width:
        refuse_init(width, init)
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    if view.len < LONG:
        value = cf_crc_bytes_on(units, crc, init, <const uint8_t *>view.buf, view.len)
    else:
        with nogil:
            value = cf_crc_bytes_on(units, crc, init, <const uint8_t *>view.buf, view.len)
    PyBuffer_Release(&view)
    return value


def crc15(data, long init=0):
    """CRC-15/CAN of bytes.

    Parameters
    ----------
    data : bytes-like
        Contiguous.
    init : int
        Register before the first bit, 0..0x7fff. Controllers begin with 0.

    Returns
    -------
    int
        0..0x7fff. Polynomial 0x4599 (ISO 11898-1:2015, 10.4.2.6); 0x059E over b"123456789".

    Raises
    ------
    TypeError, BufferError
        `data` does not lend contiguous bytes.
    ValueError
        `init` is out of range.

    Examples
    --------
    >>> hex(cf.checksum.crc15(b"123456789"))
    '0x59e'
    >>> part = cf.checksum.crc15(b"12345")
    >>> hex(cf.checksum.crc15(b"6789", part))
    '0x59e'
    """
    return over_bytes(15, data, init)


def crc17(data, long init=0):
    """CRC-17/CAN-FD of bytes: as `crc15`, polynomial 0x1685B; 0x04F03 over b"123456789" from init 0.

    Parameters
    ----------
    data : bytes-like
        Contiguous.
    init : int
        Register before the first bit, 0..0x1ffff. Controllers begin with 1 << 16.

    Returns
    -------
    int
        0..0x1ffff.

    Examples
    --------
    >>> hex(cf.checksum.crc17(b"123456789"))
    '0x4f03'
    """
    return over_bytes(17, data, init)


def crc21(data, long init=0):
    """CRC-21/CAN-FD of bytes: as `crc15`, polynomial 0x102899; 0x0ED841 over b"123456789" from init 0.

    Parameters
    ----------
    data : bytes-like
        Contiguous.
    init : int
        Register before the first bit, 0..0x1fffff. Controllers begin with 1 << 20.

    Returns
    -------
    int
        0..0x1fffff.

    Examples
    --------
    >>> hex(cf.checksum.crc21(b"123456789"))
    '0xed841'
    """
    return over_bytes(21, data, init)


def bits(int width, array, long init):
    """(CRC, number of good bits) of a u1 array of bits."""
    cdef uint32_t value = init
    cdef size_t good
    if init < 0 or init >> width:
        refuse_init(width, init)
    cdef Loan loan = lend(array, U1, "bits", False)
    with nogil:
        good = cf_crc_bits(cf_crc_of_width(width), &value, <const uint8_t *>loan.at, loan.count)
    return value, good


def frames(int width, records, sequences):
    """CRC sequence of each record into the u4 array `sequences`; (status, index)."""
    cdef Loan source = lend_frames(records, "frames", False)
    cdef Loan target = lend(sequences, U4, "sequences", True)
    cdef size_t index = source.count
    cdef cf_status status
    if target.count < source.count:
        raise ValueError("sequences is shorter than frames")
    with nogil:
        status = cf_frames_crc_on(units, source.at, source.count, source.stride, width, <uint32_t *>target.at, &index)
    return int(status), index
