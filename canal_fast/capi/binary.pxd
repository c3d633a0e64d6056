from libc.stdint cimport uint16_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/system/binary.h" nogil:
    ctypedef struct cf_machine:
        char format
        uint8_t bits
        uint16_t number
        const char *name

    cf_status cf_binary_check(const uint8_t *bytes, size_t size, uint64_t file_size, const cf_machine **found)
