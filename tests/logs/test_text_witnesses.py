"""Other readers of the text formats as witnesses, with what is known to be wrong in them written down.

python-can 4.6.1, ASC:
  - `timestamps relative`: does not add the differences up
  - a dlc of 9 to F in a classical line: says 12 to 64
  - a CANFD line without the EDL flag: is FD to it
  - a file without header: loses its first line
  - remote frames: some versions read the dlc, some do not; a line with `Length =` behind `r` fails
  - overload frames: are unknown to it; a start is taken for local time
python-can 4.6.1, TRC:
  - 1.0 with an ERROR line: fails; 1.2: fails
  - FE is FD with BRS and ESI to it, BI is FD with ESI
  - dlc of FD frames by their length in bytes, and 15 stays 15; the bus is not counted from 0; error lines are left out
python-can 4.6.1, CSV: an FD frame is none to it, its dlc is its length; times are doubles
asc2log (can-utils 2020.11): drops dlc above 8 and nanoseconds; needs `base` and `date` lines; no FD below 2021
"""

from __future__ import annotations

import io
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import text_logs

import canal_fast as cf


def python_can(path: Path, **options: Any) -> list[Any]:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    with can.LogReader(path, **options) as reader:
        return list(reader)


def check(frames: cf.FrameArray, messages: list[Any], *, epoch: bool = False, channels: int | None = None) -> None:
    assert len(frames) == len(messages) > 0
    lengths = cf.payload_length(frames)
    for frame, length, message in zip(frames, lengths, messages, strict=True):
        assert frame["arbitration_id"] == message.arbitration_id
        flags = int(frame["flags"])
        assert bool(flags & 1) == message.is_extended_id
        assert bool(flags & 2) == message.is_remote_frame
        assert bool(flags & 0x40) == (not message.is_rx)
        assert frame["data"][:length].tobytes() == bytes(message.data)
        if channels is not None:
            assert frame["channel"] + channels == message.channel
        if epoch:
            assert abs(int(frame["timestamp_ns"]) / 1e9 - message.timestamp) < 1e-5


def plain(rng: random.Random, kind: str, count: int) -> str:
    """Classical data frames with dlc up to 8, which all of them read."""
    lines = []
    for i in range(count):
        extended = rng.random() < 0.5
        data = rng.randbytes(rng.randrange(9))
        value = rng.getrandbits(29 if extended else 11)
        way = rng.choice(["Rx", "Tx"])
        if kind == "asc":
            name = f"{value:X}" + "x" * extended
            lines.append(f"{i / 1000:.6f} {1 + i % 3} {name:15} {way} d {len(data)}{text_logs.spaced(data)}")
        else:
            name = f"{value:08X}" if extended else f"{value:04X}"
            head = (
                f"{i + 1:7} {i / 10:.3f} DT {1 + i % 3} {name} {way} -"
                if kind == "2.1"
                else f"{i + 1}) {i:.1f} {way} {name}"
            )
            lines.append(f"{head} {len(data)}{text_logs.spaced(data)}")
    return "\n".join(lines) + "\n"


def test_python_can_reads_plain_asc_alike(tmp_path: Path) -> None:
    path = tmp_path / "x.asc"
    head = "date Sat Sep 30 10:06:13.191 PM 2017\nbase hex  timestamps absolute\nno internal events logged\n"
    path.write_text(head + plain(random.Random(1), "asc", 500))
    check(cf.read_log(path), python_can(path, relative_timestamp=False), channels=0)


@pytest.mark.parametrize("version", ["1.1", "2.1"])
def test_python_can_reads_plain_trc_alike(tmp_path: Path, version: str) -> None:
    path = tmp_path / "x.trc"
    columns = ";$COLUMNS=N,O,T,B,I,d,R,L,D\n" if version == "2.1" else ""
    path.write_text(
        f";$FILEVERSION={version}\n;$STARTTIME=44548.6028595139\n{columns}" + plain(random.Random(2), version, 500)
    )
    check(cf.read_log(path), python_can(path), epoch=True)


def test_python_can_reads_its_csv_alike(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text_logs.csv(random.Random(3), 500))
    frames, messages = cf.read_log(path), python_can(path)
    keep = [i for i, message in enumerate(messages) if not message.is_error_frame]
    assert np.array_equal(np.flatnonzero(frames["flags"] & 0x80 == 0), keep)
    check(frames[keep], [messages[i] for i in keep], epoch=True)


def test_asc2log_reads_plain_asc_alike(tmp_path: Path) -> None:
    program = shutil.which("asc2log")
    if program is None:
        pytest.skip("NOT RUN: can-utils are not installed")
    path = tmp_path / "x.asc"
    head = "date Sat Sep 30 10:06:13.191 PM 2017\nbase hex  timestamps absolute\nno internal events logged\n"
    path.write_text(head + plain(random.Random(4), "asc", 500))
    shown = subprocess.run([program, "-I", str(path)], capture_output=True, check=True, timeout=60).stdout
    theirs, ours = cf.read_log(io.BytesIO(shown)), cf.read_log(path)
    for name in ("arbitration_id", "dlc", "data"):
        assert np.array_equal(theirs[name], ours[name]), name
    assert np.array_equal(theirs["flags"] & 1, ours["flags"] & 1)
    assert np.array_equal(np.diff(theirs["timestamp_ns"]), np.diff(ours["timestamp_ns"]))


KNOWN = [  # sample, python-can's options, what is wrong there
    (
        "asc_relative.asc",
        {"relative_timestamp": True},
        lambda m: abs(m[1].timestamp - 1.75) > 1e-9,
    ),
    ("asc_no_header.asc", {}, lambda m: len(m) != 2),
    ("asc_absolute_hex.asc", {}, lambda m: m[1].dlc == 32),
    ("trc_2_1.trc", {}, lambda m: m[2].bitrate_switch),
]


@pytest.mark.parametrize(("sample", "options", "wrong"), KNOWN)
def test_known_errors_of_python_can(data_dir: Path, sample: str, options: dict[str, Any], wrong: Any) -> None:
    """When one of these is mended, the list above wants a look."""
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    if can.__version__ != "4.6.1":
        pytest.skip(f"NOT RUN: the list is of python-can 4.6.1, this is {can.__version__}")
    assert wrong(python_can(data_dir / "recordings" / sample, **options))


@pytest.mark.parametrize("sample", ["trc_1_0.trc", "trc_1_2.trc"])
def test_python_can_cannot_read(data_dir: Path, sample: str) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    if can.__version__ != "4.6.1":
        pytest.skip(f"NOT RUN: the list is of python-can 4.6.1, this is {can.__version__}")
    with pytest.raises((ValueError, NotImplementedError, IndexError)):
        python_can(data_dir / "recordings" / sample)
