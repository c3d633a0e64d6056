"""Glue of the signals headers: plans as tables of records, and the passes over frames."""

from canal_fast._gate cimport Loan, lend, lend_frames
from canal_fast.capi cimport signals as c
from canal_fast.capi.base cimport cf_code, cf_status
from canal_fast.capi.frame cimport cf_field
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t

import numpy

from canal_fast._gate import status_table

cdef object U1 = numpy.dtype("u1")
cdef object U2 = numpy.dtype("u2")
cdef object I8 = numpy.dtype("i8")
cdef dict _sentences = {number: sentence for number, _, sentence in status_table()}

KEY_EXTENDED = c.CF_KEY_EXTENDED
KEY_PGN = c.CF_KEY_PGN
OTHERS = c.CF_GROUP_OTHERS
UNKNOWN = c.CF_GROUP_UNKNOWN
NOT_DECODABLE = c.CF_GROUP_NOT_DECODABLE
VALUES = {"f8": c.CF_VALUES_F8, "i8": c.CF_VALUES_I8, "u8": c.CF_VALUES_U8}


cdef object _record(const cf_field *(*row)(size_t) noexcept nogil, size_t size):
    names, formats, offsets = [], [], []
    cdef size_t index = 0
    cdef const cf_field *field = row(0)
    while field != NULL:
        names.append(field.name.decode())
        formats.append(field.format.decode())
        offsets.append(field.offset)
        index += 1
        field = row(index)
    return numpy.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": size})


cdef dict _numbers(const cf_code *(*row)(size_t) noexcept nogil):
    found = {}
    cdef size_t index = 0
    cdef const cf_code *at = row(0)
    while at != NULL:
        found[at.name.decode()] = at.number
        index += 1
        at = row(index)
    return found


SIGNAL_DTYPE = _record(c.cf_signal_field, sizeof(c.cf_signal))
MESSAGE_DTYPE = _record(c.cf_plan_message_field, sizeof(c.cf_plan_message))
SELECTOR_DTYPE = _record(c.cf_selector_field, sizeof(c.cf_selector))
RANGE_DTYPE = _record(c.cf_range_field, sizeof(c.cf_range))
KINDS = _numbers(c.cf_signal_kind_row)
RULES = _numbers(c.cf_rule_row)
MESSAGE_PLACES = sizeof(c.cf_message_place) // sizeof(int64_t)
SIGNAL_PLACES = sizeof(c.cf_signal_place) // sizeof(int64_t)


