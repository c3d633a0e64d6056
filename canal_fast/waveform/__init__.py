"""Captures of logic analysers and oscilloscopes to frames, and frames to waveforms.

`read` takes a file's line as a `Wave`, its edges; `decode` reads frames, flags and errors out of it as a listening node
does, with each sender's clock and the margin at sample points; `batches` does both for captures larger than memory.
`detect_bitrate` finds the rates, `synthesise` makes waveforms, `draw` and `draw_eye` show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later
from canal_fast.processor import serve

from . import _waveform

__all__ = [
    "Candidate",
    "Decoded",
    "Detection",
    "Phase",
    "Rates",
    "Trace",
    "Wave",
    "WaveStatus",
    "batches",
    "decode",
    "detect_bitrate",
    "draw",
    "draw_eye",
    "from_samples",
    "read",
    "synthesise",
    "trace_frame",
]

serve(_waveform.select)

if TYPE_CHECKING:
    from .decoding import decode
    from .detection import Candidate, Detection, detect_bitrate
    from .drawing import draw, draw_eye
    from .kernel import Decoded, WaveStatus
    from .rates import Phase, Rates
    from .reading import batches, from_samples, read
    from .synthesis import synthesise
    from .trace import Trace, trace_frame
    from .wave import Wave
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "decoding": "decode",
            "detection": "Candidate Detection detect_bitrate",
            "drawing": "draw draw_eye",
            "kernel": "Decoded WaveStatus",
            "rates": "Phase Rates",
            "reading": "batches from_samples read",
            "synthesis": "synthesise",
            "trace": "Trace trace_frame",
            "wave": "Wave",
        },
    )
