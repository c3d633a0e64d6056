"""The arrays that a run fills."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SimulationError
from canal_fast.frames import FD_FRAME_DTYPE

from . import _simulation
from .events import EDGE_DTYPE, EVENT_DTYPE

NEEDS_ROOM, NEEDS_EDGES = 1, 2  # of cf_bus_end
_ROOM_MIN, _EVENT_ROOM, _FRAME_ROOM = 1 << 11, 1 << 20, 1 << 17  # records a piece
_RECORDED_BYTES = min(1 << 36, sys.maxsize >> 1)


class Tape:
    """What a run records, in pieces."""

    def __init__(self, nodes: int, bits: bool, events: bool, frames: bool, levels: bool) -> None:
        self._nodes = nodes
        self._wants = bits, events, frames, levels
        self._parts: list[list[npt.NDArray[Any]]] = [[], [], [], [], []]
        self._edges: list[npt.NDArray[np.void]] = []

    def check(self, count: int, asked: str) -> None:
        """Raise ValueError where so many bits, which `asked` says, are more than can be recorded."""
        bits, _, _, levels = self._wants
        each = 1 + levels * (8 + 10 * self._nodes)
        if (bits or levels) and count > _RECORDED_BYTES // each:
            what = "record_levels" if levels else "record_bits"
            raise ValueError(f"{asked}, allowed 0..{_RECORDED_BYTES // each} bits with {what}, {each} B for each")

    def record(self, core: _simulation.Bus, until: int) -> int:
        want_bits, want_events, want_frames, want_levels = self._wants
        end = NEEDS_ROOM
        while end == NEEDS_ROOM or (end == 0 and core.bit < until):
            begin, count = core.bit, until - core.bit
            # Memory that is not written to costs nothing: rather too much than two pieces.
            events = np.empty(min(_ROOM_MIN + count * self._nodes // 16, _EVENT_ROOM) * want_events, EVENT_DTYPE)
            frames = np.empty(min(_ROOM_MIN + count * self._nodes // 64, _FRAME_ROOM) * want_frames, FD_FRAME_DTYPE)
            bits = np.empty(count * (want_bits or want_levels), np.uint8)
            driven = np.empty(count * want_levels, np.uint64)
            places = np.empty(count * self._nodes * want_levels, np.uint8)
            end, event_count, frame_count = core.run(until, events, frames, bits, driven, places)
            if core.lost:
                raise SimulationError(f"bit {core.bit}: {core.lost} events found no room: too many in one bit")
            done = core.bit - begin
            events.resize(event_count * want_events, refcheck=False)
            frames.resize(frame_count * want_frames, refcheck=False)
            masks = np.arange(self._nodes, dtype=np.uint64)
            levels = (~(driven[:done, None] >> masks) & np.uint64(1)).astype(np.uint8)
            fields = places[: done * self._nodes].reshape(-1, self._nodes)
            for part, piece in zip(self._parts, (events, frames, bits[:done], levels, fields), strict=True):
                part.append(piece)
        return end

    def record_edges(self, core: _simulation.Bus, until_fs: int, bit_fs: int, shown: int) -> None:
        """The edge gear to `until_fs`; bits are those that node `shown` samples."""
        want_bits, want_events, want_frames, want_edges = self._wants
        no_levels = np.empty((0, self._nodes), np.uint8)
        while core.now_fs < until_fs:
            count = (until_fs - core.now_fs) // bit_fs + 16
            events = np.empty(min(_ROOM_MIN + count * self._nodes // 16, _EVENT_ROOM) * want_events, EVENT_DTYPE)
            frames = np.empty(min(_ROOM_MIN + count * self._nodes // 64, _FRAME_ROOM) * want_frames, FD_FRAME_DTYPE)
            edges = np.empty(min(_ROOM_MIN + 4 * count * self._nodes, _EVENT_ROOM) * want_edges, EDGE_DTYPE)
            bits = np.empty(min(2 * count, 1 << 22) * want_bits, np.uint8)
            _, *written = core.run_edges(until_fs, events, frames, edges, bits, shown)
            if core.lost or core.lost_edges:
                raise SimulationError(
                    f"bit {core.bit}: {core.lost + core.lost_edges} events or edges found no room: too many at one time"
                )
            used: list[Any] = [
                array[:count].copy() for array, count in zip((events, frames, edges, bits), written, strict=True)
            ]
            for part, piece in zip(self._parts, (used[0], used[1], used[3], no_levels, no_levels), strict=True):
                part.append(piece)
            self._edges.append(used[2])

    @property
    def edges(self) -> npt.NDArray[np.void]:
        return np.concatenate(self._edges) if self._edges else np.empty(0, EDGE_DTYPE)

    def joined(self) -> list[npt.NDArray[Any]]:
        """Events, frames, bits, levels, fields."""
        empty = np.empty((0, self._nodes), np.uint8)
        none: list[npt.NDArray[Any]] = [
            np.empty(0, EVENT_DTYPE), np.empty(0, FD_FRAME_DTYPE), np.empty(0, np.uint8), empty, empty,
        ]  # fmt: skip
        parts = zip(self._parts, none, strict=True)
        return [part[0] if len(part) == 1 else np.concatenate(part) if part else other for part, other in parts]
