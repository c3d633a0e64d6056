"""The end of a channel: `with` and `async with`, closing the driver, what is to be said of its clock afterwards."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from canal_fast._gate import describe_code
from canal_fast.errors import ChannelTimeoutError, DriverError

from . import _live
from .opening import open_channels

__all__ = ["Closing", "close_port", "warn_of_resets"]

_MANY_RESETS = 3  # from then on the tick is measured: CF_CLOCK_RESETS of clock.h


class Closing:
    """Closes itself at the end of a block; the event loop goes on meanwhile."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__init__.__qualname__ = cls.__name__  # for Python's own messages on arguments

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio  # which takes longer to load than all of this wing

        await asyncio.to_thread(self.close)

    def __reduce__(self) -> Any:
        raise TypeError("a channel cannot be pickled: it is a thread and a device")


def close_port(channel: Closing, port: _live.Port, path: Path) -> None:
    """Close the driver of a channel, whose errors are DriverError."""
    try:
        code = port.close()
    except ChannelTimeoutError as error:
        raise DriverError(
            f"{path.name} hangs in {error.operation}; it was not closed", operation=error.operation
        ) from None
    except KeyboardInterrupt:
        open_channels.add(channel)  # it is still closing: the end of the program sees to it
        raise
    if code:
        raise DriverError(f"CanalClose: {describe_code(code)}", status=code, operation="CanalClose")


def warn_of_resets(resets: int, path: Path, profile: dict[str, Any]) -> None:
    """Many resets of a device's counter may mean that the profile's tick is wrong."""
    if resets >= _MANY_RESETS:
        warnings.warn(
            f"{path.name}: the device's counter was reset {resets} times; time stamps are of the host's clock from "
            f"there until the tick was measured. If the profile {profile['name']!r} is wrong, give another",
            RuntimeWarning,
            stacklevel=4,
        )
