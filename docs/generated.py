"""Parts of the manual that are made from the library itself, when the manual is built.

A line `% generated: NAME ARGUMENT` of a page is replaced by what the function of that name in `PARTS` returns, which is
Markdown. Tests call the same functions.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import inspect
import json
import re
import sys
import tomllib
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpydoc.docscrape import NumpyDocString
from sphinx.pycode import ModuleAnalyzer

import canal_fast as cf
from canal_fast import _gate, processor
from canal_fast._frames import unit_table
from canal_fast.cli.parsers import COMMANDS, command_line
from canal_fast.drivers import _profiles
from canal_fast.simulation import scenario

HERE = Path(__file__).resolve().parent
BENCHMARKS = HERE.parent / "benchmarks"
ROOT = {  # the page of each name that canal_fast itself has
    "frames": "make_frames payload_length check_frames FrameFlag FrameArray FRAME_DTYPE FD_FRAME_DTYPE get_include",
    "channels": "Channel list_devices Device DriverInfo ChannelClock ChannelStatus Ledger PeriodicTask "
    "PeriodicStatistics",
    "logs": "read_log write_log",
    "signals": "load_database",
    "dataframes": "to_arrow from_arrow to_pandas to_polars ArrowFrames",
    "bittiming": "BitTiming BitTimingFd",
    "logger": "play",
    "python_can": "to_messages from_messages",
    "errors": "CanalFastError FrameError WireError BitTimingError LogFormatError DatabaseError SignalError "
    "SimulationError DriverError DriverNotFoundError ChannelClosedError ChannelTimeoutError BusOffError",
}
MODULES = {  # pages of modules: all that is in their __all__
    "analysis": ["analysis"], "bittiming": ["bittiming", "physical"], "checksum": ["checksum"], "doctor": ["doctor"],
    "logger": ["logger"], "logs": ["logs"], "plot": ["plot"], "report": ["report"], "signals": ["signals"],
    "simulation": ["simulation"], "testing": ["testing"], "waveform": ["waveform"], "wire": ["wire"],
}  # fmt: skip
ELSEWHERE = {"python_can": ["canal_fast.python_can.bus.CanalBus", "canal_fast.python_can.recording.readers"]}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    cells = [
        [str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (head, ["---"] * len(head), *rows)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n"


def names(page: str) -> list[str]:
    """Full names of what an API page describes; a name of the root is not described once more in its wing."""
    root = [f"canal_fast.{name}" for name in ROOT.get(page, "").split()]
    found = root + ELSEWHERE.get(page, [])
    known = [resolve(name) for name in root]
    for module in MODULES.get(page, []):
        for name in importlib.import_module(f"canal_fast.{module}").__all__:
            value = getattr(importlib.import_module(f"canal_fast.{module}"), name)
            if not any(value is other for other in known) and not isinstance(value, types.ModuleType):
                found.append(f"canal_fast.{module}.{name}")
    return found


def resolve(name: str) -> Any:
    """The object of a full name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def api(page: str) -> str:
    """Summary and description of each name of a page."""
    lines = ["```{eval-rst}", *(f".. py:module:: canal_fast.{module}" for module in MODULES.get(page, []))]
    lines += [".. py:currentmodule:: None", "", ".. autosummary::", "   :nosignatures:", ""]
    for name in names(page):
        value = resolve(name)
        if inspect.isclass(value) or (inspect.isroutine(value) and not is_fixture(value)):
            lines.append(f"   ~{name}")
    for name in names(page):
        lines += ["", *described(name)]
    return "\n".join([*lines, "```", ""])


def described(name: str) -> list[str]:
    """The directives for one name."""
    value = resolve(name)
    if isinstance(value, type) and issubclass(value, BaseException):
        return [f".. autoexception:: {name}", "   :members:"]
    if inspect.isclass(value):
        foreign = [base.__name__ for base in value.__mro__ if not base.__module__.startswith("canal_fast")]
        return [f".. autoclass:: {name}", "   :members:", f"   :inherited-members: {', '.join(foreign)}"]
    if is_fixture(value):
        text = (inspect.getdoc(value) or "").replace("*", r"\*")
        return [f".. py:function:: {name}", "", *indented(text)]
    if inspect.isroutine(value):
        return [f".. autofunction:: {name}"]
    lines = [f".. py:data:: {name}", "", *indented(attribute_text(name, value)), ""]
    if isinstance(value, np.dtype) and value.names:
        lines += ["   .. list-table::", "      :header-rows: 1", ""]
        for row in [("field", "type"), *((field, spelled(value[field])) for field in value.names)]:
            lines += [f"      * - {row[0]}", f"        - {row[1]}"]
    return lines


def is_fixture(value: object) -> bool:
    """Whether it is a fixture of pytest, which is no function."""
    return hasattr(value, "_fixture_function") or hasattr(value, "__pytest_wrapped__")


def spelled(dtype: np.dtype[Any]) -> str:
    """A field's type as numpy writes it, without the byte order: u4, u1[8]."""
    base, shape = dtype.subdtype or (dtype, ())
    return base.str.lstrip("<|=") + "".join(f"[{size}]" for size in shape)


