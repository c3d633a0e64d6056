"""Every format written: what is read back, and the account, against an independent one; other programs read it."""

from __future__ import annotations

import gzip
import importlib.util
import io
import itertools
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oracle import account_oracle
from support.frames_of_all_kinds import NAMES, START, frames_of_all_kinds, records

import canal_fast as cf
from canal_fast import FrameFlag as F
from canal_fast.logs import convert, formats, open_log, read_log

WRITTEN = [row.name for row in formats() if row.writes and row.index >= 0]
ALL = [*WRITTEN, "mf4"]


def needs(format: str) -> None:
    if format == "mf4":
        pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")


def read_back(path: Path) -> tuple[cf.FrameArray, set[int]]:
    """The frames, and the channels that have a name of their own."""
    with open_log(path) as log:
        frames = log.read(fd=True)
        return frames, {row.channel for row in log.interfaces if row.name and row.name != f"can{row.channel}"}


def check(source: Path, target: Path, format: str) -> cf.logs.Account:
    """Convert, and compare account and frames with the independent ones."""
    frames, named = read_back(source)
    account = convert(source, target, format=format, force=True)
    account.verify()
    left_out, reduced, kept = account_oracle.account(records(frames), format, named)
    assert (account.read, account.written) == (len(frames), len(kept))
    assert account.left_out == dict(left_out)
    assert account.reduced_frames == reduced.pop("", 0)
    assert account.reduced == dict(reduced)
    back = records(read_back(target)[0])
    if format == "mf4":  # its groups are merged by time
        back, kept = (sorted(rows, key=lambda row: (row.timestamp_ns, repr(row))) for rows in (back, kept))
    for number, (found, expected) in enumerate(itertools.zip_longest(back, kept)):
        assert found == expected, number
    return account


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixed") / "mixed.pcapng"
    account = cf.write_log(path, frames_of_all_kinds(), interfaces=NAMES)
    assert account.written == 400
    assert not account.reduced
    return path


@pytest.mark.parametrize("format", ALL)
def test_what_a_format_keeps(format: str, mixed: Path, tmp_path: Path) -> None:
    needs(format)
    account = check(mixed, tmp_path / "x", format)
    assert account.reduced or format == "pcapng"


@pytest.mark.parametrize("source", ALL)
def test_every_format_to_every_format(source: str, mixed: Path, tmp_path: Path) -> None:
    needs(source)
    first = tmp_path / "first"
    convert(mixed, first, format=source)
    with open_log(first) as log:
        assert log.format == ("trc" if source == "trc-1.1" else source)
    for target in ALL if importlib.util.find_spec("asammdf") else WRITTEN:
        account = check(first, tmp_path / "second", target)
        if target == source:
            assert not account.reduced  # what was lost before is not lost again
            assert not account.left_out


@pytest.mark.parametrize("format", WRITTEN)
def test_frames_without_a_date(format: str, tmp_path: Path) -> None:
    frames = cf.make_frames(
        np.arange(5, dtype=np.int64), b"abc", timestamp_ns=np.arange(5, dtype=np.int64) * 100_000_000
    )
    cf.write_log(tmp_path / "x", frames, format=format)
    with open_log(tmp_path / "x") as log:
        assert log.start is None
        assert np.array_equal(log.read(), frames)


@pytest.mark.posix  # whose systems have zones
@pytest.mark.parametrize("format", ["asc", "blf", "trc", "trc-1.1"])
def test_zones_and_starts(format: str, tmp_path: Path) -> None:
    for second in (0, 951_782_399, 1_709_164_800, 1_735_689_599, 4_102_444_800):  # ends of years, 29 February
        frames = cf.make_frames([1, 2], b"", timestamp_ns=np.array([second, second + 1]) * 10**9 + 999_900_000)
        for tz in ("UTC", "Europe/Berlin"):
            cf.write_log(tmp_path / "x", frames, format=format, tz=tz)
            assert np.array_equal(read_log(tmp_path / "x", tz=tz)["timestamp_ns"], frames["timestamp_ns"])
    cf.write_log(tmp_path / "x", cf.make_frames(1, timestamp_ns=START), format=format, tz="Europe/Berlin")
    with open_log(tmp_path / "x") as log:
        assert str(log.start)[:19] == "2023-11-14 23:13:20"


