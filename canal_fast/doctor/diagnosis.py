"""What is wrong with a driver library, in words; never hangs, whatever the library does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Any

from canal_fast.drivers import _profiles
from canal_fast.drivers.library import find_library, load_library
from canal_fast.errors import DriverError, DriverNotFoundError
from canal_fast.live.host import Bridge, needs_host

from .findings import Finding, findings

__all__ = ["Diagnosis", "diagnose"]

_SLOW_OPEN_S = 7.0
_SLOW = {row["name"] for row in _profiles.profiles() if row["slow_open"]}
_STARTING = "starting Python"  # no fault of the driver's where that takes long


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    Attributes
    ----------
    works : bool
        The library loads, opens and receives without a fault; it may still have brought no frame.
    headline, advice : str
        The worst finding, and what to do.
    findings : tuple of Finding
        All of them, the worst first.
    facts : dict
        Everything that was seen.

    Examples
    --------
    >>> from canal_fast.doctor import diagnose
    >>> diagnosis = diagnose("nowhere/usb2can.so")
    >>> diagnosis.works, len(diagnosis.findings) > 0
    (False, True)
    """

    works: bool
    headline: str
    advice: str
    findings: tuple[Finding, ...]
    facts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        rest = [finding.text for finding in self.findings if finding.text not in self.headline]
        lines = [self.headline, f"do: {self.advice or 'nothing'}", f"also: {'; '.join(rest) or 'nothing'}", ""]
        lines += [f"{name:15}  {value}" for name, value in _table(self.facts)]
        lines += [f"{'':15}  {f.text}: {f.advice}" for f in self.findings if f.advice]
        return "\n".join(lines)


