"""bridge=: a driver in a host process. Its frames, its ends, and that nobody else gets at the memory."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_table import Row, build, expected
from losses import sleep_with_gil

import canal_fast as cf
from canal_fast.live import _live, host

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
SATURATED = "bus;1000000;load=1;seed=3"
HOST = host.host_program(None)
SOURCE = Path(__file__).resolve().parents[2] / "canal_fast" / "canal_host.c"

pytestmark = [
    pytest.mark.skipif(not HOST.is_file(), reason=f"NOT RUN: no {HOST.name} was built"),
    pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: tests/wine/bridge.py is the one for Windows"),
]


@pytest.fixture
def saturated() -> Iterator[cf.Channel]:
    with cf.Channel.virtual(SATURATED, bridge="always") as channel:
        yield channel


def rest(channel: cf.Channel) -> tuple[cf.FrameArray, cf.DriverError]:
    """What still comes, and the error after it."""
    parts = [np.empty(0, cf.FRAME_DTYPE)]
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            parts.append(channel.receive(timeout=30))
        except cf.DriverError as error:
            return np.concatenate(parts), error
    raise AssertionError(f"no error after {sum(map(len, parts))} frames")


def numbers(frames: cf.FrameArray) -> list[int]:
    """The virtual bus's sequence numbers."""
    return frames["data"][:, :4].copy().view("<u4")[:, 0].tolist()


def gone(process: int, within: float) -> bool:
    """Has it ended (a zombie that nobody waited for counts) before the time is over?"""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_a_million_frames_none_lost_or_doubled(fakes: Path) -> None:
    count = 1_000_000
    path = build(Row("by the book"), fakes)
    with cf.Channel(path, f"frames={count};bursts=1", bridge="always", ring_full="wait", ring_frames=65536) as channel:
        got = 0
        while got < count and channel.ledger().received <= count:
            frames = channel.receive(65536, timeout=30)
            want = expected(len(frames), got)
            fields = ["arbitration_id", "flags", "dlc", "data"]
            assert (frames[fields] == want[fields]).all(), got
            got += len(frames)
        ledger = channel.ledger()
        ledger.verify()
        assert (got, ledger.received, ledger.dropped) == (count, count, 0)


def test_nothing_is_lost_while_the_gil_is_held() -> None:
    with cf.Channel.virtual(SATURATED, bridge="always") as channel:
        before = channel.ledger()
        sleep_with_gil(2.0 if LONG else 0.5)
        channel.stop()
        frames, _ = rest(channel)
        ledger = channel.ledger()
        assert numbers(frames) == list(range(len(frames))) or ledger.driver_overruns  # the machine itself stalled
        assert ledger.received > before.received
        assert ledger.dropped == 0


def test_calls_reach_the_driver_and_their_answers_come_back(fakes: Path) -> None:
    with cf.Channel.virtual("calls;500000;clock=step", bridge="always") as there, cf.Channel.virtual("calls2") as here:
        assert there.send(cf.make_frames([1, 2, 3], [b"a", b"", b"12345678"]), timeout=1) == 3
        assert there.send(cf.make_frames(np.zeros(9000, np.uint32)), timeout=0.05) == 1024 - 3
        assert there.ledger().sent == 1024
        assert there.ledger().send_rejected == 9003 - 1024
        for name in ("profile", "layout", "capabilities", "level", "version", "vendor", "info"):
            assert getattr(there.driver, name) == getattr(here.driver, name), name
        assert here.driver.host is None
        assert there.driver.host != os.getpid()
        assert there.status() == dataclasses.replace(here.status(), flags=("ACTIVE", "TX_FULL"), raw=0x10210000)
        assert there.statistics() == dict.fromkeys(there.statistics() or (), 0)
        with pytest.raises(cf.DriverError, match="CanalSetFilter failed: CANAL code 17"):
            there.set_driver_filter(1, 2)
        for channel in (there, here):
            channel.set_filters([{"can_id": n, "can_mask": 0x7FF} for n in range(8192)])
            with pytest.raises(ValueError, match=r"filters: 8193 of them, allowed 0\.\.8192"):
                channel.set_filters([{"can_id": 0, "can_mask": 0}] * 8193)
    with pytest.raises(cf.ChannelClosedError):
        there.send(cf.make_frames(1))


def test_filters_count_and_hold_from_the_first_frame_on() -> None:
    wanted = {"can_id": 0x100, "can_mask": 0x700}
    with cf.Channel.virtual(f"{SATURATED};frames=2000", bridge="always", filters=[wanted]) as channel:
        while channel.ledger().received < 2000:
            time.sleep(0.01)
        channel.stop()
        frames, error = rest(channel)
        ledger = channel.ledger()
        ledger.verify()
    assert isinstance(error, cf.ChannelClosedError)
    assert set(frames["arbitration_id"] & 0x700) == {0x100}
    assert len(frames) == ledger.delivered == 2000 - ledger.filtered


