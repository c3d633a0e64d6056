from libc.stdint cimport int64_t, uint8_t, uint64_t

from canal_fast.capi.base cimport cf_status


cdef extern from "canal_fast/wire/encode.h" nogil:
    uint64_t cf_encode_room(const void *frames, size_t count, size_t stride)
    cf_status cf_frames_encode(const void *frames, size_t count, size_t stride, unsigned ack, unsigned packed,
                               uint8_t *out, uint64_t room, int64_t *offsets, size_t *index)
