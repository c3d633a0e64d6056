from libc.stdint cimport uint32_t, uint64_t, uint8_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.frame cimport cf_frame
from canal_fast.capi.system cimport cf_convention, cf_function_row, cf_machine


cdef extern from "canal_fast/drivers/library.h" nogil:
    ctypedef struct cf_library:
        void *system_handle
        int cdecl_calls
        int decorated
        uint64_t functions
        char detail[512]

    const cf_function_row *cf_function(size_t index)
    cf_status cf_library_inspect(const char *path, const cf_machine **machine)
    cf_status cf_library_load(cf_library *library, const char *path, cf_convention convention)

cdef extern from "canal_fast/drivers/message.h" nogil:
    enum:
        CF_SLOT_BYTES
        CF_POISON

    ctypedef enum cf_message_kind:
        CF_MESSAGE_FRAME
        CF_MESSAGE_UNTOUCHED
        CF_MESSAGE_MALFORMED

    ctypedef struct cf_layout:
        uint8_t size
        uint8_t word
        uint8_t flags
        uint8_t obid
        uint8_t id
        uint8_t length
        uint8_t data
        uint8_t timestamp

    const cf_layout *cf_layout_row(size_t index)
    const cf_layout *cf_layout_of_size(size_t size)
    const cf_layout *cf_layout_native()
    const cf_layout *cf_layout_probe(const uint8_t *slot, const cf_layout *fallback)
    cf_message_kind cf_message_decode(const uint8_t *slot, const cf_layout *layout, unsigned channel, cf_frame *frame,
                                      uint32_t *ticks)

cdef extern from "canal_fast/drivers/profile.h" nogil:
    enum:
        CF_TRUST_STATISTICS
        CF_TRUST_STOPPED
        CF_TRUST_COUNTERS
        CF_SEND_FLAG
        CF_VENDOR_UNSAFE
        CF_STATUS_TELLS
        CF_NO_REMOTE
        CF_TELLS_SENDS_ERRORS
        CF_NO_EMPTY
        CF_TABLE_RATES
        CF_SLOW_OPEN
        CF_SEND_ONLY
        CF_CONFIG_PORT
        CF_CONFIG_FILE
        CF_CONFIG_INTERFACE

    ctypedef struct cf_profile:
        const char *name
        const char *file
        uint64_t has
        uint64_t lacks
        const char *vendor
        uint32_t tick_num
        uint32_t tick_den
        uint32_t wrap_bits
        uint64_t empty
        uint32_t queue_depth
        uint32_t trust
        uint32_t blocking_flag
        const char *config
        const char *no_handle
        const char *verified
        const char *title

    const cf_profile *cf_profile_row(size_t index)
    const cf_profile *cf_profile_named(const char *name)
    const cf_profile *cf_profile_choose(const char *file, uint64_t functions)
