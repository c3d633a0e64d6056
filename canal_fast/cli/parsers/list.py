"""The line of `canal-fast list`."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("list", help="attached USB2CAN adapters", description="Attached USB2CAN adapters.")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--root", help=argparse.SUPPRESS)
