"""Recordings for `can.LogReader`, and pcapng ones for `can.Logger`."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from can import Message, SizedRotatingLogger
from can.io.generic import BinaryIOMessageReader, BinaryIOMessageWriter

import canal_fast._messages as _messages
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, check_frames
from canal_fast.logs import Recorder, formats, open_log
from canal_fast.logs.files import name_of
from canal_fast.logs.interfaces import plain_name
from canal_fast.messages import to_messages

__all__ = ["PcapngReader", "PcapngWriter", "RecordingReader", "readers", "register"]

_BATCH = 256
_FLUSH_S = 0.5
_CHANNELS = 256


def register() -> None:
    """Let `can.SizedRotatingLogger`, and with it `can.logger -s`, take `.pcapng`, too: it has a list of its own."""
    suffixes: set[str] = getattr(SizedRotatingLogger, "_supported_formats", set())
    suffixes.add(".pcapng")


class PcapngWriter(BinaryIOMessageWriter):
    """Writes messages to a new pcapng file, or to a binary file object, an interface for each `channel` they have.

    What came goes to the system after 256 messages, half a second after the first of them whatever comes, and at
    `stop`. Where the system did not take it, the next call raises. In a forked child all do but `stop`, which does
    nothing.

    Raises
    ------
    ValueError
        `append`: recordings are not appended to. Also from a call, as FrameError: a message that no controller
        could have sent; and more than 256 channels.

    Examples
    --------
    >>> import can
    >>> with can.Logger("car.pcapng") as logger:
    ...     logger(can.Message(arbitration_id=0x123, timestamp=1.5, is_extended_id=False, data=b"hello"))
    >>> cf.read_log("car.pcapng")["arbitration_id"].tolist()
    [291]
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO, append: bool = False, **kwargs: Any) -> None:
        if append:
            raise ValueError(f"{name_of(file)}: pcapng recordings are not appended to")
        self._recorder = Recorder(file)
        self._object = None if isinstance(file, (str, os.PathLike)) else file
        self._frames: FrameArray = np.empty(_BATCH, FD_FRAME_DTYPE)
        self._count = 0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._failure: Exception | None = None
        self._numbers: dict[Any, int] = {}

    def on_message_received(self, msg: Message) -> None:
        self._recorder.check_process()  # first: in a forked child the timer, which is not there, may hold the lock
        with self._lock:
            self._raise_failure()
            self._take(msg)
            if self._count == _BATCH:
                self._write()
            elif self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self._flush_later)
                self._timer.daemon = True
                self._timer.start()

    def _take(self, msg: Message) -> None:
        if msg.channel not in self._numbers:
            self._numbers[msg.channel] = self._describe(msg.channel)
        row = self._frames[self._count : self._count + 1]
        _messages.write_frames([msg], row, self._numbers)
        if not msg.is_error_frame:
            check_frames(row)
        self._count += 1

    def flush(self) -> None:
        """Give the system what came."""
        self._recorder.check_process()
        with self._lock:
            self._raise_failure()
            self._write()

    def _write(self) -> None:
        count, self._count = self._count, 0
        self._recorder.write(self._frames[:count])

    def _flush_later(self) -> None:
        with self._lock:
            self._timer = None
            try:
                if self._count and not self._recorder.closed:
                    self._write()
            except Exception as error:  # there is nobody here to tell
                self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def stop(self) -> None:
        if self._recorder.inherited:
            return
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            try:
                self._raise_failure()
                if not self._recorder.closed:
                    self._write()
            finally:
                self._recorder.close()
                if self._object is not None:  # as python-can's own writers do
                    self._object.close()

    def file_size(self) -> int:
        """Bytes in the file so far."""
        return int(self._recorder.bytes_written)

    def _describe(self, channel: Any) -> int:
        """The channel's number: its own, if it is one, or else the first free one."""
        taken = set(self._numbers.values())
        wanted = [channel] if isinstance(channel, int) and 0 <= channel < _CHANNELS else []
        number: int | None = next((n for n in [*wanted, *range(_CHANNELS)] if n not in taken), None)
        if number is None:
            raise ValueError(f"{self._recorder.path}: channel {channel!r} is one more than {_CHANNELS}")
        if channel is not None:
            text = f"can{channel}" if isinstance(channel, int) else str(channel)
            self._recorder.describe(number, plain_name(text, number))
        return number


class RecordingReader(BinaryIOMessageReader):
    """Iterates over the messages of a recording in any format; `channel` is the interface's name.

    `readers` makes `can.LogReader` use it.

    Examples
    --------
    >>> from canal_fast.python_can.recording import RecordingReader
    >>> with RecordingReader("drive.blf") as reader:
    ...     message = next(iter(reader))
    >>> hex(message.arbitration_id)
    '0x100'
    """

    def __init__(self, file: str | os.PathLike[str] | BinaryIO, **kwargs: Any) -> None:
        self._log = open_log(file)  # and nothing of the base class: it would open the file, too

    def __iter__(self) -> Iterator[Message]:
        for batch in self._log.batches(4096):
            yield from to_messages(batch, self._log.names)

    def stop(self) -> None:
        self._log.close()


class PcapngReader(RecordingReader):
    """The same, for pcapng recordings, which python-can has no reader of its own for.

    Examples
    --------
    >>> import can
    >>> _ = cf.logs.convert("drive.blf", "drive.pcapng")
    >>> with can.LogReader("drive.pcapng") as reader:
    ...     len(list(reader))
    110
    """


def readers() -> dict[str, type[RecordingReader]]:
    """Suffix -> reader, of all formats that are read, for `can.LogReader`.

    python-can lets no plugin replace its own readers of `.asc`, `.blf` and so on, but a program may::

        can.io.player.MESSAGE_READERS.update(canal_fast.python_can.recording.readers())
    """
    return {suffix: RecordingReader for row in formats() if row.reads for suffix in row.suffixes}
