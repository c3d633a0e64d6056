"""Mirrors of the C headers' truths: each has a line here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import canal_fast as cf
from canal_fast import _frames, _gate, processor
from canal_fast.drivers import library
from canal_fast.drivers.config_strings import OpenFlag
from canal_fast.live import host
from canal_fast.status import Status


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


def enumerators(tree: Path, header: str, prefix: str) -> dict[str, int]:
    """NAME = number of the enumerators that begin so, prefix left out."""
    text = (tree / "include" / "canal_fast" / header).read_text()
    return {name: int(number, 0) for name, number in re.findall(rf"\b{prefix}(\w+) = (\w+)", text)}


def test_open_flag_mirror(tree: Path) -> None:
    assert {flag.name: flag.value for flag in OpenFlag} == enumerators(tree, "canal.h", "CF_OPEN_")


def test_calling_convention_mirror(tree: Path) -> None:
    table = {"STDCALL": 0, "CDECL": 1, "CONVENTION_AUTO": 2}
    assert enumerators(tree, "system/convention.h", "CF_") == table
    assert tuple(name.removeprefix("CONVENTION_").lower() for name in table) == library.CONVENTIONS


def test_processor_units_mirror(tree: Path) -> None:
    text = (tree / "include" / "canal_fast" / "cpu.h").read_text()
    rows = re.findall(r'X\((\w+), (\d+), "(\w+)", "(.+)"\)', text)
    assert _frames.unit_table() == [(word, 1 << int(bit), contents) for _, bit, word, contents in rows]
    assert all(name.lower() == word for name, _, word, _ in rows)
    assert len({bit for _, bit, _, _ in rows}) == len(rows) == 8
    assert {word: 1 << int(bit) for _, bit, word, _ in rows} == processor.UNITS
    assert processor.LEVELS[0] == "portable"
    assert set(processor.LEVELS[1:]) <= set(processor.UNITS)  # a level has the name of the unit that it asks for


def test_status_mirror() -> None:
    assert {status.name: status.value for status in Status} == {n: number for number, n, _ in _gate.status_table()}
    assert all(status.sentence for status in Status)


def test_status_numbers_are_unique() -> None:
    rows = _gate.status_table()
    assert len({number for number, _, _ in rows}) == len(rows)


def test_host_programs_are_named_for_machines_that_the_table_knows(tree: Path) -> None:
    text = (tree / "include" / "canal_fast" / "system" / "binary.h").read_text()
    assert all(f'"{name}"' in text for name in host._MACHINES)
