"""How much memory a program took at its peak."""

from __future__ import annotations

import inspect
import subprocess
import sys


def peak_kib() -> int:
    """Of this program. What getrusage() tells begins with the peak of whoever started it."""
    from pathlib import Path

    if (status := Path("/proc/self/status")).exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


DEFINITION = inspect.getsource(peak_kib)


def run(program: str, *arguments: object) -> list[int]:
    """The numbers that a program prints, which may call peak_kib()."""
    command = [sys.executable, "-P", "-c", DEFINITION + program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]
