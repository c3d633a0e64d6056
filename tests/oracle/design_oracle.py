"""Slow, obvious twin of analysis.design_filters: every way to put identifiers into groups, weighed one by one.

What passes is a set of unwanted identifiers, kept as the bits of an integer; a filter's set is found bit by bit.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

Id = tuple[int, bool]
Groups = list[list[Id]]


def partitions(items: Sequence[Id], most: int) -> Iterator[Groups]:
    """All set partitions into at most so many blocks."""
    if not items:
        yield []
        return
    for groups in partitions(items[:-1], most):
        for index in range(len(groups)):
            yield [[*g, items[-1]] if n == index else g for n, g in enumerate(groups)]
        if len(groups) < most:
            yield [*groups, [items[-1]]]


def width(extended: bool) -> int:
    return 29 if extended else 11


def cube(group: Sequence[Id]) -> tuple[int, int]:
    """The smallest (value, mask) around identifiers of one format."""
    ids = [ident for ident, _ in group]
    mask = 0
    for bit in range(width(group[0][1])):
        if len({ident >> bit & 1 for ident in ids}) == 1:
            mask |= 1 << bit
    return ids[0] & mask, mask


def one_format(group: Sequence[Id]) -> bool:
    return len({extended for _, extended in group}) == 1


class Unwanted:
    """Unwanted identifiers with weights; sets of them are integers."""

    def __init__(self, wanted: Sequence[Id], weights: dict[Id, int]) -> None:
        rows = sorted((e, i, w) for (i, e), w in weights.items() if (i, e) not in wanted)
        self.ids = [(i, e) for e, i, _ in rows]
        self.weights = [w for *_, w in rows]
        self.format = {e: sum(1 << n for n, one in enumerate(self.ids) if one[1] == e) for e in (False, True)}
        self.ones = [sum(1 << n for n, (i, _) in enumerate(self.ids) if i >> bit & 1) for bit in range(29)]
        self.known: dict[tuple[int, int, bool], int] = {}
        self.even = len(set(self.weights)) <= 1

    def masked(self, value: int, mask: int, extended: bool) -> int:
        key = (value & mask, mask, extended)
        if key not in self.known:
            found = self.format[extended]
            for bit in range(width(extended)):
                if mask >> bit & 1:
                    found &= self.ones[bit] if value >> bit & 1 else ~self.ones[bit]
            self.known[key] = found
        return self.known[key]

    def between(self, low: int, high: int, extended: bool) -> int:
        keys = [(e, i) for i, e in self.ids]
        return (1 << bisect_left(keys, (extended, high + 1))) - (1 << bisect_left(keys, (extended, low)))

    def weight(self, found: int) -> int:
        if self.even:
            return bin(found).count("1") * (self.weights[0] if self.weights else 0)
        return sum(w for n, w in enumerate(self.weights) if found >> n & 1)

    def of_cubes(self, groups: Groups) -> int:
        found = 0
        for group in groups:
            found |= self.masked(*cube(group), group[0][1])
        return found


def best_masks(wanted: Sequence[Id], unwanted: Unwanted, filters: int) -> int:
    """Identifiers with a mask each."""
    return min(
        unwanted.weight(unwanted.of_cubes(groups))
        for groups in partitions(wanted, filters)
        if all(map(one_format, groups))
    )


def banks_needed(groups: Groups) -> int:
    """Of bxCAN, by trying what each bank is."""
    kinds = [0, 0, 0, 0]  # base identifiers, base masks, extended identifiers, extended masks
    for group in groups:
        kinds[2 * group[0][1] + (len(group) > 1)] += 1
    # What a bank can hold at most: 4 base identifiers; 2 of base masks or identifiers; 2 of identifiers; a mask.
    holds = [(4, 0, 0, 0), (0, 2, 0, 0), (1, 1, 0, 0), (0, 0, 2, 0), (1, 0, 1, 0), (0, 0, 0, 1)]

    def fill(left: tuple[int, ...], number: int) -> bool:
        if not any(left):
            return True
        return number > 0 and any(
            fill(tuple(max(0, a - b) for a, b in zip(left, bank, strict=True)), number - 1)
            for bank in holds
            if any(a and b for a, b in zip(left, bank, strict=True))
        )

    return next(number for number in itertools.count() if fill(tuple(kinds), number))


def best_banks(wanted: Sequence[Id], unwanted: Unwanted, banks: int) -> int:
    return min(
        unwanted.weight(found)
        for groups in partitions(wanted, 4 * banks)
        if all(map(one_format, groups)) and banks_needed(groups) <= banks
        for found in [unwanted.of_cubes([g for g in groups if len(g) > 1])]
    )


def best_elements(wanted: Sequence[Id], unwanted: Unwanted, elements: int) -> int:
    """M_CAN, one format: two identifiers, or a mask, or a range."""
    least = None
    for groups in partitions(wanted, elements):
        forms = []
        for group in groups:
            ids, extended = [ident for ident, _ in group], group[0][1]
            if len(group) > 2:
                forms.append([unwanted.masked(*cube(group), extended), unwanted.between(min(ids), max(ids), extended)])
        for choice in itertools.product(*forms):
            found = 0
            for part in choice:
                found |= part
            cost = unwanted.weight(found)
            least = cost if least is None else min(least, cost)
    assert least is not None
    return least


def best_shared(wanted: Sequence[Id], unwanted: Unwanted) -> int:
    """MCP2515: two filters with one mask, four with another. Masks in 29 bits; a base filter leaves EID15..0 alone."""
    least = None
    for groups in partitions(wanted, 6):
        if not all(map(one_format, groups)):
            continue
        for sides in itertools.product((0, 1), repeat=len(groups)):
            if sides.count(0) > 2 or sides.count(1) > 4:
                continue
            shared = [0x1FFFFFFF, 0x1FFFFFFF]
            for group, side in zip(groups, sides, strict=True):
                _, mask = cube(group)
                shared[side] &= mask if group[0][1] else mask << 18 | 0x30000
            found = 0
            for group, side in zip(groups, sides, strict=True):
                ident, extended = group[0]
                found |= unwanted.masked(ident, shared[side] if extended else shared[side] >> 18, extended)
            cost = unwanted.weight(found)
            least = cost if least is None else min(least, cost)
    assert least is not None
    return least


def best_sja1000(wanted: Sequence[Id], unwanted: Unwanted, passes: Callable[..., bool]) -> int:
    """Single or dual, registers bit by bit; `passes(codes, masks, dual, identifier)` judges."""
    base = any(not extended for _, extended in wanted)

    def registers(group: Sequence[Id], bits: int, dual: bool) -> tuple[str, str]:
        """Code and care of so many bits: of base frames 11 identifier bits and RTR count, of extended ones all."""
        rows = []
        for ident, extended in group:
            row = format(ident, "029b") + "0??" if extended else format(ident, "011b") + "0" + "?" * 20
            if dual and extended and base:
                row = row[:12]  # the low nibble of ACR3 is the other filter's, too
            rows.append(row.ljust(32, "?")[:bits])
        code = care = ""
        for column in zip(*rows, strict=True):
            equal = len(set(column)) == 1 and column[0] != "?"
            code, care = code + (column[0] if equal else "0"), care + ("1" if equal else "0")
        return code, care

    def cost(code: str, care: str, dual: bool) -> int:
        codes = int(code, 2).to_bytes(4, "big")
        masks = (int(care, 2) ^ 0xFFFFFFFF).to_bytes(4, "big")
        return sum(w for one, w in zip(unwanted.ids, unwanted.weights, strict=True) if passes(codes, masks, dual, one))

    found = [cost(*registers(wanted, 32, False), False)]
    for groups in partitions(wanted, 2):
        first, second = (registers(group, 16, True) for group in (groups * 2)[:2])
        found.append(cost(first[0] + second[0], first[1] + second[1], True))
    return min(found)


def greedy_masks(wanted: Sequence[Id], unwanted: Unwanted, filters: int) -> int:
    """Merge the pair that adds least, the first of equal ones, until the filters suffice."""
    groups = [[one] for one in wanted]
    while len(groups) > filters:
        passing = unwanted.of_cubes(groups)
        least = None
        for i, j in itertools.combinations(range(len(groups)), 2):
            both = groups[i] + groups[j]
            if one_format(both):
                added = unwanted.weight(unwanted.masked(*cube(both), both[0][1]) & ~passing)
                if least is None or added < least[0]:
                    least = added, i, j
        assert least is not None
        _, i, j = least
        groups[i] = groups[i] + groups.pop(j)
    return unwanted.weight(unwanted.of_cubes(groups))


def extended_let_through(groups: Groups) -> int:
    """Extended identifiers, wanted ones included, that the cubes let through together: inclusion and exclusion."""
    total = 0
    cubes = [cube(group) for group in groups]
    for number in range(1, len(cubes) + 1):
        for chosen in itertools.combinations(cubes, number):
            value, mask = 0, 0
            for v, m in chosen:
                if (value ^ v) & mask & m:
                    break
                value, mask = value | v, mask | m
            else:
                total += (-1) ** (number + 1) * 2 ** (29 - bin(mask).count("1"))
    return total


def best_extended(wanted: Sequence[Id], filters: int) -> int:
    """Extended identifiers with a mask each; every other identifier counts once."""
    return min(extended_let_through(groups) for groups in partitions(wanted, filters)) - len(wanted)
