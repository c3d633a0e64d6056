from libc.stdint cimport uint32_t


cdef extern from "canal_fast/filter.h" nogil:
    enum:
        CF_FILTER_ANY_FORMAT

    ctypedef struct cf_filter:
        uint32_t can_id
        uint32_t can_mask
        uint32_t extended
