from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from canal_fast.capi.base cimport cf_status, cf_units
from canal_fast.capi.bittiming cimport cf_sync_timing


cdef extern from "canal_fast/waveform/timing.h" nogil:
    enum:
        CF_WAVE_PARTS

    ctypedef struct cf_wave_timing:
        cf_sync_timing nominal
        cf_sync_timing data
        int64_t quantum[2]
        unsigned left
        unsigned right
        int rounding
        int64_t offset
        int64_t quarter
        int64_t enter
        double tick_ns
        double resolution
        int64_t ticks_a_second

cdef extern from "canal_fast/waveform/edges.h" nogil:
    ctypedef struct cf_edge_finder:
        int64_t at
        unsigned level

    size_t cf_edges_packed(cf_edge_finder *f, const uint8_t *bytes, int64_t count, int64_t *edges, size_t room,
                           int64_t *used)
    size_t cf_edges_units(cf_edge_finder *f, const uint8_t *bytes, int64_t count, unsigned size, unsigned bit,
                          int64_t *edges, size_t room, int64_t *used)
    size_t cf_edges_float(cf_edge_finder *f, const float *volts, int64_t count, float low, float high, int64_t *edges,
                          size_t room, int64_t *used, int64_t *bad)
    size_t cf_edges_double(cf_edge_finder *f, const double *volts, int64_t count, double low, double high,
                           int64_t *edges, size_t room, int64_t *used, int64_t *bad)

cdef extern from "canal_fast/waveform/sampler.h" nogil:
    enum:
        CF_WAVE_BITS
        CF_IDLE_BITS

    ctypedef struct cf_wave_edges:
        const int64_t *ticks
        int64_t count
        unsigned level
        int64_t end
        int final

    ctypedef enum cf_stretch_end:
        CF_STRETCH_IDLE

    ctypedef struct cf_stretch:
        uint8_t *bytes
        int64_t *sample
        int64_t bits
        int64_t fast_from
        int64_t fast_to
        int64_t first
        int64_t next

    cf_stretch_end cf_stretch_read(cf_stretch *s, const cf_wave_timing *timing, const cf_wave_edges *edges,
                                   cf_units units)

cdef extern from "canal_fast/waveform/decode.h" nogil:
    enum:
        CF_WAVE_STUCK

    ctypedef struct cf_wave_columns:
        uint8_t *status
        int32_t *bit_index
        int64_t *start_ns
        int64_t *end_ns
        double *clock_ppm
        double *clock_uncertainty
        double *margin_ns
        double *margin_percent
        int32_t *glitches

    ctypedef struct cf_wave:
        cf_wave_timing timing
        cf_wave_edges edges
        int thorough
        int64_t at
        int64_t idle_glitches

    void cf_wave_begin(cf_wave *w, const cf_wave_timing *timing, cf_units units)
    cf_status cf_wave_decode(cf_wave *w, int64_t begin, void *frames, size_t room, size_t stride,
                             const cf_wave_columns *c, size_t *count)

cdef extern from "canal_fast/waveform/vcd.h" nogil:
    enum:
        CF_VCD_NAME
        CF_VCD_NO_LEVEL

    ctypedef struct cf_vcd:
        char *name
        int64_t time
        int64_t begin
        unsigned level
        unsigned first
        unsigned recessive
        int64_t unknown
        int64_t backwards

    size_t cf_vcd_scan(cf_vcd *v, const char *text, size_t size, int final, int64_t *edges, size_t room, size_t *used)
