"""What `canal-fast log` tells while it records."""

from __future__ import annotations

import errno
import io
import logging
import re
import sys
from types import SimpleNamespace

import pytest

import canal_fast as cf
import canal_fast.cli.progress as of_progress
from canal_fast.cli.log import _spoken
from canal_fast.cli.progress import Progress
from canal_fast.live.ledger import NOTHING


class Gone(io.StringIO):
    """A terminal, a disk or a pipe that is not there any more."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number, self.asked = number, 0

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.asked += 1
        raise OSError(self.number, "gone")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EPIPE])
def test_standard_error_that_is_lost_ends_nothing(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Gone(number)
    monkeypatch.setattr(sys, "stderr", gone)
    log = logging.getLogger("canal_fast")
    with _spoken() as voice:
        log.warning("before there is a line")
        voice.progress = progress = Progress(False, [500_000])
        assert progress.terminal
        log.warning("the disk is slow")
        progress.say("no frames")
        asked = gone.asked
        assert asked
        for _ in range(3):
            progress.last -= 2
            progress.heard -= 60
            progress.update(cf.make_frames([1]), 1, NOTHING)
            progress.update(cf.make_frames([]), 1, NOTHING)
        log.warning("again")
        progress.end()
    assert gone.asked == asked  # silent from then on


def test_standard_output_that_is_lost_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Gone(errno.EPIPE))
    with pytest.raises(BrokenPipeError):
        Progress(True, [None]).update(cf.make_frames([1]), 1, NOTHING)


class Shown(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rates_are_of_the_time_that_frames_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of several sources are held back, now longer, now shorter: a second shows what 0.8 or 1.1 s received."""
    now, shown = [100.0], Shown()
    monkeypatch.setattr(of_progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(sys, "stderr", shown)
    progress = Progress(False, [1_000_000])
    one_ns = int(cf.wire.frame_duration_ns(cf.make_frames(1), 1_000_000)[0])
    until, written = now[0], 0
    for lag, silent in ((0.2, False), (0.1, False), (0.25, False), (0.1, True), (0.15, False)):
        count = 0 if silent else round((now[0] + 1 - lag - until) * 1e9 / one_ns)  # a full bus
        until, now[0], written = until if silent else now[0] + 1 - lag, now[0] + 1, written + count
        progress.update(cf.make_frames([1] * count), written, NOTHING, until)
        if silent:
            until = now[0] - 0.25  # as far behind as before
    loads = [float(load) for load in re.findall(r"load (\d+\.\d) %", shown.getvalue())][::2]  # a line is put twice
    assert loads == [pytest.approx(load, abs=0.1) for load in (100, 100, 100, 0, 100)]
