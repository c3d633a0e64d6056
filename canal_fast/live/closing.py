"""`with` and `async with` for what has a `close`."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

__all__ = ["Closing"]


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
        await asyncio.to_thread(self.close)

    def __reduce__(self) -> Any:
        raise TypeError("a channel cannot be pickled: it is a thread and a device")
