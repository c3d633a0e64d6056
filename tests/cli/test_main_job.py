"""The main job from the command line: record a channel, end it in every way, read it back."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
COMMAND = [sys.executable, "-P", "-m", "canal_fast"]
VIRTUAL = ["--library", "virtual"]
SATURATED = [*VIRTUAL, "--config", "bus0;1000000;load=1;seed=1;fifo=100000"]  # room while the machine stalls
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="NOT RUN: tshark is not installed")


def canal_fast(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def tshark(path: Path, *options: str) -> str:
    """What tshark prints; 2 is its exit code for a file that was cut short."""
    run = subprocess.run(["tshark", "-r", path, *options], capture_output=True, text=True, check=False)
    assert run.returncode in (0, 2), run.stderr
    return run.stdout


def sequence(frames: cf.FrameArray) -> np.ndarray:
    return np.ascontiguousarray(frames["data"][:, :4]).view("<u4")[:, 0]


@pytest.fixture(scope="module")
def car(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("car") / "car-bus.log"
    path.write_bytes(gzip.decompress((data_dir / "car-bus.log.gz").read_bytes()))
    return path


def test_a_car_is_recorded_frame_for_frame(car: Path, tmp_path: Path) -> None:
    out = tmp_path / "car.pcapng"
    run = canal_fast(
        "log", *VIRTUAL, "--config", f"car;500000;replay={car};speed=0", "--clock", "device", "-o", out, cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    original, recorded = cf.read_log(car), cf.read_log(out)
    assert len(original) == len(recorded) == 12_974
    for field in ("arbitration_id", "flags", "dlc", "data"):
        assert np.array_equal(original[field], recorded[field]), field
    # 1 us is the unit of the driver's time stamp
    assert np.abs(np.diff(original["timestamp_ns"]) - np.diff(recorded["timestamp_ns"])).max() <= 1000
    dumped = canal_fast("dump", out).stdout.splitlines()
    source = car.read_text().splitlines()
    assert [line.split()[2] for line in dumped] == [line.split()[2] for line in source]


BESIDE = """
import sys
from beside import Beside
from canal_fast.__main__ import main
with Beside() as beside:
    code = main(sys.argv[1:])
