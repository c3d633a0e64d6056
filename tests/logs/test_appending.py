"""A recording that goes on in a file that is there."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import numpy as np
import pytest
from recorded import counted, files, ledger, statistics

import canal_fast as cf
from canal_fast.logs import Recorder, appending
from canal_fast.logs.repairing import repair


def test_a_new_section_behind_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    for number in range(3):
        with Recorder(path, append=True, interfaces={0: ("body", 500_000)}) as recorder:
            recorder.write(counted(10, 10 * number))
            assert recorder.frames_written == 10
    assert np.array_equal(cf.read_log(path, strict=True), counted(30))
    with cf.logs.open_log(path) as log:
        log.read()
        assert {row.name for row in log.interfaces} == {"body"}


@pytest.mark.parametrize(
    ("overruns", "lost"), [((1, 2, 3), 6), ((None, None, None), None), ((1, None, 3), None), ((0, 0, 0), 0)]
)
def test_counters_of_all_sections_add(overruns: tuple[int | None, ...], lost: int | None, tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    for number, overrun in enumerate(overruns):
        with Recorder(path, append=True, interfaces={0: ("body", 500_000), 1: ("drive", None)}) as recorder:
            for _ in range(2):  # within a section the last one counts
                recorder.write(counted(10))
                ledger = {"received": 100 + number, "filtered": 4, "dropped": number, "driver_overruns": overrun}
                recorder.write_statistics(ledger)
    with cf.logs.open_log(path) as log:
        log.read()
        statistics = log.statistics
    assert statistics["body"] == {
        "ifrecv": 303 + sum(row or 0 for row in overruns), "ifdrop": lost, "filteraccept": 303 - 12, "osdrop": 3,
        "usrdeliv": 60,
    }  # fmt: skip


@pytest.mark.parametrize("cut", [1, 7, 40, 100])
def test_a_torn_end_is_cut_off_before(
    cut: int, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pcapng"
    cf.write_log(path, counted(10))
    os.truncate(path, path.stat().st_size - cut)
    left = len(cf.read_log(path))
    examined: list[object] = []
    monkeypatch.setattr(appending, "repair", lambda *a, **k: examined.append(a) or repair(*a, **k))
    with caplog.at_level(logging.WARNING, "canal_fast"), Recorder(path, append=True) as recorder:
        recorder.write(counted(5, 100))
    assert "were no whole block; they are cut off" in caplog.text
    assert len(examined) == 1  # which takes as long as reading it twice
    assert np.array_equal(cf.read_log(path, strict=True), np.concatenate([counted(left), counted(5, 100)]))


def test_where_nothing_can_be_appended(tmp_path: Path) -> None:
    for name, frames, words in (
        ("x.log", None, "x.log: append makes a new section, which only pcapng has, uncompressed; not candump"),
        ("x.pcapng.gz", None, "uncompressed; not pcapng, link type 227, compressed by gzip"),
        ("y.pcapng", b"(1.0) can0 123#\n", "y.pcapng: this is no pcapng"),
        ("z.pcapng", bytes(100), "z.pcapng: this is no recording"),
    ):
        path = tmp_path / name
        if frames is not None:
            path.write_bytes(frames)
        with pytest.raises(ValueError, match=re.escape(words)):
            Recorder(path, append=True)
        assert path.read_bytes() == frames if frames is not None else not path.exists()
    for options in ({"exclusive": True}, {"rotate_s": 5}):
        with pytest.raises(ValueError, match="append goes on in one file"):
            Recorder(tmp_path / "x-{n}.pcapng", append=True, **options)
    with pytest.raises(ValueError, match="append goes on in a file, and this is none"):
        Recorder("-", append=True)
    with Recorder(tmp_path / "held.pcapng") as recorder:
        recorder.write(counted(1))
        with pytest.raises(OSError, match="a recording is being written to this file"):
            Recorder(tmp_path / "held.pcapng", append=True)


def test_counters_go_beyond_32_bits(tmp_path: Path) -> None:
    with Recorder(tmp_path / "{n}.pcapng", keep=1000) as recorder:
        for i in range(1, 6):
            recorder.write(counted(1, i))
            recorder.write_statistics(ledger(i * 2**33 + i, dropped=i * 2**32, overruns=i * (2**32 - 1)))
            recorder.rotate()
    rows = [statistics(path)["can0"] for path in files(tmp_path)][:5]
    assert [(row or {})["ifrecv"] for row in rows] == [2**33 + 2**32] * 5
    assert [(row or {})["osdrop"] for row in rows] == [2**32] * 5
    assert [(row or {})["ifdrop"] for row in rows] == [2**32 - 1] * 5
