"""`canal-fast decode`: the signals of a recording, as text, table or picture."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import numpy as np

from canal_fast.cli.left_out import exit_code, tell
from canal_fast.cli.options import keep_existing, reading
from canal_fast.frames import FrameArray, make_frames
from canal_fast.logs import format_candump
from canal_fast.logs.files import whole
from canal_fast.plot import signals as draw_signals
from canal_fast.signals import Database, DecodeCounts, Plan, Table, load_database, to_parquet
from canal_fast.signals.lines import format_csv, format_lines

BATCH_FRAMES = 65_536
LONG = ("message", "signal", "value", "unit")  # columns of a CSV of several messages


def run(args: argparse.Namespace) -> int:
    """Decode, print; what was not decoded goes to standard error in numbers."""
    keep_existing(args, None if args.to else args.output, args.plot, read=(args.file, args.dbc))
    database = load_database(args.dbc, encoding=args.encoding)
    if args.list:
        print("\n".join(listing(database)))
        return 0
    if args.file is None:
        raise ValueError("FILE is missing; only --list does without")
    words = args.to is not None or not (args.plot or (args.output or "").endswith(".npz"))
    plan = database.plan(
        signals=args.signal,
        choices="dictionary" if words else None,
        j1939=True if args.j1939 else None,
        j1939_nulls=args.j1939_nulls,
    )
    if args.to:
        return write_folder(plan, args)
    counts, code = write(plan, args) if args.output or args.plot else print_lines(plan, args)
    print(
        f"canal-fast decode: {counts.decoded} frames decoded, {counts.short} too short, {counts.unknown_id} of other "
        f"messages, {counts.not_decodable} not data frames",
        file=sys.stderr,
    )
    tell_foreign(counts, args)
    return code


def tell_foreign(counts: DecodeCounts, args: argparse.Namespace) -> None:
    """Where no frame has a message: the database is of another bus, most likely."""
    if counts.unknown_id and not counts.decoded + counts.short:
        wanted = "a message with a chosen signal" if args.signal else f"a message in {args.dbc}"
        more = "" if args.j1939 else "; --j1939 matches extended identifiers by parameter group"
        print(f"canal-fast decode: none of {counts.unknown_id} frames is of {wanted}{more}", file=sys.stderr)


def write_folder(plan: Plan, args: argparse.Namespace) -> int:
    """Into a folder of Parquet."""
    if args.output is None or args.plot:
        raise ValueError("--to parquet needs -o FOLDER, and goes without --plot")
    account, counts = to_parquet(plan, args.file, args.output, format=args.format, tz=args.tz, errors=args.errors)
    print(
        f"canal-fast decode: {account.frames} frames, {account.rows} rows in {len(account.files)} files of "
        + args.output
        + (f", {account.undated} without a date" if account.undated else "")
        + (f"; {counts.short} too short" if counts.short else "")
        + (f"; {counts.unknown_id} of other messages" if counts.unknown_id else ""),
        file=sys.stderr,
    )
    tell_foreign(counts, args)
    return 0


def listing(database: Database) -> Iterator[str]:
    """Messages with their signals, then the problems."""
    for message in database.messages:
        width = 8 if message.is_extended else 3
        kind = "  J1939" if message.by_pgn else "  FD" if message.is_fd else ""
        yield f"{message.arbitration_id:0{width}X}  {message.name}  {message.length} bytes{kind}"
        for s in message.signals:
            order = "big" if s.big_endian else "little"
            number = "float" if s.is_float else "signed" if s.is_signed else "unsigned"
            chosen = ",".join(f"{a}" if a == b else f"{a}..{b}" for a, b in s.multiplexer_ids)
            there = f"  if {s.multiplexer} is {chosen}" if s.multiplexer else ""
            linear = "" if s.scale == 1 and s.offset == 0 else f"  * {s.scale} + {s.offset}"
            place = f"{s.start}|{s.length} {order} {number}"
            yield f"    {s.name}  {place}{linear}{f'  [{s.unit}]' if s.unit else ''}{there}"
    for problem in database.problems:
        yield f"problem: {problem}"


def print_lines(plan: Plan, args: argparse.Namespace) -> tuple[DecodeCounts, int]:
    """candump text, and behind each frame of the plan its signals; of a pipe what is there, before waiting for more.

    Returns counts and the command's exit code."""
    others = args.signal is None
    counts = DecodeCounts()
    with reading(args) as log:
        for frames in log.batches(BATCH_FRAMES):
            tables = plan.decode(frames)
            counts += tables.counts
            sys.stdout.writelines(format_lines(tables, frames, format_candump(frames, log.names), others=others))
            sys.stdout.flush()
        tell(log, "decode")
    return counts, exit_code(log)


