"""Glue of analysis/acceptance.h and analysis/design.h."""

from libc.stdint cimport int16_t, int64_t, uint32_t, uint8_t

from canal_fast._gate cimport Loan, dtype_of, lend, lend_frames
from canal_fast.capi.base cimport CF_PORTABLE, cf_cpu_units, cf_units
from canal_fast.capi.analysis cimport (
    CF_DESIGN_GROUPS,
    cf_acceptance,
    cf_acceptance_accepts,
    cf_acceptance_field,
    cf_acceptance_index,
    cf_acceptance_numbers,
    cf_acceptance_row,
    cf_design,
    cf_design_answer,
    cf_design_group,
    cf_design_group_field,
    cf_design_room,
    cf_design_run,
)

cimport cython
import numpy

cdef object U1 = numpy.dtype("u1")
cdef object U4 = numpy.dtype("u4")
cdef object I2 = numpy.dtype("i2")
cdef object row_dtype = dtype_of(cf_acceptance_field, sizeof(cf_acceptance_row))
cdef object group_dtype = dtype_of(cf_design_group_field, sizeof(cf_design_group))
cdef object room_dtype = numpy.dtype((numpy.void, sizeof(cf_design_room)))
cdef cf_units units = CF_PORTABLE
ROW_DTYPE = row_dtype
GROUP_DTYPE = group_dtype
MOST_GROUPS = int(CF_DESIGN_GROUPS)


def select(unsigned wanted):
    """Choose the units, of those that the machine has, of the kernels here."""
    global units
    units = wanted & cf_cpu_units()


@cython.final
cdef class Acceptance:
    """Rows (of ROW_DTYPE) and the table that is made from them; `error_mask`: classes of error frames."""
    cdef cf_acceptance at
    cdef Loan rows

    def __cinit__(self, rows, uint32_t error_mask):
        self.rows = lend(rows, row_dtype, "rows", False, 0)
        self.at.rows = <const cf_acceptance_row *>self.rows.at
        self.at.count = self.rows.count
        self.at.error_mask = error_mask
        with nogil:
            cf_acceptance_index(&self.at)


def accepts(Acceptance acceptance not None, frames, accepted):
    """1 in `accepted` (u1) where a frame is let through."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(accepted, U1, "accepted", True, source.count)
    with nogil:
        cf_acceptance_accepts(units, &acceptance.at, source.at, source.count, source.stride, <uint8_t *>target.at)


def numbers(Acceptance acceptance not None, frames, numbers):
    """Number (i2) of the filter that lets each frame through, -1 for none, -2 for frames that need none."""
    cdef Loan source = lend_frames(frames, "frames", False, 0)
    cdef Loan target = lend(numbers, I2, "numbers", True, source.count)
    with nogil:
        cf_acceptance_numbers(&acceptance.at, source.at, source.count, source.stride, <int16_t *>target.at)


def design(elements, points, look, weights, words, int kind, room, uint32_t together, bint count_extended, int64_t work,
           int64_t proving, place, side):
    """Puts elements (of GROUP_DTYPE) into groups: `place` and `side` (u1) of each, and (cost, bound, cost of merging
    pairs alone), or None where no plan fits. Points, look, weights, words: u4."""
    cdef Loan wanted = lend(elements, group_dtype, "elements", False, 1)
    cdef Loan others = lend(points, U4, "points", False, 0)
    cdef Loan seen = lend(look, U4, "look", False, others.count)
    cdef Loan weight = lend(weights, U4, "weights", False, others.count)
    cdef Loan word = lend(words, U4, "words", False, 0)
    cdef Loan scratch = lend(numpy.zeros(3 * others.count, U4), U4, "scratch", True, 0)
    cdef Loan space = lend(numpy.zeros(1, room_dtype), room_dtype, "room", True, 1)
    cdef Loan places = lend(place, U1, "place", True, wanted.count)
    cdef Loan sides = lend(side, U1, "side", True, wanted.count)
    cdef cf_design d
    cdef cf_design_answer answer
    cdef int found
    if wanted.count > CF_DESIGN_GROUPS:
        raise ValueError(f"{wanted.count} elements, allowed 1..{CF_DESIGN_GROUPS}")
    d.kind, d.count_extended, d.together, d.work = kind, count_extended, together, work
    d.room[0], d.room[1] = room
    d.points, d.look = <const uint32_t *>others.at, <const uint32_t *>seen.at
    d.weights, d.words = <const uint32_t *>weight.at, <const uint32_t *>word.at
    d.point_count, d.word_count = others.count, word.count
    d.hits = <uint32_t *>scratch.at
    d.more = d.hits + others.count
    with nogil:
        found = cf_design_run(&d, <const cf_design_group *>wanted.at, wanted.count, d.more + others.count,
                              <cf_design_room *>space.at, proving, <uint8_t *>places.at, <uint8_t *>sides.at, &answer)
    return (answer.cost, answer.bound, answer.greedy) if found else None
