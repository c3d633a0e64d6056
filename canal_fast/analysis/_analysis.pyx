"""Glue of analysis/*.h and merge.h."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uint8_t
from libc.string cimport memset

from canal_fast._gate cimport Loan, dtype_of, lend, lend_frames
from canal_fast.capi.analysis cimport (
    CF_PERIOD_BINS,
    cf_add_periods,
    cf_id_statistics,
    cf_id_statistics_field,
    cf_ids_changed,
    cf_ids_number,
    cf_ids_order,
    cf_statistics,
    cf_statistics_add,
    cf_traffic_add,
    cf_traffic_channel,
    cf_traffic_channel_field,
    cf_traffic_id,
    cf_traffic_id_field,
    cf_window_statistics,
    cf_window_statistics_field,
)
from canal_fast.capi.frame cimport CF_MERGE_SOURCES, cf_ids, cf_ids_index, cf_merge, cf_merge_take

cimport cython
import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U4 = numpy.dtype("u4")
cdef object U8 = numpy.dtype("u8")
cdef object I4 = numpy.dtype("i4")
cdef object I8 = numpy.dtype("i8")

PERIOD_BINS = int(CF_PERIOD_BINS)
MERGE_SOURCES = int(CF_MERGE_SOURCES)


cdef object id_statistics_dtype = dtype_of(cf_id_statistics_field, sizeof(cf_id_statistics))
cdef object window_statistics_dtype = dtype_of(cf_window_statistics_field, sizeof(cf_window_statistics))
cdef object traffic_id_dtype = dtype_of(cf_traffic_id_field, sizeof(cf_traffic_id))
cdef object traffic_channel_dtype = dtype_of(cf_traffic_channel_field, sizeof(cf_traffic_channel))
ID_STATISTICS_DTYPE = id_statistics_dtype
WINDOW_STATISTICS_DTYPE = window_statistics_dtype
TRAFFIC_ID_DTYPE = traffic_id_dtype
TRAFFIC_CHANNEL_DTYPE = traffic_channel_dtype


@cython.final
cdef class Ids:
    """A table of identifiers: `slots` (u4, zero, a power of two and twice the keys or more), `keys` (u8)."""
    cdef cf_ids at
    cdef Loan slots, keys

    def __cinit__(self, slots, keys, Py_ssize_t count):
        self.slots = lend(slots, U4, "slots", True, 2)
        self.keys = lend(keys, U8, "keys", True, count)
        if self.slots.count & (self.slots.count - 1) or self.slots.count < 2 * self.keys.count:
            raise ValueError(f"slots has {self.slots.count} elements")
        self.at.slots = <uint32_t *>self.slots.at
        self.at.mask = self.slots.count - 1
        self.at.keys = <uint64_t *>self.keys.at
        self.at.count = count
        self.at.room = self.keys.count
        cf_ids_index(&self.at)

    @property
    def count(self):
        return self.at.count


def number(Ids ids, frames, numbers, counts):
    """Numbers (u4) of the frames' identifiers, and how many each has (i8); the frames done."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(numbers, U4, "numbers", True, source.count)
    cdef Loan counted = lend(counts, I8, "counts", True, ids.at.room)
    cdef size_t done
    with nogil:
        done = cf_ids_number(&ids.at, source.at, source.count, source.stride, <uint32_t *>target.at,
                             <int64_t *>counted.at)
    return done


def order(numbers, starts, order):
    """Places (i8) of the frames by their numbers, each of which begins at its start (i8, below changed)."""
    cdef Loan source = lend(numbers, U4, "numbers", False, 0)
    cdef Loan next = lend(starts, I8, "starts", True, 0)
    cdef Loan target = lend(order, I8, "order", True, 0)
    with nogil:
        cf_ids_order(<const uint32_t *>source.at, source.count, <int64_t *>next.at, <int64_t *>target.at)


