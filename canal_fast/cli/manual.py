"""Manual pages out of the parsers: `python -m canal_fast.cli.manual FOLDER` writes canal-fast.1 and one a command."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator

from canal_fast._version import __version__
from canal_fast.cli.parsers import command_line
from canal_fast.cli.parsers.examples import EXAMPLES

__all__ = ["main", "pages"]

EXIT_CODES = (
    ("0", "It was done; of a recording, no loss was counted."),
    ("1", "It failed; standard error says why. Some commands have this code for a finding: see DESCRIPTION."),
    ("2", "Wrong usage; nothing was opened, written or sent."),
    ("3", "Frames were lost, or left out; of repair: there is something to repair."),
    ("130", "Ended by Ctrl-C."),
)
VARIABLES = (
    ("CANAL_FAST_LIBRARY_PATH", "Folders in which a driver library is looked for that is given by its file name."),
    ("CANAL_FAST_SIMD", "Units of the processor to use; default: all that it has. Results are the same."),
    ("NO_COLOR", "monitor marks changes without colours."),
)


def pages() -> dict[str, str]:
    """File name of each page: its text."""
    parser = command_line()
    (subparsers,) = (row for row in parser._actions if isinstance(row, argparse._SubParsersAction))
    helps = {row.dest: row.help or "" for row in subparsers._choices_actions}
    made = {"canal-fast.1": "\n".join(_overview(parser, helps)) + "\n"}
    for name, below in subparsers.choices.items():
        made[f"canal-fast-{name}.1"] = "\n".join(_page(name, helps[name], below)) + "\n"
    return made


def _overview(parser: argparse.ArgumentParser, helps: dict[str, str]) -> Iterator[str]:
    yield from _head("canal-fast", "record, convert, decode and analyse CAN buses")
    yield from (".SH SYNOPSIS", ".B canal-fast", ".I COMMAND", "[\\fIOPTION\\fR ...]", ".br", ".B canal-fast")
    yield from ("[\\fB\\-\\-version\\fR [\\fB\\-\\-verbose\\fR]]",)
    yield from (".SH COMMANDS",)
    for name, help in helps.items():
        yield from (".TP", f".BR {_text(f'canal-fast-{name}')} (1)", _text(help))
    yield from _options(parser)
    yield from _tables()


def _page(name: str, help: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from _head(f"canal-fast-{name}", help)
    yield from (".SH SYNOPSIS", ".nh", ".na", _text(" ".join(_usage(parser).split())), ".ad", ".hy")
    yield ".SH DESCRIPTION"
    yield _text(parser.description or "")
    yield from _options(parser)
    for paragraph in _paragraphs(parser.epilog or ""):
        yield from (".PP", _text(paragraph))
    yield ".SH EXAMPLES"
    for what, line in EXAMPLES[name]:
        yield from (".PP", _text(f"{what[0].upper()}{what[1:]}:"), ".PP", ".nf", ".RS", _text(f"canal-fast {line}"))
        yield from (".RE", ".fi")
    yield from _tables()


def _usage(parser: argparse.ArgumentParser) -> str:
    return parser.format_usage().removeprefix("usage: ")


def _paragraphs(text: str) -> list[str]:
    """Of an epilog, the examples left out, which have a section of their own."""
    return [part for part in text.split("\n\n") if part and not part.startswith("examples:")]


def _head(name: str, what: str) -> Iterator[str]:
    yield '.\\" made by python -m canal_fast.cli.manual'
    yield f'.TH {name.upper()} 1 "" "canal_fast {__version__}" "canal_fast"'
    yield from (".SH NAME", f"{_text(name)} \\- {_text(what)}")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    titles = {"positional arguments": "ARGUMENTS", "options": "OPTIONS"}
    for group in parser._action_groups:
        rows = [row for row in group._group_actions if row.help is not argparse.SUPPRESS]
        if not rows or any(isinstance(row, argparse._SubParsersAction) for row in rows):
            continue
        yield f".SH {titles.get(group.title or '', (group.title or '').upper())}"
        for row in rows:
            yield from (".TP", _called(parser, row))
            yield _text(parser._get_formatter()._expand_help(row))


def _called(parser: argparse.ArgumentParser, row: argparse.Action) -> str:
    """`-o, --output FILE` with bold options."""
    formatter = parser._get_formatter()
    if not row.option_strings:
        return f"\\fI{_text(formatter._metavar_formatter(row, row.dest)(1)[0])}\\fR"
    value = "" if row.nargs == 0 else formatter._format_args(row, row.dest.upper())
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in row.option_strings)
    return f"{names} \\fI{_text(value)}\\fR" if value else names


def _tables() -> Iterator[str]:
    for title, rows in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", VARIABLES)):
        yield f".SH {title}"
        for name, words in rows:
            yield from (".TP", f".B {_text(name)}", _text(words))
    yield from (".SH SEE ALSO", ".BR canal-fast (1),", ".BR candump (1)")


def _text(text: str) -> str:
    """Text for roff: its own signs escaped, nothing that begins a request."""
    escaped = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    )
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.M)


def main(arguments: list[str]) -> int:
    """Write the pages."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m canal_fast.cli.manual FOLDER, such as ~/.local/share/man/man1", file=sys.stderr)
        return 2
    os.makedirs(arguments[0], exist_ok=True)
    for name, text in pages().items():
        with open(os.path.join(arguments[0], name), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    print(f"{len(pages())} pages in {arguments[0]}; man canal-fast shows the first where that folder is searched")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
