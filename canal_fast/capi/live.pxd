from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.drivers cimport cf_layout, cf_library, cf_profile
from canal_fast.capi.frame cimport cf_filter
from canal_fast.capi.system cimport cf_convention


cdef extern from "canal_fast/live/clock_report.h" nogil:
    ctypedef struct cf_clock_report:
        int64_t tick_num
        int64_t tick_den
        int64_t wrap_bits
        int64_t calibrated
        int64_t settled
        int64_t offset_ns
        int64_t epoch_offset_ns
        int64_t drift_per_e12
        int64_t residual_ns
        int64_t uncertainty_ns
        int64_t resets
        int64_t frames

    ctypedef struct cf_clock_shared:
        pass

    void cf_clock_read(const cf_clock_shared *shared, cf_clock_report *report)

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

cdef extern from "canal_fast/live/driver.h" nogil:
    enum:
        CF_CONFIG_BYTES

    ctypedef struct cf_channel_options:
        const char *config
        unsigned long flags
        const cf_profile *profile
        const cf_layout *layout
        uint32_t channel
        int wait_when_full
        int device_clock
        int fd
        int64_t coalesce_ns
        int64_t reconnect_ns
        uint64_t ring_capacity
        const cf_filter *filters
        size_t filter_count

    ctypedef struct cf_channel:
        cf_consumer consumer

    cf_status cf_channel_open(const cf_library *library, const cf_channel_options *options, cf_channel **result,
                              long *code)
    void cf_channel_stop(cf_channel *channel)
    cf_status cf_channel_close(cf_channel *channel, long *code)
    void cf_channel_free(cf_channel *channel)
    cf_status cf_channel_filter(cf_channel *channel, const cf_filter *filters, size_t count, int waiting)

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

cdef extern from "canal_fast/live/port.h" nogil:
    enum:
        CF_STATISTICS_WORDS

    ctypedef struct cf_driver_status:
        uint32_t channel_status
        uint32_t last_error_code
        uint32_t last_error_subcode
        char text[81]

    ctypedef struct cf_driver_versions:
        uint32_t level
        uint32_t version
        uint32_t dll_version
        char vendor[256]
        char info[2048]

    const cf_layout *cf_channel_layout(cf_channel *channel)
    uint64_t cf_channel_queue(cf_channel *channel)
    cf_status cf_channel_send(cf_channel *channel, const void *frames, size_t count, size_t stride,
                              int64_t timeout_ns, size_t *accepted, long *code)
    void cf_channel_reject(cf_channel *channel, size_t count)
    void cf_channel_sent(cf_channel *channel, uint64_t *sent, uint64_t *rejected)
    cf_status cf_channel_status(cf_channel *channel, cf_driver_status *result, long *code)
    cf_status cf_channel_statistics(cf_channel *channel, uint32_t *counters, int *filled, long *code)
    cf_status cf_channel_set(cf_channel *channel, int function, unsigned long value, long *code)
    cf_status cf_channel_versions(cf_channel *channel, cf_driver_versions *result, long *code)

cdef extern from "canal_fast/live/drain.h" nogil:
    cf_status cf_channel_transmit_pending(cf_channel *channel, long *waiting, int *moving, long *code)

cdef extern from "canal_fast/live/periodic.h" nogil:
    ctypedef struct cf_task_counters:
        uint64_t periods
        uint64_t sent
        uint64_t rejected
        uint64_t late
        uint64_t missed
        uint64_t jitter_sum_ns
        uint64_t jitter_max_ns

    ctypedef struct cf_task:
        void *frames
        size_t count
        size_t stride
        int64_t period_ns
        int in_turn
        uint64_t times_left

    ctypedef struct cf_periodic:
        pass

    cf_periodic *cf_periodic_new(cf_channel *channel)
    cf_status cf_periodic_add(cf_periodic *periodic, cf_task *task)
    void cf_periodic_remove(cf_periodic *periodic, cf_task *task)
    void cf_periodic_modify(cf_periodic *periodic, cf_task *task, const void *frames)
    void cf_periodic_counters(cf_periodic *periodic, const cf_task *task, cf_task_counters *counters, int *active,
                              long *failure_code)
    void cf_periodic_stop(cf_periodic *periodic)
    void cf_periodic_free(cf_periodic *periodic)
