"""Which channel of a recording goes to which bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canal_fast.live.channel import Channel

from . import _play
from .recordings import Recording

__all__ = ["lanes_of", "named_channels"]


def named_channels(channels: Channel | Sequence[Channel] | Mapping[str, Channel]) -> dict[str, Channel]:
    """Channels by their names: the mapping's, or their numbers."""
    if isinstance(channels, Channel):
        channels = [channels]
    if isinstance(channels, str) or not isinstance(channels, (Mapping, Sequence)):
        raise TypeError(f"channels must be a Channel, a sequence or a mapping of them, not {type(channels).__name__}")
    if not isinstance(channels, Mapping):
        channels = {str(number): channel for number, channel in enumerate(channels)}
    for name, channel in channels.items():
        if not isinstance(channel, Channel):
            raise TypeError(f"channels[{name!r}] must be a Channel, not {type(channel).__name__}")
    if not 1 <= len(channels) <= _play.LANES_MOST:
        raise ValueError(f"{len(channels)} channels, allowed 1..{_play.LANES_MOST}")
    twice = [name for name, channel in channels.items() if sum(other is channel for other in channels.values()) > 1]
    if twice:
        raise ValueError(f"channels {', '.join(twice)} are one and the same channel")
    return dict(channels)


def lanes_of(
    recordings: Sequence[Recording], channels: Sequence[str], wanted: Mapping[str, str | int] | None
) -> list[dict[int, int]]:
    """For each recording its channels -> number of the bus. See `play` for the rule.

    Raises
    ------
    ValueError
        What is mapped is not there, in the recordings or among the buses; without a map: names and numbers do not tell
        which belongs to which; a bus that nothing goes to.
    """
    names = list(dict.fromkeys(name for recording in recordings for name in recording.names.values()))
    if not names:
        raise ValueError(f"nothing to play: there is no frame in {', '.join(r.name for r in recordings)}")
    if not isinstance(wanted, (Mapping, type(None))):
        raise TypeError(f"channel_map must be a mapping, not {type(wanted).__name__}")
    if wanted is None:
        wanted = _by_default(names, channels)
    numbers = {key: _number(key, value, channels) for key, value in wanted.items()}
    used, rows = set[str](), list[dict[int, int]]()
    for recording in recordings:
        row: dict[int, int] = {}
        for channel, name in recording.names.items():
            key = next((k for k in (f"{recording.name}:{name}", name, str(channel)) if k in numbers), None)
            if key is not None:
                row[channel] = numbers[key]
                used.add(key)
        rows.append(row)
    for key in numbers:
        if key not in used:
            raise ValueError(f"map: {key!r} is no channel of the recordings, which have {', '.join(names)}")
    idle = [name for number, name in enumerate(channels) if all(number not in row.values() for row in rows)]
    if idle:
        raise ValueError(
            f"more sources than channels: nothing would go to {', '.join(idle)}; the recordings have {', '.join(names)}"
        )
    return rows


def _by_default(names: Sequence[str], channels: Sequence[str]) -> Mapping[str, str | int]:
    if set(names) <= set(channels):
        return {name: name for name in names}
    if len(names) != len(channels):
        more = "more sources than channels" if len(channels) > len(names) else "fewer sources than channels"
        raise ValueError(
            f"{more}: the recordings have {len(names)} ({', '.join(names)}), and there are sources for {len(channels)} "
            f"({', '.join(channels)}); a map (channel_map, --map) tells what goes where, and leaves out the rest"
        )
    return dict(zip(names, channels, strict=True))


def _number(key: str, value: str | int, channels: Sequence[str]) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(channels):
        return value
    if isinstance(value, str) and value in channels:
        return channels.index(value)
    raise ValueError(f"map: {key} goes to {value!r}, which is no source; there are {', '.join(channels)}")