def test_nanoseconds_in_text(tmp_path: Path) -> None:
    frames = cf.make_frames(np.arange(3, dtype=np.int64), b"x", timestamp_ns=START + np.arange(3, dtype=np.int64))
    for format in ("asc", "candump"):
        account = cf.write_log(tmp_path / "x", frames, format=format, nanoseconds=True)
        assert not account.reduced
        assert np.array_equal(read_log(tmp_path / "x"), frames)
        assert cf.write_log(tmp_path / "x", frames, format=format).reduced == {"nanoseconds": 3}


@pytest.mark.parametrize("format", ALL)
def test_an_empty_recording(format: str, tmp_path: Path) -> None:
    needs(format)
    cf.write_log(tmp_path / "x", cf.make_frames([]), format=format)
    assert len(read_log(tmp_path / "x")) == 0
    if format == "candump":
        return
    with open_log(tmp_path / "x") as log:
        assert log.format == format.removesuffix("-1.1")


def test_write_log_refuses_what_has_no_place(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2], bytes(12), fd=True)
    with pytest.raises(cf.FrameError, match=r"x: GVRET's CSV .* has no place for 2 x fd among 2 frames"):
        cf.write_log(tmp_path / "x", frames, format="csv-gvret")
    assert not (tmp_path / "x").exists()


