"""Acceptance filters beside their bit-level twins, and known answers worked out by hand from the data sheets."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from oracle import acceptance_oracle as oracle
from oracle.acceptance_oracle import Frame

import canal_fast as cf
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

FLAG = cf.FrameFlag
Draw = np.random.Generator
Pair = tuple[Any, Callable[[Frame], int | None]]


def records(frames: list[Frame]) -> cf.FrameArray:
    out = np.zeros(len(frames), cf.FD_FRAME_DTYPE)
    for record, frame in zip(out, frames, strict=True):
        kind = {"frame": 0, "error": FLAG.ERROR_FRAME, "status": FLAG.STATUS}[frame.kind]
        flags = (FLAG.EXTENDED_ID * frame.extended, FLAG.REMOTE * frame.remote, FLAG.FD * frame.fd)
        record["arbitration_id"], record["flags"] = frame.identifier, sum(map(int, flags)) | int(kind)
        record["dlc"] = len(frame.data)
        if not frame.remote:
            record["data"][: len(frame.data)] = list(frame.data)
    return out


def narrow(wide: cf.FrameArray) -> cf.FrameArray:
    """The same as classical records."""
    out = np.zeros(len(wide), cf.FRAME_DTYPE)
    for name in ("arbitration_id", "flags", "dlc"):
        out[name] = wide[name]
    out["data"] = wide["data"][:, :8]
    return out


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


# --- Known answers, worked out by hand

BASE, EXT = Frame(0x123, data=b"\xab\xcd"), Frame(0x18FEF100, True)


@pytest.mark.parametrize(
    ("filters", "frame", "answer"),
    [
        # 0x123 = 001 0010 0011: ACR0 = 0010 0100, ACR1 = 011 RTR 0000
        (Sja1000Filters((0x24, 0x60, 0xAB, 0xCD), (0, 0x0F, 0, 0)), BASE, 0),
        (Sja1000Filters((0x24, 0x60, 0xAB, 0xCE), (0, 0x0F, 0, 0)), BASE, -1),
        (Sja1000Filters((0x24, 0x60, 0xAB, 0xCE), (0, 0x0F, 0, 0)), Frame(0x123, data=b"\xab"), 0),
        (Sja1000Filters((0x24, 0x60, 0, 0), (0, 0x0F, 0xFF, 0xFF)), Frame(0x123, remote=True), -1),
        (Sja1000Filters((0x24, 0x70, 0, 0), (0, 0x0F, 0xFF, 0xFF)), Frame(0x123, remote=True), 0),
        # 0x18FEF100 << 3 = C7F78800
        (Sja1000Filters((0xC7, 0xF7, 0x88, 0x00), (0, 0, 0, 3)), EXT, 0),
        (Sja1000Filters((0xC7, 0xF7, 0x88, 0x04), (0, 0, 0, 3)), EXT, -1),
        # dual: the data byte AB, its nibbles in ACR1 and ACR3
        (Sja1000Filters((0x24, 0x6A, 0xFF, 0xEB), (0, 0, 0, 0), True), BASE, 0),
        (Sja1000Filters((0x24, 0x6A, 0xFF, 0xEC), (0, 0, 0, 0), True), BASE, -1),
        (Sja1000Filters((0x24, 0x6A, 0xFF, 0xEB), (0, 0, 0, 0), True), Frame(0x123, data=b"\xbb"), -1),
        (Sja1000Filters((0x24, 0x6A, 0xFF, 0xEB), (0, 0, 0, 0), True), Frame(0x123, data=b"\x2b"), -1),
        (Sja1000Filters((0xFF, 0xFF, 0x24, 0x6C), (0, 0, 0, 0), True), BASE, 1),
        (Sja1000Filters((0, 0, 0xC7, 0xF7), (0, 0, 0, 0), True), Frame(0x18FEFFFF, True), 1),
        # 32-bit list: 0x123 << 21; 16 bits: 0x123 << 5 = 2460
        (BxcanFilters((BxcanBank(32, "list", 0x24600000, 0xC7F78804),)), BASE, 0),
        (BxcanFilters((BxcanBank(32, "list", 0x24600000, 0xC7F78804),)), EXT, 1),
        (BxcanFilters((BxcanBank(32, "list", 0x24600000, 0xC7F78806),)), EXT, -1),
        (BxcanFilters((BxcanBank(16, "list", 0x20000000, 0x24600000),)), BASE, 3),
        (BxcanFilters((BxcanBank(16, "mask", 0xFF1C2000, 0xFFFF2460),)), BASE, 1),
        # EXID17..15 of 18FEF100 = 101: STID 63F << 5 | IDE 8 | 5 = C7ED
        (BxcanFilters((BxcanBank(16, "mask", 0xFFFFC7ED, 0),)), EXT, 0),
        (BxcanFilters((BxcanBank(16, "mask", 0xFFFFC7EC, 0xFFFF0000),)), EXT, -1),
        # a 16-bit list comes first in number, a 32-bit mask first in order: 2 x 16 bits before it
        (BxcanFilters((BxcanBank(16, "mask", 0, 0), BxcanBank(32, "mask", 0, 0))), BASE, 2),
        (BxcanFilters((BxcanBank(16, "mask", 0, 0, fifo=1), BxcanBank(32, "mask", 0, 0))), BASE, 0),
        (BxcanFilters((BxcanBank(32, "mask", 0, 0), BxcanBank(32, "list", 0, 0x24600000))), BASE, 2),
        (BxcanFilters((BxcanBank(32, "mask", 0, 0, active=False),)), BASE, -1),
        (BxcanFilters((BxcanBank(32, "mask", 0, 0),)), Frame(0x123, fd=True), -1),
        # RXM0 with all SID bits and EID15..8: data byte 0
        (Mcp2515Filters((0x1FFCFF00, 0x1FFFFFFF), ((0x123 << 18 | 0xAB00, False),) * 6), BASE, 0),
        (Mcp2515Filters((0x1FFCFF00, 0x1FFFFFFF), ((0x123 << 18 | 0xAC00, False),) * 6), BASE, -1),
        (Mcp2515Filters((0x1FFFFFFF, 0x1FFF00FF), ((0x18FEF101, True),) * 6), EXT, -1),
        (Mcp2515Filters((0x1FFFFFFF, 0x1FFFFF00), ((0x18FEF101, True),) * 6), EXT, 2),
        (Mcp2515Filters((0x1FFFFFFF,) * 2, ((0, True),) * 6, (False, True)), EXT, -2),
        # 18FEF100: SID 63F, EID 2F100; EXIDE and MIDE are bit 30
        (Mcp2517fdFilters(((0x4000_0000 | 0x2F100 << 11 | 0x63F, 0x5FFF_FFFF),)), EXT, 0),
        (Mcp2517fdFilters(((0x2F100 << 11 | 0x63F, 0x5FFF_FFFF),)), EXT, -1),
        (Mcp2517fdFilters(((0x123, 0x7FF), (0x123, 0x7FF))), BASE, 0),
        (Mcp2517fdFilters(((0x2000_0123, 0x2000_07FF),), sid11=True), Frame(0x123, fd=True), -1),
        (Mcp2517fdFilters(((0x2000_0123, 0x2000_07FF),)), Frame(0x123, fd=True), 0),
        (Mcp2517fdFilters(((0x123, 0x7FF, False), (0, 0))), BASE, 1),
        (McanFilters((McanElement("range", 0x120, 0x122), McanElement("range", 0x120, 0x123))), BASE, 1),
        (McanFilters((McanElement("range", 0x123, 0x120),)), BASE, -1),
        (McanFilters((McanElement("dual", 0x001, 0x123, "reject"), McanElement("range", 0, 0x7FF))), BASE, -1),
        (McanFilters((McanElement("range", 0, 0x7FF, "priority"),)), BASE, -1),
        (McanFilters((McanElement("range", 0, 0x7FF, "priority_fifo1"),)), BASE, 0),
        (McanFilters((McanElement("mask", 0, 0, "buffer"),), accept_others=(True, False)), BASE, -2),
        (McanFilters((), (McanElement("mask", 0x18FEF1AA, 0x1FFFFF00),)), EXT, 0),
        (McanFilters((), (McanElement("dual", 0x18FEF100, 0),), xidam=0x00FFFF00), EXT, -1),
        (McanFilters((), (McanElement("dual", 0x00FEF100, 0),), xidam=0x00FFFF00), EXT, 0),
        (McanFilters((), (McanElement("range_no_xidam", 0x18FEF100, 0x18FEF1FF),), xidam=0xFF), EXT, 0),
        (McanFilters((McanElement("mask", 0, 0),), reject_remote=(True, False)), Frame(1, remote=True), -1),
        (MailboxFilters((Mailbox(0x123, extended=True), Mailbox(0x120, 0x7F0), Mailbox(0x123))), BASE, 1),
        (MailboxFilters((Mailbox(0x123, remote=True),)), BASE, -1),
        (SocketcanFilters(((0x12000123, 0x800007FF),)), BASE, 0),
        (SocketcanFilters(((0x123, 0x7FF),)), Frame(0x923, True), 0),
        (SocketcanFilters(((0x123, 0x800007FF),)), Frame(0x923, True), -1),
        (SocketcanFilters(((0x20000123, 0x7FF),)), BASE, -1),
        (SocketcanFilters(((0x20000124, 0x7FF),)), BASE, 0),
        (SocketcanFilters(((0x40000123, 0x400007FF),)), BASE, -1),
        (SocketcanFilters((), 0x040), Frame(0x044, kind="error"), -2),
        (SocketcanFilters(((0, 0x20000004),)), Frame(0x044, kind="error"), -2),
        (SocketcanFilters(((0, 0),)), Frame(0x044, kind="error"), -1),
        (SocketcanFilters(()), BASE, -1),
    ],
)  # fmt: skip
def test_known_answers(filters: analysis.AcceptanceFilters, frame: Frame, answer: int) -> None:
    assert analysis.match_index(records([frame]), filters).tolist() == [answer]
    assert analysis.accepts(records([frame]), filters).tolist() == [answer != -1]


def test_twins_against_known_answers() -> None:
    """The twins themselves, by hand: QEMU once shifted the low mask bits of the single base filter the wrong way."""
    single = (0x24, 0x60, 0, 0), (0x00, 0x6F, 0xFF, 0xFF)  # AMR1: ID19, ID18 do not count, ID20 and RTR do
    let_through = [i for i in range(2048) if oracle.sja1000(*single, False, Frame(i)) == 0]
    assert let_through == [0x120, 0x121, 0x122, 0x123]
    assert oracle.sja1000(*single, False, Frame(0x123, remote=True)) is None
    assert oracle.bxcan([oracle.Bank(False, True, 0x20000000, 0x24600000)], BASE) == 3
    assert oracle.mcp2515((0x1FFCFF00, 0), ((0x123 << 18 | 0xAC00, False),) * 6, (False, False), BASE) == 2
    assert oracle.mcp2517fd([(0x4000_0000 | 0x2F100 << 11 | 0x63F, 0x5FFF_FFFF, True)], False, EXT) == 0
    assert oracle.mcan([oracle.Element(0, 1, 0x120, 0x122), oracle.Element(0, 3, 0x123, 0x123)], [], BASE) is None
    assert oracle.mcan([], [oracle.Element(1, 1, 0x00FEF100, 0)], EXT, 0x00FFFF00) == 0
    assert oracle.mailboxes([(0x123, 0x1FFFFFFF, True, None), (0x120, 0x7F0, None, None)], BASE) == 1
    assert oracle.socketcan([(0x20000123, 0x7FF)], 0, BASE) is None
    assert oracle.socketcan([(0x12000123, 0x800007FF)], 0, BASE) == 0


def test_filters_of_python_can() -> None:
    frames = records([Frame(0x100), Frame(0x17F), Frame(0x180), Frame(0x100, True), Frame(0, kind="status")])
    assert analysis.accepts(frames, [{"can_id": 0x100, "can_mask": 0x780}]).tolist() == [1, 1, 0, 1, 0]
    assert analysis.accepts(frames, [{"can_id": 0x100, "can_mask": 0x780, "extended": False}]).tolist() == [
        1,
        1,
        0,
        0,
        0,
    ]
    assert analysis.accepts(frames, []).tolist() == [1, 1, 1, 1, 0]
    assert analysis.accepts(frames[:0], []).tolist() == []


def test_filters_pickle() -> None:
    filters = SocketcanFilters(((0x123, 0x7FF),), 4)
    assert analysis.accepts(records([BASE]), filters).tolist() == [True]
    again = pickle.loads(pickle.dumps(filters))
    assert again == filters
    assert analysis.accepts(records([BASE]), again).tolist() == [True]


def test_lists_do_as_tuples() -> None:
    filters = SocketcanFilters([[0x123, 0x7FF]])  # type: ignore[arg-type]
    assert analysis.accepts(records([BASE]), filters).tolist() == [True]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sja1000Filters((0, 0, 0), (0, 0, 0, 0)), r"codes has 3 elements, allowed 4"),
        (lambda: Sja1000Filters((0, 0, 0, 0x100), (0, 0, 0, 0)), r"codes\[3\] = 256, allowed 0..255"),
        (lambda: BxcanBank(8, "mask", 0, 0), "scale = 8, allowed 16, 32"),
        (lambda: BxcanBank(16, "mask", 1 << 32, 0), "fr1 = 0x100000000, allowed 0x0..0xffffffff"),
        (lambda: BxcanFilters((BxcanBank(16, "mask", 0, 0),) * 29), r"banks has 29 elements, allowed 0..28"),
        (lambda: Mcp2515Filters((0, 0), ()), "filters has 0 elements, allowed 6"),
        (lambda: Mcp2517fdFilters(((0, 1 << 33),)), r"objects\[0\]: mask = 0x200000000"),
        (lambda: McanFilters((McanElement("range", 0, 0x800),)), r"standard\[0\]: id2 = 2048, allowed 0..2047"),
        (lambda: McanElement("ranges", 0, 1), "kind = 'ranges', allowed 'range'"),
        (lambda: McanFilters((McanElement("range_no_xidam", 0, 1),)), r"standard\[0\]: kind"),
        (lambda: Mailbox(-1), "can_id = -0x1"),
        (lambda: SocketcanFilters(((0, 1 << 32),)), r"filters\[0\]: can_mask"),
        (lambda: analysis.accepts(records([BASE]), [{"can_id": 1}]), r"filters\[0\] has no can_mask"),
    ],
)
def test_bad_values(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_bad_types() -> None:
    with pytest.raises(TypeError, match="frames must be an array of FRAME_DTYPE"):
        analysis.accepts(np.zeros(3), [])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="filters must be a sequence of mappings"):
        analysis.accepts(records([BASE]), "0x123")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"masks\[0\] must be an integer, not str"):
        Mcp2515Filters(("1", 2), ((0, False),) * 6)  # type: ignore[arg-type]
