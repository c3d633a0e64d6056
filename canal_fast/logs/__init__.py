"""Recordings: pcapng files and candump text, read in batches and written by a `Recorder`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from canal_fast.frames import FrameArray

from .reading import BATCH_FRAMES, LogFile, LogInterface
from .writing import Recorder, format_candump

__all__ = ["LogFile", "LogInterface", "Recorder", "batches", "format_candump", "open_log", "read_log", "write_log"]

Path = str | os.PathLike[str]


def open_log(path: Path, *, strict: bool = False) -> LogFile:
    """Open a recording for reading; what is in the file, not its name, tells pcapng from candump.

    Parameters
    ----------
    path : path-like
    strict : bool
        True: a truncated file raises `LogFormatError` after its last whole block.

    Raises
    ------
    OSError
        The file cannot be opened.
    LogFormatError
        It is a classic pcap or a compressed file, or neither pcapng nor text.
    """
    return LogFile(path, strict=strict)


def batches(
    path: Path, max_frames: int = BATCH_FRAMES, fd: bool | None = None, *, strict: bool = False
) -> Iterator[FrameArray]:
    """Frames of a recording, at most `max_frames` at a time, in constant memory.

    Arrays of FD_FRAME_DTYPE; of FRAME_DTYPE with `fd=False`. Errors are those of `open_log` and
    `LogFile.batches`.
    """
    with open_log(path, strict=strict) as log:
        yield from log.batches(max_frames, fd)


def read_log(path: Path, fd: bool | None = None, *, strict: bool = False) -> FrameArray:
    """All frames of a recording (pcapng or candump text) as one array.

    Parameters
    ----------
    path : path-like
    fd : bool, optional
        None: FRAME_DTYPE, or FD_FRAME_DTYPE when the file holds an FD frame. True, False: that one.
    strict : bool
        False: a file cut short gives every whole frame. True: it raises.

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        A candump line's channel is the number that ends the interface's name (can1: 1), or the
        lowest free one. FD lengths that no dlc stands for are zero-filled to the next that one does.

    Raises
    ------
    OSError, LogFormatError, FrameError
        As `open_log` and `LogFile.batches` do.
    """
    with open_log(path, strict=strict) as log:
        return log.read(fd)


def write_log(path: Path, frames: FrameArray) -> None:
    """Write an array of frames to a new recording; `.pcapng` or `.log` (candump text) decides.

    pcapng keeps everything. Text has no place for GAP, and STATUS records become error frames.

    Raises
    ------
    ValueError, OSError
        As `Recorder` does.
    """
    with Recorder(path) as recorder:
        recorder.write(frames)
