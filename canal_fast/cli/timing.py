"""`canal-fast timing`: bit timings for a rate and a controller."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from canal_fast import bittiming
from canal_fast.bittiming import BitTiming, ControllerLimits
from canal_fast.bittiming.controllers import limits_of
from canal_fast.bittiming.drawing import draw_text, plot
from canal_fast.cli.options import keep_existing
from canal_fast.cli.parsers.timing import SHOWN
from canal_fast.cli.timing_fd import run_fd
from canal_fast.cli.wires import stubs, wire_lines
from canal_fast.errors import BitTimingError


def run(args: argparse.Namespace) -> int:
    """Solve and print."""
    keep_existing(args, args.plot)
    row = custom(args.limits, args.data_limits)
    try:
        if args.data_bitrate is not None:
            return run_fd(args, row, 10_000 if args.all else SHOWN)
        for name in ("data_sample_point", "data_limits"):
            if getattr(args, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} needs --data-bitrate")
        found = bittiming.solve(
            args.bitrate,
            limits=row,
            f_clock=args.f_clock,
            sample_point=args.sample_point,
            max_bitrate_error=args.max_error / 100,
            bus_length_m=args.bus_length,
            loop_delay_ns=args.loop_delay,
            oscillator_ppm=args.oscillator_ppm,
            sjw=args.sjw,
            rank="linux" if args.linux else "default",
        )
    except BitTimingError as error:
        if not args.json or not error.reasons:
            raise
        print(json.dumps({"error": str(error), "reasons": error.reasons}, indent=2))
        return 1
    listed = found if args.all else found[:SHOWN]
    if args.plot:
        plot(listed, args.plot, f"{float(args.bitrate):,.12g} bit/s, {row.name} at {found[0].f_clock:,} Hz")
    if args.json:
        print(json.dumps([_as_dict(t, args, row.btr) for t in found], indent=2))
    else:
        print("\n".join(_report(listed, len(found), args, row)))
    return 0


def custom(text: str, data: str | None) -> ControllerLimits:
    """The controller of that name, or the limits that the text states, with those of the data phase."""
    data_phase = ControllerLimits.from_text(data) if data is not None else None
    if "=" in text or ".." in text:
        return ControllerLimits.from_text(text, data=data_phase)
    row = limits_of(text)
    return row if data_phase is None else replace(row, data=data_phase)


def _as_dict(t: BitTiming, args: argparse.Namespace, btr: bool) -> dict[str, object]:
    tolerance = t.oscillator_tolerance_ppm()
    row: dict[str, object] = {
        "f_clock": t.f_clock,
        "brp": t.brp,
        "tseg1": t.tseg1,
        "tseg2": t.tseg2,
        "sjw": t.sjw,
        "prop_seg": t.segments.prop_seg,
        "phase_seg1": t.phase_seg1,
        "nbt": t.nbt,
        "tq_ns": t.tq_ns,
        "bitrate": t.bitrate,
        "bitrate_error": float(t.bitrate_error(args.bitrate)),
        "sample_point": t.sample_point,
        "oscillator_tolerance_ppm": float(tolerance),
        "tolerance_bound_by": tolerance.binding,
        "max_bus_length_m": t.max_bus_length_m(args.loop_delay),
        "stub_lengths_m": [row._asdict() for row in stubs(t)],
    }
    if btr:
        row |= {"btr0": t.btr0, "btr1": t.btr1}
    return row


def _report(listed: list[BitTiming], total: int, args: argparse.Namespace, row: ControllerLimits) -> list[str]:
    first, btr = listed[0], row.btr
    tolerance = first.oscillator_tolerance_ppm()
    lines = [
        f"{row.title or row}, {first.f_clock:,} Hz",
        "",
        f"  {first}",
        "",
        *("  " + line for line in draw_text(first).split("\n")),
        "",
        f"  oscillator tolerance  {tolerance:.0f} ppm (bound by {tolerance.binding})",
        f"  longest bus           {first.max_bus_length_m(args.loop_delay):.4g} m "
        f"(loop delay {float(args.loop_delay):g} ns, 5 ns/m)",
        *wire_lines(first),
    ]
    if args.linux:
        lines.append("  chosen as the Linux kernel does, sjw as since 6.3")
    if btr:
        lines.append(f"  BTR0, BTR1            {first.btr0:#04x}, {first.btr1:#04x}")
    shown = f"{len(listed)} of {total}" if len(listed) < total else f"{total}"
    lines += ["", f"  {shown} solution{'s' * (total > 1)}, best first", ""]
    head: tuple[str, ...] = (
        "brp",
        "tseg1",
        "tseg2",
        "sjw",
        "prop",
        "phase1",
        "nbt",
        "tq ns",
        "sample %",
        "error %",
        "ppm",
        "max m",
    )
    rows: list[tuple[object, ...]] = [
        (
            t.brp,
            t.tseg1,
            t.tseg2,
            t.sjw,
            t.segments.prop_seg,
            t.phase_seg1,
            t.nbt,
            f"{t.tq_ns:.6g}",
            f"{t.sample_point:.2f}",
            f"{float(t.bitrate_error(args.bitrate) * 100):.3g}",
            f"{t.oscillator_tolerance_ppm():.0f}",
            f"{t.max_bus_length_m(args.loop_delay):.4g}",
        )
        for t in listed
    ]
    if btr:
        head += ("BTR0", "BTR1")
        rows = [(*cells, f"{t.btr0:#04x}", f"{t.btr1:#04x}") for cells, t in zip(rows, listed, strict=True)]
    widths = [max(len(str(line[i])) for line in (head, *rows)) for i in range(len(head))]
    lines += [
        "  " + "  ".join(f"{cell!s:>{w}}" for cell, w in zip(line, widths, strict=True)) for line in (head, *rows)
    ]
    return lines
