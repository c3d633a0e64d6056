"""`canal-fast log`: record buses to files, or print one as candump text, with a ledger at the end."""

from __future__ import annotations

import argparse
import contextlib
import logging
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from canal_fast.cli.log_report import report
from canal_fast.cli.options import (
    keep_existing,
    refuse_terminal,
)  # fmt: skip
from canal_fast.cli.progress import Progress, tell
from canal_fast.cli.service import Service, check_service
from canal_fast.cli.streams import own_output
from canal_fast.live.sources import Source
from canal_fast.logger.logger import BATCH, Logger

Handler = Callable[[int, FrameType | None], object]

SINGLE = ("library", "config", "serial")  # arguments that say what one source is


def run(args: argparse.Namespace) -> int:
    """Record until something ends it; 3 when a ledger counts a loss, 1 when a driver failed."""
    _check(args)
    if not args.append:
        keep_existing(args, args.output)
    options = {} if args.fd is None else {"fd": args.fd}
    logger = Logger(
        args.source or [_single(args)], args.output or "-", window_s=args.window, format=_format(args),
        fsync=args.fsync, on_full=args.on_full, exclusive=not (args.force or args.append), append=args.append,
        nanoseconds=args.nanoseconds, triggers=args.trigger or (), pre_s=args.pre, post_s=args.post,
        reconnect=args.reconnect, rotate_bytes=args.rotate_bytes, rotate_s=args.rotate_s, keep=args.keep,
        keep_bytes=args.keep_bytes, ring_frames=args.ring_frames, clock=args.clock, clock_step=args.clock_step,
        filters=args.filter, bridge=args.bridge, **options,
    )  # fmt: skip
    service = Service(logger, args)
    with own_output(), _spoken() as voice, contextlib.closing(logger), _handled(_wishes(logger, service, args)):
        logger.open()  # which Ctrl-C interrupts
        ending: list[int] = []
        with _handled(dict.fromkeys(_ending_signals(args.reopen), lambda number, frame: ending.append(number))):
            return _recorded(logger, service, voice, ending, args)


def _recorded(logger: Logger, service: Service, voice: _Voice, ending: list[int], args: argparse.Namespace) -> int:
    """Record until something ends it, and tell what was recorded."""
    code: int | None = None
    failure: Exception | None = None
    try:
        service.ready()
        shared = args.output is None and sys.stdout.isatty()
        progress = voice.progress = Progress(args.json, [row.bitrate for row in logger.inputs], shared=shared)
        try:
            _record(logger, progress, service, ending, args)
            service.stopping()
            logger.finish()
        except BrokenPipeError:
            raise
        except OSError as error:
            failure = error
        finally:
            progress.end()
            logger.finish()
        code = report(logger, progress, args, failure)
        return code
    finally:
        service.close(code)


def _check(args: argparse.Namespace) -> None:
    """Arguments that contradict each other."""
    single = [name for name in SINGLE if getattr(args, name)]
    if args.source and single:
        args.refuse(f"--{single[0]} says what the only source is, and so does --source: give one of them")
    if args.source and args.bitrate is not None:
        args.refuse("--bitrate is that of the only source; of a --source it is ,bitrate=N behind it")
    if not args.source and args.library is None and args.serial is None:
        raise ValueError(
            "which bus? --source KIND:CONFIG, such as socketcan:can0 or virtual:bus0; for one of a driver library "
            "give --library PATH (or virtual), or --serial of a USB2CAN adapter"
        )
    if args.to is not None and args.output is None:
        raise ValueError(f"--to {args.to} is the format of -o FILE, which is missing; text is printed without it")
    if args.json and args.output in (None, "-"):
        raise ValueError("--json prints on standard output, and so do frames without -o FILE: give one")
    if args.output == "-":
        refuse_terminal("-o -", args.to, "leave out -o")
    if args.append and args.force:
        args.refuse("--append goes on in a file, and --force replaces it: give one of them")
    check_service(args)
    if args.trigger and args.frames is not None:
        args.refuse("--frames counts all frames, and --trigger records some: give --duration")


def _format(args: argparse.Namespace) -> str | None:
    given: str | None = args.to
    return given if args.output else "candump"


def _single(args: argparse.Namespace) -> Source:
    """The source that --library, --config and --serial say."""
    name = re.sub(r"\s+", "_", args.serial or args.config.partition(";")[0].strip())[:15] or "can0"
    rate = None if args.bitrate is None else int(args.bitrate)
    more: dict[str, Any] = {"name": name, "bitrate": rate, "profile": args.profile, "flags": args.flags}
    if args.serial is not None:
        return Source("usb2can", args.serial, library=args.library or "usb2can.dll", **more)
    return Source("library", args.config or ("bus0" if args.library == "virtual" else ""), args.library, **more)


class _Voice(logging.Handler):
    """Warnings of the library on standard error, as the progress line is."""

    progress: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "raised", False):
            return  # `report` tells it
        if self.progress is not None:
            self.progress.say(record.getMessage())
        else:
            tell(f"canal-fast log: {record.getMessage()}")


@contextlib.contextmanager
def _spoken() -> Iterator[_Voice]:
    voice, logger = _Voice(logging.WARNING), logging.getLogger("canal_fast")
    logger.addHandler(voice)
    try:
        yield voice
    finally:
        logger.removeHandler(voice)


def _ending_signals(reopen: bool) -> Iterator[int]:
    """Those that end a recording; a hang-up does not where it was inherited as ignored (nohup)."""
    yield from (signal.SIGINT, signal.SIGTERM)
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and not reopen and signal.getsignal(hang_up) is not signal.SIG_IGN:
        yield hang_up


def _wishes(logger: Logger, service: Service, args: argparse.Namespace) -> dict[int, Handler]:
    """Signals that ask for something else than the end."""
    wishes: dict[int, Handler] = {}
    if args.reopen:
        wishes[signal.SIGHUP] = lambda number, frame: service.reopen()
    if "signal" in (args.trigger or ()):
        wishes[signal.SIGUSR1] = lambda number, frame: logger.trigger()
    return wishes


@contextlib.contextmanager
def _handled(handlers: Mapping[int, Handler]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _record(
    logger: Logger, progress: Progress, service: Service, ending: Sequence[int], args: argparse.Namespace
) -> None:
    deadline = None if args.duration is None else progress.begin + args.duration
    while not logger.ended and (args.frames is None or logger.frames_written < args.frames):
        if ending or (deadline is not None and time.monotonic() >= deadline):
            logger.stop()
            ending, deadline, progress.until = (), None, time.monotonic()
        wait = None if deadline is None else max(deadline - time.monotonic(), 0)
        most = BATCH if args.frames is None else min(BATCH, args.frames - logger.frames_written)
        frames = logger.step(wait, most)
        progress.update(frames, logger.frames_written, logger.ledger, logger.written_until)
        service.update(frames)
    if progress.until is None:
        progress.until = logger.written_until
