"""From what the doctor's child saw to findings in words, the worst first."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from canal_fast._gate import describe_code
from canal_fast.drivers.config_places import trouble
from canal_fast.drivers.usb2can_config import remarks

__all__ = ["Finding", "findings"]

KINDS = ("fault", "silence", "warning", "note")
_NOWHERE = dict.fromkeys(("config_interface", "config_file", "config_port"), False)
_GONE = (13, 33)  # HARDWARE, NOT_OPEN
_OURS = "canal_fast copes with it"


@dataclasses.dataclass(frozen=True)
class Finding:
    """`kind`: "fault" (nothing will work), "silence" (no frame came), "warning", "note"."""

    kind: str
    text: str
    advice: str = ""


def findings(facts: dict[str, Any]) -> list[Finding]:
    """Everything worth saying, faults first."""
    found = [*_ending(facts), *_opening(facts), *_receiving(facts), *_stamps(facts), *_manners(facts)]
    return sorted(found, key=lambda finding: KINDS.index(finding.kind))


def usb2can_config(config: str) -> Iterator[Finding]:
    """What usb2can.dll 1.0.9 makes of a configuration string without saying so."""
    for remark in remarks(config):
        yield Finding("fault" if remark.kind == "serial" else "warning", remark.text, remark.advice)


def _ending(facts: dict[str, Any]) -> Iterator[Finding]:
    """The child hung or died; or the library could not be loaded."""
    if error := facts.get("load_error"):
        advice = "check the path"
        if "this Python is" in error:
            advice = "take the library for this Python's machine, or a Python for the library's"
            if "Windows DLL" in error and sys.platform == "linux":
                advice = (
                    "this is for Windows; on Linux a USB2CAN adapter is served by SocketCAN (usb_8dev): canal-fast list"
                )
        elif "cut short" in error or "empty" in error:
            advice = "copy or install the file again"
        elif "no CANAL driver" in error:
            advice = "this is another kind of library; a CANAL driver exports at least open, close, send and receive"
        elif "could not be loaded" in error:
            advice = "install what it needs (on Windows usually the Visual C++ runtime)"
        yield Finding("fault", error, advice)
    step = facts.get("ended_in")
    if step:
        how = facts["ended_how"]
        kind = "warning" if "codes" in facts else "fault"
        avoided = step == "CanalGetVendorString" and facts["profile_row"]["vendor_unsafe"]
        if avoided:
            kind = "note"
        advice = {
            "CanalOpen": trouble(facts.get("profile_row", _NOWHERE), facts["config"])
            or "unplug and plug the adapter, end other programs that use it, check driver and DLL version",
            "CanalGetVendorString": "with this profile canal_fast never makes this call"
            if avoided
            else 'nothing else needs this call: use profile="usb2can", which never makes it',
            "loading": "the library's own start-up code fails: check its version and what it needs",
        }.get(step, "unplug and plug the adapter; report it to the driver's maker")
        yield Finding(kind, f"{how} in {step}", advice)


def _opening(facts: dict[str, Any]) -> Iterator[Finding]:
    if error := facts.get("open_error"):  # in a host process
        yield Finding("fault", error, "see what the driver needs: its profile and manual")
    profile = facts.get("profile_row")
    if profile is None:
        return
    if profile["name"].startswith("usb2can"):
        opened = facts.get("handle", 0) > 0
        for finding in usb2can_config(facts["config"]):
            yield dataclasses.replace(finding, kind="warning") if opened else finding
    if refused := facts.get("refused"):
        advice = f"name the adapter's port ({profile['config']}), or give --force to have it written to"
        yield Finding("fault", f"not opened: {refused}, and the driver would write its commands into it", advice)
    if profile["config_interface"] and (wrong := trouble(profile, facts["config"])):
        yield Finding("fault", *wrong.split("; " if "; " in wrong else ": ", 1))
    if facts.get("handle", 1) <= 0:
        yield Finding("fault", f"did not open: CanalOpen returned {facts['handle']}", facts["open_reason"])
    if facts.get("config_changed"):
        yield Finding("note", "CanalOpen writes into the configuration string", f"{_OURS}: it gets a copy")
    missing = facts.get("missing", [])
    if "CanalBlockingReceive" in missing:
        yield Finding("note", "generation 1: no blocking calls, so it is polled")
    if optional := [
        name for name in missing if name in ("CanalDataAvailable", "CanalGetStatus", "CanalGetVendorString")
    ]:
        yield Finding("note", f"missing: {', '.join(optional)}")
    vendor = facts.get("vendor") or ""
    for row in facts.get("profiles", []):
        if profile["name"] in ("generic", "generation-1") and row["vendor"] and row["vendor"] in vendor:
            advice = f"try profile={row['name']!r}"
            yield Finding("warning", f"the vendor string {vendor!r} tells of {row['title']}", advice)


def _receiving(facts: dict[str, Any]) -> Iterator[Finding]:
    if "codes" not in facts:
        return
    if facts["failure"] is not None:
        text = f"CanalReceive failed with {describe_code(facts['failure'])}"
        yield Finding("fault", text, "the adapter may be unplugged, or the bus off: see the status")
    if facts.get("status_code") in _GONE:
        text = f"the adapter is gone: CanalGetStatus returned {describe_code(facts['status_code'])}"
        yield Finding("fault", text, "plug the adapter in; give reconnect= (--reconnect) to go on when it is back")
    if facts["layout"] is not None and facts["layout"] != facts["native_layout"]:
        text = f"its messages have layout {facts['layout']}, not the {facts['native_layout']} usual here"
        yield Finding("note", text, f"{_OURS}; to send before anything was received, give layout={facts['layout']}")
    if facts["profile_row"]["send_only"]:
        advice = "to receive, take the driver of an adapter"
        yield Finding("warning", "this driver only writes what is sent to it, it receives nothing", advice)
    elif facts["frames"] == 0:
        advice = "check the bit rate, the wiring and termination, and that another node sends"
        if facts["profile"].startswith("usb2can"):
            advice += "; if all that is right, DLL and installed driver may not be of the same generation"
        yield Finding("silence", f"open, but no frame came in {facts['seconds']} s", advice)
    if facts["untouched"] and not facts["profile_row"]["send_only"]:
        yield Finding(
            "warning", "CanalReceive returned 0 without a message", f"{_OURS}: a dead or send-only driver does so"
        )
    if "12" in facts["codes"]:
        known = 12 in facts["profile_row"]["empty"]
        advice = _OURS if known else 'use profile="generation-1", where 12 means that'
        yield Finding("note" if known else "warning", "an empty queue answers 12 (GENERIC), not 8", advice)
    if facts["malformed"]:
        yield Finding(
            "warning", f"{facts['malformed']} malformed messages (no such frame exists)", "counted, not delivered"
        )
    if facts["over_8"]:
        yield Finding("note", f"{facts['over_8']} frames with sizeData above 8", f"{_OURS}: eight bytes are data")
    if facts["status_flags"] not in (0, 4):
        yield Finding("note", f"status messages have flags {facts['status_flags']:#06x}, not 4", _OURS)
    if facts["garbage"]:
        yield Finding("note", "garbage in undefined fields", _OURS)
    if facts.get("blocking_instant"):
        codes = sorted(set(facts["blocking_instant"]))
        yield Finding("note", f"blocking receive answers {codes} at once instead of waiting", f"{_OURS}: it polls then")
    elif 8 in facts.get("blocking_expired", []):
        yield Finding("note", "blocking receive answers 8 on time-out, not 32", _OURS)
    if facts.get("timeout_0_waits"):
        yield Finding("note", "blocking receive with time-out 0 waits for ever", f"{_OURS}: it never passes 0")


def _stamps(facts: dict[str, Any]) -> Iterator[Finding]:
    measured = facts.get("tick_ns")
    profile = facts.get("profile_row")
    if measured is None or profile is None or not profile["tick_num"]:
        return
    told = profile["tick_num"] / profile["tick_den"]
    if abs(measured / told - 1) > 0.01:
        said = f"the profile {profile['name']} says {told / 1000:.7g} us"
        text = f"wrong time unit: a tick is {measured / 1000:.4g} us, {said}"
        yield Finding("warning", text, 'choose another profile=, or profile="generic" for the host\'s clock')


def _manners(facts: dict[str, Any]) -> Iterator[Finding]:
    readings = [reading for reading in facts.get("statistics", []) if reading]
    if facts.get("statistics") and not readings:
        yield Finding("note", "statistics are never filled in", "what the driver lost stays unaccounted")
    if len(readings) == 2 and readings[1][0] < readings[0][0]:
        yield Finding("note", "statistics are reset by reading them", "canal_fast reads them only when asked")
    if readings and readings[0][4]:
        yield Finding(
            "warning", f"statistics tell of {readings[0][4]} overruns", "frames may have been lost in the driver"
        )
    if not facts.get("status_text_ends", True):
        yield Finding("note", "the status text has no NUL", f"{_OURS}: 80 characters at most")
    if "vendor" in facts and facts["vendor"] is None:
        yield Finding("note", "the vendor string is NULL", _OURS)
    if any(facts.get(key, 0) >> 32 for key in ("version", "dll_version")):
        yield Finding("note", "garbage in the upper half of its version", _OURS)
    if facts.get("close_s", 0) > 0.5:
        yield Finding("note", f"close took {facts['close_s']:.1f} s", "other Python threads go on meanwhile")
    if facts.get("close_code"):
        yield Finding("warning", f"CanalClose returned {describe_code(facts['close_code'])}")
    if not facts.get("descriptor_0_kept", True):
        yield Finding("warning", "CanalClose closes descriptor 0 (standard input)", f"{_OURS}: it is given back")
    if facts.get("printed_bytes"):
        text = f"prints to standard output ({facts['printed_bytes']} bytes)"
        yield Finding("note", text, "do not pipe this program's own standard output")
