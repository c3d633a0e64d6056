"""What `Plan.decode` gives: `Tables`, a `Table` for each message."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from canal_fast.arrow import TIMESTAMP_NS, column, dictionary_column, stream
from canal_fast.extras import imported
from canal_fast.frames import FrameArray, chosen

from .checks import Check, violations
from .description import Message, Signal, suggest

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["DecodeCounts", "Options", "Table", "Tables"]

Array = npt.NDArray[Any]
_SIZES = {kind: int(kind[1]) for kind in ("b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")}
_LOOKUP_BITS = 16  # value tables of signals up to this are looked up in an array of all raw values


@dataclass(frozen=True)
class Options:
    """What `Database.plan` was told."""

    dictionary: bool = False
    j1939_nulls: bool = False
    scaling: bool = True
    checks: tuple[tuple[str, tuple[Check, ...]], ...] = ()


@dataclass(frozen=True)
class DecodeCounts:
    """Where the frames of a call went; the four add up to their number, and counts of several calls add.

    Attributes
    ----------
    decoded : int
        Frames whose every signal of the plan was there (or multiplexed away).
    unknown_id : int
        Frames of messages that are not in the plan.
    short : int
        Frames too short for some signal of the plan, which is null there; the others are decoded.
    not_decodable : int
        Remote frames, error frames and STATUS records.

    Examples
    --------
    >>> plan = cf.load_database("car.dbc").plan(["Engine"])
    >>> plan.decode(cf.read_log("drive.blf")).counts
    DecodeCounts(decoded=100, unknown_id=10, short=0, not_decodable=0)
    """

    decoded: int = 0
    unknown_id: int = 0
    short: int = 0
    not_decodable: int = 0

    def __add__(self, other: DecodeCounts) -> DecodeCounts:
        if not isinstance(other, DecodeCounts):
            return NotImplemented
        return DecodeCounts(**{name: value + getattr(other, name) for name, value in vars(self).items()})


class Table:
    """The frames of one message as columns, made by `Plan.decode`.

    Arrow's consumers take it as it is (`pyarrow.table(table)`).

    Attributes
    ----------
    message : Message
    timestamp_ns : array of i8, shape (n,)
    source_row : array of i8, shape (n,)
        Numbers of the frames in what was decoded.
    columns : mapping of str to array, shape (n,)
        Signals by name, and behind them `<signal>_violation` (bool) for each check of the plan. Of messages matched by
        parameter group, `priority`, `source_address` and `destination_address` (255 where the group has none) come
        first. Where a value is null, integers are 0 and floats NaN.
    valid : mapping of str to array of bool, shape (n,)
        False where the signal has no value: multiplexed away, the frame too short, or not available (`j1939_nulls`).
    texts : mapping of str to list of str
        Of dictionary columns: what their numbers stand for.

    Examples
    --------
    >>> plan = cf.load_database("car.dbc").plan(choices="dictionary")
    >>> engine = plan.decode(cf.read_log("drive.blf"))["Engine"]
    >>> engine.columns["speed"][:3].tolist(), engine.units["speed"]
    ([800.0, 810.0, 820.0], 'rpm')
    >>> engine.texts["gear"]
    ['neutral', 'first', 'second']
    >>> (engine.timestamp_ns[1] - engine.timestamp_ns[0]).item()
    10000000
    """

    def __init__(
        self,
        message: Message,
        timestamp_ns: Array,
        source_row: Array,
        columns: dict[str, Array],
        valid: dict[str, Array],
        texts: dict[str, list[str]],
    ) -> None:
        self.message = message
        self.timestamp_ns = timestamp_ns
        self.source_row = source_row
        self.columns = columns
        self.partial = valid
        self.texts = texts

    def __len__(self) -> int:
        return len(self.timestamp_ns)

    def __getitem__(self, name: str) -> Array:
        if name not in self.columns:
            raise KeyError(f"{self.message.name} has no signal {name!r}{suggest(name, self.columns)}")
        return self.columns[name]

    def __repr__(self) -> str:
        return f"<Table {self.message.name}: {len(self)} rows, {', '.join(self.columns)}>"

    @property
    def valid(self) -> Mapping[str, npt.NDArray[np.bool_]]:
        return _Valid(self)

    @property
    def units(self) -> dict[str, str | None]:
        """Signal name -> unit."""
        return {signal.name: signal.unit for signal in self.message.signals}

    def take(self, rows: Array) -> Table:
        """The table of some rows (indexes or a mask)."""
        return Table(
            self.message,
            self.timestamp_ns[rows],
            self.source_row[rows],
            {name: values[rows] for name, values in self.columns.items()},
            {name: values[rows] for name, values in self.partial.items()},
            self.texts,
        )

    def split_multiplex(self) -> dict[tuple[tuple[str, int, int], ...], Table]:
        """A table for each set of multiplexer values that occurs, with the signals that are there and no others.

        Returns
        -------
        dict
            Key: ((multiplexer, low, high), ...), the ranges that select; () has the signals that are always there.

        Examples
        --------
        >>> tables = cf.load_database("car.dbc").plan().decode(cf.read_log("drive.blf"))
        >>> len(tables["Engine"].split_multiplex())  # nothing is multiplexed: one part
        1
        """
        groups: dict[tuple[tuple[str, int, int], ...], list[Signal]] = {}
        for signal in self.message.signals:
            ranges = tuple((signal.multiplexer or "", low, high) for low, high in signal.multiplexer_ids)
            groups.setdefault(ranges, []).append(signal)
        found = {}
        for key, signals in groups.items():
            names = [signal.name for signal in signals]
            held = np.logical_or.reduce([self.valid[name] for name in names])
            part = self.take(np.flatnonzero(held))
            if len(part):
                part.columns = {name: part.columns[name] for name in names}
                part.partial = {n: v for n, v in part.partial.items() if n in names and not v.all()}
                found[key] = part
        return found

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        columns = [column(free("timestamp", self.columns), self.timestamp_ns, form=TIMESTAMP_NS)]
        units = self.units
        for name, values in self.columns.items():
            unit = units.get(name)
            metadata = {"unit": unit} if unit else None
            valid = self.partial.get(name)
            if name in self.texts:
                columns.append(dictionary_column(name, values, self.texts[name], valid, metadata))
            else:
                columns.append(column(name, values, valid, metadata=metadata))
        return stream(columns, len(self))

    def to_pandas(self) -> Any:
        """A pandas DataFrame, indexed by time; integers with nulls become nullable ones, texts categories.

        Examples
        --------
        >>> tables = cf.load_database("car.dbc").plan().decode(cf.read_log("drive.blf"))
        >>> float(tables["Engine"].to_pandas()["speed"].max())
        1790.0
        """
        pandas = imported("pandas", "to_pandas")
        columns: dict[str, Any] = {}
        for name, values in self.columns.items():
            valid = self.partial.get(name)
            if name in self.texts:
                codes = values if valid is None else np.where(valid, values, -1)
                columns[name] = pandas.Categorical.from_codes(codes, self.texts[name])
            elif valid is not None and values.dtype.kind != "f":
                kind = pandas.arrays.BooleanArray if values.dtype.kind == "b" else pandas.arrays.IntegerArray
                columns[name] = kind(values, ~valid)
            else:
                columns[name] = values
        index = pandas.DatetimeIndex(self.timestamp_ns.view("datetime64[ns]"), tz="UTC", name="timestamp")
        return pandas.DataFrame(columns, index=index)

    def to_polars(self) -> Any:
        """A polars DataFrame, through Arrow, without pyarrow.

        Examples
        --------
        >>> tables = cf.load_database("car.dbc").plan().decode(cf.read_log("drive.blf"))
        >>> tables["Engine"].to_polars()["speed"].max()
        1790.0
        """
        return imported("polars", "to_polars").DataFrame(self)


def free(name: str, taken: Container[str]) -> str:
    """The name, with as many underscores behind it as make it another than those taken."""
    while name in taken:
        name += "_"
    return name


class _Valid(Mapping[str, npt.NDArray[np.bool_]]):
    """Every column has an array, those without nulls on demand."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __getitem__(self, name: str) -> npt.NDArray[np.bool_]:
        held = self._table.partial.get(name)
        return np.ones(len(self._table[name]), np.bool_) if held is None else held

    def __iter__(self) -> Iterator[str]:
        return iter(self._table.columns)

    def __len__(self) -> int:
        return len(self._table.columns)


