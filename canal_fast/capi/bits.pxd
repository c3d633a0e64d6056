from libc.stdint cimport int64_t, uint8_t


cdef extern from "canal_fast/bits.h" nogil:
    ctypedef struct cf_packed:
        const uint8_t *bytes
        int64_t bits

    size_t cf_pack_bits(const uint8_t *bits, size_t count, uint8_t *packed)
