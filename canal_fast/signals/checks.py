"""Checksums and counters that senders put into payloads: what does not agree becomes a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SignalError
from canal_fast.frames import FrameArray, chosen, payload_length

from . import _signals
from .description import Message, Signal, suggest

__all__ = ["ALGORITHMS", "Check", "Checksum", "Counter", "checked", "violations"]

Array = npt.NDArray[Any]
ALGORITHMS = {  # polynomial, initial value, final exclusive or
    "sae_j1850": (0x1D, 0xFF, 0xFF),
    "sae_j1850_zero": (0x1D, 0x00, 0x00),  # of AUTOSAR's end-to-end profile 1
    "autosar_8h2f": (0x2F, 0xFF, 0xFF),
    "xor": (None, 0x00, 0x00),
}
"""Eight-bit checksums by name (SAE J1850; AUTOSAR, Specification of CRC Routines)."""


@dataclass(frozen=True)
class Checksum:
    """A byte of the payload that is a checksum of the others.

    Attributes
    ----------
    signal : str
        Eight bits that are one byte.
    algorithm : str
        A key of `ALGORITHMS`.
    first, last : int
        Bytes first .. last - 1 of the payload count, without the checksum's own. Default: all of the message's.
    suffix : bytes
        What the sender appends before it computes, such as a data identifier.

    Examples
    --------
    >>> signals = (cf.signals.Signal("speed", 0, 16), cf.signals.Signal("crc", 56, 8))
    >>> db = cf.signals.Database([cf.signals.Message("Engine", 0x100, False, False, 8, signals)])
    >>> plan = db.plan(checks={"Engine": [cf.signals.Checksum("crc")]})
    >>> plan.decode(cf.make_frames(0x100, bytes(8)))["Engine"].columns["crc_violation"].tolist()
    [True]
    """

    signal: str
    algorithm: str = "sae_j1850"
    first: int = 0
    last: int | None = None
    suffix: bytes = b""

    def check(self, message: Message) -> None:
        """Raise where it cannot be one."""
        signal = _known(message, self.signal)
        if self.algorithm not in ALGORITHMS:
            raise SignalError(f"algorithm = {self.algorithm!r}{suggest(self.algorithm, ALGORITHMS)}")
        if signal.length != 8 or signal.first_position % 8:
            raise SignalError(
                f"{message.name}.{signal.name}: a checksum is one whole byte, and not {signal.length} bits from bit "
                f"{signal.start}"
            )

    def violated(self, message: Message, frames: FrameArray, raw: Array) -> npt.NDArray[np.bool_]:
        """Rows whose byte is another than computed."""
        signal = message[self.signal]
        place = signal.first_position // 8
        data = np.ascontiguousarray(frames["data"])
        length, results = payload_length(frames), np.empty(len(frames), np.uint8)
        last = message.length if self.last is None else self.last
        suffix = np.frombuffer(self.suffix or b"", np.uint8)
        polynomial, initial, final_xor = ALGORITHMS[self.algorithm]
        if polynomial is None:
            _signals.xor8(data, length, self.first, last, place, suffix, initial, results)
        else:
            _signals.crc8(data, length, self.first, last, place, suffix, polynomial, initial, final_xor, results)
        different: npt.NDArray[np.bool_] = results != data[:, min(place, data.shape[1] - 1)]
        return different


@dataclass(frozen=True)
class Counter:
    """A signal that goes up with each frame. The first frame of a call has none before it and counts as right.

    A frame without its value (multiplexed away, too short, not available) is stepped over: it is no violation, and the
    one after it is compared with the last that has one.

    Attributes
    ----------
    signal : str
    modulus : int, optional
        It runs from 0 to modulus - 1. Default: 2 to the number of its bits.
    step : int

    Examples
    --------
    >>> checks = {"Engine": [cf.signals.Counter("counter")]}
    >>> plan = cf.load_database("car.dbc").plan(["Engine"], checks=checks)
    >>> frames = cf.read_log("drive.blf")
    >>> table = plan.decode(np.delete(frames, 20))["Engine"]  # one is missing
    >>> np.flatnonzero(table.columns["counter_violation"]).tolist()
    [18]
    """

    signal: str
    modulus: int | None = None
    step: int = 1

    def check(self, message: Message) -> None:
        """Raise where it cannot be one."""
        signal = _known(message, self.signal)
        most = 1 << signal.length
        if signal.is_float or signal.is_signed or not 2 <= (self.modulus or most) <= most:
            raise SignalError(
                f"{message.name}.{signal.name}: a counter is an unsigned integer with a modulus of 2..{most}, "
                f"not {self.modulus}"
            )

    def violated(self, message: Message, frames: FrameArray, raw: Array) -> npt.NDArray[np.bool_]:
        """Rows whose value is not that of the row before it and one step more."""
        raw = raw.astype(np.int64)
        modulus = self.modulus or 1 << message[self.signal].length
        wrong = np.zeros(len(raw), np.bool_)
        wrong[1:] = (raw[1:] - raw[:-1] - self.step) % modulus != 0
        if self.modulus is not None:
            wrong |= raw >= modulus
        return wrong


Check = Checksum | Counter


def _known(message: Message, name: str) -> Signal:
    try:
        return message[name]
    except KeyError as error:
        raise SignalError(str(error.args[0])) from None


def checked(
    messages: Sequence[Message], checks: Mapping[str, Sequence[Check]] | None
) -> tuple[tuple[str, tuple[Check, ...]], ...]:
    """The checks of each message, found possible."""
    known = {message.name: message for message in messages}
    found = []
    for name, wanted in sorted((checks or {}).items()):
        if name not in known:
            raise SignalError(f"the plan has no message {name!r}{suggest(name, known)}")
        for one in wanted:
            one.check(known[name])
        found.append((name, tuple(wanted)))
    return tuple(found)


def violations(
    checks: Sequence[Check],
    message: Message,
    frames: FrameArray,
    raw: Mapping[str, Array],
    valid: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, npt.NDArray[np.bool_]]:
    """A bool column `<signal>_violation` for each check, from the signals' raw values; False where there is none."""
    found = {}
    for one in checks:
        rows = np.flatnonzero(valid.get(one.signal, np.ones(len(frames), np.bool_)))
        column = found[f"{one.signal}_violation"] = np.zeros(len(frames), np.bool_)
        column[rows] = one.violated(message, chosen(frames, rows), raw[one.signal][rows])
    return found
