"""`canal-fast log`: record a channel to a file, or print it as candump text, with a ledger at the end."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
from types import FrameType
from typing import Any, Protocol

from canal_fast import wire
from canal_fast.drivers.config_strings import is_fd_interface
from canal_fast.errors import ChannelClosedError, DriverError
from canal_fast.frames import FrameArray, FrameFlag
from canal_fast.live.channel import Channel
from canal_fast.live.ledger import Ledger
from canal_fast.logs import Recorder, format_candump

STEP_S = 0.1  # frames are written, and progress is reported, so often
BATCH = 65_536


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "log",
        help="record a channel",
        description="Record a CAN channel to a pcapng or candump file (by suffix), or print candump text without -o. "
        "Ends after --duration, --frames, the end of a replay, or Ctrl-C. Exit code 3: frames were lost.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help=".pcapng or .log; candump text on stdout without it")
    parser.add_argument("--library", metavar="PATH", help="driver library: a path, a file name, or virtual")
    parser.add_argument("--config", default="", metavar="STR", help="the driver's configuration string")
    parser.add_argument(
        "--flags", type=lambda text: int(text, 0), default=0, metavar="N", help="the driver's open flags"
    )
    parser.add_argument("--serial", metavar="S", help="serial number of a USB2CAN adapter, instead of --config")
    parser.add_argument("--bitrate", type=int, metavar="N", help="bit/s; for --serial, if_speed and the bus load")
    parser.add_argument("--profile", default="auto", metavar="NAME", help="driver profile (default: by file name)")
    parser.add_argument(
        "--fd",
        action=argparse.BooleanOptionalAction,
        help="receive CAN FD frames, too (default: where a SocketCAN interface or the virtual bus's fd= has them)",
    )
    parser.add_argument("--duration", type=float, metavar="S", help="stop after S seconds")
    parser.add_argument("--frames", type=int, metavar="N", help="stop after N frames")
    parser.add_argument(
        "--filter", action="append", type=_filter, metavar="ID:MASK", help="hexadecimal; any of several must match"
    )
    parser.add_argument("--clock", choices=("epoch", "device"), default="epoch", help="time stamps (default: epoch)")
    parser.add_argument("--ring-frames", type=int, default=262_144, metavar="N", help="records that wait for writing")
    parser.add_argument("--fsync", action="store_true", help="wait for the disk after every write")
    parser.add_argument("--json", action="store_true", help="progress and ledger as JSON lines on stdout (needs -o)")
    parser.set_defaults(run=run)


def _filter(text: str) -> dict[str, int]:
    can_id, separator, mask = text.partition(":")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not ID:MASK, as in 100:700")
    return {"can_id": int(can_id, 16), "can_mask": int(mask, 16)}


class Sink(Protocol):
    """Where frames go."""

    @property
    def frames_written(self) -> int: ...
    def write(self, frames: FrameArray) -> None: ...
    def due(self, channel: int = 0) -> bool: ...
    def write_statistics(self, ledger: object, channel: int = 0) -> None: ...
    def close(self) -> None: ...


class Stdout:
    """Candump text."""

    def __init__(self, name: str) -> None:
        self._written = 0
        self._names = {0: name}

    def write(self, frames: FrameArray) -> None:
        sys.stdout.buffer.write(format_candump(frames, self._names))
        sys.stdout.buffer.flush()
        self._written += len(frames)

    @property
    def frames_written(self) -> int:
        return self._written

    def due(self, channel: int = 0) -> bool:
        return False

    def write_statistics(self, ledger: object, channel: int = 0) -> None: ...

    def close(self) -> None: ...


class Progress:
    """One line on a terminal, rewritten; or JSON lines."""

    def __init__(self, as_json: bool, bitrate: int | None) -> None:
        self.json = as_json
        self.terminal = not as_json and sys.stderr.isatty()
        self.bitrate = bitrate
        self.begin = self.last = time.monotonic()
        self.frames = self.busy_ns = 0

    def update(self, frames: FrameArray, written: int, ledger: Ledger) -> None:
        now = time.monotonic()
        if self.bitrate and self.terminal:
            on_wire = frames[frames["flags"] & (FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0]
            self.busy_ns += int(wire.frame_duration_ns(on_wire, self.bitrate).sum())
        if self.json:
            self.line(event="progress", frames_written=written, ledger=ledger.as_dict())
        elif self.terminal and now - self.last >= 1:
            rate = (written - self.frames) / (now - self.last)
            load = f"{self.busy_ns / (now - self.last) / 1e7:5.1f} % of the bus  " if self.bitrate else ""
            print(
                f"\r{now - self.begin:7.1f} s {written:10d} frames {rate:8.0f} frames/s  {load}ring high-water "
                f"{ledger.high_water}  dropped {ledger.dropped}  driver overruns {_known(ledger.driver_overruns)} ",
                end="",
                file=sys.stderr,
                flush=True,
            )
            self.frames, self.last, self.busy_ns = written, now, 0

    def line(self, **row: Any) -> None:
        print(json.dumps({"seconds": round(time.monotonic() - self.begin, 3), **row}), flush=True)


def _known(count: int | None) -> str:
    return "not known" if count is None else str(count)


def run(args: argparse.Namespace) -> int:
    """Record until something ends it; 3 when the ledger counts a loss, 1 when the driver failed."""
    if args.library is None and args.serial is None:
        raise ValueError("give --library PATH (or virtual), or --serial of a USB2CAN adapter")
    if args.json and args.output is None:
        raise ValueError("--json prints on stdout, and so do frames without -o FILE: give one")
    for name in ("duration", "frames"):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f"--{name} {value}, allowed above 0")
    with _open(args) as channel:
        name = re.sub(r"\s+", "_", args.serial or args.config.partition(";")[0].strip())[:15] or "can0"
        sink: Sink
        if args.output is None:
            sink = Stdout(name)
        else:
            sink = Recorder(args.output, interfaces={0: (name, _bitrate(args))}, fsync=args.fsync)
        progress = Progress(args.json, _bitrate(args))
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
            sink.close()
        return _report(channel, sink, progress, args, failure)


def _open(args: argparse.Namespace) -> Channel:
    options: dict[str, Any] = {"clock": args.clock, "filters": args.filter, "ring_frames": args.ring_frames}
    options["fd"] = _carries_fd(args) if args.fd is None else args.fd
    if args.serial is not None:
        library = args.library or "usb2can.dll"
        return Channel.usb2can(args.serial, args.bitrate or 500_000, library=library, **options)
    config = args.config or ("bus0" if args.library == "virtual" else "")
    return Channel(args.library, config, flags=args.flags, profile=args.profile, **options)


def _carries_fd(args: argparse.Namespace) -> bool:
    """What --fd is by itself."""
    name, *keys = (field.strip() for field in args.config.split(";"))
    if args.library == "virtual":
        return any(key.replace(" ", "").startswith(("fd=", "data_bitrate=")) for key in keys)
    return args.library == "socketcan" and is_fd_interface(name)


def _bitrate(args: argparse.Namespace) -> int | None:
    """--bitrate, or the one in the virtual bus's configuration."""
    fields = args.config.split(";")
    if args.bitrate is None and args.library == "virtual" and len(fields) > 1 and fields[1].strip().isdigit():
        return int(fields[1])
    return args.bitrate or (500_000 if args.library == "virtual" else None)