class Tables(Mapping[str, Table]):
    """Message name -> `Table`, as `Plan.decode` gives them: messages that occurred; others of the plan are empty.

    Attributes
    ----------
    counts : DecodeCounts

    Examples
    --------
    >>> tables = cf.load_database("car.dbc").plan().decode(cf.read_log("drive.blf"))
    >>> for name, table in tables.items():
    ...     print(name, list(table.columns))
    Engine ['speed', 'temperature', 'gear', 'counter']
    Body ['door_open']
    >>> tables.counts.decoded
    110
    """

    def __init__(
        self, plan: Plan, counts: DecodeCounts, places: Array, columns: Array, memory: Array, frames: FrameArray
    ) -> None:
        self.counts = counts
        self._plan = plan
        self._rows = places[:, 0]
        self._places = places
        self._columns = columns
        self._views = {kind: memory.view(kind) for kind in _SIZES}
        self._checked = {}  # copies: the caller may fill his array anew before he asks for a table
        for name in plan.checks:
            rows, _, source = places[plan.number(name), :3].tolist()
            self._checked[name] = chosen(frames, self._view(source, rows, "i8"))
        self._made: dict[str, Table] = {}
        self._start = 0

    def shift(self, start: int) -> None:
        """Let `source_row` of tables not yet asked for count from -`start`."""
        self._start = start

    def __iter__(self) -> Iterator[str]:
        return (self._plan.messages[number].name for number in np.flatnonzero(self._rows))

    def __len__(self) -> int:
        return int(np.count_nonzero(self._rows))

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __repr__(self) -> str:
        return f"<Tables of {', '.join(f'{name} ({len(self[name])})' for name in self) or 'nothing'}; {self.counts}>"

    def __getitem__(self, name: str) -> Table:
        if name not in self._made:
            try:
                number = self._plan.number(name)
            except ValueError as error:
                raise KeyError(str(error)) from None
            self._made[name] = self._table(number)
        return self._made[name]

    def _view(self, at: int, rows: int, kind: str) -> Array:
        """A column; slices of one view a type are the cheapest arrays that numpy makes."""
        first = at // _SIZES[kind]
        return self._views[kind][first : first + rows] if rows else np.empty(0, kind)

    def _table(self, number: int) -> Table:
        message, view = self._plan.messages[number], self._view
        rows, time, source, identifier, _, _ = self._places[number].tolist()
        source_row = view(source, rows, "i8")
        if self._start:
            source_row = source_row + self._start
        columns: dict[str, Array] = {}
        valid: dict[str, Array] = {}
        texts: dict[str, list[str]] = {}
        checks = self._plan.checks.get(message.name, ())
        checked, raw = {one.signal for one in checks}, {}
        if message.by_pgn:
            taken = {signal.name for signal in message.signals}
            for name, values in _addresses(view(identifier, rows, "u4")).items():
                columns[free(name, taken)] = values
        first = self._plan.first_signal(number)
        places = self._columns[first : first + len(message.signals)].tolist()
        for (name, kind, words), (at, held) in zip(self._plan.specifications(number), places, strict=True):
            values = view(at, rows, kind)
            if held >= 0:
                valid[name] = view(held, rows, "b1")
            if name in checked:
                raw[name] = values if words or not self._plan.options.scaling else _unscaled(message[name], values)
            if words is not None:
                values, texts[name] = _looked_up(words, values, valid.get(name))
            columns[name] = values
        if checks:
            columns |= violations(checks, message, self._checked[message.name], raw, valid)
            for one in checks:
                if one.signal in valid:
                    valid[f"{one.signal}_violation"] = valid[one.signal]
        return Table(message, view(time, rows, "i8"), source_row, columns, valid, texts)


