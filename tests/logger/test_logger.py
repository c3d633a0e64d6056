"""Several buses into one recording."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from c_programs import build_c
from recorded import statistics, sums

import canal_fast as cf
from canal_fast.live.ledger import NOTHING
from canal_fast.live.sources import parse_source
from canal_fast.logger import Logger


@pytest.fixture
def failing(tmp_path: Path) -> str:
    """A source that fails after 20 frames, for ever, or as often as behind the semicolon."""
    return f"library={build_c('unplugged_driver', tmp_path)};20;0,name=adapter,profile=virtual"


def of_ledger(ledger: cf.Ledger) -> dict[str, int]:
    """The same of a ledger."""
    lost = ledger.driver_overruns or 0
    return {
        "ifrecv": ledger.received + lost,
        "ifdrop": lost,
        "filteraccept": ledger.received - ledger.filtered,
        "osdrop": ledger.dropped,
        "usrdeliv": ledger.delivered,
    }


def run_for(logger: Logger, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        logger.step()
    logger.stop()
    logger.run()


def test_two_buses_in_one_recording(bus: str, tmp_path: Path) -> None:
    sources = [f"virtual:{bus}a;1000000;load=0.3;seed=1,name=drive", f"virtual:{bus}b;250000;load=0.3;seed=2,name=body"]
    with Logger(sources, tmp_path / "x.pcapng", window_s=0.1) as logger:
        run_for(logger, 0.4)
    (path,) = tmp_path.iterdir()
    frames = cf.read_log(path, strict=True)
    ledgers = logger.ledgers
    assert np.bincount(frames["channel"]).tolist() == [ledger.delivered for ledger in ledgers.values() if ledger]
    assert min(np.bincount(frames["channel"])) > 50
    assert sums([path]) == {name: of_ledger(ledger) for name, ledger in ledgers.items() if ledger}
    with cf.logs.open_log(path) as log:
        log.read()
        assert [(row.name, row.bitrate) for row in log.interfaces] == [("drive", 1_000_000), ("body", 250_000)]
    if not any(logger.late.values()):
        assert (np.diff(frames["timestamp_ns"]) >= 0).all()
    assert logger.account.written == logger.frames_written == len(frames) == logger.ledger.delivered
    for channel in range(2):
        own = frames[frames["channel"] == channel]
        numbers = np.ascontiguousarray(own["data"][:, :4]).view("<u4")[:, 0]
        assert (np.diff(numbers.astype(np.int64)) == 1).all()


def test_rotated_files_add_up_to_the_ledgers(bus: str, tmp_path: Path) -> None:
    sources = [f"virtual:{bus}{i};1000000;load=0.5;seed={i}" for i in range(3)]
    with Logger(sources, tmp_path / "x-{n}.pcapng", window_s=0.05, rotate_bytes=20_000) as logger:
        run_for(logger, 0.4)
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == logger.recorder.files > 5
    assert max(path.stat().st_size for path in paths) < 25_000
    assert sums(paths) == {name: of_ledger(ledger) for name, ledger in logger.ledgers.items() if ledger}
    frames = np.concatenate([cf.read_log(path, strict=True) for path in paths])
    assert len(frames) == logger.ledger.delivered


def test_channels_that_are_open_stay_the_callers(bus: str, tmp_path: Path) -> None:
    with cf.Channel.virtual(f"{bus}a") as one, cf.Channel.virtual(f"{bus}b", fd=True) as two:
        with cf.Channel.virtual(f"{bus}a") as other, Logger([one, two], tmp_path / "x.pcapng", window_s=0) as logger:
            other.send(cf.make_frames([1, 2, 3]))
            while logger.frames_written < 3:
                logger.step()
        assert one.ledger().delivered == 3  # not closed yet
        one.status()
    frames = cf.read_log(tmp_path / "x.pcapng")
    assert frames["channel"].tolist() == [0, 0, 0]


def test_more_than_a_step_may_write_waits_for_the_next(bus: str, tmp_path: Path) -> None:
    """None of several sources' frames goes, however few at once are written."""
    with (
        cf.Channel.virtual(f"{bus}a") as one, cf.Channel.virtual(f"{bus}b") as two,
        Logger([f"virtual:{bus}a", f"virtual:{bus}b"], tmp_path / "x.pcapng", window_s=0) as logger,
    ):  # fmt: skip
        one.send(cf.make_frames([1, 2, 3]))
        two.send(cf.make_frames([4, 5]))
        while logger.ledger.received < 5:
            time.sleep(0.001)
        counts = [len(logger.step(0, 2)) for _ in range(3)]
        assert max(counts) == 2
        logger.stop()
        while not logger.ended:
            assert len(logger.step(0, 2)) <= 2
    assert sorted(cf.read_log(tmp_path / "x.pcapng")["arbitration_id"].tolist()) == [1, 2, 3, 4, 5]
    assert logger.frames_written == logger.ledger.delivered == 5