def _record(channel: Channel, sink: Sink, progress: Progress, args: argparse.Namespace) -> None:
    ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        ending = True

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
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
    channel: Channel, sink: Sink, progress: Progress, args: argparse.Namespace, failure: Exception | None
) -> int:
    ledger = channel.ledger()
    ledger.verify()
    code = 1 if failure else 3 if ledger.lost else 0
    if args.json:
        error = str(failure) if failure else None
        progress.line(event="end", frames_written=sink.frames_written, ledger=ledger.as_dict(), error=error)
    else:
        seconds = time.monotonic() - progress.begin
        rate = f"{sink.frames_written} frames in {seconds:.1f} s ({sink.frames_written / seconds:.0f} frames/s)"
        print(f"{chr(10) if progress.terminal else ''}{args.output or 'stdout'}: {rate}", file=sys.stderr)
        print(
            f"ledger: {ledger}\n        ring high-water {ledger.high_water}, driver queue high-water "
            f"{ledger.driver_queue_high_water}, longest time between drains {ledger.longest_drain_gap_ns / 1e6:.1f} ms",
            file=sys.stderr,
        )
        if failure:
            print(f"canal-fast log: {failure}", file=sys.stderr)
        if ledger.lost:
            print(f"canal-fast log: {ledger.lost} frames were lost", file=sys.stderr)
    return code
