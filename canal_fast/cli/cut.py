"""`canal-fast cut`: a part of a recording, in the same format or another."""

from __future__ import annotations

import argparse

from canal_fast.cli import convert


def run(args: argparse.Namespace) -> int:
    """Convert what is wanted of the source."""
    if not any(getattr(args, name) for name in ("filter", "channels")) and args.start is None and args.stop is None:
        raise ValueError("cut needs --start, --stop, --filter or --channels")
    return convert.run(args)
