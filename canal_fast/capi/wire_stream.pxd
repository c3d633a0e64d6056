from libc.stdint cimport int64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.bits cimport cf_packed
from canal_fast.capi.cpu cimport cf_level
from canal_fast.capi.wire_decode_many cimport cf_wire_columns


cdef extern from "canal_fast/wire/decode_stream.h" nogil:
    ctypedef enum cf_stream_state:
        CF_STREAM_INTEGRATING

    ctypedef struct cf_stream:
        cf_packed bits
        int64_t at
        cf_stream_state state
        cf_level level

    cf_status cf_stream_decode(cf_stream *s, void *frames, size_t room, size_t stride, cf_wire_columns columns,
                               size_t *count)
