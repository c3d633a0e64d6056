"""A scenario file (TOML): nodes, what they send, faults. `Scenario.read`, `Scenario.run`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.errors import SimulationError
from canal_fast.frames import FrameArray, make_frames

from .bus import Bus
from .run import Run

_UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_TOP = {"title", "bitrate", "data_bitrate", "bits", "duration", "logger", "faults", "node"}
_NODE = {
    "name", "mode", "one_shot", "self_reception", "recovery", "tec", "rec", "fd", "fd_ack_bits", "protocol_exception",
    "queue", "integrating", "message", "clock_ppm", "delay_ns", "timing", "data_timing", "tdc", "tdc_offset",
}  # fmt: skip
_MESSAGE = {"id", "extended", "remote", "fd", "brs", "data", "dlc", "start", "period", "count"}
_FLAGS = (("extended", 0x1), ("remote", 0x2), ("fd", 0x8), ("brs", 0x10))
_YES_OR_NO = ("one_shot", "self_reception", "protocol_exception", "integrating", "tdc")
_TIMING = {"f_clock", "brp", "tseg1", "tseg2", "sjw", "nof_samples", "prop_seg"}
_NOT_OPTIONS = ("name", "message", "timing", "data_timing")
_HEADER = re.compile(r"\s*\[\[\s*node\s*(\.\s*message\s*)?\]\]")
_MOST_FRAMES = 1_000_000
_MOST_BITS = 1_000_000_000  # as many bytes of memory


@dataclass
class Scenario:
    """What a scenario file says.

    Attributes
    ----------
    path, text : str
        The file and what it holds.
    title : str
    bitrate, data_bitrate : int
        bit/s; data_bitrate None: no frame switches.
    bits, seconds : int or float, optional
        How long it runs; one of them is None.
    logger : str
        The node whose records `Run.frames` are.
    faults : list of str
        Lines as `Bus.inject` takes them.
    nodes : list of dict
        A table of the file each; its key `message` has the tables of what the node sends.

    Examples
    --------
    >>> scenario = cf.simulation.Scenario.read("scenario.toml")
    >>> scenario.title, scenario.seconds
    ('Two nodes', 0.002)
    >>> bus, run = scenario.run()
    >>> [node.sent for node in bus.nodes], run.frames["arbitration_id"].tolist()
    ([3, 0], [291, 291, 291])
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

        Examples
        --------
        >>> [node["name"] for node in cf.simulation.Scenario.read("scenario.toml").nodes]
        ['ecu', 'logger']
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise SimulationError(f"{path}: byte {error.start} is not UTF-8 text") from None
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

        Examples
        --------
        >>> bus, run = cf.simulation.Scenario.read("scenario.toml").run()
        >>> run.duration_ns, bus.nodes[1].received
        (2000000, 3)
        """
        try:
            bus = Bus(self.bitrate, self.data_bitrate)
        except ValueError as error:
            raise self._wrong(str(error), str(error).partition(" ")[0]) from None
        for number, row in enumerate(self.nodes):
            options = {key: value for key, value in row.items() if key not in _NOT_OPTIONS}
            try:
                bus.node(row.get("name", ""), timing=self._timing(row, self._lines(number)), **options)
            except (ValueError, TypeError) as error:
                raise self._about(str(error), row, self._lines(number)) from None
            for index, message in enumerate(row.get("message", [])):
                lines = self._lines(number, index)
                try:
                    bus.send(row["name"], self._frames(message, lines))
                except (ValueError, TypeError) as error:
                    if isinstance(error, SimulationError) and error.line_number is not None:
                        raise
                    raise self._about(str(error), message, lines) from None
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

    def _timing(self, row: Mapping[str, Any], lines: Sequence[int]) -> BitTiming | BitTimingFd | None:
        """The node's timing = {f_clock = 8_000_000, brp = 1, tseg1 = 12, tseg2 = 3, sjw = 3}, data_timing alike."""
        phases: list[BitTiming] = []
        for key in ("timing", "data_timing"):
            if key not in row:
                continue
            self._known(row[key], _TIMING, f"of {key}", lines)
            if missing := sorted({"f_clock", "brp", "tseg1", "tseg2", "sjw"} - set(row[key])):
                raise self._wrong(f"{key} has no {', '.join(missing)}", key, lines)
            try:
                phases.append(BitTiming(**row[key]))
            except (ValueError, TypeError) as error:
                raise self._wrong(f"{key}: {error}", key, lines) from None
        if "data_timing" not in row:
            return phases[0] if phases else None
        if len(phases) == 1:
            raise self._wrong("data_timing needs a timing, too", "data_timing", lines)
        return BitTimingFd(*phases)

    def _lines(self, node: int, message: int = -1) -> list[int]:
        """Lines, from 1, of a [[node]] or of one of its [[node.message]]; numbers from 0."""
        at, lines = (-1, -1), []
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(line):
                at = (at[0], at[1] + 1) if header[1] else (at[0] + 1, -1)
            if at == (node, message):
                lines.append(number)
        return lines

    def _wrong(self, reason: str, near: str, lines: Sequence[int] = ()) -> SimulationError:
        """The error, with the line in which the word `near` stands: one of `lines`, or else the first of them."""
        text = self.text.splitlines()
        for number in lines or range(1, len(text) + 1):
            if near and re.search(rf"(?<!\w){re.escape(near)}(?!\w)", text[number - 1]):
                break
        else:
            if not lines:
                return SimulationError(f"{self.path}: {reason}")
            number = lines[0]
        return SimulationError(f"{self.path}, line {number}: {reason}", line_number=number)

    def _about(self, reason: str, table: Mapping[str, Any], lines: Sequence[int]) -> SimulationError:
        """The same, in the words of scenario files: at the line of the key that the reason names."""
        reason = reason.removeprefix("frames[0]: ").replace("arbitration_id", "id")
        reason = reason.replace("flags=FrameFlag.EXTENDED_ID", "extended = true")
        named = [key for key in table if re.search(rf"(?<!\w){key}(?!\w)", reason)]
        return self._wrong(reason, named[0] if named else "", lines)

    def _known(self, table: object, keys: set[str], where: str, lines: Sequence[int] = ()) -> None:
        if not isinstance(table, dict):
            raise self._wrong(f"{table!r} stands where the keys {where} are expected", str(table), lines)
        for key in table:
            if key not in keys:
                raise self._wrong(f"unknown key {key!r} {where}; there are {', '.join(sorted(keys))}", key, lines)

    def _yes_or_no(self, table: Mapping[str, Any], keys: Iterable[str], lines: Sequence[int]) -> None:
        for key in keys:
            if not isinstance(table.get(key, False), bool):
                raise self._wrong(f"{key} = {table[key]!r} is neither true nor false", key, lines)

    def _fill(self, found: dict[str, Any]) -> None:
        self._known(found, _TOP, "of a scenario")
        self.title = str(found.get("title", ""))
        self.bitrate = self._whole(found, "bitrate", self.bitrate)
        self.data_bitrate = self._whole(found, "data_bitrate", 0) or None
        if ("bits" in found) == ("duration" in found):
            raise self._wrong('needs one of bits = N and duration = "T ms"', "duration")
        self.bits = self._whole(found, "bits", 0) if "bits" in found else None
        self.seconds = self._ns(found["duration"], "duration") / 1e9 if "duration" in found else None
        bits = self.bits if self.seconds is None else self.seconds * self.bitrate
        if bits is not None and bits > _MOST_BITS:
            key = "bits" if self.seconds is None else "duration"
            raise self._wrong(f"{key}: {bits:.0f} bits, allowed 0..{_MOST_BITS}", key)
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
        for number, row in enumerate(nodes):
            lines = self._lines(number)
            self._known(row, _NODE, "of a node", lines)
            self._yes_or_no(row, _YES_OR_NO, lines)
            if not row.get("name"):
                raise self._wrong(f"node {number + 1} has no name", "name", lines)
            messages = row.get("message", [])
            if not isinstance(messages, list):
                raise self._wrong("messages begin with [[node.message]]", "message", lines)
            for index, message in enumerate(messages):
                lines = self._lines(number, index)
                self._known(message, _MESSAGE, "of a message", lines)
                self._yes_or_no(message, [key for key, _ in _FLAGS], lines)
                if "id" not in message:
                    raise self._wrong(f"a message of node {row['name']!r} has no id", "", lines)
        self.nodes = nodes

    def _whole(self, table: Mapping[str, Any], key: str, preset: int, lines: Sequence[int] = ()) -> int:
        value = table.get(key, preset)
        if type(value) is not int or value < 0:
            raise self._wrong(f"{key} = {value!r} is not a whole number from 0", key, lines)
        return value

    def _ns(self, value: object, key: str, lines: Sequence[int] = ()) -> int:
        """ "1.5 ms" in nanoseconds."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|ms|us|ns)\s*", value) if isinstance(value, str) else None
        if match is None:
            raise self._wrong(f'{key} = {value!r} is not a time such as "1.5 ms" (s, ms, us, ns)', key, lines)
        return round(float(match[1]) * _UNITS[match[2]])

    def _frames(self, message: Mapping[str, Any], lines: Sequence[int]) -> FrameArray:
        """The requests of one message: its frames with the times from which on they may go."""
        start = self._ns(message.get("start", "0 ns"), "start", lines)
        count = self._whole(message, "count", 1, lines)
        period = self._ns(message["period"], "period", lines) if "period" in message else 0
        if "period" in message and "count" not in message:
            span = self.seconds * 1e9 if self.seconds is not None else (self.bits or 0) * 1e9 / self.bitrate
            if period == 0:
                raise self._wrong("period = 0", "period", lines)
            count = max(1, int((span - start) // period) + 1)
        if count > _MOST_FRAMES:
            raise self._wrong(f"count = {count}, allowed 1..{_MOST_FRAMES}", "count", lines)
        text = str(message.get("data", ""))
        try:
            data = bytes.fromhex(text)
        except ValueError:
            raise self._wrong(f"data = {text!r} is not hexadecimal bytes", "data", lines) from None
        flags = sum(bit for key, bit in _FLAGS if message.get(key, False))
        times = start + period * np.arange(count, dtype=np.int64)
        remote = bool(message.get("remote", False))
        return make_frames(
            np.full(count, self._whole(message, "id", 0, lines), np.uint32), b"" if remote else data,
            dlc=message.get("dlc"), flags=flags, timestamp_ns=times, fd=bool(message.get("fd", False)),
        )  # fmt: skip
