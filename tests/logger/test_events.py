"""What begins an event, and which frames are in its file."""

from __future__ import annotations

import ctypes
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from recorded import sums

import canal_fast as cf
from canal_fast.logger import Logger


def test_events_are_the_frames_of_their_windows(bus: str, tmp_path: Path) -> None:
    """A second recorder has everything."""
    source = f"virtual:{bus};500000;load=0.4;seed=3"
    with (
        cf.logs.Recorder(tmp_path / "all.pcapng") as everything,
        Logger(source, tmp_path / "event-{n}.pcapng", triggers=["id=7AB:7FF"], pre_s=0.08, post_s=0.05) as events,
        cf.Channel.virtual(bus) as tester,
    ):
        begin = time.monotonic()
        sent = 0
        while time.monotonic() - begin < 0.8:
            everything.write(events.step(0.01))
            if time.monotonic() - begin > 0.25 * (sent + 1) and sent < 2:
                tester.send(cf.make_frames(0x7AB))
                sent += 1
        events.stop()
        while not events.ended:
            everything.write(events.step())
    whole = cf.read_log(tmp_path / "all.pcapng")
    paths = sorted(tmp_path.glob("event-*"))
    assert len(paths) == events.events == 2
    triggers = whole["timestamp_ns"][whole["arbitration_id"] == 0x7AB]
    assert len(triggers) == 2
    for path, trigger in zip(paths, triggers, strict=True):
        got, times = cf.read_log(path), whole["timestamp_ns"]
        wanted = whole[(times >= trigger - 80_000_000) & (times <= trigger + 50_000_000)]
        assert np.array_equal(got, wanted)
        assert len(got) > 50
    total = sums(paths)[bus]
    assert total["usrdeliv"] == events.frames_written


def test_an_api_call_and_a_file_begin_events(bus: str, tmp_path: Path) -> None:
    flag = tmp_path / "now"
    path = tmp_path / "out"
    path.mkdir()
    rules = [f"file={flag}", "error"]
    with (
        Logger(
            [f"virtual:{bus}", f"virtual:{bus}x"], path / "{n}.pcapng", triggers=rules, pre_s=60, window_s=0
        ) as logger,
        cf.Channel.virtual(bus) as other,
    ):  # fmt: skip
        other.send(cf.make_frames([1, 2]))
        while logger.ledger.delivered < 2:
            logger.step()
        logger.step()
        flag.touch()
        while logger.events < 1 or logger.frames_written < 2:
            logger.step()
        assert not flag.exists()
        other.send(cf.make_frames([3]))
        while logger.ledger.delivered < 3:
            logger.step()
        logger.step()
        threading.Thread(target=logger.trigger).start()
        while logger.events < 2:
            logger.step()
    found = [cf.read_log(file)["arbitration_id"].tolist() for file in sorted(path.iterdir())]
    assert found == [[1, 2], [1, 2, 3]]


def test_a_trigger_before_the_first_frame_waits_for_it(bus: str, tmp_path: Path) -> None:
    """Frames stamped with another time than the host's: the event is at theirs, and others can follow."""
    offset = 500_000_000 * 10**9
    with (
        cf.Channel.virtual(bus) as other,
        Logger(
            f"virtual:{bus}", tmp_path / "{n}.pcapng", triggers=["id=7:7FF"], pre_s=1, post_s=0.001,
            wall=lambda: time.time() + offset / 1e9,
        ) as logger,
    ):  # fmt: skip
        logger.trigger()
        logger.step(0)
        assert logger.events == 0
        for number in (1, 7):
            other.send(cf.make_frames([number]))
            while logger.ledger.delivered < number // 7 + 1:
                logger.step()
            time.sleep(0.01)
            logger.step(0)
        assert logger.events == 2
    assert [len(cf.read_log(path)) for path in sorted(tmp_path.iterdir())] == [1, 2]


def test_an_event_ends_behind_what_is_held(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process stood still: one round brings the event's last frames and one that is far behind its end."""
    rounds = [[1], [], [2, 3, 20]]
    options = {"triggers": ["error"], "pre_s": 10, "post_s": 5, "window_s": 0.2}
    with Logger([f"virtual:{bus}a", f"virtual:{bus}b"], tmp_path / "{n}.pcapng", **options) as logger:

        def receive(most: int) -> cf.FrameArray:
            seconds = np.array(rounds.pop(0) if rounds else [], np.int64)
            return cf.make_frames(np.full(len(seconds), 1), timestamp_ns=seconds * 10**9)

        monkeypatch.setattr(logger.inputs[0], "receive", receive)
        logger.step(0)
        logger.trigger()
        while rounds or logger._held:
            logger.step(0)
            time.sleep(0.01)
        assert logger.events == 1
    (path,) = tmp_path.iterdir()
    assert (cf.read_log(path)["timestamp_ns"] // 10**9).tolist() == [1, 2, 3]


def test_bus_off_begins_an_event(canal: ctypes.CDLL, bus: str, tmp_path: Path) -> None:
    with (
        cf.Channel.virtual(f"{bus};errors=1;recovery=request") as node,
        cf.Channel.virtual(f"{bus};errors=1"),
        Logger(node, tmp_path / "{n}.pcapng", triggers=["bus-off"], pre_s=10, post_s=0.1) as logger,
    ):
        assert canal.CanalVirtualInject(bus.encode(), b"bus_off_attack 123") == 0
        logger.step(0)
        assert logger.events == 0
        node.send(cf.make_frames([0x123], b"12345678"))
        end = time.monotonic() + 20
        while (logger.events == 0 or logger.recorder.frames_written < 30) and time.monotonic() < end:
            logger.step()
        assert logger.events == 1
    frames = cf.read_log(tmp_path / "000001.pcapng")
    assert (frames["flags"] & np.uint16(cf.FrameFlag.ERROR_FRAME)).all()
    assert len(frames) >= 33  # also those on the way there
    assert frames["arbitration_id"][-1] & 0x40
