"""Recordings and buses without a person beside them: recordings played onto buses."""

from __future__ import annotations

from .play import Lateness, Player, PlayResult, play

__all__ = ["Lateness", "PlayResult", "Player", "play"]