print(beside.latest_s)
sys.exit(code)
"""


def test_the_wall_clock_replay_keeps_the_pace(car: Path, tree: Path, tmp_path: Path) -> None:
    """To 20 ms; a run is repeated only where a thread of the same process says that it was not run, either."""
    part = tmp_path / "part.log"
    part.write_text("".join(car.read_text().splitlines(keepends=True)[:1500]))
    original, off_ns = cf.read_log(part), 0
    environment = {**os.environ, "PYTHONPATH": str(tree / "tests" / "support")}
    for number in range(5):
        out = tmp_path / f"{number}.pcapng"
        arguments = ["log", *VIRTUAL, "--config", f"car;500000;replay={part}", "-o", str(out)]
        run = subprocess.run(
            [sys.executable, "-P", "-c", BESIDE, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )
        assert run.returncode == 0, run.stderr
        recorded = cf.read_log(out)
        assert np.array_equal(original["data"], recorded["data"])
        off_ns = int(np.ptp(recorded["timestamp_ns"])) - int(np.ptp(original["timestamp_ns"]))
        if abs(off_ns) <= 20_000_000:
            break
        assert float(run.stdout) > 0.01, f"{off_ns} ns off, and the machine ran all the time"
    assert abs(off_ns) <= 20_000_000


@pytest.mark.slow
def test_ledger_and_statistics_block_agree(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    run = canal_fast("log", *SATURATED, "--duration", "1.5", "--filter", "0:1", "-o", out, "--json")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    ledger = rows[-1]["ledger"]
    assert rows[-1]["event"] == "end"
    assert {row["event"] for row in rows[:-1]} == {"progress"}
    assert ledger["filtered"] > 1000
    assert len(cf.read_log(out)) == ledger["delivered"] == rows[-1]["frames_written"]
    with cf.logs.open_log(out) as log:
        for _ in log.batches():
            pass
        (interface,) = log.interfaces
    assert interface.name == "bus0"
    assert interface.bitrate == 1_000_000
    assert interface.statistics == {
        "ifrecv": ledger["received"] + ledger["driver_overruns"],
        "ifdrop": ledger["driver_overruns"],
        "filteraccept": ledger["received"] - ledger["filtered"],
        "osdrop": ledger["dropped"],
        "usrdeliv": ledger["delivered"],
    }
    if shutil.which("tshark") is None:
        pytest.skip("NOT RUN: tshark is not installed; the rest passed")
    blocks = tshark(out, "-X", "read_format:MIME Files Format", "-V").split("Interface Statistics Block")
    assert len(blocks) > 2  # one a second, and the last
    for option, value in interface.statistics.items():
        name = {
            "ifrecv": "received",
            "ifdrop": "dropped",
            "filteraccept": "accepted",
            "osdrop": "OS",
            "usrdeliv": "delivered",
        }
        found = re.findall(rf"(?im)^.*{name[option]}.*?(\d+)\s*$", blocks[-1])
        assert str(value) in found, (option, blocks[-1])


def test_loss_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    run = canal_fast("log", *SATURATED, "--duration", "1", "--ring-frames", "16", "-o", out)
    lost = int(re.search(r"(\d+) frames were lost", run.stderr)[1])
    assert run.returncode == 3
    frames = cf.read_log(out)
    gaps = np.diff(sequence(frames).astype(np.int64)) - 1
    assert lost >= gaps.sum() > 0
    assert np.array_equal(np.flatnonzero(gaps) + 1, np.flatnonzero(frames["flags"] & cf.FrameFlag.GAP))


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)])
def test_a_signal_ends_a_recording_with_its_ledger(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out.pcapng"
    command = [*COMMAND, "log", "-v", *SATURATED, "-o", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not (out.exists() and out.stat().st_size > 10_000):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    delivered = int(re.search(r"= (\d+) delivered \+ 0 pending", said)[1])
    frames = cf.read_log(out, strict=True)
    assert len(frames) == delivered
    assert (np.diff(sequence(frames)) == 1).all()


def test_frames_on_stdout_are_candump_text(tmp_path: Path) -> None:
    run = canal_fast("log", "-v", *SATURATED, "--frames", "25")
    assert run.returncode == 0
    assert " = 25 delivered" in run.stderr
    assert len(run.stdout.splitlines()) == 25
    (tmp_path / "out.log").write_text(run.stdout)
    assert np.array_equal(sequence(cf.read_log(tmp_path / "out.log")), np.arange(25))


@pytest.mark.posix
def test_a_reader_that_leaves_is_no_error() -> None:
    run = subprocess.run(
        f"{' '.join(COMMAND)} log --library virtual --config 'b;load=1' --duration 3 | head -2",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert len(run.stdout.splitlines()) == 2
    assert run.stderr == ""


def kill_once(path: Path, delay: float) -> int:
    """Record, kill -9 after `delay` seconds of frames; how many frames were reported as written."""
    with subprocess.Popen(
        [*COMMAND, "log", *SATURATED, "-o", str(path), "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(delay)
        process.kill()
        lines += process.stdout.readlines()
    return max(json.loads(line)["frames_written"] for line in lines if line.endswith("\n"))


@pytest.mark.slow
@pytest.mark.posix
def test_kill_at_any_moment(tmp_path: Path) -> None:
    moments = random.Random(1)
    paths = [tmp_path / f"{number}.pcapng" for number in range(50 if LONG else 12)]
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(kill_once, paths, [moments.uniform(0, 0.35) for _ in paths]))
    assert sum(reports) > 0
    truncated = 0
    for number, (path, reported) in enumerate(zip(paths, reports, strict=True)):
        with cf.logs.open_log(path) as log:
            frames = np.concatenate([np.empty(0, cf.FRAME_DTYPE), *log.batches(fd=False)])
            truncated += log.truncated
        assert len(frames) >= reported
        assert (np.diff(sequence(frames)) == 1).all()
        if shutil.which("tshark") and (LONG or number % 10 == 0):
            listed = tshark(path, "-T", "fields", "-e", "frame.number").split()
            assert len(listed) == len(frames)
    print(f"{len(paths)} kills, {truncated} of the files ended inside a block")


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_recording_has_a_recent_ledger(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    kill_once(path, 2.3)
    with cf.logs.open_log(path) as log:
        last = max(int(frames["timestamp_ns"][-1]) for frames in log.batches() if len(frames))
        first = int(next(cf.logs.batches(path))["timestamp_ns"][0])
        (interface,) = log.interfaces
    assert interface.statistics is not None
    # frames come evenly on a saturated bus: what the statistics miss is what came after them
    rate = interface.frames / ((last - first) / 1e9)
    assert interface.frames - interface.statistics["usrdeliv"] <= 1.3 * rate


@pytest.mark.posix
def test_disk_full(tmp_path: Path) -> None:
    import resource

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    out = tmp_path / "out.pcapng"
    run = canal_fast("log", *SATURATED, "--duration", "2", "-o", out, preexec_fn=small_files)
    assert run.returncode == 1
    told = int(re.search(r"(\d+) frames are safely in the file", run.stderr)[1])
    assert "no loss" not in run.stderr
    frames = cf.read_log(out, strict=True)
    assert len(frames) == told > 500
    assert np.array_equal(sequence(frames), np.arange(told))


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["log", "-o", "x.log"], "give --library PATH"),
        (["log", *VIRTUAL, "-o", "x.foo"], "recordings end with .pcapng, .pcap, .blf, .asc, .trc, .csv, .log"),
        (["log", "--library", "./nothing.so", "-o", "x.log"], "no such driver library"),
        (["log", *VIRTUAL, "--config", "bus;load=2", "-o", "x.log"], "load=2 is outside 0..1"),
        (["log", *VIRTUAL, "--json"], "--json prints on standard output"),
        (["log", *VIRTUAL, "--duration", "1", "--frames", "5", "--json"], "--json prints on standard output"),
        (["log", *VIRTUAL, "-o", "/nowhere/x.log"], "canal-fast log: /nowhere: no such folder"),
        (["log", *VIRTUAL, "--config", "r;replay=/nowhere.log", "-o", "x.log"], "/nowhere.log"),
        (["dump", "nothing.pcapng"], "nothing.pcapng"),
    ],
)
def test_mistakes(tmp_path: Path, arguments: list[str], words: str) -> None:
    run = canal_fast(*arguments, cwd=tmp_path)
    assert run.returncode == 1
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
