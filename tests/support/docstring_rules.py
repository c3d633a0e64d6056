"""What the docstring of each public name has: a rule takes a name and its object and gives what is missing."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import enum
import importlib
import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from typing import Any

WINGS = """analysis bittiming checksum dataframes doctor errors frames logger logs messages physical plot report signals
    simulation testing waveform wire"""
MODULES = ["canal_fast", *(f"canal_fast.{name}" for name in WINGS.split())]
MADE_BY = {  # classes that users do not make themselves, and what their docstring says makes them
    "ArrowFrames": "to_arrow",
    "LogFile": "open_log",
    "Node": "Bus.node",
    "PeriodicTask": "Channel.send_periodic",
    "Plan": "Database.plan",
    "Table": "Plan.decode",
    "Tables": "Plan.decode",
    "Tolerance": "BitTiming.oscillator_tolerance_ppm",
}
HARDWARE = re.compile(r"usb2can|socketcan|list_devices")  # a skipped example needs it
SECTIONS = r"Parameters|Returns|Yields|Raises|Attributes|Notes|Examples"


def public() -> dict[str, Any]:
    """Every public name with its object; submodules are no names of their own."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        own = [name for name, value in vars(module).items() if inspect.isclass(value)]  # errors has no __all__
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            if not inspect.ismodule(value) and not name.startswith("__"):
                found[f"{module.__name__}.{name}"] = value
    return found


def sections(doc: str) -> dict[str, str]:
    parts = re.split(rf"^({SECTIONS})\n-+\n", doc, flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(section: str) -> set[str]:
    """The names that stand at the left edge of a section: `a, b : int`."""
    heads = re.findall(r"^(\S[^:\n]*?)(?: : .*| :)?$", section, re.M)
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def is_fixture(value: object) -> bool:
    """As pytest makes them since 8.4, or before."""
    return hasattr(value, "_fixture_function") or hasattr(value, "__pytest_wrapped__")


def is_value(value: object) -> bool:
    """A constant: it has no docstring of its own."""
    return (not callable(value) and not is_fixture(value)) or isinstance(value, types.GenericAlias)


def examples_of_value(name: str) -> Iterator[str]:
    """Modules show their constants; `canal_fast` has some of the ground's."""
    module, _, short = name.rpartition(".")
    texts = [importlib.import_module(m).__doc__ or "" for m in {module, "canal_fast.frames"}]
    if not any(re.search(rf"^>>> .*\.{short}\b", text, re.M) for text in texts):
        yield f"{name}: no example in the docstring of {module}"


def has_examples(name: str, value: object) -> Iterator[str]:
    if is_value(value):
        yield from examples_of_value(name)
        return
    shown = sections(inspect.getdoc(value) or "").get("Examples", "")
    if not re.search(r"^>>> ", shown, re.M):
        yield f"{name}: no section Examples with a line >>>"
    for number, text in enumerate(re.split(r"\n\s*\n", shown), 1):
        if "+SKIP" in text and not HARDWARE.search(text):
            yield f"{name}: example {number} is skipped and needs no hardware"


def has_parameters(name: str, value: object) -> Iterator[str]:
    doc = inspect.getdoc(value) or ""
    if is_value(value) or (inspect.isclass(value) and issubclass(value, (enum.Enum, BaseException))):
        return
    parts = sections(doc)
    maker = MADE_BY.get(value.__name__) if inspect.isclass(value) else None
    if maker is not None:
        if f"`{maker}`" not in doc:
            yield f"{name}: does not say that `{maker}` makes it"
        return
    if inspect.isclass(value) and "Parameters" not in parts and fields_of(value):
        yield from has_fields(name, value, doc)
        return
    try:
        wanted = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return
    told = described(parts.get("Parameters", "")) | described(parts.get("Attributes", ""))
    missing = {p for p in wanted if not p.startswith("_")} - told
    if missing and not is_fixture(value):
        yield f"{name}: not in its section Parameters: {', '.join(sorted(missing))}"


def fields_of(kind: type[Any]) -> list[str]:
    """Of a tuple or dataclass; what its repr leaves out is ours."""
    rows = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return [*getattr(kind, "_fields", ()), *(row.name for row in rows if row.repr)]


def has_fields(name: str, kind: type[Any], doc: str) -> Iterator[str]:
    """Fields of a record are named in its docstring, or have a text of their own below them."""
    [body] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    texts = {
        one.target.id
        for one, following in zip(body.body, body.body[1:], strict=False)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    }
    said = texts | set(re.findall(r"\w+", doc))
    missing = [field for field in fields_of(kind) if field not in said]
    if missing:
        yield f"{name}: fields without a word on them: {', '.join(missing)}"


def has_returns(name: str, value: object) -> Iterator[str]:
    if is_value(value) or inspect.isclass(value) or not inspect.isroutine(value):
        return
    given = getattr(value, "__annotations__", {}).get("return", "")
    parts = sections(inspect.getdoc(value) or "")
    if given not in (None, "None") and not {"Returns", "Yields"} & set(parts):
        yield f"{name}: no section Returns"


def is_run(name: str, value: object) -> Iterator[str]:
    """Examples are found by doctest in the module that defines them, or in the one that shows them; not in a .pyx."""
    doc = inspect.getdoc(value) or ""
    if is_value(value) or ">>> " not in doc:
        return
    names = {name.rpartition(".")[0], getattr(value, "__module__", None) or "canal_fast"}
    modules = [module for module in map(importlib.import_module, names) if str(module.__file__).endswith(".py")]
    finder = doctest.DocTestFinder(exclude_empty=True)
    texts = [test.docstring for module in modules for test in finder.find(module, module.__name__)]
    if not any(inspect.cleandoc(text) == doc for text in texts):
        yield f"{name}: doctest does not find its examples"


RULES = (has_examples, has_parameters, has_returns, is_run)
