from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast.capi.base cimport cf_status
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
        int64_t steps
        int64_t step_ns
        int64_t step_before_ns
        int64_t step_after_ns

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
        uint64_t clock_resets
        uint64_t clock_steps
        uint64_t clock_step_ns
        uint64_t clock_step_before_ns
        uint64_t clock_step_after_ns

    ctypedef struct cf_ledger:
        cf_counters counters
        uint64_t delivered
        uint64_t pending

cdef extern from "canal_fast/live/filter_table.h" nogil:
    enum:
        CF_FILTERS_MOST

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
    cf_status cf_consumer_filter(cf_consumer *consumer, const cf_filter *rows, size_t count, int waiting)

cdef extern from "canal_fast/live/request.h" nogil:
    enum:
        CF_CONFIG_BYTES
        CF_STATISTICS_WORDS
        CF_WHY_BYTES

    ctypedef enum cf_operation:
        CF_ASK_SET_FILTER
        CF_ASK_SET_MASK
        CF_ASK_SET_BAUDRATE

    ctypedef struct cf_load_answer:
        uint64_t functions
        uint32_t cdecl_calls
        char detail[512]

    ctypedef struct cf_open_question:
        char config[256]
        char profile[32]
        uint32_t flags
        uint32_t layout_size
        uint32_t channel
        uint32_t wait_when_full
        uint32_t device_clock
        uint32_t fd
        uint32_t follow_clock
        int64_t coalesce_ns
        int64_t reconnect_ns

    ctypedef struct cf_driver_status:
        uint32_t channel_status
        uint32_t last_error_code
        uint32_t last_error_subcode
        char text[84]

    ctypedef struct cf_driver_statistics:
        uint32_t counters[7]

    ctypedef struct cf_driver_versions:
        uint32_t level
        uint32_t version
        uint32_t dll_version
        char vendor[256]
        char info[2048]

cdef extern from "canal_fast/live/port.h" nogil:
    ctypedef struct cf_waiting:
        int (*interrupted)() noexcept

    ctypedef struct cf_port:
        cf_consumer consumer
        cf_waiting waiting

    void cf_port_hurry(cf_port *port, int64_t left_ns)

    ctypedef struct cf_snapshot:
        cf_ledger ledger
        int overruns_known
        uint32_t layout_size
        uint64_t driver_queue
        uint64_t sent
        uint64_t send_rejected

    cf_status cf_port_load(cf_port *port, const char *path, cf_convention convention, cf_load_answer *answer,
                           long *code)
    cf_status cf_port_open(cf_port *port, const cf_open_question *question, const cf_filter *filters, size_t count,
                           char *why, long *code)
    cf_status cf_port_stop(cf_port *port)
    cf_status cf_port_close(cf_port *port, long *code)
    void cf_port_free(cf_port *port)
    cf_status cf_port_send(cf_port *port, const void *frames, size_t count, size_t stride, int64_t timeout_ns,
                           size_t *accepted, long *code)
    void cf_port_reject(cf_port *port, size_t count)
    cf_status cf_port_status(cf_port *port, cf_driver_status *answer, long *code)
    cf_status cf_port_statistics(cf_port *port, cf_driver_statistics *answer, int *filled, long *code)
    cf_status cf_port_versions(cf_port *port, cf_driver_versions *answer, long *code)
    cf_status cf_port_set(cf_port *port, cf_operation operation, unsigned long value, long *code)
    void cf_port_snapshot(cf_port *port, cf_snapshot *now)

cdef extern from "canal_fast/live/port_thread.h" nogil:
    cf_status cf_thread_port_new(uint64_t ring_capacity, uint32_t slot_size, cf_port **result)

cdef extern from "canal_fast/live/port_host.h" nogil:
    enum:
        CF_HOST_PROTOCOL

    cf_status cf_host_port_new(const char *host, uint64_t ring_capacity, uint32_t slot_size, cf_port **result,
                               long *code)
    uint64_t cf_host_port_process(const cf_port *port)

cdef extern from "canal_fast/live/drain.h" nogil:
    cf_status cf_port_transmit_pending(cf_port *port, uint64_t *waiting, int *moving, long *code)

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

    cf_periodic *cf_periodic_new(cf_port *port)
    cf_status cf_periodic_add(cf_periodic *periodic, cf_task *task)
    void cf_periodic_remove(cf_periodic *periodic, cf_task *task)
    void cf_periodic_modify(cf_periodic *periodic, cf_task *task, const void *frames)
    void cf_periodic_counters(cf_periodic *periodic, const cf_task *task, cf_task_counters *counters, int *active,
                              long *failure_code)
    void cf_periodic_stop(cf_periodic *periodic)
    void cf_periodic_free(cf_periodic *periodic)
