"""Decoded tables as text, byte for byte what Python's own str, repr and csv make of the same tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import signal_lines_oracle as oracle
from random_frames import random_frames
from samples import FRAMES
from signals_support import READABLE, frames_of, one_message, plan_of

import canal_fast as cf
from canal_fast.signals import Plan, Signal, lines
from canal_fast.signals._lines import Cells, Lines

WITH_MESSAGES = [path for path in READABLE if path.name != "cp1252.dbc"]


def written(values: np.ndarray) -> list[str]:
    """Each number as text."""
    cells = Cells(b"", np.zeros(len(values), np.int64), [(values, None, b"", b"\n", None)])
    out = np.empty(cells.longest * (len(values) + 1), np.uint8)
    rows = out[: cells.csv(False, out)].tobytes().decode().split("\r\n")
    return [row[1:-1] for row in rows[:-1]]


def check(plan: Plan, frames: cf.FrameArray) -> None:
    """All forms beside the oracle's."""
    tables = plan.decode(frames)
    own = cf.logs.format_candump(frames)
    for others in (True, False):
        ours = "".join(lines.format_lines(tables, frames, own, others=others))
        assert ours == "".join(oracle.lines(tables, frames, own.decode().splitlines(), others))
    for table, long in itertools.product(tables.values(), (True, False)):
        assert "".join(lines.format_csv(table, long=long)) == oracle.csv_text(table, long)


# numbers


def test_known_answers() -> None:
    texts = [
        "0.0", "-0.0", "1.0", "-125.0", "0.1", "0.30000000000000004", "8191.875", "12345678.9", "1000000000000000.0",
        "9999999999999998.0", "1e+16", "1.2345678901234568e+16", "1e+22", "1e+23", "1e+100", "1.7976931348623157e+308",
        "0.0001", "0.00012", "1e-05", "1.5e-07", "-3.3e-12", "5.684341886080802e-14", "2.2250738585072014e-308",
        "5e-324", "inf", "-inf", "nan",
    ]  # fmt: skip
    assert written(np.array(list(map(float, texts)))) == texts
    assert float("5.684341886080802e-14") == 2.0**-44  # the nearest decimal of 16 digits reads as another double
    assert written(np.array([0.1, 16777216], np.float32)) == ["0.10000000149011612", "16777216.0"]


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_whole_numbers(kind: str) -> None:
    ends = np.iinfo(kind)
    values = [ends.min, ends.min + 1, 0, 1, 9, 10, 99, 100, ends.max - 1, ends.max]
    assert written(np.array(values, kind)) == list(map(str, values))


def doubles() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    powers = np.array([2.0**n for n in range(-1074, 1024)] + [float(f"1e{n}") for n in range(-323, 309)])
    scales = [0.1, 0.01, 0.05, 0.125, 1 / 3, 1e-7, 0.0054931640625, 0.0054932, 1e-12, 1e9]
    return {
        "powers": np.concatenate([powers, -powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)]),
        "bits": rng.integers(0, 2**64, 20_000, np.uint64).view(np.float64),
        "subnormal": rng.integers(0, 2**52, 2_000, np.uint64).view(np.float64),
        "signals": np.concatenate([np.arange(2048) * scale + offset for scale in scales for offset in (0, -40, 0.3)]),
        "whole": rng.integers(-(2**60), 2**60, 20_000, np.int64) / 2.0 ** rng.integers(0, 60, 20_000, np.int64),
        "floats": rng.integers(0, 2**32, 20_000, np.uint32).view(np.float32),
    }


@pytest.mark.parametrize("name", list(doubles()))
def test_doubles(name: str) -> None:
    values = doubles()[name]
    assert written(values) == list(map(repr, values.tolist()))


@settings(max_examples=300)
@given(st.lists(st.floats(), min_size=1))
def test_any_double(values: list[float]) -> None:
    assert written(np.array(values)) == list(map(repr, values))


# tables


