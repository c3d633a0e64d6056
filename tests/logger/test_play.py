"""Recordings onto virtual buses: what arrives, what is left out, what is refused. Exact times: test_schedule.py."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import itertools
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.drivers import _profiles
from canal_fast.logger import Player

numbers = itertools.count()
T0 = 1_700_000_000 * 10**9
MS = 10**6


def bus(keys: str = "") -> str:
    return f"play{next(numbers)};1000000;fifo=65536;{keys}"


def traffic(count: int, channel: int = 0, step_ns: int = MS, first: int = 0, fd: bool = False) -> cf.FrameArray:
    """Frames that differ: number in the payload."""
    number = np.arange(first, first + count)
    data = number.astype("<u4").view(np.uint8).reshape(count, 4)
    frames = cf.make_frames(number % 0x700, data=data, channel=channel, fd=fd)
    frames["timestamp_ns"] = T0 + step_ns * np.arange(count)
    return frames


def recording(path: Path, frames: cf.FrameArray, *names: str) -> Path:
    cf.write_log(path, frames, interfaces={number: name for number, name in enumerate(names or ("can0",))})
    return path


class Pair:
    """A channel to play to, and what arrives on its bus."""

    def __init__(self, keys: str = "", fd: bool = False) -> None:
        config = bus(keys)
        self.receiver = cf.Channel.virtual(config, fd=fd)
        self.channel = cf.Channel.virtual(config, fd=fd)

    def arrived(self, count: int) -> cf.FrameArray:
        """All that came, once the channel has sent everything; `count` of it are waited for."""
        got = self.receiver.receive(count + 1, min_frames=count, timeout=10)
        more = self.receiver.receive(100, min_frames=0, timeout=0)
        assert len(more) == 0
        return got

    def close(self) -> None:
        self.channel.close()
        self.receiver.close()


@pytest.fixture
def pairs() -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def make(*arguments: Any, **options: Any) -> Pair:
        made.append(Pair(*arguments, **options))
        return made[-1]

    yield make
    for pair in made:
        pair.close()


def same(got: cf.FrameArray, sent: cf.FrameArray) -> None:
    """Round trips compare identifier, dlc, payload and the wire's flags."""
    for name in ("arbitration_id", "dlc"):
        assert got[name].tolist() == sent[name].tolist()
    width = min(got["data"].shape[1], sent["data"].shape[1])
    assert (got["data"][:, :width] == sent["data"][:, :width]).all()
    wire = np.uint16(FrameFlag.EXTENDED_ID | FrameFlag.REMOTE | FrameFlag.FD | FrameFlag.BITRATE_SWITCH)
    assert ((got["flags"] & wire) == (sent["flags"] & wire)).all()


