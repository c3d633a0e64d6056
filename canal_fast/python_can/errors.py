"""Our exceptions as python-can's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from can import CanOperationError, CanTimeoutError

from canal_fast.errors import DriverError, FrameError

__all__ = ["SendTimeoutError", "translated"]


class SendTimeoutError(CanTimeoutError, CanOperationError):
    """The driver's queue had no room in time. Scripts for the built-in backend expect CanOperationError."""


@contextlib.contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except FrameError as error:
        raise CanOperationError(str(error)) from error
    except DriverError as error:
        raise CanOperationError(str(error), error.status) from error
