"""Driver profiles: rows of data, chosen by file name and exported functions."""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path

import pytest
from fake_table import BLOCKS, LP64, Row, build

import canal_fast as cf
from canal_fast.drivers import _profiles
from canal_fast.drivers.library import load_library

ROWS = _profiles.profiles()
needs_fakes = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")

CHOICES = [
    ("fake.so", "", "generic"),
    ("fake.so", "-DFAKE_GEN1", "generation-1"),
    ("fake.so", "-DFAKE_FOUR", "generation-1"),
    ("usb2can.dll", "", "usb2can"),
    ("USB2CAN.DLL", "-DFAKE_SET_FILTERS", "usb2can-korlan"),
    ("canal.dll", "", "generic"),
    ("canusbdrv.dll", "", "canusb"),
    ("libvscpl1drv-socketcan.so.1", "", "vscp-socketcan"),
    ("vscpl1drv-can4vscp.so", "", "can4vscp"),
    ("vscpl1drv-can232.so", "-DFAKE_GEN1", "can232"),
    ("vscpl1drv-logger.so", "-DFAKE_GEN1", "logger"),
    ("vscpl1_peakdrv.dll", "-DFAKE_GEN1", "peak"),
    ("vscpl1_vectorxldrv.dll", "-DFAKE_GEN1", "vector"),
    ("a_vector_of_drivers.so", "", "generic"),
]


@needs_fakes
def test_choice_by_file_name_and_exports(fakes: Path) -> None:
    for file, macros, name in CHOICES:
        path = build(Row(f"{name} {macros}", macros=macros, file=file), fakes)
        assert _profiles.choose(path.name, load_library(path).functions) == name, (file, macros)


def test_every_row_says_how_far_it_was_tried() -> None:
    names = [row["name"] for row in ROWS]
    assert len(set(names)) == len(names)
    assert ROWS[0]["name"] == "generic"
    for row in ROWS:
        assert row["verified"], row["name"]
        assert row["title"], row["name"]
        assert {8, 19, 32} <= set(row["empty"]), row["name"]
        assert row["tick_den"] or not row["tick_num"], row["name"]
        if row["name"] not in ("generic", "generation-1", "virtual"):
            assert row["verified"].startswith("not verified on hardware"), row["name"]


def test_queues_of_drivers_that_differ_by_system() -> None:
    depths = {row["name"]: row["queue_depth"] for row in ROWS}
    assert depths["can232"] == (10_000 if sys.platform == "win32" else 512)


@needs_fakes
def test_profile_overrides_the_choice(fakes: Path) -> None:
    path = build(Row("override"), fakes)
    with cf.Channel(path, profile="can232") as channel:
        assert channel.driver.profile == "can232"
    with pytest.raises(ValueError, match="generation-1"):
        cf.Channel(path, profile="no such thing")


@needs_fakes
@pytest.mark.parametrize(("flags", "blocks"), [(0, False), (4, True)])
def test_blocking_calls_only_with_the_flag_that_they_need(flags: int, blocks: bool, fakes: Path) -> None:
    path = build(Row("canusb", file="canusbdrv.so"), fakes)
    with cf.Channel(path, "frames=1", flags=flags, coalesce_ms=0.5):
        time.sleep(0.1)
        assert (ctypes.CDLL(str(path)).FakeCount(BLOCKS) > 0) == blocks