def test_a_single_source_has_its_order_and_waits_for_no_window(bus: str, tmp_path: Path) -> None:
    with Logger(f"virtual:{bus}", tmp_path / "x.log", window_s=60) as logger, cf.Channel.virtual(bus) as other:
        other.send(cf.make_frames([1, 2, 3]))
        end = time.monotonic() + 20
        while logger.frames_written < 3 and time.monotonic() < end:
            logger.step()
        assert logger.frames_written == 3
    assert cf.read_log(tmp_path / "x.log")["arbitration_id"].tolist() == [1, 2, 3]


def test_one_failure_does_not_end_the_others(
    failing: str, bus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Logger([f"virtual:{bus};load=0.1", failing], tmp_path / "x.pcapng", window_s=0.01) as logger:
        while not logger.failures:
            logger.step()
        before = logger.frames_written
        run_for(logger, 0.2)
    assert list(logger.failures) == ["adapter"]
    said = [row.getMessage() for row in caplog.records if row.levelno == logging.WARNING]
    assert said == [f"adapter: {logger.failures['adapter']}; the others go on"]
    assert isinstance(logger.failures["adapter"], cf.DriverError)
    frames = cf.read_log(tmp_path / "x.pcapng")
    assert (frames["channel"] == 1).sum() == 20
    assert len(frames) > before


def test_an_attempt_that_fails_for_good_is_said(bus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logger = Logger([f"virtual:{bus}", f"virtual:{bus}x,name=x"], tmp_path / "x.pcapng")
    row = logger.inputs[1]
    row._refusal = ValueError("no such bit rate")
    row._collect()
    assert caplog.messages == ["x: no such bit rate; the others go on"]
    (alone,) = Logger(f"virtual:{bus}x,name=x", tmp_path / "x.pcapng").inputs
    alone._refusal = ValueError("no such bit rate")
    alone._collect()
    assert len(caplog.messages) == 1  # the recording ends, and tells why


@pytest.mark.parametrize("clock_step", ["mark", "follow"])
def test_a_source_that_opens_after_the_clock_was_set(clock_step: str, bus: str, tmp_path: Path) -> None:
    """All are ordered by the time of the first one, whatever the host's clock said when they were opened."""
    sources = [f"virtual:{bus}{i}" for i in range(3)]
    logger = Logger(sources, tmp_path / "x.pcapng", clock_step=clock_step)
    second, base = 10**9, 1_700_000_000 * 10**9
    channels: list[Any] = [SimpleNamespace(offset=base + more) for more in (0, 3_600 * second, 5_000)]
    for channel in channels:
        channel.clock = lambda channel=channel: SimpleNamespace(epoch_offset_ns=channel.offset)
    for row, channel in zip(logger.inputs, channels, strict=True):
        row._take(channel)

    def key(number: int, stamp_ns: int, flags: int = 0) -> int:
        frames = cf.make_frames([1], timestamp_ns=np.array([stamp_ns], np.int64), flags=flags)
        return int(logger.inputs[number].keys(frames)[0])

    at = base + 77 * second
    assert [key(0, at), key(1, at + 3_600 * second), key(2, at)] == [at] * 3  # 5 us are that of looking
    if clock_step == "follow":  # it is set back, by half an hour for the one, 90 minutes for the other
        for number in (0, 1):
            channels[number].offset = base - 1_800 * second
            assert key(number, at - 1_800 * second, cf.FrameFlag.CLOCK_STEP) == at
            assert key(number, at - 1_800 * second) == at


def test_a_silent_bus_makes_no_file_grow(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are told again when they have changed, and in the next file."""
    with cf.Channel.virtual(bus) as other, Logger(f"virtual:{bus}", tmp_path / "{n}.pcapng", keep=9) as logger:
        monkeypatch.setattr(logger.recorder, "due", lambda channel: True)
        sizes = []
        for count in range(3):
            if count == 1:
                other.send(cf.make_frames([1]))
                while logger.frames_written < 1:
                    logger.step()
            if count == 2:
                logger.recorder.rotate()
            logger.step(0)  # what was written last
            for _ in range(3):
                logger.step(0)
                sizes.append(logger.recorder.bytes_written)
    assert [len(set(sizes[at : at + 3])) for at in (0, 3, 6)] == [1, 1, 1]
    assert sizes[3] > sizes[0]
    assert all(
        statistics(path)[bus]["ifrecv"] == received
        for path, received in zip(sorted(tmp_path.iterdir()), (1, 0), strict=True)
    )


def test_a_source_that_comes_back(failing: str, bus: str, tmp_path: Path) -> None:
    back = failing.replace(";20;0", ";20;2")
    with Logger([f"virtual:{bus}", back], tmp_path / "x.pcapng", window_s=0, reconnect=0.02) as logger:
        while logger.frames_written < 60:
            logger.step()
    assert not logger.failures
    frames = cf.read_log(tmp_path / "x.pcapng")
    assert len(frames) == logger.ledger.received >= 60
    assert np.flatnonzero(frames["flags"][:60] & np.uint16(cf.FrameFlag.GAP)).tolist() == [20, 40]


def test_an_outage_that_is_under_way_is_no_failure(failing: str, tmp_path: Path) -> None:
    with Logger(failing.replace(";20;0", ";20;100000"), tmp_path / "x.pcapng", reconnect=0.02) as logger:
        while logger.ledger.outages == 0 or logger.frames_written < 20:
            logger.step()
    assert (logger.failures, logger.ledger.outages, logger.frames_written) == ({}, 1, 20)


def test_nothing_starts_when_one_cannot_be_opened(bus: str, tmp_path: Path) -> None:
    sources = [f"virtual:{bus}", f"library={tmp_path / 'no.so'};1"]
    with pytest.raises(cf.DriverNotFoundError, match=r"no\.so"):
        Logger(sources, tmp_path / "x.pcapng").open()
    assert not list(tmp_path.iterdir())


def test_with_reconnect_it_is_said_and_tried_again(
    failing: str, bus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library = Path(parse_source(failing).library)
    hidden = library.rename(library.with_name("hidden"))
    sources = [f"virtual:{bus}", failing]
    with (
        caplog.at_level(logging.WARNING, "canal_fast"),
        Logger(sources, tmp_path / "x.pcapng", window_s=0, reconnect=0.05) as logger,
    ):
        assert logger.ledgers["adapter"] is None
        logger.step()
        hidden.rename(library)
        while logger.frames_written < 20:
            logger.step()
    assert "adapter could not be opened: no such driver library" in caplog.text
    assert "trying again every 0.05 s" in caplog.text
    assert "adapter is open now" in caplog.text
    with cf.logs.open_log(tmp_path / "x.pcapng") as log:
        assert log.read()["channel"].tolist() == [1] * logger.ledger.received
        assert [row.name for row in log.interfaces] == [bus, "adapter"]


@pytest.mark.parametrize(
    ("sources", "options", "words"),
    [
        ([], {}, "0 sources, allowed 1..256"),
        (["virtual:a"] * 2, {}, "two sources are called a; give them other names with ,name="),
        (["virtual:a", "vcan0"], {}, "source 'vcan0' must begin with virtual:, "),
        (["virtual:a", "virtual:b"], {"clock": "device"}, 'clock = "device": 2 devices have no common time'),
        ("virtual:a", {"window_s": -1}, "window_s = -1, allowed 0..60"),
        ("virtual:a", {"pre_s": 1}, "pre_s = 1: time around triggers, of which there are none"),
        ("virtual:a", {"post_s": 0}, "post_s = 0: time around triggers"),
        ("virtual:a", {"triggers": ["error"], "pre_s": -1}, "pre_s = -1, allowed 0..1000000.0"),
        ("virtual:a", {"triggers": ["error"]}, "each event is a file; they need {n} or {time} in their names"),
        ("virtual:a", {"triggers": ["errors"]}, "trigger 'errors', allowed id="),
        ("virtual:a", {"rotate_s": 0, "path": "x-{n}.pcapng"}, "rotate_s = 0, allowed 0.1.."),
        ("virtual:a", {"rotate_s": 5}, "x.pcapng: several files need {n} or {time} in their names, as in x-{n}.pcapng"),
        ("virtual:a", {"path": "x-{m}.pcapng"}, "x-{m}.pcapng: placeholder {m}, allowed {time}, {n}, {host}"),
        ("virtual:a", {"path": "-", "keep": 3}, "rotation makes several files: it needs a path"),
    ],
)
def test_mistakes(sources: object, options: dict, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = dict(options)
    with pytest.raises(ValueError, match=re.escape(words)):
        Logger(sources, options.pop("path", "x.pcapng"), **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_other_mistakes(bus: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"sources\[1\] must be a text, a Source or a Channel, not int"):
        Logger([f"virtual:{bus}", 5], tmp_path / "x.pcapng")  # type: ignore[list-item]
    with pytest.raises(TypeError, match="triggers must be a sequence of texts, not the text 'error'"):
        Logger(f"virtual:{bus}", tmp_path / "{n}.pcapng", triggers="error")
    with pytest.raises(ValueError, match="the logger is not open"):
        Logger(f"virtual:{bus}", tmp_path / "x.pcapng").step()
    with pytest.raises(ValueError, match="without triggers all is recorded"):
        Logger(f"virtual:{bus}", tmp_path / "x.pcapng").trigger()
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        Logger(f"virtual:{bus}", tmp_path / "no" / "{n}.pcapng", triggers=["error"]).open()


def test_the_host_names_files(bus: str, tmp_path: Path) -> None:
    with Logger(f"virtual:{bus}", tmp_path / "{host}.pcapng") as logger:
        pass
    (path,) = tmp_path.iterdir()
    assert "{" not in path.name
    assert logger.recorder.path == str(path)


@pytest.mark.slow
def test_a_week_without_a_frame_and_a_year_of_days(bus: str, tmp_path: Path) -> None:
    """The logger's clocks are stepped: daylight saving time comes and goes, the wall clock is set back a day, and the
    bus is silent for a week. All frames are there, in files of different names."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    now, wall = [0.0], [begin]
    day, sent = 86_400, 0

    def advance(seconds: int) -> None:
        now[0] += seconds
        wall[0] += seconds

    with (
        cf.Channel.virtual(f"{bus}a") as other,
        Logger(
            [f"virtual:{bus}a,name=a", f"virtual:{bus}b"], tmp_path / "{time}.pcapng", rotate_s=day,
            keep=1000, monotonic=lambda: now[0], wall=lambda: wall[0],
        ) as logger,
    ):  # fmt: skip
        for number in range(365):
            if not 100 <= number < 107:
                other.send(cf.make_frames(0x100, number.to_bytes(2, "big")))
                sent += 1
            advance(1)
            while logger.ledger.received < sent:
                time.sleep(0.001)
            logger.step(0)
            advance(day - 1)
            wall[0] += {80: 3600, 200: -day, 300: -3600}.get(number, 0)
            logger.step(0)
        assert logger.frames_written == sent
        logger.stop()
        logger.run()
    paths = list(tmp_path.iterdir())
    assert len(paths) == logger.recorder.files == 358
    frames = np.concatenate([cf.read_log(path) for path in paths])
    assert len(frames) == sent == 358
    numbers = sorted(int.from_bytes(row[:2].tobytes(), "big") for row in frames["data"])
    assert numbers == [number for number in range(365) if not 100 <= number < 107]
    assert sums(paths)["a"] == of_ledger(logger.ledgers["a"] or NOTHING)
    assert sum(logger.late.values()) == 0


def test_nothing_at_all_is_a_ledger_too() -> None:
    assert NOTHING + NOTHING == NOTHING
    assert NOTHING.driver_overruns is None
    with cf.Channel.virtual("ledgers") as channel:
        ledger = channel.ledger()
        assert (NOTHING + ledger).as_dict() == ledger.as_dict()
        assert (ledger + ledger).received == 2 * ledger.received
