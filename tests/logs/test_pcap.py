"""Classic pcap and the link types: cooked captures in both orders, exported packets, damage, other buses."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracle import pcapng_oracle as oracle

import canal_fast as cf
from canal_fast.logs import open_log, read_log

ORDERS = {"<": "little", ">": "big"}


def can_packet(word: int, data: bytes, order: str = ">", fd: bool = False, length: int | None = None) -> bytes:
    head = struct.pack(order + "I", word) + bytes([len(data) if length is None else length, 4 if fd else 0, 0, 0])
    return head + data.ljust(64 if fd else 8, b"\0")


def cooked(packet: bytes, protocol: int = 0x0C, sent: bool = False, hardware: int = 280) -> bytes:
    return struct.pack(">HHH8sH", 4 if sent else 0, hardware, 0, bytes(8), protocol) + packet


def cooked_2(packet: bytes, number: int, protocol: int = 0x0C, sent: bool = False) -> bytes:
    return struct.pack(">HHIHBB8s", protocol, 0, number, 280, 4 if sent else 0, 0, bytes(8)) + packet


def exported(packet: bytes, name: bytes) -> bytes:
    name += bytes(-len(name) % 4)
    return struct.pack(">HH", 12, len(name)) + name + bytes(4) + packet


def pcap(link: int, packets: list[bytes], order: str = "<") -> bytes:
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link)
    for number, packet in enumerate(packets):
        out += struct.pack(order + "IIII", 1_700_000_000, number, len(packet), len(packet)) + packet
    return out


def pcapng(link: int, packets: list[bytes], order: str = "<") -> bytes:
    out = oracle.section(order) + oracle.interface(link, [(9, b"\x09")], order)
    return out + b"".join(oracle.packet(0, 100 * 10**9 + n, p, order=order) for n, p in enumerate(packets))


WORDS = [0x123, 0x80012345, 0x40000100, 0x20000004, 0x7FF]
WRAPPED = {
    113: lambda packet, fd: cooked(packet, 0x0D if fd else 0x0C, True),
    276: lambda packet, fd: cooked_2(packet, 3, 0x0D if fd else 0x0C, True),
    252: lambda packet, fd: exported(packet, b"canfd" if fd else b"can-hostendian"),
}


@pytest.mark.parametrize("make", [pcap, pcapng])
@pytest.mark.parametrize("link", [113, 276, 252])
@pytest.mark.parametrize("file_order", "<>")
@pytest.mark.parametrize("id_order", "<>")
def test_identifiers_in_either_order(make: object, link: int, file_order: str, id_order: str) -> None:
    wrap = WRAPPED[link]
    words = [0x98DA_F18A, *WORDS]  # the first fits both orders; a later one decides
    packets = [wrap(can_packet(word, bytes(8), id_order), False) for word in words]
    packets.append(wrap(can_packet(0x123, bytes(12), id_order, fd=True), True))
    data = make(link, packets, file_order)  # type: ignore[operator]
    with open_log(io.BytesIO(data)) as log:
        frames = log.read()
        assert frames["arbitration_id"].tolist() == [0x18DAF18A, 0x123, 0x12345, 0x100, 4, 0x7FF, 0x123]
        assert frames["flags"][-1] & 8
        assert (frames["flags"] & 0x40 != 0).all() == (link != 252)
        assert [row.id_order for row in log.interfaces] == [ORDERS[id_order]]
    with open_log(io.BytesIO(data), id_order="little" if id_order == ">" else "big") as log:
        log.read()
        assert log.skipped_by_kind  # asked for the wrong one: most are no identifiers


@pytest.mark.parametrize("file_order", "<>")
def test_where_both_orders_fit_the_files_own_counts(file_order: str) -> None:
    data = pcap(113, [cooked(can_packet(0x98DA_F18A, bytes(8), file_order))], file_order)
    with open_log(io.BytesIO(data)) as log:
        assert log.read()["arbitration_id"].tolist() == [0x18DAF18A]
        assert [row.id_order for row in log.interfaces] == [ORDERS[file_order]]


def test_cooked_interfaces_stay_apart() -> None:
    data = pcap(276, [cooked_2(can_packet(n, b"\1", "<"), 3 + n % 2) for n in range(6)])
    with open_log(io.BytesIO(data)) as log:
        assert log.read()["channel"].tolist() == [0, 1] * 3
        assert [row.frames for row in log.interfaces] == [3, 3]


def test_what_is_no_frame_is_counted() -> None:
    packets = [
        cooked(can_packet(1, b"", "<"), hardware=1, protocol=0x800),
        cooked(can_packet(1, b"", "<"), protocol=0x0E),
        cooked(can_packet(1, b"", "<"), protocol=0x99),
        cooked(can_packet(1, bytes(8), "<")[:9]),
        cooked(can_packet(0x123, b"\1", "<")),
        cooked(can_packet(0x800, b"\1", "<")),
        b"short",
    ]
    with open_log(io.BytesIO(pcap(113, packets))) as log:
        assert len(log.read()) == 1
        assert log.skipped_by_kind == {
            "packet of another bus": 1,
            "CAN XL frame": 1,
            "packet that is no CAN frame": 1,
            "packet cut short": 2,
            "frame with an identifier above its limit": 1,
        }
    for data in (pcap(1, packets), pcapng(1, packets)):
        with open_log(io.BytesIO(data)) as log:
            assert len(log.read()) == 0
            assert log.skipped_by_kind == {"packet of link type 1": 7}
            assert log.interfaces == []


def test_obsolete_and_simple_packet_blocks() -> None:
    packet = can_packet(0x123, b"\1")
    old = struct.pack("<HHIIII", 0, 1, 0, 77, 16, 16) + packet
    simple = struct.pack("<I", 16) + packet
    data = oracle.section() + oracle.interface(227, [(9, b"\x09")]) + oracle.block(2, old) + oracle.block(3, simple)
    with open_log(io.BytesIO(data)) as log:
        frames = log.read()
        assert frames["timestamp_ns"].tolist() == [77]
        assert frames["flags"].tolist() == [0x100]  # the block says that one was lost
        assert log.skipped_by_kind == {"packet without a time": 1}


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_damage_is_searched_over(make: object) -> None:
    data = make(227, [can_packet(n, bytes(8)) for n in range(40)])  # type: ignore[operator]
    good = read_log(io.BytesIO(data))
    rng = random.Random(7)
    for _ in range(300):
        bad = bytearray(data)
        at = rng.randrange(100, len(data) - 100)
        bad[at : at + 4] = rng.randbytes(4)
        with open_log(io.BytesIO(bad), errors="skip") as log:
            frames = log.read(fd=True)
            kept = np.isin(frames["timestamp_ns"], good["timestamp_ns"]).sum()
            assert kept >= 36
    bad = bytearray(data)
    bad[200:240] = b"\xff" * 40
    with pytest.raises(cf.LogFormatError, match="byte"):
        read_log(io.BytesIO(bad))


def test_bad_headers() -> None:
    with pytest.raises(cf.LogFormatError, match="byte 0: a pcap version other than 2"):
        read_log(io.BytesIO(struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 4, 0, 0, 65535, 227)))
    late = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 227)
    late += struct.pack("<IIII", 2**32 - 1, 999_999, 16, 16) + can_packet(1, b"\1")  # the year 2106
    assert read_log(io.BytesIO(late))["timestamp_ns"].tolist() == [(2**32 - 1) * 10**9 + 999_999_000]


@pytest.mark.skipif(not shutil.which("tshark"), reason="NOT RUN: tshark is not installed")
@pytest.mark.parametrize("link", [227, 113])
def test_tshark_reads_the_same(link: int, tmp_path: Path) -> None:
    words = [0x123, 0x80012345, 0x7FF]
    packets = [can_packet(w, bytes(range(8)), ">" if link == 227 else "<") for w in words]
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(link, packets if link == 227 else [cooked(p) for p in packets]))
    fields = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "can.id", "-e", "frame.time_epoch"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    frames = read_log(path)
    rows = [row.split("\t") for row in fields if row]
    assert [int(row[0], 0) & 0x1FFFFFFF for row in rows] == frames["arbitration_id"].tolist()
    assert [round(float(row[1]) * 10**9) // 100 for row in rows] == (frames["timestamp_ns"] // 100).tolist()
