from libc.stdint cimport uint32_t, uint64_t


cdef extern from "canal_fast/drivers/profile.h" nogil:
    enum:
        CF_TRUST_STATISTICS
        CF_TRUST_STOPPED
        CF_TRUST_COUNTERS
        CF_SEND_FLAG
        CF_VENDOR_UNSAFE

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
