from libc.stdint cimport uint64_t


cdef extern from "canal_fast/live/ring.h" nogil:
    ctypedef struct cf_counters:
        uint64_t received
        uint64_t malformed
        uint64_t filtered
        uint64_t dropped
        uint64_t status_messages
        uint64_t high_water
        uint64_t gaps
        uint64_t driver_overruns
        uint64_t driver_queue_high_water
        uint64_t longest_drain_gap_ns
        uint64_t outages
        uint64_t outage_ns

    ctypedef struct cf_ledger:
        cf_counters counters
        uint64_t delivered
        uint64_t pending
