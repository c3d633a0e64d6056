"""Mirrors of the C headers' truths: each has a line here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import canal_fast as cf
from canal_fast import _gate
from canal_fast.live import host


def test_record_sizes() -> None:
    assert cf.FRAME_DTYPE.itemsize == 24
    assert cf.FD_FRAME_DTYPE.itemsize == 80


def test_records_share_their_head() -> None:
    assert cf.FRAME_DTYPE.names == cf.FD_FRAME_DTYPE.names
    for name in cf.FRAME_DTYPE.names:
        assert cf.FRAME_DTYPE.fields[name][1] == cf.FD_FRAME_DTYPE.fields[name][1]


def test_fields_are_those_of_the_design() -> None:
    expected = [
        ("timestamp_ns", "i8", 0),
        ("arbitration_id", "u4", 8),
        ("flags", "u2", 12),
        ("channel", "u1", 14),
        ("dlc", "u1", 15),
    ]
    for name, form, offset in expected:
        assert cf.FRAME_DTYPE.fields[name] == (np.dtype(form), offset)
    assert cf.FRAME_DTYPE.fields["data"] == (np.dtype(("u1", 8)), 16)
    assert cf.FD_FRAME_DTYPE.fields["data"] == (np.dtype(("u1", 64)), 16)


def test_time_stamps_view_as_datetime() -> None:
    frames = cf.make_frames(1, timestamp_ns=1_700_000_000_123_456_789)
    assert frames["timestamp_ns"].view("datetime64[ns]")[0] == np.datetime64("2023-11-14T22:13:20.123456789")


def test_flag_mirror() -> None:
    table = {name: number for number, name, _ in _gate.flag_table()}
    assert {flag.name: flag.value for flag in cf.FrameFlag} == table


def test_pxd_mirrors_the_record() -> None:
    text = (Path(cf.__file__).parent / "capi" / "frame.pxd").read_text()
    body = text.split("ctypedef struct cf_frame:")[1].split("ctypedef")[0]
    names = re.findall(r"^\s+\w+ (\w+)(?:\[\d+\])?$", body, re.M)
    assert tuple(names) == cf.FRAME_DTYPE.names


def test_status_numbers_are_unique() -> None:
    rows = _gate.status_table()
    assert len({number for number, _, _ in rows}) == len(rows)


def test_host_programs_are_named_for_machines_that_the_table_knows(tree: Path) -> None:
    text = (tree / "include" / "canal_fast" / "system" / "binary.h").read_text()
    assert all(f'"{name}"' in text for name in host._MACHINES)
