"""`write_report`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from canal_fast.logs import open_log
from canal_fast.logs.files import refuse_existing, refuse_in_use, whole
from canal_fast.logs.source import LogSource
from canal_fast.signals import load_database

from .gather import gather, plan_of
from .page import data_of, render

__all__ = ["write_report"]


def write_report(
    source: LogSource,
    target: str | os.PathLike[str],
    *,
    dbc: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    signals: Sequence[str] | None = None,
    j1939: bool | None = None,
    bitrate: float | None = None,
    data_bitrate: float | None = None,
    window_s: float = 1.0,
    format: str | None = None,
    tz: str = "UTC",
    errors: str = "strict",
    force: bool = False,
    progress: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Write what a recording holds as one HTML page that needs no other file and no network.

    The recording is read once, in batches: memory does not grow with it. The page is written when all is read.

    Parameters
    ----------
    source : path-like, "-" or binary file object
    target : path-like
        The page; "-" is standard output.
    dbc : path-like, optional
        Database of signals: DBC, KCD, SYM, ARXML. Needs the extra `dbc`.
    encoding, j1939
        As for `load_database` and `Database.plan`.
    signals : sequence of str, optional
        Names or patterns with * ? []. Those that the database does not have are told on the page.
    bitrate : float, optional
        Nominal, bit/s, of all buses; default: what the recording says. Buses without one have no load.
    data_bitrate : float, optional
        bit/s of CAN FD's data phase; without it, buses with frames that switch their rate have no load.
    window_s : float
        Windows that loads are given for, s; of more than 1000, several are folded into one point.
    format, tz, errors
        As for `canal_fast.logs.open_log`.
    force : bool
        True: a file that is there is replaced.
    progress : callable, optional
        Called with the number of records read so far.

    Returns
    -------
    dict
        What the page holds as JSON in its element `data`: file, summary, ids, load, errors, clock, signals.

    Raises
    ------
    OSError
        A file cannot be read or written; FileExistsError without `force`.
    LogFormatError, DatabaseError
        The recording is damaged (see `errors`), or the database is none.
    ValueError
        A bit rate or window outside its interval, no such format or zone.

    Examples
    --------
    >>> page = cf.report.write_report("drive.blf", "drive.html", bitrate=500_000)
    >>> page["summary"]["frames"]
    110
    """
    path = os.fspath(target)
    _check_target(path, source, force)
    database = None if dbc is None else load_database(dbc, encoding=encoding)
    plan, troubles = (None, []) if database is None else plan_of(database, signals, j1939)
    with open_log(source, format=format, tz=tz, errors=errors) as log:
        facts = gather(
            log,
            plan=plan,
            database=None if dbc is None else os.fspath(dbc),
            troubles=troubles,
            bitrate=bitrate,
            data_bitrate=data_bitrate,
            window_s=window_s,
            progress=progress,
        )
    _write(path, render(facts).encode())
    return data_of(facts)


def _check_target(path: str, source: LogSource, force: bool) -> None:
    """Whether it can be written, before a long recording is read."""
    if path == "-":
        return
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a directory; give the page's name in it", path)
    if not force:
        refuse_existing(path)
    known = [path, source] if isinstance(source, (str, os.PathLike)) else []
    if known and all(map(os.path.exists, known)) and os.path.samefile(*known):
        raise FileExistsError(errno.EEXIST, "the page would replace the recording", path)
    refuse_in_use(path)


def _write(path: str, page: bytes) -> None:
    """All of it or nothing."""
    if path == "-":
        sys.stdout.buffer.write(page)
        sys.stdout.flush()
        return
    with whole(path) as file:
        file.write(page)