cdef class Tables:
    """The tables of one plan, checked."""

    cdef c.cf_plan plan
    cdef tuple loans

    def __init__(self, messages, signals, selectors, ranges):
        cdef Loan first = lend(messages, MESSAGE_DTYPE, "messages", False, 0)
        cdef Loan second = lend(signals, SIGNAL_DTYPE, "signals", False, 0)
        cdef Loan third = lend(selectors, SELECTOR_DTYPE, "selectors", False, 0)
        cdef Loan fourth = lend(ranges, RANGE_DTYPE, "ranges", False, 0)
        slots = numpy.empty(c.cf_plan_slots(first.count), U2)
        cdef Loan index = lend(slots, U2, "slots", True, 0)
        self.loans = (first, second, third, fourth, index)
        self.plan.messages = <const c.cf_plan_message *>first.view.buf
        self.plan.signals = <const c.cf_signal *>second.view.buf
        self.plan.selectors = <const c.cf_selector *>third.view.buf
        self.plan.ranges = <const c.cf_range *>fourth.view.buf
        self.plan.slots = <const uint16_t *>index.view.buf
        self.plan.message_count, self.plan.signal_count = first.count, second.count
        self.plan.selector_count, self.plan.range_count = third.count, fourth.count
        self.plan.slot_count = index.count
        cdef size_t number = 0
        cdef cf_status status = c.cf_plan_check(&self.plan, &number)
        if status:
            raise ValueError(f"{_sentences[<int>status]}: row {number}")
        c.cf_plan_index(self.plan.messages, self.plan.message_count, <uint16_t *>index.view.buf, self.plan.slot_count)

    def group(self, frames, which, counts, shortest):
        """Message number of each frame into the u2 array `which`; counts (i8) and shortest payloads (u1) of each."""
        cdef Loan source = lend_frames(frames, False, 0)
        cdef Loan first = lend(which, U2, "which", True, source.count)
        cdef Loan second = lend(counts, I8, "counts", True, self.plan.message_count + c.CF_GROUP_OTHERS)
        cdef Loan third = lend(shortest, U1, "shortest", True, self.plan.message_count + c.CF_GROUP_OTHERS)
        with nogil:
            c.cf_frames_group(&self.plan, source.view.buf, source.count, source.view.itemsize,
                              <uint16_t *>first.view.buf, <int64_t *>second.view.buf, <uint8_t *>third.view.buf)

    def layout(self, counts, shortest, messages, signals):
        """Places of the columns into the i8 arrays `messages` and `signals`; (bytes, scratch bytes)."""
        cdef Loan first = lend(counts, I8, "counts", False, self.plan.message_count)
        cdef Loan second = lend(shortest, U1, "shortest", False, self.plan.message_count)
        cdef Loan third = lend(messages, I8, "messages", True, MESSAGE_PLACES * self.plan.message_count)
        cdef Loan fourth = lend(signals, I8, "signals", True, SIGNAL_PLACES * self.plan.signal_count)
        cdef int64_t size = 0, scratch = 0
        c.cf_decode_layout(&self.plan, <const int64_t *>first.view.buf, <const uint8_t *>second.view.buf,
                           <c.cf_message_place *>third.view.buf, <c.cf_signal_place *>fourth.view.buf, &size, &scratch)
        return size, scratch

    def decode(self, frames, which, messages, signals, memory, scratch):
        """Fill the u1 array `memory`; the arrays before it are those of `group` and `layout`."""
        cdef Loan source = lend_frames(frames, False, 0)
        cdef Loan first = lend(which, U2, "which", False, source.count)
        cdef Loan second = lend(messages, I8, "messages", False, MESSAGE_PLACES * self.plan.message_count)
        cdef Loan third = lend(signals, I8, "signals", False, SIGNAL_PLACES * self.plan.signal_count)
        cdef Loan fourth = lend(memory, U1, "memory", True, 0)
        cdef Loan fifth = lend(scratch, U1, "scratch", True, 0)
        cdef Loan rows = lend(numpy.empty(sizeof(c.cf_rows) * self.plan.message_count, U1), U1, "rows", True, 0)
        with nogil:
            c.cf_frames_decode(&self.plan, source.view.buf, source.count, source.view.itemsize,
                               <const uint16_t *>first.view.buf, <const c.cf_message_place *>second.view.buf,
                               <const c.cf_signal_place *>third.view.buf, <c.cf_rows *>rows.view.buf,
                               <char *>fourth.view.buf, <uint8_t *>fifth.view.buf)

    def encode(self, size_t number, list columns, Py_ssize_t count, bint saturate, unsigned padding, payloads):
        """Payloads of message `number` into the u1 array `payloads`; (status, row, signal).

        `columns` has for each signal (values or None, given or None, raw, fallback).
        """
        cdef Loan target = lend(payloads, U1, "payloads", True, count * self.plan.messages[number].row_bytes)
        cdef Loan room = lend(numpy.zeros(len(columns) * sizeof(c.cf_encode_column), U1), U1, "room", True,
                              self.plan.messages[number].signals * sizeof(c.cf_encode_column))
        cdef c.cf_encode_column *column = <c.cf_encode_column *>room.view.buf
        cdef size_t row = 0, signal = 0
        cdef cf_status status
        cdef Loan loan
        loans = []
        for values, given, raw, fallback in columns:
            if values is not None:
                loan = lend(values, values.dtype, "values", False, count)
                loans.append(loan)
                column.values = loan.view.buf
                column.type = VALUES[values.dtype.str[1:]]
            if given is not None:
                loan = lend(given, U1, "given", False, count)
                loans.append(loan)
                column.given = <const uint8_t *>loan.view.buf
            column.raw = raw
            column.fallback = fallback
            column += 1
        with nogil:
            status = c.cf_message_encode(&self.plan, number, <const c.cf_encode_column *>room.view.buf, count,
                                         saturate, padding, <uint8_t *>target.view.buf, &row, &signal)
        return int(status), row, signal
