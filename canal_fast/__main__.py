"""`python -m canal_fast` and the `canal-fast` command."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from canal_fast._version import __version__
from canal_fast.errors import CanalFastError

COMMANDS = ("log", "dump", "stat", "decode", "formats", "waveform", "timing", "doctor", "list")  # as --help shows them


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code (0 good, 1 failed, 2 wrong usage, 3 frames were lost)."""
    parser = argparse.ArgumentParser(prog="canal-fast", description="CAN buses at full rate.")
    parser.add_argument("--version", action="version", version=f"canal-fast {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"canal_fast.cli.{name}").add_parser(subparsers)
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CanalFastError, OSError, ValueError) as error:
        print(f"canal-fast {args.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
