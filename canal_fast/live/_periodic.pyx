"""Glue of periodic.h: cyclic sending."""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from canal_fast._gate cimport Loan, driver_error, forks, lend_frames, refuse_forked
from canal_fast.capi.base cimport CF_OK, cf_status
from canal_fast.capi.live cimport (
    cf_periodic,
    cf_periodic_add,
    cf_periodic_counters,
    cf_periodic_free,
    cf_periodic_modify,
    cf_periodic_new,
    cf_periodic_remove,
    cf_periodic_stop,
    cf_port,
    cf_task,
    cf_task_counters,
)

# What a running thread uses is not taken apart by the garbage collector, but by __dealloc__ in order.
@cython.no_gc_clear
cdef class Sender:
    """The sending thread of a channel, from the first task on. `port` stays open as long as tasks run."""

    cdef cf_periodic *periodic
    cdef unsigned born
    cdef object port
    cdef set tasks

    def __init__(self, port):
        if self.periodic != NULL:
            raise TypeError("a sender is made once")
        self.born = forks()
        self.tasks = set()
        self.port = port
        self.periodic = cf_periodic_new(<cf_port *>PyCapsule_GetPointer(port.capsule(), "canal_fast.port"))
        if self.periodic == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.periodic != NULL and self.born == forks():
            with nogil:
                cf_periodic_stop(self.periodic)
            cf_periodic_free(self.periodic)

    cdef int check(self) except -1:
        if self.periodic == NULL:
            raise TypeError("not made by Sender(port)")
        return refuse_forked(self.born)

    def start(self, frames, int64_t period_ns, bint in_turn, uint64_t times):
        """A task that sends the frames, or one of them in turn, every period_ns from now on; `times` 0: for ever."""
        self.check()
        cdef Loan loan = lend_frames(frames, "frames", False)
        cdef size_t size = loan.count * loan.stride
        cdef Task self_task = Task()
        cdef cf_task *task = <cf_task *>calloc(1, sizeof(cf_task))
        cdef cf_status status
        self_task.task = task
        if task != NULL:
            task.frames = malloc(size + 1)
        if task == NULL or task.frames == NULL:
            raise MemoryError
        memcpy(task.frames, loan.at, size)
        task.count, task.stride, task.period_ns = loan.count, loan.stride, period_ns
        task.in_turn, task.times_left = in_turn, times
        with nogil:
            status = cf_periodic_add(self.periodic, task)
        if status != CF_OK:
            raise driver_error(status, 0, "send_periodic")
        self_task.sender = self
        self.tasks -= {other for other in list(self.tasks) if not other.statistics()["active"]}  # ended by themselves
        self.tasks.add(self_task)
        return self_task

    def stop(self):
        """End all tasks."""
        if self.periodic != NULL and self.born == forks():
            with nogil:
                cf_periodic_stop(self.periodic)
            self.tasks.clear()


@cython.no_gc_clear
cdef class Task:
    """Frames that are sent cyclically."""

    cdef cf_task *task
    cdef Sender sender  # keeps the thread, and this task in turn, until the task is stopped

    def __dealloc__(self):
        cdef cf_periodic *periodic
        if self.task != NULL:
            if self.sender is not None and self.sender.born == forks():
                periodic = self.sender.periodic
                with nogil:  # waits for a driver that another task's frames are being sent to
                    cf_periodic_remove(periodic, self.task)
            free(self.task.frames)
            free(self.task)

    cdef int check(self) except -1:
        if self.sender is None:
            raise TypeError("tasks are made by Sender.start")
        return self.sender.check()

    def stop(self):
        self.check()
        with nogil:
            cf_periodic_remove(self.sender.periodic, self.task)
        self.sender.tasks.discard(self)

    def modify(self, frames):
        """`frames`: as many as before, of the same dtype."""
        self.check()
        cdef Loan loan = lend_frames(frames, "frames", False)
        if <size_t>loan.count != self.task.count or <size_t>loan.stride != self.task.stride:
            raise ValueError(
                f"frames has {loan.count} records of {loan.stride} bytes; the task sends {self.task.count} of "
                f"{self.task.stride}: stop it and start another"
            )
        with nogil:
            cf_periodic_modify(self.sender.periodic, self.task, loan.at)

    def statistics(self):
        """The counters as a dict, and `active` and `failure_code`."""
        cdef cf_task_counters counters
        cdef int active
        cdef long failure_code
        self.check()
        with nogil:
            cf_periodic_counters(self.sender.periodic, self.task, &counters, &active, &failure_code)
        return dict(counters, active=bool(active), failure_code=failure_code)
