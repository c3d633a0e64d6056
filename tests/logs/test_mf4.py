"""MDF 4 through asammdf: against python-can, cut, in pieces, several groups merged, fields left out."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.logs import _logs, open_log, read_log
from canal_fast.logs.mf4_blocks import Cut, check_blocks

asammdf = pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
NAMES = ("17BD1DB7_00000170.MF4", "FCBF0606_00000001.MF4")


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest, data_dir: Path) -> Path:
    return data_dir / "recordings" / str(request.param)


PEER = """
import sys
from can.io.mf4 import MF4Reader
for m in MF4Reader(sys.argv[1]):
    print(m.arbitration_id, int(m.is_extended_id), bytes(m.data).hex() or "-", round(m.timestamp * 1e6))
"""


def test_python_can_reads_the_same(sample: Path) -> None:
    """In a process of its own: python-can takes asammdf's warnings, errors here, for its absence."""
    pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    done = subprocess.run([sys.executable, "-P", "-c", PEER, str(sample)], check=True, capture_output=True, text=True)
    frames = read_log(sample)
    rows = [row.split() for row in done.stdout.splitlines()]
    assert len(rows) == len(frames)
    for frame, (identifier, extended, data, micros) in zip(frames, rows, strict=True):
        assert int(frame["arbitration_id"]) == int(identifier)
        assert int(frame["flags"]) == int(extended)
        assert frame["data"][: frame["dlc"]].tobytes().hex() == data
        assert abs(int(frame["timestamp_ns"]) / 1e3 - int(micros)) < 2


