"""Ends, waits and errors that go otherwise than planned."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import select
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from c_programs import build_c
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.drivers.library import VIRTUAL
from canal_fast.live import _live
from canal_fast.live.host import host_program
from canal_fast.status import Status

fakes = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")


@fakes
def test_a_slow_driver_that_never_empties_is_not_taken_for_hanging(tmp_path: Path) -> None:
    channel = cf.Channel(build(Row("slow"), tmp_path), "slow=100;frames=100000000;bursts=1")
    channel.receive(min_frames=0, timeout=0.1)
    channel.close()  # raises DriverError of a driver that hangs
    channel.ledger().verify()


@fakes
def test_the_descriptor_tells_of_a_channel_whose_driver_hangs(tmp_path: Path) -> None:
    channel = cf.Channel(build(Row("hangs"), tmp_path), "hang=5;frames=100;bursts=1")
    descriptor = channel.fileno()
    channel.stop()
    assert select.select([descriptor], [], [], 0)[0]
    assert len(channel.receive(timeout=0)) == 5
    assert select.select([descriptor], [], [], 0)[0]  # for ever
    with pytest.raises(cf.ChannelClosedError):
        channel.receive(timeout=0)
    with pytest.raises(cf.DriverError, match="hangs in CanalReceive"):
        channel.close()


@pytest.mark.slow
@fakes
def test_at_exit_a_close_that_fails_keeps_no_other_channel_open(tmp_path: Path) -> None:
    program = (
        "import atexit, sys, canal_fast as cf\n"
        "from canal_fast.live import opening\n"
        "bad = [cf.Channel(path, 'hang=0;frames=100;bursts=1') for path in sys.argv[1:]]\n"
        "good = cf.Channel.virtual()\n"
        "atexit.unregister(cf._close_channels)\n"
        "atexit.register(lambda: print(len(opening.open_channels)))\n"
        "atexit.register(opening.close_all)\n"
    )
    paths = [str(build(Row(name), tmp_path)) for name in ("one", "two")]
    done = subprocess.run([sys.executable, "-P", "-c", program, *paths], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0"
    assert "hangs in CanalReceive" in done.stderr


def test_a_poll_does_not_make_the_reader_forget_who_sleeps(tmp_path: Path) -> None:
    program = build_c("sleeper_and_poll", tmp_path)
    done = subprocess.run([program, str(VIRTUAL)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ring_too_large_for_memory_is_refused() -> None:
    for program in (None, os.fsencode(host_program(None))):
        status, _, port = _live.Port.make(program, 1 << 61, False)
        assert port is None
        assert status == Status.NO_MEMORY


@pytest.mark.unsanitized
@pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: memory is limited on Linux only")
def test_no_memory_for_the_ring_is_not_blamed_on_the_driver() -> None:
    program = (
        "import resource, canal_fast as cf\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "try:\n"
        "    cf.Channel.virtual(ring_frames=1 << 30)\n"
        "except MemoryError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert "ring_frames" in done.stdout, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="NOT RUN: no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_refused_send_gives_the_array_back() -> None:
    with cf.Channel.virtual("refused") as channel:
        frames = cf.make_frames(1)
        child = os.fork()
        if child == 0:
            before = sys.getrefcount(frames)
            with contextlib.suppress(cf.ChannelClosedError):
                channel.send(frames)
            os._exit(sys.getrefcount(frames) - before)
        assert os.waitpid(child, 0)[1] == 0


def test_a_port_that_was_not_made_refuses() -> None:
    program = (
        "from canal_fast.live import _live\n"
        "try:\n    _live.Port().snapshot()\nexcept TypeError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n"


DRIVER = """
#include <string.h>
int blocking_sends;
long CanalOpen(const char *config, unsigned long flags) { return 5; }
int CanalClose(long handle) { return 0; }
int CanalSend(long handle, const void *message) { return 21; }
int CanalReceive(long handle, void *message) { if (OTHER) memset(message, 0, 200); return OTHER ? 0 : 8; }
int CanalBlockingReceive(long handle, void *message, unsigned long timeout) { return 8; }
int CanalBlockingSend(long handle, const void *message, unsigned long timeout) { blocking_sends++; return 21; }
"""


def compiled(path: Path, other: int) -> Path:
    path.with_suffix(".c").write_text(DRIVER)
    flags = ["-w", "-shared", "-fPIC", f"-DOTHER={other}"]
    subprocess.run(["gcc", *flags, str(path.with_suffix(".c")), "-o", str(path)], check=True)
    return path


@fakes
def test_blocking_calls_wait_for_the_open_flag_that_allows_them(tmp_path: Path) -> None:
    path = compiled(tmp_path / "canusbdrv.so", 0)
    count = ctypes.c_int.in_dll(ctypes.CDLL(str(path)), "blocking_sends")
    for flags in (0, 4):
        with cf.Channel(path, flags=flags) as channel:
            assert channel.send(cf.make_frames(1), timeout=0.02) == 0
        assert bool(count.value) == bool(flags)


@fakes
def test_a_message_of_no_known_layout_is_called_that(tmp_path: Path) -> None:
    with (
        cf.Channel(compiled(tmp_path / "other.so", 1)) as channel,
        pytest.raises(cf.DriverError, match="none of the known"),
    ):
        channel.receive(timeout=5)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT RUN: no descriptors to wait on")
def test_after_abatches_the_descriptor_tells_of_single_frames_again() -> None:
    async def one_batch(channel: cf.Channel) -> None:
        async for _ in channel.abatches(timeout=0.02):
            break

    with cf.Channel.virtual("again") as channel, cf.Channel.virtual("again") as sender:
        descriptor = channel.fileno()
        asyncio.run(one_batch(channel))
        sender.send(cf.make_frames(1))
        assert select.select([descriptor], [], [], 5)[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="NOT RUN: no named pipes")
def test_statistics_that_are_refused_leave_a_pipe_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pcapng"
    os.mkfifo(path)
    reader = threading.Thread(target=path.read_bytes)
    reader.start()
    with cf.logs.Recorder(path) as recorder:
        recorder.write(cf.make_frames(1))
        with pytest.raises(OverflowError):
            recorder.write_statistics({"received": 1, "filtered": 2, "dropped": 0, "driver_overruns": None})
        recorder.write(cf.make_frames(1))
        assert recorder.frames_written == 2
    reader.join()


def test_log_counts_what_the_driver_lost_until_the_last_frame(tmp_path: Path) -> None:
    command = ["log", "--library", "virtual", "--config", "overrun;1000000;load=1;fifo=1"]
    assert main([*command, "--frames", "50", "-o", str(tmp_path / "few.pcapng")]) == 3


@fakes
def test_log_ends_with_statistics_when_the_driver_failed(tmp_path: Path) -> None:
    driver = build(Row("fails"), tmp_path)
    path = tmp_path / "failed.pcapng"
    assert main(["log", "--library", str(driver), "--config", "fail=35;frames=50;bursts=1", "-o", str(path)]) == 1
    assert len(cf.read_log(path)) == 50
    blob, at, kind = path.read_bytes(), 0, 0
    while at < len(blob):
        kind, length = struct.unpack_from("=II", blob, at)
        at += length
    assert kind == 5  # an Interface Statistics Block


SLOW_OPEN = """
#include <unistd.h>
int opens, closes;
long CanalOpen(const char *config, unsigned long flags) { if (opens) usleep(2600000); return ++opens; }
int CanalClose(long handle) { closes++; return 0; }
int CanalSend(long handle, const void *message) { return 0; }
int CanalReceive(long handle, void *message) { return 35; }
"""


@pytest.mark.slow
@fakes
def test_what_opens_after_its_channel_was_given_up_is_closed(tmp_path: Path) -> None:
    source, path = tmp_path / "slow_open.c", tmp_path / "slow_open.so"
    source.write_text(SLOW_OPEN)
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", str(source), "-o", str(path)], check=True)
    library = ctypes.CDLL(str(path))
    opens, closes = (ctypes.c_int.in_dll(library, name) for name in ("opens", "closes"))
    channel = cf.Channel(path, reconnect=0.01)
    while closes.value == 0:  # until the failure is seen
        time.sleep(0.01)
    time.sleep(0.1)  # the second CanalOpen goes on
    with pytest.raises(cf.DriverError, match="hangs"):
        channel.close()
    end = time.monotonic() + 10
    while closes.value < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert opens.value == closes.value == 2


SLOW_SEND = """
#include <unistd.h>
int inside, go;
long CanalOpen(const char *config, unsigned long flags) { return 5; }
int CanalClose(long handle) { return 0; }
int CanalSend(long handle, const void *message) { inside = 1; while (!*(volatile int *)&go) usleep(1000); return 0; }
int CanalReceive(long handle, void *message) { return 8; }
"""

DROP_A_TASK = """
import ctypes, sys, threading, time
import canal_fast as cf
library = ctypes.CDLL(sys.argv[1])
inside, go = (ctypes.c_int.in_dll(library, name) for name in ("inside", "go"))
def let_go():
    time.sleep(0.3)
    go.value = 1
