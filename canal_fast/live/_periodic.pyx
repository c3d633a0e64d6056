"""Glue of periodic.h: cyclic sending."""

cimport cython
from cpython.buffer cimport PyBuffer_Release
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from canal_fast._gate cimport borrow_frames, driver_error
from canal_fast.capi.base cimport CF_OK, cf_status
from canal_fast.capi.live cimport (
    cf_channel,
    cf_periodic,
    cf_periodic_add,
    cf_periodic_counters,
    cf_periodic_free,
    cf_periodic_modify,
    cf_periodic_new,
    cf_periodic_remove,
    cf_periodic_stop,
    cf_task,
    cf_task_counters,
)

from canal_fast.errors import ChannelClosedError

cdef unsigned generation = 0  # counts the forks between the first process and this one


def after_fork_in_child():
    """Senders made before belong to the parent from now on."""
    global generation
    generation += 1


# What a running thread uses is not taken apart by the garbage collector, but by __dealloc__ in order.
@cython.no_gc_clear
cdef class Sender:
    """The sending thread of a channel, from the first task on. `handle` stays open as long as tasks run."""

    cdef cf_periodic *periodic
    cdef unsigned born
    cdef object handle
    cdef set tasks

    def __init__(self, handle):
        if self.periodic != NULL:
            raise TypeError("a sender is made once")
        self.born = generation
        self.tasks = set()
        self.handle = handle
        self.periodic = cf_periodic_new(<cf_channel *>PyCapsule_GetPointer(handle.capsule(), "canal_fast.channel"))
        if self.periodic == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.periodic != NULL and self.born == generation:
            with nogil:
                cf_periodic_stop(self.periodic)
            cf_periodic_free(self.periodic)

    cdef int check(self) except -1:
        if self.periodic == NULL:
            raise TypeError("not made by Sender(handle)")
        if self.born != generation:
            raise ChannelClosedError("the channel belongs to the process that forked this one")
        return 0

    def start(self, frames, int64_t period_ns, bint in_turn, uint64_t times):
        """A task that sends the frames, or one of them in turn, every period_ns from now on; `times` 0: for ever."""
        cdef Task self_task = Task()
        cdef Py_buffer view
        cdef cf_status status
        cdef size_t count = borrow_frames(frames, "frames", False, &view)
        cdef cf_task *task = <cf_task *>calloc(1, sizeof(cf_task))
        self_task.task = task
        try:
            self.check()
            if task != NULL:
                task.frames = malloc(view.len + 1)
            if task == NULL or task.frames == NULL:
                raise MemoryError
            memcpy(task.frames, view.buf, view.len)
            task.count, task.stride, task.period_ns = count, view.itemsize, period_ns
            task.in_turn, task.times_left = in_turn, times
        finally:
            PyBuffer_Release(&view)
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
        if self.periodic != NULL and self.born == generation:
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
            if self.sender is not None and self.sender.born == generation:
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
        cdef Py_buffer view
        cdef size_t count = borrow_frames(frames, "frames", False, &view)
        try:
            self.check()
            if count != self.task.count or <size_t>view.itemsize != self.task.stride:
                raise ValueError(
                    f"frames has {count} records of {view.itemsize} bytes; the task sends {self.task.count} of "
                    f"{self.task.stride}: stop it and start another"
                )
            with nogil:
                cf_periodic_modify(self.sender.periodic, self.task, view.buf)
        finally:
            PyBuffer_Release(&view)

    def statistics(self):
        """The counters as a dict, and `active` and `failure_code`."""
        cdef cf_task_counters counters
        cdef int active
        cdef long failure_code
        self.check()
        with nogil:
            cf_periodic_counters(self.sender.periodic, self.task, &counters, &active, &failure_code)
        return dict(counters, active=bool(active), failure_code=failure_code)
