"""Glue of logger/*.h: which records are played, and their threads."""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport UINT64_MAX, int64_t, uint64_t
from libc.string cimport memset

from canal_fast._gate cimport Loan, driver_error, forks, lend, lend_frames, refuse_forked
from canal_fast.capi cimport logger
from canal_fast.capi.base cimport CF_OK, cf_code, cf_status
from canal_fast.capi.frame cimport CF_FILTER_ANY_FORMAT, cf_fd_frame, cf_filter
from canal_fast.capi.live cimport cf_port

import numpy

cdef object I8 = numpy.dtype("i8")
cdef object U4 = numpy.dtype("u4")
cdef int64_t SLICE_NS = 20_000_000  # how long a wait goes on before signals are looked at
cdef size_t FD_BYTES = sizeof(cf_fd_frame)

LANES_MOST, NO_LANE = logger.CF_PLAY_LANES, logger.CF_PLAY_NO_LANE
ANY_FORMAT = CF_FILTER_ANY_FORMAT
NO_FD, NO_REMOTE, NO_EMPTY = logger.CF_LANE_NO_FD, logger.CF_LANE_NO_REMOTE, logger.CF_LANE_NO_EMPTY


def kind_table():
    """Rows (number, name, meaning) of what becomes of a record."""
    rows = []
    cdef const cf_code *at = logger.cf_play_kind_row(0)
    while at != NULL:
        rows.append((at.number, at.name.decode(), at.sentence.decode()))
        at = logger.cf_play_kind_row(len(rows))
    return rows


def lateness_edges():
    """The greatest lateness of each class in ns; the last one has no end."""
    return [logger.cf_lateness_edge_ns(i) for i in range(logger.CF_LATENESS_CLASSES)]


def schedule(times, double speed, int64_t gap_max_ns, size_t passes, due):
    """Write when each of the times (i8, ns) is due, in each pass, to `due`; returns (gaps, steps)."""
    cdef Loan source = lend(times, I8, "times", False)
    cdef Loan target = lend(due, I8, "due", True, source.count * passes)
    cdef logger.cf_schedule state
    cdef size_t i, k, count = source.count
    memset(&state, 0, sizeof(state))
    state.speed, state.gap_max_ns = speed, gap_max_ns
    with nogil:
        for k in range(passes):
            if k:
                logger.cf_schedule_again(&state)
            for i in range(count):
                (<int64_t *>target.at)[k * count + i] = logger.cf_schedule_next(&state, (<int64_t *>source.at)[i])
    return state.gaps, state.steps


cdef class Selection:
    """What is played of one recording. `lanes`: channel -> (lane, NO_... bits of that lane); `filters`: u4, three
    elements each, as cf_filter has them."""

    cdef logger.cf_play_selection state
    cdef Loan filters

    def __init__(self, dict lanes, filters, int64_t first_ns, int64_t end_ns, int64_t shift_ns, bint tx):
        memset(&self.state, 0, sizeof(self.state))
        self.filters = lend(filters, U4, "filters", False)
        self.state.filters, self.state.filter_count = <cf_filter *>self.filters.at, self.filters.count // 3
        memset(self.state.lane, logger.CF_PLAY_NO_LANE, sizeof(self.state.lane))
        for channel, (lane, refuses) in lanes.items():
            if not (0 <= channel < 256 and 0 <= lane < logger.CF_PLAY_LANES):
                raise IndexError("no such channel or lane")
            self.state.lane[<size_t>channel] = lane
            self.state.refuses[<size_t>lane] = refuses
        self.state.first_ns, self.state.end_ns, self.state.shift_ns = first_ns, end_ns, shift_ns
        self.state.without_tx = not tx
        self.state.first_refused = UINT64_MAX

    def select(self, frames):
        """Move what is played to the front of FD records, with its lane and shifted times; returns how many."""
        cdef Loan loan = lend_frames(frames, "frames", True)
        cdef size_t made
        if <size_t>loan.stride != FD_BYTES:
            raise TypeError("FD records are needed")
        with nogil:
            made = logger.cf_play_select(&self.state, loan.at, loan.count, loan.stride)
        return made

    def books(self):
        """(counts by kind, frames by channel, earliest_ns, latest_ns, number of the first refused or None)."""
        first = self.state.first_refused
        return (
            [self.state.counts[i] for i in range(logger.CF_PLAY_KIND_COUNT)],
            {i: self.state.frames[i] for i in range(256) if self.state.frames[i]},
            self.state.earliest_ns, self.state.latest_ns, None if first == UINT64_MAX else first,
        )


