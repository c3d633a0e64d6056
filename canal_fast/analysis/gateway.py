"""How long gateways take from one channel to another."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag, chosen, contiguous, payload_length

from .groups import Groups, group_by_id

__all__ = ["GATEWAY_DTYPE", "gateway_delays"]

GATEWAY_DTYPE = np.dtype(
    [("source", "u1"), ("target", "u1"), ("extended", "?"), ("arbitration_id", "u4"), ("frames", "i8")]
    + [("matched", "i8"), ("least_ns", "i8"), ("median_ns", "i8"), ("p99_ns", "i8"), ("most_ns", "i8")]
)
"""Rows of `gateway_delays`."""
_HALF = 0.5

Rows = npt.NDArray[np.void]
Times = npt.NDArray[np.int64]


def gateway_delays(frames: FrameArray, *, within_s: float = 0.1) -> Rows:
    """Delays from a frame on one channel to the next of the same identifier and payload on another.

    Of two directions the one with the smaller median is taken: that is right while a gateway takes less than half an
    identifier's period.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Of several channels, with time stamps of one clock.
    within_s : float
        Later frames are not the same.

    Returns
    -------
    array of GATEWAY_DTYPE, shape (k,)
        source and target channel, extended, arbitration_id; frames on the source, matched ones among them, and their
        delays: least, median, 99th percentile and greatest. Identifiers with fewer than half their frames matched
        are left out.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> copied = frames.copy()
    >>> copied["channel"], copied["timestamp_ns"] = 1, copied["timestamp_ns"] + 400_000
    >>> rows = cf.analysis.gateway_delays(cf.analysis.merge(frames, copied))
    >>> rows["median_ns"].tolist()
    [400000, 400000]
    """
    if not 1e-9 <= within_s < 9e9:
        raise ValueError(f"within_s = {within_s}, allowed 1e-9..9e9 s")
    frames = contiguous(frames)
    groups = group_by_id(frames)
    limit = round(within_s * 1e9)
    rows = []
    for one in np.unique(groups.ids[["extended", "arbitration_id"]]):
        same = (groups.ids["extended"] == one["extended"]) & (groups.ids["arbitration_id"] == one["arbitration_id"])
        numbers = np.flatnonzero(same).tolist()
        found = {
            (a, b): _delays(frames, groups, a, b, limit) for a, b in permutations(numbers, 2)
        }  # both ways of each pair
        for (a, b), delays in found.items():
            count = len(groups.indexes(a))
            if len(delays) < max(1, _HALF * count):
                continue
            back = found[b, a]
            if len(back) >= max(1, _HALF * len(groups.indexes(b))) and np.median(back) < np.median(delays):
                continue
            p99 = int(np.quantile(delays, 0.99, method="higher"))
            source, target = (int(groups.ids["channel"][k]) for k in (a, b))
            rows.append(
                (source, target, *one.item(), count, len(delays), delays.min(), np.median(delays), p99, delays.max())
            )
    return np.array(rows, GATEWAY_DTYPE)


def _delays(frames: FrameArray, groups: Groups, source: int, target: int, limit: int) -> Times:
    """From each frame of one group to the first at that time or later of the other with the same content."""
    both = np.concatenate([groups.indexes(source), groups.indexes(target)])
    part = chosen(frames, both)
    of_target = np.arange(len(both)) >= len(groups.indexes(source))
    kinds = part["flags"] & np.uint16(FrameFlag.REMOTE | FrameFlag.FD)
    content = np.concatenate(
        [payload_length(part)[:, np.newaxis], kinds.view(np.uint8).reshape(len(part), 2), part["data"]], axis=1
    )
    rows = np.ascontiguousarray(content).view(np.dtype((np.void, content.shape[1])))[:, 0]
    number = np.unique(rows, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((of_target, part["timestamp_ns"], number))  # a source's frame before the target's of one time
    times, theirs, number = part["timestamp_ns"][order], of_target[order], number[order]
    places = np.where(theirs, np.arange(len(order)), len(order))
    following = np.minimum.accumulate(places[::-1])[::-1]
    mine = np.flatnonzero(~theirs)
    following = following[mine]
    there = following < len(order)
    mine, following = mine[there], following[there]
    delays = (times[following] - times[mine])[number[following] == number[mine]]
    kept: Times = delays[delays <= limit]
    return kept
