"""Glue of lines.h."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi.signals cimport (
    CF_UNKNOWN_MAX,
    cf_cell_name,
    cf_cell_text,
    cf_cells,
    cf_cells_longest,
    cf_cells_table,
    cf_csv_rows_write,
    cf_signal_lines,
    cf_signal_lines_write,
)
from libc.stdint cimport int64_t, uint8_t, uint16_t

import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U2 = numpy.dtype("u2")
cdef object I4 = numpy.dtype("i4")
cdef object I8 = numpy.dtype("i8")
cdef object B1 = numpy.dtype("?")
UNKNOWN_MAX = int(CF_UNKNOWN_MAX)
cdef dict _types = {}
while cf_cell_name(<size_t>len(_types)) != NULL:
    _types[numpy.dtype(cf_cell_name(<size_t>len(_types)).decode())] = len(_types)


cdef cf_cell_text _text(bytes text):
    return cf_cell_text(<const char *>text, <size_t>len(text))


cdef void *_room(Py_ssize_t size, list kept) except NULL:
    """Zeroed memory that lives as long as `kept`."""
    cdef Loan room = lend(numpy.zeros(size, U1), U1, "room", True, size)
    kept.append(room)
    return room.at


cdef int _refuse_small(size_t used, bint left) except -1:
    if left and not used:
        raise ValueError("out is too small for a line")
    return 0


cdef class Cells:
    """Rows of a message: its columns are (values, valid or None, before, after, texts or None) each.

    What is lent stays so as long as it lives. Rows are written once, each call goes on where the last stopped.
    """

    cdef cf_cells_table table
    cdef Loan times
    cdef list kept

    def __cinit__(self, bytes before, timestamp_ns, list columns):
        self.times = lend(timestamp_ns, I8, "timestamp_ns", False)
        self.kept = [before]
        cdef cf_cells *cells = <cf_cells *>_room(len(columns) * sizeof(cf_cells), self.kept)
        cdef cf_cell_text *words
        cdef Loan loan
        self.table.columns, self.table.count, self.table.rows = cells, len(columns), self.times.count
        self.table.before = _text(before)
        for values, valid, first, last, texts in columns:
            if values.dtype not in _types:
                raise TypeError(f"values must be integers or floats, not {values.dtype}")
            loan = lend(values, values.dtype if texts is None else I4, "values", False, self.times.count)
            self.kept += [loan, first, last, texts]
            cells.values, cells.type = loan.at, _types[values.dtype]
            cells.before, cells.after = _text(first), _text(last)
            if valid is not None:
                loan = lend(valid, B1, "valid", False, self.times.count)
                self.kept.append(loan)
                cells.valid = <const uint8_t *>loan.at
            if texts is not None:
                words = <cf_cell_text *>_room(len(texts) * sizeof(cf_cell_text), self.kept)
                cells.texts, cells.text_count = words, len(texts)
                for text in texts:
                    words[0] = _text(text)
                    words += 1
            cells += 1
        self.table.longest = cf_cells_longest(&self.table)

    @property
    def longest(self):
        return self.table.longest

    def csv(self, bint each, out):
        """Rows of CSV, as many as fit the u1 array `out`: their bytes, 0 when none is left."""
        cdef Loan target = lend(out, U1, "out", True)
        cdef size_t used
        with nogil:
            used = cf_csv_rows_write(&self.table, <const int64_t *>self.times.at, each, <char *>target.at,
                                     target.count)
        _refuse_small(used, self.table.row < self.table.rows)
        return used


cdef class Lines:
    """Frames' own lines with the rows of `tables` behind them; `which` (u2) has the number of each frame's table."""

    cdef cf_signal_lines lines
    cdef list kept

    def __cinit__(self, frames, bytes text, which, list tables, bint others):
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan numbers = lend(which, U2, "which", False, source.count)
        self.kept = [source, text, numbers, *tables]
        cdef cf_cells_table *at = <cf_cells_table *>_room(len(tables) * sizeof(cf_cells_table), self.kept)
        self.lines.frames, self.lines.count, self.lines.stride = <const char *>source.at, source.count, source.stride
        self.lines.lines = <const char *>text
        self.lines.end = self.lines.lines + len(text)
        self.lines.which, self.lines.others = <const uint16_t *>numbers.at, others
        self.lines.tables, self.lines.table_count = at, len(tables)
        for table in tables:
            at[0] = (<Cells?>table).table
            at += 1

    def write(self, out):
        """As many as fit the u1 array `out`: their bytes, 0 when none is left."""
        cdef Loan target = lend(out, U1, "out", True)
        cdef size_t used
        with nogil:
            used = cf_signal_lines_write(&self.lines, <char *>target.at, target.count)
        _refuse_small(used, self.lines.count > 0)
        return used
