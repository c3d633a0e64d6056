"""Figures of a running logger in a file that another program may read at any moment."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Mapping

__all__ = ["StatsFile", "disk_free"]

log = logging.getLogger("canal_fast")


class StatsFile:
    """A file of one JSON object, which is always whole: it is written beside, and then takes the other's place.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    failed : int
        Times that it could not be replaced (its disk is full; on Windows: somebody reads it).

    Raises
    ------
    OSError
        There is no such folder, or the path is one.
    """

    def __init__(self, path: str) -> None:
        folder = os.path.dirname(path) or os.curdir
        if not os.path.isdir(folder):
            raise FileNotFoundError(2, "there is no such folder", folder)
        if os.path.isdir(path):
            raise IsADirectoryError(21, "a folder", path)
        self.path, self.failed = path, 0
        self._beside = f"{path}.{os.getpid()}.tmp"

    def replace(self, values: Mapping[str, object]) -> bool:
        """Write the values; False, and counted, where that cannot be done now."""
        try:
            with open(self._beside, "w", encoding="utf-8") as file:
                # Not json.dump, which leaves cycles of closures behind: over months the heap would grow by them.
                file.write(json.dumps({**values, "stats_failed": self.failed}) + "\n")
            os.replace(self._beside, self.path)
        except OSError as error:
            if not self.failed:
                log.warning("%s was not replaced (%s); it is tried each second", self.path, error.strerror)
            self.failed += 1
            with contextlib.suppress(OSError):
                os.unlink(self._beside)
            return False
        return True


def disk_free(path: str) -> int | None:
    """Bytes that this user may still write to the disk of a file; None where that cannot be known (a pipe)."""
    try:
        return shutil.disk_usage(os.path.dirname(path) or os.curdir).free
    except OSError:
        return None
