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
    add_force,
    can_filter,
    count,
    keep_existing,
    number,
    rate,
    refuse_terminal,
    seconds,
    source,
    whole,
)  # fmt: skip
from canal_fast.cli.progress import Progress, tell
from canal_fast.cli.service import EXIT_CODES, Service, add_service, check_service
from canal_fast.cli.streams import own_output
from canal_fast.live.sources import Source
from canal_fast.logger.logger import BATCH, Logger
from canal_fast.logger.trigger import parse_rule

Handler = Callable[[int, FrameType | None], object]

SINGLE = ("library", "config", "serial")  # arguments that say what one source is


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "log",
        help="record channels",
        description="Record CAN channels to a file (its suffix tells the format), or print candump text without -o. "
        "Ends after --duration, --frames, the end of a replay, or Ctrl-C. Exit code 3: frames were lost.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="its suffix tells the format; - is standard output, pcapng there as in FIFOs; candump text without -o; "
        "{time}, {n} (000001, 000002, ...) and {host} in the name are filled in",
    )
    parser.add_argument("--to", metavar="FORMAT", help="format of the file, as `canal-fast formats` names it")
    add_force(parser)
    parser.add_argument("--append", action="store_true", help="go on in a pcapng file that exists, in a new section")
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals in text, which few programs read")
    parser.add_argument(
        "--source", action="append", type=source, metavar="KIND:CONFIG",
        help="virtual:NAME, socketcan:INTERFACE, usb2can:SERIAL or library=PATH;CONFIG; then ,name=N ,bitrate=N ,fd "
        ",profile=P ,flags=N (may be repeated: all into one recording, in the order of their times)",
    )  # fmt: skip
    parser.add_argument(
        "--window", type=number, default=0.2, metavar="S",
        help="of several sources: frames are held back so long for earlier ones of the others (default: 0.2)",
    )  # fmt: skip
    parser.add_argument("--library", metavar="PATH", help="driver library: a path, a file name, or virtual")
    parser.add_argument("--config", default="", metavar="STR", help="the driver's configuration string")
    parser.add_argument("--flags", type=whole, default=0, metavar="N", help="the driver's open flags")
    parser.add_argument("--serial", metavar="S", help="serial number of a USB2CAN adapter, instead of --config")
    parser.add_argument("--bitrate", type=rate, metavar="N", help="bit/s; for --serial, if_speed and the bus load")
    parser.add_argument("--profile", default="auto", metavar="NAME", help="driver profile (default: by file name)")
    parser.add_argument(
        "--bridge", choices=("auto", "always", "never"), default="auto", help="driver in a host process (default: auto)"
    )
    parser.add_argument(
        "--reconnect",
        type=seconds,
        metavar="S",
        help="when a driver fails, or is not there, try to open it again every S seconds",
    )
    parser.add_argument(
        "--clock-step", choices=("mark", "follow"), default="mark",
        help="when the host's clock is set: keep the time of the start, or go with it (default: mark)",
    )  # fmt: skip
    parser.add_argument(
        "--fd",
        action=argparse.BooleanOptionalAction,
        help="receive CAN FD frames, too (default: where a SocketCAN interface or the virtual bus's fd= has them)",
    )
    parser.add_argument("--duration", type=seconds, metavar="S", help="stop after S seconds")
    parser.add_argument("--frames", type=count, metavar="N", help="stop after N frames")
    parser.add_argument(
        "--filter", action="append", type=can_filter, metavar="ID:MASK", help="hexadecimal; any of several must match"
    )
    parser.add_argument("--clock", choices=("epoch", "device"), default="epoch", help="time stamps (default: epoch)")
    parser.add_argument(
        "--ring-frames", type=count, metavar="N",
        help="records that wait for writing, or are kept for --pre (default: 262144, with --trigger 1048576)",
    )  # fmt: skip
    _add_files(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also print the ledger: where every frame went")
    parser.add_argument("--json", action="store_true", help="progress and ledger as JSON lines on stdout (needs -o)")
    add_service(parser)
    parser.set_defaults(run=run, refuse=parser.error)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Rotation and triggers; what they mean stands at `Logger`, `Rotation` and `parse_rule`."""
    parser.add_argument("--rotate-bytes", type=whole, metavar="N", help="begin a new file before one has more")
    parser.add_argument("--rotate-s", type=number, metavar="S", help="begin a new file after S seconds")
    parser.add_argument("--keep", type=whole, metavar="N", help="delete the oldest of more than N files of this name")
    parser.add_argument(
        "--keep-bytes", type=whole, metavar="N", help="delete the oldest when all have more than N bytes"
    )
    parser.add_argument(
        "--trigger", action="append", type=rule, metavar="RULE",
        help="record only events, each into a file: id=ID:MASK, payload=HEX:MASK (both hexadecimal), error, bus-off, "
        "signal (SIGUSR1), file=PATH (which is then deleted) begin one (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--pre", type=number, metavar="S", help="seconds before the trigger that belong to an event")
    parser.add_argument("--post", type=number, metavar="S", help="seconds after the last trigger of an event")


def rule(text: str) -> str:
    """See `parse_rule`."""
    try:
        parse_rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


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
        raise ValueError("give --library PATH (or virtual), or --serial of a USB2CAN adapter")
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
    while not logger.ended:
        if ending or (deadline is not None and time.monotonic() >= deadline):
            logger.stop()
            deadline = None
        wait = None if deadline is None else max(deadline - time.monotonic(), 0)
        most = BATCH if args.frames is None else min(BATCH, args.frames - logger.frames_written)
        frames = logger.step(wait, most)
        progress.update(frames, logger.frames_written, logger.ledger)
        service.update(frames)
        if args.frames is not None and logger.frames_written >= args.frames:
            return
