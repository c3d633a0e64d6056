"""Glue of live/port.h and consumer.h: a channel, whether its driver is in this process or in a host."""

from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset, strncpy

from canal_fast._gate cimport Loan, driver_error, forks, lend, lend_frames, refuse_forked
from canal_fast.capi cimport live
from canal_fast.capi.base cimport (
    CF_DISCONNECTED, CF_DRIVER_HANGS, CF_NOT_SUPPORTED, CF_OK, CF_TIMED_OUT, cf_status,
)
from canal_fast.capi.frame cimport cf_fd_frame, cf_filter, cf_frame_head
from canal_fast.capi.live cimport cf_port
from canal_fast.capi.system cimport cf_convention

from canal_fast.live.glue cimport call_name, filter_rows, interrupted, raise_interrupted

from canal_fast._gate import FD_FRAME_DTYPE, FRAME_DTYPE

CONFIG_BYTES = live.CF_CONFIG_BYTES
HOST_PROTOCOL = live.CF_HOST_PROTOCOL

ctypedef object (*convert_function)(const cf_frame_head *, object, object)

cdef int64_t SLICE_NS = 100_000_000  # how long a wait goes on before signals are looked at


cdef class Port:
    """A channel from load to close: its ring, its ledger, and the way to its driver."""

    cdef cf_port *port
    cdef unsigned born
    cdef bint hurried  # the program ends: what a driver has is left to it
    cdef object dtype
    cdef readonly object host  # number of the host process, or None
    cdef readonly unsigned long long functions  # that the library exports, as cf_library has them

    @staticmethod
    def make(bytes host, uint64_t ring_capacity, bint fd):
        """(status, code, port); `host` is the program that the driver is to run in, None for this process."""
        cdef Port self = Port()
        cdef const char *program = NULL
        if host is not None:
            program = host
        cdef long code = 0
        cdef cf_status status
        self.born = forks()
        self.dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        cdef uint32_t slot_size = self.dtype.itemsize
        cdef cf_port *port = NULL
        with nogil:
            if program != NULL:
                status = live.cf_host_port_new(program, ring_capacity, slot_size, &port, &code)
            else:
                status = live.cf_thread_port_new(ring_capacity, slot_size, &port)
        if status != CF_OK:
            return int(status), code, None
        self.port = port
        port.waiting.interrupted = interrupted
        self.host = None if host is None else live.cf_host_port_process(port)
        return int(status), code, self

    def load(self, bytes path, int convention):
        """(status, code, detail). `convention`: see convention.h."""
        cdef cf_port *port = self.at()
        cdef const char *text = path
        cdef live.cf_load_answer answer
        cdef long code = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_load(port, text, <cf_convention>convention, &answer, &code)
        raise_interrupted(status)
        self.functions = answer.functions
        return int(status), code, answer.detail.decode("utf-8", "replace")

    def open(self, bytes config, str profile, list filters, *, uint32_t flags=0, uint32_t layout_size=0,
             uint32_t channel=0, bint wait_when_full=False, bint device_clock=False, bint follow_clock=False,
             int64_t coalesce_ns=1_000_000, int64_t reconnect_ns=0):
        """(status, code, why). The arguments are the members of cf_open_question."""
        cdef cf_port *port = self.at()
        cdef live.cf_open_question question
        cdef bytes name = profile.encode()
        cdef char why[live.CF_WHY_BYTES]
        cdef size_t count = len(filters)
        cdef long code = 0
        cdef cf_status status
        memset(&question, 0, sizeof(question))
        strncpy(question.config, config, sizeof(question.config) - 1)
        strncpy(question.profile, name, sizeof(question.profile) - 1)
        question.flags, question.layout_size, question.channel = flags, layout_size, channel
        question.wait_when_full, question.fd = wait_when_full, self.dtype is FD_FRAME_DTYPE
        question.device_clock, question.follow_clock = device_clock, follow_clock
        question.coalesce_ns, question.reconnect_ns = coalesce_ns, reconnect_ns
        cdef cf_filter *rows = filter_rows(filters)
        with nogil:
            status = live.cf_port_open(port, &question, rows, count, why, &code)
        free(rows)
        raise_interrupted(status)
        return int(status), code, why.decode("utf-8", "replace")

    def __dealloc__(self):
        cdef long code
        if self.port != NULL and self.born == forks() and not self.hurried:
            self.port.waiting.interrupted = NULL
            with nogil:
                live.cf_port_close(self.port, &code)
                live.cf_port_free(self.port)

    def __reduce__(self):
        raise TypeError("an open channel cannot be pickled")

    cdef cf_port *at(self) except NULL:
        if self.port == NULL:
            raise TypeError("not made by Port.make")
        refuse_forked(self.born)
        return self.port

    cdef int check(self, cf_status status, long code, str operation) except -1:
        raise_interrupted(status)
        if status != CF_OK:
            raise driver_error(status, code, call_name(status, code, operation))
        return 0

    def capsule(self):
        """The port for other glue modules, which keep this object meanwhile."""
        return PyCapsule_New(self.at(), "canal_fast.port", NULL)

    def stop(self):
        cdef cf_port *port = self.at()
        cdef cf_status status
        with nogil:
            status = live.cf_port_stop(port)
        raise_interrupted(status)  # what hangs is told by close

    def close(self):
        """What CanalClose returned; 0 when it was closed before. In a forked child: does nothing."""
        cdef long code = 0
        cdef cf_status status
        if self.born != forks() or self.port == NULL:
            return 0
        with nogil:
            status = live.cf_port_close(self.port, &code)
        if status == CF_TIMED_OUT:
            status = CF_DRIVER_HANGS
        self.check(status, code, "CanalClose")
        return code

    def hurry(self, int64_t left_ns):
        """Begin to close, without waiting; nobody waits for the driver any more once that time is over."""
        if self.born == forks() and self.port != NULL:
            self.hurried = True
            with nogil:
                live.cf_port_hurry(self.port, left_ns)

    # -- receiving

    cdef uint64_t await_records(self, uint32_t wanted, int64_t timeout_ns) except? 0:
        cdef int64_t step, left = INT64_MAX if timeout_ns < 0 else timeout_ns
        cdef uint64_t pending = 0
        cdef long code = 0
        cdef cf_status status
        while True:
            step = left if left < SLICE_NS else SLICE_NS
            with nogil:
                status = live.cf_consumer_wait(&self.port.consumer, wanted, step, &pending, &code)
            PyErr_CheckSignals()
            left -= step
            if status != CF_TIMED_OUT or left <= 0:
                break
        if status != CF_TIMED_OUT:
            self.check(status, code, "CanalReceive")
        return pending

    cdef size_t take(self, void *records, size_t count) noexcept:
        cdef size_t got = live.cf_consumer_take_at_once(&self.port.consumer, 1, records, count)
        if got == 0:
            with nogil:
                got = live.cf_consumer_take(&self.port.consumer, records, count)
        return got

    def descriptor(self, uint32_t wanted):
        """A file descriptor that is readable while `wanted` records wait; None where there is no such thing."""
        cdef int descriptor
        cdef cf_status status = live.cf_consumer_descriptor(&self.at().consumer, wanted, &descriptor)
        if status == CF_NOT_SUPPORTED:
            return None
        self.check(status, 0, "fileno")
        return descriptor

    def wait(self, uint32_t wanted, int64_t timeout_ns):
        """Number of records that wait, once they are `wanted` or the time is over (negative: never)."""
        cdef uint64_t pending
        self.at()
        PyErr_CheckSignals()
        pending = live.cf_consumer_ready(&self.port.consumer, wanted)
        return pending if pending else self.await_records(wanted, timeout_ns)

    def take_into(self, buffer):
        """Move records that wait into `buffer`; returns how many."""
        self.at()
        cdef Loan loan = lend(buffer, self.dtype, "buffer", True)
        return self.take(loan.at, loan.count)

    def receive_into(self, buffer, uint32_t wanted, int64_t timeout_ns):
        """wait and take_into in one."""
        cdef cf_port *port = self.at()
        cdef Loan loan = lend(buffer, self.dtype, "buffer", True)
        PyErr_CheckSignals()
        cdef size_t got = live.cf_consumer_take_at_once(&port.consumer, wanted, loan.at, loan.count)
        if got == 0:
            if live.cf_consumer_ready(&port.consumer, wanted) == 0:
                self.await_records(wanted, timeout_ns)
            got = self.take(loan.at, loan.count)
        return got

    def receive(self, converter, message, label, int64_t timeout_ns):
        """The next record as `converter` (of _messages) makes it a `message`; None when none came in time (negative:
        any time), or another thread or the filters took it."""
        cdef cf_port *port = self.at()
        cdef convert_function convert = <convert_function>PyCapsule_GetPointer(converter, "canal_fast.converter")
        cdef cf_fd_frame record
        PyErr_CheckSignals()
        cdef size_t got = live.cf_consumer_take_at_once(&port.consumer, 1, &record, 1)
        if got == 0 and self.wait(1, timeout_ns):
            with nogil:
                got = live.cf_consumer_take(&port.consumer, &record, 1)
        return convert(<const cf_frame_head *>&record, message, label) if got else None

    def set_filters(self, list filters, bint waiting):
        """`filters`: (can_id, can_mask, extended or None) each; `waiting`: also for records that wait."""
        cdef cf_port *port = self.at()
        cdef size_t count = len(filters)
        cdef cf_filter *rows = filter_rows(filters)
        cdef cf_status status
        with nogil:
            status = live.cf_consumer_filter(&port.consumer, rows, count, waiting)
        free(rows)
        self.check(status, 0, "set_filters")

    # -- sending and asking

    def send(self, frames, int64_t timeout_ns):
        """Number of frames that the driver took in time (negative: any time)."""
        cdef cf_port *port = self.at()
        cdef Loan loan = lend_frames(frames, "frames", False)
        cdef int64_t step, left = INT64_MAX if timeout_ns < 0 else timeout_ns
        cdef size_t total = 0, accepted = 0
        cdef long code = 0
        cdef cf_status status = CF_OK
        try:
            while True:
                step = left if left < SLICE_NS else SLICE_NS
                with nogil:
                    status = live.cf_port_send(port, <char *>loan.at + total * loan.stride, loan.count - total,
                                               loan.stride, step, &accepted, &code)
                total += accepted
                left -= step
                if status != CF_TIMED_OUT or left <= 0:
                    break
                PyErr_CheckSignals()
        finally:
            live.cf_port_reject(port, loan.count - total)
        raise_interrupted(status)
        if status != CF_OK and status != CF_TIMED_OUT:
            error = driver_error(status, code, call_name(status, code, "CanalSend"))
            error.add_note(f"{total} of {loan.count} frames were accepted")
            error.accepted = total
            raise error
        return total

    def snapshot(self):
        """The ledger as a dict, driver_overruns None when the driver does not tell; layout; the driver's queue."""
        cdef cf_port *port = self.at()
        cdef live.cf_snapshot now
        with nogil:
            live.cf_port_snapshot(port, &now)
        books = dict(now.ledger.counters)
        books.update(delivered=now.ledger.delivered, pending=now.ledger.pending, sent=now.sent,
                     send_rejected=now.send_rejected)
        for name in ("clock_step_ns", "clock_step_before_ns", "clock_step_after_ns"):
            books[name] = <int64_t><uint64_t>books[name]
        if not now.overruns_known:
            books["driver_overruns"] = None
        return books, now.layout_size, now.driver_queue

    def clock(self):
        """What the clock knows, as a dict."""
        cdef cf_port *port = self.at()
        cdef live.cf_clock_report report
        with nogil:
            live.cf_clock_read(&port.consumer.share.clock, &report)
        return report

    def status(self):
        """(channel_status, last_error_code, last_error_subcode, text); None while the driver is away."""
        cdef cf_port *port = self.at()
        cdef live.cf_driver_status answer
        cdef long code = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_status(port, &answer, &code)
        if status == CF_DISCONNECTED:
            return None
        self.check(status, code, "CanalGetStatus")
        text = (<bytes>answer.text).decode("utf-8", "replace")
        return answer.channel_status, answer.last_error_code, answer.last_error_subcode, text

    def statistics(self):
        """The seven counters, or None when the driver did not fill them in."""
        cdef cf_port *port = self.at()
        cdef live.cf_driver_statistics answer
        cdef int filled = 0
        cdef long code = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_statistics(port, &answer, &filled, &code)
        self.check(status, code, "CanalGetStatistics")
        return [answer.counters[i] for i in range(live.CF_STATISTICS_WORDS)] if filled else None

    def transmit_pending(self):
        """(frames that the driver has not yet sent, will they go by themselves?), or None where it does not tell."""
        cdef cf_port *port = self.at()
        cdef uint64_t waiting = 0
        cdef long code = 0
        cdef int moving = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_transmit_pending(port, &waiting, &moving, &code)
        raise_interrupted(status)
        return (waiting, bool(moving)) if status == CF_OK else None

    def versions(self):
        """What the driver says of itself, as a dict."""
        cdef cf_port *port = self.at()
        cdef live.cf_driver_versions answer
        cdef long code = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_versions(port, &answer, &code)
        self.check(status, code, "CanalGetVersion")
        return {
            "level": answer.level, "version": answer.version, "dll_version": answer.dll_version,
            "vendor": (<bytes>answer.vendor).decode("utf-8", "replace"),
            "info": (<bytes>answer.info).decode("utf-8", "replace"),
        }

    cdef int set_value(self, live.cf_operation operation, unsigned long value, str name) except -1:
        cdef cf_port *port = self.at()
        cdef long code = 0
        cdef cf_status status
        with nogil:
            status = live.cf_port_set(port, operation, value, &code)
        return self.check(status, code, name)

    def set_filter(self, unsigned long value):
        self.set_value(live.CF_ASK_SET_FILTER, value, "CanalSetFilter")

    def set_mask(self, unsigned long value):
        self.set_value(live.CF_ASK_SET_MASK, value, "CanalSetMask")

    def set_baudrate(self, unsigned long code):
        self.set_value(live.CF_ASK_SET_BAUDRATE, code, "CanalSetBaudrate")
