"""What is drawn, as text and as pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import random_frames, to_oracle

from canal_fast import waveform
from canal_fast.waveform import Wave


@pytest.fixture(scope="module")
def drawn() -> tuple[Wave, waveform.Decoded]:
    wave = waveform.synthesise(random_frames(12, 2), 500_000, 2_000_000, sample_rate=40_000_000, jitter_ns=20, seed=3)
    return wave, waveform.decode(wave, 500_000, 2_000_000)


def test_text_has_all_bits(drawn: tuple[Wave, waveform.Decoded]) -> None:
    wave, d = drawn
    for row in range(len(d)):
        text = waveform.draw(wave, d, row)
        cells = "".join(line.split()[-1] for line in text.splitlines()[1:])
        bits = [int(c) for c in cells if c in "01"]
        assert bits == oracle.encode(to_oracle(d.frames[row]))
        assert cells.count("[") >= oracle.stuff_bit_count(to_oracle(d.frames[row]))


def test_trouble_is_marked() -> None:
    wave = waveform.synthesise(random_frames(2, 5, fd=False), 500_000)
    cut = Wave(np.delete(wave.edges, [10, 11]), 1, wave.ticks_per_second, 0, wave.end, 0)
    d = waveform.decode(cut, 500_000)
    row = int(np.flatnonzero(~d.valid)[0])
    text = waveform.draw(cut, d, row)
    assert text.count("!") == 2
    assert d.bit_index[row] >= 0


def test_pictures(drawn: tuple[Wave, waveform.Decoded], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    wave, d = drawn
    longest = int(np.argmax(d.end_ns - d.start_ns))
    waveform.draw(wave, d, longest, tmp_path / "frame.png")
    assert waveform.draw_eye(wave, d, tmp_path / "eye.svg") == len(d)
    for name, head in (("frame.png", b"\x89PNG"), ("eye.svg", b"<?xml")):
        content = (tmp_path / name).read_bytes()
        assert content.startswith(head)
        assert len(content) > 10_000


def test_what_cannot_be_drawn(drawn: tuple[Wave, waveform.Decoded], tmp_path: Path) -> None:
    wave, d = drawn
    with pytest.raises(IndexError):
        waveform.draw(wave, d, len(d))
    with pytest.raises(ValueError, match="no valid frame"):
        waveform.draw_eye(wave, d, tmp_path / "x.png", arbitration_id=1 << 28)
    few = waveform.decode(wave, 500_000, 2_000_000, columns=False)
    with pytest.raises(ValueError, match="columns=False"):
        waveform.draw_eye(wave, few, tmp_path / "x.png")
    with pytest.raises(ValueError, match="columns=False"):
        _ = few.bitrate