def of_database(plan: Plan, seed: int) -> cf.FrameArray:
    """Frames of all messages, some of them too short or none, among others of all kinds."""
    rng = np.random.default_rng(seed)
    parts: list[Any] = [random_frames(50, seed, fd=True, ids=2048)]
    for message in plan.messages:
        width = 8 if message.length <= 8 else 64
        payloads = rng.integers(0, 256, (12, width), np.uint8)
        payloads[:4] >>= 6  # small numbers, as multiplexers and value tables have
        frames = frames_of(message, payloads, timestamp_ns=rng.integers(0, 10**18, 12, np.int64))
        frames["dlc"][-2:] = 1
        parts.append(frames.astype(cf.FD_FRAME_DTYPE))
    frames = np.concatenate([np.frombuffer(part.tobytes(), cf.FD_FRAME_DTYPE) for part in parts])
    return frames[rng.permutation(len(frames))]


@pytest.mark.parametrize("path", WITH_MESSAGES, ids=lambda path: path.name)
def test_databases(path: Path) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    database = cf.load_database(path)
    for options in ({"choices": "dictionary"}, {"j1939": True, "j1939_nulls": True}):
        plan = database.plan(**options)
        check(plan, of_database(plan, 3))


@pytest.fixture(scope="module")
def recorded(data_dir: Path) -> cf.FrameArray:
    """All recordings of tests/data that need no extra, one behind the other."""
    parts = [cf.read_log(data_dir / "recordings" / name, fd=True) for name in FRAMES if not name.endswith(".MF4")]
    return np.concatenate([cf.read_log(data_dir / "car-bus.log.gz", fd=True), *parts])


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_MESSAGES, ids=lambda path: path.name)
def test_databases_with_all_recordings(path: Path, recorded: cf.FrameArray) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    check(cf.load_database(path).plan(choices="dictionary"), recorded)


WORDS = st.text(st.characters(exclude_characters="\0"), max_size=6)


@settings(max_examples=60)
@given(
    st.lists(WORDS, min_size=2, max_size=2),
    WORDS,
    st.dictionaries(st.integers(0, 20), WORDS),
    st.binary(min_size=24, max_size=24),
)
def test_any_names_units_and_texts(names: list[str], unit: str, choices: dict[int, str], payloads: bytes) -> None:
    signals = (
        Signal("a" + names[0], 0, 5, unit=unit, choices=tuple(choices.items())),
        Signal("b" + names[1], 8, 16, is_signed=True, scale=0.1, unit=unit),
        Signal("c", 24, 32, is_float=True),
    )
    plan = plan_of(one_message(*signals), dictionary=True)
    check(plan, frames_of(plan.messages[0], np.frombuffer(payloads, np.uint8).reshape(3, 8)))


def test_multiplexed_and_short() -> None:
    signals = (
        Signal("which", 0, 2, choices=((0, "zero"), (1, "one"))),
        Signal("here", 8, 8, unit="V", multiplexer="which", multiplexer_ids=((1, 1),)),
        Signal("late", 56, 8, scale=0.5),
    )
    plan = plan_of(one_message(*signals), dictionary=True)
    frames = cf.make_frames(0x123, [b"\1\7\0\0\0\0\0\3", b"\0\7", b"\2", b""])
    own = b"".join(b"%d\n" % n for n in range(4))
    assert "".join(lines.format_lines(plan.decode(frames), frames, own)).splitlines() == [
        "0 :: M(which: one, here: 7 V, late: 1.5)",
        "1 :: M(which: zero)",
        "2 :: M(which: 2)",
        "3 :: M()",
    ]
    check(plan, frames)


def test_no_frames() -> None:
    plan = plan_of(one_message(Signal("a", 0, 8)))
    frames = cf.make_frames([])
    assert list(lines.format_lines(plan.decode(frames), frames, b"")) == []
    assert list(lines.format_csv(plan.decode(frames)["M"], long=True)) == []


def joined(parts: Iterable[str]) -> str:
    kept = list(parts)
    assert len(kept) > 20
    assert all(part.endswith("\n") for part in kept)
    return "".join(kept)


