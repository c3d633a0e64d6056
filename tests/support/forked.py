"""What a forked child meets."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable


def said_in_child(*actions: Callable[[], object]) -> list[str]:
    """What each action raised in a forked child, as text; "done" where it raised nothing."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # "multi-threaded, use of fork() may lead to deadlocks"
        child = os.fork()
    if child == 0:
        try:
            for action in actions:
                said = "done"
                try:
                    action()
                except Exception as error:
                    said = str(error)
                os.write(writing, said.encode() + b"\n")
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        said_by_all = file.read().splitlines()
    os.waitpid(child, 0)
    return said_by_all
