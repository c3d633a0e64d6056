"""Glue of the signals headers: plans as tables of records, and the passes over frames."""

from canal_fast._gate cimport Loan, codes, dtype_of, lend, lend_frames
from canal_fast.capi.base cimport cf_status
from canal_fast.capi.signals cimport (
    CF_GROUP_NOT_DECODABLE,
    CF_GROUP_OTHERS,
    CF_GROUP_UNKNOWN,
    CF_KEY_EXTENDED,
    CF_KEY_PGN,
    CF_VALUES_F8,
    CF_VALUES_I8,
    CF_VALUES_U8,
    cf_crc8_table,
    cf_signals_layout,
    cf_encode_column,
    cf_signals_decode,
    cf_signals_group,
    cf_signals_encode,
    cf_message_place,
    cf_plan,
    cf_plan_check,
    cf_plan_index,
    cf_plan_message,
    cf_plan_message_field,
    cf_plan_slots,
    cf_selector_range,
    cf_selector_range_field,
    cf_message_rows,
    cf_rows_crc8,
    cf_rows_xor,
    cf_rule_row,
    cf_selector,
    cf_selector_field,
    cf_signal,
    cf_signal_field,
    cf_signal_kind_row,
    cf_signal_place,
)
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t

import numpy

from canal_fast._gate import status_table

cdef object U1 = numpy.dtype("u1")
cdef object U2 = numpy.dtype("u2")
cdef object I8 = numpy.dtype("i8")
cdef dict _sentences = {number: sentence for number, _, sentence in status_table()}

KEY_EXTENDED = CF_KEY_EXTENDED
KEY_PGN = CF_KEY_PGN
OTHERS = CF_GROUP_OTHERS
UNKNOWN = CF_GROUP_UNKNOWN
NOT_DECODABLE = CF_GROUP_NOT_DECODABLE
VALUES = {"f8": CF_VALUES_F8, "i8": CF_VALUES_I8, "u8": CF_VALUES_U8}


cdef dict _numbers(list rows):
    return {name: number for number, name, _ in rows}


SIGNAL_DTYPE = dtype_of(cf_signal_field, sizeof(cf_signal))
MESSAGE_DTYPE = dtype_of(cf_plan_message_field, sizeof(cf_plan_message))
SELECTOR_DTYPE = dtype_of(cf_selector_field, sizeof(cf_selector))
RANGE_DTYPE = dtype_of(cf_selector_range_field, sizeof(cf_selector_range))
KINDS = _numbers(codes(cf_signal_kind_row))
RULES = _numbers(codes(cf_rule_row))
MESSAGE_PLACES = sizeof(cf_message_place) // sizeof(int64_t)
SIGNAL_PLACES = sizeof(cf_signal_place) // sizeof(int64_t)


