"""Frames out of a logic analyser's capture, and which sender's clock or edges are bad.

python examples/read_capture.py [CAPTURE.sr [EYE.png]]

Without a capture one is made up: three senders, of which 2B0 has a clock 0.6 % too fast. Bit rates are detected.
"""

from __future__ import annotations

import sys

import numpy as np

import canal_fast as cf


def made_up() -> cf.waveform.Wave:
    ids, clocks = np.array([0x0A0, 0x100, 0x2B0]), np.array([40.0, -60.0, 6000.0])
    sender = np.arange(90) % 3
    payload = np.random.default_rng(1).integers(0, 256, (90, 8), np.uint8)
    frames = cf.make_frames(ids[sender], payload)
    return cf.waveform.synthesise(
        frames, 500_000, clock_ppm=clocks[sender], jitter_ns=20, sample_rate=25_000_000, seed=1
    )


def senders(decoded: cf.waveform.Decoded) -> list[tuple[int, int, float, float]]:
    """(identifier, frames, clock in ppm, smallest margin in percent of a bit), the smallest margin first."""
    assert decoded.clock_ppm is not None
    assert decoded.margin_percent is not None
    rows = []
    for identifier in np.unique(decoded.frames["arbitration_id"][decoded.valid]):
        own = decoded.valid & (decoded.frames["arbitration_id"] == identifier)
        clock, margin = float(np.nanmedian(decoded.clock_ppm[own])), float(np.nanmin(decoded.margin_percent[own]))
        rows.append((int(identifier), int(own.sum()), clock, margin))
    return sorted(rows, key=lambda row: row[3])


def main(capture: str = "", eye: str = "") -> None:
    wave = cf.waveform.read(capture) if capture else made_up()
    decoded = cf.waveform.decode(wave)
    print(f"{decoded.rates.nominal.bitrate:.0f} bit/s, {int(decoded.valid.sum())} valid rows of {len(decoded)}")
    for status in np.unique(decoded.status[~decoded.valid]):
        print(f"  {cf.waveform.WaveStatus(status).name}: {int((decoded.status == status).sum())}")
    for identifier, count, clock, margin in senders(decoded):
        print(f"  {identifier:3X}: {count} frames, clock {clock:+.0f} ppm, margin {margin:.1f} % of a bit")
    if eye:
        cf.waveform.draw_eye(wave, decoded, eye)


if __name__ == "__main__":
    main(*sys.argv[1:])
