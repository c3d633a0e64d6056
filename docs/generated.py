"""Parts of the manual that are made from the library itself, when the manual is built.

A line `% generated: NAME ARGUMENT` of a page is replaced by what the function of that name in `PARTS` returns, which is
Markdown. Tests call the same functions.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generated_api import ELSEWHERE, MODULES, ROOT, api, names, resolve, spelled
from generated_commands import COMMANDS, command, commands, parsers
from generated_markdown import table
from generated_measurements import measurements
from numpydoc.docscrape import NumpyDocString

import canal_fast as cf
from canal_fast import _gate, processor
from canal_fast._frames import unit_table
from canal_fast.drivers import _profiles
from canal_fast.simulation import scenario

__all__ = ["COMMANDS", "ELSEWHERE", "MODULES", "PARTS", "ROOT", "command", "filled", "names", "parsers", "resolve"]


def formats(_: str = "") -> str:
    """The formats: suffixes, what is read and written."""
    rows = []
    for row in cf.logs.formats():
        use = " and ".join(word for word, yes in (("read", row.reads), ("written", row.writes)) if yes)
        extra = f"`canal_fast[{row.extra}]`" if row.extra else ""
        rows.append((f"`{row.name}`", row.title, ", ".join(f"`{s}`" for s in row.suffixes), use, extra))
    return table(("format", "what it is", "suffixes", "", "needs"), rows)


def keeps(_: str = "") -> str:
    """What a recording in each format keeps of the frames, and what it has no place for."""
    rows = cf.logs.formats()
    words = list(dict.fromkeys(word for row in rows for word in row.keeps))
    parts = [
        (f"`{row.name}`", *(", ".join(w.replace("_", " ") for w in words if (w in row.keeps) == has) for has in (1, 0)))
        for row in rows
    ]
    return table(("format", "keeps", "has no place for"), parts)


_TRAITS = (  # of a profile, as `Channel.driver` heeds them
    ("statistics", "its statistics count every frame lost"), ("counters", "tells TEC and REC"),
    ("stopped", "tells that no more frames will come"),
    ("asks_status", "an adapter that is gone is seen in its status"),
    ("vendor_unsafe", "CanalGetVendorString is not called while the device may be silent"),
    ("no_remote", "remote frames are refused: they would go out as data frames"),
    ("no_empty", "frames without data are refused: they would wedge it"),
    ("table_rates", "bit rates outside its table are made by explicit timing"),
    ("slow_open", "opening takes seconds"), ("send_only", "receives nothing"),
    ("config_port", "configuration begins with a serial port"), ("config_file", "configuration begins with a file"),
    ("config_interface", "configuration begins with a network interface"),
)  # fmt: skip


def profiles(_: str = "") -> str:
    """What is known of each driver."""
    rows = []
    for row in _profiles.profiles():
        traits = [text for key, text in _TRAITS if row[key]]
        if row["blocking_flag"]:
            traits.append(f"blocking calls need open flag {row['blocking_flag']}")
        rows.append((
            f"`{row['name']}`", row["title"], f"`{row['config']}`" if row["config"] else "", stamps(row),
            row["queue_depth"] or "", "; ".join(traits), row["verified"],
        ))  # fmt: skip
    return table(
        ("profile", "driver", "configuration", "time stamps", "queue, frames", "what is heeded", "tried"), rows
    )


def stamps(row: dict[str, Any]) -> str:
    if row["wrap_bits"] == 64:
        return "ns since 1970"
    if row["tick_den"] == 0:
        return "unit measured while frames come"
    if row["tick_num"] == 0:
        return "none of use: the host's clock"
    return f"{row['tick_num'] / row['tick_den']:g} ns, {row['wrap_bits']} bits"


def flags(_: str = "") -> str:
    return table(
        ("flag", "value", "meaning"), [(f"`{name}`", f"0x{bit:04X}", text) for bit, name, text in _gate.flag_table()]
    )


def record(_: str = "") -> str:
    """Fields of both frame records, from their dtypes."""
    rows = []
    for field in cf.FRAME_DTYPE.names or ():
        both = [(spelled(dtype[field]), dtype.fields[field][1]) for dtype in (cf.FRAME_DTYPE, cf.FD_FRAME_DTYPE)
                if dtype.fields is not None]  # fmt: skip
        kinds = " or ".join(dict.fromkeys(kind for kind, _ in both))
        rows.append((f"`{field}`", kinds, both[0][1], _FIELDS[field]))
    sizes = f"`FRAME_DTYPE` has {cf.FRAME_DTYPE.itemsize} bytes, `FD_FRAME_DTYPE` {cf.FD_FRAME_DTYPE.itemsize}.\n\n"
    return sizes + table(("field", "type", "at byte", "meaning"), rows)


_FIELDS = {
    "timestamp_ns": 'nanoseconds since 1970, or of the device\'s clock; `.view("datetime64[ns]")` works',
    "arbitration_id": "11 or 29 bits, no flag bits inside",
    "flags": "`FrameFlag`, below",
    "channel": "the channel it came from",
    "dlc": "raw code 0..15; `payload_length(frames)` gives bytes",
    "data": "payload, zeros past it",
}


def ledger(_: str = "") -> str:
    """The fields of Ledger, in its docstring's words."""
    rows = NumpyDocString(inspect.cleandoc(cf.Ledger.__doc__ or ""))["Attributes"]
    return table(("field", "type", "meaning"), [(f"`{row.name}`", row.type, " ".join(row.desc)) for row in rows])


