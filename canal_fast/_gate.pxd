# The array gate, shared by all glue modules: array -> checked pointer, status -> exception.

from canal_fast.capi.base cimport cf_code
from canal_fast.capi.frame cimport cf_field

# The memory of a C-contiguous 1-D array, as long as this object lives.
cdef class Loan:
    cdef Py_buffer view
    cdef void *at
    cdef Py_ssize_t count, stride
    cdef bint held

# Of an array whose dtype is `dtype`, with at least `least` elements. `name` is the argument's name for messages.
cdef Loan lend(object array, object dtype, str name, bint writable, Py_ssize_t least=*)

# The same for frame records of either kind, 24 or 80 bytes.
cdef Loan lend_frames(object array, str name, bint writable, Py_ssize_t least=*)

# Number of forks between the first process and this one.
cdef unsigned forks() noexcept nogil

# Raises ChannelClosedError unless `born` is forks().
cdef int refuse_forked(unsigned born) except -1

# The exception for a driver or channel status: code is the CANAL code where the driver gave one.
cdef object driver_error(int status, long code, str operation)

# The dtype of a record of `size` bytes whose fields a header lists.
cdef object dtype_of(const cf_field *(*row)(size_t) noexcept nogil, size_t size)

# Rows (number, name, sentence) of a header's table of codes.
cdef list codes(const cf_code *(*row)(size_t) noexcept nogil)
