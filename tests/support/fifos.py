"""Named pipes to programs that may end before they open them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import BinaryIO


def opened_by(reader: subprocess.Popen[bytes], fifo: Path) -> BinaryIO:
    """The writing end of a pipe that `reader` opens to read; not for ever, should it have ended before."""
    while True:
        with contextlib.suppress(OSError):  # nobody reads yet
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.set_blocking(writer, True)
            return os.fdopen(writer, "wb", buffering=0)
        assert reader.poll() is None, f"ended with code {reader.returncode}"
        time.sleep(0.01)
