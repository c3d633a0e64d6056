"""`canal-fast log`: record a channel to a file, or print it as candump text, with a ledger at the end."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from canal_fast.cli.options import (
    add_force,
    can_filter,
    count,
    keep_existing,
    rate,
    refuse_terminal,
    seconds,
    sentence,
    whole,
)
from canal_fast.cli.progress import Progress
from canal_fast.cli.streams import own_output
from canal_fast.drivers.config_strings import is_fd_interface
from canal_fast.errors import ChannelClosedError, DriverError
from canal_fast.live.channel import Channel
from canal_fast.live.ledger import Ledger
from canal_fast.logs import Recorder

STEP_S = 0.1  # frames are written, and progress is reported, so often
BATCH = 65_536
FULL = 1.05  # of a bus; batches do not end with the seconds


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "log",
        help="record a channel",
        description="Record a CAN channel to a file (its suffix tells the format), or print candump text without -o. "
        "Ends after --duration, --frames, the end of a replay, or Ctrl-C. Exit code 3: frames were lost.",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="its suffix tells the format; - is standard output, pcapng there as in FIFOs; candump text without -o",
    )
    parser.add_argument("--to", metavar="FORMAT", help="format of the file, as `canal-fast formats` names it")
    add_force(parser)
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals in text, which few programs read")
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
        "--reconnect", type=seconds, metavar="S", help="when the driver fails, try to open it again every S seconds"
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
    parser.add_argument("--ring-frames", type=count, default=262_144, metavar="N", help="records that wait for writing")
    parser.add_argument("--fsync", action="store_true", help="wait for the disk after every write")
    parser.add_argument("-v", "--verbose", action="store_true", help="also print the ledger: where every frame went")
    parser.add_argument("--json", action="store_true", help="progress and ledger as JSON lines on stdout (needs -o)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record until something ends it; 3 when the ledger counts a loss, 1 when the driver failed."""
    if args.library is None and args.serial is None:
        raise ValueError("give --library PATH (or virtual), or --serial of a USB2CAN adapter")
    if args.to is not None and args.output is None:
        raise ValueError(f"--to {args.to} is the format of -o FILE, which is missing; text is printed without it")
    if args.json and args.output in (None, "-"):
        raise ValueError("--json prints on standard output, and so do frames without -o FILE: give one")
    if args.output == "-":
        refuse_terminal("-o -", args.to, "leave out -o")
    keep_existing(args, args.output)
    with own_output(), _open(args) as channel:
        name = re.sub(r"\s+", "_", args.serial or args.config.partition(";")[0].strip())[:15] or "can0"
        sink = Recorder(
            args.output or "-",
            format=args.to if args.output else "candump",
            interfaces={0: (name, _bitrate(args))},
            fsync=args.fsync,
            exclusive=not args.force,
            nanoseconds=args.nanoseconds,
        )
        progress = Progress(args.json, _bitrate(args), shared=args.output is None and sys.stdout.isatty())
        failure: Exception | None = None
        try:
            try:
                _record(channel, sink, progress, args)
            except DriverError as error:
                failure = error
            channel.stop()  # from here on it is known what the driver lost
            sink.write_statistics(channel.ledger())
        except BrokenPipeError:
            raise
        except OSError as error:
            failure = error
            channel.stop()
        finally:
            progress.end()
            sink.close()
        return _report(channel, sink, progress, args, failure)


def _open(args: argparse.Namespace) -> Channel:
    options: dict[str, Any] = {
        "clock": args.clock,
        "clock_step": args.clock_step,
        "filters": args.filter,
        "ring_frames": args.ring_frames,
        "bridge": args.bridge,
        "reconnect": args.reconnect,
        "fd": _carries_fd(args) if args.fd is None else args.fd,
    }
    if args.serial is not None:
        library = args.library or "usb2can.dll"
        return Channel.usb2can(args.serial, _bitrate(args) or 500_000, library=library, **options)
    config = args.config or ("bus0" if args.library == "virtual" else "")
    return Channel(args.library, config, flags=args.flags, profile=args.profile, **options)


def _carries_fd(args: argparse.Namespace) -> bool:
    """What --fd is by itself."""
    name, *keys = (field.strip() for field in args.config.split(";"))
    if args.library == "virtual":
        return any(key.replace(" ", "").startswith(("fd=", "data_bitrate=", "replay=")) for key in keys)
    return args.library == "socketcan" and is_fd_interface(name)


