from canal_fast.capi.base cimport cf_code


cdef extern from "canal_fast/wire/bit_reader.h" nogil:
    const cf_code *cf_wire_row(size_t index)
