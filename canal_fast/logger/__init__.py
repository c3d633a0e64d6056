"""Recordings and buses without a person beside them: buses recorded, recordings played onto buses."""

from __future__ import annotations

from .logger import Logger
from .play import Lateness, Player, PlayResult, play

__all__ = ["Lateness", "Logger", "PlayResult", "Player", "play"]
