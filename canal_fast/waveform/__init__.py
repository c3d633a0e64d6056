"""Captures of logic analysers and oscilloscopes to frames, and back."""

from __future__ import annotations

from canal_fast.processor import serve

from . import _waveform
from .decoding import Decoded, WaveStatus, decode
from .synthesis import synthesise
from .wave import Wave

serve(_waveform.select)