def _bitrate(args: argparse.Namespace) -> int | None:
    """--bitrate, or the one in the virtual bus's configuration."""
    fields = args.config.split(";")
    if args.bitrate is None and args.library == "virtual" and len(fields) > 1 and fields[1].strip().isdigit():
        return int(fields[1])
    return (args.bitrate and int(args.bitrate)) or (500_000 if args.library == "virtual" else None)


def _ending_signals() -> Iterator[int]:
    """Those that end a recording; a hang-up does not where it was inherited as ignored (nohup)."""
    yield from (signal.SIGINT, signal.SIGTERM)
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        yield hang_up


def _record(channel: Channel, sink: Recorder, progress: Progress, args: argparse.Namespace) -> None:
    ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    before = {number: signal.signal(number, end) for number in _ending_signals()}
    batch = min(BATCH, args.ring_frames)
    deadline = None if args.duration is None else progress.begin + args.duration
    try:
        while True:
            wait = STEP_S if deadline is None else min(STEP_S, max(deadline - time.monotonic(), 0))
            try:
                most = BATCH if args.frames is None else min(BATCH, args.frames - sink.frames_written)
                frames = channel.receive(most, min_frames=min(batch, most) if wait else 0, timeout=wait)
            except ChannelClosedError:
                return
            sink.write(frames)
            ledger = channel.ledger()
            if sink.due():
                sink.write_statistics(ledger)
            progress.update(frames, sink.frames_written, ledger)
            if args.frames is not None and sink.frames_written >= args.frames:
                return
            over = deadline is not None and time.monotonic() >= deadline
            if ending or over or (not len(frames) and channel.finished()):
                channel.stop()
                deadline = None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(
    channel: Channel, sink: Recorder, progress: Progress, args: argparse.Namespace, failure: Exception | None
) -> int:
    ledger = channel.ledger()
    ledger.verify()
    left_out = sink.account.left_out
    code = 1 if failure else 3 if ledger.lost or left_out else 0
    if args.json:
        error = str(failure) if failure else None
        progress.line(
            event="end", frames_written=sink.frames_written, ledger=ledger.as_dict(), error=error, left_out=left_out
        )
        return code
    for line in _last_words(ledger, sink, progress, args, failure is None):
        print(line, file=sys.stderr)
    if failure:
        print(f"canal-fast log: {sentence(failure)}", file=sys.stderr)
    if ledger.lost:
        print(f"canal-fast log: {ledger.lost} frame{' was' if ledger.lost == 1 else 's were'} lost", file=sys.stderr)
    for kind, number in left_out.items():
        words = f"{number} x {kind.replace('_', ' ')} left out: the format has no place for them"
        print(f"canal-fast log: {words}", file=sys.stderr)
    return code


def _last_words(
    ledger: Ledger, sink: Recorder, progress: Progress, args: argparse.Namespace, good: bool
) -> Iterator[str]:
    seconds, load = progress.seconds, progress.load
    file = args.output if args.output not in (None, "-") else None
    rate = f"{sink.frames_written} frames in {seconds:.1f} s ({sink.frames_written / seconds:.0f} frames/s)"
    yield f"{file or 'stdout'}: {rate}" + ("" if load is None else f", bus load {100 * load:.1f} %")
    if load is not None and load > FULL:
        yield "that is more than a bus carries: a replay faster than its time, or --bitrate is not the bus's rate"
    if progress.error_frames or progress.status_messages:
        yield f"{progress.error_frames} error frames and {progress.status_messages} status messages among them"
    if good and not ledger.lost:
        known = ledger.driver_overruns is not None
        yield "no loss was counted" if known else "no loss was counted here; what the driver lost is unaccounted"
    if args.verbose:
        yield f"ledger: {ledger}"
        yield (
            f"        ring high-water {ledger.high_water}, driver queue high-water {ledger.driver_queue_high_water}, "
            f"longest time between drains {ledger.longest_drain_gap_ns / 1e6:.1f} ms"
        )
    if file and os.path.isfile(file) and sink.frames_written:
        yield f"next: canal-fast stat {shlex.quote(file)}"
