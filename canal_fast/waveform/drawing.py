"""One row of a decoded waveform as text or picture; eye diagram and margins. Public as `canal_fast.waveform.draw`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from canal_fast.frames import FrameFlag
from canal_fast.plot.waves import BitTrace, Part, eye, wave_bits
from canal_fast.wire.drawing import fields

from .kernel import Decoded, WaveStatus
from .trace import Trace, trace_frame
from .wave import Wave

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AROUND = 20  # bits before and after the row whose edges may be drawn
_EYE_FRAMES = 2_000
_WITH_TIMES = (WaveStatus.ERROR_FLAG, WaveStatus.OVERLOAD, WaveStatus.STUCK)

Path = str | os.PathLike[str]


def _parts(d: Decoded, row: int, trace: Trace) -> list[Part]:
    """Fields of a valid frame; a frame with trouble is one part."""
    if not d.valid[row]:
        return [Part(WaveStatus(int(d.status[row])).name.lower().replace("_", " "), 0, (False,) * len(trace.bits))]
    parts = fields(d.frames[row : row + 1])
    return [Part(field.name, field.start, field.stuff) for field in parts if field.start < len(trace.bits)]


def _title(d: Decoded, row: int) -> str:
    frame, status = d.frames[row], WaveStatus(int(d.status[row]))
    words = [f"row {row}: {status.name}"]
    if d.valid[row]:
        flags = int(frame["flags"])
        digits = 8 if flags & FrameFlag.EXTENDED_ID else 3
        words.append(f"id {int(frame['arbitration_id']):0{digits}X}, dlc {int(frame['dlc'])}")
    words.append(f"from {int(d.start_ns[row]) / 1e9:.9f} s, {(int(d.end_ns[row]) - int(d.start_ns[row])) / 1e3:.3f} us")
    if d.clock_ppm is not None and np.isfinite(d.clock_ppm[row]) and d.clock_uncertainty_ppm is not None:
        words.append(f"clock {d.clock_ppm[row]:+.0f} ± {d.clock_uncertainty_ppm[row]:.0f} ppm")
    if d.margin_ns is not None and d.margin_percent is not None and np.isfinite(d.margin_ns[row]):
        words.append(f"margin {d.margin_ns[row]:.0f} ns ({d.margin_percent[row]:.0f} % of a bit)")
    if d.glitches is not None and d.glitches[row]:
        words.append(f"{int(d.glitches[row])} glitches")
    return ", ".join(words)


def draw(wave: Wave, d: Decoded, row: int = 0, plot: Path | None = None) -> str:
    r"""One row of `d` as text: fields with their times and bits; where it has trouble, the bit.

    Parameters
    ----------
    wave : Wave
        What `d` was decoded from.
    d : Decoded
    row : int
    plot : path, optional
        Also draw levels, bits, sample points, stuff bits and fields into this picture (its suffix says which format).
        Needs matplotlib, the extra `plot`.

    Returns
    -------
    str
        A line for each field: time of its start, name, bits (0 dominant, stuff bits in brackets, trouble between
        exclamation marks).

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123, b"\x01"), 500_000)
    >>> print(cf.waveform.draw(wave, cf.waveform.decode(wave, 500_000)))
    row 0: OK, id 123, dlc 1, from 0.000040000 s, 110.000 us, clock +0 ± 0 ppm, margin 250 ns (12 % of a bit)
        0.000 us  SOF            0
        2.000 us  ID             00100100011
       24.000 us  RTR            0
       26.000 us  IDE            0
       28.000 us  r0             0
       30.000 us  DLC            00[1]01
       40.000 us  data 0         00000[1]001
       58.000 us  CRC            01001011111[0]1110
       90.000 us  CRC delimiter  1
       92.000 us  ACK slot       0
       94.000 us  ACK delimiter  1
       96.000 us  EOF            1111111
    """
    row = range(len(d))[row]
    lines = [_title(d, row)]
    if WaveStatus(int(d.status[row])) in _WITH_TIMES:
        if plot is not None:
            raise ValueError(f"row {row} is no frame ({WaveStatus(int(d.status[row])).name}) and cannot be drawn")
        return lines[0]
    trace = trace_frame(wave, d, row)
    for part in _parts(d, row, trace):
        cells = []
        for offset, stuffed in enumerate(part.stuff):
            at = part.start + offset
            if at < len(trace.bits):
                bit = str(trace.bits[at])
                cells.append(f"!{bit}!" if at == d.bit_index[row] else f"[{bit}]" if stuffed else bit)
        start_us = (trace.start_ns[part.start] - int(d.start_ns[row])) / 1e3
        text = "".join(cells)
        wrapped = [text[i : i + 80] for i in range(0, len(text), 80)] or [""]
        lines.append(f"{start_us:9.3f} us  {part.name:13}  {wrapped[0]}".rstrip())
        lines += [" " * 29 + more for more in wrapped[1:]]
    if plot is not None:
        _picture(wave, d, row, trace).savefig(plot, dpi=110)
    return "\n".join(lines)


def _picture(wave: Wave, d: Decoded, row: int, trace: Trace) -> Figure:
    origin = int(d.start_ns[row])
    scale = 1e9 / wave.ticks_per_second
    around = (int(d.end_ns[row]) - origin) / max(len(trace.bits), 1) * _AROUND
    low, high = np.searchsorted(wave.edges, [(origin - around) / scale, (int(d.end_ns[row]) + around) / scale])
    bits = BitTrace(
        trace.bits,
        (trace.start_ns - origin) / 1e3,
        (np.append(trace.start_ns[1:], float(d.end_ns[row])) - origin) / 1e3,
        (trace.sample_ns - origin) / 1e3,
    )
    edges = (wave.edges[low:high] * scale - origin) / 1e3
    trouble = int(d.bit_index[row])
    return wave_bits(edges, (wave.level + int(low)) % 2, bits, _parts(d, row, trace), trouble, _title(d, row))


def draw_eye(wave: Wave, d: Decoded, plot: Path, arbitration_id: int | None = None) -> int:
    """Eye diagram: how far edges lie from bit boundaries and samples, over all valid frames; and how wide margins are.

    Above, edges to dominant and to recessive over the place in a bit where they lie, at the nominal rate (and at the
    data rate, dashed). Below, a histogram of each identifier's smallest margins.

    Parameters
    ----------
    wave, d
        As for `draw`.
    plot : path
    arbitration_id : int, optional
        Only this sender's frames.

    Returns
    -------
    int
        The number of frames that are in the picture, at most 2000.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123] * 50, b"hello"), 500_000, jitter_ns=50, seed=1)
    >>> cf.waveform.draw_eye(wave, cf.waveform.decode(wave, 500_000), "eye.png")
    50
    """
    if d.margin_percent is None:
        raise ValueError("decoded with columns=False: there are no margins")
    rows = np.flatnonzero(d.valid)
    if arbitration_id is not None:
        rows = rows[d.frames["arbitration_id"][rows] == arbitration_id]
    if not rows.size:
        raise ValueError("no valid frame to draw")
    rows = rows[:: -(-rows.size // _EYE_FRAMES)]
    found = [_edge_places(wave, d, int(row)) for row in rows]
    speeds = 1 + any(len(places[1][0]) or len(places[1][1]) for places in found)
    places = [
        (np.concatenate([one[speed][0] for one in found]), np.concatenate([one[speed][1] for one in found]))
        for speed in range(speeds)
    ]
    phases = [d.rates.nominal, d.rates.data or d.rates.nominal][:speeds]
    ids, margins = d.frames["arbitration_id"][rows], d.margin_percent[rows]
    title = f"{rows.size} frames at {d.rates.nominal.bitrate:.0f} bit/s"
    by_id = {int(name): margins[ids == name] for name in np.unique(ids)}
    eye(places, [phase.sample_point for phase in phases], by_id, title).savefig(plot, dpi=110)
    return int(rows.size)


def _edge_places(
    wave: Wave, d: Decoded, row: int
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Percent of the bit after the nearest bit boundary: ((to dominant, to recessive), the same at the data rate)."""
    trace = trace_frame(wave, d, row)
    scale = 1e9 / wave.ticks_per_second
    low, high = np.searchsorted(wave.edges, [int(d.start_ns[row]) / scale + 2, int(d.end_ns[row]) / scale])
    edges = wave.edges[low:high] * scale
    levels = (wave.level + 1 + low + np.arange(high - low)) % 2
    bit = np.clip(np.searchsorted(trace.sample_ns, edges), 0, len(trace.bits) - 1)
    data = d.rates.data or d.rates.nominal
    lengths = np.where(trace.fast[bit], 1e9 / data.bitrate, 1e9 / d.rates.nominal.bitrate)
    places = 100 * (edges - trace.start_ns[bit]) / lengths
    split_at = [
        tuple(places[(trace.fast[bit] == fast) & (levels == level)] for level in (0, 1)) for fast in (False, True)
    ]
    return split_at[0], split_at[1]
