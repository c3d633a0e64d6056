"""`canal-fast monitor`: what is on the buses, or in a recording, one row an identifier."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator

import canal_fast.arguments as arguments
from canal_fast.cli.parsers.monitor import ONCE_S
from canal_fast.cli.streams import own_output
from canal_fast.cli.terminal import Terminal, open_terminal
from canal_fast.logger.ansi import COLOURED, MONOCHROME, Differ
from canal_fast.logger.feeds import Bus, Feed, FileFeed, LiveFeed
from canal_fast.logger.lines import screen_lines, table_lines
from canal_fast.logger.monitor import Monitor, Snapshot
from canal_fast.logger.signal_texts import SignalTexts
from canal_fast.logger.summary import as_dict
from canal_fast.logger.view import View
from canal_fast.logs import LogFile, open_log
from canal_fast.signals import Database, Message, load_database

INTERVALS_S = (0.02, 60)


def run(args: argparse.Namespace) -> int:
    """Watch until something ends it; 3 when the ledger counts a loss, 1 when a driver failed."""
    if args.file is not None and args.source:
        raise ValueError("give a recording, or --source KIND:CONFIG for each bus, not both")
    if args.file is None and not args.source:
        raise ValueError("give a recording, or --source KIND:CONFIG for each bus, such as socketcan:can0")
    if args.source and args.speed is not None:
        raise ValueError("--speed is of recordings; a bus has its own")
    if args.j1939 and not args.dbc:
        raise ValueError("--j1939 says how a database is matched; give one with --dbc")
    if args.file == "-" and sys.stdin is not None and sys.stdin.isatty():
        raise ValueError("- is standard input, which is this terminal: pipe a recording into it")
    arguments.interval("--interval", args.interval, *INTERVALS_S)
    names = [row.name for row in args.source or ()]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--source: two are called {name}; give them other names with ,name=")
    texts = database(args.dbc, args.j1939) if args.dbc else None
    view = View(sort=args.sort, filter=args.filter, all_expanded=texts is not None)
    with own_output(), contextlib.ExitStack() as stack:
        feed = _feed(args, stack)
        monitor = Monitor(feed, texts)
        terminal = None if args.once or args.json else open_terminal()
        if terminal is None:
            once(monitor, args.once or ONCE_S, view, args.json)
        else:
            view.all_expanded = False
            with terminal:
                watch(monitor, terminal, view, args.interval)
            feed.stop()
    with contextlib.suppress(OSError):  # the terminal may be gone
        return _at_the_end(feed, args.json)
    return 1


def database(paths: list[str], j1939: bool) -> SignalTexts:
    """Of all files together; where two have a message, the first counts."""
    messages: dict[str, Message] = {}
    taken = set()
    for path in paths:
        for message in load_database(path).messages:
            place = (message.is_extended, message.arbitration_id)
            if message.name not in messages and place not in taken:
                messages[message.name] = message
                taken.add(place)
    database = Database(messages.values(), path=", ".join(paths))
    return SignalTexts(database.plan(choices="dictionary", j1939=True if j1939 else None))


def _feed(args: argparse.Namespace, stack: contextlib.ExitStack) -> Feed:
    if args.file is not None:
        log = stack.enter_context(_recording(args.file))
        feed = FileFeed(log, args.speed, {"bitrate": args.bitrate, "data_bitrate": args.data_bitrate})
        stack.callback(feed.stop)
        return feed
    channels, buses = [], []
    for number, row in enumerate(args.source):
        channels.append(stack.enter_context(row.open(channel=number, reconnect=args.reconnect)))
        nominal, data = row.known_bitrates
        buses.append(Bus(number, row.name, nominal or args.bitrate, args.data_bitrate or data))
    return LiveFeed(channels, buses)


def _recording(path: str) -> LogFile:
    try:
        return open_log(path)
    except FileNotFoundError:
        if path == os.path.basename(path) and not os.path.splitext(path)[1]:
            raise ValueError(f"{path}: no such file; a bus is watched by --source, as in socketcan:{path}") from None
        raise


def once(monitor: Monitor, after_s: float, view: View, as_json: bool) -> None:
    """Print the table when its time has come: at the end of a recording, after some seconds of a bus."""
    deadline = time.monotonic() + after_s
    live = isinstance(monitor.feed, LiveFeed)
    with _interrupted() as ending:
        while not monitor.feed.ended and not ending and not (live and time.monotonic() >= deadline):
            monitor.poll()
            time.sleep(min(monitor.feed.wait_s(0.05), max(deadline - time.monotonic(), 0) if live else 1.0))
    monitor.feed.stop()
    monitor.poll()
    snapshot = monitor.snapshot()
    if as_json:
        print(json.dumps(as_dict(snapshot, view, monitor.texts), indent=1))
    else:
        for line in table_lines(snapshot, view, monitor.texts):
            print(line)


@contextlib.contextmanager
def _interrupted() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM, noted: the table is printed earlier."""
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: noted.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch(monitor: Monitor, terminal: Terminal, view: View, interval: float) -> None:
    """Refresh, and take keys, until quit."""
    style = MONOCHROME if os.environ.get("NO_COLOR") else COLOURED
    differ, size, due = Differ(), (0, 0), 0.0
    snapshot: Snapshot | None = None
    pressed = False
    while terminal.ending is None:
        monitor.poll()
        if snapshot is None or time.monotonic() >= due:
            due = time.monotonic() + interval
            if snapshot is None or not view.paused:
                snapshot = monitor.snapshot().kept()
                monitor.look_away()
            pressed = True
        if terminal.fresh():
            differ.forget()
            pressed = True
        if pressed or terminal.size() != size:
            size = terminal.size()
            text = differ.update(screen_lines(snapshot, view, *size, style, monitor.texts), *size)
            if text:
                terminal.write(text)
        keys = terminal.keys(monitor.feed.wait_s(max(due - time.monotonic(), 0)))
        pressed = bool(keys)
        for key in keys:
            if key == "redraw":
                differ.forget()
            asked = view.press(key)
            if asked == "quit":
                return
            if asked == "clear":
                monitor.clear()
                snapshot = None


def _at_the_end(feed: Feed, as_json: bool) -> int:
    """What a person should know when the screen is gone; the exit code."""
    code = 0
    for bus in feed.buses.values():
        if bus.ledger is not None and bus.ledger.lost:
            print(f"canal-fast monitor: {bus.name}: {bus.ledger.lost} frames were lost", file=sys.stderr)
            code = code or 3
        if bus.trouble:
            print(f"canal-fast monitor: {bus.name}: {bus.trouble}", file=sys.stderr)
            code = 1
    return code
