"""The headers in a C program: two roundings whatever the compiler may fuse, and the tables' mirror in Python."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from canal_fast._gate import status_table
from canal_fast.signals import _signals

PROGRAM = """
#include <canal_fast/signals.h>
#include <stdio.h>
int main(void)
{
    static const double pairs[][2] = {{0.1, -40}, {0.01, 0.003}, {1.0 / 3, 1e-3}, {-0.7, 123.4}};
    static uint64_t words[4096];
    static double column[4096];
    size_t p, i;
    for (i = 0; i < 4096; i++)
        words[i] = i;
    for (p = 0; p < 4; p++) {
        cf_signal s = {0};
        s.scale = pairs[p][0], s.offset = pairs[p][1], s.length = 12, s.rule = CF_RULE_LINEAR, s.width = 8;
        cf_signal_convert(&s, words, 52, 4096, column);
        fwrite(column, 8, 4096, stdout);
        for (i = 0; i < 4096; i++)
            column[i] = cf_linear_value(&s, i);
        fwrite(column, 8, 4096, stdout);
    }
    return 0;
}
"""


def has_fma() -> bool:
    info = Path("/proc/cpuinfo")
    return platform.machine() == "aarch64" or (info.is_file() and " fma " in info.read_text())


@pytest.mark.unsanitized
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("standard", ["c11", "gnu11"])
def test_no_compiler_fuses_multiply_and_add(compiler: str, standard: str, include_dir: Path, tmp_path: Path) -> None:
    if shutil.which(compiler) is None or not has_fma():
        pytest.skip(f"NOT RUN: no {compiler}, or a machine without FMA")
    (tmp_path / "main.c").write_text(PROGRAM)
    machine = [] if platform.machine() == "aarch64" else ["-march=haswell"]
    flags = ["-O3", *machine, f"-std={standard}", f"-I{include_dir}"]
    subprocess.run([compiler, *flags, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    out = subprocess.run([str(tmp_path / "main")], capture_output=True, check=True).stdout
    got = np.frombuffer(out).reshape(4, 2, 4096)
    for (scale, offset), both in zip(((0.1, -40), (0.01, 0.003), (1 / 3, 1e-3), (-0.7, 123.4)), got, strict=True):
        expected = [raw * scale + offset for raw in range(4096)]
        assert both[0].tolist() == expected
        assert both[1].tolist() == expected


def test_mirrors() -> None:
    """Records without holes, and the lists that Python has by name."""
    sizes = {"SIGNAL": 56, "MESSAGE": 24, "SELECTOR": 16, "RANGE": 16}
    for name, size in sizes.items():
        dtype = getattr(_signals, f"{name}_DTYPE")
        assert dtype.itemsize == size
        assert sum(dtype[field].itemsize for field in dtype.names) == size
    assert _signals.KINDS == {"BIG": 1, "SIGNED": 2, "FLOAT": 4, "NINE": 8, "NULLS": 16, "REAL": 32}
    assert _signals.RULES == {"BITS": 0, "INTEGER": 1, "LINEAR": 2, "WIDE": 3, "HALF": 4}
    assert (_signals.MESSAGE_PLACES, _signals.SIGNAL_PLACES) == (6, 2)
    assert {120: "SIGNALS_PLAN", 121: "SIGNALS_RANGE"}.items() <= {n: name for n, name, _ in status_table()}.items()


@pytest.mark.parametrize(
    "changes",
    [
        {"length": 65},
        {"length": 0},
        {"shift": 60},
        {"first_byte": 1},
        {"width": 3},
        {"width": 1},
        {"rule": 5},
        {"rule": 2, "width": 4},
        {"kind": 4},
        {"kind": 8},
        {"selector": 0},
        {"selector": -2},
        {"message": 1},
    ],
    ids=str,
)
def test_tables_that_contradict_each_other(changes: dict[str, int]) -> None:
    messages = np.zeros(1, _signals.MESSAGE_DTYPE)
    messages["signals"], messages["row_bytes"] = 1, 8
    signals = np.zeros(1, _signals.SIGNAL_DTYPE)
    signals["length"], signals["width"], signals["selector"] = 12, 2, -1
    rest = np.zeros(0, _signals.SELECTOR_DTYPE), np.zeros(0, _signals.RANGE_DTYPE)
    _signals.Tables(messages, signals, *rest)
    for name, value in changes.items():
        signals[name] = value
    with pytest.raises(ValueError, match="tables of a decoding plan contradict each other: row 0"):
        _signals.Tables(messages, signals, *rest)
