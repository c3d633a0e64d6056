from libc.stdint cimport uint8_t, uint32_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.cpu cimport cf_level
from canal_fast.capi.crc cimport cf_crc


cdef extern from "canal_fast/wire/crc_simd.h" nogil:
    uint32_t cf_crc_bytes_on(cf_level level, cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
    cf_status cf_frames_crc_on(cf_level level, const void *frames, size_t count, size_t stride, unsigned width,
                               uint32_t *sequences, size_t *index)