def _addresses(identifiers: Array) -> dict[str, Array]:
    """Priority, source and destination of 29-bit identifiers (J1939-21)."""
    specific = (identifiers >> 16 & 0xFF) < 240
    return {
        "priority": (identifiers >> 26 & 7).astype(np.uint8),
        "source_address": identifiers.astype(np.uint8),
        "destination_address": np.where(specific, identifiers >> 8 & 0xFF, 255).astype(np.uint8),
    }


def _unscaled(signal: Signal, values: Array) -> Array:
    """Raw values of an integer signal from physical ones; exact up to 53 bits."""
    if signal.scale == 1 and signal.offset == 0:
        return values
    return np.rint((values.astype(np.float64) - signal.offset) / signal.scale)


def _looked_up(signal: Signal, raw: Array, valid: Array | None) -> tuple[Array, list[str]]:
    """Raw values to numbers of texts: those of the value table first, then the numbers that have none."""
    words = signal.texts
    texts = list(dict.fromkeys(words.values()))
    numbers = {text: number for number, text in enumerate(texts)}
    table = {value: numbers[text] for value, text in words.items()}

    def known(value: int) -> int:
        if value not in table:
            text = str(value * signal.scale + signal.offset)
            if text not in numbers:
                numbers[text] = len(texts)
                texts.append(text)
            table[value] = numbers[text]
        return table[value]

    held = raw if valid is None else raw[valid]
    codes = np.zeros(len(raw), np.int32)
    if signal.length > _LOOKUP_BITS:
        unique, inverse = np.unique(held, return_inverse=True)
        found = np.array([known(int(value)) for value in unique], np.int32)[inverse]
    else:
        mask = (1 << signal.length) - 1
        lookup = np.full(mask + 1, -1, np.int32)
        for value in table:
            lookup[value & mask] = table[value]
        places = held.astype(np.int64) & mask
        for value in np.unique(held[lookup[places] < 0]).tolist():
            lookup[value & mask] = known(value)
        found = lookup[places]
    codes[slice(None) if valid is None else valid] = found
    return codes, texts
