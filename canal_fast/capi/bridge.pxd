from libc.stdint cimport uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.channel cimport cf_channel, cf_channel_options
from canal_fast.capi.convention cimport cf_convention
from canal_fast.capi.library cimport cf_library


cdef extern from "canal_fast/live/port_host.h" nogil:
    enum:
        CF_BRIDGE_VERSION
        CF_BRIDGE_FILTERS
        CF_WHY_BYTES

    ctypedef struct cf_process:
        pass

    ctypedef struct cf_bridge:
        cf_channel channel
        cf_process process

    cf_status cf_bridge_start(const char *host, uint64_t ring_capacity, uint32_t slot_size, cf_bridge **result,
                              long *code)
    cf_status cf_bridge_load(cf_bridge *bridge, const char *path, cf_convention convention, cf_library *library,
                             long *code)
    cf_status cf_bridge_open(cf_bridge *bridge, const cf_channel_options *options, char *why, long *code)
    uint64_t cf_process_number(const cf_process *process)
