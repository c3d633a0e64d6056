"""Glue of the wire headers. Functions return (status, index) as the C functions do; 0 is good."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport (
    CF_OK,
    CF_PORTABLE,
    cf_code,
    cf_cpu_units,
    cf_pack_bits,
    cf_packed,
    cf_status,
    cf_units,
)
from canal_fast.capi.frame cimport cf_ids, cf_ids_index
from canal_fast.capi.wire cimport (
    CF_INTERMISSION_BITS,
    cf_busload_add,
    cf_busload_rows,
    cf_destuff,
    cf_durations,
    cf_encode_room,
    cf_frames_decode,
    cf_frames_encode,
    cf_frames_encode_stream,
    cf_frames_exact,
    cf_frames_lengths,
    cf_frames_stuff_bits,
    cf_length_mode,
    cf_stream,
    cf_stream_decode,
    cf_stream_state,
    cf_stuff,
    cf_wire_columns,
    cf_wire_row,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U4 = numpy.dtype("u4")
cdef object U8 = numpy.dtype("u8")
cdef object I4 = numpy.dtype("i4")
cdef object I8 = numpy.dtype("i8")
cdef object F8 = numpy.dtype("f8")
cdef cf_units units = CF_PORTABLE
INTERMISSION_BITS = CF_INTERMISSION_BITS


def select(unsigned wanted):
    """Choose the units, of those that the machine has, of the kernels here."""
    global units
    units = wanted & cf_cpu_units()


def status_table():
    """Rows (number, name, sentence) of the wire status list."""
    rows = []
    cdef size_t index = 0
    cdef const cf_code *at = cf_wire_row(0)
    while at != NULL:
        rows.append((at.number, at.name.decode(), at.sentence.decode()))
        index += 1
        at = cf_wire_row(index)
    return rows


def pack_bits(bits, packed):
    """Loose bits to packed ones. Returns the number of good bits: len(bits), or the index of one not 0 or 1."""
    cdef Loan source = lend(bits, U1, "bits", False, 0)
    cdef Loan target = lend(packed, U1, "packed", True, (source.count + 7) // 8)
    cdef size_t good
    with nogil:
        good = cf_pack_bits(<const uint8_t *>source.at, source.count, <uint8_t *>target.at)
    return good


def stuff(bits, stuffed):
    """(number of bits written, number of good bits read)."""
    cdef Loan source = lend(bits, U1, "bits", False, 0)
    cdef Loan target = lend(stuffed, U1, "stuffed", True, source.count + source.count // 4)
    cdef size_t written, good
    with nogil:
        written = cf_stuff(<const uint8_t *>source.at, source.count, <uint8_t *>target.at, &good)
    return written, good


def destuff(bits, plain):
    """(number of bits written, number of good bits read)."""
    cdef Loan source = lend(bits, U1, "bits", False, 0)
    cdef Loan target = lend(plain, U1, "plain", True, source.count)
    cdef size_t written, good
    with nogil:
        written = cf_destuff(<const uint8_t *>source.at, source.count, <uint8_t *>target.at, &good)
    return written, good


def lengths(frames, int mode, int extra, nominal, data=None):
    """Bits of each frame into the i4 arrays `nominal` and `data`; all into `nominal` where `data` is None."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan first = lend(nominal, I4, "nominal", True, source.count)
    cdef Loan second = None if data is None else lend(data, I4, "data", True, source.count)
    cdef int32_t *rest = NULL if second is None else <int32_t *>second.at
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = cf_frames_lengths(source.at, source.count, source.stride, <cf_length_mode>mode, extra,
                                   <int32_t *>first.at, rest, &index)
    return int(status), index


def exact_lengths(frames, int extra, lengths):
    """As `lengths` with mode 0 and no `data`, faster."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(lengths, I4, "lengths", True, source.count)
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = cf_frames_exact(source.at, source.count, source.stride, units, extra,
                                 <int32_t *>target.at, &index)
    return int(status), index


def stuff_bits(frames, counts):
    """Dynamic stuff bits of each frame into the i4 array `counts`."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(counts, I4, "counts", True, source.count)
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = cf_frames_stuff_bits(source.at, source.count, source.stride,
                                      <int32_t *>target.at, &index)
    return int(status), index


def encode_room(frames):
    """Bytes that `encode` to packed bits needs at most."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef uint64_t room
    with nogil:
        room = cf_encode_room(source.at, source.count, source.stride)
    return room


def encode(frames, bint ack, bint packed, out, offsets):
    """Bits of all frames into the u1 array `out`, offsets into the i8 array `offsets`."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(out, U1, "out", True, 0)
    cdef Loan places = lend(offsets, I8, "offsets", True, source.count + 1)
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = cf_frames_encode(source.at, source.count, source.stride, ack, packed,
                                  <uint8_t *>target.at, target.count, <int64_t *>places.at, &index)
    return int(status), index