def test_the_descriptor_and_periodic_tasks_work(saturated: cf.Channel) -> None:
    task = saturated.send_periodic(cf.make_frames(5, b"\1"), 0.01)
    for _ in range(5):
        assert select.select([saturated.fileno()], [], [], 10)[0]
        assert len(saturated.receive(timeout=0))
    while task.statistics().sent < 3:
        time.sleep(0.01)
    os.kill(saturated.driver.host or 0, signal.SIGKILL)
    rest(saturated)
    assert select.select([saturated.fileno()], [], [], 10)[0]  # for ever: receive raises at once


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_frames_published_before_the_end_come_before_the_error(way: signal.Signals) -> None:
    """20 hosts end at random moments."""
    chance = random.Random(way)
    count = 20 if way == signal.SIGKILL else 3
    channels = [cf.Channel.virtual(SATURATED, bridge="always") for _ in range(count)]
    published = []
    for channel in channels:
        time.sleep(chance.uniform(0, 0.05))
        channel.receive(chance.randrange(1, 50), timeout=30)
        published.append(channel.ledger())
        os.kill(channel.driver.host or 0, way)
    for channel, before in zip(channels, published, strict=True):
        begun = time.monotonic()
        frames, error = rest(channel)
        took = time.monotonic() - begun
        ledger = channel.ledger()
        ledger.verify()
        assert before.received <= ledger.received == ledger.delivered
        assert numbers(frames) == list(range(before.delivered, ledger.delivered)) or before.driver_overruns
        assert ledger.driver_overruns is None
        assert "unaccounted" in str(ledger)
        assert took < 20
        if way == signal.SIGSTOP:
            assert isinstance(error, cf.ChannelTimeoutError)
            assert "does not answer" in str(error)
        else:
            assert f"killed by signal {int(way)}" in str(error)
        with pytest.raises(type(error)):
            channel.send(cf.make_frames(1))
        channel.close()
    with cf.Channel.virtual(SATURATED, bridge="always") as again:
        assert len(again.receive(timeout=30))


def test_a_driver_that_crashes_in_receive(fakes: Path) -> None:
    path = build(Row("receive crashes"), fakes)
    with cf.Channel(path, "frames=1000;bursts=2;pause=300;crash=700", bridge="always") as channel:
        frames, error = rest(channel)
        assert "killed by signal 11" in str(error)
        assert 500 <= len(frames) <= 700
        assert (frames["arbitration_id"] == expected(len(frames))["arbitration_id"]).all()
        channel.ledger().verify()


@pytest.mark.parametrize(
    ("config", "words"), [("crash_open=1", "killed by signal 11"), ("open=-5", r"no handle \(-5\)")]
)
def test_an_open_that_fails(fakes: Path, config: str, words: str) -> None:
    path = build(Row("open fails"), fakes)
    with pytest.raises(cf.DriverError, match=words):
        cf.Channel(path, config, bridge="always")
    with cf.Channel(path, "", bridge="always") as channel:
        assert len(channel.receive(timeout=30))


@pytest.mark.slow
def test_a_driver_that_hangs_in_receive(fakes: Path) -> None:
    channel = cf.Channel(build(Row("receive hangs"), fakes), "frames=1000;bursts=1;hang=640", bridge="always")
    host = channel.driver.host or 0
    with pytest.raises(cf.DriverError, match="hangs"):
        channel.close()
    assert gone(host, 20)
    assert channel.ledger().pending == 640


