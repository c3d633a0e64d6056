from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.clock_report cimport cf_clock_shared
from canal_fast.capi.ring cimport cf_ledger


cdef extern from "canal_fast/live/consumer.h" nogil:
    ctypedef struct cf_share:
        cf_clock_shared clock

    ctypedef struct cf_consumer:
        cf_share *share

    cf_status cf_consumer_wait(cf_consumer *consumer, uint32_t wanted, int64_t timeout_ns, uint64_t *pending,
                               long *code)
    size_t cf_consumer_take(cf_consumer *consumer, void *records, size_t count)
    uint64_t cf_consumer_ready(cf_consumer *consumer, uint32_t wanted)
    size_t cf_consumer_take_at_once(cf_consumer *consumer, uint32_t wanted, void *records, size_t count)
    cf_status cf_consumer_descriptor(cf_consumer *consumer, uint32_t wanted, int *descriptor)
    void cf_consumer_ledger(cf_consumer *consumer, cf_ledger *ledger, int *overruns_known)
