"""Recordings and buses without a person beside them: buses recorded, recordings played onto buses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = ["Lateness", "Logger", "PlayResult", "Player", "play"]

if TYPE_CHECKING:
    from .logger import Logger
    from .playing import Lateness, Player, PlayResult, play
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "logger": "Logger",
            "playing": "Lateness PlayResult Player play",
        },
    )
