"""Libraries that cannot be loaded: one sentence each that says why. The naive caller gets less, or a bus error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fake_table import LP64, Row, broken_libraries, build, elf, pe

import canal_fast as cf

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, str]]:
    return broken_libraries(tmp_path_factory.mktemp("broken"))


def test_each_fault_is_named(broken: list[tuple[str, Path, str]]) -> None:
    for name, path, words in broken:
        with pytest.raises(cf.DriverError) as caught:
            cf.Channel(path)
        assert words in str(caught.value), (name, str(caught.value))
        assert path.name in str(caught.value)


@pytest.mark.unsanitized
def test_a_library_cut_short_kills_a_naive_caller(broken: list[tuple[str, Path, str]]) -> None:
    half = next(path for name, path, _ in broken if name == "first half")
    command = [sys.executable, "-S", "-c", f"import ctypes; ctypes.CDLL({str(half)!r})"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode < 0, done.stderr


@pytest.mark.parametrize(
    "content", [elf(64, 62), elf(32, 62), pe(0xAA64), b"\x7fELF", b"MZ", b"\x7fELF" + b"\xff" * 999]
)
def test_any_prefix_is_survived(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    for size in [*range(1, 130), len(content)]:
        path.write_bytes(content[:size])
        with pytest.raises(cf.DriverError):
            cf.Channel(path)


def test_every_cut_of_a_real_library_is_survived(fakes: Path, tmp_path: Path) -> None:
    """Loaded in a process of its own: a cut that is not noticed is a bus error."""
    good = build(Row("by the book"), fakes)
    script = f"""
import pathlib, canal_fast as cf
good = pathlib.Path({str(good)!r}).read_bytes()
for size in range(1, len(good), 61):
    path = pathlib.Path(f"cut{{size}}.so").absolute()
    path.write_bytes(good[:size])
    try:
        cf.Channel(path).close()
    except cf.DriverError:
        pass
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
