"""The array gate: array -> checked pointer, and the tables of the C headers as Python objects."""

cimport cython
from cpython.buffer cimport PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release
from cpython.exc cimport PyErr_Clear, PyErr_ExceptionMatches

from canal_fast.capi.base cimport (
    CF_CLOSED,
    CF_COMPILER,
    CF_DRIVER_FAILED,
    CF_DRIVER_HANGS,
    CF_EXIT_UNKNOWN,
    CF_HOST_ENDED,
    CF_HOST_SILENT,
    CF_TIMED_OUT,
    cf_code,
    cf_status_row,
)
from canal_fast.capi.canal cimport (
    CF_CANAL_BUS_OFF,
    cf_canal_code_row,
    cf_canal_status_row,
)
from canal_fast.capi.frame cimport cf_fd_frame, cf_field, cf_flag_row, cf_frame, cf_frame_field

import signal
import sys

import numpy

from canal_fast.errors import BusOffError, ChannelClosedError, ChannelTimeoutError, DriverError


COMPILER = CF_COMPILER.decode()  # that built this module


cdef object dtype_of(const cf_field *(*row)(size_t) noexcept nogil, size_t size):
    names, formats, offsets = [], [], []
    cdef const cf_field *field = row(0)
    while field != NULL:
        names.append(field.name.decode())
        form = field.format.decode()
        formats.append(form if field.count == 1 else (form, (field.count,)))
        offsets.append(field.offset)
        field = row(<size_t>len(names))
    return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


cdef const cf_field *_classical(size_t index) noexcept nogil:
    return cf_frame_field(0, index)


cdef const cf_field *_flexible(size_t index) noexcept nogil:
    return cf_frame_field(1, index)


cdef object ndarray = numpy.ndarray
cdef object classical_dtype = dtype_of(_classical, sizeof(cf_frame))
cdef object fd_dtype = dtype_of(_flexible, sizeof(cf_fd_frame))
FRAME_DTYPE = classical_dtype
FD_FRAME_DTYPE = fd_dtype


cdef list codes(const cf_code *(*row)(size_t) noexcept nogil):
    rows = []
    cdef const cf_code *at = row(0)
    while at != NULL:
        rows.append((at.number, at.name.decode(), at.sentence.decode()))
        at = row(<size_t>len(rows))
    return rows


def status_table():
    """Rows (number, name, sentence) of base.h's status list."""
    return codes(cf_status_row)


def flag_table():
    """Rows (number, name, sentence) of frame.h's flag list."""
    return codes(cf_flag_row)


def canal_code_table():
    """Rows (number, name, sentence) of the CANAL return codes."""
    return codes(cf_canal_code_row)


def canal_status_table():
    """Rows (bit, name, meaning) of channel_status."""
    return [(number & 0xFFFFFFFF, name, meaning) for number, name, meaning in codes(cf_canal_status_row)]


_EXCEPTIONS = {0xC0000005: " (access violation)", 0xC00000FD: " (stack overflow)", 0xC0000409: " (fail fast)"}

SENTENCES = {number: sentence for number, _, sentence in status_table()}
cdef dict _statuses = SENTENCES
cdef dict _canal_codes = {number: (name, sentence) for number, name, sentence in canal_code_table()}


def describe_code(code):
    """A CANAL return code in words."""
    if code in _canal_codes:
        name, sentence = _canal_codes[code]
        return f"CANAL code {code} ({name}: {sentence})"
    return f"code {code} ({'defined by the driver' if code >= 0x10000 else 'not one of CANAL'})"


def describe_exit(code):
    """How a process ended, in words: its exit code, or minus a signal's number."""
    if code == CF_EXIT_UNKNOWN:
        return "exit status unknown: another part of this process waited for it"
    if sys.platform == "win32":
        number = code & 0xFFFFFFFF
        return f"exception 0x{number:08X}{_EXCEPTIONS.get(number, '')}" if number >> 30 == 3 else f"exit code {number}"
    if code >= 0:
        return f"exit code {code}"
    name = signal.strsignal(-code)
    return f"killed by signal {-code} ({name})" if name else f"killed by signal {-code}"


