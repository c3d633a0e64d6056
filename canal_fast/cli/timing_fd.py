"""`canal-fast timing --data-bitrate`: pairs of timings for CAN FD."""

from __future__ import annotations

import argparse
import json

from canal_fast import bittiming
from canal_fast.bittiming import BitTiming, BitTimingFd, ControllerLimits
from canal_fast.bittiming.drawing import draw_text, plot
from canal_fast.cli.wires import wire_lines

_HEAD = ("brp", "tseg1", "tseg2", "sjw", "sample %") * 2 + ("ppm", "tdco")


def run_fd(args: argparse.Namespace, row: ControllerLimits, count: int) -> int:
    """Solve and print the best `count` pairs."""
    if args.sjw is not None:
        raise ValueError("--sjw goes without --data-bitrate only")
    found = bittiming.solve_fd(
        args.bitrate,
        args.data_bitrate,
        limits=row,
        f_clock=args.f_clock,
        sample_point=args.sample_point,
        data_sample_point=args.data_sample_point,
        max_bitrate_error=args.max_error / 100,
        bus_length_m=args.bus_length,
        loop_delay_ns=args.loop_delay,
        oscillator_ppm=args.oscillator_ppm,
        count=count,
        rank="linux" if args.linux else "default",
    )
    if args.plot:
        rates = f"{float(args.bitrate):,.12g} and {float(args.data_bitrate):,.12g} bit/s"
        plot(found[0], args.plot, f"{rates}, {row.name} at {found[0].f_clock:,} Hz")
    if args.json:
        print(json.dumps([_as_dict(pair, args) for pair in found], indent=2))
    else:
        print("\n".join(_report(found, row, args)))
    return 0


def _phase(t: BitTiming, rate: object) -> dict[str, object]:
    return {
        "brp": t.brp,
        "tseg1": t.tseg1,
        "tseg2": t.tseg2,
        "sjw": t.sjw,
        "nbt": t.nbt,
        "tq_ns": t.tq_ns,
        "bitrate": t.bitrate,
        "bitrate_error": float(t.bitrate_error(rate)),  # type: ignore[arg-type]
        "sample_point": t.sample_point,
    }


def _as_dict(pair: BitTimingFd, args: argparse.Namespace) -> dict[str, object]:
    tolerance = pair.oscillator_tolerance_ppm()
    return {
        "f_clock": pair.f_clock,
        "nominal": _phase(pair.nominal, args.bitrate),
        "data": _phase(pair.data, args.data_bitrate),
        "oscillator_tolerance_ppm": float(tolerance),
        "tolerance_bound_by": tolerance.binding,
        "tdc_offset": pair.tdc_offset,
        "tdc_allowed": pair.tdc_allowed,
        "max_bus_length_m": pair.nominal.max_bus_length_m(args.loop_delay),
    }


def _report(found: list[BitTimingFd], row: ControllerLimits, args: argparse.Namespace) -> list[str]:
    first = found[0]
    lines = [f"{row.title or row}, {first.f_clock:,} Hz"]
    for name, timing in zip(("nominal", "data"), first, strict=True):
        lines += ["", f"  {name:7} {timing}", "", *("  " + line for line in draw_text(timing).split("\n"))]
    tolerance = first.oscillator_tolerance_ppm()
    compensation = "may be used" if first.tdc_allowed else "may not be used: the data prescaler is above 2"
    lines += [
        "",
        f"  oscillator tolerance  {tolerance:.0f} ppm (bound by {tolerance.binding})",
        f"  delay compensation    offset {first.tdc_offset} clock periods; {compensation}",
        f"  longest bus           {first.nominal.max_bus_length_m(args.loop_delay):.4g} m "
        f"(loop delay {float(args.loop_delay):g} ns, 5 ns/m)",
        *wire_lines(first.nominal),
        *(["  chosen as the Linux kernel does, sjw as since 6.3"] if args.linux else []),
        "",
        f"  the best {len(found)} pairs: nominal, data" if len(found) > 1 else "  1 pair: nominal, data",
        "",
    ]
    rows = [
        (
            *(cell for t in pair for cell in (t.brp, t.tseg1, t.tseg2, t.sjw, f"{t.sample_point:.2f}")),
            f"{pair.oscillator_tolerance_ppm():.0f}",
            pair.tdc_offset,
        )
        for pair in found
    ]
    widths = [max(len(str(line[i])) for line in (_HEAD, *rows)) for i in range(len(_HEAD))]
    lines += ["  " + "  ".join(f"{cell!s:>{w}}" for cell, w in zip(r, widths, strict=True)) for r in (_HEAD, *rows)]
    return lines