def canal_codes(_: str = "") -> str:
    return table(("code", "name", "meaning"), [(n, f"`{name}`", text) for n, name, text in _gate.canal_code_table()])


def canal_status(_: str = "") -> str:
    return table(
        ("bit", "name", "meaning"), [(f"0x{n:X}", f"`{name}`", text) for n, name, text in _gate.canal_status_table()]
    )


def canal_functions(_: str = "") -> str:
    rows = [(f"`{name}`", "yes" if mandatory else "") for name, mandatory in _profiles.function_table()]
    return table(("function", "has to be there"), rows)


def controllers(_: str = "") -> str:
    """Controllers of `bittiming.solve` and their limits."""
    rows = []
    for name, row in cf.bittiming.CONTROLLERS.items():
        rows.append((f"`{name}`", row.title, str(row.f_clock) if row.f_clock else ""))
    return table(("name", "controllers", "usual clock, Hz"), rows)


def doors(_: str = "") -> str:
    """The headers that only include, with what their first lines say."""
    rows = []
    for path in sorted(Path(cf.get_include(), "canal_fast").glob("*.h")):
        said = re.match(r"/\* canal_fast/\S+ - (.*?)[.*]", path.read_text(encoding="utf-8"), re.DOTALL)
        rows.append((f"`canal_fast/{path.name}`", " ".join(said[1].replace("\n *", " ").split()) if said else ""))
    return table(("header", ""), rows)


def scenario_keys(_: str = "") -> str:
    """Keys of scenario files."""
    parts = (("the file", scenario._TOP), ("`[[node]]`", scenario._NODE), ("`[[node.message]]`", scenario._MESSAGE))
    return table(("in", "keys"), [(where, ", ".join(f"`{key}`" for key in sorted(keys))) for where, keys in parts])


def units(_: str = "") -> str:
    """Units of processors that kernels may use."""
    levels = [(f"`{name}`", "level", ", ".join(f"`{unit}`" for unit in has)) for name, has in processor._LEVELS.items()]
    return table(("name", "", "what"), [*levels, *((f"`{name}`", "unit", text) for name, _, text in unit_table())])


PARTS: dict[str, Callable[[str], str]] = {
    part.__name__: part
    for part in (
        api,
        canal_codes,
        canal_functions,
        canal_status,
        commands,
        controllers,
        doors,
        flags,
        formats,
        keeps,
        ledger,
        measurements,
        profiles,
        record,
        scenario_keys,
        units,
    )
}
_LINE = re.compile(r"^% generated: (?P<name>\w+) ?(?P<argument>\S*)$", re.MULTILINE)


def filled(text: str) -> str:
    """A page's text with its generated parts in their places."""
    return _LINE.sub(lambda found: PARTS[found["name"]](found["argument"]), text)


def setup(app: Any) -> dict[str, bool]:
    """As a Sphinx extension."""

    def read(_app: Any, _page: str, source: list[str]) -> None:
        source[0] = filled(source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True}
