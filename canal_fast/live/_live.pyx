"""Glue of library.h, driver.h, consumer.h and port.h: driver libraries and open channels."""

from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from canal_fast._gate cimport borrow, borrow_frames, driver_error
from canal_fast.capi.base cimport CF_DISCONNECTED, CF_NOT_SUPPORTED, CF_OK, CF_TIMED_OUT, cf_status
from canal_fast.capi.canal cimport (
    CF_CANAL_EXTENSION_COUNT,
    CF_CANAL_FUNCTION_COUNT,
    CF_FN_set_baudrate,
    CF_FN_set_filter,
    CF_FN_set_mask,
    cf_canal_extension,
)
from canal_fast.capi.drivers cimport (
    cf_function,
    cf_layout_of_size,
    cf_library,
    cf_library_load,
    cf_profile_choose,
    cf_profile_named,
)
from canal_fast.capi.frame cimport CF_FILTER_ANY_FORMAT, cf_filter
from canal_fast.capi.live cimport (
    CF_BRIDGE_FILTERS,
    CF_BRIDGE_VERSION,
    CF_CONFIG_BYTES,
    CF_STATISTICS_WORDS,
    CF_WHY_BYTES,
    cf_bridge,
    cf_bridge_load,
    cf_bridge_open,
    cf_bridge_start,
    cf_channel,
    cf_channel_close,
    cf_channel_filter,
    cf_channel_free,
    cf_channel_layout,
    cf_channel_open,
    cf_channel_options,
    cf_channel_queue,
    cf_channel_reject,
    cf_channel_send,
    cf_channel_sent,
    cf_channel_set,
    cf_channel_statistics,
    cf_channel_status,
    cf_channel_stop,
    cf_channel_transmit_pending,
    cf_channel_versions,
    cf_clock_read,
    cf_clock_report,
    cf_consumer_descriptor,
    cf_consumer_ledger,
    cf_consumer_ready,
    cf_consumer_take,
    cf_consumer_take_at_once,
    cf_consumer_wait,
    cf_driver_status,
    cf_driver_versions,
    cf_ledger,
    cf_process_number,
)
from canal_fast.capi.system cimport cf_convention, cf_system_symbol

from canal_fast._gate import FD_FRAME_DTYPE, FRAME_DTYPE
from canal_fast.errors import ChannelClosedError

CONFIG_BYTES = CF_CONFIG_BYTES
BRIDGE_VERSION = CF_BRIDGE_VERSION
BRIDGE_FILTERS = CF_BRIDGE_FILTERS

cdef int64_t SLICE_NS = 100_000_000  # how long a wait goes on before signals are looked at
cdef unsigned generation = 0  # counts the forks between the first process and this one


def after_fork_in_child():
    """Channels opened before belong to the parent from now on."""
    global generation
    generation += 1


cdef class Library:
    """A loaded driver library; never unloaded. Or one that a host process loaded, for one channel."""

    cdef cf_library library
    cdef cf_bridge *bridge
    cdef unsigned born
    cdef readonly str why  # an open in a host failed

    @staticmethod
    def load(bytes path, int convention):
        """(status, detail, library); the library is None unless status is 0. `convention`: see convention.h."""
        cdef Library self = Library()
        cdef const char *text = path
        cdef cf_status status
        with nogil:
            status = cf_library_load(&self.library, text, <cf_convention>convention)
        return int(status), self.library.detail.decode("utf-8", "replace"), self if status == CF_OK else None

    @staticmethod
    def load_in_host(bytes path, int convention, bytes host, uint64_t ring_capacity, uint32_t slot_size):
        """(status, code, detail, library); `host` is the program, the rest as for `load`."""
        cdef Library self = Library()
        cdef const char *text = path
        cdef const char *program = host
        cdef long code = 0
        cdef cf_status status
        self.born = generation
        with nogil:
            status = cf_bridge_start(program, ring_capacity, slot_size, &self.bridge, &code)
            if status == CF_OK:
                status = cf_bridge_load(self.bridge, text, <cf_convention>convention, &self.library, &code)
        return int(status), code, self.library.detail.decode("utf-8", "replace"), self if status == CF_OK else None

    def __dealloc__(self):
        cdef long code
        if self.bridge != NULL and self.born == generation:
            with nogil:
                cf_channel_close(&self.bridge.channel, &code)
                cf_channel_free(&self.bridge.channel)

    def host(self):
        """Number of the host process, or None."""
        return None if self.bridge == NULL else cf_process_number(&self.bridge.process)

    def exported(self):
        """Names of the CANAL functions that the library exports."""
        return [cf_function(i).name.decode() for i in range(CF_CANAL_FUNCTION_COUNT) if self.library.functions >> i & 1]

    def extensions(self):
        """Names of the functions beyond CANAL that it exports, as far as they are known."""
        return [cf_canal_extension(i).decode() for i in range(CF_CANAL_EXTENSION_COUNT)
                if self.library.functions >> (32 + i) & 1]

    def profile(self, str name):
        """Name of the profile for these functions in a file of this name."""
        cdef bytes lower = name.lower().encode()
        return cf_profile_choose(lower, self.library.functions).name.decode()

    def convention(self):
        """"stdcall" or "cdecl"; they differ on 32-bit Windows only."""
        return "cdecl" if self.library.cdecl_calls else "stdcall"

    def address(self, size_t index):
        """Where function `index` of the table is, or 0."""
        cdef int decorated
        return <size_t>cf_system_symbol(self.library.system_handle, cf_function(index), &decorated)


