"""What the shell offers behind each option, through argcomplete (extra `cli`)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .names import FORMATS_READ, FORMATS_WRITTEN, PROFILES, SOURCE_KINDS, TIMING_CONTROLLERS

__all__ = ["complete"]

_CAN = "280"  # ARPHRD_CAN of linux/if_arp.h
_NETWORK = "/sys/class/net"
_WORDS = ("name=", "bitrate=", "fd", "profile=", "flags=")  # behind a source's commas
_FILES = {"FILE", "PATH", "PNG", "FILE.png", "FILE.csv", "FILE.toml", "SCENARIO.toml", "SOURCE", "TARGET"}  # metavars


def interfaces() -> Iterator[str]:
    """CAN interfaces of this machine; Linux only."""
    for name in sorted(os.listdir(_NETWORK)) if os.path.isdir(_NETWORK) else ():
        try:
            with open(f"{_NETWORK}/{name}/type", encoding="ascii") as file:
                if file.read().strip() == _CAN:
                    yield name
        except OSError:  # gone meanwhile
            continue


def sources(prefix: str, **_: Any) -> list[str]:
    """KIND:CONFIG, then words with commas before them."""
    before, comma, last = prefix.rpartition(",")
    if comma:
        said = {word.partition("=")[0] for word in before.split(",")}
        words = [f"profile={name}" for name in PROFILES] if last.startswith("profile=") else list(_WORDS)
        return [f"{before},{word}" for word in words if word.rstrip("=") not in said]
    known = [f"socketcan:{name}" for name in interfaces()]
    return [*known, *(kind for kind in SOURCE_KINDS if kind != "socketcan:" or not known), "virtual:bus0"]


def libraries(prefix: str, **_: Any) -> list[str]:
    """Drivers of ours by name; paths are completed by the shell."""
    names = ["virtual", *(["socketcan"] if sys.platform == "linux" else [])]
    return [name for name in names if name.startswith(prefix)]


_NAMED: dict[str, tuple[str, ...]] = {
    "--format": FORMATS_READ,
    "--from": FORMATS_READ,
    "--profile": ("auto", *PROFILES),
    "--limits": tuple(TIMING_CONTROLLERS),
    "--data-limits": tuple(TIMING_CONTROLLERS),
    "--tz": ("UTC", "local"),
}
_TO = {
    "convert": (*FORMATS_WRITTEN, "parquet"),
    "cut": FORMATS_WRITTEN,
    "merge": FORMATS_WRITTEN,
    "log": FORMATS_WRITTEN,
}


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end, where it is the shell that asks."""
    try:
        import argcomplete
        from argcomplete.completers import BaseCompleter, FilesCompleter, SuppressCompleter
    except ImportError:
        raise SystemExit(1) from None  # nothing is offered; an error's text would stand in the line

    files = FilesCompleter()

    def libraries_and_files(prefix: str, **more: Any) -> list[str]:
        return [*libraries(prefix), *files(prefix, **more)]

    def of(command: str, action: argparse.Action) -> BaseCompleter | Callable[..., Any]:
        option = action.option_strings[-1] if action.option_strings else action.dest
        if option == "--source":
            return sources
        if option in ("--library", "library"):
            return libraries_and_files
        names = _TO.get(command) if option == "--to" else _NAMED.get(option)
        if names:
            return lambda prefix, **_: [name for name in names if name.startswith(prefix)]
        return files if not action.option_strings or action.metavar in _FILES else SuppressCompleter()

    (subparsers,) = (row for row in parser._actions if isinstance(row, argparse._SubParsersAction))
    for command, below in subparsers.choices.items():
        for action in below._actions:
            if action.choices is None and action.nargs != 0:
                action.completer = of(command, action)
    argcomplete.autocomplete(parser)