def changed(Ids ids, frames, Py_ssize_t begin, last, flags):
    """1 in `flags` (u1) where the payload is another than the last of the identifier (`last`, i8); the frames done."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan places = lend(last, I8, "last", True, ids.at.room)
    cdef Loan target = lend(flags, U1, "flags", True, source.count)
    cdef size_t done
    with nogil:
        done = cf_ids_changed(&ids.at, source.at, begin, source.count, source.stride, <int64_t *>places.at,
                              <uint8_t *>target.at)
    return done


def add(Ids ids, frames, bits, data_bits, rows, bins, int64_t latest_ns, int64_t window_ns, windows):
    """Adds frames to statistics; (frames done, latest time stamp, windows written)."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan nominal = None if bits is None else lend(bits, I4, "bits", False, source.count)
    cdef Loan data = None if data_bits is None else lend(data_bits, I4, "data_bits", False, source.count)
    cdef Loan held = lend(rows, id_statistics_dtype, "rows", True, ids.at.room)
    cdef Loan histogram = lend(bins, I8, "bins", True, ids.at.room * CF_PERIOD_BINS)
    cdef Loan places = lend(windows, window_statistics_dtype, "windows", True, 1)
    cdef const int32_t *first = NULL
    cdef const int32_t *second = NULL
    cdef cf_statistics state
    cdef size_t done
    if nominal is not None:
        first = <const int32_t *>nominal.at
    if data is not None:
        second = <const int32_t *>data.at
    if window_ns < 1:
        raise ValueError(f"window_ns = {window_ns}, allowed 1 and above")
    state.ids = ids.at
    state.rows = <cf_id_statistics *>held.at
    state.bins = <int64_t *>histogram.at
    state.latest_ns, state.window_ns = latest_ns, window_ns
    state.windows = <cf_window_statistics *>places.at
    state.window_count, state.window_room = 0, places.count
    with nogil:
        done = cf_statistics_add(&state, source.at, source.count, source.stride, first, second)
    ids.at.count = state.ids.count
    return done, state.latest_ns, state.window_count


def add_periods(rows, bins, periods):
    """Adds periods[i] (i8, ns) to row i and its bins."""
    cdef Loan held = lend(rows, id_statistics_dtype, "rows", True, 0)
    cdef Loan histogram = lend(bins, I8, "bins", True, held.count * CF_PERIOD_BINS)
    cdef Loan source = lend(periods, I8, "periods", False, held.count)
    with nogil:
        cf_add_periods(<cf_id_statistics *>held.at, <int64_t *>histogram.at, <const int64_t *>source.at, held.count)


def watch(Ids ids, frames, bits, data_bits, rows, channels, bint whole):
    """Adds frames to what is on the buses (rows by identifier, channels by number); the frames done."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan nominal = None if bits is None else lend(bits, I4, "bits", False, source.count)
    cdef Loan data = None if data_bits is None else lend(data_bits, I4, "data_bits", False, source.count)
    cdef Loan held = lend(rows, traffic_id_dtype, "rows", True, ids.at.room)
    cdef Loan buses = lend(channels, traffic_channel_dtype, "channels", True, 256)
    cdef const int32_t *first = NULL
    cdef const int32_t *second = NULL
    cdef size_t done
    if nominal is not None:
        first = <const int32_t *>nominal.at
    if data is not None:
        second = <const int32_t *>data.at
    with nogil:
        done = cf_traffic_add(&ids.at, source.at, source.count, source.stride, first, second,
                              <cf_traffic_id *>held.at, <cf_traffic_channel *>buses.at, whole)
    return done


def merge(list arrays, out):
    """Writes the frames of all arrays (of out's dtype, at most MERGE_SOURCES) to `out` in the order of time."""
    cdef Loan target = lend_frames(out, "out", True, sum(map(len, arrays)))
    cdef list loans = [lend(array, out.dtype, "frames", False, 0) for array in arrays]
    cdef cf_merge state
    cdef size_t empty, made, i
    cdef Loan loan
    if len(loans) > CF_MERGE_SOURCES:
        raise ValueError(f"{len(loans)} arrays, allowed 0..{CF_MERGE_SOURCES}")
    memset(&state, 0, sizeof(state))
    state.sources = len(loans)
    for i in range(state.sources):
        loan = loans[i]
        state.source[i].at, state.source[i].count, state.source[i].ended = <const char *>loan.at, loan.count, 1
    with nogil:
        made = cf_merge_take(&state, target.stride, target.at, target.count, &empty)
    return made
