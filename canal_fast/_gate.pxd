# The array gate, shared by all glue modules: array -> checked pointer, status -> exception.

# Borrow a C-contiguous 1-D array whose dtype is `dtype`: fills *view (release it with
# PyBuffer_Release) and returns the number of elements. `name` is the argument's name for messages.
cdef Py_ssize_t borrow(object array, object dtype, str name, bint writable, Py_buffer *view) except -1

# The same for an array of frame records of either kind; view.itemsize is 24 or 80 afterwards.
cdef Py_ssize_t borrow_frames(object array, str name, bint writable, Py_buffer *view) except -1

# The exception for a driver or channel status: code is the CANAL code where the driver gave one.
cdef object driver_error(int status, long code, str operation)

# One borrowed array, given back when the object goes.
cdef class Loan:
    cdef Py_buffer view
    cdef Py_ssize_t count
    cdef bint held

# At least `least` elements of `array`, which has `dtype`; and the same for frame records.
cdef Loan lend(object array, object dtype, str name, bint writable, Py_ssize_t least)
cdef Loan lend_frames(object frames, bint writable, Py_ssize_t least)