with cf.Channel(sys.argv[1]) as channel:
    go.value = 1
    stopped = channel.send_periodic(cf.make_frames(1), 1.0)
    stopped.stop()
    inside.value = go.value = 0
    channel.send_periodic(cf.make_frames(1), 0.01)
    while not inside.value:
        time.sleep(0.01)
    threading.Thread(target=let_go).start()
    del stopped
"""


@fakes
def test_dropping_a_task_leaves_the_interpreter_to_others(tmp_path: Path) -> None:
    source, path = tmp_path / "slow_send.c", tmp_path / "slow_send.so"
    source.write_text(SLOW_SEND)
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", str(source), "-o", str(path)], check=True)
    command = [sys.executable, "-P", "-c", DROP_A_TASK, str(path)]
    assert subprocess.run(command, timeout=20).returncode == 0  # holding the GIL it would wait for ever


@pytest.mark.posix
@pytest.mark.unsanitized  # its processes take longer to begin than the close
def test_a_close_that_was_interrupted_may_be_repeated() -> None:
    """The second one comes while the first goes on; the ring is gone by then."""
    program = (
        "import canal_fast as cf, os, signal, threading, time\n"
        "ch = cf.Channel('virtual', 'bus;load=0.5', profile='generic', bridge='never', coalesce_ms=1000)\n"
        "time.sleep(0.1)\n"  # so that the reader has begun its wait of a second
        "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    ch.close()\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
        "ch.close()\n"
        "ch.ledger().verify()\n"
        "print('closed')\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "interrupted\nclosed\n"), done.stderr


@pytest.mark.posix
@pytest.mark.parametrize(
    ("call", "keys"), [("ch.stop()", "load=0.5"), ("ch.drain(5)", "1000;load=1"), ("ch.close()", "1000;load=1")]
)
def test_ctrl_c_is_keyboard_interrupt(call: str, keys: str) -> None:
    """Also from a handler that takes its time, so that the call has come back meanwhile. On a busy bus the reader
    sleeps for a second at a time, which stopping waits for."""
    program = (
        "import canal_fast as cf, os, signal, threading, time\n"
        "def handler(number, frame):\n    time.sleep(1.2)\n    raise KeyboardInterrupt\n"
        "signal.signal(signal.SIGINT, handler)\n"
        f"ch = cf.Channel('virtual', 'bus;{keys}', profile='generic', bridge='never', coalesce_ms=1000)\n"
        "ch.send(cf.make_frames([1] * 40, b'12345678'))\n"
        "time.sleep(0.1)\n"  # so that the reader has begun its wait of a second
        "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        f"try:\n    {call}\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
        "ch.close()\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
