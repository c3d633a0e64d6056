"""Glue of the table of log formats, formats.h."""

from cpython.buffer cimport PyBUF_STRIDES, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.logs cimport (
    CF_COLUMN_DataBytes,
    CF_COLUMNS,
    CF_LOG_COUNTERS,
    CF_LOG_HEAD,
    CF_LOG_INTERFACES,
    CF_LOG_ITEM_MAX,
    CF_LOG_NAME_MAX,
    cf_column_name,
    cf_columns,
    cf_columns_read,
    cf_log_call,
    cf_log_channel,
    cf_log_counter_name,
    cf_log_format,
    cf_log_format_row,
    cf_log_interface,
    cf_log_keeps_row,
    cf_log_progress,
    cf_log_reader,
    cf_log_writer,
    cf_mdf_group,
    cf_mdf_whole_records,
)

import numpy

cdef object U1 = numpy.dtype("u1")

INTERFACES = int(CF_LOG_INTERFACES)
NAME_MAX = int(CF_LOG_NAME_MAX)
ITEM_MAX = int(CF_LOG_ITEM_MAX)
HEAD = int(CF_LOG_HEAD)
COLUMN_NAMES = tuple([cf_column_name(i).decode() for i in range(CF_COLUMNS)])
COUNTER_NAMES = tuple([cf_log_counter_name(i).decode() for i in range(CF_LOG_COUNTERS)])


def keeps_table():
    """Rows (bit, name, meaning) of what a format may keep."""
    cdef const cf_code *row
    rows = []
    while (row := cf_log_keeps_row(len(rows))) != NULL:
        rows.append((row.number, row.name.decode(), row.sentence.decode()))
    return rows


def format_table():
    """Rows (name, title, suffixes, item, zoned, keeps, reads, writes, dated, packs) of the formats; dated: the
    ns that a recording's start is a multiple of, 0 where it states none; packs: into containers, compressed."""
    cdef const cf_log_format *row
    rows = []
    while (row := cf_log_format_row(len(rows))) != NULL:
        rows.append((row.name.decode(), row.title.decode(), tuple(row.suffixes.decode().split()), row.item.decode(),
                     row.zoned != 0, row.keeps, row.read != NULL, row.write != NULL,
                     row.target.dated if row.target != NULL else 0,
                     row.target != NULL and row.target.container != NULL))
    return rows


cdef const cf_log_format *row_of(size_t index) except NULL:
    cdef const cf_log_format *row = cf_log_format_row(index)
    if row == NULL:
        raise IndexError("no such format")
    return row


def format_row(size_t index):
    """A capsule of that format's row, for other glue."""
    return PyCapsule_New(<void *>row_of(index), "canal_fast.log_format", NULL)


def recognise(size_t index, const uint8_t[::1] head not None, bint whole):
    """How sure format `index` is of a recording that begins with `head` (all of it where `whole`): 0 not .. 3 sure."""
    cdef const cf_log_format *row = row_of(index)
    cdef uint8_t nothing = 0
    cdef const uint8_t *first = &head[0] if head.shape[0] else &nothing
    cdef size_t size = head.shape[0]
    cdef int sure
    with nogil:
        sure = row.recognise(first, size, whole)
    return sure


def whole_records(const uint8_t[::1] data not None, unsigned id_size, uint64_t[:, ::1] groups not None):
    """Bytes of the whole MDF records that data begin with, or -1 - them where a record of an unknown group follows.

    `groups`: rows of cf_mdf_group, in which they are counted.
    """
    cdef cf_mdf_group *rows = NULL
    cdef size_t size = data.shape[0], count = groups.shape[0]
    cdef int unknown = 0
    if groups.shape[1] != 4 or id_size > 8:
        raise ValueError("groups have four numbers, and identifiers at most 8 bytes")
    if count:
        rows = <cf_mdf_group *>&groups[0, 0]
    with nogil:
        size = cf_mdf_whole_records(&data[0] if size else NULL, size, id_size, rows, count, &unknown)
    return -1 - <Py_ssize_t>size if unknown else size


cdef class ReaderState:
    """What readers tell of what they met."""

    cdef cf_log_reader state

    def __cinit__(self, *_):
        memset(&self.state, 0, sizeof(self.state))

    @property
    def skipped(self):
        return self.state.skipped

    @property
    def lost_bytes(self):
        return self.state.lost_bytes

    def kinds(self):
        """What was skipped: name -> number."""
        return {self.state.kinds[i].name.decode("utf-8", "replace"): self.state.kinds[i].count
                for i in range(self.state.kind_count)}

    def interfaces(self):
        """Rows (name, channel, speed, frames, counters: tuple of int or None, id_order) of the CAN interfaces."""
        cdef cf_log_interface *row
        rows = []
        for index in range(self.state.count):
            row = &self.state.interfaces[index]
            if row.foreign:
                continue
            counters = tuple([row.counters[i] if row.counted >> i & 1 else None for i in range(CF_LOG_COUNTERS)])
            rows.append((row.name.decode("utf-8", "replace"), row.channel, row.speed, row.frames, counters,
                         row.id_order))
        return rows


