"""What a reader must know before he believes a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .text import bytes_of, count, moment, name, number, percent, plural, safe

__all__ = ["COUNTERS", "banners", "frames_lost", "heading"]

Facts = dict[str, Any]
COUNTERS = (  # of Interface Statistics Blocks
    ("ifrecv", "received by the interface"), ("ifdrop", "lost by interface or driver"),
    ("filteraccept", "passed the filter"), ("osdrop", "lost for want of room"), ("usrdeliv", "recorded"),
)  # fmt: skip


def heading(facts: Facts) -> str:
    """The line below the title."""
    file, clock = facts["file"], facts["clock"]
    when = f", {moment(clock['first_ns'], True, 0)[:-4].rstrip('.')} UTC" if clock["dated"] else ""
    return f"{safe(file['format'])} recording{when}, {count(file['frames'])} records"


def banners(facts: Facts) -> str:
    """What a reader must know before he believes a number."""
    return "\n".join(f'<p class="banner" role="note">{text}</p>' for text in _warnings(facts))


def _warnings(facts: Facts) -> Iterator[str]:
    file, summary, clock = facts["file"], facts["summary"], facts["clock"]
    if file["truncated"]:
        yield (
            "This recording is truncated: it ends inside a block or line. Everything whole before that is counted; "
            "what came after is missing."
        )
    if file["lost_bytes"]:
        yield f"Damaged: {bytes_of(file['lost_bytes'])} of the recording were passed over."
    if not file["frames"]:
        other = f"; {count(file['skipped'])} items in it are of other kinds" if file["skipped"] else ""
        yield f"This recording holds no CAN frames{other}."
    lost = frames_lost(facts)
    if lost:
        yield f"{count(lost)} frame{plural(lost)} were lost while recording; see Losses."
    elif clock["gaps_total"]:
        yield f"Frames were lost at {count(clock['gaps_total'])} places; see Losses."
    for bus in summary["channels"]:
        if bus["too_full"]:
            yield (
                f"{name(bus['name'])}: a load of {percent(bus['load'])} % is more than a bus can carry: these frames "
                f"do not fit at {number(bus['bitrate'])} bit/s ({bus['bitrate_from']}). Give its rate with --bitrate."
            )
    nameless = [bus for bus in summary["channels"] if bus["bitrate"] is None]
    if nameless:
        names = ", ".join(name(bus["name"]) for bus in nameless)
        yield (
            f"No bit rate is known of {names}: the recording does not say it, so no load is shown. Give it with "
            "--bitrate."
        )
    fast = [bus for bus in summary["channels"] if bus["bitrate"] is not None and bus["peak_load"] is None]
    if fast:
        names = ", ".join(name(bus["name"]) for bus in fast)
        yield (
            f"{names}: frames with a bit rate switch, whose second rate is not known, so no load is shown. Give it "
            "with --data-bitrate."
        )
    if summary["overlapping"]:
        yield f"Periods of {count(summary['overlapping'])} identifiers are not known."


def frames_lost(facts: Facts) -> int:
    """By the recorder's counters."""
    return sum((row.get(key) or 0) for row in facts["file"]["interfaces"] for key in ("ifdrop", "osdrop"))
