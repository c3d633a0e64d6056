"""What a database says of its messages and signals: plain, immutable, picklable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Message", "Problem", "Signal", "parameter_group", "suggest"]

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Signal:
    r"""One signal of a message.

    Attributes
    ----------
    name : str
    start : int
        In the numbering of DBC files: bit b is bit b % 8 of byte b // 8; the least significant bit of a little-endian
        signal, the most significant one of a big-endian one.
    length : int
        Bits, 1..64.
    big_endian, is_signed, is_float : bool
        `is_float`: the raw value is a float16, float32 or float64.
    scale, offset : int or float
        physical = raw * scale + offset.
    unit : str or None
    choices : tuple of (raw value, text)
        The value table; empty where there is none.
    minimum, maximum : float or None
        As the database has them. Nothing is cut to them.
    initial : int or float
        Raw value that `encode` takes where none is given.
    multiplexer : str or None
        The signal that says when this one is there.
    multiplexer_ids : tuple of (low, high)
        Raw unsigned values of `multiplexer` with which it is; both ends are inside.

    Examples
    --------
    >>> speed = cf.load_database("car.dbc").messages[0].signals[0]
    >>> speed.name, speed.scale, speed.unit
    ('speed', 0.25, 'rpm')
    >>> level = cf.signals.Signal("level", 0, 8, scale=0.5, unit="%")  # without a file
    >>> db = cf.signals.Database([cf.signals.Message("Tank", 0x300, False, False, 1, (level,))])
    >>> db.plan().decode(cf.make_frames(0x300, b"\x64"))["Tank"].columns["level"].tolist()
    [50.0]
    """

    name: str
    start: int
    length: int
    big_endian: bool = False
    is_signed: bool = False
    is_float: bool = False
    scale: int | float = 1
    offset: int | float = 0
    unit: str | None = None
    choices: tuple[tuple[int, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    initial: int | float = 0
    multiplexer: str | None = None
    multiplexer_ids: Ranges = ()

    @property
    def first_position(self) -> int:
        """First bit, counted from the most significant bit of byte 0 for big-endian signals, else `start`."""
        return 8 * (self.start // 8) + 7 - self.start % 8 if self.big_endian else self.start

    @property
    def raw_bounds(self) -> tuple[int, int]:
        """Least and greatest raw value, of a signal that is no float."""
        if self.is_signed:
            return -(1 << self.length - 1), (1 << self.length - 1) - 1
        return 0, (1 << self.length) - 1

    @property
    def texts(self) -> dict[int, str]:
        """Raw value -> text, of the raw values that the signal can have."""
        low, high = self.raw_bounds
        return {raw: text for raw, text in self.choices if self.is_float or low <= raw <= high}

    @property
    def payload_bytes(self) -> int:
        """Bytes that a payload must have to hold the signal wholly."""
        return (self.first_position + self.length + 7) // 8

    @property
    def bits(self) -> int:
        """The places of its bits, as a mask: 8 * byte + bit of the byte."""
        first = self.first_position
        if not self.big_endian:
            return ((1 << self.length) - 1) << first
        return sum(1 << (8 * (p // 8) + 7 - p % 8) for p in range(first, first + self.length))


@dataclass(frozen=True)
class Message:
    """One message of a database.

    Attributes
    ----------
    name : str
    arbitration_id : int
    is_extended, is_fd : bool
    length : int
        Payload bytes.
    signals : tuple of Signal
        In the database's order.
    by_pgn : bool
        J1939: frames are matched by parameter group, whatever their priority, source and destination.
    cycle_time_ms : int or None
    senders : tuple of str

    Examples
    --------
    >>> message = cf.load_database("car.dbc").messages[0]
    >>> message.name, hex(message.arbitration_id), message.length, message.cycle_time_ms
    ('Engine', '0x100', 8, 10)
    """

    name: str
    arbitration_id: int
    is_extended: bool
    is_fd: bool
    length: int
    signals: tuple[Signal, ...]
    by_pgn: bool = False
    cycle_time_ms: int | None = None
    senders: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Signal:
        for signal in self.signals:
            if signal.name == name:
                return signal
        raise KeyError(f"{self.name} has no signal {name!r}{suggest(name, [s.name for s in self.signals])}")

    @property
    def pgn(self) -> int:
        """Parameter group number of its identifier."""
        return parameter_group(self.arbitration_id)


@dataclass(frozen=True)
class Problem:
    """Something in a database that an engineer should know.

    Attributes
    ----------
    kind : str
        "duplicate id", "duplicate name", "duplicate pgn", "overlap", "beyond message", "conversion", "multiplexer",
        "length", "value table", "container".
    message : str
    signal : str or None
    sentence : str
        What is wrong and what is done about it.
    left_out : bool
        The signal is in no plan.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("short.dbc").write_text(Path("car.dbc").read_text().replace("Engine: 8", "Engine: 2"))
    >>> [problem.kind for problem in cf.load_database("short.dbc").problems]
    ['beyond message', 'beyond message', 'beyond message']
    """

    kind: str
    message: str
    signal: str | None
    sentence: str
    left_out: bool = False

    def __str__(self) -> str:
        return self.sentence


def parameter_group(arbitration_id: int) -> int:
    """Number of a 29-bit identifier's group (J1939-21: a PDU format below 240 has a destination, no part of it)."""
    pgn = arbitration_id >> 8 & 0x3FFFF
    return pgn & 0x3FF00 if pgn >> 8 & 0xFF < 240 else pgn


def suggest(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for a name that is not among those known."""
    from difflib import get_close_matches  # which takes a millisecond to load

    names = sorted(set(known))
    lower = {n.lower(): n for n in names}
    close = [lower[n] for n in get_close_matches(name.lower(), list(lower), 3, 0.6)]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    if not names:
        return "; there are none"
    return f"; there are {', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}"
