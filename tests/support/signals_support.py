"""Shared by the tests of signals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

import canal_fast as cf
from canal_fast.signals import Message, Plan, Signal
from canal_fast.signals.tables import Options

DATABASES = Path(__file__).resolve().parents[1] / "data" / "databases"
TOYOTA = DATABASES / "_toyota_2017.dbc"
LONG = os.environ.get("CANAL_FAST_LONG") == "1"
REFUSED = {"tesla_can.dbc", "mazda_2017.dbc"}
READABLE = sorted(p for p in DATABASES.iterdir() if p.suffix in {".dbc", ".kcd"} and p.name not in REFUSED)


def frames_of(message: Message, payloads: np.ndarray, **more: Any) -> cf.FrameArray:
    """Frames with these payloads (u1, one a row)."""
    flags = cf.FrameFlag.EXTENDED_ID if message.is_extended else 0
    return cf.make_frames(
        np.full(len(payloads), message.arbitration_id), payloads, flags=flags, fd=payloads.shape[1] > 8, **more
    )


def one_message(*signals: Signal, length: int = 8, **more: Any) -> Message:
    return Message(
        "M", more.pop("arbitration_id", 0x123), more.pop("is_extended", False), length > 8, length, signals, **more
    )


def plan_of(*messages: Message, **options: Any) -> Plan:
    return Plan(messages, Options(**options))


def same(ours: Any, theirs: Any) -> bool:
    """Equal numbers; NaN equals NaN, an integer beyond 64 bits its nearest double, and zeros have one sign."""
    if isinstance(theirs, float) or isinstance(ours, float):
        a, b = np.float64(ours), np.float64(theirs)
        return bool(np.isnan(a) and np.isnan(b)) or bool(a == b and np.signbit(a) == np.signbit(b))
    return int(ours) == int(theirs)
