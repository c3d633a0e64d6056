"""`canal-fast stat`: each bus at its own rate and by its own name, and no load that cannot be."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import wire
from canal_fast.__main__ import main
from canal_fast.analysis.recordings import ahead
from canal_fast.analysis.statistics import Statistics


def saturated(rate: int, channel: int = 0) -> cf.FrameArray:
    frames = cf.make_frames(np.full(2000, 0x123), b"12345678", channel=channel)
    frames["timestamp_ns"] = np.cumsum(wire.frame_duration_ns(frames, rate))
    return frames


@pytest.fixture
def two_buses(tmp_path: Path) -> Path:
    path = tmp_path / "two.pcapng"
    frames = np.concatenate([saturated(1_000_000), saturated(125_000, 1)])
    cf.write_log(
        path,
        frames[np.argsort(frames["timestamp_ns"], kind="stable")],
        interfaces={0: ("engine", 1_000_000), 1: ("body", 125_000)},
    )
    return path


def test_each_bus_has_the_recordings_rate(two_buses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stat", str(two_buses), "--json"]) == 0
    out = capsys.readouterr()
    rows = {bus["name"]: bus for bus in json.loads(out.out)["channels"]}
    assert [rows[name]["bitrate"] for name in ("engine", "body")] == [1_000_000, 125_000]
    assert rows["body"]["load"] == pytest.approx(1, abs=0.01)
    assert rows["engine"]["bitrate_from"] == "recording"
    assert out.err == ""
    assert main(["stat", str(two_buses)]) == 0
    text = capsys.readouterr().out
    assert "engine: 2000 frames at 1000000 bit/s, load" in text
    assert "body: 2000 frames at 125000 bit/s, load" in text
    assert "channel" not in text


def test_a_rate_that_is_given_counts(two_buses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stat", str(two_buses), "--json", "--bitrate", "250000"]) == 0
    out = capsys.readouterr()
    assert {bus["bitrate"] for bus in json.loads(out.out)["channels"]} == {250_000}


def test_a_bus_may_have_a_rate_of_its_own(two_buses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def rates(*options: str) -> list[tuple[float, str, float]]:
        assert main(["stat", str(two_buses), "--json", *[f"--bitrate={option}" for option in options]]) == 0
        buses = json.loads(capsys.readouterr().out)["channels"]
        return [(bus["bitrate"], bus["bitrate_from"], round(bus["load"] * bus["bitrate"] / 1000)) for bus in buses]

    engine, body = rates()  # whose kbit/s stay the same
    assert rates("body=250000") == [engine, (250_000, "given", body[2])]
    assert rates("body=250000", "1=125000") == rates("1=125000") == [engine, (125_000, "given", body[2])]
    assert rates("500000", "body=250000") == [(500_000, "given", engine[2]), (250_000, "given", body[2])]
    assert main(["stat", str(two_buses), "--bitrate", "bodi=250000"]) == 1
    assert "--bitrate bodi=250000: the recording has no bus bodi; it has engine, body" in capsys.readouterr().err


def test_more_than_a_bus_can_carry_asks_for_the_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fast.log"
    cf.write_log(path, saturated(1_000_000))
    assert main(["stat", str(path)]) == 0
    out = capsys.readouterr()
    assert "can0: 2000 frames at 500000 bit/s (assumed: the recording does not say), load 200" in out.out
    assert "can0: a load of 20" in out.err
    assert "at 500000 bit/s (assumed) these frames do not fit; give the bus's rate with --bitrate" in out.err
    assert main(["stat", str(path), "--bitrate", "1e6"]) == 0
    assert capsys.readouterr().err == ""


def test_what_is_no_rate_of_can_is_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    cf.write_log(path, saturated(500_000), interfaces={0: ("can0", 10_000_000_000)})
    assert main(["stat", str(path), "--json"]) == 0
    (bus,) = json.loads(capsys.readouterr().out)["channels"]
    assert (bus["bitrate"], bus["bitrate_from"]) == (500_000, "assumed")


@pytest.mark.parametrize(("count", "low_ms", "high_ms"), [(900, 90, 110), (2000, 90, 110), (200_000, 1900, 2100)])
def test_jitter_of_a_long_recording(count: int, low_ms: int, high_ms: int) -> None:
    """The sum of the squares of periods has more than 64 bits."""
    steps = np.where(np.arange(count) % 2, low_ms, high_ms).astype(np.int64) * 1_000_000
    frames = cf.make_frames(np.full(count, 5), timestamp_ns=np.cumsum(steps))
    statistics = Statistics(500_000)
    statistics.add(frames)
    (row,) = statistics.summary()["ids"]
    assert row["jitter_s"] == pytest.approx((high_ms - low_ms) / 2000, rel=1e-3)


@pytest.mark.parametrize("command", ["stat", "decode", "dump"])
def test_a_cut_recording_says_so(command: str, two_buses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if command == "decode":
        pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    two_buses.write_bytes(two_buses.read_bytes()[:-7])
    database = ["--dbc", str(two_buses.with_suffix(".dbc"))] if command == "decode" else []
    two_buses.with_suffix(".dbc").write_text(
        'VERSION ""\n\nBU_: A\n\nBO_ 291 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n'
    )
    assert main([command, str(two_buses), *database]) == 0
    assert "it is truncated" in capsys.readouterr().err


def test_a_cut_recording_says_so_to_programs(two_buses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_buses.write_bytes(two_buses.read_bytes()[:-7])
    assert main(["stat", str(two_buses), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["truncated"] is True


def test_a_bus_without_a_name_is_numbered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.asc"
    path.write_text("date Thu Nov 26 10:00:00 2026\nbase hex timestamps absolute\n   0.1 1 123 Rx d 1 00\n")
    assert main(["stat", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split(":")[0]


@pytest.mark.parametrize("command", ["stat", "decode", "dump"])
def test_every_command_reads_alike(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same options: which format, what of damage, which zone. A power cut left zeros at the end."""
    if command == "decode":
        pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    path = tmp_path / "x.log"
    path.write_bytes(b"(1436509052.000000) can0 123#01\n" + bytes(4096))
    database = tmp_path / "x.dbc"
    database.write_text('VERSION ""\n\nBU_: A\n\nBO_ 291 M: 1 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n')
    more = ["--dbc", str(database)] if command == "decode" else []
    assert main([command, str(path), *more]) == 1
    assert "line 2: column 1: " in (said := capsys.readouterr().err)
    assert "the line holds bytes 0, which text does not have" in said
    assert main([command, str(path), *more, "--errors", "skip"]) == 0
    out, said = capsys.readouterr()
    assert "123" in out
    assert "1 x bad line skipped" in said
    assert main([command, str(path), *more, "--format", "blf"]) == 1
    assert main([command, str(path), *more, "--tz", "Nowhere/Nothing"]) == 1
    assert "Nowhere/Nothing" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["stat", "decode", "dump", "dump --info"])
