"""Properties: round trips, and functions over single values, with hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import wire_oracle as oracle
from wire_cases import BRS, ESI, EXTENDED, FD, LONG, REMOTE, same_on_wire

import canal_fast as cf
from canal_fast import WireError, checksum, wire

EXAMPLES = settings(max_examples=20_000 if LONG else 300, deadline=None, derandomize=not LONG)
CRCS = [
    (checksum.crc15, checksum.crc15_bits, oracle.CRC15[:2]),
    (checksum.crc17, checksum.crc17_bits, oracle.CRC17[:2]),
    (checksum.crc21, checksum.crc21_bits, oracle.CRC21[:2]),
]


@st.composite
def records(draw: st.DrawFn) -> cf.FrameArray:
    frames = np.zeros(draw(st.integers(1, 5)), cf.FD_FRAME_DTYPE)
    for row in frames:
        flags = draw(st.sampled_from([0, EXTENDED])) | draw(
            st.sampled_from([0, REMOTE, FD, FD | BRS, FD | ESI, FD | BRS | ESI])
        )
        row["arbitration_id"] = draw(st.integers(0, 0x1FFFFFFF if flags & EXTENDED else 0x7FF))
        row["flags"], row["dlc"] = flags, draw(st.integers(0, 15))
        size = 0 if flags & REMOTE else oracle.FD_LENGTHS[row["dlc"]] if flags & FD else min(int(row["dlc"]), 8)
        row["data"][:size] = list(draw(st.binary(min_size=size, max_size=size)))
    return frames


@EXAMPLES
@given(records(), st.booleans())
def test_decode_undoes_encode(frames: cf.FrameArray, packed: bool) -> None:
    result = wire.decode(*wire.encode(frames, packed=packed), packed=packed, strict=True)
    assert same_on_wire(result.frames, frames)
    assert (result.frames.dtype == cf.FD_FRAME_DTYPE) == bool((frames["flags"] & FD).any())


@EXAMPLES
@given(st.lists(st.integers(0, 1), max_size=80))
def test_stuff_and_destuff(bits: list[int]) -> None:
    array = np.array(bits, np.uint8)
    stuffed = wire.stuff(array)
    assert stuffed.tolist() == oracle.stuff(bits)
    assert wire.destuff(stuffed).tolist() == bits


@EXAMPLES
@given(st.lists(st.sampled_from([0, 1]), max_size=60))
def test_destuff_finds_the_sixth(bits: list[int]) -> None:
    levels = "".join(map(str, bits))
    sixth = min((i + 5 for i in (levels.find("000000"), levels.find("111111")) if i >= 0), default=None)
    if sixth is None:
        wire.destuff(np.array(bits, np.uint8))
    else:
        with pytest.raises(WireError) as caught:
            wire.destuff(np.array(bits, np.uint8))
        assert caught.value.bit_index == sixth


@pytest.mark.parametrize(("over_bytes", "over_bits", "kind"), CRCS)
def test_crcs(over_bytes: object, over_bits: object, kind: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    width = kind[0]
    for size in [*range(70), 4095, 4096, 4097, 10_001]:
        data = rng.bytes(size)
        init = int(rng.integers(0, 1 << width))
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        expected = oracle.crc(bits.tolist(), *kind, init) if size < 5000 else over_bits(bits, init)
        assert over_bytes(data, init) == over_bytes(bytearray(data), init=init) == expected
        cut = bits[: int(rng.integers(0, len(bits) + 1))]
        if size < 70:
            assert over_bits(cut, init) == oracle.crc(cut.tolist(), *kind, init)


def test_catalogue_check_values() -> None:
    assert checksum.crc15(b"123456789") == 0x059E
    assert checksum.crc17(b"123456789") == 0x04F03
    assert checksum.crc21(b"123456789") == 0x0ED841


def test_crc_refuses() -> None:
    with pytest.raises(ValueError, match=r"init = 0x8000, allowed 0\.\.0x7fff"):
        checksum.crc15(b"", 0x8000)
    with pytest.raises(ValueError, match="init = -0x1"):
        checksum.crc21(b"", -1)
    with pytest.raises(TypeError):
        checksum.crc15("text")
    with pytest.raises(BufferError):
        checksum.crc15(memoryview(bytes(10))[::2])
    with pytest.raises(WireError, match=r"bits\[66\] = 3, allowed 0 or 1") as caught:
        checksum.crc15_bits(np.array([1] * 66 + [3, 7], np.uint8))
    assert caught.value.bit_index == 66
    fd = cf.make_frames([1, 2], [b"", bytes(20)], fd=True)
    with pytest.raises(
        cf.FrameError, match=r"frames\[1\] has no CRC-17, which is for FD frames of up to 16"
    ) as refused:
        checksum.crc17_frames(fd)
    assert refused.value.index == 1
    with pytest.raises(cf.FrameError, match=r"frames\[0\] has no CRC-15, which is for classical"):
        checksum.crc15_frames(fd)


def test_table_entries() -> None:
    """The automaton's table, entry by entry, from the rule of five equal bits."""
    import re
    from pathlib import Path

    text = (Path(cf.get_include()) / "canal_fast" / "wire" / "stuff_table.h").read_text()
    entries = [int(word, 16) for word in re.findall(r"0x[0-9A-F]{4}\b", text.split("table[256 * 8]")[1])]
    assert len(entries) == 256 * 8
    for index, entry in enumerate(entries):
        byte, state = divmod(index, 8)
        level, run = state >> 2, (state & 3) + 1
        before = [1 - level] + [level] * run
        after = oracle.stuff(before + oracle.number_to_bits(byte, 8))
        sent = after[len(before) :]
        last_run = next(n for n in range(1, 6) if after[-n - 1] != after[-1])
        assert entry & 7 == after[-1] << 2 | last_run - 1
        assert entry >> 3 & 3 == len(sent) - 8
        assert entry >> 5 == oracle.bits_to_number(sent)
