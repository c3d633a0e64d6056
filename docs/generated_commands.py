"""The manual of the commands, from their parsers."""

from __future__ import annotations

import argparse

from generated_markdown import escaped, table

from canal_fast.cli.parsers import COMMANDS, command_line

__all__ = ["COMMANDS", "command", "commands", "parsers"]


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    actions = command_line()._actions
    choices = next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))
    return {name: choices[name] for name in COMMANDS}


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