def test_nothing_but_what_is_skipped(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A capture of something else is no empty recording of CAN: that is said, and the exit code is 1."""
    if command == "decode":
        pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    path = tmp_path / "ethernet.pcap"
    packets = b"".join(struct.pack("<IIII", second, 0, 60, 60) + bytes(60) for second in range(3))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + packets)
    database = tmp_path / "x.dbc"
    database.write_text('VERSION ""\n\nBU_: A\n\nBO_ 291 M: 1 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n')
    more = ["--dbc", str(database)] if command == "decode" else []
    assert main([*command.split(), str(path), *more]) == 1
    assert "packet of link type 1" in "".join(capsys.readouterr())
    if command == "stat":
        assert main(["stat", str(path), "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["skipped_by_kind"] == {"packet of link type 1": 3}


def test_sort_top_and_filter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    frames = cf.make_frames([0x105, 0x101, 0x101, 0x200, 0x101, 0x105, 0x1F0], timestamp_ns=np.arange(7) * 1_000_000)
    cf.write_log(path, frames)

    def ids(*options: str) -> list[int]:
        assert main(["stat", str(path), "--json", *options]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["frames"], summary["identifiers"]) == (7, 4)
        return [row["arbitration_id"] for row in summary["ids"]]

    assert ids() == [0x101, 0x105, 0x1F0, 0x200]
    assert ids("--sort", "count") == [0x101, 0x105, 0x1F0, 0x200]
    assert ids("--sort", "period", "--top", "2") == [0x101, 0x105]
    assert ids("--sort", "jitter") == [0x101, 0x105, 0x1F0, 0x200]  # what has none comes last
    assert ids("--filter", "100:7F0", "--filter", "200:7FF") == [0x101, 0x105, 0x200]
    assert main(["stat", str(path), "--top", "1"]) == 0
    assert "7 frames, 4 identifiers" in capsys.readouterr().out


def test_windows_begin_at_whole_seconds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    start = 1_700_000_000_900_000_000
    cf.write_log(path, cf.make_frames(1, timestamp_ns=[start, start + 200_000_000, start + 300_000_000]))
    assert main(["stat", str(path)]) == 0
    assert "in the 1 s from 2023-11-14 22:13:21 UTC" in capsys.readouterr().out
    assert main(["stat", str(path), "--json", "--window", "0.25"]) == 0
    (bus,) = json.loads(capsys.readouterr().out)["channels"]
    assert bus["peak_at_s"] == 1_700_000_001.0


def test_what_is_read_ahead_comes_in_order_and_errors_last() -> None:
    def items(error: bool) -> Iterator[int]:
        yield from range(10)
        if error:
            raise ValueError("broken")

    assert list(ahead(items(False))) == list(range(10))
    found = []
    with pytest.raises(ValueError, match="broken"):
        found += [found.append(item) for item in ahead(items(True))]
    assert found == list(range(10))
    one = ahead(items(False))
    assert next(one) == 0
    one.close()  # the thread ends, too
    assert not any(thread.name.endswith("(read)") for thread in threading.enumerate())