cdef class LogReader(ReaderState):
    """State of reading one recording in format `index`."""

    cdef const cf_log_format *row

    def __cinit__(self, size_t index, bint forgiving, uint8_t id_order):
        self.row = row_of(index)
        if self.row.read == NULL:
            raise ValueError("this format is not read")
        self.state.forgiving = forgiving
        self.state.id_order = id_order
        self.state.own = calloc(1, self.row.own_size or 1)
        if self.state.own == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.state.own)

    def read(self, source, Py_ssize_t start, Py_ssize_t stop, bint final, frames, Py_ssize_t first,
             const uint8_t[::1] inner not None):
        """Decode source[start:stop] (u1 array) and what was unpacked, `inner`, into frames[first:].

        (status, consumed, made, consumed of inner, then for CF_LOG_PACKED: how, packed bytes, unpacked bytes).
        """
        cdef Loan data = lend(source, U1, "source", False)
        cdef Loan target = lend_frames(frames, "frames", True)
        cdef cf_log_call call
        cdef cf_status status
        memset(&call, 0, sizeof(call))
        if not (0 <= start <= stop <= data.count and 0 <= first <= target.count):
            raise IndexError("start, stop or first is outside its array")
        call.data = <const uint8_t *>data.at + start
        call.size = stop - start
        call.final = final
        call.frames = <uint8_t *>target.at + first * target.stride
        call.capacity = target.count - first
        call.stride = target.stride
        call.inner_size = inner.shape[0]
        call.inner = &inner[0] if call.inner_size else NULL
        with nogil:
            status = self.row.read(&self.state, &call)
        return int(status), call.consumed, call.made, call.inner_consumed, call.packing, call.packed, call.unpacked

    @property
    def start_ns(self):
        """Wall clock of the last start, read as UTC, or None."""
        return self.state.start_ns if self.state.has_start else None

    @property
    def epoch_ns(self):
        """What is added to the offsets of the file."""
        return self.state.epoch_ns

    @epoch_ns.setter
    def epoch_ns(self, int64_t value):
        self.state.epoch_ns = value

    @property
    def lines(self):
        return self.state.lines

    @property
    def column(self):
        return self.state.column

    @property
    def truncated(self):
        return self.state.truncated != 0


cdef class ColumnReader(ReaderState):
    """State of reading one recording that comes in columns."""

    def read(self, columns, const double[::1] seconds not None, int event, int64_t epoch_ns, Py_ssize_t start, frames,
             Py_ssize_t first):
        """Rows from `start` on into frames[first:]: (status, row to go on with, frames made).

        `columns`: an array of unsigned numbers, or None, for each of COLUMN_NAMES; DataBytes has two dimensions.
        """
        cdef Loan target = lend_frames(frames, "frames", True)
        cdef Py_buffer parts[CF_COLUMNS]
        cdef cf_columns table
        cdef cf_log_call call
        cdef cf_status status
        cdef int taken = 0, dimensions
        memset(&table, 0, sizeof(table))
        memset(&call, 0, sizeof(call))
        try:
            table.rows = seconds.shape[0]
            if not (0 < table.rows and 0 <= start <= <Py_ssize_t>table.rows and 0 <= first <= target.count):
                raise IndexError("start or first is outside its array")
            table.seconds = &seconds[0]
            table.epoch_ns = epoch_ns
            table.event = event
            if len(columns) != CF_COLUMNS:
                raise ValueError("a column, or None, for each name is needed")
            for index in range(CF_COLUMNS):
                if columns[index] is None:
                    continue
                PyObject_GetBuffer(columns[index], &parts[taken], PyBUF_STRIDES)
                taken += 1
                dimensions = 2 if index == <int>CF_COLUMN_DataBytes else 1
                if parts[taken - 1].ndim != dimensions or parts[taken - 1].shape[0] != <Py_ssize_t>table.rows:
                    raise ValueError("a column has another shape than the times")
                if dimensions == 2 and (parts[taken - 1].itemsize != 1 or parts[taken - 1].strides[1] != 1):
                    raise ValueError("data bytes must lie one behind the other")
                if dimensions == 1 and parts[taken - 1].itemsize not in (1, 2, 4, 8):
                    raise ValueError("a column of numbers of 1, 2, 4 or 8 bytes is needed")
                table.member[index].at = <const char *>parts[taken - 1].buf
                table.member[index].stride = parts[taken - 1].strides[0]
                table.member[index].size = parts[taken - 1].shape[1] if dimensions == 2 else parts[taken - 1].itemsize
            call.frames = <uint8_t *>target.at + first * target.stride
            call.capacity = target.count - first
            call.stride = target.stride
            call.consumed = start
            with nogil:
                status = cf_columns_read(&self.state, &table, &call)
        finally:
            while taken > 0:
                taken -= 1
                PyBuffer_Release(&parts[taken])
        return int(status), call.consumed, call.made


