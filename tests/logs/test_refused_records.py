"""Records that no recording can hold are refused, by whichever writer, before anything of their batch is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.frames import check_records

WRITTEN = [row for row in cf.logs.formats() if row.writes and row.index >= 0]  # what can be appended to
BAD = {
    "standard": (0x800, 0, 0, r"arbitration_id = 0x800, allowed 0\.\.0x7ff \(flags=FrameFlag\.EXTENDED_ID"),
    "extended": (0x20000000, FrameFlag.EXTENDED_ID, 0, r"arbitration_id = 0x20000000, allowed 0\.\.0x1fffffff$"),
    "error": (0xFFFFFFFF, FrameFlag.ERROR_FRAME, 8, r"arbitration_id = 0xffffffff, allowed 0\.\.0x1fffffff$"),
    "dlc": (1, 0, 16, r"dlc = 16, allowed 0\.\.15"),
    "flags": (1, 0x400, 0, "flags that no record has: flags = "),
}


def good(count: int) -> cf.FrameArray:
    return cf.make_frames(
        np.arange(1, count + 1, dtype=np.int64), b"\x01", timestamp_ns=10**18 + 10**9 * np.arange(count, dtype=np.int64)
    )


def bad(name: str, fd: bool) -> cf.FrameArray:
    frames = np.zeros(20_000, cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
    frames["arbitration_id"][-2], frames["flags"][-2], frames["dlc"][-2] = BAD[name][:3]
    return frames


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: str(row.name))
def test_a_batch_with_one_is_refused_whole(row: cf.logs.LogFormat, name: str, fd: bool, tmp_path: Path) -> None:
    path = tmp_path / f"x{row.suffixes[0] if row.suffixes else ''}"
    with cf.logs.Recorder(path, format=row.name) as recorder:
        recorder.write(good(3))
        before = recorder.bytes_written
        with pytest.raises(cf.FrameError, match=r"^frames\[19998\]: .*" + BAD[name][3]) as caught:
            recorder.write(bad(name, fd))
        assert caught.value.index == 19_998
        assert (recorder.frames_written, recorder.bytes_written) == (3, before)
        recorder.write(good(5)[3:])
    assert cf.read_log(path)["arbitration_id"].tolist() == [1, 2, 3, 4, 5]


def test_candump_text_too() -> None:
    with pytest.raises(cf.FrameError, match=r"0x800, allowed 0\.\.0x7ff"):
        cf.logs.format_candump(bad("standard", True))


def test_error_frames_and_status_messages_have_identifiers_of_their_own(tmp_path: Path) -> None:
    frames = np.zeros(3, cf.FRAME_DTYPE)
    frames["arbitration_id"] = [0x800, 0x1FFFFFFF, 0xFFFFFFFF]
    frames["flags"] = [FrameFlag.ERROR_FRAME, FrameFlag.ERROR_FRAME, FrameFlag.STATUS]
    frames["dlc"] = 8
    cf.write_log(tmp_path / "x.pcapng", frames)
    assert np.array_equal(cf.read_log(tmp_path / "x.pcapng"), frames)


def test_the_rule_on_random_records() -> None:
    rng = np.random.default_rng(7)
    frames = np.zeros(20_000, cf.FRAME_DTYPE)
    frames["flags"] = 1 << rng.integers(0, 12, len(frames)) | (1 << rng.integers(0, 12, len(frames)))
    frames["arbitration_id"] = 1 << rng.integers(0, 33, len(frames)).astype(np.uint64)
    frames["arbitration_id"] -= rng.integers(0, 2, len(frames)).astype(np.uint32)
    frames["dlc"] = np.where(rng.integers(0, 20, len(frames)), 8, rng.integers(14, 18, len(frames)))
    found = {True: 0, False: 0}
    for i, (identifier, flags, dlc) in enumerate(frames[["arbitration_id", "flags", "dlc"]].tolist()):
        limit = 0xFFFFFFFF if flags & 0x4 else 0x1FFFFFFF if flags & 0x81 else 0x7FF
        keeps = identifier <= limit and dlc <= 15 and flags < 0x400
        found[keeps] += 1
        if keeps:
            check_records(frames[i : i + 1])
        else:
            with pytest.raises(cf.FrameError):
                check_records(frames[i : i + 1])
    assert min(found.values()) > 3000
