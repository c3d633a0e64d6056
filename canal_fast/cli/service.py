"""`canal-fast log` as a service: what it tells systemd and other programs, and the next file when it is asked for."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import time
from typing import Any

import numpy as np

from canal_fast import wire
from canal_fast.frames import FrameArray, FrameFlag, chosen
from canal_fast.logger.logger import Logger
from canal_fast.logger.notify import Notifier
from canal_fast.logger.stats_file import StatsFile, disk_free

__all__ = ["Service", "check_service"]

_STATS_S = 1.0
_NO_FRAME = np.uint16(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)


def check_service(args: argparse.Namespace) -> None:
    """End with wrong usage where options contradict each other, before anything is opened."""
    if args.reopen and not hasattr(signal, "SIGHUP"):
        args.refuse("--reopen: this system has no SIGHUP; --rotate-s and --rotate-bytes go on in the next file")
    if args.reopen and not any(word in (args.output or "") for word in ("{n}", "{time}")):
        args.refuse("--reopen goes on in the next name: -o FILE needs {n} or {time}, as in can-{n}.pcapng")
    if args.on_full == "oldest" and args.keep is None and args.keep_bytes is None:
        args.refuse("--on-full oldest deletes old files: it needs --keep or --keep-bytes")
    if args.stats_json is not None and args.stats_json in ("-", args.output):
        args.refuse(f"--stats-json {args.stats_json}: a file of its own is needed")


class Service:
    """What is told of a logger while it runs; `update` after each step."""

    def __init__(self, logger: Logger, args: argparse.Namespace) -> None:
        self._logger, self._file = logger, args.output
        self._stats = None if args.stats_json is None else StatsFile(args.stats_json)
        self._notifier = Notifier()
        self._asked = False
        self._begin = self._last = time.monotonic()
        self._next_alive = self._begin
        self._frames = self._errors = 0
        self._busy_ns = np.zeros(len(logger.inputs))
        self._loads: list[float | None] = [None] * len(logger.inputs)
        self._known = [row.bitrate is not None for row in logger.inputs]

    def reopen(self) -> None:
        """Go on in the next file, at the next step; signal handlers may call it."""
        self._asked = True

    def ready(self) -> None:
        """The logger is open."""
        self._notifier.ready(f"recording to {self._logger.recorder.path}")
        self._tell(time.monotonic(), "running")

    def update(self, frames: FrameArray) -> None:
        """After each step: what it gave."""
        if self._asked:
            self._asked = False
            self._logger.recorder.rotate()
        if self._stats is not None:
            self._count(frames)
        now = time.monotonic()
        if now - self._last >= _STATS_S:
            self._tell(now, "running")
        self._notifier.go_on()
        if self._notifier.watchdog_s is not None and now >= self._next_alive:
            lost = sum(ledger.lost for ledger in self._logger.ledgers.values() if ledger is not None)
            words = f"{self._logger.frames_written} frames, {lost} lost, {self._logger.recorder.path}"
            if self._notifier.alive(words):  # otherwise at the next step
                self._next_alive = now + self._notifier.watchdog_s

    def stopping(self) -> None:
        """No more frames come; the recording is about to be closed."""
        self._notifier.stopping()

    def close(self, code: int | None) -> None:
        """The recording is closed; `code`: what the command ends with, None where it fails with an error."""
        self._tell(time.monotonic(), "ended", code)
        self._notifier.close()

    def _count(self, frames: FrameArray) -> None:
        none = frames["flags"] & _NO_FRAME
        self._errors += int((none & np.uint16(FrameFlag.ERROR_FRAME) != 0).sum())
        on_wire = chosen(frames, none == 0)
        for number, row in enumerate(self._logger.inputs):
            if row.bitrate is None or not self._known[number]:
                continue
            mine = chosen(on_wire, on_wire["channel"] == number) if len(self._logger.inputs) > 1 else on_wire
            bits = wire.frame_length_bits(mine, parts=True)
            self._busy_ns[number] += bits["nominal"].sum() * 1e9 / row.bitrate
            self._known[number] = not bits["data"].any()  # the data phase has a rate that nobody said

    def _tell(self, now: float, state: str, code: int | None = None) -> None:
        """Replace the figures."""
        passed = max(now - self._last, 1e-3)
        self._last = now
        if self._stats is None:
            return
        logger = self._logger
        recorder = logger.recorder
        if state == "running":  # the last frames, held back until now, are of no whole second
            self._loads = [
                round(float(busy) / passed / 1e9, 4) if known else None
                for busy, known in zip(self._busy_ns, self._known, strict=True)
            ]
        ledgers, late = logger.ledgers, logger.late
        interfaces: dict[str, dict[str, Any]] = {
            row.name: {
                "open": row.channel is not None and not row.ended,
                "received": ledger.received if ledger else 0,
                "lost": ledger.lost if ledger else 0,
                "loss_known": ledger is not None and ledger.driver_overruns is not None,
                "outages": ledger.outages if ledger else 0,
                "late": late[row.name],
                "load": load,
                "failure": str(row.failure) if row.failure is not None else None,
            }
            for row, load in zip(logger.inputs, self._loads, strict=True)
            for ledger in [ledgers[row.name]]
        }
        frames = recorder.frames_written
        self._stats.replace(
            {
                "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
                "state": state,
                "code": code,
                "pid": os.getpid(),
                "seconds": round(now - self._begin, 3),
                "frames": frames,
                "frames_per_s": round((frames - self._frames) / passed, 1),
                "lost": sum(row["lost"] for row in interfaces.values()),
                "load": max((load for load in self._loads if load is not None), default=None),
                "errors": self._errors,
                "events": logger.events,
                "file": recorder.path,
                "file_bytes": recorder.bytes_written,
                "files": recorder.files,
                "deleted_when_full": recorder.deleted,
                "disk_free": disk_free(recorder.path) if self._file not in (None, "-") else None,
                "interfaces": interfaces,
            }
        )
        self._frames = frames
        self._busy_ns[:] = 0