cdef cf_filter *filter_rows(list filters, bint hosted) except NULL:
    """malloc'ed rows of (can_id, can_mask, extended or None) each."""
    cdef size_t count = len(filters), i
    if hosted and count > CF_BRIDGE_FILTERS:
        raise ValueError(f"filters: {count} of them; a host process takes 0..{CF_BRIDGE_FILTERS}")
    cdef cf_filter *rows = <cf_filter *>malloc((count + 1) * sizeof(cf_filter))
    if rows == NULL:
        raise MemoryError
    for i in range(count):
        rows[i].can_id, rows[i].can_mask = filters[i][0], filters[i][1]
        rows[i].extended = CF_FILTER_ANY_FORMAT if filters[i][2] is None else bool(filters[i][2])
    return rows


cdef class Handle:
    """An open channel: reader thread, ring, ledger."""

    cdef cf_channel *channel
    cdef bint borrowed  # from the library, which is in a host
    cdef unsigned born
    cdef object dtype
    cdef readonly Library library

    @staticmethod
    def open(Library library, bytes config, unsigned long flags, str profile, size_t layout, uint32_t channel,
             bint wait_when_full, bint device_clock, int64_t coalesce_ns, uint64_t ring_capacity,
             list filters, int64_t reconnect_ns, bint fd=False):
        """(status, code, handle). `layout` 0: find out. `profile` names a row."""
        cdef Handle self = Handle()
        cdef cf_channel_options options
        cdef bytes name = profile.encode()
        cdef char why[CF_WHY_BYTES]
        cdef long code = 0
        cdef cf_status status
        memset(&options, 0, sizeof(options))
        self.born = generation
        self.library = library
        self.borrowed = library.bridge != NULL
        options.config = config
        options.flags = flags
        options.profile = cf_profile_named(name)
        options.layout = cf_layout_of_size(layout)
        options.channel = channel
        options.wait_when_full = wait_when_full
        options.device_clock = device_clock
        options.fd = fd
        self.dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        options.coalesce_ns = coalesce_ns
        options.reconnect_ns = reconnect_ns
        options.ring_capacity = ring_capacity
        if options.profile == NULL:
            raise ValueError(f"no profile is called {profile!r}")
        cdef cf_filter *rows = filter_rows(filters, self.borrowed)
        options.filters = rows
        options.filter_count = len(filters)
        with nogil:
            if self.borrowed:
                self.channel = &library.bridge.channel
                status = cf_bridge_open(library.bridge, &options, why, &code)
            else:
                status = cf_channel_open(&library.library, &options, &self.channel, &code)
        free(rows)
        if self.borrowed:
            library.why = why.decode("utf-8", "replace")
        return int(status), code, self if status == CF_OK else None

    def __dealloc__(self):
        cdef long code
        if self.channel != NULL and not self.borrowed and self.born == generation:
            with nogil:
                cf_channel_close(self.channel, &code)
                cf_channel_free(self.channel)

    def __reduce__(self):
        raise TypeError("an open channel cannot be pickled")

    cdef int check(self) except -1:
        if self.channel == NULL:
            raise TypeError("not made by Handle.open")
        if self.born != generation:
            raise ChannelClosedError("the channel belongs to the process that forked this one")
        return 0

    def capsule(self):
        """The channel for other glue modules, which keep this object meanwhile."""
        self.check()
        return PyCapsule_New(self.channel, "canal_fast.channel", NULL)

    def stop(self):
        self.check()
        with nogil:
            cf_channel_stop(self.channel)

    def close(self):
        """(hangs, what CanalClose returned); 0 when it was closed before. In a forked child: does nothing."""
        cdef long code
        cdef cf_status status
        if self.born != generation or self.channel == NULL:
            return False, 0
        with nogil:
            status = cf_channel_close(self.channel, &code)
        if status != CF_OK and status != CF_TIMED_OUT:
            raise driver_error(status, code, "CanalClose")
        return status != CF_OK, code

    cdef uint64_t await_records(self, uint32_t wanted, int64_t timeout_ns) except? 0:
        cdef int64_t left = INT64_MAX if timeout_ns < 0 else timeout_ns
        cdef int64_t step
        cdef uint64_t pending = 0
        cdef long code = 0
        cdef cf_status status
        while True:
            step = left if left < SLICE_NS else SLICE_NS
            with nogil:
                status = cf_consumer_wait(&self.channel.consumer, wanted, step, &pending, &code)
            PyErr_CheckSignals()
            left -= step
            if status != CF_TIMED_OUT or left <= 0:
                break
        if status != CF_OK and status != CF_TIMED_OUT:
            raise driver_error(status, code, "CanalReceive")
        return pending

    def descriptor(self, uint32_t wanted):
        """A file descriptor that is readable while `wanted` records wait; None where there is no such thing."""
        cdef int descriptor
        cdef cf_status status
        self.check()
        status = cf_consumer_descriptor(&self.channel.consumer, wanted, &descriptor)
        if status == CF_NOT_SUPPORTED:
            return None
        if status != CF_OK:
            raise driver_error(status, 0, "fileno")
        return descriptor

    cdef size_t take(self, void *records, size_t count) noexcept:
        cdef size_t got = cf_consumer_take_at_once(&self.channel.consumer, 1, records, count)
        if got == 0:
            with nogil:
                got = cf_consumer_take(&self.channel.consumer, records, count)
        return got

    def wait(self, uint32_t wanted, int64_t timeout_ns):
        """Number of records that wait, once they are `wanted` or the time is over (negative: never)."""
        cdef uint64_t pending
        self.check()
        PyErr_CheckSignals()
        pending = cf_consumer_ready(&self.channel.consumer, wanted)
        return pending if pending else self.await_records(wanted, timeout_ns)

    def take_into(self, buffer):
        """Move records that wait into `buffer`; returns how many."""
        cdef Py_buffer view
        cdef size_t count = borrow(buffer, self.dtype, "buffer", True, &view)
        cdef size_t got = self.take(view.buf, count)
        PyBuffer_Release(&view)
        return got

    def receive_into(self, buffer, uint32_t wanted, int64_t timeout_ns):
        """wait and take_into in one."""
        cdef Py_buffer view
        cdef size_t got
        cdef size_t count = borrow(buffer, self.dtype, "buffer", True, &view)
        try:
            self.check()
            PyErr_CheckSignals()
            got = cf_consumer_take_at_once(&self.channel.consumer, wanted, view.buf, count)
            if got == 0:
                if cf_consumer_ready(&self.channel.consumer, wanted) == 0:
                    self.await_records(wanted, timeout_ns)
                got = self.take(view.buf, count)
        finally:
            PyBuffer_Release(&view)
        return got

    def send(self, frames, int64_t timeout_ns):
        """Number of frames that the driver took in time (negative: any time)."""
        self.check()
        cdef Py_buffer view
        cdef size_t count = borrow_frames(frames, "frames", False, &view)
        cdef int64_t left = INT64_MAX if timeout_ns < 0 else timeout_ns
        cdef int64_t step
        cdef size_t total = 0, accepted = 0
        cdef long code = 0
        cdef cf_status status = CF_OK
        try:
            while True:
                step = left if left < SLICE_NS else SLICE_NS
                with nogil:
                    status = cf_channel_send(self.channel, <char *>view.buf + total * view.itemsize, count - total,
                                             view.itemsize, step, &accepted, &code)
                total += accepted
                left -= step
                if status != CF_TIMED_OUT or left <= 0:
                    break
                PyErr_CheckSignals()
        finally:
            cf_channel_reject(self.channel, count - total)
            PyBuffer_Release(&view)
        if status != CF_OK and status != CF_TIMED_OUT:
            error = driver_error(status, code, "CanalSend")
            error.add_note(f"{total} of {count} frames were accepted")
            error.accepted = total
            raise error
        return total

    def set_filters(self, list filters, bint waiting):
        """`filters`: (can_id, can_mask, extended or None) each; `waiting`: also for records that wait."""
        cdef size_t count = len(filters)
        cdef cf_status status
        self.check()
        cdef cf_filter *rows = filter_rows(filters, self.borrowed)
        with nogil:
            status = cf_channel_filter(self.channel, rows, count, waiting)
        free(rows)
        if status != CF_OK:
            raise driver_error(status, 0, "set_filters")

    def ledger(self):
        """The books as a dict; driver_overruns is None when the driver does not tell."""
        cdef cf_ledger books
        cdef uint64_t sent, rejected
        cdef int known
        self.check()
        with nogil:
            cf_consumer_ledger(&self.channel.consumer, &books, &known)
            cf_channel_sent(self.channel, &sent, &rejected)
        result = dict(books.counters)
        result.update(delivered=books.delivered, pending=books.pending, sent=sent, send_rejected=rejected)
        if not known:
            result["driver_overruns"] = None
        return result

    def clock(self):
        """What the clock knows, as a dict."""
        cdef cf_clock_report report
        self.check()
        with nogil:
            cf_clock_read(&self.channel.consumer.share.clock, &report)
        return report

    def status(self):
        """(channel_status, last_error_code, last_error_subcode, text); None while the driver is away."""
        cdef cf_driver_status result
        cdef long code = 0
        cdef cf_status status
        self.check()
        with nogil:
            status = cf_channel_status(self.channel, &result, &code)
        if status == CF_DISCONNECTED:
            return None
        if status != CF_OK:
            raise driver_error(status, code, "CanalGetStatus")
        text = (<bytes>result.text).decode("utf-8", "replace")
        return result.channel_status, result.last_error_code, result.last_error_subcode, text

    def statistics(self):
        """The seven counters, or None when the driver did not fill them in."""
        cdef uint32_t counters[CF_STATISTICS_WORDS]
        cdef int filled = 0
        cdef long code = 0
        cdef cf_status status
        self.check()
        with nogil:
            status = cf_channel_statistics(self.channel, counters, &filled, &code)
        if status != CF_OK:
            raise driver_error(status, code, "CanalGetStatistics")
        return [counters[i] for i in range(CF_STATISTICS_WORDS)] if filled else None

    def transmit_pending(self):
        """(frames that the driver has not yet sent, will they go by themselves?), or None where it does not tell."""
        cdef long waiting = 0, code = 0
        cdef int moving = 0
        cdef cf_status status
        self.check()
        with nogil:
            status = cf_channel_transmit_pending(self.channel, &waiting, &moving, &code)
        return (waiting, bool(moving)) if status == CF_OK else None

    def versions(self):
        """What the driver says of itself, as a dict."""
        cdef cf_driver_versions result
        cdef long code = 0
        cdef cf_status status
        self.check()
        with nogil:
            status = cf_channel_versions(self.channel, &result, &code)
        if status != CF_OK:
            raise driver_error(status, code, "CanalGetVersion")
        return {
            "level": result.level, "version": result.version, "dll_version": result.dll_version,
            "vendor": (<bytes>result.vendor).decode("utf-8", "replace"),
            "info": (<bytes>result.info).decode("utf-8", "replace"),
        }

    def layout(self):
        """Size of the message layout in use."""
        self.check()
        return cf_channel_layout(self.channel).size

    def queue(self):
        """Frames in the driver's own queue, as of the last drain."""
        self.check()
        return cf_channel_queue(self.channel)

    cdef int set_value(self, int function, unsigned long value, str operation) except -1:
        cdef long code = 0
        cdef cf_status status
        self.check()
        with nogil:
            status = cf_channel_set(self.channel, function, value, &code)
        if status != CF_OK:
            raise driver_error(status, code, operation)
        return 0

    def set_filter(self, unsigned long value):
        self.set_value(CF_FN_set_filter, value, "CanalSetFilter")

    def set_mask(self, unsigned long value):
        self.set_value(CF_FN_set_mask, value, "CanalSetMask")

    def set_baudrate(self, unsigned long code):
        self.set_value(CF_FN_set_baudrate, code, "CanalSetBaudrate")
