"""Glue of screen.h and selection.h: what is wanted of records, and what a format can hold of them."""

from canal_fast._gate cimport Loan, lend_frames
from canal_fast.capi.base cimport cf_code
from canal_fast.capi.frame cimport (
    CF_ERROR_KIND,
    CF_ERROR_KIND_BIT,
    CF_ERROR_KIND_FORM,
    CF_ERROR_KIND_OVERLOAD,
    CF_ERROR_KIND_STUFF,
    CF_ERROR_NO_ACK,
    CF_ERROR_PROTOCOL,
    CF_FILTER_ANY_FORMAT,
    cf_filter,
    cf_frame_head,
)
from canal_fast.capi.logs cimport (
    CF_LOG_LEFT_OUT_KINDS,
    CF_LOG_REDUCED_REASONS,
    cf_columns_target,
    cf_log_format,
    cf_log_keeps_row,
    cf_log_loss,
    cf_log_loss_row,
    cf_log_screen,
    cf_log_screen_copy,
    cf_log_screen_count,
    cf_log_select,
    cf_log_selection,
)
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset


PROTOCOL, NO_ACK = int(CF_ERROR_PROTOCOL), int(CF_ERROR_NO_ACK)
KIND = int(CF_ERROR_KIND)
KIND_OVERLOAD = int(CF_ERROR_KIND_OVERLOAD)
KINDS_OF_MDF = (int(CF_ERROR_KIND_BIT), int(CF_ERROR_KIND_FORM), int(CF_ERROR_KIND_STUFF))  # ErrorType 1, 2, 3
COLUMNS_DATED_NS = int(cf_columns_target().dated)


def loss_table():
    """Rows (word, sentence) of the kinds of frames that are left out, and of the reasons why others are reduced."""
    cdef const cf_code *row
    rows = []
    while (row := cf_log_loss_row(len(rows))) != NULL:
        rows.append((row.name.decode(), row.sentence.decode()))
    return rows[:CF_LOG_LEFT_OUT_KINDS], rows[CF_LOG_LEFT_OUT_KINDS:]


cdef class Screen:
    """Counts of what becomes of the frames that are written in a format; None: in columns, which keep `keeps`.

    The format's row comes from _logs: asked for here, the table would bring every reader and writer along.
    """

    cdef cf_log_screen state

    def __cinit__(self, capsule, bint nanoseconds, keeps=()):
        cdef const cf_log_format *row
        cdef const cf_code *bit
        cdef size_t number = 0
        memset(&self.state, 0, sizeof(self.state))
        if capsule is None:
            self.state.target = cf_columns_target()
            while (bit := cf_log_keeps_row(number)) != NULL:
                self.state.keeps |= bit.number if bit.name.decode().lower() in keeps else 0
                number += 1
            return
        row = <const cf_log_format *>PyCapsule_GetPointer(capsule, "canal_fast.log_format")
        if row.target == NULL:
            raise ValueError("this format is not written")
        self.state.target = row.target
        self.state.keeps = row.keeps
        self.state.step_ns = row.target.fine_ns if nanoseconds else row.target.step_ns

    def start(self, int64_t start_ns):
        """When times begin."""
        self.state.start_ns = start_ns

    def name(self, uint8_t channel, bint own):
        """Has the channel a name of its own?"""
        self.state.named[channel] = own

    def count(self, frames, bint strict):
        """(records that are written, records that were counted: fewer than there are where `strict` met a loss)."""
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef size_t index = 0, kept
        with nogil:
            kept = cf_log_screen_count(&self.state, source.at, source.count, source.stride, strict, &index)
        return kept, index

    def copy(self, frames, out):
        """Those that are written into `out`: their number."""
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan target = lend_frames(out, "out", True)
        if target.stride != source.stride or target.count < source.count:
            raise TypeError("as many records of the same kind are needed")
        return cf_log_screen_copy(&self.state, source.at, source.count, source.stride, target.at)

    def loss(self, frames, Py_ssize_t index):
        """What becomes of frames[index]: -1 - kind, or a bit for each reason."""
        cdef Loan source = lend_frames(frames, "frames", False, index + 1)
        return cf_log_loss(&self.state, <const cf_frame_head *>(<uint8_t *>source.at + index * source.stride))

    @property
    def pending(self):
        """Do the next records have to be copied?"""
        return self.state.pending != 0

    def totals(self):
        """(given, written, reduced frames, left out by kind, reduced by reason)."""
        return (self.state.given, self.state.written, self.state.reduced_frames,
                [self.state.left_out[i] for i in range(CF_LOG_LEFT_OUT_KINDS)],
                [self.state.reduced[i] for i in range(CF_LOG_REDUCED_REASONS)])


cdef class Selection:
    """Which records are wanted, and how many were not. `filters`: rows (can_id, can_mask, extended or None)."""

    cdef cf_log_selection state
    cdef cf_filter *rows

    def __cinit__(self, list filters):
        memset(&self.state, 0, sizeof(self.state))
        self.rows = <cf_filter *>calloc(len(filters) + 1, sizeof(cf_filter))
        if self.rows == NULL:
            raise MemoryError
        for i in range(len(filters)):
            self.rows[i].can_id, self.rows[i].can_mask = filters[i][0], filters[i][1]
            self.rows[i].extended = CF_FILTER_ANY_FORMAT if filters[i][2] is None else bool(filters[i][2])
        self.state.filters = self.rows
        self.state.filter_count = len(filters)

    def __dealloc__(self):
        free(self.rows)

    def times(self, int64_t first_ns, int64_t last_ns):
        """The times that are wanted, both inclusive."""
        self.state.first_ns = first_ns
        self.state.last_ns = last_ns

    def channel(self, uint8_t channel, bint wanted):
        self.state.unwanted[channel] = not wanted

    def keep(self, frames):
        """Move the wanted records to the front: their number."""
        cdef Loan target = lend_frames(frames, "frames", True)
        cdef size_t kept
        with nogil:
            kept = cf_log_select(&self.state, target.at, target.count, target.stride)
        return kept

    @property
    def counts(self):
        """(read, filtered, cut)."""
        return self.state.read, self.state.filtered, self.state.cut
