"""The virtual driver's configuration string, its buses and handles, its status."""

from __future__ import annotations

import ctypes

import pytest
from canal_ctypes import message
from virtual_bus import (
    BUS_OFF,
    CHANNEL,
    MS,
    NOT_SUPPORTED,
    PARAMETER,
    STATUS,
    STATUS_FRAMES,
    SUCCESS,
    Open,
    blocked,
    drain,
    sequence,
    statistics,
    status,
)

REFUSED = [
    ("", "bus name"),
    ("a b", "may not hold blanks"),
    ("x" * 32, "1 to 31 characters"),
    ("b;fast", "bitrate=fast"),
    ("b;999", "bitrate=999 is outside 1000..1000000"),
    ("b;-5", "bitrate=-5"),
    ("b;0x", "bitrate=0x"),
    ("b;500000;oops", '"oops" is not of the form key=value'),
    ("b;500000;lod=1", 'unknown key "lod"'),
    ("b;load=1.1", "load=1.1 is outside 0..1"),
    ("b;load=1e-3", "load=1e-3"),
    ("b;load=.5", "load=.5"),
    ("b;load=", "load="),
    ("b;load=0.1234567", "at most 6 decimals"),
    ("b;rate=0", "rate=0 is outside"),
    ("b;rate=1.0001", "at most 3 decimals"),
    ("b;load=1;rate=5", "exclude one another"),
    ("b;load=1;load=1", "load is given twice"),
    ("b;seed=18446744073709551616", "seed=18446744073709551616"),
    ("b;t0=4294967296", "t0=4294967296 is outside 0..4294967295"),
    ("b;fifo=0", "fifo=0 is outside 1..1048576"),
    ("b;txqueue=65537", "txqueue=65537 is outside 1..65536"),
    ("b;ids=0x800", "ids=0x800"),
    ("b;ids=5-4", "ids=5-4"),
    ("b;ids=1,", "ids=1,"),
    ("b;dlc=16", "dlc=16"),
    ("b;dlc=" + ",".join(["1"] * 17), "at most 16"),
    ("b;clock=sun", "clock=sun is neither wall nor step"),
    ("b;replay=", "needs the path"),
    ("b;replay=/nowhere/x.log", "No such file"),
    ("b;" + "x" * 300, "longer than 255 bytes"),
]


@pytest.mark.parametrize(("config", "words"), REFUSED, ids=[c[:20] for c, _ in REFUSED])
def test_bad_configurations_are_refused_in_words(canal: ctypes.CDLL, config: str, words: str) -> None:
    assert canal.CanalOpen(config.encode(), 0) == 0
    assert words in canal.CanalVirtualLastError().decode()


def test_no_configuration(canal: ctypes.CDLL) -> None:
    assert canal.CanalOpen(None, 0) == 0
    assert canal.CanalVirtualLastError() == b"no configuration string"


def test_blanks_and_empty_fields_do_not_matter(canal: ctypes.CDLL, opened: Open) -> None:
    opened(" b ; 250000 ;; load = 0.5 ; ids = 1-2,5 ;")
    opened("b;;load=0.50;bitrate=250000")
    opened("b;0x3d090;ids=1-2,5")
    assert canal.CanalVirtualLastError() == b""


def test_the_longest_configuration(canal: ctypes.CDLL, opened: Open) -> None:
    opened("b;1000000".ljust(255, " "))
    assert canal.CanalOpen(b"b;1000000".ljust(256, b" "), 0) == 0


def test_conflicting_keys_are_refused(canal: ctypes.CDLL, opened: Open) -> None:
    opened("b;250000;load=0.5;seed=3;fifo=10")
    opened("b")
    opened("b;fifo=99;txqueue=5;seed=3")
    for key, config in [
        ("bitrate", "b;500000"),
        ("load", "b;load=0.6"),
        ("clock", "b;clock=step"),
        ("dlc", "b;dlc=0-8"),
    ]:
        assert canal.CanalOpen(config.encode(), 0) == 0
        assert canal.CanalVirtualLastError().startswith(f'bus "b" is open with another {key};'.encode())


def test_buses_are_independent_and_die(canal: ctypes.CDLL, opened: Open) -> None:
    a, b = opened("a;125000;load=1;clock=step"), opened("b;1000000;load=1;clock=step")
    canal.CanalVirtualStep(b"b", 10 * MS)
    assert canal.CanalDataAvailable(a) == 0
    assert canal.CanalDataAvailable(b) > 70
    canal.CanalSend(a, message(0))
    canal.CanalVirtualStep(b"a", 10 * MS)
    assert 0 < canal.CanalDataAvailable(a) < 12
    canal.CanalClose(a)
    assert canal.CanalVirtualStep(b"a", 1) == CHANNEL
    opened("a;500000")
    assert canal.CanalVirtualStep(b"a", 1) == NOT_SUPPORTED
    assert canal.CanalVirtualStep(None, 1) == CHANNEL
    assert canal.CanalVirtualStep(b"b", 2**63) == PARAMETER