def write(plan: Plan, args: argparse.Namespace) -> tuple[DecodeCounts, int]:
    """A CSV or npz file, a picture, or both; returns as `print_lines`."""
    if args.output and not args.output.endswith((".csv", ".npz")):
        raise ValueError(f"-o {args.output}: the name ends with .csv or .npz")
    counts = DecodeCounts()
    kept: dict[str, list[tuple[FrameArray, Any, Any]]] = {}
    is_csv = (args.output or "").endswith(".csv")
    with (
        reading(args) as log,
        whole(args.output) if is_csv else io.BytesIO() as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
    ):
        append = csv_rows(file, plan)
        for tables in map(plan.decode, log.batches(BATCH_FRAMES)):
            counts += tables.counts
            for name, table in tables.items():
                if is_csv:
                    append(table)
                if not is_csv or args.plot:
                    for column, numbers in table.columns.items():
                        valid = table.partial.get(column)
                        kept.setdefault(f"{name}.{column}", []).append((table.timestamp_ns, numbers, valid))
        tell(log, "decode")
    if (args.output or "").endswith(".npz"):
        with whole(args.output) as raw:
            np.savez(raw, **arrays(kept))
    if args.plot:
        draw(plan, kept, args)
    return counts, exit_code(log)


def csv_rows(file: TextIO, plan: Plan) -> Callable[[Table], None]:
    """Writes the line of names; a function that appends a table to the file."""
    wide = len(plan.messages) == 1
    names = plan.decode(make_frames([]))[plan.messages[0].name].columns if wide else LONG
    csv.writer(file).writerow(["timestamp_ns", *names])
    return lambda table: file.writelines(format_csv(table, long=not wide))


def arrays(kept: dict[str, list[tuple[Any, Any, Any]]]) -> dict[str, Any]:
    """Message.signal, Message.signal.timestamp_ns: of the rows that have a value."""
    found = {}
    for name in kept:
        times, numbers = joined(kept[name])
        found[name], found[f"{name}.timestamp_ns"] = numbers, times
    return found


def joined(parts: list[tuple[Any, Any, Any]]) -> tuple[Any, Any]:
    chosen = [(t, v) if valid is None else (t[valid], v[valid]) for t, v, valid in parts]
    return np.concatenate([t for t, _ in chosen]), np.concatenate([v for _, v in chosen])


def draw(plan: Plan, kept: dict[str, list[tuple[Any, Any, Any]]], args: argparse.Namespace) -> None:
    """The chosen signals; of all, the picture's own limit speaks."""
    units = {f"{m.name}.{s.name}": s.unit for m in plan.messages for s in m.signals}
    series = {name: joined(parts) for name, parts in kept.items() if name in units}
    series = {name: pair for name, pair in series.items() if len(pair[0])}
    if not series:
        raise ValueError(f"{args.file} holds no frame of the chosen signals: nothing to draw")
    texts = {
        f"{m.name}.{s.name}": {raw * s.scale + s.offset: text for raw, text in s.choices}
        for m in plan.messages
        for s in m.signals
    }
    draw_signals(series, units, args.file, texts).savefig(args.plot, dpi=110)
