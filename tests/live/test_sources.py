"""A bus as one text."""

from __future__ import annotations

import re

import pytest

import canal_fast as cf
from canal_fast.drivers.library import VIRTUAL
from canal_fast.live.sources import Source, parse_source

GOOD = [
    ("virtual:bus0", Source("virtual", "bus0", name="bus0")),
    ("virtual:", Source("virtual", "", name="virtual")),
    ("socketcan:can0,fd", Source("socketcan", "can0", name="can0", fd=True)),
    ("usb2can:ED000200,bitrate=250000,name=body", Source("usb2can", "ED000200", name="body", bitrate=250_000)),
    ("virtual:b;1000000;ids=1,4-7,0x10", Source("virtual", "b;1000000;ids=1,4-7,0x10", name="b")),
    ("virtual:b;ids=1,4,name=x,flags=0x2", Source("virtual", "b;ids=1,4", name="x", flags=2)),
    ("virtual:b,name=x,4-7,fd", Source("virtual", "b,name=x,4-7", name="b,name=x,4-7", fd=True)),  # up to no word
    (r"library=C:\x.dll;0;500,profile=generic", Source("library", "0;500", r"C:\x.dll", name="0", profile="generic")),
    ("library=./x.so", Source("library", "", "./x.so", name="library")),
]


@pytest.mark.parametrize(("text", "source"), GOOD, ids=[row[0] for row in GOOD])
def test_texts(text: str, source: Source) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "source '' must begin with virtual:, socketcan:, usb2can: or library=PATH;, as in socketcan:can0 or"),
        ("can0", "source 'can0' must begin with "),
        ("vcan:can0", "source 'vcan:can0' must begin with "),
        ("virtual=b", "source 'virtual=b' must begin with "),
        ("library:x.so", "source 'library:x.so' must begin with "),
        ("library=;500", "source 'library=;500': library= has no path"),
        ("socketcan:,fd", "source 'socketcan:,fd' names no interface, as in socketcan:can0"),
        ("virtual:b,name=", "source 'virtual:b,name=': name= has no value"),
        ("virtual:b,bitrate=fast", "source 'virtual:b,bitrate=fast': bitrate = 'fast' is not a whole number"),
        ("virtual:b,bitrate=500", "source 'virtual:b,bitrate=500': bitrate = 500, allowed 1000..1000000"),
        ("virtual:b,flags=-1", "source 'virtual:b,flags=-1': flags = -1, allowed 0..4294967295"),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_source(text)


def test_opening() -> None:
    """All ways lead to the same bus."""
    texts = ["virtual:sources,bitrate=250000", "virtual:sources;250000", "virtual:sources", "virtual:"]
    texts.append(f"library={VIRTUAL};sources,profile=virtual")
    channels = [parse_source(text).open(ring_frames=64) for text in texts]
    try:
        channels[0].send(cf.make_frames(5))
        got = [len(channel.receive(1, timeout=5 if i in (1, 2, 4) else 0)) for i, channel in enumerate(channels)]
        assert got == [0, 1, 1, 0, 1]
    finally:
        for channel in channels:
            channel.close()


def test_fd_is_what_the_bus_has() -> None:
    assert parse_source("virtual:b;fd=0.5").carries_fd
    assert parse_source("virtual:b; data_bitrate = 2000000").carries_fd
    assert not parse_source("virtual:fd=1").carries_fd
    with parse_source("virtual:flexible;500000,fd").open() as channel:
        assert channel.outlet().fd
    with parse_source("virtual:classical").open() as channel:
        assert channel.outlet()[1:] == (False, False, False)
