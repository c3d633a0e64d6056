"""Windows' own: loading DLLs of every calling convention and name, what is refused and why, adapters, python-can.

`tests/wine/run` builds the DLLs (tests/wine/fakes.py) and runs this in 64-bit and in 32-bit Python beneath Wine.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fake_table import expected

import canal_fast as cf
from canal_fast.doctor.diagnosis import diagnose
from canal_fast.drivers import _devices, dll_imports

WIDE = sys.maxsize > 2**32
FOLDER = os.environ.get("CANAL_FAST_FAKES")
FAKES = Path(FOLDER or ".") / ("64" if WIDE else "32")
OTHER = Path(FOLDER or ".") / ("32" if WIDE else "64")
pytestmark = pytest.mark.skipif(
    FOLDER is None or sys.platform != "win32", reason="NOT RUN: needs Windows and fake DLLs (tests/wine/run)"
)
DECORATED = ["at"] if WIDE else ["at", "underscore"]
ALL_AT_ONCE = "frames={};bursts=1"


def fake(variant: str = "plain") -> Path:
    return FAKES / variant / "usb2can.dll"


def drain(channel: cf.Channel, count: int) -> cf.FrameArray:
    parts: list[cf.FrameArray] = []
    while sum(map(len, parts)) < count:
        parts.append(channel.receive(65_536, timeout=20))
        assert len(parts[-1]), "nothing came in 20 s"
    return np.concatenate(parts)


def same(frames: cf.FrameArray, count: int) -> bool:
    wanted = expected(count)
    return all(np.array_equal(frames[name], wanted[name]) for name in ("arbitration_id", "flags", "dlc", "data"))


@pytest.mark.filterwarnings("ignore:.*counter was reset")  # it goes by seconds within milliseconds
@pytest.mark.parametrize("variant", ["plain", "cdecl", *([] if WIDE else DECORATED)])
def test_200_000_frames_in_order(variant: str) -> None:
    """Each carries its number; stdcall, undecorated, 28 bytes is what usb2can.dll is."""
    with cf.Channel(fake(variant), ALL_AT_ONCE.format(200_000)) as channel:
        frames = drain(channel, 200_000)
        assert same(frames, 200_000)
        assert channel.driver.layout == 28
        assert channel.driver.profile == "usb2can"
        ledger = channel.ledger()
        ledger.verify()
        assert (ledger.received, ledger.delivered, ledger.lost) == (200_000, 200_000, 0)


@pytest.mark.parametrize("variant", ["plain", "cdecl", *([] if WIDE else DECORATED)])
def test_sending_and_asking(variant: str) -> None:
    with cf.Channel(fake(variant), "frames=0") as channel:
        assert channel.send(expected(60), timeout=5.0) == 60
        count = ctypes.CDLL(str(fake(variant))).FakeCount
        deadline = time.monotonic() + 20
        while count(4) < 60 and time.monotonic() < deadline:
            channel.data_available()
            time.sleep(0.01)
        assert (count(4), count(5)) == (60, 0)  # on the bus; wrong
        assert channel.status().state == "error_active"
        assert channel.statistics()["tx_frames"] == 60
        assert channel.driver.version == 0x10101


@pytest.mark.skipif(WIDE, reason="64-bit Windows has one convention")
@pytest.mark.parametrize(
    ("variant", "good", "wrong", "why"),
    [
        ("plain", "stdcall", "cdecl", "CanalGetLevel showed"),
        ("at", "stdcall", "cdecl", "decorated names"),
        ("underscore", "stdcall", "cdecl", "decorated names"),
        ("cdecl", "cdecl", "stdcall", "CanalGetLevel showed"),
    ],
)
def test_the_wrong_convention_is_refused(variant: str, good: str, wrong: str, why: str) -> None:
    for _ in range(100):  # a stack that shrinks or grows at each would not last
        with pytest.raises(cf.DriverError, match=f"is {good}, .*{why}.*, not {wrong}: a call would corrupt the stack"):
            cf.Channel(fake(variant), ALL_AT_ONCE.format(10), convention=wrong)
    for convention in ("auto", good):
        with cf.Channel(fake(variant), ALL_AT_ONCE.format(1000), convention=convention) as channel:
            assert same(drain(channel, 1000), 1000)


def test_an_unknown_convention_is_as_told() -> None:
    """Four functions are too few to find out."""
    with cf.Channel(fake("cdecl_four"), ALL_AT_ONCE.format(1000), convention="cdecl") as channel:
        assert same(drain(channel, 1000), 1000)


def test_generation_1() -> None:
    with cf.Channel(fake("generation_1"), ALL_AT_ONCE.format(1000)) as channel:
        assert same(drain(channel, 1000), 1000)


def test_the_other_bitness_is_named() -> None:
    here, there = ("64", "32") if WIDE else ("32", "64")
    with pytest.raises(cf.DriverError, match=f"is a {there}-bit x.. Windows DLL; this Python is {here}-bit"):
        cf.Channel(OTHER / "plain" / "usb2can.dll", bridge="never")


def test_a_missing_dependency_is_named() -> None:
    with pytest.raises(cf.DriverError, match=r"error 126 .*needs helper\.dll, which is neither beside it nor in"):
        cf.Channel(fake("needs_missing"))


def test_a_dependency_of_the_other_bitness_is_named() -> None:
    with pytest.raises(cf.DriverError, match=r"usb2can\.dll needs helper\.dll, and .* is .*Windows DLL"):
        cf.Channel(fake("needs_other_bits"))


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, stdin=subprocess.PIPE)


def test_a_planted_library_is_not_loaded(tmp_path: Path) -> None:
    """Neither the library nor what it needs comes from the current folder; a bare ctypes call takes both there."""
    (tmp_path / "usb2can.dll").write_bytes(fake("cdecl_four").read_bytes())
    (tmp_path / "helper.dll").write_bytes((FAKES / "helper.dll").read_bytes())
    naive = "import ctypes; ctypes.WinDLL('usb2can.dll', winmode=0).CanalOpen; print('planted one loaded')"
    assert python(tmp_path, "-c", naive).stdout.strip() == "planted one loaded"

    ours = "import canal_fast as cf; cf.Channel('usb2can.dll')"
    done = python(tmp_path, "-c", ours)
    assert "no driver library called usb2can.dll" in done.stderr
    assert "there is one in the current folder" in done.stderr
    done = python(tmp_path, "-c", ours, CANAL_FAST_LIBRARY_PATH=str(fake("needs_missing").parent))
    assert "needs helper.dll" in done.stderr

    doctor = ["-m", "canal_fast", "doctor", "usb2can.dll", "--config", "frames=100", "--seconds", "0.3", "--json"]
    facts = json.loads(python(tmp_path, *doctor, CANAL_FAST_LIBRARY_PATH=str(fake().parent)).stdout)["facts"]
    assert Path(facts["loaded"]).samefile(fake())
    assert facts["sha256"] == hashlib.sha256(fake().read_bytes()).hexdigest()


def test_a_library_beside_the_script_is_found(tmp_path: Path) -> None:
    (tmp_path / "usb2can.dll").write_bytes(fake().read_bytes())
    (tmp_path / "script.py").write_text("import canal_fast as cf\nprint(cf.Channel('usb2can.dll').driver.path)\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = python(elsewhere, str(tmp_path / "script.py")).stdout.strip()
    assert Path(found).samefile(tmp_path / "usb2can.dll")


def test_doctor() -> None:
    diagnosis = diagnose(fake(), ALL_AT_ONCE.format(2000), seconds=0.5)
    assert diagnosis.works, str(diagnosis)
    assert diagnosis.facts["frames"] == 2000
    assert diagnosis.facts["convention"] == ("the only one here" if WIDE else "stdcall")


def test_a_crash_gets_a_verdict() -> None:
    diagnosis = diagnose(fake(), "frames=100;crash=50", seconds=0.5)
    assert not diagnosis.works
    assert "crashed" in diagnosis.headline
    assert "CanalReceive" in diagnosis.headline


def test_imports_are_read() -> None:
    assert "msvcrt.dll" in dll_imports.imported_names(fake().read_bytes())
    assert "helper.dll" in dll_imports.imported_names(fake("needs_missing").read_bytes())
    assert dll_imports.why_not_loaded(fake()) == ""


def test_adapters_that_a_fake_device_manager_shows(tmp_path: Path) -> None:
    """Wine's own configuration manager only says that it failed; ours answers as Windows' would."""
    shutil.copytree(Path(cf.__file__).parent, tmp_path / "canal_fast")  # DLLs beside the caller come first
    (tmp_path / "canal_fast" / "drivers" / "cfgmgr32.dll").write_bytes((FAKES / "cfgmgr32.dll").read_bytes())
    (tmp_path / "script.py").write_text(
        "import dataclasses, json, canal_fast as cf\n"
        "rows = [dataclasses.asdict(device) for device in cf.list_devices()]\n"
        "try: cf.Channel.usb2can()\n"
        "except cf.DriverError as error: print(json.dumps([rows, str(error)]))\n"
    )
    done = python(tmp_path, "script.py", PYTHONPATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows, error = json.loads(done.stdout)
    assert [row["serial"] for row in rows] == ["", "CDE7E976", "D3365AFB", "ED000200"]
    assert "code 28" in rows[0]["problem"]
    assert "'usbser' serves it" in rows[1]["problem"]
    assert {row["problem"] for row in rows[2:]} == {""}
    assert {(row["name"], row["location"]) for row in rows} == {("USB2CAN converter", "Port_#0002.Hub_#0001")}
    assert error == "2 USB2CAN adapters are attached (D3365AFB, ED000200): give one's serial number"


def test_a_failing_device_manager_is_named(tmp_path: Path) -> None:
    """The system's own is asked here: Windows' answers, Wine's says that it failed."""
    done = python(tmp_path, "-m", "canal_fast", "list")
    assert done.returncode == 0 or "failed: code 19 of the configuration manager" in done.stderr, done.stderr
    with pytest.raises(OSError, match="CM_Locate_DevNode failed"):
        _devices.read(r"USB\VID_0483&PID_1234\NONE")


@pytest.mark.filterwarnings("ignore:.*counter was reset:RuntimeWarning")  # all at once, and then nothing
def test_beside_python_can() -> None:
    """python-can's own usb2can layer opens the same DLL and reads the same frames, one at a time."""
    usb2can = pytest.importorskip("can.interfaces.usb2can", reason="NOT RUN: python-can or pywin32 is missing")
    count = 20_000
    bus = usb2can.Usb2canBus(dll=str(fake()), serial=ALL_AT_ONCE.format(count), flags=0)
    begun = time.perf_counter()
    messages = [bus.recv(0) for _ in range(count)]
    theirs = time.perf_counter() - begun
    bus.shutdown()
    assert [m.arbitration_id for m in messages] == expected(count)["arbitration_id"].tolist()
    with cf.Channel(fake(), ALL_AT_ONCE.format(count)) as channel:
        begun = time.perf_counter()
        assert same(drain(channel, count), count)
        ours = time.perf_counter() - begun
    bits = 64 if WIDE else 32
    print(
        f"\n{bits}-bit, {count} frames: python-can {theirs:.2f} s, canal_fast {ours:.3f} s (Wine: no measure of speed)"
    )