cdef class Tables:
    """The tables of one plan, checked."""

    cdef cf_plan plan
    cdef tuple loans

    def __init__(self, messages, signals, selectors, ranges):
        cdef Loan first = lend(messages, MESSAGE_DTYPE, "messages", False, 0)
        cdef Loan second = lend(signals, SIGNAL_DTYPE, "signals", False, 0)
        cdef Loan third = lend(selectors, SELECTOR_DTYPE, "selectors", False, 0)
        cdef Loan fourth = lend(ranges, RANGE_DTYPE, "ranges", False, 0)
        slots = numpy.empty(cf_plan_slots(first.count), U2)
        cdef Loan index = lend(slots, U2, "slots", True, 0)
        self.loans = (first, second, third, fourth, index)
        self.plan.messages = <const cf_plan_message *>first.at
        self.plan.signals = <const cf_signal *>second.at
        self.plan.selectors = <const cf_selector *>third.at
        self.plan.ranges = <const cf_selector_range *>fourth.at
        self.plan.slots = <const uint16_t *>index.at
        self.plan.message_count, self.plan.signal_count = first.count, second.count
        self.plan.selector_count, self.plan.range_count = third.count, fourth.count
        self.plan.slot_count = index.count
        cdef size_t number = 0
        cdef cf_status status = cf_plan_check(&self.plan, &number)
        if status:
            raise ValueError(f"{_sentences[<int>status]}: row {number}")
        cf_plan_index(self.plan.messages, self.plan.message_count, <uint16_t *>index.at, self.plan.slot_count)

    def group(self, frames, which, counts, shortest):
        """Message number of each frame into the u2 array `which`; counts (i8) and shortest payloads (u1) of each."""
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan first = lend(which, U2, "which", True, source.count)
        cdef Loan second = lend(counts, I8, "counts", True, self.plan.message_count + CF_GROUP_OTHERS)
        cdef Loan third = lend(shortest, U1, "shortest", True, self.plan.message_count + CF_GROUP_OTHERS)
        with nogil:
            cf_signals_group(&self.plan, source.at, source.count, source.stride,
                              <uint16_t *>first.at, <int64_t *>second.at, <uint8_t *>third.at)

    def layout(self, counts, shortest, messages, signals):
        """Places of the columns into the i8 arrays `messages` and `signals`; (bytes, scratch bytes)."""
        cdef Loan first = lend(counts, I8, "counts", False, self.plan.message_count)
        cdef Loan second = lend(shortest, U1, "shortest", False, self.plan.message_count)
        cdef Loan third = lend(messages, I8, "messages", True, MESSAGE_PLACES * self.plan.message_count)
        cdef Loan fourth = lend(signals, I8, "signals", True, SIGNAL_PLACES * self.plan.signal_count)
        cdef int64_t size = 0, scratch = 0
        cf_signals_layout(&self.plan, <const int64_t *>first.at, <const uint8_t *>second.at,
                           <cf_message_place *>third.at, <cf_signal_place *>fourth.at, &size, &scratch)
        return size, scratch

    def decode(self, frames, which, messages, signals, memory, scratch):
        """Fill the u1 array `memory`; the arrays before it are those of `group` and `layout`."""
        cdef Loan source = lend_frames(frames, "frames", False)
        cdef Loan first = lend(which, U2, "which", False, source.count)
        cdef Loan second = lend(messages, I8, "messages", False, MESSAGE_PLACES * self.plan.message_count)
        cdef Loan third = lend(signals, I8, "signals", False, SIGNAL_PLACES * self.plan.signal_count)
        cdef Loan fourth = lend(memory, U1, "memory", True, 0)
        cdef Loan fifth = lend(scratch, U1, "scratch", True, 0)
        cdef Loan rows = lend(numpy.empty(sizeof(cf_message_rows) * self.plan.message_count, U1), U1, "rows", True, 0)
        with nogil:
            cf_signals_decode(&self.plan, source.at, source.count, source.stride,
                               <const uint16_t *>first.at, <const cf_message_place *>second.at,
                               <const cf_signal_place *>third.at, <cf_message_rows *>rows.at,
                               <char *>fourth.at, <uint8_t *>fifth.at)

    def encode(self, size_t number, list columns, Py_ssize_t count, bint saturate, unsigned padding, payloads):
        """Payloads of message `number` into the u1 array `payloads`; (status, row, signal).

        `columns` has for each signal (values or None, given or None, raw, fallback).
        """
        cdef Loan target = lend(payloads, U1, "payloads", True, count * self.plan.messages[number].row_bytes)
        cdef Loan room = lend(numpy.zeros(len(columns) * sizeof(cf_encode_column), U1), U1, "room", True,
                              self.plan.messages[number].signals * sizeof(cf_encode_column))
        cdef cf_encode_column *column = <cf_encode_column *>room.at
        cdef size_t row = 0, signal = 0
        cdef cf_status status
        cdef Loan loan
        loans = []
        for values, given, raw, fallback in columns:
            if values is not None:
                loan = lend(values, values.dtype, "values", False, count)
                loans.append(loan)
                column.values = loan.at
                column.type = VALUES[values.dtype.str[1:]]
            if given is not None:
                loan = lend(given, U1, "given", False, count)
                loans.append(loan)
                column.given = <const uint8_t *>loan.at
            column.raw = raw
            column.fallback = fallback
            column += 1
        with nogil:
            status = cf_signals_encode(&self.plan, number, <const cf_encode_column *>room.at, count,
                                         saturate, padding, <uint8_t *>target.at, &row, &signal)
        return int(status), row, signal


def crc8(rows, length, size_t first, size_t last, size_t skip, suffix, unsigned polynomial, unsigned initial,
         unsigned final_xor, results):
    """CRC of each row of the (n, k) u1 array `rows` into the u1 array `results`."""
    cdef size_t step = rows.shape[1]
    cdef Loan count = lend(length, U1, "length", False, len(rows))
    cdef Loan source = lend(rows.reshape(-1), U1, "rows", False, 0)
    cdef Loan more = lend(suffix, U1, "suffix", False, 0)
    cdef Loan target = lend(results, U1, "results", True, count.count)
    cdef uint8_t table[256]
    with nogil:
        cf_crc8_table(polynomial, table)
        cf_rows_crc8(<const uint8_t *>source.at, step, <const uint8_t *>count.at, count.count, first,
                     min(last, step), skip, <const uint8_t *>more.at, more.count, table, initial & 255,
                     final_xor, <uint8_t *>target.at)


def xor8(rows, length, size_t first, size_t last, size_t skip, suffix, unsigned initial, results):
    """Exclusive or of each row of the (n, k) u1 array `rows` into the u1 array `results`."""
    cdef size_t step = rows.shape[1]
    cdef Loan count = lend(length, U1, "length", False, len(rows))
    cdef Loan source = lend(rows.reshape(-1), U1, "rows", False, 0)
    cdef Loan more = lend(suffix, U1, "suffix", False, 0)
    cdef Loan target = lend(results, U1, "results", True, count.count)
    with nogil:
        cf_rows_xor(<const uint8_t *>source.at, step, <const uint8_t *>count.at, count.count, first,
                    min(last, step), skip, <const uint8_t *>more.at, more.count, initial,
                    <uint8_t *>target.at)
