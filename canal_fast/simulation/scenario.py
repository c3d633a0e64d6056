"""A scenario file (TOML): nodes, what they send, faults. `Scenario.read`, `Scenario.run`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from canal_fast.errors import SimulationError
from canal_fast.frames import FrameArray, make_frames

from .bus import Bus
from .run import Run

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_TOP = {"title", "bitrate", "data_bitrate", "bits", "duration", "logger", "faults", "node"}
_NODE = {
    "name", "mode", "one_shot", "self_reception", "recovery", "tec", "rec", "fd", "fd_ack_bits", "protocol_exception",
    "queue", "integrating", "message",
}  # fmt: skip
_MESSAGE = {"id", "extended", "remote", "fd", "brs", "data", "dlc", "start", "period", "count"}
_FLAGS = (("extended", 0x1), ("remote", 0x2), ("fd", 0x8), ("brs", 0x10))
_MOST_FRAMES = 1_000_000


@dataclass
class Scenario:
    """What a scenario file says.

    Attributes
    ----------
    path : str
    title : str
    bits, seconds : int or float, optional
        How long it runs; one of them is None.
    logger : str
        The node whose records `Run.frames` are.
    """

    path: str
    text: str
    title: str = ""
    bitrate: int = 500_000
    data_bitrate: int | None = None
    bits: int | None = None
    seconds: float | None = None
    logger: str = ""
    faults: list[str] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Scenario:
        """Read a scenario file.

        Raises
        ------
        OSError
            The file cannot be read.
        SimulationError
            It is not TOML, has a key that there is not, or a value that does not fit; with the line.
        """
        text = Path(path).read_text(encoding="utf-8")
        scenario = cls(os.fspath(path), text)
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SimulationError(f"{path}: {error}") from None
        scenario._fill(found)
        return scenario

    def run(self, *, record_levels: bool | None = None) -> tuple[Bus, Run]:
        """Simulate it. Returns the bus as it is at the end, and what was recorded.

        Raises
        ------
        SimulationError
            Nodes, messages or faults that do not go together; with file and line.
        """
        bus = Bus(self.bitrate, self.data_bitrate)
        for row in self.nodes:
            name = row.get("name", "")
            options = {key: value for key, value in row.items() if key not in ("name", "message")}
            try:
                bus.node(name, **options)
                for message in row.get("message", []):
                    bus.send(name, self._frames(message))
            except (ValueError, TypeError) as error:
                raise self._wrong(str(error), name) from None
        for line in self.faults:
            try:
                bus.inject([line])
            except SimulationError as error:
                raise self._wrong(
                    str(error).replace("fault, line 1, column", "fault, column").replace("fault, line 1", "fault"), line
                ) from None
        try:
            run = bus.run(self.bits, seconds=self.seconds, at=self.logger or None, record_levels=record_levels)
        except SimulationError as error:
            quoted = re.search(r"'([^']+)'", str(error))
            raise self._wrong(str(error), quoted[1] if quoted else "") from None
        return bus, run

    def _wrong(self, reason: str, near: str) -> SimulationError:
        """The error, with the line in which `near` stands."""
        for number, line in enumerate(self.text.splitlines(), 1):
            if near and re.search(rf"(?<!\w){re.escape(near)}(?!\w)", line):
                return SimulationError(f"{self.path}, line {number}: {reason}", line_number=number)
        return SimulationError(f"{self.path}: {reason}")

    def _known(self, table: Mapping[str, Any], keys: set[str], where: str) -> None:
        for key in table:
            if key not in keys:
                raise self._wrong(f"unknown key {key!r} {where}; there are {', '.join(sorted(keys))}", key)

    def _fill(self, found: dict[str, Any]) -> None:
        self._known(found, _TOP, "of a scenario")
        self.title = str(found.get("title", ""))
        self.bitrate = self._whole(found, "bitrate", self.bitrate)
        self.data_bitrate = self._whole(found, "data_bitrate", 0) or None
        if ("bits" in found) == ("duration" in found):
            raise self._wrong('needs one of bits = N and duration = "T ms"', "duration")
        self.bits = self._whole(found, "bits", 0) if "bits" in found else None
        self.seconds = self._ns(found["duration"], "duration") / 1e9 if "duration" in found else None
        self.logger = str(found.get("logger", ""))
        faults = found.get("faults", [])
        if isinstance(faults, str):
            faults = [line for line in faults.splitlines() if line.strip()]
        if not isinstance(faults, list) or not all(isinstance(line, str) for line in faults):
            raise self._wrong("faults must be a list of strings, one fault each", "faults")
        self.faults = faults
        nodes = found.get("node", [])
        if not isinstance(nodes, list) or not nodes:
            raise self._wrong("needs at least one [[node]]", "node")
        for row in nodes:
            self._known(row, _NODE, "of a node")
            for message in row.get("message", []):
                self._known(message, _MESSAGE, "of a message")
                if "id" not in message:
                    raise self._wrong(f"a message of node {row.get('name')!r} has no id", str(row.get("name", "")))
        self.nodes = nodes

    def _whole(self, table: Mapping[str, Any], key: str, preset: int) -> int:
        value = table.get(key, preset)
        if type(value) is not int or value < 0:
            raise self._wrong(f"{key} = {value!r} is not a whole number from 0", key)
        return value

    def _ns(self, value: object, key: str) -> int:
        """ "1.5 ms" in nanoseconds."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|ms|us|ns)\s*", value) if isinstance(value, str) else None
        if match is None:
            raise self._wrong(f'{key} = {value!r} is not a time such as "1.5 ms" (s, ms, us, ns)', key)
        return round(float(match[1]) * _UNITS[match[2]])

    def _frames(self, message: Mapping[str, Any]) -> FrameArray:
        """The requests of one message: its frames with the times from which on they may go."""
        start = self._ns(message.get("start", "0 ns"), "start")
        count = self._whole(message, "count", 1)
        period = self._ns(message["period"], "period") if "period" in message else 0
        if "period" in message and "count" not in message:
            span = self.seconds * 1e9 if self.seconds is not None else (self.bits or 0) * 1e9 / self.bitrate
            if period == 0:
                raise self._wrong("period = 0", "period")
            count = max(1, int((span - start) // period) + 1)
        if count > _MOST_FRAMES:
            raise self._wrong(f"count = {count}, allowed 1..{_MOST_FRAMES}", "count")
        text = str(message.get("data", ""))
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise self._wrong(f"data = {text!r} is not hexadecimal bytes", text) from None
        flags = sum(bit for key, bit in _FLAGS if message.get(key, False))
        times = start + period * np.arange(count, dtype=np.int64)
        remote = bool(message.get("remote", False))
        return make_frames(
            np.full(count, self._whole(message, "id", 0), np.uint32), b"" if remote else data,
            dlc=message.get("dlc"), flags=flags, timestamp_ns=times, fd=bool(message.get("fd", False)),
        )  # fmt: skip
