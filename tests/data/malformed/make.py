"""Writes the pcapng files beside it: one defect each, named after it. Run with tests/ on PYTHONPATH."""

from __future__ import annotations

import struct
from pathlib import Path

from oracle import pcapng_oracle as o

HERE = Path(__file__).parent
FRAME = o.can(0x123, 0, 8, bytes(range(8)))
GOOD = o.section() + o.interface(pairs=[(2, b"can0"), (9, b"\x09")]) + o.packet(0, 1, FRAME)


def patched(data: bytes, at: int, word: int) -> bytes:
    return data[:at] + struct.pack("<I", word) + data[at + 4 :]


PACKET = o.packet(0, 2, FRAME)
FILES = {
    "no_section.pcapng": o.section()[:8] + b"abcd" + o.section()[12:],
    "version_2.pcapng": o.section(version=2),
    "section_too_short.pcapng": o.block(0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D)),
    "block_length_0.pcapng": GOOD + patched(PACKET, 4, 0),
    "block_length_odd.pcapng": GOOD + patched(PACKET, 4, len(PACKET) + 1),
    "block_length_huge.pcapng": GOOD + patched(PACKET, 4, 0xFFFFFFFC),
    "lengths_differ.pcapng": GOOD + patched(PACKET, len(PACKET) - 4, 12),
    "interface_too_short.pcapng": GOOD + o.block(1, bytes(4)),
    "packet_too_short.pcapng": GOOD + o.block(6, bytes(16)),
    "packet_longer_than_block.pcapng": GOOD + patched(PACKET, 20, 1000),
    "packet_length_wraps.pcapng": GOOD + patched(PACKET, 20, 0xFFFFFFFF),
    "packet_of_unknown_interface.pcapng": GOOD + o.packet(1, 2, FRAME),
    "statistics_too_short.pcapng": GOOD + o.block(5, bytes(8)),
    "statistics_of_unknown_interface.pcapng": GOOD + o.block(5, struct.pack("<III", 7, 0, 0)),
    "option_past_packet.pcapng": GOOD
    + o.block(6, struct.pack("<IIIII", 0, 0, 2, 16, 16) + FRAME + struct.pack("<HH", 2, 64)),
    "option_past_interface.pcapng": GOOD + o.block(1, struct.pack("<HHIHH", 227, 0, 0, 2, 400)),
    "option_past_statistics.pcapng": GOOD + o.block(5, struct.pack("<IIIHH", 0, 0, 0, 4, 8)),
    "interfaces_257.pcapng": o.section() + o.interface() * 257,
    "pcap_version_3.pcap": struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 4, 0, 0, 65535, 227),
    "binary.log": b"\x00\x01\x02\x03" * 16,
    "identifier_of_4_digits.log": b"(1.0) can0 123#00\n(1.0) can0 1234#00\n(1.0) can0 123#00\n",
    "half_a_byte.log": b"(1.0) can0 123#00\n(1.0) can0 123#0\n",
}
if __name__ == "__main__":
    for name, data in FILES.items():
        (HERE / name).write_bytes(data)