def encode_stream(frames, bint ack, int64_t lead, gaps, out, starts):
    """Packed bits of all frames with recessive ones before, between and after them."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan pauses = lend(gaps, I8, "gaps", False, source.count)
    cdef Loan target = lend(out, U1, "out", True, 0)
    cdef Loan places = lend(starts, I8, "starts", True, source.count + 1)
    cdef size_t index = source.count
    cdef cf_status status
    with nogil:
        status = cf_frames_encode_stream(source.at, source.count, source.stride, ack, lead,
                                         <const int64_t *>pauses.at, <uint8_t *>target.at, target.count,
                                         <int64_t *>places.at, &index)
    return int(status), index


cdef cf_packed packed_view(Loan source, int64_t bit_count) except *:
    cdef cf_packed view
    if bit_count < 0 or bit_count > 8 * source.count:
        raise ValueError(f"bit_count = {bit_count}, allowed 0..{8 * source.count}")
    view.bytes = <const uint8_t *>source.at
    view.bits = bit_count
    return view


def decode(packed, int64_t bit_count, offsets, frames, status, bit_index, start):
    """Frames between rising bit offsets into records and columns."""
    cdef Loan source = lend(packed, U1, "bits", False, 0)
    cdef Loan places = lend(offsets, I8, "offsets", False, 1)
    cdef Loan rows = lend_frames(frames, "frames", True, places.count - 1)
    cdef Loan first = lend(status, U1, "status", True, places.count - 1)
    cdef Loan second = lend(bit_index, I8, "bit_index", True, places.count - 1)
    cdef Loan third = lend(start, I8, "start", True, places.count - 1)
    cdef cf_packed bits = packed_view(source, bit_count)
    cdef cf_wire_columns columns
    columns.status = <uint8_t *>first.at
    columns.bit_index = <int64_t *>second.at
    columns.start = <int64_t *>third.at
    cdef size_t index = 0
    cdef cf_status result
    with nogil:
        result = cf_frames_decode(units, bits, <const int64_t *>places.at, places.count - 1, rows.at,
                                  rows.stride, columns, &index)
    return int(result), index


def decode_stream(packed, int64_t bit_count, place, frames, status, bit_index, start):
    """(status, rows): the next rows of a stream; `place` is an i8 array [bit, state], [0, 0] to begin with."""
    cdef Loan source = lend(packed, U1, "bits", False, 0)
    cdef Loan where = lend(place, I8, "place", True, 2)
    cdef Loan rows = lend_frames(frames, "frames", True, 0)
    cdef Loan first = lend(status, U1, "status", True, rows.count)
    cdef Loan second = lend(bit_index, I8, "bit_index", True, rows.count)
    cdef Loan third = lend(start, I8, "start", True, rows.count)
    cdef cf_wire_columns columns
    columns.status = <uint8_t *>first.at
    columns.bit_index = <int64_t *>second.at
    columns.start = <int64_t *>third.at
    cdef int64_t *stand = <int64_t *>where.at
    cdef cf_stream stream
    stream.bits = packed_view(source, bit_count)
    stream.at = stand[0]
    stream.state = <cf_stream_state>stand[1]
    stream.units = units
    cdef size_t count = 0
    cdef cf_status result
    with nogil:
        result = cf_stream_decode(&stream, rows.at, rows.count, rows.stride, columns, &count)
    stand[0] = stream.at
    stand[1] = stream.state
    return int(result), count


def durations(nominal, data, double bitrate, double data_bitrate, durations_ns):
    """Bits at two rates (bit/s) to nanoseconds; `data` may be None."""
    cdef Loan first = lend(nominal, I4, "nominal", False, 0)
    cdef Loan second = None if data is None else lend(data, I4, "data", False, first.count)
    cdef int32_t *rest = NULL if second is None else <int32_t *>second.at
    cdef Loan target = lend(durations_ns, I8, "durations_ns", True, first.count)
    with nogil:
        cf_durations(<const int32_t *>first.at, rest, first.count, bitrate,
                     data_bitrate, <int64_t *>target.at)


def id_rows(frames, rows, slots, keys, size_t known):
    """(frames done, identifiers): numbers of the identifiers into the i8 array `rows`.

    `slots`: u4, zero, a power of two and at least twice the keys; `keys`: u8, of which so many are known.
    """
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(rows, I8, "rows", True, source.count)
    cdef Loan table = lend(slots, U4, "slots", True, 2)
    cdef Loan numbered = lend(keys, U8, "keys", True, known)
    cdef cf_ids ids
    cdef size_t done
    if table.count & (table.count - 1) or table.count < 2 * numbered.count:
        raise ValueError(f"slots has {table.count} elements")
    ids.slots = <uint32_t *>table.at
    ids.mask = table.count - 1
    ids.keys = <uint64_t *>numbered.at
    ids.count = known
    ids.room = numbered.count
    with nogil:
        cf_ids_index(&ids)
        done = cf_busload_rows(&ids, source.at, source.count, source.stride, <int64_t *>target.at)
    return done, ids.count


def bus_load(frames, durations_ns, rows, int64_t start_ns, int64_t window_ns, load):
    """Adds each frame's share to the f8 array `load`, shape (keys, windows); number of frames that had a place."""
    cdef Py_ssize_t keys = load.shape[0], windows = load.shape[1]
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan times = lend(durations_ns, I8, "durations_ns", False, source.count)
    cdef Loan which = None if rows is None else lend(rows, I8, "rows", False, source.count)
    cdef Loan target = lend(load.reshape(-1), F8, "load", True, keys * windows)
    cdef void *row = NULL if which is None else which.at
    cdef size_t good
    with nogil:
        good = cf_busload_add(source.at, source.count, source.stride,
                              <const int64_t *>times.at, <const int64_t *>row, start_ns, window_ns, windows, keys,
                              <double *>target.at)
    return good