def test_played_and_recorded_again(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    """The same frames in the same order; distances differ by no more than the lateness that is told, and the time of
    the few frames of 0.1 ms that may be on the bus before."""
    sent = traffic(400)
    sent["timestamp_ns"] = T0 + np.cumsum(np.random.default_rng(1).integers(200_000, 2 * MS, 400))
    sent["flags"][::7] |= np.uint16(FrameFlag.EXTENDED_ID)
    path = recording(tmp_path / "a.pcapng", sent)
    pair = pairs()
    result = cf.play(path, pair.channel)
    again = tmp_path / "again.pcapng"
    with cf.logs.Recorder(again) as recorder:
        recorder.write(pair.arrived(400))
    got = cf.read_log(again)
    same(got, sent)
    assert result.sent == {"0": 400}
    assert (result.frames, result.skipped, result.stopped) == (400, {}, False)
    late = result.lateness
    assert late.frames == sum(late.histogram.values()) == 400
    assert late.at_most(0) <= late.at_most(0.5) <= late.at_most(1) == late.max_ns
    moved = np.diff(got["timestamp_ns"] - got["timestamp_ns"][0] - (sent["timestamp_ns"] - sent["timestamp_ns"][0]))
    assert np.abs(np.cumsum(moved)).max() <= late.max_ns + 10 * MS
    assert result.duration_s >= (sent["timestamp_ns"][-1] - sent["timestamp_ns"][0]) / 1e9


@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_several_channels_of_one_recording(suffix: str, tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    both = np.concatenate([traffic(50), traffic(50, 1, first=1000)])
    both = both[np.argsort(both["timestamp_ns"], kind="stable")]
    path = recording(tmp_path / f"two{suffix}", both, "engine", "body")
    one, two = pairs(), pairs()
    result = cf.play(path, [one.channel, two.channel], speed=20)
    assert result.sent == {"0": 50, "1": 50}
    same(one.arrived(50), traffic(50))
    same(two.arrived(50), traffic(50, first=1000))
    result = cf.play(path, {"body": one.channel, "engine": two.channel}, speed=20)  # by name
    same(one.arrived(50), traffic(50, first=1000))
    same(two.arrived(50), traffic(50))
    result = cf.play(path, {"x": one.channel}, channel_map={"body": "x"}, speed=20)
    same(one.arrived(50), traffic(50, first=1000))
    assert result.skipped == {"unmapped": 50}
    cf.play(path, one.channel, channel_map={"body": 0, "0": 0}, speed=20)  # both on one bus
    same(one.arrived(100), both)


def test_play_takes_what_a_player_takes() -> None:
    assert inspect.signature(cf.play).parameters == inspect.signature(Player).parameters


def test_what_is_no_frame_to_send_is_left_out_and_counted(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    frames = traffic(20)
    frames["flags"][3] = FrameFlag.ERROR_FRAME
    frames["flags"][4:6] = FrameFlag.STATUS
    frames["flags"][7:10] = FrameFlag.TX
    frames["flags"][11] = FrameFlag.GAP
    path = recording(tmp_path / "a.pcapng", frames)
    pair = pairs()
    result = cf.play(path, pair.channel, speed=0)
    assert result.skipped == {"status": 2, "error_frame": 1}
    assert result.lateness.frames == 0
    same(pair.arrived(17), np.delete(traffic(20), [3, 4, 5]))
    result = cf.play(path, pair.channel, speed=0, tx=False, filters=[{"can_id": 0, "can_mask": 1}])
    assert result.skipped == {"status": 2, "error_frame": 1, "filtered": 8, "tx": 1}
    same(pair.arrived(8), traffic(20)[[0, 2, 6, 10, 12, 14, 16, 18]])


def test_a_part_of_it(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(20))
    pair = pairs()
    result = cf.play(path, pair.channel, start=0.005, stop=0.012, speed=0)
    assert result.skipped == {"cut": 13}
    same(pair.arrived(7), traffic(20)[5:12])
    begin = dt.datetime.fromtimestamp(T0 / 1e9, dt.UTC)
    cf.play(path, pair.channel, start=begin + dt.timedelta(milliseconds=15), speed=0)
    same(pair.arrived(5), traffic(20)[15:])
    cf.play(path, pair.channel, stop=(begin + dt.timedelta(milliseconds=2)).replace(tzinfo=None), speed=0)
    same(pair.arrived(2), traffic(20)[:2])


def test_several_recordings_in_step(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    """They begin together, or an hour apart as they did; gap_max_s makes that short."""
    early, late = traffic(10, step_ns=2 * MS), traffic(10, step_ns=2 * MS, first=500)
    late["timestamp_ns"] += 3600 * 10**9 + MS
    paths = [recording(tmp_path / "early.pcapng", early), recording(tmp_path / "late.pcapng", late)]
    pair = pairs()
    cf.play(paths, pair.channel)
    order = [number for i in range(10) for number in (i, 500 + i)]
    assert pair.arrived(20)["data"][:, :4].copy().view("<u4").ravel().tolist() == order
    result = cf.play(paths, pair.channel, align="clock", gap_max_s=0.01)
    assert result.gaps == 1
    same(pair.arrived(20), np.concatenate([early, late]))
    two = pairs()
    names = {f"{paths[0]}:can0": "a", f"{paths[1]}:can0": "b"}
    cf.play(paths, {"a": pair.channel, "b": two.channel}, channel_map=names, speed=0)
    same(pair.arrived(10), early)
    same(two.arrived(10), late)


def test_loops(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(10))
    pair = pairs()
    result = cf.play(path, pair.channel, loops=3, speed=5)
    assert result.frames == 30
    assert result.duration_s >= 0.029 / 5
    same(pair.arrived(30), np.concatenate([traffic(10)] * 3))


def test_streams_are_kept(pairs: Callable[..., Pair]) -> None:
    text = b"".join(b"(%d.%06d) can0 123#%02x\n" % (1_700_000_000, 1000 * i, i) for i in range(10))
    pair = pairs()
    assert cf.play(io.BytesIO(text), pair.channel, loops=2, speed=10).frames == 20
    assert pair.arrived(20)["data"][:, 0].tolist() == list(range(10)) * 2


def test_more_frames_than_queues_hold(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    """The bus is slower than the recording: all of them are late, none is lost."""
    frames = traffic(70_000, step_ns=1000)
    path = recording(tmp_path / "a.pcapng", frames)
    with cf.Channel.virtual(bus(), receive_own_messages=True) as channel:
        player = Player(path, channel, speed=0)
        thread = threading.Thread(target=player.run)
        thread.start()
        time.sleep(0.3)
        player.stop()
        thread.join(10)
        assert not thread.is_alive()
        result = player.result()
        channel.drain(5)
        channel.stop()
        got = np.concatenate(list(channel.batches(100_000)) or [frames[:0]])
    assert result.stopped
    assert 0 < result.frames < 70_000
    same(got, frames[: result.frames])


@pytest.mark.parametrize("speed", [0, 1])
def test_a_driver_without_room_is_waited_for(speed: int, tmp_path: Path) -> None:
    """Two frames fit into its queue, and the bus takes 4 ms for each: longer than one call waits."""
    path = recording(tmp_path / "a.pcapng", traffic(60, step_ns=1000))
    with cf.Channel.virtual(f"play{next(numbers)};20000;txqueue=2", receive_own_messages=True) as channel:
        result = cf.play(path, channel, speed=speed)
        same(channel.receive(60, min_frames=60, timeout=10), traffic(60))
        assert result.frames == 60
        assert result.lateness.max_ns >= 100 * MS * speed
        assert channel.ledger().send_rejected == 0


@pytest.mark.parametrize("bridge", ["never", "always"])
def test_in_this_process_and_in_a_host(bridge: Any, tmp_path: Path) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(300))
    with cf.Channel.virtual(bus(), receive_own_messages=True, bridge=bridge) as channel:
        result = cf.play(path, channel, speed=10)
        assert (result.frames, result.lateness.frames) == (300, 300)
        same(channel.receive(300, min_frames=300, timeout=10), traffic(300))
        assert channel.ledger().sent == 300


def test_frames_that_the_bus_cannot_carry(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    frames = traffic(10, fd=True)
    frames["flags"] = 0
    frames["flags"][[2, 5]] = FrameFlag.FD
    path = recording(tmp_path / "fd.pcapng", frames)
    pair = pairs()
    with pytest.raises(cf.FrameError, match="cannot carry 2 CAN FD frames on a classical bus; the first is record 2 "):
        cf.play(path, pair.channel)
    assert pair.channel.ledger().sent == 0
    result = cf.play(path, pair.channel, skip=True, speed=0)
    assert result.skipped == {"fd": 2}
    same(pair.arrived(8), np.delete(frames, [2, 5]))
    flexible = pairs(fd=True)
    assert cf.play(path, flexible.channel, speed=0).skipped == {}
    same(flexible.arrived(10), frames)


def test_a_driver_that_cannot_send_remote_frames(tmp_path: Path) -> None:
    frames = traffic(5)
    frames["flags"][1] = FrameFlag.REMOTE
    frames["data"][1] = 0
    path = recording(tmp_path / "a.pcapng", frames)
    names = [row["name"] for row in _profiles.profiles() if row["no_remote"]]
    with cf.Channel.virtual(bus(), profile=names[0]) as channel:
        with pytest.raises(
            cf.FrameError, match="1 remote frames, which the driver cannot send; the first is record 1 "
        ):
            cf.play(path, channel)
        assert cf.play(path, channel, skip=True, speed=0).skipped == {"remote": 1}


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"speed": -1}, ValueError, "speed = -1, allowed 0..1000000"),
        ({"speed": float("nan")}, ValueError, "speed = nan, allowed 0..1000000"),
        ({"speed": "fast"}, TypeError, "speed must be a number, not str"),
        ({"gap_max_s": -0.1}, ValueError, "gap_max_s = -0.1, allowed 0..1000000000"),
        ({"loops": -1}, ValueError, "loops = -1, allowed 0..2147483648"),
        ({"loops": 1.5}, TypeError, "loops must be a whole number, not 1.5"),
        ({"align": "end"}, ValueError, "align = 'end', allowed 'start', 'clock'"),
        ({"channel_map": {"can0": "nowhere"}}, ValueError, "map: can0 goes to 'nowhere', which is no source"),
        ({"channel_map": {"can0": 1}}, ValueError, "map: can0 goes to 1, which is no source; there are 0"),
        ({"channel_map": {"can1": 0}}, ValueError, "map: 'can1' is no channel of the recordings, which have can0"),
        ({"channel_map": {}}, ValueError, "more sources than channels: nothing would go to 0; the rec"),
        ({"channel_map": ["can0"]}, TypeError, "channel_map must be a mapping, not list"),
        ({"start": -1}, ValueError, "start = -1 s, allowed 0..1e9 s after the first frame, or a datetime"),
        ({"start": "noon"}, TypeError, "start must be a number of seconds or a datetime, not str"),
        ({"start": 2, "stop": 1}, ValueError, "start = 2 is not before stop = 1"),
        ({"start": 5}, ValueError, "nothing to play: 10 before the start or after the stop"),
        ({"filters": [{"can_id": 0x7FF, "can_mask": 0x7FF}]}, ValueError, "nothing to play: 10 filtered"),
        ({"filters": [{"id": 1}]}, ValueError, "filters[0] has ['id']; known are can_id, can_mask, extended"),
    ],
)  # fmt: skip
def test_mistakes(
    options: dict[str, Any], kind: type[Exception], words: str, tmp_path: Path, pairs: Callable[..., Pair]
) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(10))
    pair = pairs()
    with pytest.raises(kind, match=re.escape(words)):
        cf.play(path, pair.channel, **options)
    assert pair.channel.ledger().sent == 0


