"""Encoding: back to the same bits, beside cantools, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import signals_oracle as twin
from signals_support import LONG, READABLE, frames_of, one_message, plan_of, same

import canal_fast as cf
from canal_fast.signals import Message, Signal


def random_payloads(message: Message, count: int) -> np.ndarray:
    return np.random.default_rng(message.arbitration_id).integers(0, 256, (count, message.length), np.uint8)


@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.name)
def test_encode_of_decode_gives_the_bits(path: Path) -> None:
    """Every bit of every signal that is there; all others are 0."""
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    for message in cf.load_database(path).messages:
        if not message.signals or message.length > 64 or message.name == "PCS_HUD":
            continue
        plan = plan_of(message)
        payloads = random_payloads(message, 600 if LONG else 60)
        table = plan.decode(frames_of(message, payloads, timestamp_ns=np.arange(len(payloads))))[message.name]
        frames = plan.encode(message.name, table)
        assert np.array_equal(frames["timestamp_ns"], np.arange(len(payloads)))
        mask = np.zeros((len(payloads), message.length), np.uint8)
        for signal in message.signals:
            there = table.valid[signal.name].copy()
            if signal.is_float:  # NaNs keep being NaN, not their bits
                there &= ~np.isnan(table[signal.name])
                mask[~there] &= ~bits_of(signal, message.length)
            mask[there] |= bits_of(signal, message.length)
        back = frames["data"][:, : message.length]
        assert np.array_equal(back & mask, payloads & mask), message.name
        if not any(signal.is_float for signal in message.signals):
            assert not (back & ~mask).any()


def bits_of(signal: Signal, length: int) -> np.ndarray:
    return np.frombuffer(signal.bits.to_bytes(64, "little"), np.uint8)[:length]


@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.name)
def test_encode_equals_cantools(path: Path) -> None:
    """Physical values that lie between raw ones, too: ties go to the even raw value."""
    cantools = pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    theirs = cantools.database.load_file(path, strict=False)
    database = cf.load_database(path)
    rng = np.random.default_rng(5)
    for message in database.messages:
        if not message.signals or message.length > 64 or message.name == "PCS_HUD":
            continue
        if any(signal.multiplexer for signal in message.signals):
            continue
        encoder = next(m for m in theirs.messages if m.name == message.name and m.frame_id == message.arbitration_id)
        table = plan_of(message).decode(frames_of(message, random_payloads(message, 40)))[message.name]
        columns: dict[str, np.ndarray] = {}
        for signal in message.signals:
            values = table[signal.name]
            if not signal.is_float:
                values = np.where(rng.integers(2, size=40) == 1, values, values.astype(float) / 2 + signal.offset / 2)
            columns[signal.name] = np.where(np.isfinite(values), values, 0)
        frames = plan_of(message).encode(message.name, columns)
        for row in range(40):
            values = {name: column[row].item() for name, column in columns.items()}
            assert encoder.encode(values, strict=False) == frames["data"][row, : message.length].tobytes(), values


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_every_place(big: bool, padding: int) -> None:
    """Only the signal's bits change, in 8 and in 64 bytes."""
    rng = np.random.default_rng(3)
    for size in (8, 64):
        for _ in range(400):
            signal = Signal("s", int(rng.integers(8 * size)), int(rng.integers(1, 65)), big)
            if signal.payload_bytes > size:
                continue
            raw = int(rng.integers(0, 1 << 63)) * 2 + 1 & (1 << signal.length) - 1
            message = one_message(signal, length=size)
            frame = plan_of(message).encode("M", {"s": [raw]}, padding=padding)[0]
            expected = bytearray(b"\xff" * size if padding else bytes(size))
            twin.put(expected, signal, raw)
            assert frame["data"].tobytes() == bytes(expected), signal


@pytest.mark.parametrize("length", [8, 12, 33, 50, 51, 52, 64])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 0), (3, -7), (-5, 11), (0.1, -40), (0.001, 0.5), (1 / 3, 0), (1e6, 1)]
)
def test_round_trip_of_large_numbers(scale: float, offset: float, signed: bool, length: int) -> None:
    """Integers always; with a float scale, wherever another raw value does not decode to the same number."""
    signal = Signal("s", 0, length, False, signed, scale=scale, offset=offset)
    message = one_message(signal)
    rng = np.random.default_rng(length)
    limit = min(length, 64 if isinstance(scale, int) and isinstance(offset, int) and scale == 1 else 53)
    values = [0, 1, (1 << limit) - 1, (1 << limit) - 2] + [int(v) % (1 << limit) for v in rng.integers(0, 1 << 63, 300)]
    payloads = np.array([list(v.to_bytes(8, "little")) for v in values], np.uint8)
    table = plan_of(message).decode(frames_of(message, payloads))["M"]
    back = plan_of(message).encode("M", table)["data"]
    again = plan_of(message).decode(frames_of(message, back))["M"]["s"]
    assert np.array_equal(again, table["s"])
    changed = (back != payloads).any(axis=1)
    for row in np.flatnonzero(changed):  # only where the column cannot tell two raw values apart
        neighbours = [values[row] + d for d in (-2, -1, 1, 2)]
        here = twin.physical(payloads[row].tobytes(), signal)
        there = [twin.physical(n.to_bytes(8, "little"), signal) for n in neighbours if 0 <= n < 1 << length]
        assert float(here) in map(float, there), (values[row], here)
    if length <= 50 or (isinstance(scale, int) and isinstance(offset, int) and scale == 1):
        assert not changed.any()


