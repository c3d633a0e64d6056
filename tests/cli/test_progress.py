"""What `canal-fast log` tells while it records."""

from __future__ import annotations

import errno
import io
import logging
import sys

import pytest

import canal_fast as cf
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
