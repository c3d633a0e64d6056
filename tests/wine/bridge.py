"""`python bridge.py FAKES`: a 32-bit usb2can.dll in 64-bit Windows Python. FAKES is what fakes.py built.

A million frames in order, with the GIL held for 2 s at a time; hosts killed at random moments; latency, printed.
"""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from fake_table import expected

import canal_fast as cf

COUNT = 1_000_000
FIELDS = ["arbitration_id", "flags", "dlc", "data"]
SATURATED = "bus;1000000;load=1;seed=3"
DLL = Path(sys.argv[1]) / "32" / "plain" / "usb2can.dll"


def a_million(hold_gil: bool) -> None:
    with cf.Channel(DLL, f"frames={COUNT};bursts=1", ring_full="wait") as channel:
        assert channel.driver.host not in (None, os.getpid())
        assert channel.driver.layout == 28
        ended = threading.Event()

        def hold() -> None:
            while not ended.wait(0.2):
                ctypes.PyDLL("kernel32").Sleep(2000)

        thread = threading.Thread(target=hold)
        if hold_gil:
            thread.start()
        got, begun = 0, time.perf_counter()
        while got < COUNT:
            frames = channel.receive(65536, timeout=60)
            assert len(frames), f"nothing came after {got} frames"
            want = expected(len(frames), got)
            assert (frames[FIELDS] == want[FIELDS]).all(), f"a frame lost, doubled or out of order after {got}"
            got += len(frames)
        took = time.perf_counter() - begun
        ended.set()
        if hold_gil:
            thread.join()
        ledger = channel.ledger()
        ledger.verify()
        assert (ledger.received, ledger.dropped, ledger.delivered) == (COUNT, 0, COUNT)
        held = "GIL held 2 s at a time" if hold_gil else "GIL free"
        print(f"{COUNT} frames through the 32-bit host, {held}: in order, none lost or doubled, {took:.1f} s")


def latency(where: str) -> None:
    """From a frame's time stamp to receive's return, at 1000 frames/s."""
    late = []
    with cf.Channel.virtual("lag;1000000;rate=1000", bridge=where, coalesce_ms=0.1) as channel:
        offset = time.time_ns() - time.perf_counter_ns()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            frames = channel.receive(64, timeout=1)
            late.append(time.perf_counter_ns() + offset - frames["timestamp_ns"])
    p50, p99 = np.percentile(np.concatenate(late) / 1e3, [50, 99])
    print(f"latency beneath Wine, bridge={where!r}: p50 {p50:.0f} us, p99 {p99:.0f} us")


def kills() -> None:
    chance = random.Random(1)
    for _ in range(20):
        with cf.Channel.virtual(SATURATED, bridge="always") as channel:
            got = [channel.receive(chance.randrange(1, 50), timeout=30)]
            time.sleep(chance.uniform(0, 0.1))
            before = channel.ledger()
            os.kill(channel.driver.host or 0, 9)
            begun, said = time.monotonic(), "nothing"
            while time.monotonic() - begun < 30:
                try:
                    got.append(channel.receive(timeout=30))
                except cf.DriverError as error:
                    said = str(error)
                    break
            took = time.monotonic() - begun
            assert "host process ended" in said, said
            ledger = channel.ledger()
            ledger.verify()
            numbers = np.concatenate(got)["data"][:, :4].copy().view("<u4")[:, 0]
            assert ledger.received >= before.received
            assert (numbers == np.arange(ledger.received)).all() or before.driver_overruns
            assert took < 20, took
    print(f"20 hosts ended at random moments: every published frame, then the error, the last after {took:.2f} s")


def parent() -> None:
    program = (
        "import os, canal_fast as cf\n"
        f"ch = cf.Channel.virtual({SATURATED!r}, bridge='always')\n"
        "print(ch.driver.host, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True, timeout=60)
    process = ctypes.windll.kernel32.OpenProcess(0x100000, False, int(done.stdout))  # to wait for it
    ended = not process or ctypes.windll.kernel32.WaitForSingleObject(process, 20_000) == 0
    assert ended
    print("the host ended with its parent")


def crash() -> None:
    with cf.Channel(DLL, "frames=1000;bursts=2;pause=300;crash=700") as channel:
        got = 0
        try:
            for _ in range(100):
                got += len(channel.receive(timeout=10))
        except cf.DriverError as error:
            assert 500 <= got <= 700, got
            print(f"a DLL that crashes: {got} frames, then: {error}")
            return
    raise AssertionError("no error")


if __name__ == "__main__":
    assert sys.maxsize > 2**32, "this is for 64-bit Python"
    try:
        cf.Channel(DLL, bridge="never")
    except cf.DriverError as error:
        print(f"without a host: {error}")
    a_million(False)
    a_million(True)
    crash()
    kills()
    parent()
    for place in ("never", "always"):
        latency(place)