MESSAGE = one_message(
    Signal("speed", 0, 8, scale=0.5, offset=-40, unit="km/h", initial=90),
    Signal("gear", 8, 4, choices=((0, "neutral"), (1, "first"), (15, "reverse"))),
    Signal("angle", 23, 16, True, True),
    Signal("ratio", 32, 32, is_float=True),
)


def test_values_in_every_form() -> None:
    plan = plan_of(MESSAGE)
    given = plan.encode(
        "M", {"speed": [0, None, 2.5], "gear": ["first", "reverse", None], "angle": np.int16([-1, 2, 3])}
    )
    table = plan.decode(given)["M"]
    assert table["speed"].tolist() == [0, 5, 2.5]  # None: the initial raw value, 90
    assert table["gear"].tolist() == [1, 15, 0]
    assert table["angle"].tolist() == [-1, 2, 3]
    assert plan.encode("M", {}, count=2)["data"][0].tolist() == [90, 0, 0, 0, 0, 0, 0, 0]
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    assert plan.decode(plan.encode("M", {"speed": masked}))["M"]["speed"].tolist() == [5, 2]
    assert len(plan.encode("M", {"speed": 3}, timestamp_ns=[1, 2, 3])) == 3
    assert plan.encode("M", {"gear": 3})["arbitration_id"].tolist() == [0x123]
    assert plan.encode("M", {"gear": [True, False]})["data"][:, 1].tolist() == [1, 0]
    words = plan_of(MESSAGE, dictionary=True)
    assert np.array_equal(words.encode("M", words.decode(given)["M"])["data"], given["data"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"speed": [0, 88]}, ["M.speed", "row 1", "88", "-40.0..87.5 km/h", "raw 0..255", "saturate=True"]),
        ({"speed": [float("nan")]}, ["row 0", "nan", "None gives the initial value"]),
        ({"speed": [0, 0, float("inf")]}, ["row 2", "inf"]),
        ({"gear": [16]}, ["16", "0..15"]),
        ({"gear": [-1]}, ["-1", "0..15"]),
        ({"angle": [1, 32768]}, ["M.angle", "32768", "-32768..32767"]),
        ({"angle": np.uint64([1 << 63])}, ["9223372036854775808"]),
        ({"ratio": [1e39]}, ["float of 32 bits"]),
        ({"gear": ["firts"]}, ["'firts'", "did you mean 'first'"]),
        ({"sped": [1]}, ["no signal 'sped'", "did you mean 'speed'"]),
    ],
)
def test_what_does_not_fit(columns: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(cf.SignalError) as caught:
        plan_of(MESSAGE).encode("M", columns)
    assert all(word in str(caught.value) for word in words), caught.value


def test_saturate() -> None:
    plan = plan_of(MESSAGE)
    columns = {"speed": [1e9, -1e9, float("inf"), 1], "angle": [40000, -40000, 1, 2], "ratio": [1e300, -1e300, 1, 2]}
    table = plan.decode(plan.encode("M", columns, saturate=True))["M"]
    assert table["speed"].tolist() == [87.5, -40, 87.5, 1]
    assert table["angle"].tolist() == [32767, -32768, 1, 2]
    assert table["ratio"].tolist()[:2] == [np.finfo("f4").max, np.finfo("f4").min]
    with pytest.raises(cf.SignalError):
        plan.encode("M", {"speed": [float("nan")]}, saturate=True)


def test_columns_of_unequal_length() -> None:
    with pytest.raises(ValueError, match=r"speed has 3, angle has 2"):
        plan_of(MESSAGE).encode("M", {"speed": [1, 2, 3], "gear": 1, "angle": [1, 2]})
    with pytest.raises(ValueError, match="timestamp_ns has 2"):
        plan_of(MESSAGE).encode("M", {"speed": [1, 2, 3]}, timestamp_ns=[1, 2])
    with pytest.raises(ValueError, match="padding = 2"):
        plan_of(MESSAGE).encode("M", {}, padding=2)


def test_multiplexed_signals_go_where_their_multiplexer_says() -> None:
    message = one_message(
        Signal("deep", 16, 8, multiplexer="page", multiplexer_ids=((5, 6),), initial=0x55),
        Signal("page", 8, 8, multiplexer="mux", multiplexer_ids=((1, 1), (3, 4))),
        Signal("other", 8, 16, multiplexer="mux", multiplexer_ids=((0, 0),)),
        Signal("mux", 0, 8),
    )
    plan = plan_of(message)
    frames = plan.encode("M", {"mux": [0, 1, 4, 2], "page": [5, 6, 9, 5], "other": 0x1234, "deep": [1, 2, 3, 4]})
    assert frames["data"][:, :4].tolist() == [[0, 0x34, 0x12, 0], [1, 6, 2, 0], [4, 9, 0, 0], [2, 0, 0, 0]]
    assert plan.encode("M", {"mux": 3, "page": 5})["data"][0, :3].tolist() == [3, 5, 0x55]
    table = plan.decode(frames)["M"]
    assert same(table["deep"][1].item(), 2)
    assert table.valid["deep"].tolist() == [False, True, False, False]
    padded = plan.encode("M", {"mux": [0, 2], "other": 0}, padding=1)
    assert padded["data"][:, :4].tolist() == [[0, 0, 0, 255], [2, 255, 255, 255]]
