"""What `canal-fast log` prints at its end: what was recorded, and where every frame went."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Iterator

from canal_fast.cli.options import sentence
from canal_fast.cli.progress import Progress, tell
from canal_fast.live.ledger import Ledger
from canal_fast.logger.logger import Logger

__all__ = ["report"]

FULL = 1.05  # of a bus; batches do not end with the seconds


def report(logger: Logger, progress: Progress, args: argparse.Namespace, failure: Exception | None) -> int:
    """Print it; returns the exit code."""
    ledgers = {name: ledger for name, ledger in logger.ledgers.items() if ledger is not None}
    for row in ledgers.values():
        row.verify()
    ledger, failures = logger.ledger, logger.failures
    left_out = logger.account.left_out
    troubles = [] if failure is None else [sentence(failure)]
    several = len(logger.inputs) > 1
    troubles += [f"{name}: {sentence(error)}" if several else sentence(error) for name, error in failures.items()]
    troubles += [f"{name}: never open" for name, row in logger.ledgers.items() if row is None and name not in failures]
    code = 1 if troubles else 3 if ledger.lost or left_out else 0
    if args.json:
        more: dict[str, object] = {}
        if several:
            more |= {"sources": {name: row.as_dict() for name, row in ledgers.items()}, "late": logger.late}
        if logger.recorder.files > 1 or args.trigger:
            more |= {"files": logger.recorder.files, "events": logger.events}
        progress.line(
            event="end", frames_written=logger.frames_written, ledger=ledger.as_dict(),
            error="; ".join(troubles) or None, left_out=left_out, **more,
        )  # fmt: skip
        return code
    words = _of_one if len(logger.inputs) == 1 else _of_several
    for line in words(logger, progress, args, not troubles):
        tell(line)
    for line in troubles:
        tell(f"canal-fast log: {line}")
    if ledger.lost:
        tell(f"canal-fast log: {ledger.lost} frame{' was' if ledger.lost == 1 else 's were'} lost")
    for kind, number in left_out.items():
        text = f"{number} x {kind.replace('_', ' ')} left out: the format has no place for them"
        tell(f"canal-fast log: {text}")
    return code


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _rate(logger: Logger, progress: Progress, args: argparse.Namespace) -> str:
    count, seconds, files = logger.frames_written, progress.recorded_s, logger.recorder.files
    file = args.output if args.output not in (None, "-") else "stdout"
    if args.trigger:
        file = f"{_counted(logger.events, 'event')} in {_counted(files, 'file')} {file}"
    elif files > 1:
        file = f"{files} files {file}"
    return f"{file}: {_counted(count, 'frame')} in {seconds:.1f} s ({count / seconds:.0f} frames/s)"


def _of_one(logger: Logger, progress: Progress, args: argparse.Namespace, good: bool) -> Iterator[str]:
    (load,), (ledger,) = progress.loads, logger.ledgers.values()
    yield _rate(logger, progress, args) + ("" if load is None else f", bus load {100 * load:.1f} %")
    yield from _remarks(progress)
    if ledger is None:
        return
    if good and not ledger.lost:
        yield _no_loss(ledger)
    if args.verbose:
        yield from _verbose(ledger)
    yield from _next(logger, args)


def _of_several(logger: Logger, progress: Progress, args: argparse.Namespace, good: bool) -> Iterator[str]:
    yield _rate(logger, progress, args)
    late = logger.late
    for row, load in zip(logger.inputs, progress.loads, strict=True):
        ledger = row.ledger
        if ledger is None:
            continue
        parts = [f"{row.name}: {ledger.delivered} frames"]
        parts += [] if load is None else [f"bus load {100 * load:.1f} %"]
        if ledger.lost or good:
            parts.append(f"{ledger.lost} lost" if ledger.lost else _no_loss(ledger))
        parts += [f"{late[row.name]} late (window {logger.window_s:g} s)"] if late[row.name] else []
        yield ", ".join(parts)
        if args.verbose:
            yield from _verbose(ledger)
    yield from _remarks(progress)
    yield from _next(logger, args)


def _remarks(progress: Progress) -> Iterator[str]:
    if any(load is not None and load > FULL for load in progress.loads):
        yield "that is more than a bus carries: a replay faster than its time, or --bitrate is not the bus's rate"
    if progress.error_frames or progress.status_messages:
        yield f"{progress.error_frames} error frames and {progress.status_messages} status messages among them"


def _no_loss(ledger: Ledger) -> str:
    known = ledger.driver_overruns is not None
    text = "no loss was counted" if known else "no loss was counted here; what the driver lost is unaccounted"
    if ledger.outages:
        text += f"; the driver was away for {ledger.outage_ns / 1e9:.1f} s, and what passed then is unaccounted"
    return text


def _verbose(ledger: Ledger) -> Iterator[str]:
    yield f"ledger: {ledger}"
    yield (
        f"        ring high-water {ledger.high_water}, driver queue high-water {ledger.driver_queue_high_water}, "
        f"longest time between drains {ledger.longest_drain_gap_ns / 1e6:.1f} ms"
    )


def _next(logger: Logger, args: argparse.Namespace) -> Iterator[str]:
    path = logger.recorder.path
    if args.output not in (None, "-") and os.path.isfile(path) and logger.frames_written:
        yield f"next: canal-fast stat {shlex.quote(path)}"
