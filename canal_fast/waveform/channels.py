"""Which channel of a capture, and where voltages become levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from .wave import EdgeFinder, Edges, Source

Threshold = float | tuple[float, float] | None
"""Volts: one, or (recessive, dominant) of a hysteresis."""

DIFFERENTIAL = (0.5, 0.9)  # ISO 11898-2: recessive at most, dominant at least
_MOST_DIFFERENCE = 5.0  # volts
_USUAL = ("can_rx", "can rx", "canrx", "rx", "can", "can_l", "canl", "can_h", "canh")
_PARTS = ("can_rx", "canrx", "rx", "can")
_LOOKED_AT = 1 << 20
LEAST_VOLTS = 0.3
"""Between two levels."""
_SHARES = 0.5, 0.001  # percent of the samples that may lie beyond either level
_CLEAR = 4.0  # standard deviations from one to the other; of noise alone, cut in two, 2.7
_HELD = 64  # pieces
_OFTEN = 0.3


def choose_channel(
    names: list[str],
    channel: str | int | None,
    path: str,
    guesses: list[str],
    numbers: Mapping[str, int] | None = None,
    moving: Callable[[], list[str]] | None = None,
) -> str:
    """A channel by name, by number, or the one that is meant: by its name, or because only it ever changes; `guesses`
    tells why.
    """
    if not names:
        raise ValueError(f"{path}: there is no channel")
    listed = ", ".join(repr(n) for n in names)
    if isinstance(channel, int) or (isinstance(channel, str) and channel not in names and channel.isdigit()):
        number = int(channel)
        found = [n for n in names if (numbers or {}).get(n) == number] if numbers else names[number : number + 1]
        if not found:
            raise ValueError(f"{path}: channel = {channel}; there are {listed} (numbers count from 0)")
        return found[0]
    if channel is not None:
        if channel not in names:
            raise ValueError(f"{path}: channel = {channel!r}; there are {listed}")
        return channel
    if len(names) == 1:
        return names[0]
    lower = {name.lower(): name for name in reversed(names)}
    alike = [[lower[usual]] for usual in _USUAL if usual in lower]
    alike += [[name for name in names if part in name.lower()] for part in _PARTS]
    for found in alike:
        if len(found) == 1:
            guesses.append(f"channel {found[0]!r} by its name")
            return found[0]
    changing = names if moving is None else moving()
    if len(changing) == 1:
        guesses.append(f"channel {changing[0]!r} (no other moves)")
        return changing[0]
    raise ValueError(
        f"{path}: several channels, and neither a name nor activity tells which; choose one with channel=: {listed}"
    )


def levels_of(
    pieces: Iterable[npt.NDArray[np.floating]], threshold: Threshold, differential: bool = False
) -> tuple[float, float]:
    """(low, high): what a voltage has to reach to count as low or high. Looks until two levels are clear of each other:
    a capture may begin with a long idle bus and its noise. Those of a difference are the standard's where its voltages
    are: not through a probe of an unknown factor or with lines exchanged.
    """
    if threshold is not None:
        low, high = threshold if isinstance(threshold, tuple) else (threshold, threshold)
        if not low <= high:
            raise ValueError(f"threshold = {threshold}: the first must not be above the second")
        return float(low), float(high)
    unclear: list[tuple[float, float]] = []
    for piece in pieces:
        for at in range(0, len(piece), _LOOKED_AT):
            good = piece[at : at + _LOOKED_AT]
            good = good[np.isfinite(good)]
            for share in _SHARES if good.size else ():
                low, high = np.percentile(good, [share, 100 - share])
                unclear.append((float(low), float(high)))
                if _is_clear(good, low, high):
                    usual = differential and abs(low) <= DIFFERENTIAL[0] and DIFFERENTIAL[1] <= high <= _MOST_DIFFERENCE
                    return DIFFERENTIAL if usual else _between(low, high)
    if unclear and differential:
        return DIFFERENTIAL
    if not unclear:
        raise ValueError("there is no voltage among the samples")
    low, high = next((pair for pair in unclear if pair[1] - pair[0] >= LEAST_VOLTS), unclear[-1])
    if high - low < LEAST_VOLTS:
        raise ValueError(
            f"voltages lie between {low:.3g} and {high:.3g} V: no two levels to tell apart; give threshold="
        )
    return _between(low, high)


def _between(low: float, high: float) -> tuple[float, float]:
    return float(low + 0.4 * (high - low)), float(low + 0.6 * (high - low))


def _is_clear(volts: npt.NDArray[np.floating], low: float, high: float) -> bool:
    """Whether what is nearer to one of two levels than to the other lies close to it."""
    upper, volts = volts >= (low + high) / 2, volts.clip(low, high)
    if high - low < LEAST_VOLTS or upper.all():
        return False
    one, two = volts[~upper], volts[upper]
    spread = (one.var() * len(one) + two.var() * len(two)) / len(volts)
    return bool(two.mean() - one.mean() >= _CLEAR * spread**0.5)


def volts_blocks(
    pieces: Iterable[npt.NDArray[np.floating]],
    sample_rate: int,
    threshold: Threshold,
    invert: bool | None,
    begin: int = 0,
    ticks_a_sample: float = 1.0,
    guesses: list[str] | None = None,
    differential: bool = False,
) -> Source:
    """Voltages to levels. `invert` None: the level that lasts longest at a time is recessive."""
    rest = iter(pieces)
    first = next(rest, None)
    if first is None or not len(first):
        raise ValueError("there is no voltage among the samples")
    held = [first]
    low, high = levels_of(_holding(held, rest), threshold, differential)
    guesses = [
        *(guesses or ()),
        *([f"low up to {low:.3g} V and high from {high:.3g} V on"] if threshold is None else []),
    ]
    rest = chain(held[1:], rest)
    start = int(first[np.isfinite(first)][0] >= (low + high) / 2) if np.isfinite(first).any() else 0
    finder = EdgeFinder(start)
    opening = finder.volts(np.ascontiguousarray(first), low, high)
    if invert is None and differential and (low, high) == DIFFERENTIAL:
        invert = True
    elif invert is None:
        runs = np.diff(np.concatenate([[0], opening, [len(first)]]))
        longest = int(np.argmax(runs))
        invert = (start + longest) % 2 == 0
        guesses.append(f"{'low' if invert else 'high'} as recessive (it lasts longest at a time)")
    notes = {"not_numbers": 0}

    def blocks() -> Iterator[tuple[Edges, int]]:
        later = (finder.volts(np.ascontiguousarray(piece), low, high) for piece in rest)
        for edges in chain([opening], later):
            notes["not_numbers"] = int(finder.place[2])
            ticks = edges if ticks_a_sample == 1 else np.rint(edges * ticks_a_sample).astype(np.int64)
            yield begin + ticks, begin + round(int(finder.place[0]) * ticks_a_sample)

    return Source(start ^ bool(invert), sample_rate, ticks_a_sample, begin, blocks(), notes, guesses)


def _holding(
    held: list[npt.NDArray[np.floating]], rest: Iterator[npt.NDArray[np.floating]]
) -> Iterator[npt.NDArray[np.floating]]:
    """What is held and then what follows, which is held, too."""
    yield from list(held)
    for piece in islice(rest, _HELD):
        held.append(piece)
        yield piece


_RATES = sorted(
    float(digits) * 10**power for power in range(3, 10) for digits in (1, 1.2, 1.25, 1.6, 2, 2.4, 2.5, 4, 5, 6.25, 8)
)


def likely_resolution(edges: Edges, ticks_per_second: int) -> float:
    """Ticks between two samples, where times show that they come from samples; else 0."""
    some = edges[:2000]
    if len(some) < 10:
        return 0.0
    runs = np.diff(some)
    offsets = (some - some[0]).astype(np.float64) / ticks_per_second
    for rate in _RATES:
        samples = offsets * rate
        # times in the file may be whole nanoseconds, which proves nothing above 100 MHz
        if np.all(np.abs(samples - np.rint(samples)) < 0.01 + 1.01e-9 * rate * (rate < 1e8)):
            step = ticks_per_second / rate
            # runs that are all multiples of the shortest, and often the shortest, are bits of a perfect clock
            return 0.0 if np.mean(runs < 1.5 * step) > _OFTEN else step
    return 0.0
