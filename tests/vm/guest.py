"""The guest's side of `run`: process 1 of a Linux that has CAN and the host's files. Arguments: the folder of the job.

The root file system is the host's, read-only, below a layer of memory that takes what is written.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import termios
import tty
from pathlib import Path

import netlink

FINIT_MODULE = 313  # asm/unistd_64.h: the C library has no function for it
POWER_OFF = 0x4321FEDC  # linux/reboot.h
libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(kind: str, target: str, options: str = "", source: str = "none", flags: int = 0) -> None:
    os.makedirs(target, exist_ok=True)
    words = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    check(libc.mount(*words[:3], ctypes.c_ulong(flags), words[4]), f"mount {kind} at {target}")


def terminal(number: int) -> int:
    """A serial line that changes no byte."""
    descriptor = os.open(f"/dev/ttyS{number}", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(descriptor)
    return descriptor


def prepare(modules: list[str], writable: list[str], interfaces: list[str]) -> None:
    for module in modules:
        with open(module, "rb") as file:
            check(libc.syscall(FINIT_MODULE, file.fileno(), b"", 0), module)
    mount("tmpfs", "/mnt")
    for folder in ("up", "work", "root"):
        os.mkdir(f"/mnt/{folder}")
    mount("overlay", "/mnt/root", "lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work")
    for folder in writable:
        mount("hostfs", f"/mnt/root{folder}", folder)
    os.chroot("/mnt/root")
    os.chdir("/")
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("devpts", "/dev/pts")):
        mount(kind, target)
    for target in ("/dev/shm", "/run"):
        mount("tmpfs", target, "mode=1777")
    os.symlink("/proc/self/fd", "/dev/fd")
    netlink.change("lo", up=True)
    for name in interfaces:
        netlink.add(name)


def main(job: Path) -> None:
    settings = json.loads((job / "job.json").read_text())
    if not os.path.exists("/dev/ttyS1"):  # most kernels have mounted it
        mount("devtmpfs", "/dev")
    out, err = terminal(1), terminal(2)
    os.dup2(err, 2)
    status = 125
    try:
        prepare(settings["modules"], settings["writable"], settings["interfaces"])
        status = subprocess.run(
            settings["command"], cwd=settings["cwd"], env=settings["env"], stdin=subprocess.DEVNULL,
            stdout=out, stderr=err, start_new_session=True, check=False,
        ).returncode  # fmt: skip
    except Exception as error:
        os.write(err, f"guest: {error}\n".encode())
    for line in (out, err):
        termios.tcdrain(line)
    (job / "status").write_text(str(status if status >= 0 else 128 - status))
    os.sync()
    libc.reboot(POWER_OFF)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
