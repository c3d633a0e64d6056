from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_code, cf_packed, cf_status, cf_units
from canal_fast.capi.frame cimport cf_frame, cf_ids


cdef extern from "canal_fast/wire/bus_load.h" nogil:
    void cf_durations(const int32_t *nominal, const int32_t *data, size_t count, double bitrate, double data_bitrate,
                      int64_t *durations_ns)
    size_t cf_busload_rows(cf_ids *ids, const void *frames, size_t count, size_t stride, int64_t *rows)
    size_t cf_busload_add(const void *frames, size_t count, size_t stride, const int64_t *durations_ns,
                          const int64_t *rows, int64_t start_ns, int64_t window_ns, size_t windows, size_t keys,
                          double *load)

cdef extern from "canal_fast/wire/crc.h" nogil:
    ctypedef struct cf_crc:
        unsigned width
        uint32_t polynomial
        uint32_t wire_init

    cf_crc cf_crc_of_width(unsigned width)
    uint32_t cf_crc_bytes(cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)
    size_t cf_crc_bits(cf_crc crc, uint32_t *value, const uint8_t *bits, size_t count)

cdef extern from "canal_fast/wire/crc_fold.h" nogil:
    uint32_t cf_crc_bytes_on(cf_units units, cf_crc crc, uint32_t value, const uint8_t *bytes, size_t count)

cdef extern from "canal_fast/wire/crc_simd.h" nogil:
    cf_status cf_frames_crc_on(cf_units units, const void *frames, size_t count, size_t stride, unsigned width,
                               uint32_t *sequences, size_t *index)

cdef extern from "canal_fast/wire/stuffing.h" nogil:
    size_t cf_stuff(const uint8_t *bits, size_t count, uint8_t *stuffed, size_t *bad)
    size_t cf_destuff(const uint8_t *bits, size_t count, uint8_t *plain, size_t *bad)

cdef extern from "canal_fast/wire/layout.h" nogil:
    enum:
        CF_INTERMISSION_BITS

    unsigned cf_frame_length_bits(const cf_frame *frame)

cdef extern from "canal_fast/wire/decode_many.h" nogil:
    ctypedef struct cf_wire_columns:
        uint8_t *status
        int64_t *bit_index
        int64_t *start

    cf_status cf_frames_decode(cf_units units, cf_packed bits, const int64_t *offsets, size_t count, void *frames,
                               size_t stride, cf_wire_columns columns, size_t *index)

cdef extern from "canal_fast/wire/encode.h" nogil:
    uint64_t cf_encode_room(const void *frames, size_t count, size_t stride)
    cf_status cf_frames_encode(const void *frames, size_t count, size_t stride, unsigned ack, unsigned packed,
                               uint8_t *out, uint64_t room, int64_t *offsets, size_t *index)

cdef extern from "canal_fast/wire/encode_stream.h" nogil:
    cf_status cf_frames_encode_stream(const void *frames, size_t count, size_t stride, unsigned ack, int64_t lead,
                                      const int64_t *gaps, uint8_t *out, uint64_t room, int64_t *starts, size_t *index)

cdef extern from "canal_fast/wire/length.h" nogil:
    ctypedef enum cf_length_mode:
        CF_LENGTH_EXACT
        CF_LENGTH_UNSTUFFED
        CF_LENGTH_WORST

    cf_status cf_frames_lengths(const void *frames, size_t count, size_t stride, cf_length_mode mode, int32_t extra,
                                int32_t *nominal, int32_t *data, size_t *index)
    cf_status cf_frames_stuff_bits(const void *frames, size_t count, size_t stride, int32_t *stuff, size_t *index)

cdef extern from "canal_fast/wire/bit_reader.h" nogil:
    const cf_code *cf_wire_row(size_t index)

cdef extern from "canal_fast/wire/length_sliced.h" nogil:
    cf_status cf_frames_exact(const void *frames, size_t count, size_t stride, cf_units units, int32_t extra,
                              int32_t *lengths, size_t *index)

cdef extern from "canal_fast/wire/decode_stream.h" nogil:
    ctypedef enum cf_stream_state:
        CF_STREAM_INTEGRATING

    ctypedef struct cf_stream:
        cf_packed bits
        int64_t at
        cf_stream_state state
        cf_units units

    cf_status cf_stream_decode(cf_stream *s, void *frames, size_t room, size_t stride, cf_wire_columns columns,
                               size_t *count)
