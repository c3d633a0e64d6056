"""pcapng: blocks against the oracle and tshark, both ways; defects, cuts, mutations."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracle import pcapng_oracle as oracle

import canal_fast as cf
from canal_fast import FrameFlag

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="NOT RUN: tshark is not installed")
NS = [(9, b"\x09")]


def all_kinds() -> cf.FrameArray:
    """Every flag, every dlc, base and extended, several channels."""
    rows = []
    for extended in (0, FrameFlag.EXTENDED_ID):
        for extra in (0, FrameFlag.TX, FrameFlag.GAP, FrameFlag.TX | FrameFlag.GAP):
            for kind in (
                0,
                FrameFlag.REMOTE,
                FrameFlag.FD,
                FrameFlag.FD | FrameFlag.BITRATE_SWITCH,
                FrameFlag.FD | FrameFlag.BITRATE_SWITCH | FrameFlag.ERROR_STATE_INDICATOR,
                FrameFlag.STATUS,
                FrameFlag.ERROR_FRAME,
            ):
                rows += [(int(extended | extra | kind), dlc) for dlc in range(16)]
    frames = np.zeros(len(rows), cf.FD_FRAME_DTYPE)
    rng = np.random.default_rng(1)
    frames["flags"], frames["dlc"] = np.array(rows).T
    frames["arbitration_id"] = rng.integers(0, 1 << 11, len(rows))
    wide = frames["flags"] & 1 != 0
    frames["arbitration_id"][wide] = rng.integers(0, 1 << 29, wide.sum())
    frames["timestamp_ns"] = np.cumsum(rng.integers(1, 10**9, len(rows))) + 1_700_000_000_000_000_000
    frames["timestamp_ns"][:3] = [-1, 0, 2**62]
    frames["channel"] = rng.choice([0, 1, 7, 255], len(rows))
    for frame, length in zip(frames, cf.payload_length(frames), strict=True):
        frame["data"][:length] = rng.integers(0, 256, length)
    return frames


def oracle_rows(path: Path, fd: bool = True) -> cf.FrameArray:
    rows, _ = oracle.read(path.read_bytes())
    frames = np.zeros(len(rows), cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
    for frame, row in zip(frames, rows, strict=True):
        for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
            frame[name] = row[name]
        frame["data"][: len(row["data"])] = np.frombuffer(row["data"], np.uint8)
    return frames


def tshark(path: Path, *arguments: str) -> str:
    run = subprocess.run(["tshark", "-r", str(path), *arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_round_trip_keeps_every_record(tmp_path: Path) -> None:
    frames = all_kinds()
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames)
    assert np.array_equal(cf.read_log(path), frames)
    assert np.array_equal(oracle_rows(path), frames)


def test_round_trip_of_classical_records(tmp_path: Path) -> None:
    wide = all_kinds()
    wide = wide[wide["flags"] & FrameFlag.FD == 0]
    frames = np.zeros(len(wide), cf.FRAME_DTYPE)
    for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
        frames[name] = wide[name]
    frames["data"] = wide["data"][:, :8]
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames)
    again = cf.read_log(path)
    assert again.dtype == cf.FRAME_DTYPE
    assert np.array_equal(again, frames)
    assert np.array_equal(cf.read_log(path, fd=True), wide)


def test_records_that_no_controller_could_send_survive_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    frames = rng.integers(0, 256, 500 * 24, dtype=np.uint8).view(cf.FRAME_DTYPE)
    frames["flags"] &= 0x3FF & ~np.uint16(FrameFlag.FD)
    frames["dlc"] &= 15
    wide = frames["flags"] & (FrameFlag.EXTENDED_ID | FrameFlag.ERROR_FRAME | FrameFlag.STATUS) != 0
    frames["arbitration_id"] &= np.where(wide, np.uint32(0x1FFFFFFF), np.uint32(0x7FF))
    frames["data"][np.arange(8)[None, :] >= cf.payload_length(frames)[:, None]] = 0
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames)
    assert np.array_equal(cf.read_log(path), frames)


def test_records_whose_fields_hold_no_such_value_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which our own writer refuses."""
    monkeypatch.setattr("canal_fast.logs.writing.check_records", lambda _: None)
    frames = np.zeros(7, cf.FD_FRAME_DTYPE)
    frames["arbitration_id"] = [0x800, 0x20000000, 0xFFFFFFFF, 1, 2, 3, 4]
    frames["flags"] = [0, FrameFlag.EXTENDED_ID, FrameFlag.ERROR_FRAME, 0, 0x400, FrameFlag.STATUS, FrameFlag.STATUS]
    frames["dlc"] = [0, 0, 8, 200, 8, 16, 2]
    frames["data"][-1] = 7
    path = tmp_path / "x.pcapng"
    with cf.logs.Recorder(path) as recorder:
        recorder.write(frames)
    frames["data"][-1, 2:] = 0
    with cf.logs.open_log(path) as log:
        assert np.array_equal(log.read(fd=True), frames[-1:])
        assert log.skipped_by_kind == {
            "frame with an identifier above its limit": 3,
            "frame with a dlc above 15": 2,
            "frame with flags that are not known": 1,
        }


