"""The pages of the programming interface: which names stand on which, and their directives."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import types
from typing import Any

import numpy as np
from sphinx.pycode import ModuleAnalyzer

__all__ = ["ELSEWHERE", "MODULES", "ROOT", "api", "names", "resolve", "spelled"]

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
