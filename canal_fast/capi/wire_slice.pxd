from libc.stdint cimport int32_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.cpu cimport cf_level


cdef extern from "canal_fast/wire/length_sliced.h" nogil:
    cf_status cf_frames_exact(const void *frames, size_t count, size_t stride, cf_level level, int32_t extra,
                              int32_t *lengths, size_t *index)
