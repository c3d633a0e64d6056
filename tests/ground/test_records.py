"""Copies of frames as whole records equal numpy's own, which go field by field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from random_frames import random_frames

import canal_fast as cf
from canal_fast.frames import chosen, copied, copy_records, joined

FIELDS = ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc")


def field_by_field(frames: cf.FrameArray, dtype: np.dtype[np.void]) -> cf.FrameArray:
    """The twin: each field on its own, payload that does not fit cut off."""
    out: cf.FrameArray = np.zeros(len(frames), dtype)
    for name in FIELDS:
        out[name] = frames[name]
    width = min(frames["data"].shape[1], out["data"].shape[1])
    out["data"][:, :width] = frames["data"][:, :width]
    return out


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("count", [0, 1, 7, 1000])
def test_copy_records(fd: bool, wide: bool, count: int) -> None:
    frames = random_frames(3 * count, fd=fd)
    out: cf.FrameArray = (
        np.full(3 * count, 0xFF, np.uint8)
        .repeat(80 if wide else 24)
        .view(cf.FD_FRAME_DTYPE if wide else cf.FRAME_DTYPE)
    )
    kept = out[1::3].copy()
    copy_records(frames[::3], out[::3])  # arrays with gaps, too
    assert np.array_equal(out[::3], field_by_field(frames[::3], out.dtype))
    assert np.array_equal(out[1::3], kept)


@pytest.mark.parametrize("fd", [False, True])
def test_copied_is_of_its_own_memory(fd: bool) -> None:
    frames = random_frames(100, fd=fd)
    for some in (frames, frames[::2], frames[::-1], frames[:0]):
        found = copied(some)
        assert np.array_equal(found, some)
        assert found.dtype is some.dtype
        assert found.flags.owndata
        assert found.flags.c_contiguous
    frames.flags.writeable = False
    assert copied(frames).flags.writeable


@pytest.mark.parametrize("fd", [False, True])
def test_chosen_is_numpys_index(fd: bool, tmp_path: Path) -> None:
    frames = random_frames(1000, fd=fd)
    np.save(tmp_path / "frames.npy", frames)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    rng = np.random.default_rng(2)
    masks = [rng.random(1000) < share for share in (0, 0.1, 0.5, 1)]
    indexes = [np.empty(0, np.int64), np.array([-1, 0, 999, -1000]), rng.permutation(1000), np.argsort(frames["flags"])]
    for some in (frames, mapped):
        for which in (*masks, *indexes):
            found = chosen(some, which)
            assert np.array_equal(found, frames[which])
            assert found.dtype == frames.dtype
            assert found.flags.owndata
            assert found.flags.writeable
    assert np.array_equal(chosen(frames[::2], masks[1][::2]), frames[::2][masks[1][::2]])
    with pytest.raises(IndexError):
        chosen(frames, np.array([1000]))


def test_joined() -> None:
    one, two, wide = random_frames(10), random_frames(20, seed=2), random_frames(30, seed=3, fd=True)
    assert joined([]).dtype == cf.FRAME_DTYPE
    assert len(joined([])) == 0
    assert np.array_equal(joined([one, two[::2]]), np.concatenate([one, two[::2]]))
    assert np.array_equal(joined([wide, wide]), np.concatenate([wide, wide]))
    as_wide = [field_by_field(part, cf.FD_FRAME_DTYPE) for part in (one, wide, two)]
    assert np.array_equal(joined([one, wide, two]), np.concatenate(as_wide))
    alone = joined([one])
    alone["channel"] = 99
    assert not (one["channel"] == 99).any()
