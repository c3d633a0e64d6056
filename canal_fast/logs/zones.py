"""Wall clocks of recordings that name no zone."""

from __future__ import annotations

import datetime as dt

__all__ = ["Zone", "epoch_of", "find_zone", "wall_clock", "wall_start"]

Zone = str | dt.tzinfo

_EPOCH = dt.datetime(1970, 1, 1)
_FIRST_NS = 315_532_800 * 10**9  # 1980: before it no bus was recorded; such times count from something else
_DISORDER_NS = 60 * 10**9  # by which the times of lines of several channels may go back
_LAST_NS = 9_214_560_000 * 10**9  # 2261-12-31: readers reach no further


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


def epoch_of(
    start_ns: int, zone: dt.tzinfo | None, *, after_ns: int | None = None, fold: int = 0
) -> tuple[int, str | None]:
    """Nanoseconds after 1970 UTC of a wall clock in a zone, and what is to be said of it.

    Of an hour that occurs twice the first is taken; the second with `fold` 1, or where the first is well before
    `after_ns`, the time of what stands before it in the file, and the second is not.
    """
    if zone is dt.UTC:
        return start_ns, None
    clock = wall_clock(start_ns)
    ways = [start_ns - round(_offset(clock.replace(fold=way), zone).total_seconds()) * 1_000_000_000 for way in (0, 1)]
    if ways[0] == ways[1]:
        return ways[0], None
    if ways[0] > ways[1]:
        what = "does not occur, taken as if the clock had not been set"
    elif after_ns is not None and ways[0] < after_ns - _DISORDER_NS <= ways[1]:
        fold, what = 1, "occurs twice, taken as the second: the first was before the frame that stands before it"
    else:
        what = f"occurs twice, taken as the {('first', 'second')[fold]}"
    return ways[fold], f"the date {clock} {what} (the clocks change there)"


def _offset(clock: dt.datetime, zone: dt.tzinfo | None) -> dt.timedelta:
    aware = clock.astimezone() if zone is None else clock.replace(tzinfo=zone)
    return aware.utcoffset() or dt.timedelta(0)


def wall_start(earliest_ns: int | None, zone: dt.tzinfo | None, step_ns: int) -> tuple[int, int | None]:
    """(ns after 1970 UTC, what the wall clock of the zone showed then, as if it were UTC) of a recording's start: the
    last multiple of `step_ns` that is not after its first frame. (0, None) where that has no date.

    A clock that shows an hour for the second time cannot say so: the start then lies before that hour's first time, so
    that a reader of the date in this zone finds the frames when they were.
    """
    if earliest_ns is None or not _FIRST_NS <= earliest_ns < _LAST_NS:
        return 0, None
    instant = dt.datetime.fromtimestamp(earliest_ns // 10**9, dt.UTC).astimezone(zone)
    ahead = (instant.utcoffset() or dt.timedelta(0)) // dt.timedelta(microseconds=1) * 1000
    wall_ns = (earliest_ns + ahead) // step_ns * step_ns
    start_ns, _ = epoch_of(wall_ns, zone)
    if start_ns != wall_ns - ahead:
        wall_ns = (wall_ns - abs(start_ns - (wall_ns - ahead))) // step_ns * step_ns
        start_ns, _ = epoch_of(wall_ns, zone)
    return start_ns, wall_ns
