from libc.stdint cimport uint8_t


cdef extern from "canal_fast/wire/stuffing.h" nogil:
    size_t cf_stuff(const uint8_t *bits, size_t count, uint8_t *stuffed, size_t *bad)
    size_t cf_destuff(const uint8_t *bits, size_t count, uint8_t *plain, size_t *bad)
