"""Frame records and python-can's messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import canal_fast._messages as _messages
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, check_frames, chosen

if TYPE_CHECKING:
    from can import Message

__all__ = ["from_messages", "to_messages"]

_NO_FRAME = FrameFlag.STATUS | FrameFlag.ERROR_FRAME


def to_messages(frames: FrameArray, channels: Mapping[int, Any] | None = None) -> list[Message]:
    r"""Records as python-can's messages.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    channels : mapping, optional
        Channel number -> what its messages have as `channel`; other channels keep their number.

    Returns
    -------
    list of can.Message
        `timestamp` in seconds, to the 0.24 microseconds that its float has for present dates. STATUS and ERROR_FRAME
        records become error frames. `dlc` is the number of bytes, for remote frames of those asked for, so a
        classical dlc of 9..15 becomes 8. GAP has no counterpart.

    Raises
    ------
    ImportError
        python-can is not installed.

    Examples
    --------
    >>> [message] = cf.to_messages(cf.make_frames(0x123, b"\x01\x02"), channels={0: "can0"})
    >>> message.arbitration_id, message.data.hex(), message.channel
    (291, '0102', 'can0')
    """
    try:
        from can import Message
    except ImportError:
        raise ImportError("python-can's messages need python-can: pip install 'canal_fast[can]'") from None

    return _messages.messages(frames, Message, dict(channels or {}))


def from_messages(
    messages: Iterable[Message], *, fd: bool | None = None, channels: Mapping[Any, int] | None = None
) -> FrameArray:
    r"""python-can's messages as records.

    Parameters
    ----------
    messages : iterable of can.Message
    fd : bool, optional
        True, False: FD_FRAME_DTYPE, FRAME_DTYPE. None: the former when one of the messages is CAN FD.
    channels : mapping, optional
        A message's `channel` -> number, 0..255; other messages get 0.

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Error frames become ERROR_FRAME records, messages that were not received get TX. An FD length that no
        dlc stands for is zero-filled to the next that one does.

    Raises
    ------
    FrameError
        With `.index`: a dlc that does not fit the data, or what no controller could send.

    Examples
    --------
    >>> import can
    >>> frames = cf.from_messages([can.Message(arbitration_id=0x123, is_extended_id=False, data=b"hello")])
    >>> frames["data"][0].tobytes()
    b'hello\x00\x00\x00'
    """
    items = list(messages)
    flexible = any(message.is_fd for message in items) if fd is None else fd
    frames: FrameArray = np.empty(len(items), FD_FRAME_DTYPE if flexible else FRAME_DTYPE)
    _messages.write_frames(items, frames, dict(channels or {}))
    errors = frames["flags"] & _NO_FRAME != 0
    check_frames(frames if not errors.any() else chosen(frames, ~errors))
    return frames
