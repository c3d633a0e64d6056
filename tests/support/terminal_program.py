"""A program on a pseudo-terminal of its own, and a bus for it to watch."""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable

from virtual_terminal import VirtualTerminal

PATIENCE_S = 60  # of a loaded machine
BUS = ["--source", "virtual:bus0;1000000;rate=500;seed=1;ids=0x100-0x10F"]
TAKE = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Program:
    """A program on a pseudo-terminal of its own, whose controlling terminal that is."""

    def __init__(self, arguments: list[str], columns: int = 80, rows: int = 24) -> None:
        self.fcntl, self.termios = (importlib.import_module(name) for name in ("fcntl", "termios"))
        self.screen = VirtualTerminal(columns, rows)
        self.ours, theirs = os.openpty()
        self.fcntl.ioctl(theirs, self.termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"}
        self.program = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", TAKE, *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
            env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.gone = False
        self.modes = self.termios.tcgetattr(self.ours)

    def read(self, seconds: float = 0.05) -> None:
        """What it shows within this time."""
        if not self.gone and select.select([self.ours], [], [], seconds)[0]:
            try:
                self.screen.feed(os.read(self.ours, 65536).decode())
            except OSError:
                self.gone = True

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.screen.text()) + self.screen.outside
            self.read()
            if self.poll() is not None and not condition():
                self.read()
                assert condition(), f"it ended: {self.poll()}, {self.screen.outside}"

    def shows(self, text: str) -> None:
        self.until(lambda: any(text in line for line in self.screen.text()))

    def types(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(columns, rows)
        self.fcntl.ioctl(self.ours, self.termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def poll(self) -> int | None:
        return self.program.poll()

    def ends(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            self.read()
        while not self.gone:
            self.read(0.1)
        return int(self.program.returncode)

    def is_restored(self) -> None:
        assert (self.screen.alternate, self.screen.cursor, self.screen.wraps) == (False, True, True)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.ours)
        self.program.kill()
        self.program.wait()
