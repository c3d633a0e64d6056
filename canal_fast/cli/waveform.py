"""`canal-fast waveform`: frames out of a logic analyser's or oscilloscope's capture."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

import numpy as np

from canal_fast.cli.options import keep_existing
from canal_fast.frames import FrameFlag, chosen, payload_length

HEADER = f"{'start s':>14}  {'id':>8}  {'dlc':>3}  {'clock ppm':>12}  {'margin ns':>9}  {'%':>3}  status / data"


def run(args: argparse.Namespace) -> int:
    """Read, decode, show."""
    keep_existing(args, args.output, args.plot, read=(args.capture,))
    waveform = importlib.import_module("canal_fast.waveform")
    wave = waveform.read(args.capture, args.channel, args.threshold, args.invert, args.sample_rate)
    d = waveform.decode(
        wave, args.bitrate, args.data_bitrate, args.sample_point, data_sample_point=args.data_sample_point
    )
    if args.output:
        importlib.import_module("canal_fast.logs").write_log(args.output, chosen(d.frames, d.valid))
    if args.draw is not None:
        if not -len(d) <= args.draw < len(d):
            raise ValueError(f"--draw {args.draw}: there are {len(d)} rows, numbered from 0 on")
        print(waveform.draw(wave, d, args.draw, args.plot))
        return 0
    if args.plot:
        waveform.draw_eye(wave, d, args.plot)
    if args.json:
        print(json.dumps(summary(wave, d), indent=1))
    else:
        print(HEADER)
        for row in range(len(d)):
            print(line(waveform, d, row))
        sys.stdout.flush()  # the sentence is the last also where both go to one file
        print(words(wave, d), file=sys.stderr)
    return 0


def number(value: float, digits: int) -> float | None:
    """What JSON can hold."""
    return round(float(value), digits) if np.isfinite(value) else None


def summary(wave: Any, d: Any) -> dict[str, Any]:
    """All rows and what they were read with."""
    waveform = importlib.import_module("canal_fast.waveform")
    sizes = payload_length(d.frames)
    rows = []
    for row in range(len(d)):
        frame = d.frames[row]
        flags = int(frame["flags"])
        rows.append(
            {
                "status": waveform.WaveStatus(int(d.status[row])).name,
                "valid": bool(d.valid[row]),
                "start_ns": int(d.start_ns[row]),
                "end_ns": int(d.end_ns[row]),
                "bit_index": int(d.bit_index[row]),
                "identified": bool(d.identified[row]),
                "arbitration_id": int(frame["arbitration_id"]),
                "extended": bool(flags & FrameFlag.EXTENDED_ID),
                "flags": flags,
                "dlc": int(frame["dlc"]),
                "data": frame["data"][: sizes[row]].tobytes().hex(),
                "ack": bool(d.ack[row]),
                "clock_ppm": number(d.clock_ppm[row], 1),
                "clock_uncertainty_ppm": number(d.clock_uncertainty_ppm[row], 1),
                "margin_ns": number(d.margin_ns[row], 1),
                "margin_percent": number(d.margin_percent[row], 2),
                "glitches": int(d.glitches[row]),
            }
        )
    data = d.rates.data
    return {
        "bitrate": d.rates.nominal.bitrate,
        "data_bitrate": None if data is None else data.bitrate,
        "sample_point": d.rates.nominal.sample_point,
        "data_sample_point": None if data is None else data.sample_point,
        "duration_s": wave.duration_s,
        "edges": len(wave.edges),
        "valid": int(d.valid.sum()),
        "idle_glitches": d.idle_glitches,
        "notes": wave.notes,
        "guesses": wave.guesses,
        "rows": rows,
    }


def line(waveform: Any, d: Any, row: int) -> str:
    """One row for people."""
    frame = d.frames[row]
    flags, status = int(frame["flags"]), waveform.WaveStatus(int(d.status[row])).name
    start = f"{int(d.start_ns[row]) / 1e9:14.9f}"
    clock = f"{d.clock_ppm[row]:+.0f} ±{d.clock_uncertainty_ppm[row]:.0f}" if np.isfinite(d.clock_ppm[row]) else "-"
    margin = f"{d.margin_ns[row]:.0f}" if np.isfinite(d.margin_ns[row]) else "-"
    percent = f"{d.margin_percent[row]:.0f}" if np.isfinite(d.margin_percent[row]) else "-"
    name = f"{int(frame['arbitration_id']):0{8 if flags & FrameFlag.EXTENDED_ID else 3}X}" if d.identified[row] else "-"
    if d.valid[row]:
        text = frame["data"][: int(payload_length(d.frames[row : row + 1])[0])].tobytes().hex(" ")
        text = "remote" if flags & FrameFlag.REMOTE else text
        text = text if status == "OK" else f"{status} {text}"
        dlc = str(int(frame["dlc"]))
    else:
        dlc = "-"
        text = f"{status} at bit {int(d.bit_index[row])}, {(int(d.end_ns[row]) - int(d.start_ns[row])) / 1e3:.3f} us"
    return f"{start}  {name:>8}  {dlc:>3}  {clock:>12}  {margin:>9}  {percent:>3}  {text}".rstrip()


def words(wave: Any, d: Any) -> str:
    """What was read, in a sentence."""
    rate = f"{d.rates.nominal.bitrate:.0f} bit/s"
    if d.rates.data is not None:
        rate += f", data {d.rates.data.bitrate:.0f} bit/s"
    valid = int(d.valid.sum())
    said = [f"{count} {what.replace('_', ' ')}" for what, count in wave.notes.items() if count]
    said += [f"taken: {', '.join(wave.guesses)}"] if wave.guesses else []
    return (
        f"{valid} valid frames and {len(d) - valid} other rows in {wave.duration_s:.6g} s at {rate}; "
        f"{'; '.join([f'{d.idle_glitches} glitches on the idle bus', *said])}"
    )