cdef class LogWriter:
    """State of writing one recording in format `index`. `channels`: 256 pairs (name as bytes, speed)."""

    cdef cf_log_writer state
    cdef cf_log_progress saved
    cdef const cf_log_format *row

    def __cinit__(self, size_t index, channels, bint nanoseconds=False):
        memset(&self.state, 0, sizeof(self.state))
        self.state.nanoseconds = nanoseconds
        memset(&self.saved, 0, sizeof(self.saved))
        self.row = row_of(index)
        if self.row.write == NULL:
            raise ValueError("this format is not written")
        for number in range(CF_LOG_INTERFACES):
            self.name(number, *channels[number])

    @property
    def record_max(self):
        """Bytes that one record takes at most, with what has to stand before it."""
        return self.row.write_max

    def name(self, uint8_t channel, bytes name, uint64_t speed):
        """Name and speed of a channel that has no frame yet."""
        cdef cf_log_channel *row = &self.state.channels[channel]
        if len(name) > CF_LOG_NAME_MAX:
            raise ValueError("an interface name is too long")
        memset(row, 0, sizeof(cf_log_channel))
        memcpy(row.name, <const char *>name, len(name))
        row.speed = speed

    @property
    def packs(self):
        """Does what is encoded, and described, go into `container`s?"""
        return self.row.target.container != NULL

    def channel_name(self, uint8_t channel):
        return self.state.channels[channel].name.decode("utf-8", "replace")

    def start(self, int64_t start_ns, wall_ns):
        """When times begin, before `begin`; wall_ns: what the wall clock shows then, None without a date."""
        self.state.start_ns = start_ns
        self.state.has_start = wall_ns is not None
        self.state.wall_ns = wall_ns or 0

    def end(self):
        """The file's last bytes."""
        cdef bytearray out = bytearray(self.row.write_max)
        size = 0 if self.row.target.end == NULL else self.row.target.end(&self.state, out)
        return bytes(out[:size])

    def container(self, packed, size_t inflated):
        """The bytes in a container that stands for so many."""
        cdef uint8_t head[64]
        cdef size_t padding = 0
        size = self.row.target.container(len(packed), inflated, head, &padding)
        return b"".join((head[:size], packed, bytes(padding)))

    def finish(self, uint64_t size, uint64_t inflated):
        """The file's first bytes anew, when it has `size` bytes (`inflated` if nothing were compressed)."""
        cdef bytearray out = bytearray(self.row.write_max)
        count = 0 if self.row.target.finish == NULL else self.row.target.finish(&self.state, size, inflated, out)
        return bytes(out[:count])

    def save(self):
        """Remember the progress, for `restore`."""
        self.saved = self.state.progress

    def restore(self):
        """Go back to the progress at the last `save`."""
        self.state.progress = self.saved

    def begin(self, bytes application):
        """The file's first bytes, which may name the application (at most 64 bytes)."""
        cdef bytearray out = bytearray(self.row.write_max)
        if len(application) > 64:
            raise ValueError("the application's name is too long")
        size = 0 if self.row.begin == NULL else self.row.begin(&self.state, application, out)
        return bytes(out[:size])

    def describe(self, uint8_t channel):
        """Description of the channel's interface, or nothing where it has one or the format has none."""
        cdef bytearray out = bytearray(self.row.write_max)
        size = 0 if self.row.describe == NULL else self.row.describe(&self.state, channel, out)
        return bytes(out[:size])

    def statistics(self, uint8_t channel, counters, bytes comment=b""):
        """Statistics of the channel from CF_LOG_COUNTERS integers, None where not known."""
        cdef bytearray out = bytearray(self.row.write_max)
        cdef const char *text = comment
        cdef uint64_t values[CF_LOG_COUNTERS]
        cdef unsigned counted = 0
        for index in range(CF_LOG_COUNTERS):
            values[index] = counters[index] or 0
            counted |= (counters[index] is not None) << index
        size = 0
        if self.row.statistics != NULL:
            size = self.row.statistics(&self.state, channel, values, counted, text, out)
        return bytes(out[:size])

    def encode(self, frames, Py_ssize_t first, out, Py_ssize_t capacity):
        """Encode frames[first:], as many as fit out[:capacity]: (frames encoded, bytes used)."""
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan target = lend(out, U1, "out", True)
        cdef size_t used = 0, encoded = 0
        if not (0 <= first <= source.count and 0 <= capacity <= target.count):
            raise IndexError("first or capacity is outside its array")
        cdef uint8_t *records = <uint8_t *>source.at + first * source.stride
        with nogil:
            encoded = self.row.write(&self.state, records, source.count - first, source.stride,
                                     <uint8_t *>target.at, capacity, &used)
        return encoded, used

    @property
    def frames(self):
        return self.state.progress.frames

    def channel_frames(self, uint8_t channel):
        return self.state.progress.channel_frames[channel]
