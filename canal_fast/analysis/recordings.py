"""Statistics of an open recording: read ahead while they are counted, each bus at the rate that the recording says."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Container, Generator, Iterable, Iterator
from typing import Any, TypeVar

from canal_fast.frames import FrameArray
from canal_fast.logs import LogFile, LogInterface

from .statistics import Statistics

__all__ = ["USUAL", "ahead", "batches_with_buses", "describe", "summary_of", "too_full"]

Item = TypeVar("Item")
USUAL = 500_000  # bit/s, where nobody says
PLAUSIBLE = range(1000, 20_000_001)  # what a recording says beside this is no bit rate of CAN


@contextlib.contextmanager
def batches_with_buses(log: LogFile) -> Iterator[Iterable[tuple[FrameArray, list[LogInterface]]]]:
    """Batches of the recording with the interfaces met by then. Files are read ahead, in a thread."""
    batches = ((batch, log.interfaces) for batch in log.batches())
    if not os.path.isfile(log.path):  # reading may wait for others, who write a pipe
        yield batches
        return
    with contextlib.closing(ahead(batches)) as read_ahead:
        yield read_ahead


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The same items, read in a thread of their own while the caller counts: both leave Python to the other."""
    found: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(2)
    stop = threading.Event()

    def put(item: Item | None, error: BaseException | None = None) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                return found.put((item, error), timeout=0.1)

    def read() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while True:
            try:
                item, error = found.get(timeout=0.2)  # Windows interrupts no wait without end
            except queue.Empty:
                continue
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stop.set()
        thread.join(1.0)


def describe(statistics: Statistics, buses: Iterable[LogInterface], rates: bool) -> None:
    """Give the buses met so far their names and, if nobody gave another, the rates that the recording says."""
    for row in buses:
        if row.name:
            statistics.names.setdefault(row.channel, row.name)
        if rates and row.bitrate is not None and row.bitrate in PLAUSIBLE:
            statistics.bitrates.setdefault(row.channel, row.bitrate)


def summary_of(statistics: Statistics, log: LogFile, given: bool, of_buses: Container[int] = ()) -> dict[str, Any]:
    """The summary, what of the recording is not in it, and for each bus where its rate is from.

    `given`: a bit rate was given, and none was taken from the recording; `of_buses`: so it was of these channels.
    """
    left_out = {"skipped": log.skipped, "skipped_by_kind": log.skipped_by_kind, "lost_bytes": log.lost_bytes}
    summary = {**statistics.summary(), **left_out, "truncated": log.truncated}
    for bus in summary["channels"]:
        known, told = given or bus["channel"] in of_buses, bus["channel"] in statistics.bitrates
        bus["bitrate_from"] = "given" if known else "recording" if told else "assumed"
    return summary


def too_full(bus: dict[str, Any]) -> bool:
    """Can the bus not have carried what `summary` says? n frames begin n - 1 times within their span, and stamps
    jitter."""
    return bus["load"] is not None and bus["load"] * (bus["frames"] - 1) > 1.01 * bus["frames"]
