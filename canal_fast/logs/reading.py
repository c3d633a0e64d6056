"""Reading recordings: `LogFile`."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from canal_fast.errors import FrameError, LogFormatError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray
from canal_fast.status import Status

from . import _logs
from .writing import plain_name

__all__ = ["LogFile", "LogInterface"]

Path = str | os.PathLike[str]

_END = -1
_BUFFER_BYTES = 1 << 20
BATCH_FRAMES = 65_536
_PCAPNG = b"\n\r\r\n"
_LINK_CAN = 227
_PCAP = "a classic pcap file is not supported; convert it: editcap -F pcapng IN OUT.pcapng"
_REFUSED = {
    b"\xa1\xb2\xc3\xd4": _PCAP,
    b"\xd4\xc3\xb2\xa1": _PCAP,
    b"\xa1\xb2\x3c\x4d": _PCAP,
    b"\x4d\x3c\xb2\xa1": _PCAP,
    b"\x1f\x8b": "the file is compressed; unpack it first: gzip -d FILE",
}


@dataclass(frozen=True)
class LogInterface:
    """One interface of a recording.

    Attributes
    ----------
    name : str
    channel : int
        What its frames have in `channel`.
    bitrate : int or None
        In bit/s, where the recording says it.
    frames : int
        Frames read from it so far (modulo 2**32).
    statistics : dict or None
        The last Interface Statistics Block: ifrecv, ifdrop, filteraccept, osdrop, usrdeliv, each an
        int, or None where the block leaves it out. None where there is no such block.
    """

    name: str
    channel: int
    bitrate: int | None
    frames: int
    statistics: dict[str, int | None] | None


class LogFile:
    """A recording open for reading, as `open_log` returns it.

    Iterate `batches`; `interfaces`, `statistics`, `skipped` and `truncated` tell what was met so
    far, so ask them when the iteration has ended.

    Attributes
    ----------
    path : str
    format : "pcapng" or "candump"
    truncated : bool
        The file ends inside a block (pcapng), or its last line has no line end and does not parse
        (candump): the rest of it is missing. Every whole block and line was read.
    """

    def __init__(self, path: Path, *, strict: bool = False) -> None:
        self.path = os.fspath(path)
        self.truncated = False
        self._strict = strict
        self._buffer = np.empty(_BUFFER_BYTES, np.uint8)
        self._start = self._stop = self._offset = 0
        self._ended = self._too_long = False
        self._file = io.FileIO(self.path)
        try:
            self._fill()
            self.format = self._recognise(self._buffer[: min(self._stop, 512)].tobytes())
        except BaseException:
            self._file.close()
            raise
        self._reader = _logs.LogReader(self.format == "candump")

    def batches(self, max_frames: int = BATCH_FRAMES, fd: bool | None = None) -> Iterator[FrameArray]:
        """The frames in file order, at most `max_frames` at a time.

        Parameters
        ----------
        max_frames : int
        fd : bool, optional
            None, True: arrays of FD_FRAME_DTYPE. False: of FRAME_DTYPE.

        Raises
        ------
        LogFormatError
            The file breaks its format; the frames before that place have come first. With
            `strict`, also when the file is truncated.
        FrameError
            `fd=False`, and the file holds an FD frame.
        """
        if max_frames < 1:
            raise ValueError(f"max_frames = {max_frames}, allowed 1 and above")
        dtype = FRAME_DTYPE if fd is False else FD_FRAME_DTYPE
        status = 0
        while status != _END:
            frames: FrameArray = np.empty(max_frames, dtype)
            made, status = self._read(frames)
            if made:
                yield frames[:made]
            if status > 0:
                raise self._error(status)
        self._finish()

    def read(self, fd: bool | None = None) -> FrameArray:
        """The rest of the frames as one array; `fd=None` takes the dtype that fits what is there."""
        dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        parts: list[FrameArray] = []
        status = 0
        while status != _END:
            frames: FrameArray = np.empty(BATCH_FRAMES, dtype)
            made, status = self._read(frames)
            parts.append(frames if made == len(frames) else frames[:made].copy())
            if status == Status.FD_IN_CLASSICAL and fd is None:
                dtype = FD_FRAME_DTYPE
            elif status > 0:
                raise self._error(status)
        self._finish()
        return _join(parts, dtype)

    @property
    def interfaces(self) -> list[LogInterface]:
        """CAN interfaces met so far."""
        return [
            LogInterface(name, channel, speed or None, frames, _counters(counters))
            for name, channel, speed, link, frames, counters in self._reader.interfaces()
            if self.format == "candump" or link == _LINK_CAN
        ]

    @property
    def names(self) -> dict[int, str]:
        """Channel -> interface name as candump text can take it: no white space, 1 to 63 bytes."""
        return {row.channel: plain_name(row.name, row.channel) for row in self.interfaces}

    @property
    def statistics(self) -> dict[str, dict[str, int | None]]:
        """Interface name -> counters of its last Interface Statistics Block, where there is one."""
        return {row.name: row.statistics for row in self.interfaces if row.statistics is not None}

    @property
    def skipped(self) -> int:
        """Packets passed over so far: other link types, CAN XL, payload cut off, no time stamp."""
        return self._reader.skipped

    def close(self) -> None:
        """Close the file; what was read stays readable."""
        self._file.close()

    def __enter__(self) -> LogFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recognise(self, head: bytes) -> str:
        for magic, sentence in _REFUSED.items():
            if head.startswith(magic):
                raise LogFormatError(f"{self.path}: {sentence}", path=self.path, offset=0)
        if head.startswith(_PCAPNG) or (_PCAPNG.startswith(head) and self.path.endswith(".pcapng")):
            return "pcapng"
        if b"\0" in head:
            raise LogFormatError(f"{self.path}: neither pcapng nor candump text", path=self.path, offset=0)
        return "candump"

    def _fill(self) -> None:
        """Get more bytes behind those not yet taken."""
        kept = self._stop - self._start
        self._buffer[:kept] = self._buffer[self._start : self._stop].copy()
        self._offset += self._start
        self._start, self._stop = 0, kept
        if kept == len(self._buffer) and self.format == "candump":
            self._too_long = True  # no line is as long as that: have it parsed and refused
            return
        if kept == len(self._buffer):
            self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
        got = self._file.readinto(self._buffer.data[kept:])
        self._stop += got
        self._ended = got == 0

    def _read(self, frames: FrameArray) -> tuple[int, int]:
        """Fill `frames`: (number made, status of what is in the way). 0: they are full; _END: end of the file."""
        made = 0
        text = self.format == "candump"
        while made < len(frames):
            final = self._ended or self._too_long
            status, consumed, count = self._reader.read(self._buffer, self._start, self._stop, final, frames, made)
            self._too_long = False
            self._start += consumed
            made += count
            rest = self._buffer[self._start : self._stop]
            if status == 0 and made < len(frames) and not self._ended:
                self._fill()
            elif self._ended and (
                status == 0 or (text and status != Status.FD_IN_CLASSICAL and not (rest == 0x0A).any())
            ):
                if made < len(frames):
                    self.truncated = rest.size > 0
                    return made, _END
            elif status:
                return made, status
        return made, 0

    def _finish(self) -> None:
        if self.truncated and self._strict:
            raise self._error(_END)

    def _error(self, status: int) -> FrameError | LogFormatError:
        text = self.format == "candump"
        line = self._reader.lines + 1
        offset = self._offset + self._start
        place = f"{self.path}: line {line}" if text else f"{self.path}: byte {offset}"
        if status == Status.FD_IN_CLASSICAL:
            return FrameError(f"{place}: {Status(status).sentence}; read it with fd=True")
        if status == _END:
            left = self._stop - self._start
            sentence = f"the file is cut short: {left} bytes of an unfinished {'line' if text else 'block'}"
        else:
            sentence = Status(status).sentence
            if text:
                shown = self._buffer[self._start : min(self._stop, self._start + 200)].tobytes().splitlines()[0]
                sentence = f"column {self._reader.column + 1}: {sentence}: {shown.decode('utf-8', 'replace')!r}"
        return LogFormatError(
            f"{place}: {sentence}",
            path=self.path,
            line_number=line if text else None,
            offset=None if text else offset,
        )


def _counters(values: tuple[int | None, ...]) -> dict[str, int | None] | None:
    return dict(zip(_logs.COUNTER_NAMES, values, strict=True)) if any(v is not None for v in values) else None


def _join(parts: list[FrameArray], dtype: np.dtype[np.void]) -> FrameArray:
    if len(parts) == 1 and parts[0].dtype == dtype:
        return parts[0]
    frames: FrameArray = np.zeros(sum(map(len, parts)), dtype)
    at = 0
    for part in parts:
        rows = frames[at : at + len(part)]
        at += len(part)
        if part.dtype == dtype:
            rows[:] = part
            continue
        for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
            rows[name] = part[name]
        rows["data"][:, :8] = part["data"]
    return frames
