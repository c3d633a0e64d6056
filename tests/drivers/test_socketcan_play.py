"""Recordings played onto a CAN interface and recorded again. They need a kernel with CAN: tests/vm/run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from interfaces import interface, needs_can

import canal_fast as cf

pytestmark = [needs_can, pytest.mark.filterwarnings("ignore:.* carries CAN FD")]
MS = 10**6


def traffic(fd: bool) -> cf.FrameArray:
    number = np.arange(600, dtype="<u4")
    frames = cf.make_frames(number % 0x700, data=number.view(np.uint8).reshape(-1, 4), fd=fd)
    if fd:
        frames["flags"][np.arange(len(frames)) % 3 > 0] = 0  # one in three is CAN FD
    frames["flags"][::7] |= np.uint16(cf.FrameFlag.EXTENDED_ID)
    gaps = np.random.default_rng(2).integers(200_000, 2 * MS, len(frames))
    frames["timestamp_ns"] = 1_700_000_000 * 10**9 + np.cumsum(gaps)
    return frames


@pytest.mark.parametrize("fd", [False, True])
def test_played_and_recorded_again(fd: bool, tmp_path: Path) -> None:
    """The same frames in the same order, and distances within the lateness that is told and the reader's own."""
    sent = traffic(fd)
    path = tmp_path / "a.pcapng"
    cf.write_log(path, sent, interfaces={0: "bus"})
    with interface() as name, cf.Channel.socketcan(name, fd=True) as receiver:
        play = [sys.executable, "-P", "-m", "canal_fast", "play", str(path), "--source", f"socketcan:{name}", "--json"]
        done = subprocess.run(play, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        got = receiver.receive(1000, min_frames=len(sent), timeout=10)
        receiver.ledger().verify()
    told = json.loads(done.stdout)
    assert told["sent"] == {name: len(sent)}
    assert told["skipped"] == {}
    for field in ("arbitration_id", "dlc"):
        assert got[field].tolist() == sent[field].tolist()
    assert (got["data"][:, :8] == sent["data"][:, :8]).all()
    wire = np.uint16(cf.FrameFlag.EXTENDED_ID | cf.FrameFlag.FD)
    assert ((got["flags"] & wire) == (sent["flags"] & wire)).all()
    late = (got["timestamp_ns"] - sent["timestamp_ns"]) - (got["timestamp_ns"][0] - sent["timestamp_ns"][0])
    assert np.ptp(late) <= told["lateness"]["max_ns"] + 10 * MS


def test_frames_that_the_interface_cannot_carry(tmp_path: Path) -> None:
    """Refused with their number before the first one is sent; or left out and counted."""
    path = tmp_path / "a.pcapng"
    cf.write_log(path, traffic(True))
    with interface(mtu=16) as name, cf.Channel.socketcan(name) as receiver:
        channel = cf.Channel.socketcan(name)
        with channel, pytest.raises(cf.FrameError, match="200"):
            cf.play(path, channel)
        assert len(receiver.receive(10, min_frames=0, timeout=0.1)) == 0
        with cf.Channel.socketcan(name) as channel:
            result = cf.play(path, channel, skip=True, speed=0)
        assert result.skipped == {"fd": 200}
        assert len(receiver.receive(1000, min_frames=400, timeout=10)) == 400
