"""Every set of units that this machine has gives what portable code gives; a kernel with a wrong constant is found."""

from __future__ import annotations

import itertools
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from wire_cases import LONG, random_frames, same_on_wire

import canal_fast as cf
from canal_fast import checksum, processor, wire

HERE = processor.units()
SETS = [
    "".join(["portable", *(f"+{unit}" for unit in chosen)])
    for size in range(len(HERE) + 1)
    for chosen in itertools.combinations(HERE, size)
]
X86 = platform.machine().lower() in ("x86_64", "amd64")
CROSS, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    processor.select(os.environ.get("CANAL_FAST_SIMD") or processor.available()[-1])


def mixed(count: int, seed: int) -> cf.FrameArray:
    """Frames of every kind, between runs of base data frames of 8 bytes."""
    frames = random_frames(count, seed, fd=False)
    rng = np.random.default_rng(seed)
    place = 0
    while place < count:
        run = frames[place : place + int(rng.integers(1, 600))]
        run["arbitration_id"] &= 0x7FF
        run["flags"] = 0
        run["dlc"] = 8
        run["data"] = rng.integers(0, 256, (len(run), 8), np.uint8)
        place += len(run) + int(rng.integers(0, 600))
    return frames


def results(frames: cf.FrameArray, packed: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    decoded = wire.decode(*packed, packed=True)
    assert same_on_wire(decoded.frames, frames)
    masks = cf.analysis.MailboxFilters((cf.analysis.Mailbox(0x120, 0x7F0), cf.analysis.Mailbox(0x555, 0x7FF)))
    return [
        wire.frame_length_bits(frames),
        checksum.crc15_frames(frames),
        decoded.status,
        cf.analysis.accepts(frames, masks),
    ]


def test_units_of_this_machine() -> None:
    assert set(HERE) <= set(processor.UNITS)
    assert processor.available()[0] == "portable"
    assert set(processor.available()[1:]) <= set(HERE)
    assert len(SETS) == 1 << len(HERE)


@pytest.mark.parametrize("unit", processor.UNITS)
def test_each_unit_alone(unit: str) -> None:
    if unit not in HERE:
        pytest.skip(f"NOT RUN: this machine has no {unit}")
    frames = mixed(2000, 5)
    packed = wire.encode(frames, packed=True)
    processor.select("portable")
    expected = results(frames, packed)
    processor.select(f"portable+{unit}")
    for got, wanted in zip(results(frames, packed), expected, strict=True):
        assert np.array_equal(got, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", SETS)
def test_every_set_on_a_million_frames(chosen: str) -> None:
    frames = mixed(1_000_000, 17)
    packed = wire.encode(frames, packed=True)
    processor.select("portable")
    expected = results(frames, packed)
    processor.select(chosen)
    for got, wanted in zip(results(frames, packed), expected, strict=True):
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("chosen", SETS)
def test_starts_and_tails(chosen: str) -> None:
    frames = mixed(700, 3)
    processor.select("portable")
    lengths, crcs = wire.frame_length_bits(frames), checksum.crc15_frames(frames)
    processor.select(chosen)
    for start in range(0, 8, 1 if LONG else 3):
        for tail in range(70):
            part = slice(start, start + (512, 256, 0)[tail % 3] + tail)
            assert np.array_equal(checksum.crc15_frames(frames[part]), crcs[part])
            assert np.array_equal(wire.frame_length_bits(frames[part]), lengths[part])


# --- The environment's words


def test_words() -> None:
    level = processor.available()[-1]
    told: list[int] = []
    processor.serve(told.append)
    try:
        for unit in HERE:
            processor.select(f"{level}-{unit}")
            without = told[-1]
            processor.select(f"portable+{unit}")
            assert told[-1] == processor.UNITS[unit]
            processor.select(level)
            assert without == told[-1] & ~processor.UNITS[unit]
        processor.select("portable-pclmul-neon")  # what is not there may be left out
        assert told[-1] == 0
    finally:
        processor._kernels.remove(told.append)


@pytest.mark.parametrize(
    "name", ["", "mmx", "portable+mmx", "portable-mmx", "+pext", "portable+", "avx2 -pext", "AVX2"]
)
def test_words_that_are_none(name: str) -> None:
    with pytest.raises(cf.CanalFastError) as caught:
        processor.select(name)
    assert str(caught.value).startswith(f"CANAL_FAST_SIMD = {name!r}, this machine has portable")
    for known in (*processor.available(), *HERE):
        assert known in str(caught.value)


def test_a_unit_that_this_machine_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "cpu_units", lambda: processor.UNITS["avx2"] | processor.UNITS["pclmul"])
    wanted = "this machine has portable, avx2, and +UNIT or -UNIT after it of pclmul, avx2"
    for name in ("avx512", "avx2+vpclmul", "portable+neon", "neon"):
        with pytest.raises(cf.CanalFastError) as caught:
            processor.select(name)
        assert str(caught.value) == f"CANAL_FAST_SIMD = {name!r}, {wanted}"
    monkeypatch.setattr(processor, "cpu_units", lambda: 0)
    with pytest.raises(cf.CanalFastError, match=r"^CANAL_FAST_SIMD = 'avx2', this machine has portable$"):
        processor.select("avx2")


# --- C: beside slow and obvious code, and with wrong constants


def compiled(source: str, include: Path, tree: Path, target: Path, compiler: str = "gcc") -> Path:
    """A program of tests/c with the headers of `include`."""
    if shutil.which(compiler) is None or not X86:
        pytest.skip("NOT RUN: no gcc for x86-64")
    flags = ["-O1", "-std=c11", "-static"] if compiler == CROSS else ["-O1", "-std=c11"]
    command = [compiler, *flags, f"-I{include}", str(tree / "tests" / "c" / source), "-o", str(target)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return target


def bits(names: str) -> int:
    return sum(processor.UNITS[name] for name in names.split())


@pytest.mark.unsanitized
def test_pext_is_asked_for_where_it_is_fast(tree: Path, include_dir: Path, tmp_path: Path) -> None:
    """Signatures of: Zen 1, Zen 2, Zen 3, Zen 5, Hygon Dhyana, Excavator, Haswell, Alder Lake."""
    source = tmp_path / "pext.c"
    rows = [
        ("Auth", 0x00800F11, 0), ("Auth", 0x00870F10, 0), ("Auth", 0x00A20F12, 1), ("Auth", 0x00B00F21, 1),
        ("Hygo", 0x00900F02, 0), ("Auth", 0x00660F01, 0), ("Genu", 0x000306C3, 1), ("Genu", 0x00090672, 1),
    ]  # fmt: skip
    calls = "".join(
        f'printf("%d\\n", cf_pext_is_fast({int.from_bytes(v.encode(), "little"):#x}, {s:#x}));' for v, s, _ in rows
    )
    source.write_text(f"#include <canal_fast/cpu.h>\n#include <stdio.h>\nint main(void) {{ {calls} return 0; }}\n")
    program = compiled(str(source), include_dir, tree, tmp_path / "pext")
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert [int(line) for line in said.split()] == [fast for *_, fast in rows]


VARIANTS = ("crc", "length", "decode", "bulk", "accepts")
# header, what stands there, what is put there, the units whose kernel that is, the kernel that must differ
MUTATIONS = [
    ("wire/crc_table.h", "{CF_CRC_2048(0x145B, 0x0B1B,", "{CF_CRC_2048(0x145B, 0x0B1A,", "", "crc"),
    ("wire/crc_table.h", "0x7671, 0x297B, 0x52F6)}", "0x7671, 0x297B, 0x52F7)}", "", "crc"),
    ("wire/crc_planes.h", "_mm256_set1_epi8(0x14)", "_mm256_set1_epi8(0x15)", "avx2", "crc"),
    ("wire/crc_table.h", "0x20F3, 0x41E6, 0x4655,", "0x20F3, 0x41E6, 0x4654,", "avx2", "crc"),
    ("wire/crc_table.h", "0x20F3, 0x41E6, 0x4655,", "0x20F3, 0x41E6, 0x4654,", "avx2 gfni", "crc"),
    ("wire/crc_table.h", "0x20F3, 0x41E6, 0x4655,", "0x20F3, 0x41E6, 0x4654,", "avx512 gfni", "crc"),
    ("wire/crc_affine_kernel.h", "0x1414141414141414,", "0x1414141414141415,", "avx2 gfni", "crc"),
    ("wire/crc_affine_kernel.h", "0x1414141414141414,", "0x1414141414141415,", "avx512 gfni", "crc"),
    ("wire/crc_affine_kernel.h", "0x0F070E060D050C04", "0x0F070E060D050C05", "avx2 gfni", "crc"),
    ("wire/crc_affine_kernel.h", "done - shift", "done + 1 - shift", "avx512 gfni", "crc"),
    ("wire/crc_affine.h", "(a, i, at) |", "(a, i, at + 1) |", "avx2 gfni", "crc"),
    ("wire/crc_affine.h", "(c, begin, a)", "(c, begin, b)", "avx512 gfni", "crc"),
    ("wire/crc_affine.h", "(c, a, 0x30)", "(c, a, 0x03)", "avx2 gfni", "crc"),
    ("wire/crc_affine.h", "(v, v, 6)", "(v, v, 4)", "avx512 gfni", "crc"),
    ("wire/crc_affine.h", "(v, 0x4E)", "(v, 0xE4)", "avx2 gfni", "crc"),
    ("wire/crc_affine.h", "24 + (i), 0,", "25 + (i), 0,", "avx512 gfni", "crc"),
    ("wire/frame_simd.h", "#define CF_CRC15_X64 0x297B", "#define CF_CRC15_X64 0x297A", "avx2 pclmul", "crc"),
    ("wire/frame_simd.h", "#define CF_CRC15_X64 0x297B", "#define CF_CRC15_X64 0x297A", "pclmul pext", "decode"),
    ("wire/frame_simd.h", "= _mm512_set1_epi64(0xC599);", "= _mm512_set1_epi64(0xC598);", "avx512 vpclmul", "crc"),
    ("wire/crc_fold.h", "X1088 0x6BF9", "X1088 0x6BF8", "pclmul", "bulk"),
    ("wire/crc_fold.h", "X192 0x52F6", "X192 0x52F7", "pclmul", "bulk"),
    ("wire/crc_fold.h", "X2112 0x56BC", "X2112 0x56BD", "pclmul avx2 vpclmul", "bulk"),
    ("wire/crc_fold.h", "X320 0x6075", "X320 0x6074", "pclmul avx2 vpclmul", "bulk"),
    ("wire/crc_fold.h", "X576 0x0AE6", "X576 0x0AE7", "avx512 vpclmul", "bulk"),
    ("wire/crc_fold.h", "X2048 0x4EAB", "X2048 0x4EAA", "avx512 vpclmul", "bulk"),
    ("wire/length_sliced_kernel.h", "X(0x6A59)", "X(0x6A58)", "", "length"),
    ("wire/length_sliced_kernel.h", "X(0x6A59)", "X(0x6A58)", "avx2", "length"),
    ("wire/length_sliced.h", "size1 = _mm256_set1_epi64x(54)", "size1 = _mm256_set1_epi64x(55)", "avx2", "length"),
    ("wire/length_sliced.h", "_mm512_set1_epi64(54)", "_mm512_set1_epi64(55)", "avx512", "length"),
    ("wire/decode_fast.h", "top >> 32 & 0x3FFFF", "top >> 32 & 0x1FFFF", "pclmul pext", "decode"),
    ("wire/decode_fast.h", "q.plain0 = cf_squeeze(q.word0, q.mark0)", "q.plain0 = q.word0", "pclmul pext", "decode"),
    ("wire/decode_fast.h", "<< (q.stuff1 & 63)", "<< (q.stuff1 & 62)", "pclmul pext", "decode"),
    ("analysis/acceptance.h", "first[16] = {2, 8,", "first[16] = {2, 14,", "avx512", "accepts"),
    ("wire/crc_neon.h", "vdupq_n_u8(0x14)", "vdupq_n_u8(0x15)", "neon", "crc"),
    ("wire/crc_neon.h", "i < 5; i++", "i < 4; i++", "neon", "crc"),
    ("wire/crc_table.h", "0x20F3, 0x41E6, 0x4655,", "0x20F3, 0x41E6, 0x4654,", "neon", "crc"),
    ("wire/frame_neon.h", "3 << 18", "1 << 18", "neon", "crc"),
    ("wire/frame_neon.h", "3 << 18", "1 << 18", "neon", "length"),
    ("wire/frame_neon.h", "(uint64_t)0xF << 60", "(uint64_t)0xE << 60", "neon", "length"),
    ("wire/frame_neon.h", "CF_MAX_EXTENDED_ID & ~", "0x3FFFFFFF & ~", "neon", "crc"),
    ("wire/length_sliced.h", "vdupq_n_u64(20)", "vdupq_n_u64(21)", "neon", "length"),
    ("wire/length_sliced.h", "vsriq_n_u8(b8, a8, 4)", "vsriq_n_u8(b8, a8, 3)", "neon", "length"),
    ("wire/length_sliced_kernel.h", "X(0x6A59)", "X(0x6A58)", "neon", "length"),
    ("wire/crc_fold.h", "X1088 0x6BF9", "X1088 0x6BF8", "pmull", "bulk"),
    ("wire/crc_fold.h", "X192 0x52F6", "X192 0x52F7", "pmull", "bulk"),
]  # fmt: skip


def tools(units: str) -> tuple[str, list[str]]:
    """The compiler for a machine that has these units, and what runs its programs here."""
    needed = set(units.split())
    if needed <= set(HERE):
        return "gcc", []
    if needed <= {"neon", "pmull"} and shutil.which(CROSS) and shutil.which(EMULATOR):
        return CROSS, [EMULATOR]
    pytest.skip(f"NOT RUN: this machine has not all of {units}")


def differences(program: Path, units: str, runner: list[str], frames: int = 3000) -> dict[str, int]:
    command = [*runner, str(program), str(frames), str(bits(units))]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout.split()
    return dict(zip(VARIANTS, map(int, said[1:]), strict=True))


@pytest.mark.slow
@pytest.mark.unsanitized
def test_every_set_beside_obvious_code(tree: Path, include_dir: Path, tmp_path: Path) -> None:
    program = compiled("unit_variants.c", include_dir, tree, tmp_path / "variants")
    masks = [str(sum(chosen)) for n in range(6) for chosen in itertools.combinations((1, 2, 4, 8, 16), n)]
    run = subprocess.run([str(program), "3000", *masks], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout
    assert len(run.stdout.splitlines()) == 32


@pytest.mark.slow
@pytest.mark.unsanitized
@pytest.mark.parametrize(("header", "right", "wrong", "units", "kernel"), MUTATIONS)
def test_a_wrong_constant_is_found(
    header: str, right: str, wrong: str, units: str, kernel: str, tree: Path, include_dir: Path, tmp_path: Path
) -> None:
    compiler, runner = tools(units)
    copy = tmp_path / "include"
    shutil.copytree(include_dir, copy)
    path = copy / "canal_fast" / header
    text = path.read_text()
    assert len(re.findall(re.escape(right), text)) == 1
    path.write_text(text.replace(right, wrong))
    program = compiled("unit_variants.c", copy, tree, tmp_path / "variants", compiler)
    assert differences(program, units, runner)[kernel] > 0