def diagnose(
    library: str | os.PathLike[str],
    config: str = "",
    *,
    flags: int = 0,
    profile: str = "auto",
    convention: str = "auto",
    timeout: float = 3.0,
    seconds: float = 1.0,
    bridge: Bridge = "auto",
    force: bool = False,
) -> Diagnosis:
    """Examine a driver library in a process of its own.

    Opens the device, listens, sends no frames. A driver of a serial adapter writes its start-up commands into whatever
    the configuration string names: one that names a regular file is not opened.

    Parameters
    ----------
    library, config, flags, profile, convention
        As for `canal_fast.Channel`.
    timeout : float
        Seconds that a single call of the driver may take before it counts as hanging.
    seconds : float
        How long to listen for frames.
    bridge : {"auto", "always", "never"}
        Examine through a host process, as `canal_fast.Channel` would: "auto" where the library's bitness is another
        than this Python's.
    force : bool
        Let a driver of a serial adapter write its start-up commands into a file that is no serial port.

    Returns
    -------
    Diagnosis
        Also for a library that is missing, hangs or crashes.

    Examples
    --------
    >>> from canal_fast.doctor import diagnose
    >>> diagnosis = diagnose("virtual", "desk", seconds=0.1)
    >>> diagnosis.works
    True
    """
    names = [row["name"] for row in _profiles.profiles()]
    if profile != "auto" and profile not in names:
        raise ValueError(f"profile = {profile!r}, allowed 'auto', {', '.join(map(repr, names))}")
    facts: dict[str, Any] = {"library": os.fspath(library), "config": config, "flags": flags, "seconds": seconds}
    try:
        path = find_library(library)
    except DriverNotFoundError as error:
        return _conclude({**facts, "load_error": str(error)})
    facts |= {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    status, facts["machine"] = _profiles.machine(os.fsencode(path))
    hosted = bridge == "always" or (bridge == "auto" and needs_host(path))
    if status and not hosted and sys.platform != "darwin":  # will not get as far as loading
        try:
            load_library(path)
        except DriverError as error:
            return _conclude({**facts, "load_error": str(error)})
    options = {"path": str(path), "config": config, "flags": flags, "profile": profile, "convention": convention}
    facts |= _examine({**options, "seconds": seconds, "hosted": hosted, "force": force}, timeout)
    facts["profile_why"] = "as given" if profile != "auto" else "by file name and exported functions"
    return _conclude(facts)


def _examine(options: dict[str, Any], timeout: float) -> dict[str, Any]:
    """The facts that the child reports; and, unless it came to its end, in what step it hung or died."""
    facts: dict[str, Any] = {}
    lines: queue.Queue[str | None] = queue.Queue()
    # The modules that we have, not those that lie in the current folder.
    script = f"import sys; sys.path[:] = {sys.path!r}; from canal_fast.doctor.examination import main; main()"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, json.dumps(options)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        threading.Thread(target=_pump, args=(child.stdout, lines), daemon=True).start()
        step = _STARTING
        begun = time.monotonic()
        while True:
            slow = _SLOW_OPEN_S if facts.get("profile") in _SLOW or options["hosted"] else 0.0
            patience = timeout + {"CanalReceive": options["seconds"], "CanalOpen": slow, _STARTING: 57.0}.get(step, 0)
            try:
                line = lines.get(timeout=max(0.0, begun + patience - time.monotonic()))
            except queue.Empty:
                child.kill()
                return {**facts, "ended_in": step, "ended_how": f"hangs (no answer in {patience:g} s)"}
            if line is None:
                break
            if not line.startswith("{"):
                continue  # a driver that prints past our precautions
            report = json.loads(line)
            facts.update(report.get("facts", {}))
            if "begin" in report:
                step, begun = report["begin"], time.monotonic()
    if step != "end":
        facts = {"ended_how": _death(child.returncode), **facts, "ended_in": step}
    return facts


def _pump(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line.strip())
    lines.put(None)


def _death(code: int) -> str:
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"crashed (exit code {code & 0xFFFFFFFF:#x})"


def _conclude(facts: dict[str, Any]) -> Diagnosis:
    rows = _profiles.profiles()
    if "profile" in facts:
        facts["profile_row"] = next(row for row in rows if row["name"] == facts["profile"])
        facts["profiles"] = rows
    found = findings(facts)
    facts.pop("profiles", None)
    worst = found[0] if found else Finding("note", "")
    if worst.kind == "fault":
        headline = f"FAULT: {worst.text}"
    elif worst.kind == "silence":
        headline = f"no frames: {worst.text}"
    else:
        headline = f"works: {facts['frames']} frames in {facts['seconds']:g} s"
        headline += f"; but {worst.text}" if worst.kind == "warning" else ""
    advice = worst.advice if worst.kind != "note" else ""
    return Diagnosis(worst.kind != "fault", headline, advice, tuple(found), facts)


def _table(facts: dict[str, Any]) -> list[tuple[str, object]]:
    """What the text form shows of the facts."""
    row = facts.get("profile_row", {})
    measured = facts.get("tick_ns")
    rows: list[tuple[str, object]] = [
        ("library", facts.get("loaded") or facts.get("path", facts["library"])),
        ("sha256", facts.get("sha256")),
        ("machine", facts.get("machine")),
        ("calls", facts.get("convention")),
        ("exports", ", ".join(name.removeprefix("Canal") for name in facts.get("exports", []))),
        ("missing", ", ".join(name.removeprefix("Canal") for name in facts.get("missing", []))),
        ("extensions", ", ".join(facts.get("extensions", []))),
        ("profile", row and f"{row['name']}: {row['title']} ({facts['profile_why']}); {row['verified']}"),
        ("versions", _versions(facts)),
        ("vendor", facts.get("vendor")),
        ("opened", _opened(facts)),
        ("layout", facts.get("layout") and f"{facts['layout']} bytes"),
        ("first frame", _frame(facts.get("first_frame"))),
        ("tick", f"{measured / 1000:.5g} us measured" if measured else "not measured: too few frames, or no ticks"),
        ("driver's queue", _queue(facts, row)),
        ("ledger", row and _ledger(row)),
    ]
    return [(name, value) for name, value in rows if value]


def _opened(facts: dict[str, Any]) -> str:
    if facts.get("handle", 0) <= 0:
        return ""
    where = f"in host process {facts['host']}" if "host" in facts else f"handle {facts['handle']}"
    return f"{where} in {facts['open_s']:.2f} s"


def _versions(facts: dict[str, Any]) -> str:
    known = [(key, facts[key]) for key in ("version", "dll_version", "level") if key in facts]
    return ", ".join(
        f"{key} {value & 0xFFFFFFFF:#010x}" if key != "level" else f"level {value}" for key, value in known
    )


def _frame(frame: dict[str, Any] | None) -> str:
    if not frame:
        return ""
    return f"{frame['arbitration_id']:X} flags {frame['flags']} dlc {frame['dlc']} {frame['data']}"


def _queue(facts: dict[str, Any], row: dict[str, Any]) -> str:
    if facts.get("queue_high_water") is None:
        return ""
    depth = f"holds {row['queue_depth']}" if row.get("queue_depth") else "of unknown depth"
    return f"{depth}; at most {facts['queue_high_water']} seen waiting"


def _ledger(row: dict[str, Any]) -> str:
    if row["statistics"]:
        return "every frame is accounted for, overruns in the driver included"
    return "what the driver or the adapter loses is unaccounted: this driver does not tell, or not truthfully"
