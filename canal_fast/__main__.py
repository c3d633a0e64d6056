# PYTHON_ARGCOMPLETE_OK
"""`python -m canal_fast` and the `canal-fast` command."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

from canal_fast._version import __version__
from canal_fast.cli.options import sentence
from canal_fast.cli.parsers import command_line, parsed
from canal_fast.cli.parsers.mistakes import as_option
from canal_fast.errors import CanalFastError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code (0 good, 1 failed, 2 wrong usage, 3 frames were lost, 130 Ctrl-C)."""
    try:
        return _run(argv)
    except KeyboardInterrupt:  # also while the line is parsed
        _discard_output()
        return 130


def _run(argv: Sequence[str] | None) -> int:
    parser = command_line()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks
        from canal_fast.cli.parsers.completion import complete

        complete(parser)
    _claim_closed_streams()
    command, options = "--help", ()  # until the line is parsed nothing else is printed
    try:
        args = parsed(parser, argv)
        command, options = args.command or "--version", getattr(args, "options", ())
        if args.version:
            return _version(args.details)
        code: int = importlib.import_module(f"canal_fast.cli.{args.command}").run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _discard_output()
        return 0
    except (CanalFastError, ImportError, OSError, ValueError) as error:  # ImportError: an extra is not installed
        print(f"canal-fast {command}: {as_option(sentence(error), options)}", file=sys.stderr)
        if isinstance(error, OSError):
            _discard_output(unless_good=True)
        return 1


def _version(details: bool) -> int:
    """One line, or with `details` what a report of an error needs."""
    print(f"canal-fast {__version__}")
    if details:
        from canal_fast.cli.about import lines

        print(*lines(), sep="\n")
    sys.stdout.flush()
    return 0


def _discard_output(unless_good: bool = False) -> None:
    """What is still in the buffer cannot be written (unless it can); the interpreter would complain when it ends."""
    with contextlib.suppress(OSError, ValueError):  # somebody else's standard output, as in a test
        if unless_good:
            sys.stdout.flush()
            return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _claim_closed_streams() -> None:
    """With standard output or error closed (`>&-`) the next file opened would take their place, and get what is
    printed. Writing to the one is an error, to the other not."""
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    raise SystemExit(main())
