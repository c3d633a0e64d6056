"""The doctor's verdict and advice beside drivers as they are met: a table, judged as a new user would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast.doctor.diagnosis import Diagnosis, diagnose
from canal_fast.drivers import config_places

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
GEN1 = "-DFAKE_GEN1"
CAN232, CAN4VSCP = "vscpl1drv-can232.so", "vscpl1drv-can4vscp.so"
SOCKETCAN, LOGGER = "vscpl1drv-socketcan.so", "vscpl1drv-logger.so"

# library, its build, configuration, does it work, words of the verdict, words of the advice, words that mislead
TABLE = [
    (SOCKETCAN, "", "vcan99;frames=0", False, "no network interface 'vcan99'", "CAN interfaces here", "wiring"),
    (LOGGER, GEN1, "{folder}/log.txt;frames=0;untouched=1", True, "receives nothing", "driver of an adapter", "wiring"),
    (LOGGER, GEN1, "{folder}/none/log.txt;crash_open=1", False, "crashed", "there is no folder", "unplug"),
    (CAN232, GEN1, "/dev/ptmx;open=0", False, "did not open", "no device answers", "usually"),
    (CAN232, GEN1, "/dev/ttyUSB77;open=0", False, "did not open", "there is no serial port /dev/ttyUSB77", "answers"),
    (CAN232, GEN1, "{folder}/system.conf;open=0", False, "not opened", "--force", "unplug"),
    (CAN4VSCP, "", "{folder};open=0", False, "not opened", "--force", "unplug"),
    (CAN4VSCP, "", "/dev/ptmx;open_ms=3300", True, "works", "nothing", "hangs"),
    ("usb2can.so", "", "ED000200;500;frames=100;unplug=0", False, "the adapter is gone", "reconnect", "wiring"),
    ("fake.so", "", "open_ms=3300", False, "hangs (no answer in 3 s) in CanalOpen", "unplug", "path"),
]


@pytest.mark.parametrize(("file", "macros", "config", "works", "verdict", "advice", "misleads"), TABLE)
def test_table(
    file: str,
    macros: str,
    config: str,
    works: bool,
    verdict: str,
    advice: str,
    misleads: str,
    fakes: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "system.conf").write_text("precious")
    diagnosis = diagnose(build(Row(file, macros=macros, file=file), fakes), config.format(folder=tmp_path), seconds=0.3)
    first = "\n".join(str(diagnosis).splitlines()[:2])
    assert diagnosis.works == works, diagnosis
    assert verdict in diagnosis.headline, diagnosis
    assert advice in first, diagnosis
    assert misleads not in first, diagnosis
    assert (tmp_path / "system.conf").read_text() == "precious"


def test_force_opens_what_is_no_port(fakes: Path, tmp_path: Path) -> None:
    (tmp_path / "capture").write_text("")
    path = build(Row("forced", macros=GEN1, file=CAN232), fakes)
    assert diagnose(path, f"{tmp_path}/capture;frames=10;empty=12", seconds=0.3, force=True).works


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="NOT RUN: root may write anywhere")
def test_what_may_not_be_written() -> None:
    profile = dict.fromkeys(("config_interface", "config_file", "config_port"), False) | {"config_file": True}
    assert "may not be written" in config_places.trouble(profile, "/etc/canal.log;0")


def test_a_channel_gives_the_same_reasons(fakes: Path) -> None:
    path = build(Row("reasons", macros=GEN1, file=CAN232), fakes)
    with pytest.raises(cf.DriverError, match="there is no serial port /dev/ttyUSB77"):
        cf.Channel(path, "/dev/ttyUSB77;open=0")


def test_through_a_host(fakes: Path) -> None:
    """What a Channel sees: frames, versions, how it ends."""
    good = diagnose(build(Row("hosted"), fakes), "frames=100", seconds=0.4, bridge="always")
    assert good.works, good
    assert good.facts["frames"] == 100, good
    assert good.facts["host"] > 0, good
    assert good.facts["dll_version"] == 0x90001
    crash = diagnose(build(Row("hosted"), fakes), "frames=100;pause=300;crash=70", seconds=0.6, bridge="always")
    assert not crash.works, crash
    assert "signal 11" in crash.headline, crash
    assert "in CanalReceive" in crash.headline, crash
    refused = diagnose(build(Row("hosted"), fakes), "open=0", bridge="always")
    assert not refused.works, refused
    assert "did not open" in refused.headline, refused


def test_a_library_of_other_bitness(tmp_path: Path, tree: Path, include_dir: Path) -> None:
    """Where a host for it is there, it is examined, and works as `log` shows; without one it is no library for us."""
    probe = subprocess.run(
        ["gcc", "-m32", "-xc", "-", "-o", str(tmp_path / "probe")], input=b"int main(void){return 0;}"
    )
    if probe.returncode:
        pytest.skip("NOT RUN: gcc makes no 32-bit programs here")
    package = tmp_path / "lib" / "canal_fast"
    shutil.copytree(Path(cf.__file__).parent, package, ignore=shutil.ignore_patterns("*.c", "*.h", "__pycache__"))
    fake, host = tmp_path / "usb2can.so", package / "canal_host32"
    flags = ["-m32", "-O1", "-w"]
    source = tree / "tests" / "fake_canal" / "fake_canal.c"
    subprocess.run(["gcc", *flags, "-shared", "-fPIC", str(source), "-o", str(fake)], check=True)
    config = "ED000200;500;frames=50"

    def doctor() -> Diagnosis:
        script = (
            f"import sys, json; sys.path.insert(0, {str(tmp_path / 'lib')!r}); from canal_fast.doctor.diagnosis import "
            f"diagnose; d = diagnose({str(fake)!r}, {config!r}, seconds=0.4); print(json.dumps([d.works, d.headline]))"
        )
        done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    works, headline = doctor()
    assert not works
    assert "32-bit" in headline
    main = [str(tree / "canal_fast" / "canal_host.c"), f"-I{include_dir}", "-o", str(host), "-ldl", "-lpthread"]
    subprocess.run(["gcc", *flags, "-std=gnu11", *main], check=True)
    works, headline = doctor()
    assert works, headline
    assert headline.startswith("works: 50 frames"), headline