def indented(text: str) -> list[str]:
    return [f"   {line}".rstrip() for line in text.splitlines()]


def attribute_text(name: str, value: object) -> str:
    """The docstring behind the assignment that made a constant."""
    word = name.rpartition(".")[2]
    for module in sorted(key for key in sys.modules if key.startswith("canal_fast")):
        if vars(sys.modules[module]).get(word) is value:
            with contextlib.suppress(Exception):  # a compiled module
                docs = ModuleAnalyzer.for_module(module).find_attr_docs()
                if text := docs.get(("", word)):
                    return "\n".join(text)
    return ""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    actions = command_line()._actions
    choices = next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))
    return {name: choices[name] for name in COMMANDS}


def escaped(text: str) -> str:
    """Text of argparse as Markdown: quotes are code there, nothing else is markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<>\[\]{}|\\])", r"\\\1", part) for part in parts)


def commands(_: str = "") -> str:
    """A section a command: usage, arguments, what is said below them."""
    return "\n".join(command(name, parser) for name, parser in parsers().items())


def command(name: str, parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=84)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    out = [f"({name})=", f"## canal-fast {name}", "", escaped(parser.description or ""), "", "```text"]
    out += [formatter.format_help().strip(), "```", ""]
    for group in parser._action_groups:
        rows = [argument(parser, action) for action in group._group_actions if action.help is not argparse.SUPPRESS]
        rows = [row for row in rows if row[0] != "`-h`, `--help`"]
        if rows:
            if group.title not in ("positional arguments", "options"):
                out += [f"{group.title}:", ""]
            out += [table(("argument", ""), rows)]
    for part in (parser.epilog or "").split("\n\n"):
        said, _, lines = part.partition("\n  ")
        out += [escaped(said), ""]
        if lines:
            out += ["```text", *(line.strip() for line in lines.splitlines()), "```", ""]
    return "\n".join(out)


def argument(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str]:
    value = ""
    if action.nargs != 0:
        value = str(action.metavar or ("{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""))
        value = value or (action.dest.upper() if action.option_strings else action.dest)
        value = {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}.get(str(action.nargs), value)
    spelled_out = [f"`{option} {value}`" if value else f"`{option}`" for option in action.option_strings]
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    return ", ".join(spelled_out) or f"`{value}`", escaped(text)


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


def measurements(_: str = "") -> str:
    """All rows of targets.toml with the figures of measurements.json; NOT RUN where there is none."""
    file = HERE / "measurements.json"
    runs = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    rows = tomllib.loads((BENCHMARKS / "targets.toml").read_text(encoding="utf-8"))["row"]
    names = [str(run["machine"]) for run in runs]
    out = machines(runs)
    for bench in dict.fromkeys(row["bench"] for row in rows):
        said = ast.get_docstring(ast.parse((BENCHMARKS / bench).read_text(encoding="utf-8"))) or bench
        subject = bench.removeprefix("bench_").removesuffix(".py")
        title = _TITLES.get(subject, subject.replace("_", " ").capitalize())
        out += [f"### {title}", "", escaped(said.splitlines()[0]), ""]
        lines = [
            (escaped(row["what"]), aim(row), *(figure(run, row) for run in runs or [{}]))
            for row in rows if row["bench"] == bench
        ]  # fmt: skip
        out += [table(("what", "target", *(names or ["measured"])), lines)]
    return "\n".join(out)


_TITLES = {
    "bittiming": "Bit timing", "bridge": "Host process", "dataframes": "Data frames", "lake": "Folders of Parquet",
    "log_reading": "Reading recordings", "log_writing": "Writing recordings", "logs": "Recordings",
    "python_can": "python-can", "socketcan": "SocketCAN", "wake": "Wake-up", "wire": "Bits on the wire",
}  # fmt: skip


def machines(runs: Sequence[dict[str, Any]]) -> list[str]:
    """What each machine is, and how its rows came out."""
    if not runs:
        return ["No results are stored: every row says NOT RUN.", ""]
    facts = [key for key in runs[0] if key not in ("machine", "rows")]
    rows = [(key, *(escaped(str(run[key])) for run in runs)) for key in facts]
    dates = [sorted({row["date"] for row in run["rows"].values()}) for run in runs]
    rows.append(("measured", *(" to ".join(dict.fromkeys((days[0], days[-1]))) if days else "" for days in dates)))
    return [table(("", *(str(run["machine"]) for run in runs)), rows)]


def aim(row: dict[str, Any]) -> str:
    return f"{'at least' if row['kind'] == 'at_least' else 'at most'} {row['target']:g}"


def figure(run: dict[str, Any], row: dict[str, Any]) -> str:
    """A row's figure on one machine, or in words why there is none."""
    found = run.get("rows", {}).get(row["id"])
    if found is None:
        return "NOT RUN"
    value = found["value"]
    if isinstance(value, str):
        return escaped(value if value.upper().startswith("NOT RUN") else f"NOT RUN: {value}")
    good = value >= row["target"] if row["kind"] == "at_least" else value <= row["target"]
    return f"{value:.3g}" if good else f"**{value:.3g}, missed**"


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
