from libc.stdint cimport int64_t, uint64_t

from canal_fast.capi.base cimport cf_status
from canal_fast.capi.channel cimport cf_channel


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
