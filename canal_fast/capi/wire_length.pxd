from libc.stdint cimport int32_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/wire/length.h" nogil:
    ctypedef enum cf_length_mode:
        CF_LENGTH_EXACT
        CF_LENGTH_UNSTUFFED
        CF_LENGTH_WORST

    cf_status cf_frames_lengths(const void *frames, size_t count, size_t stride, cf_length_mode mode, int32_t extra,
                                int32_t *nominal, int32_t *data, size_t *index)
    cf_status cf_frames_stuff_bits(const void *frames, size_t count, size_t stride, int32_t *stuff, size_t *index)
