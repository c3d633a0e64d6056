"""Messages with their timing, the order in which the bus takes them, and how long they are."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import number
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, FrameFlag
from canal_fast.wire.lengths import Mode, frame_length_bits

__all__ = ["BusTime", "Message", "bus_order_key", "check_distinct", "records"]

_LENGTHS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64])
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Message:
    """One message of a bus, as an analysis of its timing needs it.

    Attributes
    ----------
    name : str
    arbitration_id : int
    length : int
        Payload bytes, 0..8, with `is_fd` up to 64.
    period_ns : int
        Period, or the least distance of a `sporadic` message.
    jitter_ns : int
        Queueing jitter: how much later than its period says the frame may be queued.
    deadline_ns : int, optional
        From the period's beginning to the frame's end. Default: the period.
    is_extended, is_fd, is_remote : bool
    bitrate_switch : bool, optional
        Default: for FD messages, where there is a data bit rate.
    sender : str, optional
        The node, which says what shares a FIFO queue.
    sporadic : bool
        Sent upon events, at least `period_ns` apart.

    Raises
    ------
    TypeError, ValueError
        A value outside its interval, with the message's name.

    Examples
    --------
    >>> engine = cf.analysis.Message("Engine", 0x100, 8, period_ns=10_000_000, sender="ECU")
    >>> body = cf.analysis.Message("Body", 0x200, 2, period_ns=100_000_000)
    >>> cf.analysis.response_times([engine, body], 500_000).schedulable
    True
    """

    name: str
    arbitration_id: int
    length: int
    period_ns: int
    jitter_ns: int = 0
    deadline_ns: int | None = None
    is_extended: bool = False
    is_fd: bool = False
    is_remote: bool = False
    bitrate_switch: bool | None = None
    sender: str | None = None
    sporadic: bool = False

    def __post_init__(self) -> None:
        limits = {
            "arbitration_id": (0, 0x1FFFFFFF if self.is_extended else 0x7FF),
            "length": (0, 64 if self.is_fd else 8),
            "period_ns": (1, 1 << 62),
            "jitter_ns": (0, 1 << 62),
            "deadline_ns": (1, 1 << 62),
        }
        for field, (low, high) in limits.items():
            value = getattr(self, field)
            if field == "deadline_ns" and value is None:
                continue
            try:
                whole = operator.index(value)
            except TypeError:
                raise TypeError(
                    f"message {self.name!r}: {field} must be an integer, not {type(value).__name__}"
                ) from None
            if not low <= whole <= high:
                raise ValueError(f"message {self.name!r}: {field} = {whole}, allowed {low}..{high}")
        if self.is_fd and self.is_remote:
            raise ValueError(f"message {self.name!r} is remote and CAN FD, which has no remote frames")

    @property
    def due_ns(self) -> int:
        """The deadline, or the period where none was given."""
        return self.period_ns if self.deadline_ns is None else self.deadline_ns

    @property
    def identifier(self) -> str:
        """Hexadecimal, 3 or 8 digits."""
        return f"{self.arbitration_id:0{8 if self.is_extended else 3}X}"


def bus_order_key(frames: FrameArray) -> npt.NDArray[np.uint32]:
    """Arbitration fields as numbers: of frames that begin at once, the lowest wins the bus.

    Identifier (11 bits), RTR or SRR, IDE, then 18 bits and RTR of an extended frame (ISO 11898-1:2015, 10.4.2): a base
    frame wins against an extended one with the same first 11 bits, a data frame against a remote one. A classical and a
    CAN FD frame of one identifier have equal keys: arbitration does not part them.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of u4, shape (n,)

    Examples
    --------
    >>> frames = cf.make_frames([0x200, 0x100, 0x18FEF100], flags=[0, 0, cf.FrameFlag.EXTENDED_ID])
    >>> np.argsort(cf.analysis.bus_order_key(frames)).tolist()
    [1, 0, 2]
    """
    ids = frames["arbitration_id"].astype(np.uint32)
    remote = (frames["flags"] & FrameFlag.REMOTE != 0).astype(np.uint32)
    extended = frames["flags"] & FrameFlag.EXTENDED_ID != 0
    long = (ids >> 18) << 21 | np.uint32(3 << 19) | (ids & 0x3FFFF) << 1 | remote
    keys: npt.NDArray[np.uint32] = np.where(extended, long, ids << 21 | remote << 20).astype(np.uint32)
    return keys


class BusTime:
    """Bit times as whole ticks, of which a second has `per_second`: nothing is rounded.

    Parameters
    ----------
    bitrate, data_bitrate : int, float or Fraction
        bit/s; a float counts as its decimal digits say.

    Raises
    ------
    TypeError, ValueError
    """

    def __init__(self, bitrate: float | Fraction, data_bitrate: float | Fraction | None = None) -> None:
        rates = []
        for name, value in (("bitrate", bitrate), ("data_bitrate", data_bitrate)):
            if value is None:
                continue
            number(name, value)
            if not 1 <= value <= 1e12:
                raise ValueError(f"{name} = {value} bit/s, allowed 1..1e12")
            rates.append(Fraction(value) if isinstance(value, (int, Fraction)) else Fraction(str(value)))
        self.bitrate, self.data_bitrate = bitrate, data_bitrate
        self.per_second = lcm(NANOSECONDS, *(rate.numerator for rate in rates))
        self.per_ns = self.per_second // NANOSECONDS
        self.bit, self.data_bit = (int(self.per_second / rate) for rate in (rates[0], rates[-1]))

    def durations(self, messages: Sequence[Message], mode: Mode) -> list[int]:
        """Ticks of each message's frame with its intermission."""
        if self.data_bitrate is None and (bad := next((m for m in messages if m.bitrate_switch), None)):
            raise ValueError(f"message {bad.name!r} has a bit rate switch, which needs data_bitrate (bit/s)")
        parts = frame_length_bits(records(messages, self.data_bitrate is not None), mode, parts=True)
        return [
            nominal * self.bit + data * self.data_bit
            for nominal, data in zip(parts["nominal"].tolist(), parts["data"].tolist(), strict=True)
        ]

    def up(self, ticks: int) -> int:
        """Whole ns, none less."""
        return -(-ticks // self.per_ns)


def records(messages: Sequence[Message], switch: bool = False) -> FrameArray:
    """A frame of each message with its length, payload zero. `switch`: FD frames switch their rate unless told."""
    frames = np.zeros(len(messages), FD_FRAME_DTYPE)
    frames["arbitration_id"] = [m.arbitration_id for m in messages]
    frames["flags"] = [
        FrameFlag.EXTENDED_ID * m.is_extended
        | FrameFlag.REMOTE * m.is_remote
        | FrameFlag.FD * m.is_fd
        | FrameFlag.BITRATE_SWITCH * (m.is_fd and (switch if m.bitrate_switch is None else m.bitrate_switch))
        for m in messages
    ]
    frames["dlc"] = np.searchsorted(_LENGTHS, [m.length for m in messages])
    return frames


def check_distinct(messages: Sequence[Message]) -> None:
    """Raise ValueError where a name or an arbitration field occurs twice, or there is no message at all."""
    if not messages:
        raise ValueError("there are no messages to analyse")
    names: dict[str, Message] = {}
    keys: dict[int, Message] = {}
    for message, key in zip(messages, bus_order_key(records(messages)).tolist(), strict=True):
        if message.name in names:
            raise ValueError(f"two messages have the name {message.name!r}")
        names[message.name] = message
        if key in keys:
            raise ValueError(
                f"messages {keys[key].name!r} and {message.name!r} have the same arbitration field "
                f"({message.identifier}): the bus has no order for them"
            )
        keys[key] = message
