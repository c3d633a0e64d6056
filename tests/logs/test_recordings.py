"""Recorder and log files: real data, other programs, disk full, kill, streaming, the dump command."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tracemalloc
import types
from pathlib import Path

import numpy as np
import pytest
from oracle import candump_oracle, pcapng_oracle

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.__main__ import main

LONG = bool(os.environ.get("CANAL_FAST_LONG"))


@pytest.fixture(scope="session")
def car_log(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("car") / "car-bus.log"
    path.write_bytes(gzip.decompress((data_dir / "car-bus.log.gz").read_bytes()))
    return path


def mixed(count: int = 1000) -> cf.FrameArray:
    rng = np.random.default_rng(count)
    times = np.arange(count) * 1_000_001
    return cf.make_frames(
        rng.integers(0, 0x800, count),
        rng.integers(0, 256, (count, 8), np.uint8),
        timestamp_ns=times,
        channel=np.arange(count) % 3,
    )


def test_car_log_equals_the_oracle(car_log: Path) -> None:
    frames = cf.read_log(car_log)
    lines = [row for row in map(candump_oracle.parse, car_log.read_text().splitlines()) if row]
    assert len(frames) == len(lines) == 12_974
    assert frames.dtype == cf.FRAME_DTYPE
    for frame, line in zip(frames, lines, strict=True):
        assert frame["timestamp_ns"] == line.timestamp_ns
        assert frame["arbitration_id"] == line.arbitration_id
        assert frame["flags"] == line.flags
        assert frame["dlc"] == line.dlc
        assert frame["data"].tobytes() == line.data.ljust(8, b"\0")


@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_car_log_through_both_formats(suffix: str, car_log: Path, tmp_path: Path) -> None:
    frames = cf.read_log(car_log)
    path = tmp_path / f"again{suffix}"
    cf.write_log(path, frames)
    assert np.array_equal(cf.read_log(path, strict=True), frames)
    parts = list(cf.logs.batches(path, 1000, fd=False))
    assert [len(part) for part in parts] == [1000] * 12 + [974]
    assert np.array_equal(np.concatenate(parts), frames)


def test_fd_choice(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("(1.0) can0 123#00\n" * 3 + "(1.0) can0 123##100\n" + "(1.0) can0 123#00\n")
    assert cf.read_log(path).dtype == cf.FD_FRAME_DTYPE
    assert cf.read_log(path)["flags"].tolist() == [0, 0, 0, 0x18, 0]
    assert cf.read_log(path)["data"][:, 1:].max() == 0
    with pytest.raises(cf.FrameError, match=r"line 4: an FD frame does not fit.*fd=True"):
        cf.read_log(path, fd=False)
    assert next(cf.logs.batches(path)).dtype == cf.FD_FRAME_DTYPE
    assert len(next(cf.logs.batches(path, fd=False))) == 3


def test_text_keeps_all_but_gap_and_status(tmp_path: Path) -> None:
    frames = mixed()
    frames["flags"][::3] |= np.uint16(FrameFlag.TX)
    frames["flags"][::5] |= np.uint16(FrameFlag.GAP)
    path = tmp_path / "x.log"
    cf.write_log(path, frames, nanoseconds=True)
    frames["flags"] &= ~np.uint16(FrameFlag.GAP)
    assert np.array_equal(cf.read_log(path), frames)


def test_last_line_without_its_end(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("(1.0) can0 123#00\n(2.0) can0 123#11")
    assert len(cf.read_log(path, strict=True)) == 2
    path.write_text("(1.0) can0 123#00\n(2.0) can0 123#1")
    assert len(cf.read_log(path)) == 1
    with pytest.raises(cf.LogFormatError, match="line 2: the file is cut short: 16 bytes of an unfinished line"):
        cf.read_log(path, strict=True)


def test_lines_longer_than_the_buffer(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("(1.0) can0 123#00\n#" + " " * 3_000_000 + "\n(1.0) can0 123#00\n")
    assert len(cf.read_log(path)) == 2
    path.write_text("(1.0) can0 123#00\n" + "0" * 3_000_000 + "\n")
    with pytest.raises(cf.LogFormatError, match="line 2: column 1: the time stamp"):
        cf.read_log(path)


def test_empty_files(tmp_path: Path) -> None:
    for name, truncated in (("x.log", False), ("x.pcapng", False), ("y", False)):
        (tmp_path / name).touch()
        with cf.logs.open_log(tmp_path / name) as log:
            assert len(log.read()) == 0
            assert log.truncated == truncated
    with pytest.raises(FileNotFoundError):
        cf.read_log(tmp_path / "missing.log")
    (tmp_path / "z.log.gz").write_bytes(gzip.compress(b""))
    assert len(cf.read_log(tmp_path / "z.log.gz", strict=True)) == 0


def test_reading_takes_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    cf.write_log(path, np.tile(mixed(), 500))
    tracemalloc.start()
    try:
        assert sum(map(len, cf.logs.batches(path, 1000))) == 500_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000
    assert peak < 4_000_000


def test_recorder_writes_what_it_says(tmp_path: Path) -> None:
    frames = mixed()
    path = tmp_path / "x.pcapng"
    with cf.logs.Recorder(path, interfaces={0: ("body", 125_000), 2: "engine"}, fsync=True) as recorder:
        for first in range(0, 1000, 300):
            recorder.write(frames[first : first + 300])
            assert recorder.frames_written == min(first + 300, 1000)
            assert recorder.bytes_written == path.stat().st_size
            assert len(cf.read_log(path)) == recorder.frames_written
        recorder.write(frames[:0])
        recorder.write_statistics({"received": 20, "driver_overruns": 3, "filtered": 4, "dropped": 2}, channel=2)
        recorder.write_statistics(
            types.SimpleNamespace(received=1000, driver_overruns=None, filtered=10, dropped=5), channel=0
        )
        recorder.write_statistics({"received": 40, "driver_overruns": 3, "filtered": 4, "dropped": 2}, channel=2)
    recorder.close()
    assert recorder.closed
    with pytest.raises(ValueError, match="closed"):
        recorder.write(frames)
    with cf.logs.open_log(path) as log:
        assert np.array_equal(log.read(), frames)
        assert [(row.name, row.channel, row.bitrate, row.frames) for row in log.interfaces] == [
            ("body", 0, 125_000, 334),
            ("engine", 2, None, 333),
            ("can1", 1, None, 333),
        ]
        assert log.statistics == {
            "body": {"ifrecv": 1000, "ifdrop": None, "filteraccept": 990, "osdrop": 5, "usrdeliv": 334},
            "engine": {"ifrecv": 43, "ifdrop": 3, "filteraccept": 36, "osdrop": 2, "usrdeliv": 333},
        }


def test_statistics_are_due_each_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with cf.logs.Recorder(tmp_path / "x.pcapng") as recorder:
        assert not recorder.due()
        now[0] += 1
        assert recorder.due()
        recorder.write_statistics({"received": 0, "driver_overruns": 0, "filtered": 0, "dropped": 0})
        assert not recorder.due()
        assert recorder.due(1)


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("x.foo", {}, "recordings end with .pcapng, .pcap"),
        ("x.pcapng", {"interfaces": {256: "a"}}, r"channel 256, allowed 0\.\.255"),
        ("x.pcapng", {"interfaces": {0: "a b"}}, "without white space"),
        ("x.log", {"interfaces": {0: "n" * 64}}, r"allowed 1\.\.63 bytes"),
    ],
)
def test_refused_recordings(name: str, arguments: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        cf.logs.Recorder(tmp_path / name, **arguments)
    assert not (tmp_path / name).exists()


def test_refused_arrays_leave_the_recording_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with cf.logs.Recorder(path) as recorder:
        recorder.write(mixed(10))
        for bad in (np.zeros(3), mixed(10)[::2]):
            with pytest.raises((TypeError, ValueError)):
                recorder.write(bad)
        recorder.write(mixed(10))
    assert len(cf.read_log(path, strict=True)) == 20


FULL = """
import resource, signal, sys
import numpy as np
import canal_fast as cf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit, frames = sys.argv[1], int(sys.argv[2]), np.load(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
with cf.logs.Recorder(path) as recorder:
    recorder.write(frames[:50])
    try:
        recorder.write(frames[50:])
    except OSError as error:
        print(type(error).__name__, error.errno, error)
        print(recorder.frames_written, recorder.bytes_written)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    recorder.write(frames[recorder.frames_written:])
"""


@pytest.mark.posix
@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_disk_full(suffix: str, tmp_path: Path) -> None:
    frames = mixed()
    np.save(tmp_path / "frames.npy", frames)
    whole = tmp_path / f"whole{suffix}"
    cf.write_log(whole, frames)
    path = tmp_path / f"x{suffix}"
    for limit in (20_000, 20_001, whole.stat().st_size - 1):
        command = [sys.executable, "-c", FULL, str(path), str(limit), str(tmp_path / "frames.npy")]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        message, counts = run.stdout.splitlines()
        written, size = map(int, counts.split())
        assert f"{written} frames are safely in the file, {1000 - written} frames of this batch are not" in message
        assert str(path) in message
        assert 50 < written < 1000
        assert limit - 100 < size <= limit
        assert path.read_bytes() == whole.read_bytes()  # the rest followed when there was room


@pytest.mark.posix
def test_disk_full_from_the_first_byte(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("NOT RUN: there is no /dev/full")
    for suffix in (".pcapng", ".log"):
        path = tmp_path / f"x{suffix}"
        path.symlink_to("/dev/full")
        with pytest.raises(OSError, match=r"while recording: 0 frames are safely"), cf.logs.Recorder(path) as recorder:
            recorder.write(mixed(3))


@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_interrupted_write_leaves_whole_frames(suffix: str, tmp_path: Path) -> None:
    class Interrupted(io.FileIO):
        def write(self, data: memoryview) -> int:  # type: ignore[override]
            super().write(data[: len(data) // 2 + 1])
            raise KeyboardInterrupt

    frames = mixed()
    path = tmp_path / f"x{suffix}"
    with cf.logs.Recorder(path, nanoseconds=True) as recorder:
        recorder.write(frames[:10])
        output = recorder._file
        good = output._file
        output._file = Interrupted(path, "r+")
        output._file.seek(0, os.SEEK_END)
        with pytest.raises(KeyboardInterrupt):
            recorder.write(frames[10:])
        assert 400 < recorder.frames_written < 600
        assert len(cf.read_log(path, strict=True)) == recorder.frames_written
        assert path.stat().st_size == recorder.bytes_written
        output._file.close()
        good.seek(0, os.SEEK_END)
        output._file = good
        recorder.write(frames[recorder.frames_written :])
    assert np.array_equal(cf.read_log(path, strict=True), frames)


@pytest.mark.posix
def test_pipe_that_breaks_in_the_middle(tmp_path: Path) -> None:
    """What a pipe has taken cannot be cut off: the recorder says so instead of writing on."""
    path = tmp_path / "x.log"
    os.mkfifo(path)
    read_end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with cf.logs.Recorder(path) as recorder:
        recorder.write(mixed(10))
        os.close(read_end)
        with pytest.raises(BrokenPipeError, match="10 frames are safely in the file, 5 frames of this batch are not"):
            recorder.write(mixed(5))
        assert recorder.frames_written == 10


KILLED = """
import sys
import numpy as np
import canal_fast as cf
frames = np.load(sys.argv[2])
with cf.logs.Recorder(sys.argv[1]) as recorder:
    while True:
        recorder.write(frames)
        print(recorder.frames_written, flush=True)
"""


@pytest.mark.posix
def test_killed_recordings_keep_what_was_flushed(tmp_path: Path) -> None:
    frames = mixed(3000)
    np.save(tmp_path / "frames.npy", frames)
    rng = random.Random(5)
    for number in range(50 if LONG else 3):
        path = tmp_path / f"{number}.pcapng"
        command = [sys.executable, "-c", KILLED, str(path), str(tmp_path / "frames.npy")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            assert process.stdout is not None
            for _ in range(rng.randrange(1, 30)):
                process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
            flushed = [int(line) for line in process.stdout.read().split()[-1:]]
        again = cf.read_log(path)
        assert len(again) >= max(flushed, default=1)
        assert np.array_equal(again, np.resize(frames, len(again)))
        if shutil.which("tshark") and number % 5 == 0:  # the slow one
            listed = subprocess.run(
                ["tshark", "-r", str(path), "-T", "fields", "-e", "can.id"], capture_output=True, text=True
            )
            assert listed.returncode in (0, 2)  # 2: cut short in the middle of a packet
            assert len(listed.stdout.splitlines()) == len(again)
        path.unlink()


def test_python_can_reads_and_writes_the_same(car_log: Path, tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    frames = cf.read_log(car_log)[:2000]
    frames["flags"][::7] |= np.uint16(FrameFlag.TX)
    ours, theirs = tmp_path / "ours.log", tmp_path / "theirs.log"
    cf.write_log(ours, frames)
    with can.LogReader(str(ours)) as reader, can.Logger(str(theirs)) as writer:
        for message, frame in zip(reader, frames, strict=True):
            assert message.arbitration_id == frame["arbitration_id"]
            assert message.is_rx == (frame["flags"] & FrameFlag.TX == 0)
            assert bytes(message.data) == bytes(frame["data"][: frame["dlc"]])
            assert abs(message.timestamp * 1e9 - frame["timestamp_ns"]) < 1000
            writer.on_message_received(message)
    assert np.array_equal(cf.read_log(theirs), frames)


@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_dump_is_candump_text(suffix: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    frames = mixed()
    frames["timestamp_ns"] -= frames["timestamp_ns"] % 1000
    path = tmp_path / f"x{suffix}"
    cf.write_log(path, frames)
    assert main(["dump", str(path)]) == 0
    text = capfdbinary.readouterr().out
    assert text == cf.logs.format_candump(frames)
    (tmp_path / "again.log").write_bytes(text)
    assert np.array_equal(cf.read_log(tmp_path / "again.log"), frames)
    assert main(["dump", str(path), "--filter", "100:700", "--filter", "7ff:7f0", "--frames", "20"]) == 0
    ids = frames["arbitration_id"]
    wanted = frames[(ids & 0x700 == 0x100) | (ids & 0x7F0 == 0x7F0)][:20]
    assert capfdbinary.readouterr().out == cf.logs.format_candump(wanted)
    assert main(["dump", str(path), "--json", "--frames", "1"]) == 0
    row = json.loads(capfdbinary.readouterr().out)
    assert row["arbitration_id"] == ids[0]
    assert bytes.fromhex(row["data"]) == bytes(frames["data"][0])


def test_dump_of_odd_interface_names(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "x.pcapng"
    data = pcapng_oracle.section()
    for number, name in enumerate((b"", b"PCAN USB 1", b"\xff" * 63)):
        data += pcapng_oracle.interface(pairs=[(2, name)] if name else [])
        data += pcapng_oracle.packet(number, 0, pcapng_oracle.can(1, 0, 0, b""))
    path.write_bytes(data)
    assert main(["dump", str(path)]) == 0
    names = [line.split()[1] for line in capfdbinary.readouterr().out.splitlines()]
    assert names == [b"can0", b"PCAN_USB_1", "\ufffd".encode() * 21]


def test_dump_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    with cf.logs.Recorder(path, interfaces={0: ("can0", 500_000)}) as recorder:
        recorder.write(mixed(9))
        recorder.write_statistics({"received": 9, "driver_overruns": None, "filtered": 0, "dropped": 1})
    path.write_bytes(path.read_bytes() + b"\6\0\0\0")
    assert main(["dump", "--info", str(path)]) == 0
    text = capsys.readouterr().out
    for words in ("9 frames", "truncated: yes", "can0 (channel 0, 500000 bit/s): 3 frames", "ifdrop = not known"):
        assert words in text
    assert main(["dump", "--info", "--json", str(path)]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["truncated"] is True
    assert info["interfaces"][0]["osdrop"] == 1
    assert main(["dump", str(tmp_path / "missing.log")]) == 1
