"""Glue of the waveform headers."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.base cimport CF_PORTABLE, cf_cpu_units, cf_units, cf_status
from canal_fast.capi.waveform cimport (
    CF_VCD_NAME,
    CF_VCD_NO_LEVEL,
    CF_WAVE_BITS,
    CF_WAVE_PARTS,
    CF_WAVE_STUCK,
    cf_edge_finder,
    cf_edges_double,
    cf_edges_float,
    cf_edges_packed,
    cf_edges_units,
    cf_stretch,
    cf_stretch_end,
    cf_stretch_read,
    cf_vcd,
    cf_vcd_scan,
    cf_wave,
    cf_wave_begin,
    cf_wave_columns,
    cf_wave_decode,
    cf_wave_edges,
    cf_wave_timing,
)
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy

cdef object U1 = numpy.dtype("u1")
cdef object I4 = numpy.dtype("i4")
cdef object I8 = numpy.dtype("i8")
cdef object F4 = numpy.dtype("f4")
cdef object F8 = numpy.dtype("f8")
cdef tuple COLUMNS = (U1, I4, I8, I8, F8, F8, F8, F8, I4)
cdef cf_units units = CF_PORTABLE
PARTS = CF_WAVE_PARTS
STUCK = CF_WAVE_STUCK
STRETCH_BITS = CF_WAVE_BITS
TIMING_FIELDS = 14


def select(unsigned wanted, /):
    """Choose the units, of those that the machine has, of the kernels here."""
    global units
    units = wanted & cf_cpu_units()


cdef cf_wave_timing timing_of(object fields, double resolution) except *:
    """The i8 array of TIMING_FIELDS, in the order of the struct."""
    cdef Loan loan = lend(fields, I8, "timing", False, TIMING_FIELDS)
    cdef const int64_t *at = <const int64_t *>loan.at
    cdef cf_wave_timing t
    t.nominal.bit, t.nominal.sample, t.nominal.jump = at[0], at[1], at[2]
    t.data.bit, t.data.sample, t.data.jump = at[3], at[4], at[5]
    t.quantum[0], t.quantum[1] = at[6], at[7]
    t.left, t.right = <unsigned>at[8], <unsigned>at[9]
    t.rounding, t.quarter, t.enter, t.offset = <int>at[10], at[11], at[12], 0
    t.ticks_a_second = at[13]
    t.tick_ns = 1e9 / <double>at[13]
    t.resolution = resolution
    return t


cdef class Decoder:
    """A listening node: `read` may be called again with what follows."""

    cdef cf_wave *wave

    def __cinit__(self, timing, double resolution, bint thorough, /):
        cdef cf_wave_timing t = timing_of(timing, resolution)
        self.wave = <cf_wave *>malloc(sizeof(cf_wave))
        if self.wave == NULL:
            raise MemoryError
        cf_wave_begin(self.wave, &t, units)
        if thorough:
            self.wave.thorough = 1

    def __dealloc__(self):
        free(self.wave)

    @property
    def idle_glitches(self):
        return self.wave.idle_glitches

    @property
    def at(self):
        """First edge that is still needed."""
        return self.wave.at

    @at.setter
    def at(self, int64_t value):
        self.wave.at = value

    def read(self, edges, int start_level, int64_t begin, int64_t end, bint final, frames, list columns, /):
        """(status, rows): fewer rows than there is room for when the edges are used up. `columns`: status, bit_index,
        start_ns, end_ns, and perhaps clock_ppm, clock_uncertainty, margin_ns, margin_percent, glitches.
        """
        cdef Loan ticks = lend(edges, I8, "edges", False, 0)
        cdef Loan rows = lend_frames(frames, "frames", True, 0)
        cdef list loans = []
        cdef void *at[9]
        cdef Py_ssize_t i, given = len(columns)
        cdef Loan loan
        if not 4 <= given <= 9:
            raise ValueError(f"{given} columns, allowed 4..9")
        for i in range(9):
            at[i] = NULL
            if i < given:
                loan = lend(columns[i], COLUMNS[i], "column", True, rows.count)
                loans.append(loan)
                at[i] = loan.at
        cdef cf_wave_columns c
        c.status, c.bit_index = <uint8_t *>at[0], <int32_t *>at[1]
        c.start_ns, c.end_ns = <int64_t *>at[2], <int64_t *>at[3]
        c.clock_ppm, c.clock_uncertainty = <double *>at[4], <double *>at[5]
        c.margin_ns, c.margin_percent, c.glitches = <double *>at[6], <double *>at[7], <int32_t *>at[8]
        self.wave.edges.ticks = <const int64_t *>ticks.at
        self.wave.edges.count = ticks.count
        self.wave.edges.level = start_level
        self.wave.edges.end = end
        self.wave.edges.final = final
        cdef size_t count = 0
        cdef cf_status result
        with nogil:
            result = cf_wave_decode(self.wave, begin, rows.at, rows.count, rows.stride, &c, &count)
        return int(result), count


def trace(edges, int start_level, int64_t end, int64_t first, timing, double resolution, bits, samples, /):
    """(bits, edge after them, first and last bit at the data rate) of what a node reads from the SOF at edge `first`
    on: packed into `bits`, with the time of each sample in parts after that edge."""
    cdef Loan ticks = lend(edges, I8, "edges", False, first + 1)
    cdef Loan packed = lend(bits, U1, "bits", True, CF_WAVE_BITS // 8)
    cdef Loan times = lend(samples, I8, "samples", True, CF_WAVE_BITS)
    cdef cf_wave_timing t = timing_of(timing, resolution)
    cdef cf_wave_edges e
    cdef cf_stretch *s = <cf_stretch *>malloc(sizeof(cf_stretch))
    cdef int64_t i
    if s == NULL:
        raise MemoryError
    e.ticks, e.count, e.level = <const int64_t *>ticks.at, ticks.count, start_level
    e.end, e.final = end, 1
    s.first = first
    cf_stretch_read(s, &t, &e, units)
    for i in range(CF_WAVE_BITS // 8):
        (<uint8_t *>packed.at)[i] = s.bytes[i]
    for i in range(s.bits):
        (<int64_t *>times.at)[i] = s.sample[i]
    found = (s.bits, s.next, min(s.fast_from, s.bits), min(s.fast_to, s.bits))
    free(s)
    return found


def edges_logic(samples, int64_t first, int64_t count, unsigned size, unsigned bit, place, edges, /):
    """(edges, samples used): of `count` samples from sample `first` on, of `size` bytes, of which bit `bit` counts;
    size 0: eight a byte, the first in its highest bit. `place` is an i8 array [number, level].
    """
    cdef int64_t last = first + count
    cdef Loan source = lend(samples, U1, "samples", False, last * size if size else (last + 7) // 8)
    cdef Loan target = lend(edges, I8, "edges", True, 64)
    cdef Loan where = lend(place, I8, "place", True, 2)
    cdef int64_t *stand = <int64_t *>where.at
    cdef cf_edge_finder f
    cdef int64_t used = 0
    cdef size_t found
    f.at, f.level = stand[0], <unsigned>stand[1]
    with nogil:
        if size:
            found = cf_edges_units(&f, <const uint8_t *>source.at + first * size, count, size, bit,
                                   <int64_t *>target.at, target.count, &used)
        else:
            found = cf_edges_packed(&f, <const uint8_t *>source.at + first // 8, count, <int64_t *>target.at,
                                    target.count, &used)
    stand[0], stand[1] = f.at, f.level
    return found, used


def edges_volts(volts, int64_t first, double low, double high, place, edges, /):
    """(edges, samples used): of f4 or f8 samples; the third number of `place` counts those that are no numbers."""
    cdef bint wide = volts.dtype == F8
    cdef Loan source = lend(volts, F8 if wide else F4, "volts", False, first)
    cdef Loan target = lend(edges, I8, "edges", True, 64)
    cdef Loan where = lend(place, I8, "place", True, 3)
    cdef int64_t *stand = <int64_t *>where.at
    cdef cf_edge_finder f
    cdef int64_t used = 0, bad = 0, count = source.count - first
    cdef size_t found
    f.at, f.level = stand[0], <unsigned>stand[1]
    with nogil:
        if wide:
            found = cf_edges_double(&f, <const double *>source.at + first, count, low, high,
                                    <int64_t *>target.at, target.count, &used, &bad)
        else:
            found = cf_edges_float(&f, <const float *>source.at + first, count, <float>low, <float>high,
                                   <int64_t *>target.at, target.count, &used, &bad)
    stand[0], stand[1] = f.at, f.level
    stand[2] += bad
    return found, used


cdef class Vcd:
    """Value changes of the variable with this identifier code. `recessive`: what unknown values are taken for."""

    cdef cf_vcd state

    def __cinit__(self, bytes name, bint recessive, /):
        cdef char *at = name
        if len(name) >= CF_VCD_NAME:
            raise ValueError(f"identifier code {name!r} has more than {CF_VCD_NAME - 1} characters")
        memset(&self.state, 0, sizeof(cf_vcd))
        memcpy(self.state.name, at, len(name))
        self.state.begin = -1
        self.state.recessive = recessive
        self.state.level = CF_VCD_NO_LEVEL

    @property
    def stand(self):
        """(time, first time, first level, how many unknown values, whether times ran backwards); the level is None
        before the first value.
        """
        cdef cf_vcd *v = &self.state
        return v.time, v.begin, None if v.level == CF_VCD_NO_LEVEL else v.first, v.unknown, v.backwards

    def scan(self, text, bint final, edges, /):
        """(edges, bytes used) of the u1 array `text`."""
        cdef Loan source = lend(text, U1, "text", False, 0)
        cdef Loan target = lend(edges, I8, "edges", True, 64)
        cdef size_t used = 0, found
        with nogil:
            found = cf_vcd_scan(&self.state, <const char *>source.at, source.count, final,
                                <int64_t *>target.at, target.count, &used)
        return found, used
