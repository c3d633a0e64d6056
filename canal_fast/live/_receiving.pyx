# cython: binding=True, embedsignature.format=c
# Public methods, which keep their way of being called and shown
"""Channel's receive and receive_into, whole, where other glue only checks, calls and translates: for one frame a call
the Python around that was half of the work."""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint32_t, uint64_t

from canal_fast._gate cimport Loan, forks, lend, refuse_forked
from canal_fast.capi cimport live
from canal_fast.capi.live cimport cf_port

import time

from numpy import frombuffer

from canal_fast.errors import ChannelClosedError

cdef int64_t FRAMES_MOST = 0x100_0000_0000  # _MAX_FRAMES of batches.py
cdef double EXACT_S = 1e9  # so many seconds are whole nanoseconds in 63 bits
cdef Py_ssize_t ONES = 64


@cython.auto_pickle(False)
cdef class Receiving:
    """What takes frames out of a port. Threads may share it."""

    cdef object port  # the _live.Port that `at` is of; None: never open
    cdef cf_port *at
    cdef unsigned born
    cdef object dtype
    cdef Py_ssize_t size
    cdef list ones  # arrays of one record, the last of which begins at `one`: one by one they are most of the work
    cdef char *one

    def _receive_from(self, port, dtype):
        self.at = <cf_port *>PyCapsule_GetPointer(port.capsule(), "canal_fast.port")
        self.port, self.dtype, self.size = port, dtype, dtype.itemsize
        self.born, self.ones = forks(), []

    cdef int check_open(self) except -1:
        if self.port is None:
            raise ChannelClosedError("the channel was never open")
        refuse_forked(self.born)
        return PyErr_CheckSignals()

    cdef int64_t wait_ns(self, timeout) except? -1:
        if timeout is None:
            return -1
        if type(timeout) is float and 0 <= <double>timeout <= EXACT_S:
            return <int64_t>(<double>timeout * 1e9)
        return self._wait_ns(timeout) if timeout else 0

    cdef object room(self, Py_ssize_t count, char **at):
        """A writable array of `count` records, and where they are."""
        cdef Py_ssize_t i
        cdef list ones
        if count != 1:
            # A bytearray: numpy.empty takes longer than all the rest to make a small array of records.
            block = bytearray(count * self.size)
            at[0] = PyByteArray_AS_STRING(block)
            return frombuffer(block, self.dtype)
        if not self.ones:
            block = bytearray(ONES * self.size)
            every = frombuffer(block, self.dtype)
            ones = [every[i : i + 1] for i in range(ONES)]
            self.one, self.ones = PyByteArray_AS_STRING(block) + (ONES - 1) * self.size, ones
        at[0] = self.one
        self.one -= self.size
        return self.ones.pop()

    @cython.annotation_typing(False)
    @cython.embedsignature(False)
    def receive(self, max_frames: int = 4096, *, min_frames: int = 1, timeout: float | None = None) -> FrameArray:
        """Take frames out, oldest first.

        Parameters
        ----------
        max_frames : int
            At most so many.
        min_frames : int
            Wait until so many are there, or the time is over, whichever comes first. 0: take what is there.
        timeout : float or None
            Seconds; None waits for ever.

        Returns
        -------
        array of FRAME_DTYPE, or FD_FRAME_DTYPE with `fd`, shape (n,)
            n <= max_frames; empty when the time is over and nothing came.

        Raises
        ------
        ChannelClosedError
            Stopped or closed, and nothing is left; also where none are wanted or waited for.
        DriverError
            The driver failed, and nothing is left; likewise.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     accepted = a.send(cf.make_frames([1, 2, 3]))
        ...     frames = b.receive(min_frames=3, timeout=5)
        ...     late = b.receive(timeout=0.01)
        >>> len(frames), len(late)
        (3, 0)
        """
        cdef int64_t most, left, end_ns = 0
        cdef uint32_t wanted = 1
        cdef uint64_t waiting
        cdef size_t got
        cdef char *at = NULL
        self.check_open()
        if type(max_frames) is not int or not 1 <= max_frames <= FRAMES_MOST:
            max_frames = self._max_frames(max_frames)
        most = max_frames
        if min_frames != 1:
            wanted = self._wanted(min_frames, max_frames)
        left = self.wait_ns(timeout)
        waiting = live.cf_consumer_ready(&self.at.consumer, wanted)
        while True:
            if waiting == 0:
                if left > 0 and end_ns == 0:
                    end_ns = time.monotonic_ns() + left
                waiting = self.port.wait(wanted, left)
            if waiting > <uint64_t>most:
                waiting = most
            frames = self.room(waiting, &at)
            got = 0
            if waiting:
                got = live.cf_consumer_take_at_once(&self.at.consumer, 1, at, waiting)
                if got == 0:
                    with nogil:
                        got = live.cf_consumer_take(&self.at.consumer, at, waiting)
            # Another thread may have taken what waited: wait for the rest of the time.
            if got or wanted == 0 or left == 0:
                return frames if got == waiting else frames[:got]
            if end_ns:
                left = max(end_ns - <int64_t>time.monotonic_ns(), 0)
            waiting = 0

    @cython.annotation_typing(False)
    @cython.embedsignature(False)
    def receive_into(self, buffer: FrameArray, *, min_frames: int = 1, timeout: float | None = None) -> int:
        """Like `receive`, into the caller's array of the channel's dtype; allocates nothing. Returns how many.

        Examples
        --------
        >>> buffer = np.empty(4096, cf.FRAME_DTYPE)
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     accepted = a.send(cf.make_frames([1, 2, 3]))
        ...     count = b.receive_into(buffer, min_frames=3, timeout=5)
        >>> buffer["arbitration_id"][:count].tolist()
        [1, 2, 3]
        """
        cdef uint32_t wanted = 1
        cdef int64_t left
        self.check_open()
        if min_frames != 1:
            wanted = self._wanted(min_frames, len(buffer))
        left = self.wait_ns(timeout)
        cdef Loan loan = lend(buffer, self.dtype, "buffer", True)
        cdef size_t got = live.cf_consumer_take_at_once(&self.at.consumer, wanted, loan.at, loan.count)
        if got == 0:
            if live.cf_consumer_ready(&self.at.consumer, wanted) == 0:
                self.port.wait(wanted, left)
            got = live.cf_consumer_take_at_once(&self.at.consumer, 1, loan.at, loan.count)
            if got == 0:
                with nogil:
                    got = live.cf_consumer_take(&self.at.consumer, loan.at, loan.count)
        return got
