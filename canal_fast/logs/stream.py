"""Frames out of a stream of bytes, by a row of the C table of formats."""

from __future__ import annotations

import datetime as dt
import zlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import CanalFastError, FrameError, LogFormatError
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray
from canal_fast.status import Status

from . import _logs
from .format_rows import LogFormat, refuse
from .interfaces import ID_ORDERS, LogInterface, counters_of
from .layers import inflater
from .source import Source
from .zones import epoch_of, wall_clock

__all__ = ["CHUNK_BYTES", "END", "FD_IN_CLASSICAL", "Packed", "Stream"]

END = -1
FD_IN_CLASSICAL = Status.FD_IN_CLASSICAL
CHUNK_BYTES = 1 << 19  # read at once; each read takes the interpreter, which other threads wait for
_STORED = 0
_QUICK = 48 << 10  # packed bytes that give 1032 times as many at most, which may be had at once


@dataclass(frozen=True)
class Packed:
    """A packed part that was read: where its packed bytes stand, and how many unpacked ones were left before it."""

    place: int
    size: int
    carried: int


class Stream:
    """One recording being read; `LogFile` holds it."""

    def __init__(
        self, source: Source, row: LogFormat, data: npt.NDArray[np.uint8], size: int, ended: bool,
        *, zone: dt.tzinfo | None, errors: str, id_order: int, failure: Exception | None, guessed: bool,
    ) -> None:  # fmt: skip
        self._source, self._row, self._zone = source, row, zone
        self._buffer, self._start, self._stop, self._offset = data, 0, size, 0
        self._ended = ended
        self._failure = failure
        self._guessed = guessed  # nothing that was looked at says that it is of this format
        self._skip = errors == "skip"
        self._inner: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
        self._inner_start = self._inner_stop = 0
        self._reader = _logs.LogReader(row.index, self._skip, id_order)
        self._lost = 0
        self._damaged = 0
        self._unpacked = 0
        self._latest_ns: int | None = None  # the last frame's time
        self.packed: deque[Packed] = deque(maxlen=2)  # the last ones
        self.parts = self.inflated = 0  # packed parts so far, and bytes that they gave
        self.truncated = False
        self.start: dt.datetime | None = None
        self.note: str | None = None
        self._prime()

    def read(self, frames: FrameArray) -> tuple[int, int]:
        """Fill `frames`: (number made, status of what is in the way). 0: they are full; END: end of the file."""
        made = 0
        while made < len(frames):
            status, count = self._step(frames, made)
            made += count
            if status:
                return made, status
            if made == len(frames):
                break
            if self._ended:
                rest = self._stop - self._start
                self.truncated = rest > 0 or self._reader.truncated or self._source.truncated
                return made, END
            if made and self._source.live:
                break  # what is there, before waiting for more
            self._fill()
        return made, 0

    @property
    def place(self) -> int:
        """Bytes up to the end of the last whole item that was read."""
        return self._offset + self._start

    def share(self) -> float:
        """How much of the recording has been read, 0..1; 0 where that is not known."""
        return self._source.share() * self.place / max(self._offset + self._stop, 1)

    @property
    def skipped(self) -> int:
        return self._reader.skipped + self._damaged

    @property
    def skipped_by_kind(self) -> dict[str, int]:
        kinds = self._reader.kinds()
        return kinds | {"damaged container": self._damaged} if self._damaged else kinds

    @property
    def lost_bytes(self) -> int:
        return self._reader.lost_bytes + self._lost

    def interfaces(self) -> list[LogInterface]:
        return [
            LogInterface(name, channel, speed or None, frames, counters_of(counters), ID_ORDERS[id_order])
            for name, channel, speed, frames, counters, id_order in self._reader.interfaces()
        ]

    def failure(self) -> Exception | None:
        """Why the bytes ended before the file did."""
        return self._failure

    def close(self) -> None:
        """Nothing of its own is open."""

    def error(self, status: int) -> FrameError | LogFormatError:
        """The exception for a status that `read` has returned."""
        name, item = self._source.name, self._row.item
        text = item == "line"
        line = self._reader.lines + 1
        offset = self._offset + self._start
        place = f"{name}: line {line}" if text else f"{name}: byte {offset}"
        if status == Status.LOG_TIME and self._guessed:
            rest = self._buffer[self._start : self._stop].tobytes()
            if not rest[: self._reader.column].strip():  # a line that begins with no time
                return refuse(name, rest, line)
        if status == FD_IN_CLASSICAL:
            return FrameError(f"{place}: {Status(status).sentence}; read it with fd=True")
        if status == END:
            left = self._stop - self._start
            where = f"{left} bytes of an unfinished {item}" if left else "its last part is not whole"
            sentence = f"the file is cut short: {where}"
        else:
            sentence = Status(status).sentence + (
                f": {self._unpacked} bytes" if status == Status.LOG_LONG and self._unpacked else ""
            )
            if text:
                sentence = f"column {self._reader.column + 1}: {sentence}{self._shown()}"
        return LogFormatError(
            f"{place}: {sentence}",
            path=name,
            line_number=line if text else None,
            offset=None if text else offset,
        )

    @property
    def _final(self) -> bool:
        """No more bytes come because the recording ends, not because they are damaged or missing."""
        return self._ended and self._failure is None and not self._source.truncated

    def _prime(self) -> None:
        """Read the headers that are there, so that the start is known before the first frame is asked for."""
        nothing: FrameArray = np.empty(0, FD_FRAME_DTYPE)
        while True:
            status, consumed, *_ = self._reader.read(
                self._buffer, self._start, self._stop, self._final, nothing, 0, self._inner
            )
            self._start += consumed
            if status != Status.LOG_START:
                return
            self._begin()

    def _step(self, frames: FrameArray, made: int) -> tuple[int, int]:
        """Decode from what there is: (status, frames made); 0 when more bytes or room are needed."""
        first = made
        while True:
            inner = self._inner[self._inner_start : self._inner_stop]
            status, consumed, count, taken, packing, packed, self._unpacked = self._reader.read(
                self._buffer, self._start, self._stop, self._final, frames, made, inner
            )
            self._start += consumed
            self._inner_start += taken
            made += count
            if count:
                self._latest_ns = int(frames["timestamp_ns"][made - 1])
            if status == Status.LOG_START:
                self._begin()
            elif status == Status.LOG_PACKED:
                failed = self._unpack(packing, packed)
                if failed:
                    return failed, made - first
            else:
                return status, made - first

    def _begin(self) -> None:
        start_ns = self._reader.start_ns
        if start_ns is not None:
            self._reader.epoch_ns, note = epoch_of(start_ns, self._zone, after_ns=self._latest_ns)
            self.note = self.note or note
            self.start = self.start or wall_clock(start_ns)

    def _unpack(self, packing: int, packed: int) -> int:
        """Unpack the next `packed` bytes behind what is left of the part before; a status where that fails."""
        data = self._buffer[self._start : self._start + packed]
        try:
            out = data if packing == _STORED else self._inflate(data)
        except CanalFastError as error:
            if not self._skip:
                self._failure, self._ended = error, True
                self._start = self._stop
                return END
            self._damaged += 1
            self._lost += packed + self._inner_stop - self._inner_start
            self._inner_start = self._inner_stop = 0
            self._start += packed
            return 0
        rest = self._inner_stop - self._inner_start
        self.packed.append(Packed(self.place, packed, rest))
        self.parts, self.inflated = self.parts + 1, self.inflated + len(out)
        self._start += packed
        if rest + len(out) > len(self._inner):
            grown = np.empty(rest + len(out), np.uint8)
            grown[:rest] = self._inner[self._inner_start : self._inner_stop]
            self._inner = grown
        else:
            self._inner[:rest] = self._inner[self._inner_start : self._inner_stop].copy()
        self._inner[rest : rest + len(out)] = out
        self._inner_start, self._inner_stop = 0, rest + len(out)
        return 0

    def _inflate(self, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        module: Any = inflater()
        place = f"{self._source.name}: byte {self._offset + self._start}"
        if len(data) <= _QUICK and self._unpacked <= _logs.ITEM_MAX:
            try:
                return np.frombuffer(module.decompress(data.data, zlib.MAX_WBITS, self._unpacked or 1), np.uint8)
            except (zlib.error, module.error):
                pass  # cut or damaged: more slowly, and with a word on it
        tool = module.decompressobj()
        try:
            out = np.frombuffer(tool.decompress(data.data, _logs.ITEM_MAX + 1), np.uint8)
        except (zlib.error, module.error) as error:
            raise self._bad(f"{place}: a damaged container: {error}") from error
        if len(out) > _logs.ITEM_MAX:
            stated = f" (it states {self._unpacked} bytes)"
            raise self._bad(f"{place}: a container of more than {_logs.ITEM_MAX} bytes{stated}; they are refused")
        if not tool.eof and not self._reader.truncated:
            raise self._bad(f"{place}: a damaged container: its data end after {len(out)} bytes, before they should")
        return out

    def _shown(self) -> str:
        """The bad line's begin, quoted."""
        lines = self._buffer[self._start : min(self._stop, self._start + 200)].tobytes().splitlines()
        if not lines:
            return ""
        if b"\0" in lines[0]:  # what a power cut leaves
            text = lines[0][:40].strip(b"\0").replace(b"\0", b"\\0").decode("utf-8", "replace")
            return f"; the line holds bytes 0, which text does not have{f': {text!r}' if text else ''}"
        return f": {lines[0].decode('utf-8', 'replace')!r}"

    def _bad(self, message: str) -> LogFormatError:
        return LogFormatError(message, path=self._source.name, offset=self._offset + self._start)

    def _fill(self) -> None:
        """Get more bytes behind those not yet taken."""
        kept = self._stop - self._start
        if kept == len(self._buffer):
            if kept > _logs.ITEM_MAX + CHUNK_BYTES:
                self._failure, self._ended = self.error(Status.LOG_LONG), True
                self._start = self._stop
                return
            self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
        elif self._start:
            self._buffer[:kept] = self._buffer[self._start : self._stop].copy()
        self._offset += self._start
        self._start, self._stop = 0, kept
        try:
            got = self._source.readinto(self._buffer.data[kept:])
        except (OSError, CanalFastError) as error:
            self._failure, self._ended = error, True
            return
        self._stop += got
        self._ended = got == 0