def test_batches_and_objects(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_log(sample)
    assert np.array_equal(np.concatenate(list(cf.logs.batches(sample, 100, fd=False))), expected)
    assert np.array_equal(read_log(io.BytesIO(sample.read_bytes())), expected)
    monkeypatch.setattr("canal_fast.logs.mf4._BLOCK", 97)
    assert np.array_equal(read_log(sample), expected)


def test_data_bytes_in_a_group_of_their_own_are_no_other_records(sample: Path) -> None:
    with open_log(sample) as log:
        log.read()
        assert log.skipped_by_kind == {}


def test_a_cut_file_gives_one_error(sample: Path) -> None:
    data = sample.read_bytes()
    expected = read_log(sample)
    rng = random.Random(2)
    told = 0
    cuts = [rng.randrange(8, len(data)) for _ in range(30)]
    for cut in cuts:
        try:
            frames = read_log(io.BytesIO(data[:cut]))
        except cf.LogFormatError:
            told += 1
        else:  # on the border of a record, of a file that states no length
            assert np.array_equal(frames, expected[: len(frames)])
    assert told >= 25
    with open_log(io.BytesIO(data[: len(data) - 5])) as log:
        batches = log.batches(fd=False)
        assert np.array_equal(next(batches), expected[:-1])
        with pytest.raises(cf.LogFormatError, match="is not whole"):
            next(batches)
    with open_log(io.BytesIO(data[: len(data) - 5]), errors="skip") as log:
        assert np.array_equal(log.read(), expected[:-1])
        assert log.truncated


def test_data_that_look_like_a_block(sample: Path) -> None:
    """asammdf, left alone, looks for blocks in all bytes of an unfinished file."""
    data = bytearray(sample.read_bytes())
    at, places = data.rindex(b"##DT") + 24, []
    while at < len(data):
        size = {1: 22, 2: 4 + data[at + 1], 3: 19}[data[at]]
        if data[at : at + 5] == b"\2\10\0\0\0" and (at + 5) % 8 == 0:
            places.append(at + 5)
        at += 1 + size
    place = places[len(places) // 2]
    data[place : place + 8] = b"##DT\0\0\0\0"
    frames, expected = read_log(io.BytesIO(data)), read_log(sample)
    changed = np.flatnonzero((frames["data"] != expected["data"]).any(axis=1))
    assert len(changed) == 1
    assert frames["data"][changed[0]].tobytes() == b"##DT\0\0\0\0"


def test_long_unfinished_files_are_walked_once(sample: Path) -> None:
    """Many short runs of records of one group: in time that grows with the file, and counted as asammdf does."""
    data = sample.read_bytes()
    begin = data.rindex(b"##DT") + 24
    finish = check_blocks(io.BytesIO(data[:begin] + data[begin:] * 20))
    counts = {at: int.from_bytes(part, "little") for at, part in finish.patches.items()}
    assert counts[begin - 16] == 24 + 20 * (len(data) - begin)
    assert 20 * len(read_log(sample)) in counts.values()
    assert finish.cut is None


def test_a_chain_of_groups_that_leads_back() -> None:
    def block(name: bytes, links: list[int], data: bytes) -> bytes:
        return struct.pack(f"<4sIQQ{len(links)}Q", name, 0, 24 + 8 * len(links) + len(data), len(links), *links) + data

    head = b"UnFinMF ".ljust(60, b"\0") + struct.pack("<HH", 4, 0)
    file = head + block(b"##HD", [96], b"")
    group = 96 + 24 + 32 + 8
    end = group + 24 + 48 + 32
    file += block(b"##DG", [0, group, end, 0], bytes(8))
    file += block(b"##CG", [group, 0, 0, 0, 0, 0], struct.pack("<QQHHIII", 0, 0, 0, 0, 0, 8, 0))
    file += block(b"##DT", [], bytes(16))
    with pytest.raises(Cut, match=f"leads back to byte {group}"):
        check_blocks(io.BytesIO(file))


@pytest.mark.parametrize("links", [[2**63 + 8], [96]])
def test_damaged_links(links: list[int], tmp_path: Path) -> None:
    path = tmp_path / "x.mf4"
    head = b"UnFinMF 4.10    ".ljust(28, b"\0") + struct.pack("<H", 410)
    head = head.ljust(60, b"\0") + struct.pack("<HH", 4, 0)
    data_group = struct.pack("<4sIQQQ", b"##DG", 0, 32, 1, 0)  # with a link of four
    path.write_bytes(head + struct.pack("<4sIQQQ", b"##HD", 0, 32, 1, *links) + data_group)
    with pytest.raises(cf.LogFormatError, match="damaged or cut short"):
        read_log(path)


def write(path: Path, groups: list[tuple[str, dict[str, Any], list[float]]]) -> Path:
    """An MDF file of bus events: (name, members by their short name, seconds)."""
    from asammdf import MDF, Signal, Source

    bus = Source("CAN", "CAN", "", source_type=Source.SOURCE_BUS, bus_type=Source.BUS_TYPE_CAN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = MDF(version="4.10")
        for name, members, seconds in groups:
            columns = {f"{name}.{key}": np.asarray(value) for key, value in members.items()}
            dtype = [(key, column.dtype, column.shape[1:]) for key, column in columns.items()]
            samples: Any = np.zeros(len(seconds), dtype)
            for key, column in columns.items():
                samples[key] = column
            file.append(Signal(samples, np.array(seconds), name=name, source=bus), comment=name)
        file.save(path, overwrite=True)
        file.close()
    return path


def test_groups_are_merged_by_time(tmp_path: Path) -> None:
    data = np.arange(24, dtype=np.uint8).reshape(3, 8)
    common = {"BusChannel": np.array([1, 2, 300], np.uint16), "DLC": np.array([8, 9, 8], np.uint8), "DataBytes": data}
    first = {"ID": np.array([0x80000123, 0x7FF, 1], np.uint32), "DataLength": np.full(3, 8, np.uint8), **common}
    second = {"ID": np.array([5, 6, 7], np.uint32), "IDE": np.array([0, 1, 0], np.uint8), **common}
    wide = {
        "BusChannel": np.ones(2, np.uint8),
        "ID": np.array([9, 0x900], np.uint32),
        "DLC": np.array([15, 9], np.uint8),
        "DataLength": np.array([64, 12], np.uint8),
        "DataBytes": np.ones((2, 64), np.uint8),
        "Dir": np.ones(2, np.uint8),
        "EDL": np.ones(2, np.uint8),
        "BRS": np.array([1, 0], np.uint8),
        "ESI": np.array([0, 1], np.uint8),
    }
    remote = {"BusChannel": np.ones(1, np.uint8), "ID": np.array([0x111], np.uint32), "DLC": np.array([4], np.uint8)}
    path = write(
        tmp_path / "x.mf4",
        [
            ("CAN_DataFrame", first, [0.1, 0.3, 0.5]),
            ("CAN_DataFrame", second, [0.2, 0.25, 0.6]),
            ("CAN_DataFrame", wide, [0.15, 0.7]),
            ("CAN_RemoteFrame", remote, [0.31]),
            (
                "CAN_ErrorFrame",
                {"BusChannel": np.ones(2, np.uint8), "ErrorType": np.array([3, 5], np.uint8)},
                [0.32, 0.33],
            ),
            ("CAN_OverloadFrame", {"BusChannel": np.ones(1, np.uint8)}, [0.34]),
        ],
    )
    with open_log(path) as log:
        frames = log.read()
        kinds = log.skipped_by_kind
    assert np.diff(frames["timestamp_ns"]).min() > 0
    assert frames["arbitration_id"].tolist() == [0x123, 9, 5, 6, 0x7FF, 0x111, 0x88, 0xA8, 8]
    assert frames["flags"].tolist() == [1, 0x58, 0, 1, 0, 2, 0x80, 0x80, 0x80]
    assert frames["dlc"].tolist() == [8, 15, 8, 9, 9, 4, 8, 8, 8]
    assert frames["channel"].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert frames["data"][:, 2].tolist() == [2, 1, 2, 10, 10, 0, 4, 0, 0x20]
    assert kinds == {"frame of a channel above 256": 2, "frame with an identifier above its limit": 1}
    with pytest.raises(cf.FrameError, match="fd=True"):
        read_log(path, fd=False)
    assert len(next(cf.logs.batches(path, fd=False))) == 1
    whole = path.read_bytes()
    for cut in range(64, len(whole), 997):
        with pytest.raises(cf.LogFormatError):
            read_log(io.BytesIO(whole[:cut]))


def test_groups_without_can_frames_are_counted(tmp_path: Path) -> None:
    """A measurement of signals alone is no empty recording."""
    one = {"BusChannel": np.ones(3, np.uint8), "ID": np.array([0x80000123, 5, 0x80000006], np.uint32)}
    frames = one | {"IDE": np.array([1, 0, 1], np.uint8)}  # bit 31 of ID says it, too
    path = write(
        tmp_path / "x.mf4",
        [("CAN_DataFrame", frames, [0.1, 0.2, 0.3]), ("LIN_Frame", one, [0.1, 0.2, 0.3]), ("Speed", one, [1, 2, 3])],
    )
    with open_log(path) as log:
        assert log.read()[["arbitration_id", "flags"]].tolist() == [(0x123, 1), (5, 0), (6, 1)]
        assert log.skipped_by_kind == {"LIN": 3, "record of a group without CAN frames": 3}
        assert log.skipped == 6
    with open_log(write(tmp_path / "y.mf4", [("Speed", one, [1, 2, 3])])) as log:
        assert len(log.read()) == 0
        assert log.skipped_by_kind == {"record of a group without CAN frames": 3}


@pytest.mark.parametrize(("start", "seconds"), [(4_000_000_000, 6e9), (9_000_000_000, 9e9)])
def test_times_beyond_64_bits_are_counted(start: int, seconds: float) -> None:
    """The columns as they come from asammdf: nanoseconds after 1970 pass 2^63 in 2262."""
    columns: list[Any] = [None] * len(_logs.COLUMN_NAMES)
    frames = np.zeros(2, cf.FD_FRAME_DTYPE)
    reader = _logs.ColumnReader()
    times = np.array([1.0, seconds])
    assert reader.read(columns, times, 0, start * 10**9, 0, frames, 0)[2] == 1
    assert frames["timestamp_ns"].tolist() == [(start + 1) * 10**9, 0]
    assert reader.kinds() == {"frame without a time": 1}