def test_mistakes_with_channels_and_files(tmp_path: Path, pairs: Callable[..., Pair]) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(10))
    frames = traffic(10)
    frames["channel"][5:] = 1
    two = recording(tmp_path / "two.pcapng", frames, "engine", "body")
    still = traffic(10)
    still["timestamp_ns"] = 0
    timeless = recording(tmp_path / "timeless.log", still)
    empty = recording(tmp_path / "empty.pcapng", traffic(1)[:0])
    undated = traffic(10)
    undated["timestamp_ns"] -= T0
    dateless = recording(tmp_path / "dateless.log", undated)
    one, other = pairs(), pairs()
    closed = cf.Channel.virtual(bus())
    closed.close()
    cases: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
        (
            path,
            [one.channel, other.channel],
            {},
            ValueError,
            "more sources than channels: the recordings have 1 (can0)",
        ),
        (
            two,
            one.channel,
            {},
            ValueError,
            "fewer sources than channels: the recordings have 2 (engine, body), and the",
        ),
        (path, [one.channel, one.channel], {}, ValueError, "channels 0, 1 are one and the same channel"),
        (path, [], {}, ValueError, "0 channels, allowed 1..255"),
        (path, ["virtual"], {}, TypeError, "channels['0'] must be a Channel, not str"),
        (path, "virtual:b", {}, TypeError, "channels must be a Channel, a sequence or a mapping of them, not str"),
        (path, closed, {}, cf.ChannelClosedError, "the channel is closed"),
        ([], one.channel, {}, ValueError, "paths is empty: there is nothing to play"),
        (5, one.channel, {}, TypeError, "paths must be a recording or a sequence of them, not int"),
        (timeless, one.channel, {}, ValueError, "timeless.log has no times: all of its records are of 0 s; speed=0 pl"),
        (empty, one.channel, {}, ValueError, "nothing to play: there is no frame in "),
        ([path, dateless], one.channel, {"align": "clock"}, ValueError, "dateless.log has no date, its times begin at"),
        (tmp_path / "none.log", one.channel, {}, FileNotFoundError, "No such file"),
    ]
    for paths, channels, options, kind, words in cases:
        with pytest.raises(kind, match=re.escape(words)):
            cf.play(paths, channels, **options)
    assert one.channel.ledger().sent == 0
    assert cf.play(timeless, one.channel, speed=0).frames == 10


def test_a_driver_that_fails_ends_it(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(10_000))
    with cf.Channel.virtual(bus(), listen_only=True) as channel:
        player = Player(path, channel)
        with pytest.raises(cf.DriverError):
            player.run()
        assert player.result().frames == 0
        assert player.result().stopped
        with pytest.raises(ValueError, match="a player runs once"):
            player.run()


def test_closing_the_channel_ends_it(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.pcapng", traffic(100_000))
    channel = cf.Channel.virtual(bus())
    player = Player(path, channel)
    threading.Timer(0.2, channel.close).start()
    with pytest.raises(cf.ChannelClosedError):
        player.run()
    assert player.result().stopped


def test_ctrl_c(tmp_path: Path) -> None:
    """Nothing is sent after KeyboardInterrupt has come out."""
    path = recording(tmp_path / "a.pcapng", traffic(100_000))
    with cf.Channel.virtual(bus()) as channel:

        def interrupt() -> None:
            while channel.ledger().sent == 0:
                time.sleep(0.01)
            signal.raise_signal(signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            cf.play(path, channel)
        sent = channel.ledger().sent
        assert 0 < sent < 100_000
        time.sleep(0.05)
        assert channel.ledger().sent == sent