# What running threads use is not taken apart by the garbage collector, but by __dealloc__.
@cython.no_gc_clear
cdef class Play:
    """Threads that play, one a port. `speed` 0: as fast as the drivers accept."""

    cdef logger.cf_play *play
    cdef unsigned born
    cdef list ports

    def __init__(self, list ports, double speed, int64_t gap_max_ns):
        cdef size_t i
        if self.play != NULL:
            raise TypeError("a play is made once")
        if not 1 <= len(ports) <= logger.CF_PLAY_LANES:
            raise ValueError(f"{len(ports)} channels, allowed 1..{logger.CF_PLAY_LANES}")
        self.born = forks()
        self.ports = ports
        cdef logger.cf_play *play = logger.cf_play_new(len(ports))
        if play == NULL:
            raise MemoryError
        self.play = play
        for i in range(<size_t>len(ports)):
            play.lanes[i].port = <cf_port *>PyCapsule_GetPointer(ports[i].capsule(), "canal_fast.port")
        play.timed = speed > 0
        play.schedule.speed = speed if speed > 0 else 1
        play.schedule.gap_max_ns = gap_max_ns
        cdef cf_status status
        with nogil:
            status = logger.cf_play_start(play)
        if status != CF_OK:
            raise driver_error(status, 0, "play")

    def __dealloc__(self):
        if self.play != NULL and self.born == forks():
            with nogil:
                logger.cf_play_stop(self.play)
            logger.cf_play_free(self.play)

    cdef logger.cf_play *at(self) except NULL:
        if self.play == NULL:
            raise TypeError("not made by Play(ports, ...)")
        refuse_forked(self.born)
        return self.play

    def push(self, frames):
        """Queue FD records, by time, `channel` being the lane. False: the threads have ended."""
        cdef logger.cf_play *play = self.at()
        cdef Loan loan = lend_frames(frames, "frames", False)
        cdef const cf_fd_frame *records = <const cf_fd_frame *>loan.at
        cdef size_t done = 0, count = loan.count
        if <size_t>loan.stride != FD_BYTES or (count and frames["channel"].max() >= len(self.ports)):
            raise TypeError("FD records of known lanes are needed")
        while done < count and not play.stop:
            with nogil:
                done += logger.cf_play_push(play, records + done, count - done, SLICE_NS)
            PyErr_CheckSignals()
        return not play.stop

    def again(self):
        """The recording comes once more from its beginning."""
        logger.cf_play_again(self.at())

    def finish(self):
        """No more comes: wait until all is sent, or `stop` was called."""
        cdef logger.cf_play *play = self.at()
        cdef bint done = False
        with nogil:
            logger.cf_play_end(play)
        while not done and not play.stop:
            with nogil:
                done = logger.cf_play_finish(play, SLICE_NS)
            PyErr_CheckSignals()

    def halt(self):
        """Have the threads end; for any thread."""
        cdef logger.cf_play *play = self.at()
        with nogil:
            logger.cf_play_halt(play)

    def stop(self):
        """End the threads; nothing is sent after this returned. For the thread that pushes."""
        cdef logger.cf_play *play = self.at()
        with nogil:
            logger.cf_play_stop(play)

    def books(self):
        """A dict of what was done so far; `lanes`: dicts of sent, classes, late_frames, late_sum_ns, late_max_ns."""
        cdef logger.cf_play *play = self.at()
        cdef logger.cf_lateness late
        cdef uint64_t sent
        cdef cf_status status
        cdef long code
        cdef size_t i
        lanes = []
        for i in range(<size_t>len(self.ports)):
            logger.cf_play_books(play, i, &late, &sent, &status, &code)
            lanes.append({
                "sent": sent, "classes": [late.classes[k] for k in range(logger.CF_LATENESS_CLASSES)],
                "late_frames": late.frames, "late_sum_ns": late.sum_ns, "late_max_ns": late.max_ns,
                "error": None if status == CF_OK else driver_error(status, code, "CanalSend"),
            })
        return {
            "lanes": lanes, "gaps": play.schedule.gaps, "steps": play.schedule.steps,
            "duration_ns": play.end_ns - play.begin_ns if play.begun else 0,
        }
