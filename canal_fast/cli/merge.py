"""`canal-fast merge`: several recordings into one, by time; each keeps its order, and no time is changed."""

from __future__ import annotations

import argparse
import os

from canal_fast.cli import convert


def run(args: argparse.Namespace) -> int:
    """Convert all of them into one."""
    if os.path.isdir(args.target):
        raise ValueError(f"{args.target} is a folder: a file is needed that takes all of the sources")
    return convert.run(args)
