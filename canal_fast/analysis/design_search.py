"""Wanted identifiers into groups: what analysis/design.h is asked, in words of identifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _acceptance

Id = tuple[int, bool]
"""Identifier, extended."""

MASKS, RANGES, SHARED, BANKS = range(4)
EXTENDED, WHOLE = 0x80000000, 0xFFFFFFFF
WORK = 800_000_000
"""Tests of a point in which plans are improved, and again in which they are proved: some tenths of a second."""


@dataclass(frozen=True)
class Group:
    """Wanted identifiers under one filter: the bits (of their words) that are looked at, and what they are."""

    value: int
    mask: int
    ids: tuple[Id, ...]
    side: int

    @property
    def extended(self) -> bool:
        return self.ids[0][1]

    @property
    def can_id(self) -> int:
        """Of a group of one format."""
        return self.value & 0x1FFFFFFF if self.extended else self.value >> 18 & 0x7FF

    @property
    def can_mask(self) -> int:
        return self.mask & 0x1FFFFFFF if self.extended else self.mask >> 18 & 0x7FF


@dataclass(frozen=True)
class Problem:
    """A controller's filters, as the search sees them.

    `care`: bits that a filter may look at, of base and of extended identifiers; `look`: what it sees of a base one that
    is not wanted; `together`: bits that are equal within a group.
    """

    kind: int
    room: tuple[int, int]
    care: tuple[int, int] = (WHOLE, WHOLE)
    look: int = WHOLE
    together: int = EXTENDED


@dataclass(frozen=True)
class Plan:
    groups: tuple[Group, ...]
    cost: int
    bound: int
    greedy: int


@dataclass(frozen=True)
class Traffic:
    """Identifiers that nobody wants, with their weights; `count_extended`: and every extended one, each as 1."""

    ids: npt.NDArray[np.uint32]
    extended: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.uint32]
    count_extended: bool
    words: npt.NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", words_of(self.ids, self.extended))

    @classmethod
    def of(cls, wanted: Sequence[Id], weights: Mapping[Id, int] | None) -> Traffic:
        """All identifiers of the formats that are wanted, or what there is."""
        formats = {extended for _, extended in wanted}
        if weights is None:
            weights = {(i, False): 1 for i in range(2048)} if False in formats else {}
            count_extended = True in formats
        else:
            count_extended = False
        rows = sorted((e, i, w) for (i, e), w in weights.items() if (i, e) not in set(wanted) and w)
        columns = np.array(rows, np.uint64).reshape(-1, 3)
        return cls(
            columns[:, 1].astype(np.uint32),
            columns[:, 0].astype(np.bool_),
            np.minimum(columns[:, 2], 0xFFFFFFFF).astype(np.uint32),
            count_extended,
        )


def words_of(ids: Any, extended: Any) -> npt.NDArray[np.uint32]:
    number, wide = np.asarray(ids, np.uint32), np.asarray(extended, np.bool_)
    return np.where(wide, number | np.uint32(EXTENDED), number << np.uint32(18)).astype(np.uint32)


def solve(problem: Problem, wanted: Sequence[Id], traffic: Traffic, work: int = WORK) -> Plan | None:
    """The best plan found, or None where none fits."""
    if (listed := direct(problem, wanted)) is not None:
        return listed
    elements, members = elements_of(problem, wanted)
    single = len(elements) == len(wanted)  # merged beforehand: nothing could be proved
    bits = np.array(wanted, np.uint32).reshape(-1, 2)
    words = words_of(bits[:, 0], bits[:, 1] != 0)
    points, look, weights = within(problem, elements, traffic)
    place, side = np.zeros(len(elements), np.uint8), np.zeros(len(elements), np.uint8)
    answer = _acceptance.design(
        elements, points, look, weights, words, problem.kind, problem.room, problem.together,
        traffic.count_extended and any(extended for _, extended in wanted), work, work if single else 0, place, side,
    )  # fmt: skip
    if answer is None:
        return None
    cost, bound, greedy = answer
    groups = []
    for number in sorted(set(place.tolist())):
        chosen = np.flatnonzero(place == number)
        ids = tuple(sorted((one for e in chosen.tolist() for one in members[e]), key=lambda one: (one[1], one[0])))
        part = elements[chosen]
        every, some = np.bitwise_and.reduce(part["all"]), np.bitwise_or.reduce(part["any"])
        mask = int(np.bitwise_and.reduce(part["care"]) & ~(every ^ some))
        groups.append(Group(int(every) & mask, mask, ids, int(side[chosen[0]])))
    if problem.kind == SHARED:
        shared = [WHOLE, WHOLE]
        for group in groups:
            shared[group.side] &= group.mask
        groups = [Group(g.value & shared[g.side], shared[g.side], g.ids, g.side) for g in groups]
    return Plan(tuple(groups), cost, bound if single else 0, greedy)


def direct(problem: Problem, wanted: Sequence[Id]) -> Plan | None:
    """A filter for each identifier, or for each two where it holds two, if there is room for them."""
    rows = sorted(wanted, key=lambda one: (one[1], one[0]))
    step = 2 if problem.kind == RANGES and len(rows) > problem.room[0] else 1
    base = sum(not extended for _, extended in rows)
    wide = len(rows) - base
    needed = (wide + 1) // 2 + (base - min(wide % 2, base) + 3) // 4 if problem.kind == BANKS else -(-len(rows) // step)
    if problem.kind == SHARED or problem.care != (WHOLE, WHOLE) or needed > problem.room[0]:
        return None
    words = words_of([i for i, _ in rows], [e for _, e in rows]).tolist()
    groups = []
    for at in range(0, len(rows), step):
        part = words[at : at + step]
        mask = WHOLE & ~(part[0] ^ part[-1])
        groups.append(Group(part[0] & mask, mask, tuple(rows[at : at + step]), 0))
    return Plan(tuple(groups), 0, 0, 0)


def elements_of(problem: Problem, wanted: Sequence[Id]) -> tuple[npt.NDArray[Any], list[list[Id]]]:
    """One element for each identifier; where they are more than the search takes, neighbours go together first."""
    members = [[one] for one in sorted(wanted, key=lambda one: (one[1], one[0]))]
    words = words_of([m[0][0] for m in members], [m[0][1] for m in members]).astype(np.int64)
    every, some = words.copy(), words.copy()
    while len(members) > _acceptance.MOST_GROUPS:
        spread = (every[:-1] & every[1:]) ^ (some[:-1] | some[1:])
        grown = np.array([bin(x).count("1") if not x & EXTENDED else 99 for x in spread.tolist()])
        at = int(grown.argmin())
        every[at], some[at] = every[at] & every[at + 1], some[at] | some[at + 1]
        every, some = np.delete(every, at + 1), np.delete(some, at + 1)
        members[at : at + 2] = [members[at] + members[at + 1]]
    elements = np.zeros(len(members), _acceptance.GROUP_DTYPE)
    elements["all"], elements["any"], elements["count"] = every, some, [len(m) for m in members]
    elements["care"] = [problem.care[int(m[0][1])] for m in members]
    first = words_of([m[0][0] for m in members], [m[0][1] for m in members])
    last = words_of([m[-1][0] for m in members], [m[-1][1] for m in members])
    elements["low"], elements["high"] = first, last
    return elements, members


def within(problem: Problem, elements: npt.NDArray[Any], traffic: Traffic) -> tuple[npt.NDArray[np.uint32], ...]:
    """Points that a filter around all elements (of a format) may let through: the others never count."""
    look = np.where(traffic.extended, np.uint32(WHOLE), np.uint32(problem.look)).astype(np.uint32)
    near = np.zeros(len(look), np.bool_)
    wide = elements["any"] >> np.uint32(31) != 0
    for part in [elements[wide], elements[~wide]] if problem.together else [elements]:
        if len(part):
            every, some = np.bitwise_and.reduce(part["all"]), np.bitwise_or.reduce(part["any"])
            mask = np.bitwise_and.reduce(part["care"]) & ~(every ^ some)
            near |= (traffic.words ^ every) & mask & look == 0
            if problem.kind == RANGES:
                near |= (traffic.words >= part["low"].min()) & (traffic.words <= part["high"].max())
    if problem.kind == SHARED:
        near[:] = True  # masks become the common one
    return traffic.words[near], look[near], traffic.weights[near]
