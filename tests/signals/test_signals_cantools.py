"""Decoding beside cantools, on every database of tests/data/databases, and beside the bit-by-bit twin."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import signals_oracle as twin
from signals_support import LONG, READABLE, frames_of, same

import canal_fast as cf
from canal_fast.signals import Database, Message

cantools = pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
FEW, MANY = 40, 10_000


@cache
def loaded(path: Path) -> tuple[Any, Database]:
    database = cantools.database.load_string(
        path.read_text("cp1252"), database_format=path.suffix[1:], strict=False, prune_choices=False
    )
    return database, cf.load_database(database)


def payloads_of(message: Message, count: int) -> np.ndarray:
    """Random payloads; every second one has multiplexer values that the message knows."""
    rng = np.random.default_rng(message.arbitration_id)
    payloads = rng.integers(0, 256, (count, message.length), np.uint8)
    selecting = [s for s in message.signals if any(t.multiplexer == s.name for t in message.signals)]
    for row in payloads[::2]:
        data = bytearray(row.tobytes())
        for signal in selecting:
            ids = [low for t in message.signals if t.multiplexer == signal.name for low, _ in t.multiplexer_ids]
            twin.put(data, signal, int(rng.choice(ids)))
        row[:] = np.frombuffer(data, np.uint8)
    return payloads


def by_cantools(theirs: Any, message: Message, payloads: np.ndarray, scaling: bool) -> list[dict[str, Any] | None]:
    """A dict a payload; None where cantools raises."""
    of_message = [
        m
        for m in theirs.messages
        if (m.frame_id, bool(m.is_extended_frame)) == (message.arbitration_id, message.is_extended)
    ]
    decoder = next(m for m in of_message if m.name == message.name)
    rows: list[dict[str, Any] | None] = []
    for row in payloads:
        try:
            rows.append(decoder.decode(row.tobytes(), decode_choices=False, scaling=scaling))
        except cantools.database.DecodeError:
            rows.append(None)
    return rows


def compare(path: Path, count: int, scaling: bool, beside_twin: int) -> int:
    """Cells compared with cantools."""
    theirs, ours = loaded(path)
    cells = 0
    for message in ours.messages:
        if not message.signals:
            continue
        plan = cf.signals.Database([message]).plan(scaling=scaling)
        payloads = payloads_of(message, count)
        tables = plan.decode(frames_of(message, payloads))
        table = tables[message.name]
        assert len(table) == count
        assert tables.counts.decoded + tables.counts.short == count
        names = {signal.name: signal for signal in message.signals}
        rows = by_cantools(theirs, message, payloads, scaling)
        for name, signal in names.items():
            values, valid = table[name].tolist(), table.valid[name].tolist()
            for index, row in enumerate(rows):
                if row is not None:
                    assert (name in row) == valid[index], (message.name, name, payloads[index].tobytes().hex())
                    if name in row:
                        cells += 1
                        assert same(values[index], row[name]), (message.name, name, values[index], row[name])
            for index in range(min(beside_twin, count)):
                payload = payloads[index].tobytes()
                there = twin.present(payload, signal, names)
                assert valid[index] == there, (message.name, name)
                expected = (twin.physical if scaling else twin.raw)(payload, signal)
                if there:
                    assert same(values[index], expected), (message.name, name, values[index], expected)
                else:
                    assert same(values[index], float("nan") if table[name].dtype.kind == "f" else 0)
    return cells


@pytest.mark.parametrize("scaling", [True, False], ids=["physical", "raw"])
@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.name)
def test_every_message_equals_cantools(path: Path, scaling: bool) -> None:
    _, database = loaded(path)
    cells = compare(path, FEW, scaling, FEW // 2)
    decodable = [m for m in database.messages if m.signals and m.name != "PCS_HUD"]
    assert cells >= FEW // 2 * sum(any(s.multiplexer is None for s in m.signals) for m in decodable)


@pytest.mark.slow
@pytest.mark.parametrize("scaling", [True, False], ids=["physical", "raw"])
@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.name)
def test_ten_thousand_payloads_of_every_message(path: Path, scaling: bool) -> None:
    compare(path, MANY if LONG else 1_000, scaling, 0)


def test_cantools_cannot_decode_what_overlaps_and_we_can() -> None:
    """Toyota's PCS_HUD: cantools raises on every frame; a plan of bit fields has no trouble."""
    path = next(p for p in READABLE if p.name == "_toyota_2017.dbc")
    theirs, ours = loaded(path)
    message = ours["PCS_HUD"]
    payloads = payloads_of(message, 50)
    assert by_cantools(theirs, message, payloads, True) == [None] * 50
    table = ours.plan(["PCS_HUD"]).decode(frames_of(message, payloads))["PCS_HUD"]
    for signal in message.signals:
        expected = [twin.physical(row.tobytes(), signal) for row in payloads]
        assert all(map(same, table[signal.name].tolist(), expected))
    assert {p.signal for p in ours.problems if p.kind == "overlap"} == {"PCS_TEMP", "PCS_DUST", "FRD_ADJ"}


@pytest.mark.parametrize("length", range(8))
def test_short_frames_as_cantools_truncates(length: int) -> None:
    """cantools raises, or leaves out what does not fit with allow_truncated; here that is null, and counted."""
    path = next(p for p in READABLE if p.name == "_toyota_2017.dbc")
    theirs, ours = loaded(path)
    for message in ours.messages:
        if message.name == "PCS_HUD" or length >= message.length:
            continue
        decoder = theirs.get_message_by_name(message.name)
        payloads = payloads_of(message, 6)[:, :length]
        with pytest.raises(cantools.database.DecodeError):
            decoder.decode(payloads[0].tobytes())
        tables = ours.plan([message.name]).decode(frames_of(message, payloads))
        table = tables[message.name]
        needs = max(signal.payload_bytes for signal in message.signals)
        assert (tables.counts.short, tables.counts.decoded) == ((6, 0) if length < needs else (0, 6))
        for index, row in enumerate(payloads):
            expected = decoder.decode(row.tobytes(), decode_choices=False, allow_truncated=True)
            for signal in message.signals:
                assert table.valid[signal.name][index] == (signal.name in expected)
                if signal.name in expected:
                    assert same(table[signal.name][index].item(), expected[signal.name])
