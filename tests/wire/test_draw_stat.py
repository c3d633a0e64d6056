"""Drawings, and `canal-fast stat`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import FD, random_frames, to_oracle

import canal_fast as cf
from canal_fast import wire
from canal_fast.analysis.statistics import Statistics
from canal_fast.cli import stat
from canal_fast.cli.parsers.stat import add_parser
from canal_fast.wire.drawing import fields

NAMES = {"ID extension": "ID ext"}


def test_draw() -> None:
    text = wire.draw(cf.make_frames(0x222, bytes.fromhex("0011223344")))
    lines = text.splitlines()
    assert lines[0].split() == ["0", "SOF", "0"]
    assert lines[1].split() == ["1", "ID", "01000100010", "0x222"]
    assert lines[6].split()[1:3] == ["data", "0"]
    assert "[1]" in lines[6]
    assert "0x66da" in text
    assert lines[-1] == "  87  bits, 3 of them stuff bits [in brackets]"


@pytest.mark.parametrize("seed", range(3))
def test_fields_are_those_sent(seed: int) -> None:
    for row in random_frames(60, seed):
        frame = to_oracle(row)
        parts = fields(np.array([row]))
        assert [bit for field in parts for bit in field.bits] == oracle.encode(frame)
        expected = [(NAMES.get(name, name), bits) for name, bits in oracle.header(frame)]
        for field, (name, bits) in zip(parts, expected, strict=False):
            assert (field.name, field.value) == (name, oracle.bits_to_number(bits))
        by_name = {field.name: field for field in parts}
        assert by_name["CRC"].value == oracle.crc_of(frame)
        for index, byte in enumerate(frame.data):
            assert by_name[f"data {index}"].value == byte
        fixed = sum(sum(by_name[name].stuff) for name in ("stuff count", "CRC")) if frame.fd else 0
        assert sum(sum(field.stuff) for field in parts) == oracle.stuff_bit_count(frame) + fixed


def test_draw_takes_one_frame() -> None:
    with pytest.raises(ValueError, match="draw takes one frame, not 2"):
        wire.draw(cf.make_frames([1, 2]))


def test_draw_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    for frames in (cf.make_frames(1, b"\0\xff"), cf.make_frames(1, bytes(64), fd=True)):
        wire.draw(frames, plot=tmp_path / "frame.png")
        assert (tmp_path / "frame.png").read_bytes()[1:4] == b"PNG"


def recording(count: int = 3000) -> cf.FrameArray:
    rng = np.random.default_rng(3)
    frames = cf.make_frames(rng.choice([0x10, 0x20, 0x700], count), rng.integers(0, 256, (count, 6), np.uint8))
    frames["timestamp_ns"] = np.cumsum(rng.integers(250_000, 900_000, count)) + 10**18
    frames["flags"][::7] = cf.FrameFlag.STATUS
    frames["channel"] = np.where(frames["arbitration_id"] == 0x700, 1, 0)
    return frames


@pytest.mark.parametrize("batch", [1, 100, 10_000])
def test_statistics(batch: int) -> None:
    frames = recording()
    statistics = Statistics(500_000, window_s=0.25)
    for at in range(0, len(frames), batch):
        statistics.add(frames[at : at + batch])
    summary = statistics.summary()
    good = frames[frames["flags"] == 0]
    span = int(good["timestamp_ns"][-1] - good["timestamp_ns"][0])
    assert summary["frames"] == len(good)
    assert summary["not_frames"] == len(frames) - len(good)
    assert summary["span_s"] == span / 1e9
    assert [(r["channel"], r["arbitration_id"]) for r in summary["ids"]] == [(0, 0x10), (0, 0x20), (1, 0x700)]
    for row in summary["ids"]:
        mine = good[good["arbitration_id"] == row["arbitration_id"]]
        periods = np.diff(mine["timestamp_ns"])
        assert row["count"] == len(mine)
        assert row["dlc"] == [6]
        assert row["period_min_s"] == pytest.approx(periods.min() / 1e9)
        assert row["period_mean_s"] == pytest.approx(periods.mean() / 1e9)
        assert row["period_max_s"] == pytest.approx(periods.max() / 1e9)
        assert row["jitter_s"] == pytest.approx(periods.std() / 1e9)
        assert row["share"] == pytest.approx(wire.frame_duration_ns(mine, 500_000).sum() / span)
        assert row["rate"] == pytest.approx(len(mine) / (span / 1e9))
    origin = int(good["timestamp_ns"][0]) // 250_000_000 * 250_000_000  # windows begin at multiples of their length
    for bus in summary["channels"]:
        mine = good[good["channel"] == bus["channel"]]
        durations = wire.frame_duration_ns(mine, 500_000)
        load = np.bincount((mine["timestamp_ns"] - origin) // 250_000_000, durations) / 250_000_000
        assert bus["load"] == pytest.approx(durations.sum() / span)
        assert bus["peak_load"] == pytest.approx(load.max())
        assert bus["peak_at_s"] == pytest.approx(origin / 1e9 + load.argmax() * 0.25)


def test_statistics_of_little() -> None:
    statistics = Statistics(500_000)
    assert "0 frames" in stat.table(statistics.summary())
    statistics.add(np.empty(0, cf.FRAME_DTYPE))
    statistics.add(cf.make_frames(1))
    summary = statistics.summary()
    assert summary["ids"][0]["period_mean_s"] is summary["ids"][0]["rate"] is summary["channels"][0]["load"] is None
    assert "001" in stat.table(summary)


def test_long_periods_do_not_overflow() -> None:
    statistics = Statistics(500_000, window_s=1e6)
    statistics.add(cf.make_frames(1, timestamp_ns=[0, 10**18, 3 * 10**18]))
    assert statistics.summary()["ids"][0]["jitter_s"] == pytest.approx(0.5e9)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("canal_fast.logs", reason="NOT RUN: canal_fast.logs is not there")
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    from canal_fast.__main__ import main

    path, picture = tmp_path / "recording.log", tmp_path / "load.png"
    frames = recording()
    cf.write_log(path, frames[frames["flags"] == 0])  # type: ignore[attr-defined]
    assert main(["stat", str(path), "--window", "0.1", "--plot", str(picture)]) == 0
    assert "3 identifiers" in capsys.readouterr().out
    assert picture.read_bytes()[1:4] == b"PNG"
    assert main(["stat", str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["ids"]) == 3
    assert main(["stat", str(tmp_path / "missing.log")]) == 1


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    statistics = Statistics(500_000, 2e6, 0.1)
    frames = random_frames(500, 1)
    frames["timestamp_ns"] = np.arange(500) * 1_000_000
    assert (frames["flags"] & FD).any()
    statistics.add(frames)
    stat.plot(statistics, statistics.summary(), str(tmp_path / "load.png"))
    assert (tmp_path / "load.png").read_bytes()[1:4] == b"PNG"


def test_arguments() -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["stat", "x.pcapng", "--bitrate", "250000", "--json"])
    assert (args.file, args.bitrate, args.json, args.window) == ("x.pcapng", [("", 250_000)], True, 1.0)