def test_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are whole lines, and leave out none."""
    plan = plan_of(one_message(Signal("a", 0, 16, scale=0.1), Signal("\u00e9", 16, 8, unit="\u00b0C")))
    frames = frames_of(plan.messages[0], np.random.default_rng(2).integers(0, 256, (2000, 8), np.uint8))
    tables, own = plan.decode(frames), cf.logs.format_candump(frames)
    monkeypatch.setattr(lines, "_BUFFER_BYTES", 1000)
    assert joined(lines.format_lines(tables, frames, own)) == "".join(
        oracle.lines(tables, frames, own.decode().splitlines(), True)
    )
    for long in (False, True):
        assert joined(lines.format_csv(tables["M"], long=long)) == oracle.csv_text(tables["M"], long)


# glue


def longest_rows() -> tuple[Cells, int]:
    """Rows that are as long as they can be, and how many."""
    values = np.full(6, -2.2250738585072014e-308)
    columns: list[Any] = [(values, None, b"before: ", b" after", None)] * 3
    columns.append((np.zeros(6, np.int32), np.ones(6, bool), b"x", b"y\r\n", [b"z" * 100]))
    return Cells(b" :: Name(", np.full(6, -(2**63), np.int64), columns), 6


def test_a_row_without_columns_fits() -> None:
    """Its time alone, which no column has room for."""
    cells = Cells(b"", np.full(1, -(2**63), np.int64), [])
    out = np.empty(cells.longest, np.uint8)
    assert out[: cells.csv(False, out)].tobytes() == b"-9223372036854775808\r\n"
    check(plan_of(one_message()), cf.make_frames(0x123, b"", timestamp_ns=-(2**63)))


@pytest.mark.parametrize("each", [False, True])
def test_the_longest_row_fits(each: bool) -> None:
    """Each part holds whole rows, however little room is left; nothing is written behind it."""
    cells, count = longest_rows()
    out = np.full(cells.longest + 64, 0xEE, np.uint8)
    with pytest.raises(ValueError, match="too small"):
        cells.csv(each, out[: cells.longest - 1])
    for _ in range(count):
        used = cells.csv(each, out[: cells.longest])
        assert 0 < used <= cells.longest
        assert (out[used:] == 0xEE).all()
        out[:] = 0xEE
    assert cells.csv(each, out[:0]) == 0


def test_the_longest_line_fits() -> None:
    cells, count = longest_rows()
    frames, own = cf.make_frames(np.full(count + 1, 0x1FFFFFFF), flags=1), b"own\n" * (count + 1)
    frames["arbitration_id"] = 0xFFFFFFFF
    which = np.array([0] * count + [1], np.uint16)
    made = Lines(frames, own, which, [cells], True)
    room = cells.longest + 3
    out = np.full(room + 64, 0xEE, np.uint8)
    with pytest.raises(ValueError, match="too small"):
        made.write(out[: room - 1])
    written = b""
    while used := made.write(out[:room]):
        assert (out[used:] == 0xEE).all()
        written += out[:used].tobytes()
        out[:] = 0xEE
    assert written.count(b"own :: Name(before: ") == count
    assert written.endswith(b"own :: Unknown frame id 4294967295 (0xffffffff)\n")


def test_glue_refuses_what_does_not_fit_together() -> None:
    times, values, one = np.zeros(3, np.int64), np.zeros(3, np.uint8), b""
    for column, error, words in (
        ((values[:2], None, one, one, None), ValueError, "values has 2"),
        ((values, np.ones(2, bool), one, one, None), ValueError, "valid has 2"),
        ((values, values, one, one, None), TypeError, "valid"),
        ((values, None, one, one, [b"x"]), TypeError, "values"),
        ((values.astype(complex), None, one, one, None), TypeError, "complex"),
        ((values, None, "", one, None), TypeError, "bytes"),
    ):
        with pytest.raises(error, match=words):
            Cells(b"", times, [column])  # type: ignore[list-item]
    frames = cf.make_frames([1, 2, 3])
    with pytest.raises(ValueError, match="which has 2"):
        Lines(frames, b"", np.zeros(2, np.uint16), [], True)
    with pytest.raises(TypeError):
        Lines(frames, b"", np.zeros(3, np.uint16), [None], True)  # type: ignore[list-item]


def test_numbers_that_stand_for_nothing() -> None:
    """A text, a table, a row or a line that is not there: what is there is written."""
    cells = Cells(b" :: M(", np.zeros(1, np.int64), [(np.array([7], np.int32), None, b"a: ", b"", [b"x"])])
    made = Lines(cf.make_frames([1, 2, 3]), b"one\ntwo", np.array([0, 0, 9], np.uint16), [cells], True)
    out = np.empty(1000, np.uint8)
    assert out[: made.write(out)].tobytes().decode().splitlines() == [
        "one :: M(a: )",
        "two :: Unknown frame id 2 (0x2)",
        " :: Unknown frame id 3 (0x3)",
    ]
