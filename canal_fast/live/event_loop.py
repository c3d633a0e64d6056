"""Waiting for frames from an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes longer to load than all of this wing
    import asyncio

__all__ = ["until_readable"]


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def until_readable(descriptor: int | None, timeout: float, wait_in_thread: Callable[[], object]) -> None:
    """Return once `descriptor` is readable or `timeout` seconds are over.

    Loops that watch no descriptors (Windows' default one) wait in a thread instead.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    future = loop.create_future()
    try:
        if descriptor is None:
            raise NotImplementedError
        loop.add_reader(descriptor, _resolve, future)
    except NotImplementedError:
        await asyncio.to_thread(wait_in_thread)
        return
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await future
    finally:
        loop.remove_reader(descriptor)