def test_handles_are_bounded_and_not_used_twice(canal: ctypes.CDLL, opened: Open) -> None:
    handles = [opened("b;fifo=1;txqueue=1") for _ in range(256)]
    assert len(set(handles)) == 256
    assert min(handles) >= 1681
    assert canal.CanalOpen(b"b", 0) == 0
    assert b"all 256 handles" in canal.CanalVirtualLastError()
    canal.CanalClose(handles[77])
    assert opened("b") not in handles


def test_a_newcomer_gets_only_what_comes(canal: ctypes.CDLL, opened: Open) -> None:
    first = opened("b;1000000;load=1;clock=step")
    canal.CanalVirtualStep(b"b", 10 * MS)
    late = opened("b")
    canal.CanalVirtualStep(b"b", 10 * MS)
    seen = len(drain(canal, first)) - canal.CanalDataAvailable(late)
    assert sequence(drain(canal, late)[0]) == seen


# Status


def test_error_counters(canal: ctypes.CDLL, opened: Open) -> None:
    handle, watcher = opened("b;clock=step"), opened("b", STATUS_FRAMES)
    sends_errors = 0x10000
    steps = [
        ((0, 0), 0x10000000, None),
        ((95, 3), 0x10000000 | 3 << 8 | 95, None),
        ((96, 0), 0x20000000 | 96, 2),
        ((10, 128), 0x40000000 | 127 << 8 | 10, 3),
        ((256, 0), 0x80000000 | 255, 4),
        ((0, 0), 0x10000000, 0),
    ]
    for (tec, rec), word, code in steps:
        assert canal.CanalVirtualSetErrors(b"b", tec, rec) == SUCCESS
        assert status(canal, handle).channel == word | sends_errors
        assert canal.CanalSend(handle, message(1)) == (BUS_OFF if tec == 256 else SUCCESS)
        got = [m for m in drain(canal, watcher) if m.flags & STATUS]
        expected = [] if code is None else [(STATUS, 0, 4, bytes([code, min(rec, 127), min(tec, 255), 0, 0, 0, 0, 0]))]
        assert [m.row() for m in got] == expected
    assert drain(canal, handle) == []
    counted = statistics(canal, handle)
    assert (counted.warnings, counted.off) == (1, 1)
    assert canal.CanalVirtualSetErrors(b"b", 257, 0) == PARAMETER
    assert canal.CanalVirtualSetErrors(b"nobody", 0, 0) == CHANNEL


def test_bus_off_holds_sends_back(canal: ctypes.CDLL, opened: Open) -> None:
    handle, listener = opened("b;1000000;clock=step;txqueue=1"), opened("b")
    assert canal.CanalSend(handle, message(1)) == SUCCESS
    thread, code = blocked(lambda: canal.CanalBlockingSend(handle, message(2), 0))
    canal.CanalVirtualSetErrors(b"b", 256, 0)
    thread.join(5)
    assert code == [BUS_OFF]
    canal.CanalVirtualStep(b"b", MS)
    assert drain(canal, listener) == []
    canal.CanalVirtualSetErrors(b"b", 0, 0)
    canal.CanalVirtualStep(b"b", MS)
    assert [m.id for m in drain(canal, listener)] == [1]


def test_status_messages_between_frames(canal: ctypes.CDLL, opened: Open) -> None:
    handle, plain = opened("b;1000000;load=1;clock=step;status=3;frames=10", STATUS_FRAMES), opened("b")
    canal.CanalVirtualStep(b"b", 10 * MS)
    assert [m.flags & STATUS for m in drain(canal, handle)] == [0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0]
    assert len(drain(canal, plain)) == 10


def test_what_is_not_supported_says_so(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened("b")
    for call in (canal.CanalSetFilter, canal.CanalSetMask, canal.CanalSetBaudrate):
        assert call(handle, 1) == NOT_SUPPORTED
    assert canal.CanalGetLevel(handle) == 1
    assert canal.CanalGetVersion() == 0x0101
    assert canal.CanalGetVendorString().startswith(b"canal_fast virtual CANAL driver ")
    assert canal.CanalGetDriverInfo().startswith(b"<?xml")
    assert canal.CanalGetStatus(handle, None) == canal.CanalReceive(handle, None) == PARAMETER
