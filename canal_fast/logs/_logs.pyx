"""Glue of candump_text.h, pcapng.h and pcapng_read.h."""

from cpython.buffer cimport PyBuffer_Release
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, memset

from canal_fast._gate cimport borrow, borrow_frames
from canal_fast.capi.base cimport cf_status
from canal_fast.capi.logs cimport (
    CF_CANDUMP_LINE_MAX,
    CF_LOG_COUNTERS,
    CF_LOG_INTERFACES,
    CF_LOG_NAME_MAX,
    CF_PCAPNG_FRAME_MAX,
    cf_candump_read,
    cf_candump_write,
    cf_log_channel,
    cf_log_counter_name,
    cf_log_interface,
    cf_log_progress,
    cf_log_reader,
    cf_log_writer,
    cf_pcapng_describe,
    cf_pcapng_read,
    cf_pcapng_section,
    cf_pcapng_statistics,
    cf_pcapng_write,
)

import numpy

cdef object U1 = numpy.dtype("u1")

INTERFACES = int(CF_LOG_INTERFACES)
NAME_MAX = int(CF_LOG_NAME_MAX)
RECORD_MAX = max(int(CF_PCAPNG_FRAME_MAX), int(CF_CANDUMP_LINE_MAX))
COUNTER_NAMES = tuple([cf_log_counter_name(i).decode() for i in range(CF_LOG_COUNTERS)])


cdef class LogReader:
    """State of reading one recording: `text` says candump, otherwise pcapng."""

    cdef cf_log_reader state
    cdef bint text

    def __cinit__(self, bint text):
        memset(&self.state, 0, sizeof(self.state))
        self.text = text

    def read(self, source, Py_ssize_t start, Py_ssize_t stop, bint final, frames, Py_ssize_t first):
        """Decode source[start:stop] (u1 array) into frames[first:]: (status, bytes consumed, frames made)."""
        cdef Py_buffer data, target
        cdef size_t consumed = 0, made = 0
        cdef cf_status status
        cdef Py_ssize_t size = borrow(source, U1, "source", False, &data)
        cdef Py_ssize_t count
        cdef uint8_t *text
        cdef uint8_t *out
        try:
            count = borrow_frames(frames, "frames", True, &target)
            try:
                if not (0 <= start <= stop <= size and 0 <= first <= count):
                    raise IndexError("start, stop or first is outside its array")
                text = <uint8_t *>data.buf + start
                out = <uint8_t *>target.buf + first * target.itemsize
                with nogil:
                    if self.text:
                        status = cf_candump_read(&self.state, text, stop - start, final, out, count - first,
                                                 target.itemsize, &consumed, &made)
                    else:
                        status = cf_pcapng_read(&self.state, text, stop - start, out, count - first,
                                                target.itemsize, &consumed, &made)
            finally:
                PyBuffer_Release(&target)
        finally:
            PyBuffer_Release(&data)
        return int(status), consumed, made

    @property
    def lines(self):
        return self.state.lines

    @property
    def column(self):
        return self.state.column

    @property
    def skipped(self):
        return self.state.skipped

    def interfaces(self):
        """Rows (name, channel, speed, link, frames, counters: tuple of int or None)."""
        cdef cf_log_interface *row
        rows = []
        for index in range(self.state.count):
            row = &self.state.interfaces[index]
            counters = tuple([row.counters[i] if row.counted >> i & 1 else None for i in range(CF_LOG_COUNTERS)])
            rows.append((row.name.decode("utf-8", "replace"), row.channel, row.speed, row.link, row.frames, counters))
        return rows


cdef class LogWriter:
    """State of writing one recording. `channels`: 256 pairs (name as bytes, speed)."""

    cdef cf_log_writer state
    cdef cf_log_progress saved
    cdef bint text

    def __cinit__(self, bint text, channels):
        memset(&self.state, 0, sizeof(self.state))
        memset(&self.saved, 0, sizeof(self.saved))
        self.text = text
        for index in range(CF_LOG_INTERFACES):
            self.name(index, *channels[index])

    def name(self, uint8_t channel, bytes name, uint64_t speed):
        """Name and speed of a channel that has no frame yet."""
        cdef cf_log_channel *row = &self.state.channels[channel]
        if len(name) > CF_LOG_NAME_MAX:
            raise ValueError("an interface name is too long")
        memset(row, 0, sizeof(cf_log_channel))
        memcpy(row.name, <const char *>name, len(name))
        row.speed = speed

    def save(self):
        """Remember the progress, for `restore`."""
        self.saved = self.state.progress

    def restore(self):
        """Go back to the progress at the last `save`."""
        self.state.progress = self.saved

    def section(self, bytes application):
        """Section header of a pcapng file that names the application (at most 64 bytes)."""
        cdef uint8_t out[CF_PCAPNG_FRAME_MAX]
        if len(application) > 64:
            raise ValueError("the application's name is too long")
        size = cf_pcapng_section(application, out)
        return PyBytes_FromStringAndSize(<char *>out, size)

    def describe(self, uint8_t channel):
        """Interface description of the channel, or nothing when it has one."""
        cdef uint8_t out[CF_PCAPNG_FRAME_MAX]
        size = cf_pcapng_describe(&self.state, channel, out)
        return PyBytes_FromStringAndSize(<char *>out, size)

    def statistics(self, uint8_t channel, counters, bytes comment=b""):
        """Interface statistics of the channel from CF_LOG_COUNTERS integers, None where not known."""
        cdef uint8_t out[CF_PCAPNG_FRAME_MAX]
        cdef uint64_t values[CF_LOG_COUNTERS]
        cdef unsigned counted = 0
        for index in range(CF_LOG_COUNTERS):
            values[index] = counters[index] or 0
            counted |= (counters[index] is not None) << index
        size = cf_pcapng_statistics(&self.state, channel, values, counted, comment, out)
        return PyBytes_FromStringAndSize(<char *>out, size)

    def encode(self, frames, Py_ssize_t first, out, Py_ssize_t capacity):
        """Encode frames[first:], as many as fit out[:capacity]: (frames encoded, bytes used)."""
        cdef Py_buffer source, target
        cdef Py_ssize_t count = borrow_frames(frames, "frames", False, &source)
        cdef size_t used = 0, encoded = 0
        cdef uint8_t *records
        try:
            size = borrow(out, U1, "out", True, &target)
            try:
                if not (0 <= first <= count and 0 <= capacity <= size):
                    raise IndexError("first or capacity is outside its array")
                records = <uint8_t *>source.buf + first * source.itemsize
                with nogil:
                    if self.text:
                        encoded = cf_candump_write(&self.state, records, count - first, source.itemsize,
                                                   <uint8_t *>target.buf, capacity, &used)
                    else:
                        encoded = cf_pcapng_write(&self.state, records, count - first, source.itemsize,
                                                  <uint8_t *>target.buf, capacity, &used)
            finally:
                PyBuffer_Release(&target)
        finally:
            PyBuffer_Release(&source)
        return encoded, used

    @property
    def frames(self):
        return self.state.progress.frames

    def channel_frames(self, uint8_t channel):
        return self.state.progress.channel_frames[channel]
