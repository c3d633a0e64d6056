from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t


cdef extern from "canal_fast/merge.h" nogil:
    ctypedef struct cf_merge_source:
        const char *at
        size_t left
        size_t stride
        int64_t latest_ns
        int more

    size_t cf_merge(cf_merge_source *sources, size_t count, uint32_t *heap, void *out, size_t room, size_t stride,
                    size_t *hungry)
