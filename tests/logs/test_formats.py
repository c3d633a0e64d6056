"""Every format alike: what the samples hold, cut anywhere, from pipes and objects, in other zones."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import random
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.samples import FRAMES, PIECES

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.logs import formats, open_log, read_log

SAMPLES = sorted(FRAMES)
SMALL = [name for name in SAMPLES if not name.endswith((".MF4", ".gz"))]
ENDED = "2021-12-18 14:28:07.062000"


def needs(name: str) -> None:
    if name.endswith(".MF4"):
        pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_holds_what_its_script_wrote(name: str, samples: Path) -> None:
    needs(name)
    kind, count, errors, skipped, start = FRAMES[name]
    with open_log(samples / name) as log:
        assert (log.format, log.start and str(log.start)) == (kind, start)  # known before the first frame
        frames = log.read(fd=True)
        assert len(frames) == count
        assert int((frames["flags"] & FrameFlag.ERROR_FRAME != 0).sum()) == errors
        assert (log.skipped, log.lost_bytes, log.truncated) == (skipped, 0, name == "blf_cut_in_container.blf")
        assert sum(log.skipped_by_kind.values()) == skipped
        assert sum(row.frames for row in log.interfaces) == count
    if name in PIECES:
        begin = 0
        if start is not None:
            begin = (dt.datetime.fromisoformat(start) - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) * 1000
        for frame, (offset, *words, data) in zip(frames, PIECES[name], strict=True):
            assert int(frame["timestamp_ns"]) - begin == offset
            assert [int(frame[key]) for key in ("arbitration_id", "flags", "channel", "dlc")] == words
            assert frame["data"].tobytes() == bytes.fromhex(data).ljust(64, b"\0")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_content_decides(name: str, samples: Path, tmp_path: Path) -> None:
    needs(name)
    expected = read_log(samples / name)
    data = (samples / name).read_bytes()
    for other in ("x", "x.blf", "x.log"):
        (tmp_path / other).write_bytes(data)
        with open_log(tmp_path / other) as log:
            assert log.format == FRAMES[name][0]
            assert np.array_equal(log.read(), expected)
    assert np.array_equal(read_log(io.BytesIO(data)), expected)
    assert np.array_equal(read_log(samples / name, format=FRAMES[name][0]), expected)


@pytest.mark.parametrize("name", SMALL)
def test_small_helpings_change_nothing(name: str, samples: Path) -> None:
    """A byte at a time from the source, a frame at a time to the caller."""

    class Dripping:
        def __init__(self, data: bytes) -> None:
            self.file = io.BytesIO(data)

        def read(self, size: int) -> bytes:
            return self.file.read(min(size, 1))

    expected = read_log(samples / name, fd=True)
    with open_log(Dripping((samples / name).read_bytes())) as log:  # type: ignore[arg-type]
        parts = list(log.batches(1))
    assert [len(part) for part in parts] == [1] * len(expected)
    assert np.array_equal(np.concatenate(parts), expected)


def check_prefix(data: bytes, cut: int, expected: cf.FrameArray) -> bool:
    """Frames of data[:cut] are the first of `expected`; was it told to be truncated?"""
    with open_log(io.BytesIO(data[:cut])) as log:
        frames = log.read(fd=True)
        assert np.array_equal(frames, expected[: len(frames)]), cut
        return log.truncated


def pcap_ends(data: bytes) -> set[int]:
    """Places where a file may end without being cut."""
    order = "big" if data[0] == 0xA1 else "little"
    ends, at = set(), 24
    while at < len(data):
        ends.add(at)
        at += 16 + int.from_bytes(data[at + 8 : at + 12], order)  # type: ignore[arg-type]
    return ends | {len(data)}


def whole_objects(stream: bytes) -> Iterator[tuple[int, int]]:
    """(begin, end) of the objects of a BLF stream, which filling bytes may stand between."""
    at = stream.find(b"LOBJ")
    while at >= 0 and len(stream) - at >= 16:
        size = int.from_bytes(stream[at + 8 : at + 12], "little")
        if at + size > len(stream):
            return
        yield at, at + size
        at = stream.find(b"LOBJ", at + size)


def blf_ends(data: bytes) -> set[int]:
    """The same: behind an object, where that which the containers hold ends behind one, too."""
    ends, inner = set(), b""
    for begin, end in [(0, 144), *whole_objects(data)]:
        if begin and data[begin + 12] == 10:
            part = data[begin + 32 : end]
            inner += zlib.decompress(part) if data[begin + 16] == 2 else part
        last = max((stop for _, stop in whole_objects(inner)), default=0)
        if len(inner) - last < 4 and not inner[last:].strip(b"\0"):
            following = data.find(b"LOBJ", end)
            ends |= set(range(end, (len(data) if following < 0 else following) + 1))
    return ends


@pytest.mark.parametrize("name", [name for name in SMALL if name.endswith((".blf", ".pcap"))])
def test_every_prefix_of_a_binary_sample(name: str, samples: Path) -> None:
    data = (samples / name).read_bytes()
    expected = read_log(samples / name, fd=True)
    ends = pcap_ends(data) if name.endswith(".pcap") else blf_ends(data)
    for cut in range(24 if name.endswith(".pcap") else 4, len(data)):
        assert check_prefix(data, cut, expected) == (cut not in ends), cut


def test_random_prefixes_of_a_long_sample(samples: Path) -> None:
    """500 cuts of a compressed recording, and 500 of the text in it."""
    packed = (samples / "GVRET_Log.csv.gz").read_bytes()
    text = gzip.decompress(packed)
    expected = read_log(samples / "GVRET_Log.csv.gz", fd=True)
    rng = random.Random(6)
    for cut in rng.sample(range(400, len(packed)), 500):
        assert check_prefix(packed, cut, expected), cut
    cuts = rng.sample(range(400, len(text)), 450)
    for cut in cuts + [text.index(b"\n", cut) + 1 for cut in cuts[:50]]:
        whole = text[cut - 1 : cut] == b"\n" or text[cut : cut + 1] in b"\r\n"
        assert check_prefix(text, cut, expected) != whole, cut


@pytest.mark.parametrize("name", [name for name in SMALL if name.endswith((".asc", ".trc", ".csv"))])
def test_every_prefix_of_a_text_sample(name: str, samples: Path) -> None:
    data = (samples / name).read_bytes()
    expected = read_log(samples / name, fd=True)
    kind = FRAMES[name][0]
    for cut in range(1, len(data)):
        with open_log(io.BytesIO(data[:cut]), format=kind) as log:
            frames = log.read(fd=True)
            assert np.array_equal(frames, expected[: len(frames)]), cut
            if data[cut - 1 : cut] == b"\n":
                assert not log.truncated, cut


def test_mistakes_are_explained(samples: Path) -> None:
    path = samples / "blf_plain.blf"
    with pytest.raises(ValueError, match="format 'elf', allowed pcapng, pcap, blf"):
        read_log(path, format="elf")
    with pytest.raises(ValueError, match="tz = 'Mars', allowed"):
        read_log(path, tz="Mars")
    with pytest.raises(ValueError, match="errors = 'ignore', allowed"):
        read_log(path, errors="ignore")
    with pytest.raises(TypeError, match="binary mode"):
        read_log(io.StringIO("x"))  # type: ignore[arg-type]
    with pytest.raises(cf.LogFormatError, match="no BLF header begins here"):
        read_log(samples / "python_can.csv", format="blf")


def test_utf16_and_byte_order_marks(samples: Path) -> None:
    expected = read_log(samples / "asc_relative.asc")
    text = (samples / "asc_relative.asc").read_text("latin-1")
    for data in (text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be"), b"\xef\xbb\xbf" + text.encode()):
        assert np.array_equal(read_log(io.BytesIO(data)), expected)
    assert np.array_equal(read_log(io.BytesIO(gzip.compress(text.encode("utf-16")))), expected)


@pytest.mark.parametrize("name", ["asc_relative.asc", "trc_2_1.trc", "python_can.csv"])
def test_lines_that_end_with_cr(name: str, samples: Path) -> None:
    expected = read_log(samples / name)
    data = (samples / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r")
    for text in (data, b"\xef\xbb\xbf" + data, gzip.compress(data)):
        with open_log(io.BytesIO(text)) as log:
            assert np.array_equal(log.read(), expected)
            assert not log.truncated


@pytest.mark.posix  # which has the zones
def test_zones(samples: Path) -> None:
    path = samples / "blf_plain.blf"
    utc = read_log(path)["timestamp_ns"]
    assert np.array_equal(utc - read_log(path, tz="Europe/Berlin")["timestamp_ns"], np.full(4, 7200 * 10**9))
    assert np.array_equal(utc, read_log(path, tz=dt.UTC)["timestamp_ns"])
    with open_log(path, tz="Asia/Tokyo") as log:
        assert (log.start, log.zone_note) == (dt.datetime(2024, 5, 1, 12, 30, 15, 250_000), None)
    nameless = read_log(samples / "blf_no_start_time.blf", tz="Asia/Tokyo")
    assert nameless["timestamp_ns"][0] == 0  # no start: no zone either
    for name in ("asc_absolute_hex.asc", "trc_2_1.trc"):
        shift = read_log(samples / name)["timestamp_ns"] - read_log(samples / name, tz="Asia/Tokyo")["timestamp_ns"]
        assert set(shift.tolist()) == {9 * 3600 * 10**9}


@pytest.mark.posix  # which has the zones
@pytest.mark.parametrize(
    ("start", "note", "hours"),
    [
        (dt.datetime(2024, 10, 27, 2, 30), "occurs twice, taken as the first", 2),
        (dt.datetime(2024, 3, 31, 2, 30), "does not occur", 1),
        (dt.datetime(2024, 7, 1), None, 2),
        (dt.datetime(2024, 12, 1), None, 1),
    ],
)
def test_hours_that_the_clocks_change(start: dt.datetime, note: str | None, hours: int) -> None:
    from oracle import blf_oracle

    data = blf_oracle.file(blf_oracle.message(1, 1, 0x100, 1, b"\1", 0), start)
    with open_log(io.BytesIO(data), tz="Europe/Berlin") as log:
        frames = log.read()
        assert log.start == start
        if note is None:
            assert log.zone_note is None
        else:
            assert note in (log.zone_note or "")
    shift = (start - dt.datetime(1970, 1, 1)) // dt.timedelta(seconds=1) - int(frames["timestamp_ns"][0]) // 10**9
    assert shift == hours * 3600


@pytest.mark.posix
def test_the_machines_zone_counts_only_on_request(samples: Path) -> None:
    program = (
        "import canal_fast as cf, sys;"
        "print(*(int(cf.read_log(sys.argv[1], **k)['timestamp_ns'][0]) for k in ({}, {'tz': 'local'})))"
    )
    seen = {
        zone: subprocess.run(
            [sys.executable, "-P", "-c", program, str(samples / "blf_plain.blf")],
            env={**os.environ, "TZ": zone},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for zone in ("UTC", "Asia/Tokyo")
    }
    assert seen["UTC"][0] == seen["UTC"][1] == seen["Asia/Tokyo"][0]
    assert int(seen["UTC"][0]) - int(seen["Asia/Tokyo"][1]) == 9 * 3600 * 10**9


@pytest.mark.posix
def test_standard_input_and_pipes(samples: Path) -> None:
    for name in ("blf_fd.blf", "asc_relative.asc", "GVRET_Log.csv.gz", "pcap_us_be.pcap"):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "canal_fast", "dump", "--info", "-"],
            input=(samples / name).read_bytes(),
            capture_output=True,
            check=True,
        )
        assert f"standard input: {FRAMES[name][0]}, {FRAMES[name][1]} frames".encode() in done.stdout


@pytest.mark.posix
def test_a_pipe_is_recognised_by_its_first_bytes(samples: Path) -> None:
    receiving, sending = os.pipe()
    data = (samples / "blf_plain.blf").read_bytes()
    with open(receiving, "rb", buffering=0) as pipe:
        os.write(sending, data[:200])  # and then nothing for a while
        opened = open_log(pipe)
        assert opened.start is not None

        def rest() -> None:
            os.write(sending, data[200:])
            os.close(sending)

        thread = threading.Thread(target=rest)
        thread.start()
        assert len(opened.read()) == 4
        thread.join()


def test_recordings_keep_names_and_rates(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2], b"\1", timestamp_ns=[1, 2], channel=[0, 3])
    given = {0: ("body", 125_000), 3: ("engine", 500_000)}
    cf.write_log(tmp_path / "a.pcapng", frames, interfaces=given)
    again, interfaces = read_log(tmp_path / "a.pcapng", with_interfaces=True)
    cf.write_log(tmp_path / "b.pcapng", again, interfaces=interfaces)
    assert (tmp_path / "a.pcapng").read_bytes() == (tmp_path / "b.pcapng").read_bytes()
    with open_log(tmp_path / "b.pcapng") as log:
        log.read()
        assert {row.channel: (row.name, row.bitrate) for row in log.interfaces} == given


def test_the_table_of_formats() -> None:
    rows = {row.name: row for row in formats()}
    assert list(rows) == [row.name for row in formats()]
    assert {row[0] for row in FRAMES.values()} <= set(rows)
    assert rows["blf"].zoned
    assert not rows["pcapng"].zoned
    assert rows["mf4"].extra == "mf4"
    assert [name for name, row in rows.items() if not row.writes] == ["candump-delta", "parquet"]
    suffixes = [suffix for row in formats() for suffix in row.suffixes]
    assert {suffix for suffix in suffixes if suffixes.count(suffix) > 1} == {".csv"}


def test_mutated_samples_never_crash(samples: Path) -> None:
    rng = random.Random(5)
    for name in SMALL:
        data = (samples / name).read_bytes()
        for _ in range(60):
            mutated = bytearray(data)
            for _ in range(rng.randrange(1, 6)):
                mutated[rng.randrange(len(data))] = rng.randrange(256)
            for errors in ("strict", "skip"):
                try:
                    read_log(io.BytesIO(mutated), errors=errors)
                except (cf.LogFormatError, cf.FrameError):
                    continue


def test_python_cans_log_reader_can_use_ours(samples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    from can.io import player

    from canal_fast.python_can.recording import readers

    for suffix, reader in readers().items():  # as `MESSAGE_READERS.update(readers())` does
        monkeypatch.setitem(player.MESSAGE_READERS, suffix, reader)
    with can.LogReader(str(samples / "blf_without_containers.blf")) as messages:
        assert [m.arbitration_id for m in messages] == [0x100, 0x101, 0x102, 0x7FF]
    (tmp_path / "x.trc.gz").write_bytes(gzip.compress((samples / "trc_1_2.trc").read_bytes()))
    with can.LogReader(str(tmp_path / "x.trc.gz")) as messages:
        assert [m.arbitration_id for m in messages] == [0x100, 0x704]
