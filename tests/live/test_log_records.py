"""What a channel tells the log `canal_fast`."""

from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
import time

import pytest

import canal_fast as cf
from canal_fast.live.changes import Changes

NOTHING = cf.Ledger(**{field.name: 0 for field in dataclasses.fields(cf.Ledger)})


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    rows = [(row.levelname, row.getMessage()) for row in caplog.records if row.name == "canal_fast"]
    caplog.clear()
    return rows


def test_each_change_is_told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.INFO, "canal_fast")
    now = [50.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    changes, ledger = Changes("x"), NOTHING

    def tell(**values: int) -> list[tuple[str, str]]:
        nonlocal ledger
        ledger = dataclasses.replace(ledger, **values)
        changes.tell(ledger)
        return told(caplog)

    assert tell(received=5) == []
    assert tell(outages=1) == [("WARNING", "x: outage 1: the driver failed, and is opened again")]
    assert tell(outage_ns=10) == []
    assert tell(received=6, outage_ns=1_500_000_000) == [("INFO", "x: reopened; away 1.500 s so far in 1 outages")]
    assert tell(received=7) == []
    assert tell(outages=3, received=8) == [("WARNING", "x: outage 3: the driver failed, and is opened again")]
    assert tell(clock_steps=1, clock_step_after_ns=-2_000_000_000) == [
        ("WARNING", "x: the host's clock was set by -2.000 s")
    ]
    assert tell(dropped=4, driver_overruns=3) == [("WARNING", "x: 7 frames lost, 7 in all")]
    assert tell(dropped=5) == []  # within the second
    now[0] += 1
    assert tell(dropped=6) == [("WARNING", "x: 2 frames lost, 9 in all")]
    tell(dropped=7)
    changes.closed(ledger)
    assert [level for level, _ in told(caplog)] == ["WARNING", "INFO"]


def test_a_channel(bus: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "canal_fast")
    with cf.Channel.virtual(f"{bus};1000000;load=1", ring_frames=16) as ch:
        assert told(caplog)[0][1].endswith(f"'{bus};1000000;load=1': opened")
        deadline = time.monotonic() + 20
        while not ch.ledger().lost and time.monotonic() < deadline:
            time.sleep(0.01)
    rows = told(caplog)
    assert "frames lost" in rows[0][1]
    assert rows[-1][0] == "INFO"
    assert "closed: " in rows[-1][1]
    with pytest.raises(cf.DriverError):
        cf.Channel.virtual(f"{bus};nonsense=1")
    assert told(caplog) == []


def test_nothing_is_printed_without_a_handler() -> None:
    script = "import logging, canal_fast; logging.getLogger('canal_fast').warning('x')"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
