"""Captures of logic analysers and oscilloscopes to frames, and back."""

from __future__ import annotations

from canal_fast.processor import serve

from . import _waveform
from .decoding import decode
from .detection import Candidate, Detection, detect_bitrate
from .kernel import Decoded, WaveStatus
from .reading import batches, from_samples, read
from .synthesis import synthesise
from .wave import Wave

serve(_waveform.select)
