from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "canal_fast/compiler.h" nogil:
    const char *CF_COMPILER


cdef extern from "canal_fast/base.h" nogil:
    ctypedef enum cf_status:
        CF_OK
        CF_NO_MEMORY
        CF_OPEN_FAILED
        CF_CLOSED
        CF_TIMED_OUT
        CF_DRIVER_FAILED
        CF_NOT_SUPPORTED
        CF_LAYOUT_UNKNOWN
        CF_DISCONNECTED
        CF_HOST_ENDED
        CF_HOST_SILENT
        CF_DRIVER_HANGS
        CF_INTERRUPTED

    enum:
        CF_EXIT_UNKNOWN

    ctypedef struct cf_code:
        long number
        const char *name
        const char *sentence

    const cf_code *cf_status_row(size_t index)

cdef extern from "canal_fast/bits.h" nogil:
    ctypedef struct cf_packed:
        const uint8_t *bytes
        int64_t bits

    size_t cf_pack_bits(const uint8_t *bits, size_t count, uint8_t *packed)

cdef extern from "canal_fast/cpu.h" nogil:
    ctypedef uint32_t cf_units

    enum:
        CF_PORTABLE

    ctypedef struct cf_unit:
        cf_units bit
        const char *name
        const char *contents

    const cf_unit *cf_unit_row(size_t index)
    cf_units cf_cpu_units()
