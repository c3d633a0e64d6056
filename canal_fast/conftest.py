"""For the examples in docstrings: `python -m pytest --doctest-modules --pyargs canal_fast` runs them.

Not in the folder of the sources, which hide the installed package. Each example is run in a folder of its own that
holds a second of a bus, drive.blf, its database, car.dbc, a logic analyser's capture of some frames, capture.sr, and
a simulation's scenario.toml.
"""

from __future__ import annotations

import re
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf

_NEEDS = {  # what an example says -> the package that it needs
    "cantools": r"load_database|dbc=",
    "can": r"_messages\(|import can\b",
    "matplotlib": r"cf\.plot|plot=|draw_eye",
    "pandas": r"to_pandas",
    "polars": r"to_polars",
    "pyarrow": r"pyarrow|_parquet|from_arrow",
}
_DATABASE = """VERSION ""
BU_: ECU
BO_ 256 Engine: 8 ECU
 SG_ speed : 0|16@1+ (0.25,0) [0|8000] "rpm" ECU
 SG_ temperature : 16|8@1+ (1,-40) [-40|215] "degC" ECU
 SG_ gear : 24|4@1+ (1,0) [0|8] "" ECU
 SG_ counter : 28|4@1+ (1,0) [0|15] "" ECU
BO_ 512 Body: 2 ECU
 SG_ door_open : 0|1@1+ (1,0) [0|1] "" ECU
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_ "GenMsgCycleTime" BO_ 256 10;
BA_ "GenMsgCycleTime" BO_ 512 100;
VAL_ 256 gear 0 "neutral" 1 "first" 2 "second" ;
"""
_CAPTURE = """[device 1]
capturefile=logic-1
total probes=1
samplerate=12 MHz
probe1=CAN_RX
unitsize=1
"""
_SCENARIO = """title = "Two nodes"
duration = "2 ms"
[[node]]
name = "ecu"
[[node.message]]
id = 0x123
period = "500 us"
count = 3
[[node]]
name = "logger"
"""
_START_NS = 1_767_225_600_000_000_000  # 2026-01-01

collect_ignore = [] if find_spec("can") else ["python_can"]


def make_files(folder: Path) -> None:
    """Write drive.blf, 100 frames of Engine, 10 of Body; car.dbc; capture.sr, 20 at 500 kbit/s; scenario.toml."""
    (folder / "car.dbc").write_text(_DATABASE)
    (folder / "scenario.toml").write_text(_SCENARIO)
    number = np.arange(100)
    payload = np.zeros((100, 8), np.uint8)
    payload[:, :2] = (4 * (800 + 10 * number)).astype("<u2")[:, None].view(np.uint8)  # the speed rises
    payload[:, 2], payload[:, 3] = 130, number // 50 + 1 + (number % 16 << 4)
    engine = cf.make_frames(0x100, payload, timestamp_ns=_START_NS + number * 10_000_000)
    body = cf.make_frames(0x200, b"\0\0", timestamp_ns=_START_NS + 3_000_000 + np.arange(10) * np.int64(100_000_000))
    frames = cf.analysis.merge(engine, body)
    cf.write_log(folder / "drive.blf", frames)
    bits, _ = cf.wire.encode_stream(frames[:20], 50)
    with zipfile.ZipFile(folder / "capture.sr", "w") as archive:
        archive.writestr("version", "2")
        archive.writestr("metadata", _CAPTURE)
        archive.writestr("logic-1-1", np.repeat(bits, 24).tobytes())


def pytest_configure(config: pytest.Config) -> None:
    for flag in ("ELLIPSIS", "NORMALIZE_WHITESPACE"):
        config.addinivalue_line("doctest_optionflags", flag)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if (examples := getattr(item, "dtest", None)) is not None:
            said = "".join(example.source for example in examples.examples)
            for package, words in _NEEDS.items():
                if re.search(words, said) and not find_spec(package):
                    item.add_marker(pytest.mark.skip(reason=f"NOT RUN: needs {package}"))


@pytest.fixture(scope="session")
def _files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("examples")
    make_files(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def _examples(
    doctest_namespace: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _files: dict[str, bytes]
) -> None:
    for name, content in _files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    doctest_namespace.update(cf=cf, np=np)
