"""Bit rates that usb2can.dll changes without a word, or that no classical bus has: said before the driver is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast.drivers.usb2can_config import remarks

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")

KINDS = [
    ("ED000200;500", []),
    ("ED000200;100", ["table"]),
    ("ED000200;1600", ["table"]),
    ("ED000200;0125", ["table"]),  # octal
    ("ED000200;0x7d", []),
    ("ED000200;fast", ["unread"]),
    ("ED000200", ["missing"]),
    ("ED0002;500", ["serial"]),
    ("ED000200;0;13;2;1;4", []),
    ("ED000200;0;7;2;1;2", ["fast"]),  # 1.6 Mbit/s
    ("ED000200;0;5;2;1;2", ["fast"]),  # 2 Mbit/s
]


@pytest.mark.parametrize(("config", "kinds"), KINDS)
def test_kinds(config: str, kinds: list[str]) -> None:
    assert [remark.kind for remark in remarks(config)] == kinds


@pytest.mark.parametrize("config", [config for config, kinds in KINDS if kinds in (["table"], ["fast"])])
def test_refused_before_the_driver_is_called(config: str, fakes: Path) -> None:
    path = build(Row("rates", file="usb2can.so"), fakes)
    with pytest.raises(ValueError, match=r"125 kbit/s|classical CAN ends at 1000"):
        cf.Channel(path, f"{config}")


def test_a_library_of_another_generation_warns(fakes: Path) -> None:
    """It may know more rates."""
    path = build(Row("korlan rates", macros="-DFAKE_SET_FILTERS", file="usb2can.so"), fakes)
    with pytest.warns(RuntimeWarning, match="perhaps the bit rate '100'"), cf.Channel(path, "ED000200;100"):
        pass
    with pytest.raises(ValueError, match="classical CAN ends at 1000"):
        cf.Channel(path, "ED000200;0;7;2;1;2")


@pytest.mark.parametrize("bitrate", [1_600_000, 2_000_000])
def test_usb2can_makes_no_such_rate(bitrate: int, fakes: Path) -> None:
    path = build(Row("rates", file="usb2can.so"), fakes)
    with pytest.raises(ValueError, match=r"1000|bit rate|timing"):
        cf.Channel.usb2can("ED000200", bitrate, library=path)