cdef object driver_error(int status, long code, str operation):
    if status == CF_CLOSED:
        return ChannelClosedError("the channel is closed", operation=operation)
    if status == CF_TIMED_OUT:
        return ChannelTimeoutError(f"{operation} timed out", operation=operation)
    if status == CF_DRIVER_FAILED:
        kind = BusOffError if code == CF_CANAL_BUS_OFF else DriverError
        return kind(f"{operation} failed: {describe_code(code)}", status=code, operation=operation)
    if status == CF_HOST_ENDED:
        return DriverError(f"{operation}: {_statuses[status]}: {describe_exit(code)}", operation=operation)
    if status in (CF_HOST_SILENT, CF_DRIVER_HANGS):
        return ChannelTimeoutError(f"{operation}: {_statuses[status]}", operation=operation)
    return DriverError(f"{operation}: {_statuses.get(status, f'status {status}')}", operation=operation)


cdef int refuse_dtype(object array, object wanted, str name) except -1:
    if not isinstance(array, ndarray):
        raise TypeError(f"{name} must be a numpy array of {wanted}, not {type(array).__name__}")
    raise TypeError(f"{name} must have the dtype of {wanted}, not {array.dtype}")


cdef int refuse_shape(object array, str name, bint writable) except -1:
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} must be contiguous (stride {array.itemsize}, not {array.strides[0]}); "
                         f"numpy.ascontiguousarray makes a copy that is")
    if writable and not array.flags.writeable:
        raise ValueError(f"{name} is read-only and is to be written to")
    raise BufferError(f"{name} does not lend its memory")


cdef int refuse_buffer(object array, str name, bint writable) except -1:
    if not (PyErr_ExceptionMatches(ValueError) or PyErr_ExceptionMatches(BufferError)):
        return -1
    PyErr_Clear()
    return refuse_shape(array, name, writable)


cdef extern from "Python.h":  # that of cpython.buffer raises: a loan would save the state of exceptions each time
    int ask_buffer "PyObject_GetBuffer"(object array, Py_buffer *view, int flags)


@cython.freelist(8)  # one is made in every call
cdef class Loan:
    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.view)


cdef Loan loan_of(object array, str name, bint writable, Py_ssize_t stride, Py_ssize_t least):
    cdef Loan loan = Loan.__new__(Loan)
    if not isinstance(array, ndarray):
        refuse_shape(array, name, writable)
    if ask_buffer(array, &loan.view, PyBUF_ND | (PyBUF_WRITABLE if writable else 0)):
        refuse_buffer(array, name, writable)
    loan.held = True
    if loan.view.ndim != 1:
        refuse_shape(array, name, writable)
    loan.at = loan.view.buf
    loan.stride = stride if stride else loan.view.itemsize  # which is set, whatever is asked for
    loan.count = loan.view.len // loan.stride
    if loan.count < least:
        raise ValueError(f"{name} has {loan.count} elements, needed {least}")
    return loan


cdef Loan lend(object array, object dtype, str name, bint writable, Py_ssize_t least=0):
    found = getattr(array, "dtype", None)
    if found is not dtype and found != dtype:
        refuse_dtype(array, dtype, name)
    return loan_of(array, name, writable, 0, least)


cdef Loan lend_frames(object array, str name, bint writable, Py_ssize_t least=0):
    found = getattr(array, "dtype", None)
    cdef Py_ssize_t size = 0
    if found is classical_dtype:
        size = sizeof(cf_frame)
    elif found is fd_dtype:
        size = sizeof(cf_fd_frame)
    elif found is not None:  # an equal dtype, from np.load or pickle
        size = sizeof(cf_frame) if found == classical_dtype else sizeof(cf_fd_frame) if found == fd_dtype else 0
    if size == 0:
        refuse_dtype(array, "FRAME_DTYPE or FD_FRAME_DTYPE", name)
    return loan_of(array, name, writable, size, least)


cdef unsigned fork_count = 0


def after_fork_in_child():
    """What is bound to a process belongs to the parent from now on."""
    global fork_count
    fork_count += 1


cdef unsigned forks() noexcept nogil:
    return fork_count


cdef int refuse_forked(unsigned born) except -1:
    if born != fork_count:
        raise ChannelClosedError("the channel belongs to the process that forked this one")
    return 0
