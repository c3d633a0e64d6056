"""The line of `canal-fast simulate`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_force, count, picture, whole


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "simulate",
        help="simulate a bus, bit by bit, from a scenario",
        description="A scenario of nodes, messages and faults on a simulated bus, bit by bit.",
    )
    parser.add_argument("scenario", metavar="SCENARIO.toml", help="nodes, messages and faults, as in examples/")
    parser.add_argument("-o", "--output", metavar="FILE", help="write what a logger at each node records")
    parser.add_argument("--node", metavar="NAME", help="only what the logger at this node records")
    parser.add_argument("--events", metavar="FILE.csv", help="write every event: bit, node, field, TEC, REC, state")
    parser.add_argument(
        "--draw",
        action="store_true",
        help="print bus, levels and fields of the first bits as text; with clocks, over time",
    )
    parser.add_argument("--plot", type=picture, metavar="FILE.png", help="draw them; needs matplotlib")
    add_force(parser)
    parser.add_argument("--first", type=whole, metavar="BIT", help="first bit to draw (default: the run's first)")
    parser.add_argument("--bits", type=count, metavar="N", help="bits to draw (default: at most 2000)")
    parser.add_argument("--json", action="store_true", help="the summary for programs")
