"""The exceptions of canal_fast. Imports nothing of ours, so that everything may import it."""

from __future__ import annotations

import os


class CanalFastError(Exception):
    """Base of every exception that canal_fast defines.

    Examples
    --------
    >>> try:
    ...     cf.make_frames(0x800)
    ... except cf.CanalFastError as error:
    ...     print(type(error).__name__)
    FrameError
    """


class FrameError(CanalFastError, ValueError):
    """A record that no controller could send, or that does not fit where it should go.

    Attributes
    ----------
    index : int or None
        Number of the offending record in the array it came in.

    Examples
    --------
    >>> try:
    ...     cf.make_frames([0x7FF, 0x800])
    ... except cf.FrameError as error:
    ...     print(error.index)
    1
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class WireError(CanalFastError, ValueError):
    """Bits that are no frame. `bit_index` says where.

    Attributes
    ----------
    bit_index : int or None
        Number of the offending bit.

    Examples
    --------
    >>> cf.wire.destuff(np.zeros(6, np.uint8))
    Traceback (most recent call last):
        ...
    canal_fast.errors.WireError: bits[5] = 0, a sixth equal bit, so a stuff error
    """

    def __init__(self, message: str, *, bit_index: int | None = None) -> None:
        super().__init__(message)
        self.bit_index = bit_index


class BitTimingError(CanalFastError, ValueError):
    """No bit timing fits. `reasons` names each limit that stood in the way.

    Attributes
    ----------
    reasons : tuple of str
        A sentence each.

    Examples
    --------
    >>> try:
    ...     cf.bittiming.solve(1_000_000, limits="usb_8dev", bus_length_m=200)
    ... except cf.BitTimingError as error:
    ...     print(error.reasons[0])
    bus_length_m: the two-way delay of 2500 ns has to fit into the propagation segment; ...
    """

    def __init__(self, message: str, *, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class SimulationError(CanalFastError, ValueError):
    """A simulated bus that cannot be.

    Attributes
    ----------
    line_number, column : int or None
        1-based, of the text of a fault or a scenario.

    Examples
    --------
    >>> bus = cf.simulation.Bus()
    >>> bus.node("two words")
    Traceback (most recent call last):
        ...
    canal_fast.errors.SimulationError: node name 'two words': must be one word without #
    """

    def __init__(self, message: str, *, line_number: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line_number = line_number
        self.column = column


class LogFormatError(CanalFastError, ValueError):
    r"""A recording that breaks its format.

    Attributes
    ----------
    path : str or None
    line_number : int or None
        1-based, for text formats.
    offset : int or None
        Byte offset in the file, for binary formats.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("notes.log").write_text("(1.0) can0 12#00\n")
    >>> try:
    ...     cf.read_log("notes.log")
    ... except cf.LogFormatError as error:
    ...     print(error.path, error.line_number)
    notes.log 1
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

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("broken.dbc").write_text("BO_ 256 Engine 8 ECU")
    >>> try:
    ...     cf.load_database("broken.dbc")
    ... except cf.DatabaseError as error:
    ...     print(error.path)
    broken.dbc
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

    Examples
    --------
    >>> plan = cf.load_database("car.dbc").plan()
    >>> try:
    ...     plan.encode("Engine", {"speed": [800.0, 99_999.0]})
    ... except cf.SignalError as error:
    ...     print(error.signal, error.row)
    Engine.speed 1
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

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     try:
    ...         cf.Channel.virtual("desk;125000")  # the bus has another bit rate
    ...     except cf.DriverError as error:
    ...         print(error.operation)
    CanalOpen
    """

    def __init__(self, message: str, *, status: int | None = None, operation: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.operation = operation


class DriverNotFoundError(DriverError, FileNotFoundError):
    """No such driver library.

    Examples
    --------
    >>> try:
    ...     cf.Channel("nowhere/usb2can.so")
    ... except cf.DriverNotFoundError as error:
    ...     print("not there")
    not there
    """


class ChannelClosedError(DriverError):
    """The channel is closed, or belongs to the parent of this process.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     pass
    >>> try:
    ...     channel.receive()
    ... except cf.ChannelClosedError:
    ...     print("closed")
    closed
    """


class ChannelTimeoutError(DriverError, TimeoutError):
    """The driver did not take or give a frame in time.

    Examples
    --------
    Raised where a driver in a host process no longer answers. Like `TimeoutError`, which it is:

    >>> issubclass(cf.ChannelTimeoutError, TimeoutError)
    True
    """


class BusOffError(DriverError):
    """The controller is bus off.

    Examples
    --------
    >>> with cf.Channel.usb2can(bitrate=500_000) as channel:  # doctest: +SKIP
    ...     try:
    ...         channel.send(cf.make_frames(0x123), timeout=1.0)
    ...     except cf.BusOffError:
    ...         print("check wiring, termination and bit rate")
    """
