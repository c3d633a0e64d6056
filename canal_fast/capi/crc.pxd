from libc.stdint cimport uint8_t, uint32_t


cdef extern from "canal_fast/wire/crc.h" nogil:
    ctypedef struct cf_crc:
        unsigned width
        uint32_t polynomial
        uint32_t wire_init

    cf_crc cf_crc_of_width(unsigned width)
    uint32_t cf_crc_bytes(cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
    size_t cf_crc_bits(cf_crc crc, uint32_t *value, const uint8_t *bits, size_t count)
