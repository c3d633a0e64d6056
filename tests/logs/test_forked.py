"""A forked child has a copy of its parent's recorder, and leaves the file alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.forked import said_in_child

import canal_fast as cf

pytestmark = pytest.mark.posix
FRAMES = cf.make_frames([1, 2, 3])


@pytest.mark.parametrize("suffix", ["pcapng", "blf", "log.gz"])
def test_a_childs_recorder_refuses(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    with cf.logs.Recorder(path) as recorder:
        recorder.write(FRAMES)
        recorder.flush()
        before = path.read_bytes()
        with recorder._lock:  # as another thread of the parent may hold it
            *refused, closed = said_in_child(
                lambda: recorder.write(FRAMES), recorder.flush, recorder.rotate, lambda: recorder.describe(9, "x"),
                lambda: recorder.tell({}), lambda: recorder.write_statistics({}), lambda: recorder.write_counters({}),
                recorder.close,
            )  # fmt: skip
        assert len(refused) == 7
        assert {said.partition(f"process {os.getpid()}, which forked this one")[0] for said in refused} == {
            f"{path}: the recorder belongs to "
        }
        assert closed == "done"
        assert path.read_bytes() == before
        recorder.write(FRAMES)
    assert cf.read_log(path, strict=True)["arbitration_id"].tolist() == [1, 2, 3] * 2


def test_a_childs_logger_refuses(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with cf.logger.Logger("virtual:forked;rate=1000;frames=40", path) as logger:
        while logger.frames_written < 10:
            logger.step()
        before = path.read_bytes()
        *refused, closed = said_in_child(logger.step, logger.run, logger.close)
        assert len(refused) == 2
        assert all("belongs to process" in said for said in refused)
        assert closed == "done"
        assert path.read_bytes() == before
        while logger.frames_written < 40:
            logger.step()
    assert len(cf.read_log(path, strict=True)) == 40
