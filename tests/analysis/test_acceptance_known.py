"""Answers of acceptance filters, worked out by hand from the data sheets; what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from acceptance_records import records
from oracle import acceptance_oracle as oracle
from oracle.acceptance_oracle import Frame

from canal_fast import analysis
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
