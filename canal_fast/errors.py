"""The exceptions of canal_fast. Imports nothing of ours, so that everything may import it."""

from __future__ import annotations

import os


class CanalFastError(Exception):
    """Base of every exception that canal_fast defines."""


class FrameError(CanalFastError, ValueError):
    """A record that no controller could send, or that does not fit where it should go.

    Attributes
    ----------
    index : int or None
        Number of the offending record in the array it came in.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class WireError(CanalFastError, ValueError):
    """Bits that are no frame. `bit_index` says where."""

    def __init__(self, message: str, *, bit_index: int | None = None) -> None:
        super().__init__(message)
        self.bit_index = bit_index


class BitTimingError(CanalFastError, ValueError):
    """No bit timing fits. `reasons` names each limit that stood in the way."""

    def __init__(self, message: str, *, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class SimulationError(CanalFastError, ValueError):
    """A simulated bus that cannot be.

    Attributes
    ----------
    line_number, column : int or None
        1-based, of the text of a fault or a scenario.
    """

    def __init__(self, message: str, *, line_number: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line_number = line_number
        self.column = column


class LogFormatError(CanalFastError, ValueError):
    """A recording that breaks its format.

    Attributes
    ----------
    path : str or None
    line_number : int or None
        1-based, for text formats.
    offset : int or None
        Byte offset in the file, for binary formats.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | os.PathLike[str] | None = None,
        line_number: int | None = None,
        offset: int | None = None,
    ) -> None:
        name = None if path is None else os.fspath(path)
        super().__init__(message if name is None or name in message else f"{name}: {message}")
        self.path = name
        self.line_number = line_number
        self.offset = offset


class DatabaseError(CanalFastError, ValueError):
    """A database that cannot be read, or that `strict=True` refuses.

    Attributes
    ----------
    path : str or None
    """

    def __init__(self, message: str, *, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(message)
        self.path = None if path is None else os.fspath(path)


class SignalError(CanalFastError, ValueError):
    """An unknown message or signal, a plan that cannot be used, or a value that its signal cannot hold.

    Attributes
    ----------
    signal : str or None
        "Message.Signal" of a value that does not fit.
    row : int or None
        Its row.
    """

    def __init__(self, message: str, *, signal: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.signal = signal
        self.row = row


class DriverError(CanalFastError, OSError):
    """A CANAL driver refused or failed.

    Attributes
    ----------
    status : int or None
        The CANAL code that the driver returned, if it returned one.
    operation : str or None
        The CANAL function that was called.
    """

    def __init__(self, message: str, *, status: int | None = None, operation: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.operation = operation


class DriverNotFoundError(DriverError, FileNotFoundError):
    """No such driver library."""


class ChannelClosedError(DriverError):
    """The channel is closed, or belongs to the parent of this process."""


class ChannelTimeoutError(DriverError, TimeoutError):
    """The driver did not take or give a frame in time."""


class BusOffError(DriverError):
    """The controller is bus off."""
