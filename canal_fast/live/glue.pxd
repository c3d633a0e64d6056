"""What _live.pyx needs beside its class: signals during waits, and filters as C has them."""

from libc.stdlib cimport free, malloc

from canal_fast.capi cimport live
from canal_fast.capi.base cimport CF_DRIVER_HANGS, CF_INTERRUPTED, cf_status
from canal_fast.capi.canal cimport CF_CANAL_FUNCTION_COUNT
from canal_fast.capi.drivers cimport cf_function
from canal_fast.capi.frame cimport CF_FILTER_ANY_FORMAT, cf_filter


cdef extern from "Python.h":
    int check_signals "PyErr_CheckSignals"() noexcept  # that leaves the exception set
    void *PyGILState_GetThisThreadState() noexcept nogil


cdef inline int look_for_signals() noexcept with gil:
    return check_signals() != 0


cdef inline int interrupted() noexcept nogil:
    """For waits on a driver: did a signal's handler raise? The exception stays set meanwhile. Threads that are not
    Python's, which send periodic frames, have nothing to do with signals."""
    return PyGILState_GetThisThreadState() != NULL and look_for_signals()


cdef inline int raise_interrupted(cf_status status) except -1:
    return -1 if status == CF_INTERRUPTED else 0  # with the exception that `interrupted` left


cdef inline cf_filter *filter_rows(list filters) except NULL:
    """malloc'ed rows of (can_id, can_mask, extended or None) each."""
    cdef size_t count = len(filters), i
    if count > live.CF_FILTERS_MOST:
        raise ValueError(f"filters: {count} of them, allowed 0..{live.CF_FILTERS_MOST}")
    cdef cf_filter *rows = <cf_filter *>malloc((count + 1) * sizeof(cf_filter))
    if rows == NULL:
        raise MemoryError
    try:
        for i in range(count):
            rows[i].can_id, rows[i].can_mask = filters[i][0], filters[i][1]
            rows[i].extended = CF_FILTER_ANY_FORMAT if filters[i][2] is None else bool(filters[i][2])
    except BaseException:
        free(rows)
        raise
    return rows


cdef inline str call_name(cf_status status, long code, str operation):
    """The driver's function that hangs, if one does; else `operation`."""
    hangs = status == CF_DRIVER_HANGS and 0 <= code < CF_CANAL_FUNCTION_COUNT
    return cf_function(code).name.decode() if hangs else operation
