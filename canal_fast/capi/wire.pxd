from canal_fast.capi.frame cimport cf_frame


cdef extern from "canal_fast/wire/layout.h" nogil:
    enum:
        CF_INTERMISSION_BITS

    unsigned cf_frame_length_bits(const cf_frame *frame)
