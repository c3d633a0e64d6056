from libc.stdint cimport int64_t


cdef extern from "canal_fast/seconds.h" nogil:
    double cf_seconds(int64_t ns)
    int cf_nanoseconds(double seconds, int64_t *ns)