def test_bytes_are_those_of_the_oracle(tmp_path: Path) -> None:
    frames = all_kinds()[3:]
    frames = frames[frames["flags"] & (FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0]
    path = tmp_path / "x.pcapng"
    with cf.logs.Recorder(path, interfaces={7: ("body", 125_000)}) as recorder:
        recorder.write(frames)
    expected = oracle.section(extra=[(4, f"canal_fast {cf.__version__}".encode())])
    numbers: dict[int, int] = {7: 0}
    pen = struct.pack("<I", 32473)
    expected += oracle.interface(
        pairs=[(2, b"body"), (8, struct.pack("<Q", 125_000)), *NS, (2989, pen + b"CFch" + struct.pack("<I", 7))]
    )
    for frame, length in zip(frames, cf.payload_length(frames), strict=True):
        channel = int(frame["channel"])
        if channel not in numbers:
            pairs = [(2, f"can{channel}".encode()), *NS]
            if len(numbers) != channel:
                pairs.append((2989, pen + b"CFch" + struct.pack("<I", channel)))
            numbers[channel] = len(numbers)
            expected += oracle.interface(pairs=pairs)
        flags = int(frame["flags"])
        pairs = [(2, struct.pack("<I", 2 if flags & FrameFlag.TX else 1))]
        if flags & FrameFlag.GAP:
            pairs.append((4, struct.pack("<Q", 1)))
        data = oracle.can(int(frame["arbitration_id"]), flags, int(frame["dlc"]), bytes(frame["data"][:length]))
        expected += oracle.packet(numbers[channel], int(frame["timestamp_ns"]), data, pairs)
    assert path.read_bytes() == expected


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "resolution",
    [None, 0, 3, 6, 8, 9, 10, 12, 19, 20, 127, 0x80, 0x80 | 10, 0x80 | 32, 0x80 | 33, 0x80 | 40, 0x80 | 63],
)
def test_time_resolutions(order: str, resolution: int | None, tmp_path: Path) -> None:
    rng = random.Random(resolution)
    power = 6 if resolution is None else resolution & 0x7F
    top = min(2**power if (resolution or 0) & 0x80 else 10**power, 2**60) * 8_000_000_000
    for offset in (0, 3, -3):
        pairs = [] if resolution is None else [(9, bytes([resolution]))]
        pairs += [(14, struct.pack(order + "q", offset))] if offset else []
        data = oracle.section(order) + oracle.interface(pairs=pairs, order=order)
        for _ in range(50):
            ticks = rng.randrange(min(top, 2**63))
            data += oracle.packet(0, ticks, oracle.can(1, 0, 0, b""), order=order)
        path = tmp_path / "x.pcapng"
        path.write_bytes(data)
        assert np.array_equal(cf.read_log(path), oracle_rows(path, fd=False))


def test_files_one_after_the_other_keep_their_names_apart(tmp_path: Path) -> None:
    """What `cat a.pcapng b.pcapng` and `mergecap -a` make: each section counts its interfaces from 0."""
    sections = [["can0", "can1"], ["can1"], ["can2", "can0"], ["can0", "can0"], [""]]
    data, time = b"", 0
    for names in sections:
        data += oracle.section() + b"".join(
            oracle.interface(227, [(2, name.encode())] if name else []) for name in names
        )
        for number in range(len(names)):
            data += oracle.packet(number, time := time + 1, oracle.can(0x123, 0, 1, b"a"))
    path = tmp_path / "x.pcapng"
    path.write_bytes(data)
    with cf.logs.open_log(path) as log:
        frames = log.read()
        assert frames["channel"].tolist() == [0, 1, 1, 2, 0, 0, 1 + 2, 0]
        assert np.array_equal(frames, oracle_rows(path, fd=False))
        named = {(row.channel, row.name) for row in log.interfaces if row.name}
    assert named == {(0, "can0"), (1, "can1"), (2, "can2"), (3, "can0")}


