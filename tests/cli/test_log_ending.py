"""How `canal-fast log` ends: signals at any moment, and what its figures say after an error."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from canal_fast.__main__ import main
from canal_fast.cli.service import Service
from canal_fast.logger import Logger


def test_signals_are_handled_from_ready_to_the_report(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def watch(where: type, name: str) -> None:
        original = getattr(where, name)

        def watched(self: object, *arguments: object) -> object:
            seen[name] = signal.getsignal(signal.SIGTERM)
            if name == "ready" and callable(seen[name]):
                signal.raise_signal(signal.SIGTERM)
            return original(self, *arguments)

        monkeypatch.setattr(where, name, watched)

    watch(Service, "ready")
    watch(Service, "stopping")
    watch(Service, "close")
    before = signal.getsignal(signal.SIGTERM)
    arguments = ["--source", f"virtual:{bus}", "-o", str(tmp_path / "x.pcapng"), "--duration", "300"]
    assert main(["log", *arguments]) == 0
    assert len(seen) == 3
    assert before not in seen.values()
    assert signal.getsignal(signal.SIGTERM) == before
    said = re.search(r"0 frames in ([\d.]+) s", capsys.readouterr().err)
    assert said is not None
    assert float(said[1]) < 300  # the signal that came with READY has ended it


def test_one_frame_is_no_frames(bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "--source", f"virtual:{bus};rate=100;frames=1", "-o", str(tmp_path / "x.pcapng")]) == 0
    assert "x.pcapng: 1 frame in " in capsys.readouterr().err


def test_figures_say_that_it_has_ended_after_any_error(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(self: Logger, *arguments: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Logger, "step", step)
    stats = tmp_path / "stats.json"
    arguments = ["--source", f"virtual:{bus}", "-o", str(tmp_path / "x.pcapng"), "--stats-json", str(stats)]
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        main(["log", *arguments])
    row = json.loads(stats.read_text())
    assert (row["state"], row["code"]) == ("ended", None)
