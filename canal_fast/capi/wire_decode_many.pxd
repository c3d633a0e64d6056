from libc.stdint cimport int64_t, uint8_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.bits cimport cf_packed
from canal_fast.capi.cpu cimport cf_level


cdef extern from "canal_fast/wire/decode_many.h" nogil:
    ctypedef struct cf_wire_columns:
        uint8_t *status
        int64_t *bit_index
        int64_t *start

    cf_status cf_frames_decode(cf_level level, cf_packed bits, const int64_t *offsets, size_t count, void *frames,
                               size_t stride, cf_wire_columns columns, size_t *index)