def test_strict_names_the_frame(mixed: Path, tmp_path: Path) -> None:
    frames = cf.make_frames(range(10), b"x", timestamp_ns=START // 1000 * 1000)
    frames["flags"][7] |= F.TX | F.GAP
    cf.write_log(tmp_path / "a.pcapng", frames)
    convert(tmp_path / "a.pcapng", tmp_path / "ok.pcapng", strict=True)
    with pytest.raises(
        cf.FrameError, match=r"frame 7 \(from 0; identifier 7, .*channel 0\) would lose .*: that frames"
    ):
        convert(tmp_path / "a.pcapng", tmp_path / "b.asc", strict=True)
    with pytest.raises(cf.FrameError, match=r"is an error frame, which GVRET"):
        convert(tmp_path / "e.pcapng", tmp_path / "b.csv", strict=True, format=error_file(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["a.pcapng", "e.pcapng", "ok.pcapng"]


def error_file(folder: Path) -> str:
    frames = cf.make_frames(1, timestamp_ns=START // 1000 * 1000)
    frames["flags"] = F.ERROR_FRAME
    cf.write_log(folder / "e.pcapng", frames)
    return "csv-gvret"


@pytest.mark.parametrize("format", WRITTEN)
def test_small_writes_are_one_recording(format: str, tmp_path: Path) -> None:
    frames = frames_of_all_kinds(120)
    with cf.logs.Recorder(tmp_path / "one", format=format) as one:
        one.write(frames)
    with cf.logs.Recorder(tmp_path / "many", format=format) as many:
        for first in range(0, 120, 7):
            many.write(frames[first : first + 7])
    assert many.account == one.account
    whole, parts = (read_log(tmp_path / name, fd=True) for name in ("one", "many"))
    shift = whole["timestamp_ns"] - parts["timestamp_ns"]
    assert np.abs(shift).max() == 0
    assert np.array_equal(whole, parts)


@pytest.mark.parametrize("suffix", [".log", ".asc", ".trc", ".pcap", ".pcapng"])
@pytest.mark.parametrize("packed", [".gz", ".zst"])
def test_compressed(suffix: str, packed: str, tmp_path: Path) -> None:
    if packed == ".zst":
        pytest.importorskip("zstandard", reason="NOT RUN: zstandard is not installed")
    frames = frames_of_all_kinds(6000)
    plain, small = tmp_path / f"x{suffix}", tmp_path / f"x{suffix}{packed}"
    for path in (plain, small):
        with cf.logs.Recorder(path) as recorder:
            recorder.write(frames)
            recorder.flush()
            recorder.write(frames[:10])
    assert np.array_equal(read_log(plain, fd=True), read_log(small, fd=True))
    assert small.stat().st_size < plain.stat().st_size
    if packed == ".gz":
        assert gzip.decompress(small.read_bytes()) == plain.read_bytes()


def test_objects_get_plain_bytes(tmp_path: Path) -> None:
    """One of gzip has the name of its file, and compresses by itself."""
    path = tmp_path / "x.log.gz"
    frames = cf.make_frames(3, timestamp_ns=START // 1000 * 1000)
    with gzip.open(path, "wb") as file, cf.logs.Recorder(file) as recorder:
        recorder.write(frames)
    assert gzip.decompress(path.read_bytes()) == cf.logs.format_candump(frames)
    out = io.BytesIO()
    with cf.logs.Recorder(out, format="candump", compression="gzip") as recorder:
        recorder.write(frames)
    assert gzip.decompress(out.getvalue()) == cf.logs.format_candump(frames)


def test_a_member_each_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 0.3)
    monkeypatch.setattr("canal_fast.logs.writing.time.monotonic", lambda: next(clock))
    path = tmp_path / "x.log.gz"
    with cf.logs.Recorder(path) as recorder:
        for _ in range(20):
            recorder.write(cf.make_frames(1, timestamp_ns=START))
        assert len(read_log(path)) >= 14  # what a kill leaves


def test_blf_is_not_compressed_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x.blf.gz: Vector BLF is compressed in itself; compressed again it is read"):
        cf.write_log(tmp_path / "x.blf.gz", cf.make_frames(1))


def test_blf_header_and_containers(tmp_path: Path) -> None:
    frames = cf.make_frames(
        np.arange(20_000) % 2048, bytes(8), timestamp_ns=START + np.arange(20_000, dtype=np.int64) * 1000
    )
    frames["flags"][5] |= F.GAP
    path = tmp_path / "x.blf"
    cf.write_log(path, frames, interfaces={0: "drive"})
    data = path.read_bytes()
    size, inflated, objects = struct.unpack_from("<QQL", data, 16)
    assert size == len(data)
    assert objects == 20_000 + 2  # a name and an overrun
    assert struct.unpack_from("<8H", data, 40) == (2023, 11, 2, 14, 22, 13, 20, 123)
    assert struct.unpack_from("<8H", data, 56) == (2023, 11, 2, 14, 22, 13, 20, 143)
    at, total = 144, 144
    while at < len(data):
        head, kind, packed = struct.unpack_from("<4s8xL", data, at), None, struct.unpack_from("<L", data, at + 8)[0]
        assert head == (b"LOBJ", 10), kind
        content = struct.unpack_from("<L", data, at + 24)[0]
        assert content <= 1 << 17
        total += 32 + content
        at += packed + packed % 4
    assert total == inflated


def test_blf_without_seeking(tmp_path: Path) -> None:
    frames = frames_of_all_kinds(50)
    out = io.BytesIO()
    with cf.logs.Recorder(out, format="blf") as recorder:
        recorder.write(frames)
    assert struct.unpack_from("<QQL", out.getvalue(), 16) == (0, 0, 0)
    cf.logs.Recorder(tmp_path / "x.blf").close()
    with cf.logs.Recorder(tmp_path / "x.blf") as recorder:
        recorder.write(frames)
    assert np.array_equal(read_log(io.BytesIO(out.getvalue()), fd=True), read_log(tmp_path / "x.blf", fd=True))


@pytest.mark.posix
def test_what_only_takes_gets_pcapng(tmp_path: Path) -> None:
    cf.write_log("/dev/null", cf.make_frames(1))
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as reader:
        cf.write_log(path, cf.make_frames(1))
        assert reader.communicate(timeout=30)[0][:4] == b"\x0a\x0d\x0d\x0a"
    path = tmp_path / "pipe.foo"
    os.mkfifo(path)
    with pytest.raises(ValueError, match="recordings end with"):
        cf.write_log(path, cf.make_frames(1))


def test_mf4_keeps_the_start_to_the_nanosecond(tmp_path: Path) -> None:
    """asammdf's own start_time goes through a double."""
    needs("mf4")
    frames = cf.make_frames(1, timestamp_ns=1_795_654_879_763_098_956)
    cf.write_log(tmp_path / "x.mf4", frames)
    assert read_log(tmp_path / "x.mf4")["timestamp_ns"].tolist() == [1_795_654_879_763_098_956]


def test_targets_by_name(tmp_path: Path) -> None:
    frame = cf.make_frames(1)
    for name, format, words in (
        ("x.csv", None, r"x.csv: .csv is the suffix of csv and csv-gvret: say which one"),
        ("x.foo", None, r"x.foo: recordings end with .pcapng, .pcap, .blf, .asc, .trc, .csv,"),
        ("x.log.bz2", None, r"not '.bz2'"),
        ("x", "candump-delta", r"format 'candump-delta' is not written"),
        ("x", "nonsense", r"format 'nonsense', allowed pcapng, pcap"),
    ):
        with pytest.raises(ValueError, match=words):
            cf.write_log(tmp_path / name, frame, format=format)
    with pytest.raises(ValueError, match="compression = 'lzma', allowed 'none', 'gzip', 'zstd'"):
        cf.logs.Recorder(tmp_path / "x.log", compression="lzma")
    assert not list(tmp_path.iterdir())


def test_mdf_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("mf4")
    frames = frames_of_all_kinds(300)
    frames = frames[frames["flags"] & F.STATUS == 0]
    frames["timestamp_ns"] = np.sort(frames["timestamp_ns"])
    cf.write_log(tmp_path / "a.pcapng", frames)
    monkeypatch.setattr("canal_fast.logs.inputs._BATCH", 17)  # groups are extended
    convert(tmp_path / "a.pcapng", tmp_path / "x.mf4")
    cf.write_log(tmp_path / "y.mf4", frames)
    back = read_log(tmp_path / "x.mf4", fd=True)
    assert np.array_equal(back, read_log(tmp_path / "y.mf4", fd=True))
    assert np.array_equal(back["timestamp_ns"], frames["timestamp_ns"])
    for path, words in (("-", "standard output: ASAM MDF 4 .* written to files only"),
                        (io.BytesIO(), "BytesIO: ASAM MDF 4 .* written to files only")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            convert(tmp_path / "a.pcapng", path, format="mf4")
    with pytest.raises(ValueError, match="written by write_log and convert, and cannot be appended to"):
        cf.logs.Recorder(tmp_path / "z.mf4")
    with pytest.raises(cf.FrameError, match="would lose"):
        convert(tmp_path / "a.pcapng", tmp_path / "z.mf4", strict=True)
    assert sorted(os.listdir(tmp_path)) == ["a.pcapng", "x.mf4", "y.mf4"]


def test_python_can_reads_our_mdf(tmp_path: Path) -> None:
    needs("mf4")
    pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    frames = frames_of_all_kinds(300)
    frames = frames[frames["flags"] & (F.STATUS | F.ERROR_FRAME | F.REMOTE) == 0]
    cf.write_log(tmp_path / "x.mf4", frames)
    program = """
import sys
from can.io.mf4 import MF4Reader
for m in MF4Reader(sys.argv[1]):
    print(m.arbitration_id, int(m.is_extended_id), int(m.is_fd), int(m.is_rx), bytes(m.data).hex() or "-")
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path / "x.mf4")], check=True, capture_output=True, text=True
    )
    expected = [
        f"{row.arbitration_id} {row.flags & F.EXTENDED_ID} {int(row.flags & F.FD != 0)} {int(row.flags & F.TX == 0)} "
        f"{row.data.hex() or '-'}"
        for row in records(frames)
    ]
    assert sorted(done.stdout.splitlines()) == sorted(expected)
