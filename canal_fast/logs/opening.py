"""Recordings as a whole: opened, read in batches or at once, written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal, overload

from canal_fast.errors import FrameError
from canal_fast.frames import FrameArray

from .account import Account, Screen
from .interfaces import Interfaces, LogInterface
from .reading import BATCH_FRAMES, LogFile
from .source import LogSource
from .targets import find_target
from .writers import open_writer
from .zones import Zone

__all__ = ["batches", "open_log", "read_log", "write_log"]


def open_log(
    source: LogSource,
    *,
    format: str | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
    strict: bool = False,
    id_order: str | None = None,
) -> LogFile:
    """Open a recording for reading; what is in the file, not its name, tells its format.

    Parameters
    ----------
    source : path-like, "-" or binary file object
        "-": standard input. A folder of Parquet files with frames (`to_parquet`) is one recording. gzip, bzip2
        and zstd are undone whatever the format, text in UTF-16 becomes UTF-8.
    format : str, optional
        The format, by its name in `formats`, whatever the content looks like.
    tz : str or tzinfo
        The zone of starts and dates that the file states without one (ASC, BLF, TRC; lines of candump text with a
        date): "UTC", "local" or a name such as "Europe/Berlin".
    errors : "strict" or "skip"
        "skip": damaged lines, blocks and containers are counted in `LogFile.skipped` and stepped over, instead of
        ending the reading with an error.
    strict : bool
        True: a truncated file raises `LogFormatError` after its last whole block.
    id_order : "little" or "big", optional
        Byte order of the identifiers in captures of link types 113 and 276, where both occur; None chooses the one in
        which they are possible.

    Returns
    -------
    LogFile
        Open; use it as a context manager.

    Raises
    ------
    OSError
        The file cannot be opened.
    LogFormatError
        It is no recording, or in a format that is not read.
    CanalFastError
        It needs a package that is not installed; the message names it.
    ValueError
        No such format or zone.

    Examples
    --------
    >>> with cf.logs.open_log("drive.blf") as log:
    ...     frames = sum(len(batch) for batch in log.batches(50))
    >>> log.format, frames, log.truncated, log.skipped
    ('blf', 110, False, 0)
    """
    return LogFile(source, format=format, tz=tz, errors=errors, strict=strict, id_order=id_order)


def batches(
    source: LogSource,
    max_frames: int = BATCH_FRAMES,
    fd: bool | None = None,
    *,
    format: str | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
    strict: bool = False,
) -> Iterator[FrameArray]:
    """Frames of a recording, at most `max_frames` at a time, in constant memory.

    Arrays of FD_FRAME_DTYPE; of FRAME_DTYPE with `fd=False`. Errors are those of `open_log` and
    `LogFile.batches`.

    Parameters
    ----------
    source, format, tz, errors, strict
        As for `open_log`.
    max_frames : int
        At most in a batch.
    fd : bool, optional
        As for `LogFile.batches`.

    Yields
    ------
    array of FD_FRAME_DTYPE, or of FRAME_DTYPE with `fd=False`, shape (n,)

    Examples
    --------
    >>> [len(batch) for batch in cf.logs.batches("drive.blf", 50)]
    [50, 50, 10]
    """
    with open_log(source, format=format, tz=tz, errors=errors, strict=strict) as log:
        yield from log.batches(max_frames, fd)


@overload
def read_log(
    source: LogSource, fd: bool | None = None, *, format: str | None = None, tz: Zone = "UTC",
    errors: str = "strict", strict: bool = False, with_interfaces: Literal[False] = False,
) -> FrameArray: ...  # fmt: skip
@overload
def read_log(
    source: LogSource, fd: bool | None = None, *, format: str | None = None, tz: Zone = "UTC",
    errors: str = "strict", strict: bool = False, with_interfaces: Literal[True],
) -> tuple[FrameArray, list[LogInterface]]: ...  # fmt: skip
def read_log(
    source: LogSource,
    fd: bool | None = None,
    *,
    format: str | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
    strict: bool = False,
    with_interfaces: bool = False,
) -> FrameArray | tuple[FrameArray, list[LogInterface]]:
    """All frames of a recording as one array.

    Parameters
    ----------
    source : path-like, "-" or binary file object
    fd : bool, optional
        None: FRAME_DTYPE, or FD_FRAME_DTYPE when the file holds an FD frame. True, False: that one.
    format, tz, errors
        As in `open_log`.
    strict : bool
        False: a file cut short gives every whole frame. True: it raises.
    with_interfaces : bool
        True: also the interfaces with their names and bit rates, for `write_log`.

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,); with `with_interfaces` (that array, list of LogInterface)
        Channels count from 0: a file's channel 1 is 0. A candump line's channel is the number that ends the
        interface's name (can1: 1), or the lowest free one. FD lengths that no dlc stands for are zero-filled to the
        next that one does.

    Raises
    ------
    OSError, LogFormatError, FrameError, CanalFastError, ValueError
        As `open_log` and `LogFile.batches` do.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> len(frames), frames["arbitration_id"][:3].tolist()
    (110, [256, 512, 256])
    >>> frames["timestamp_ns"][0].view("datetime64[ns]")
    np.datetime64('2026-01-01T00:00:00.000000000')
    >>> engine = frames[frames["arbitration_id"] == 0x100]  # what numpy can do with arrays, it can with frames
    """
    with open_log(source, format=format, tz=tz, errors=errors, strict=strict) as log:
        frames = log.read(fd)
        return (frames, log.interfaces) if with_interfaces else frames


def write_log(
    path: str | os.PathLike[str],
    frames: FrameArray,
    *,
    format: str | None = None,
    interfaces: Interfaces | None = None,
    nanoseconds: bool = False,
    tz: Zone = "UTC",
) -> Account:
    """Write an array of frames to a new recording; the suffix decides its format, see `formats`.

    Parameters
    ----------
    path : path-like
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    format : str, optional
        A name of `formats`, whatever the suffix.
    interfaces : mapping, or iterable of LogInterface, optional
        Names and bit rates of the channels, as `Recorder` takes them; those of a recording are `log.interfaces`.
    nanoseconds : bool
        Nine decimals in candump text and ASC, see `Recorder`.
    tz : str or tzinfo
        The zone of the wall clock that ASC, BLF and TRC state as their start.

    Returns
    -------
    Account
        `reduced` counts what the frames lost: text keeps microseconds, and most formats have no place for GAP.

    Raises
    ------
    FrameError
        The format has no place for some frames, nothing was written (`convert` leaves such out); or no recording could
        hold one, see `Recorder.write`.
    ValueError, OSError
        As `Recorder` does.

    Examples
    --------
    >>> account = cf.write_log("short.log.gz", cf.read_log("drive.blf")[:10], interfaces={0: "engine"})
    >>> account.written, account.reduced
    (10, {})
    >>> len(cf.read_log("short.log.gz"))
    10
    """
    name = os.fspath(path)
    target = find_target(path, name, format)
    row = target.row
    screen = Screen(row, nanoseconds, False, name)
    screen.keep(frames)
    if kinds := screen.account.left_out:
        what = ", ".join(f"{count} x {kind}" for kind, count in kinds.items())
        raise FrameError(f"{name}: {row.title} has no place for {what} among {len(frames)} frames")
    with open_writer(path, target, tz=tz, nanoseconds=nanoseconds, interfaces=interfaces) as writer:
        writer.write(frames)
        return writer.account