@pytest.mark.parametrize("order", ["<", ">"])
def test_foreign_files(order: str, tmp_path: Path) -> None:
    """Several sections and interfaces, other link types, unknown blocks and options, short packets."""
    other = ">" if order == "<" else "<"
    frame = oracle.can(0x7FF, 0, 3, b"abc")
    flexible = oracle.can(0x1ABCDEF0, oracle.EXTENDED | oracle.FD | oracle.BRS, 9, bytes(range(12)))
    data = oracle.section(order, extra=[(1, b"a comment"), (3, b"an OS")])
    data += oracle.block(0x0BAD, b"unknown", order)
    data += oracle.interface(1, order=order)
    data += oracle.interface(227, [(2, b"can_a"), (8, struct.pack(order + "Q", 500_000)), (99, b"?")], order)
    data += oracle.packet(0, 1, b"\0" * 60, order=order)
    data += oracle.packet(1, 2, frame, [(1, b"hello"), (2, struct.pack(order + "I", 2))], order)
    data += oracle.packet(1, 3, frame[:11], [(4, struct.pack(order + "Q", 5))], order)  # no bytes past the payload
    data += oracle.packet(1, 4, frame[:10], order=order, original=16)  # payload cut off: skipped
    data += oracle.packet(1, 5, frame[:5], order=order, original=16)
    data += oracle.packet(1, 6, flexible, order=order)
    data += oracle.packet(1, 7, flexible[:20], order=order, original=20)
    data += oracle.packet(1, 8, flexible[:5] + b"\0" + flexible[6:], order=order)  # no FDF bit: the length says FD
    data += oracle.packet(1, 9, flexible[:4] + b"\x0a" + flexible[5:], order=order)  # 10 bytes: no FD length
    data += oracle.packet(1, 10, flexible[:4] + b"\x80" + flexible[5:], order=order)  # CAN XL: skipped
    data += oracle.block(3, struct.pack(order + "I", 16) + frame, order)  # Simple Packet: no time: skipped
    data += oracle.section(other) + oracle.interface(227, [(2, b"can_b")], other)
    data += oracle.packet(0, 11, frame, order=other)
    data += oracle.section(other) + oracle.interface(227, [(2, b"can_b")], other)
    data += oracle.packet(0, 12, frame, order=other)
    path = tmp_path / "x.pcapng"
    path.write_bytes(data)
    with cf.logs.open_log(path) as log:
        frames = log.read()
        assert np.array_equal(frames, oracle_rows(path))
        assert (frames["timestamp_ns"] // 1000).tolist() == [2, 3, 6, 7, 8, 9, 11, 12]
        assert log.skipped == 5
        assert [(row.name, row.channel, row.bitrate, row.frames) for row in log.interfaces] == [
            ("can_a", 1, 500_000, 6),
            ("can_b", 0, None, 2),
        ]
        assert not log.truncated


def test_blocks_larger_than_the_buffer(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    frame = oracle.packet(0, 1, oracle.can(1, 0, 0, b""))
    path.write_bytes(oracle.section() + oracle.interface() + frame + oracle.block(77, bytes(5_000_000)) + frame)
    assert len(cf.read_log(path, strict=True)) == 2


MALFORMED = {
    "no_section": "no pcapng section",
    "version_2": "version other than 1",
    "section_too_short": "too short",
    "block_length_0": "block length",
    "block_length_odd": "block length",
    "block_length_huge": "block length",
    "lengths_differ": "two lengths differ",
    "interface_too_short": "too short",
    "packet_too_short": "too short",
    "packet_longer_than_block": "too short",
    "packet_length_wraps": "too short",
    "packet_of_unknown_interface": "not described",
    "statistics_too_short": "too short",
    "statistics_of_unknown_interface": "not described",
    "option_past_packet": "reaches past its block",
    "option_past_interface": "reaches past its block",
    "option_past_statistics": "reaches past its block",
    "interfaces_257": "more than 256 interfaces",
    "pcap_version_3": "a pcap version other than 2",
    "binary": "this is no recording: it begins with 00 01 02 03",
    "identifier_of_4_digits": "line 2: column 16: the identifier",
    "half_a_byte": "line 2: column 16: the data",
}


def test_each_malformed_file_has_its_sentence(data_dir: Path) -> None:
    files = {path.stem for path in (data_dir / "malformed").iterdir() if path.suffix in {".pcapng", ".pcap", ".log"}}
    assert files == set(MALFORMED)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str, data_dir: Path) -> None:
    (path,) = (p for p in (data_dir / "malformed").glob(f"{name}.*"))
    with pytest.raises(cf.LogFormatError, match=MALFORMED[name]) as caught:
        cf.read_log(path)
    assert caught.value.path == str(path)
    if path.suffix == ".pcapng":
        assert caught.value.offset is not None
        assert f"byte {caught.value.offset}" in str(caught.value)
        if path.read_bytes().startswith(b"\n\r\r\n") and caught.value.offset > 28 and name != "interfaces_257":
            frames = cf.logs.batches(path)  # what stands before the defect comes first
            assert len(next(frames)) == 1
            with pytest.raises(cf.LogFormatError):
                next(frames)


def recording(tmp_path: Path, suffix: str, count: int = 40) -> tuple[Path, bytes, list[int]]:
    """A recording, its bytes and where its blocks or lines end."""
    path = tmp_path / f"whole{suffix}"
    cf.write_log(path, all_kinds()[7 * np.arange(count) + 3])
    data = path.read_bytes()
    ends = [0]
    while ends[-1] < len(data):
        at = ends[-1]
        size = struct.unpack_from("<I", data, at + 4)[0] if suffix == ".pcapng" else data.index(b"\n", at) + 1 - at
        ends.append(at + size)
    return path, data, ends


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_cut_anywhere(suffix: str, tmp_path: Path) -> None:
    whole, data, ends = recording(tmp_path, suffix)
    expected = cf.read_log(whole)
    rng = random.Random(3)
    cuts = set(range(ends[-4], len(data) + 1)) | {rng.randrange(len(data)) for _ in range(300)} | {0, 1, 11, 12}
    path = tmp_path / f"cut{suffix}"
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        with cf.logs.open_log(path) as log:
            frames = log.read(fd=True)
            if suffix == ".pcapng":
                kinds = [struct.unpack_from("<I", data, at)[0] for at, end in itertools.pairwise(ends) if end <= cut]
                assert len(frames) == kinds.count(6)
                assert log.truncated == (cut not in ends)
            else:  # a line without its end that still parses cannot be told from a whole one
                lines = sum(end <= cut for end in ends[1:])
                assert len(frames) - lines in (0, 1)
                assert log.truncated == (cut not in ends and len(frames) == lines)
                frames = frames[:lines]
            assert np.array_equal(frames, expected[: len(frames)])
            truncated = log.truncated
        if truncated:
            with pytest.raises(cf.LogFormatError, match="cut short"):
                cf.read_log(path, strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_mutated_files_never_crash(suffix: str, tmp_path: Path) -> None:
    _, data, _ = recording(tmp_path, suffix)
    path = tmp_path / f"mutated{suffix}"
    rng = random.Random(4)
    outcomes = set()
    for _ in range(20_000 if LONG else 1_500):
        mutant = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            mutant[rng.randrange(len(mutant))] = rng.choice([0, 1, 0xFF, rng.randrange(256)])
        path.write_bytes(mutant[: rng.choice([len(mutant), rng.randrange(len(mutant))])])
        try:
            frames = cf.read_log(path)
            cf.logs.format_candump(frames)
            outcomes.add(bool(len(frames)))
        except cf.LogFormatError:
            outcomes.add("refused")
    assert "refused" in outcomes
    assert True in outcomes


@needs_tshark
def test_tshark_lists_the_same_frames(tmp_path: Path) -> None:
    frames = all_kinds()[3:]
    frames = frames[frames["flags"] & (FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0]
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames)
    fields = ["frame.time_epoch", "can.id", "can.flags.xtd", "can.flags.rtr", "can.len", "canfd.len", "data.data"]
    fields += ["frame.packet_flags_direction", "frame.interface_name"]
    known = set(subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True).stdout.split("\t"))
    fields = [name for name in fields if name in known]
    lines = tshark(path, "-T", "fields", *[a for f in fields for a in ("-e", f)]).splitlines()
    assert len(lines) == len(frames)
    for line, frame in zip(lines, frames, strict=True):
        row = dict(zip(fields, line.split("\t"), strict=True))
        flags, dlc = int(frame["flags"]), int(frame["dlc"])
        length = int(cf.payload_length(np.array([frame]))[0])
        assert (
            row["frame.time_epoch"] == f"{int(frame['timestamp_ns']) // 10**9}.{int(frame['timestamp_ns']) % 10**9:09d}"
        )
        assert int(row["can.id"], 0) == frame["arbitration_id"]
        assert (
            row["can.flags.xtd"] in ("1", "True")
            if flags & FrameFlag.EXTENDED_ID
            else row["can.flags.xtd"] in ("0", "False")
        )
        assert int(row["can.len"] or row.get("canfd.len") or 0) == (min(dlc, 8) if flags & FrameFlag.REMOTE else length)
        if length:
            assert row["data.data"] == bytes(frame["data"][:length]).hex()
        assert int(row["frame.packet_flags_direction"], 0) == (2 if flags & FrameFlag.TX else 1)
        assert row["frame.interface_name"] == f"can{frame['channel']}"
    gaps = int((frames["flags"] & FrameFlag.GAP != 0).sum())
    assert tshark(path, "-V").count("    Drop Count: 1\n") == gaps
