"""`canal-fast play`: recordings onto buses, each frame at its time."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from canal_fast.cli.options import sentence
from canal_fast.cli.streams import own_output
from canal_fast.errors import DriverError
from canal_fast.live.channel import Channel
from canal_fast.logger.playing import MEANINGS, Player, PlayResult

DRAIN_S = 5.0  # what the drivers still have at the end is waited for so long


def run(args: argparse.Namespace) -> int:
    """Play, and tell how late it was."""
    names = [row.name for row in args.source]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--source: two are called {name}; give them other names with ,name=")
    wanted = dict(args.map or ())
    if len(wanted) < len(args.map or ()):
        raise ValueError("--map: one NAME is mapped twice; its frames go to one source")
    failure: DriverError | None = None
    with own_output(), contextlib.ExitStack() as stack:
        channels = {row.name: stack.enter_context(row.open(drain=0, ring_frames=1024)) for row in args.source}
        player = Player(
            args.file, channels, speed=args.speed, gap_max_s=args.gap_max, loops=args.loops, align=args.align,
            channel_map=wanted or None, filters=args.filter, start=args.start, stop=args.stop, tx=not args.no_tx,
            skip=args.skip,
        )  # fmt: skip
        with _ending(player):
            try:
                result = player.run()
            except DriverError as error:
                failure, result = error, player.result()
        unsent = 0 if result.stopped else sum(_drain(channel) for channel in channels.values())
        if args.json:
            words = None if failure is None else sentence(failure)
            print(json.dumps({**result.as_dict(), "unsent": unsent, "error": words}))
    if not args.json:
        for line in lines(result):
            print(f"canal-fast play: {line}", file=sys.stderr)
    if unsent:
        print(f"canal-fast play: {unsent} frames that the drivers had taken were not sent", file=sys.stderr)
    if failure is not None:
        print(f"canal-fast play: {sentence(failure)}", file=sys.stderr)
    return 1 if unsent or failure else 130 if result.stopped else 0


def _drain(channel: Channel) -> int:
    with contextlib.suppress(DriverError):
        return channel.drain(DRAIN_S) or 0
    return 0


@contextlib.contextmanager
def _ending(player: Player) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the player."""

    def end(number: int, frame: FrameType | None) -> None:
        player.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def lines(result: PlayResult) -> Iterator[str]:
    """The result for people."""
    lanes = ", ".join(f"{name} {count}" for name, count in result.sent.items())
    yield f"{result.frames} frames sent in {result.duration_s:.3f} s ({lanes})" + (
        ", stopped" if result.stopped else ""
    )
    for name, count in result.skipped.items():
        yield f"left out: {count} {MEANINGS[name]}"
    if result.gaps:
        yield f"{result.gaps} times without a frame were shortened"
    if result.clock_steps:
        yield f"the recorder's clock was set back {result.clock_steps} times; times go on from there"
    late = result.lateness
    if not late.frames:
        return
    yield (
        f"lateness: mean {_time(late.mean_ns)}, 99 % at most {_time(late.at_most(0.99))}, "
        f"all at most {_time(late.max_ns)}"
    )
    for edge, count in late.histogram.items():
        if count:
            name = "more" if edge is None else f"to {_time(edge)}"
            yield f"  {name:>9} {count:9} {100 * count / late.frames:6.2f} %"


def _time(ns: float) -> str:
    for limit, unit, size in ((1e6, "us", 1e3), (1e9, "ms", 1e6)):
        if ns < limit:
            return f"{ns / size:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"
