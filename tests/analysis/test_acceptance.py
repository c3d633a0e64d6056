"""Acceptance filters beside their bit-level twins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from acceptance_records import narrow, records
from oracle import acceptance_oracle as oracle
from oracle.acceptance_oracle import Frame

from canal_fast import analysis, processor
from canal_fast.analysis import (
    BxcanBank,
    BxcanFilters,
    Mailbox,
    MailboxFilters,
    McanElement,
    McanFilters,
    Mcp2515Filters,
    Mcp2517fdFilters,
    Sja1000Filters,
    SocketcanFilters,
)

Draw = np.random.Generator
Pair = tuple[Any, Callable[[Frame], int | None]]


def number(draw: Draw, high: int) -> int:
    return int(draw.integers(0, high, endpoint=True))


def flip(draw: Draw) -> bool:
    return bool(draw.integers(0, 2))


def near(draw: Draw, width: int, pool: int = 0x5A3C96E1) -> int:
    """One of a few numbers of so many bits, with at most two bits turned."""
    value = pool & ((1 << width) - 1)
    for _ in range(number(draw, 2)):
        value ^= 1 << number(draw, width - 1)
    return value


def sparse(draw: Draw, width: int) -> int:
    """A mask that has few ones, many, or none that is missing."""
    full = (1 << width) - 1
    some = number(draw, full)
    return [some & number(draw, full), some | number(draw, full), full][number(draw, 2)]


def random_frames(draw: Draw, count: int) -> list[Frame]:
    found = []
    for _ in range(count):
        extended, remote, fd = flip(draw), number(draw, 4) == 0, number(draw, 5) == 0
        data = bytes([near(draw, 8), near(draw, 8), 7][: number(draw, 3)])
        ident = near(draw, 29 if extended else 11, 0x5A3C96E1 if flip(draw) else 0x5A3C96E1 >> 18)
        kind = ["error", "status"][number(draw, 1)] if number(draw, 30) == 0 else "frame"
        if kind == "error":
            found.append(Frame(number(draw, 0x3FF) & number(draw, 0x3FF), kind=kind))
        else:
            found.append(Frame(ident, extended, remote and not fd, fd, data, kind))
    return found


def sja1000(draw: Draw) -> Pair:
    layouts = [
        near(draw, 32, 0x5A3C96E1 << 3 & 0xFFFFFFFF),
        near(draw, 32, 0x6E1 << 21 | 0xE1E1),
        number(draw, 2**32 - 1),
    ]
    codes = tuple(layouts[number(draw, 2)].to_bytes(4, "big"))
    masks = tuple((sparse(draw, 32) ^ (0 if number(draw, 3) == 0 else 0xFFFFFFFF)).to_bytes(4, "big"))
    dual = flip(draw)
    return Sja1000Filters(codes, masks, dual), lambda frame: oracle.sja1000(codes, masks, dual, frame)


def half(draw: Draw) -> int:
    return near(draw, 11, 0x6E1) << 5 | number(draw, 31) & number(draw, 31)


def bxcan(draw: Draw) -> Pair:
    banks, theirs = [], []
    for _ in range(number(draw, 5)):
        wide, listed, active, fifo = flip(draw), flip(draw), number(draw, 4) > 0, number(draw, 1)
        if wide:
            one, two = [
                near(draw, 29, (0x5A3C96E1, 0x6E1 << 18)[number(draw, 1)]) << 3 | number(draw, 7) for _ in range(2)
            ]
            fr2 = two if listed else sparse(draw, 32)
        else:
            one = half(draw) | (half(draw) if listed else sparse(draw, 16)) << 16
            fr2 = half(draw) | (half(draw) if listed else sparse(draw, 16)) << 16
        banks.append(BxcanBank(32 if wide else 16, "list" if listed else "mask", one, fr2, active, fifo))
        theirs.append(oracle.Bank(wide, listed, one, fr2, active, fifo))
    return BxcanFilters(tuple(banks)), lambda frame: oracle.bxcan(theirs, frame)


def mcp2515(draw: Draw) -> Pair:
    masks = (sparse(draw, 29), sparse(draw, 29))
    pools = (0x5A3C96E1 & 0x1FFFFFFF, 0x6E1 << 18 | 0xE1E1)
    filters = tuple((near(draw, 29, pools[number(draw, 1)]), flip(draw)) for _ in range(6))
    anything = (number(draw, 9) == 0, number(draw, 9) == 0)
    return Mcp2515Filters(masks, filters, anything), lambda f: oracle.mcp2515(masks, filters, anything, f)


def mcp2517fd(draw: Draw) -> Pair:
    objects = []
    for _ in range(number(draw, 6)):
        ident = near(draw, 29)
        value = (near(draw, 11, 0x6E1) if flip(draw) else ident >> 18) | (ident & 0x3FFFF) << 11
        value |= number(draw, 3) << 29
        objects.append((value, sparse(draw, 29) | number(draw, 3) << 29, number(draw, 5) > 0))
    sid11 = flip(draw)
    return Mcp2517fdFilters(tuple(objects), sid11), lambda frame: oracle.mcp2517fd(objects, sid11, frame)


KINDS = ("range", "dual", "mask", "range_no_xidam")
CONFIGS = ("off", "fifo0", "fifo1", "reject", "priority", "priority_fifo0", "priority_fifo1", "buffer")


def mcan(draw: Draw) -> Pair:
    ours: list[list[McanElement]] = [[], []]
    theirs: list[list[oracle.Element]] = [[], []]
    for extended in (0, 1):
        width = 29 if extended else 11
        for _ in range(number(draw, 4)):
            kind, config = number(draw, 3), number(draw, 7)
            one, two = near(draw, width), near(draw, width)
            two = sparse(draw, width) if kind == 2 else two
            name = "off" if kind == 3 and not extended else KINDS[kind]
            ours[extended].append(McanElement(name, one, two, CONFIGS[config]))
            theirs[extended].append(oracle.Element(kind, config, one, two))
    xidam = sparse(draw, 29) | number(draw, 1) * 0x1FFFFFFF
    others, remote = (flip(draw), flip(draw)), (flip(draw), flip(draw))
    return (
        McanFilters(tuple(ours[0]), tuple(ours[1]), xidam, others, remote),
        lambda frame: oracle.mcan(theirs[0], theirs[1], frame, xidam, others, remote),
    )


def mailboxes(draw: Draw) -> Pair:
    three = (None, False, True)
    boxes = [
        (near(draw, 29, pool), sparse(draw, 29), three[number(draw, 2)], three[number(draw, 2)])
        for pool in (0x5A3C96E1 & 0x1FFFFFFF, 0x6E1) * number(draw, 3)
    ]
    return MailboxFilters(tuple(Mailbox(*box) for box in boxes)), lambda frame: oracle.mailboxes(boxes, frame)


def socketcan(draw: Draw) -> Pair:
    filters = [
        (
            near(draw, 29, pool) | number(draw, 7) << 29,
            sparse(draw, 29) | (number(draw, 3) << 1 | (number(draw, 5) == 0)) << 29,
        )
        for pool in (0x5A3C96E1 & 0x1FFFFFFF, 0x6E1) * number(draw, 2)
    ]
    errors = number(draw, 0x3FF) & number(draw, 0x3FF)
    return SocketcanFilters(tuple(filters), errors), lambda frame: oracle.socketcan(filters, errors, frame)


CONTROLLERS = [sja1000, bxcan, mcp2515, mcp2517fd, mcan, mailboxes, socketcan]


def compare(controller: Callable[[Draw], Pair], seed: int, rounds: int, count: int) -> tuple[int, int]:
    """Frames let through and stopped, all as the twin says."""
    draw = np.random.default_rng(seed)
    through = stopped = 0
    for _ in range(rounds):
        filters, twin = controller(draw)
        frames = random_frames(draw, count)
        array = records(frames)
        expected = [-1 if answer is None else answer for answer in map(twin, frames)]
        assert analysis.match_index(array, filters).tolist() == expected, filters
        assert analysis.accepts(array, filters).tolist() == [answer != -1 for answer in expected], filters
        passed = sum(answer != -1 for answer in expected)
        through, stopped = through + passed, stopped + count - passed
    return through, stopped


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_twin(controller: Callable[[Draw], Pair]) -> None:
    through, stopped = compare(controller, 1, 60, 25)
    assert min(through, stopped) > 100


@pytest.mark.slow
@pytest.mark.unsanitized  # the short forms do the same
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_twin_at_length(controller: Callable[[Draw], Pair]) -> None:
    through, stopped = compare(controller, 2, 2500, 60)
    assert min(through, stopped) > 10_000


def test_every_base_frame_by_table() -> None:
    """All identifiers, data and remote, with the payload that a filter asks for and another: classical records, too."""
    codes, masks = (0x24, 0x60, 0xAB, 0xCD), (0x03, 0x0F, 0x00, 0xF0)
    frames = [
        Frame(i, False, r, False, d) for i in range(2048) for r in (False, True) for d in (b"", b"\xab", b"\xab\x1d")
    ]
    expected = [oracle.sja1000(codes, masks, False, frame) == 0 for frame in frames]
    wide = records(frames)
    small = narrow(wide)
    for array in (wide, small, small[::2]):
        step = len(frames) // len(array)
        assert analysis.accepts(array, Sja1000Filters(codes, masks)).tolist() == expected[::step]
    assert 0 < sum(expected) < len(expected)


@pytest.fixture
def level() -> Iterator[None]:
    """A test may choose levels."""
    yield
    processor.select(os.environ.get("CANAL_FAST_SIMD") or processor.available()[-1])


@pytest.mark.parametrize("other", [Frame(0x121, True), Frame(0x121, remote=True), Frame(0x121, fd=True), None])
def test_runs_of_base_frames(other: Frame | None, level: None) -> None:
    """Eight and sixteen at a time; one of another kind, which does not pass, among them in each of eight places."""
    plain = [Frame(i * 37 % 2048, data=b"\xab" if i >> 3 & 1 else b"\0") for i in range(2048 + 5)]
    boxes = [(0x120, 0x7F4, False, False), (0x555, 0x7FF, False, None), (0x121, 0x7FE, False, False)]
    masks, filters = (0x7F4 << 18, 0x1FFC0000), tuple((i << 18, False) for i in (0x120, 0x120, 0x555, 0x121, 0x122, 0))
    neither, codes, care = (False, False), (0x24, 0x60, 0xAB, 0xCD), (0xFF, 0x0F, 0x00, 0xFF)
    pairs: list[Pair] = [
        (MailboxFilters(tuple(Mailbox(*box) for box in boxes)), lambda frame: oracle.mailboxes(boxes, frame)),
        (Mcp2515Filters(masks, filters), lambda frame: oracle.mcp2515(masks, filters, neither, frame)),
        (Sja1000Filters(codes, care), lambda frame: oracle.sja1000(codes, care, False, frame)),
    ]
    for ours, twin in pairs:
        for place in range(8, 16):
            frames = plain if other is None else [*plain[:place], other, *plain[place:200]]
            expected = [twin(frame) is not None for frame in frames]
            for name in processor.available():
                processor.select(name)
                assert analysis.accepts(records(frames), ours).tolist() == expected
                assert analysis.accepts(narrow(records(frames)), ours).tolist() == expected
            assert any(expected)
            if other is None:
                break
