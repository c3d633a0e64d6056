"""What is said of a line that the parser does not take: what was meant, where that can be guessed."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

__all__ = ["Parser", "as_option", "meant", "unknown"]

_INVALID = re.compile(
    r"argument (?P<what>[^:]+): invalid choice: '(?P<value>.*)' \(choose from (?P<known>.*)\)$", re.S
)  # as argparse says it
_ARGUMENT = re.compile(r"\b([a-z_]+)=(?:True)?(?=[\s,;:.)]|$)")
_SAID_OTHERWISE = {"help": "--help", "version": "--version", "-V": "--version", "-n": "--frames"}
_FOREIGN = {"-i", "--interface", "-c", "--channel", "--bus"}  # of python-can's and other programs' lines
_LIVE = {"log", "monitor", "play"}
_ONE = {"dump", "stat", "report", "decode", "repair", "monitor", "waveform", "simulate"}


def meant(word: str, known: Iterable[str]) -> str:
    """`: did you mean ...?`, or nothing."""
    from difflib import get_close_matches  # which takes a millisecond to load

    plain = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), plain, 1, 0.7)
    return f": did you mean {plain[found[0]]}?" if found else ""


def as_option(sentence: str, options: Collection[str]) -> str:
    """The library's `gap_max_s = -1, allowed ...` and `give bitrate=` with the options that they are here."""

    def option(name: str, else_: str) -> str:
        word = "--" + name.removesuffix("_s").replace("_", "-")
        return word if word in options else else_

    sentence = _ARGUMENT.sub(lambda match: option(match[1], match[0]), sentence)
    name, equals, rest = sentence.partition(" = ")
    return f"{option(name, name)} = {rest}" if equals and " = " not in rest else sentence


class Parser(argparse.ArgumentParser):
    """argparse's, with a guess at what was meant."""

    def print_help(self, file: Any = None) -> None:
        print(self.format_help(), end="", file=file or sys.stdout, flush=True)  # argparse hides that a disk is full

    def error(self, message: str) -> NoReturn:
        match = _INVALID.match(message)
        if match:
            value, known = match["value"], re.findall(r"[^\s',]+", match["known"])
            message = _command(value, known) if match["what"] == "COMMAND" else message + meant(value, known)
        super().error(message)


def _command(word: str, known: list[str]) -> str:
    if os.path.exists(word):
        return f"{word!r} is a file: a command stands before it, as in `canal-fast stat {word}`"
    other = _SAID_OTHERWISE.get(word)
    hint = f": did you mean {other}?" if other else meant(word, known)
    return f"there is no command {word!r}" + (hint or f"; there are {', '.join(known)}")


def unknown(words: list[str], args: argparse.Namespace, options: Iterable[str]) -> str:
    """Of words that are left: which they are, and what may have been meant."""
    command, word = args.command, words[0]
    said = f"unrecognized arguments: {' '.join(words)}"
    if word.startswith("-") and word != "-":
        name = word.partition("=")[0]
        if command in _LIVE and name in _FOREIGN:
            return f"{said}: a bus is given as --source KIND:CONFIG, such as socketcan:can0"
        other = _SAID_OTHERWISE.get(name)
        return said + (f": did you mean {other}?" if other in set(options) else meant(name, options))
    if command == "log":
        return f"{said}: a bus is given as --source KIND:CONFIG, such as socketcan:can0; a file as -o FILE"
    if command in _ONE and os.path.exists(word):
        several = "; `canal-fast merge` makes one recording of several" if command in ("dump", "stat", "report") else ""
        return f"{said}: {command} takes one file{several}"
    return said
