"""Wall clocks of recordings that name no zone."""

from __future__ import annotations

import datetime as dt

__all__ = ["Zone", "epoch_of", "find_zone", "wall_clock"]

Zone = str | dt.tzinfo

_EPOCH = dt.datetime(1970, 1, 1)


def find_zone(tz: Zone) -> dt.tzinfo | None:
    """The zone of that name; None for this machine's ("local").

    Raises
    ------
    ValueError
        There is none of that name, or the system has no table of zones.
    """
    if isinstance(tz, dt.tzinfo):
        return tz
    if tz == "local":
        return None
    if tz.upper() == "UTC":
        return dt.UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = "" if zoneinfo.available_timezones() else "; this system has none: pip install 'canal_fast[tz]'"
        raise ValueError(f'tz = {tz!r}, allowed "UTC", "local" or a name such as "Europe/Berlin"{hint}') from None


def wall_clock(start_ns: int) -> dt.datetime:
    """A wall clock that was read as UTC, as a datetime without a zone (to the microsecond)."""
    return _EPOCH + dt.timedelta(microseconds=start_ns // 1000)


def epoch_of(start_ns: int, zone: dt.tzinfo | None) -> tuple[int, str | None]:
    """Nanoseconds after 1970 UTC of a wall clock in a zone, and what is to be said of it."""
    if zone is dt.UTC:
        return start_ns, None
    clock = wall_clock(start_ns)
    first, second = (_offset(clock.replace(fold=fold), zone) for fold in (0, 1))
    note = None
    if first != second:
        what = (
            "occurs twice, taken as the first"
            if first > second
            else "does not occur, taken as if the clock had not been set"
        )
        note = f"the start {clock} {what} (the clocks change there)"
    return start_ns - round(first.total_seconds()) * 1_000_000_000, note


def _offset(clock: dt.datetime, zone: dt.tzinfo | None) -> dt.timedelta:
    aware = clock.astimezone() if zone is None else clock.replace(tzinfo=zone)
    return aware.utcoffset() or dt.timedelta(0)
