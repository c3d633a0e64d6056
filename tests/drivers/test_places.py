"""Where libraries and adapters are looked for, and what a host process inherits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast.drivers import devices, devices_windows

needs_fakes = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
linux = pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: adapters are CAN interfaces on Linux only")


@needs_fakes
def test_a_script_on_standard_input_has_no_folder(fakes: Path, tmp_path: Path) -> None:
    """`python - < script` must not load ./usb2can.so; the same script as a file finds what lies beside it."""
    shutil.copy(build(Row("beside"), fakes), tmp_path / "usb2can.so")
    script = "from canal_fast.drivers.library import find_library\nprint(find_library('usb2can.so'))\n"
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "CANAL_FAST_LIBRARY_PATH": ""}
    run = {"capture_output": True, "text": True, "cwd": tmp_path, "env": environment}
    done = subprocess.run([sys.executable, "-P", "-"], input=script, **run)  # type: ignore[call-overload]
    assert done.returncode == 1, done
    assert "there is one in the current folder" in done.stderr, done
    # As some versions of Python and some shells have it.
    named = "__file__ = '<stdin>'\n" + script
    done = subprocess.run([sys.executable, "-P", "-"], input=named, **run)  # type: ignore[call-overload]
    assert done.returncode == 1, done
    assert "there is one in the current folder" in done.stderr, done
    done = subprocess.run([sys.executable, "-P", "script.py"], **run)  # type: ignore[call-overload]
    assert done.stdout.strip() == str(tmp_path / "usb2can.so"), done


@linux
@needs_fakes
def test_a_host_keeps_nothing_of_its_parents_parent(fakes: Path) -> None:
    """A descriptor that the program inherited, marked for nobody to close, does not live on in the host."""
    path = build(Row("inherits"), fakes)
    script = f"""
import os, canal_fast as cf
with cf.Channel({str(path)!r}, bridge="always") as channel:
    folder = f"/proc/{{channel.driver.host}}/fd"
    print([os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)])
"""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        name = os.readlink(f"/proc/self/fd/{writing}")
        done = subprocess.run(
            [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, pass_fds=[writing]
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert name not in done.stdout, done.stdout
    assert "memfd:canal_fast" in done.stdout


def test_a_configuration_manager_that_fails_is_a_driver_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[str]:
        raise OSError("CM_Get_Device_Interface_List: configuration manager code 0x33")

    monkeypatch.setattr(devices_windows._devices, "interfaces", fails)
    with pytest.raises(cf.DriverError, match=r"configuration manager code 0x33.*serial number"):
        devices_windows.adapters()


@linux
@pytest.mark.parametrize("attached", [True, False])
def test_an_adapter_on_linux_needs_no_library(attached: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    monkeypatch.setattr(devices, "SYSFS", tmp_path)
    if attached:
        folder = tmp_path / "1-2"
        (folder / "1-2:1.0" / "net" / "can3").mkdir(parents=True)
        texts = {"idVendor": "0483", "idProduct": "1234", "product": "USB2CAN converter", "serial": "ED000001"}
        for name, text in texts.items():
            (folder / name).write_text(text + "\n")
    words = r"this adapter is can3: Channel\.socketcan\('can3'\)" if attached else "CAN interfaces .* such as can0"
    with pytest.raises(cf.DriverNotFoundError, match=words):
        cf.Channel.usb2can("ED000001")
    with pytest.raises(can.CanInterfaceNotImplementedError, match="socketcan:can3" if attached else words):
        can.Bus(interface="canal_fast", channel="ED000001")
