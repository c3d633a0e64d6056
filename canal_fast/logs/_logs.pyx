"""Glue of candump.h, pcapng_write.h and pcapng_read.h."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, memset

from canal_fast._gate cimport Loan, lend, lend_frames
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
        cdef Loan data = lend(source, U1, "source", False)
        cdef Loan target = lend_frames(frames, "frames", True)
        cdef size_t consumed = 0, made = 0
        cdef cf_status status
        if not (0 <= start <= stop <= data.count and 0 <= first <= target.count):
            raise IndexError("start, stop or first is outside its array")
        cdef uint8_t *text = <uint8_t *>data.at + start
        cdef uint8_t *out = <uint8_t *>target.at + first * target.stride
        with nogil:
            if self.text:
                status = cf_candump_read(&self.state, text, stop - start, final, out, target.count - first,
                                         target.stride, &consumed, &made)
            else:
                status = cf_pcapng_read(&self.state, text, stop - start, out, target.count - first, target.stride,
                                        &consumed, &made)
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
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan target = lend(out, U1, "out", True)
        cdef size_t used = 0, encoded = 0
        if not (0 <= first <= source.count and 0 <= capacity <= target.count):
            raise IndexError("first or capacity is outside its array")
        cdef uint8_t *records = <uint8_t *>source.at + first * source.stride
        with nogil:
            if self.text:
                encoded = cf_candump_write(&self.state, records, source.count - first, source.stride,
                                           <uint8_t *>target.at, capacity, &used)
            else:
                encoded = cf_pcapng_write(&self.state, records, source.count - first, source.stride,
                                          <uint8_t *>target.at, capacity, &used)
        return encoded, used

    @property
    def frames(self):
        return self.state.progress.frames

    def channel_frames(self, uint8_t channel):
        return self.state.progress.channel_frames[channel]
