"""A forked child has a copy of its parent's recorder and leaves the file alone; what it reads its parent reads, too."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("suffix", ["log", "log.gz", "pcapng"])
def test_a_child_reads_from_a_place_of_its_own(suffix: str, tmp_path: Path) -> None:
    """The file is longer than what is read at once."""
    path = tmp_path / f"x.{suffix}"
    count = 40_000
    data = np.random.default_rng(1).integers(0, 256, (count, 8), np.uint8)
    cf.write_log(path, cf.make_frames(np.arange(count, dtype=np.int64) & 0x7FF, data))
    with cf.logs.open_log(path) as log:
        first = next(log.batches(100))
        expected = cf.read_log(path)[100:]

        def read() -> None:
            assert np.array_equal(log.read(), expected), "other frames"

        assert said_in_child(read, log.close) == ["done", "done"]
        assert len(first) == 100
        read()


def test_a_child_refuses_what_has_one_place_for_both(tmp_path: Path) -> None:
    """A file object, a pipe: what the child took its parent would lack."""
    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames(np.zeros(40_000, np.int64)))
    reading, writing = os.pipe()
    os.write(writing, path.read_bytes()[:3000])  # 100 lines
    os.close(writing)
    with path.open("rb") as file, open(reading, "rb") as pipe:
        for source, frames in ((file, 40_000), (pipe, 100)):
            with cf.logs.open_log(source) as log:
                next(log.batches(10))
                (said,) = said_in_child(log.read)
                assert said.startswith(
                    f"{source.name}: it was opened by process {os.getpid()}, which forked this one, "
                )
                assert len(log.read()) == frames - 10
    with cf.logs.open_log(io.BytesIO(path.read_bytes())) as log:
        assert said_in_child(log.read) == ["done"]
        assert len(log.read()) == 40_000


def test_a_child_refuses_mdf(data_dir: Path) -> None:
    pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    path = data_dir / "recordings" / "17BD1DB7_00000170.MF4"
    with cf.logs.open_log(path) as log:
        (said,) = said_in_child(log.read)
        assert said.startswith(f"{path}: it was opened by process {os.getpid()}, which forked this one, ")
        assert len(log.read()) == len(cf.read_log(path))
