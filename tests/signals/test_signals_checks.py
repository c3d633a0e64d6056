"""Checksums and counters of messages."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from signals_support import one_message

import canal_fast as cf
from canal_fast.signals import Checksum, Counter, Database, Signal

# checksums and counters


def crc8(data: bytes, polynomial: int, crc: int, final: int) -> int:
    """Bit by bit."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ polynomial) & 0xFF if crc & 0x80 else crc << 1
    return crc ^ final


def test_crc_check_values() -> None:
    """The catalogue's answers for "123456789"."""
    assert crc8(b"123456789", 0x1D, 0xFF, 0xFF) == 0x4B
    assert crc8(b"123456789", 0x2F, 0xFF, 0xFF) == 0xDF
    assert crc8(b"123456789", 0x1D, 0, 0) == 0x37


@pytest.mark.parametrize("algorithm", ["sae_j1850", "sae_j1850_zero", "autosar_8h2f", "xor"])
@pytest.mark.parametrize("place", [0, 7])
@pytest.mark.parametrize("suffix", [b"", b"\x12\x34"])
def test_checksum_and_counter_violations(algorithm: str, place: int, suffix: bytes) -> None:
    from canal_fast.signals.checks import ALGORITHMS

    counter_at = 8 if place == 0 else 0
    message = one_message(Signal("CRC", 8 * place, 8), Signal("CNT", counter_at, 4), Signal("v", 24, 16))
    checks = {"M": [Checksum("CRC", algorithm, suffix=suffix), Counter("CNT", 15)]}
    plan = Database([message]).plan(checks=checks)
    rng = np.random.default_rng(9)
    payloads = rng.integers(0, 256, (60, 8), np.uint8)
    payloads[:, counter_at // 8] = np.arange(60) % 15
    polynomial, initial, final = ALGORITHMS[algorithm]
    for row in payloads:
        data = bytes(np.delete(row, place)) + suffix
        row[place] = crc8(data, polynomial, initial, final) if polynomial else np.bitwise_xor.reduce(list(data))
    payloads[17, 4] ^= 1
    frames = np.delete(cf.make_frames(np.full(60, 0x123), payloads), 40)
    table = plan.decode(frames)["M"]
    assert np.flatnonzero(table["CRC_violation"]).tolist() == [17]
    assert np.flatnonzero(table["CNT_violation"]).tolist() == [40]
    assert pickle.loads(pickle.dumps(plan)) == plan != Database([message]).plan()
    pa = pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
    assert pa.table(table)["CRC_violation"].to_pylist() == table["CRC_violation"].tolist()


@pytest.mark.parametrize("options", [{}, {"scaling": False}, {"choices": "dictionary"}], ids=str)
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (2, 0), (-1, 100), (0.5, -3)])
def test_counters_are_judged_by_raw_values(options: dict[str, Any], scale: float, offset: int) -> None:
    signal = Signal("CNT", 0, 4, scale=scale, offset=offset, choices=((0, "zero"), (3, "three")))
    plan = Database([one_message(signal)]).plan(checks={"M": [Counter("CNT")]}, **options)
    table = plan.decode(cf.make_frames(np.full(8, 0x123), [bytes([n % 16]) + bytes(7) for n in range(11, 19)]))["M"]
    assert not table["CNT_violation"].any()
    table = plan.decode(cf.make_frames(np.full(3, 0x123), [bytes([n]) + bytes(7) for n in (3, 5, 6)]))["M"]
    assert table["CNT_violation"].tolist() == [False, True, False]


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.filterwarnings("error")
def test_frames_without_the_counter_are_stepped_over(scale: float) -> None:
    message = one_message(Signal("CRC", 8, 8), Signal("CNT", 20, 4, scale=scale))
    plan = Database([message]).plan(checks={"M": [Checksum("CRC", "xor", last=1), Counter("CNT")]})
    payloads = [b"\1\1\x50", b"\1", b"\1\1\x60", b"\1\1\x70", b"", b"\1\2\x70", b"\1\1\x80"]
    table = plan.decode(cf.make_frames(np.full(7, 0x123), payloads))["M"]
    assert np.flatnonzero(table["CNT_violation"]).tolist() == [5]
    assert np.flatnonzero(table["CRC_violation"]).tolist() == [5]
    for name in ("CNT_violation", "CRC_violation"):
        assert table.valid[name].tolist() == [True, False, True, True, False, True, True]


def test_checks_are_of_the_frames_as_they_were() -> None:
    """The caller may fill his array anew before he asks for a table."""
    message = one_message(Signal("CRC", 0, 8), Signal("CNT", 8, 8))
    plan = Database([message]).plan(checks={"M": [Checksum("CRC", "xor"), Counter("CNT")]})
    frames = cf.make_frames(np.full(3, 0x123), [bytes([n, n]) + bytes(6) for n in range(3)])
    tables = plan.decode(frames)
    tables.shift(100)
    frames["data"][:, 7] = 9
    table = tables["M"]
    assert not (table["CRC_violation"] | table["CNT_violation"]).any()
    assert table.source_row.tolist() == [100, 101, 102]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (Checksum("CRc"), "no signal 'CRc'; did you mean 'CRC'"),
        (Checksum("CRC", "j1850"), "algorithm = 'j1850'; did you mean 'sae_j1850'"),
        (Checksum("v"), "one whole byte, and not 16 bits"),
        (Counter("v", 1 << 17), "modulus of 2..65536, not 131072"),
    ],
)
def test_checks_that_cannot_be(check: Any, words: str) -> None:
    message = one_message(Signal("CRC", 0, 8), Signal("v", 24, 16))
    with pytest.raises(cf.SignalError, match=words):
        Database([message]).plan(checks={"M": [check]})
    with pytest.raises(cf.SignalError, match="no message 'N'"):
        Database([message]).plan(checks={"N": [check]})