def test_what_the_library_is_wrong_in_is_said_alike(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")
    said = []
    for where in ("never", "always"):
        with pytest.raises(cf.DriverError) as caught:
            cf.Channel(text, bridge=where)
        said.append(str(caught.value))
    assert said[0] == said[1]
    with pytest.raises(ValueError, match="bridge = 'perhaps', allowed 'auto', 'always', 'never'"):
        cf.Channel(text, bridge="perhaps")  # type: ignore[arg-type]
    said = []
    for where in ("never", "always"):
        with pytest.raises(cf.DriverError) as caught:
            cf.Channel.virtual("x;no key", bridge=where)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_the_host_ends_with_its_parent() -> None:
    program = (
        "import os, canal_fast as cf\n"
        f"ch = cf.Channel.virtual({SATURATED!r}, bridge='always')\n"
        "print(ch.driver.host, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9
    assert gone(int(done.stdout), 20)


def test_what_a_driver_prints_is_not_the_programs_output(fakes: Path) -> None:
    path = build(Row("prints"), fakes)
    program = (
        "import canal_fast as cf\n"
        f"with cf.Channel({str(path)!r}, 'print=1', bridge='always') as ch:\n"
        "    print(len(ch.receive(400, min_frames=400, timeout=30)))\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "400\n"


def test_a_host_that_writes_over_the_rings_shape_does_no_harm_here() -> None:
    program = (
        "import contextlib, mmap, os, struct, time, canal_fast as cf\n"
        "from pathlib import Path\n"
        f"channel = cf.Channel.virtual({SATURATED!r}, bridge='always', ring_frames=1024)\n"
        "channel.receive(64, min_frames=64, timeout=30)\n"
        "os.kill(channel.driver.host, 19)\n"  # takes effect some time after the call
        "threads = list(Path(f'/proc/{channel.driver.host}/task').glob('*/stat'))\n"
        "while any(' T ' not in stat.read_text() for stat in threads):\n"
        "    time.sleep(0.001)\n"
        "links = [f'/proc/self/fd/{n}' for n in range(3, 100) if os.path.lexists(f'/proc/self/fd/{n}')]\n"
        "fd = os.open(next(p for p in links if 'memfd:canal_fast' in os.readlink(p)), os.O_RDWR)\n"
        "memory = mmap.mmap(fd, os.fstat(fd).st_size)\n"
        "calls, ring = struct.unpack_from('<QQ', memory, 24)\n"
        "for at in (calls, ring):\n"
        "    struct.pack_into('<IIQQ', memory, at, 1, 4096, 1 << 40, 1 << 50)\n"
        "struct.pack_into('<Q', memory, ring + 72, 1 << 60)\n"
        "frames = channel.receive(1 << 16, timeout=1)\n"
        "print(len(frames))\n"
        "os.kill(channel.driver.host, 9)\n"
        "with contextlib.suppress(cf.DriverError):\n"
        "    channel.close()\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "1024\n"), done.stderr


def descriptors() -> dict[int, str]:
    """What this process's descriptors are."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def test_no_second_process_gets_at_the_memory(saturated: cf.Channel) -> None:
    mine = [number for number, link in descriptors().items() if "memfd:canal_fast" in link]
    assert mine
    assert not [path for path in Path("/dev/shm").iterdir() if "canal" in path.name]
    listing = ["ls", "-l", "/proc/self/fd"]
    child = subprocess.run(listing, capture_output=True, text=True, close_fds=False, timeout=60)
    assert child.stdout
    assert "memfd" not in child.stdout
    nothing = subprocess.run([HOST, "3", "4", "5", str(os.getpid())], stdin=subprocess.DEVNULL, timeout=60)
    assert nothing.returncode == 3
    spare = os.dup(mine[0])
    second = subprocess.run([HOST, str(spare), "0", "1", str(os.getpid())], pass_fds=[spare], timeout=60)
    os.close(spare)
    assert second.returncode == 5
    assert subprocess.run([HOST], capture_output=True, timeout=60).returncode == 2
    assert len(saturated.receive(timeout=30))


def compile_host(target: Path, include_dir: Path, *flags: str) -> Path:
    command = [
        "gcc",
        "-std=c11",
        "-O0",
        *flags,
        f"-I{include_dir}",
        str(SOURCE),
        "-o",
        str(target),
        "-ldl",
        "-lpthread",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT RUN: gcc {' '.join(flags)}: {done.stderr[-100:]}")
    return target


def test_a_host_of_another_version_is_refused(
    include_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = compile_host(tmp_path / "canal_host", include_dir, "-DCF_HOST_PROTOCOL=99")
    monkeypatch.setattr(host, "host_program", lambda machine: other)
    with pytest.raises(cf.DriverError, match=f"version 99, this canal_fast needs version {_live.HOST_PROTOCOL}"):
        cf.Channel.virtual(bridge="always")
    monkeypatch.setattr(host, "host_program", lambda machine: tmp_path / "missing")
    with pytest.raises(cf.DriverError, match="missing could not be started: No such file"):
        cf.Channel.virtual(bridge="always")


@pytest.mark.skipif(sys.maxsize < 2**32, reason="NOT RUN: this Python is 32-bit")
def test_a_32_bit_library_in_64_bit_python(
    include_dir: Path, fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bridge="auto" takes the host of the library's bitness where there is one, and only then."""
    program = compile_host(tmp_path / "canal_host32", include_dir, "-m32")
    path = build(Row("by the book"), fakes, ("-m32",))
    with pytest.raises(cf.DriverError, match="32-bit x86"):
        cf.Channel(path, bridge="auto")
    monkeypatch.setattr(host, "host_program", lambda machine: program if "32-bit" in machine else HOST)
    with pytest.raises(cf.DriverError, match="32-bit x86"):
        cf.Channel(path, bridge="never")
    with cf.Channel(path, "frames=20000;bursts=1") as channel:
        frames = channel.receive(20000, min_frames=20000, timeout=30)
        assert (frames["data"] == expected(20000)["data"]).all()
        assert channel.driver.layout == 28
        channel.ledger().verify()
    with cf.Channel.virtual() as here:
        assert here.driver.host is None
