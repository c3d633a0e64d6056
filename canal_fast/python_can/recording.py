"""pcapng recordings for `can.Logger` and `can.LogReader`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from can import Message
from can.io.generic import MessageReader, MessageWriter

import canal_fast._messages as _messages
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, check_frames
from canal_fast.logs import Recorder, open_log
from canal_fast.logs.interfaces import plain_name
from canal_fast.messages import to_messages

__all__ = ["PcapngReader", "PcapngWriter"]

_BATCH = 256
_FLUSH_S = 0.5
_CHANNELS = 256


class PcapngWriter(MessageWriter):
    """Writes messages to a new pcapng file, an interface for each `channel` they have.

    What came goes to the system after 256 messages, with the first message half a second or more after the last
    time, and at `stop`.

    Raises
    ------
    ValueError
        `append`: recordings are not appended to. Also from a call, as FrameError: a message that no controller
        could have sent; and more than 256 channels.
    """

    def __init__(self, file: str | os.PathLike[str], append: bool = False, **kwargs: Any) -> None:
        if append:
            raise ValueError(f"{os.fspath(file)}: pcapng recordings are not appended to")
        self._recorder = Recorder(file)
        self._frames: FrameArray = np.empty(_BATCH, FD_FRAME_DTYPE)
        self._count = 0
        self._flush_at = 0.0
        self._numbers: dict[Any, int] = {}

    def on_message_received(self, msg: Message) -> None:
        if msg.channel not in self._numbers:
            self._numbers[msg.channel] = self._describe(msg.channel)
        row = self._frames[self._count : self._count + 1]
        _messages.write_frames([msg], row, self._numbers)
        if not msg.is_error_frame:
            check_frames(row)
        self._count += 1
        if self._count == _BATCH or time.monotonic() >= self._flush_at:
            self.flush()

    def flush(self) -> None:
        """Give the system what came."""
        count, self._count = self._count, 0
        self._recorder.write(self._frames[:count])
        self._flush_at = time.monotonic() + _FLUSH_S

    def stop(self) -> None:
        if not self._recorder.closed:
            self.flush()
            self._recorder.close()

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


class PcapngReader(MessageReader):
    """Iterates over the messages of a pcapng recording; `channel` is the interface's name."""

    def __init__(self, file: str | os.PathLike[str], **kwargs: Any) -> None:
        self._log = open_log(file)

    def __iter__(self) -> Iterator[Message]:
        for batch in self._log.batches(4096):
            yield from to_messages(batch, self._log.names)

    def stop(self) -> None:
        self._log.close()
