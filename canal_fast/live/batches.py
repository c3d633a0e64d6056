"""Receiving from a channel batch by batch, in a loop or an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import canal_fast.arguments as arguments
from canal_fast.errors import ChannelClosedError, DriverError
from canal_fast.frames import FrameArray

from . import _receiving
from .event_loop import until_readable
from .port_owner import PortOwner, part_of_channel

__all__ = ["Batches"]

_MAX_FRAMES = 1 << 40


@part_of_channel
class Batches(PortOwner, _receiving.Receiving):
    """What a channel received, in batches."""

    _capacity: int

    def batches(self, max_frames: int = 4096, *, timeout: float = 0.1) -> Iterator[FrameArray]:
        """Iterate over batches until the channel is stopped and empty.

        A batch is complete at `max_frames`, or after `timeout` seconds with what came by then, which
        may be nothing. A driver's failure is raised after its last frames.

        Yields
        ------
        array of the channel's dtype, shape (n,)

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     a.send(cf.make_frames(range(10)))
        ...     for batch in b.batches(timeout=0.1):
        ...         if len(batch):
        ...             b.stop()  # the rest comes, and then the end
        10
        """
        while True:
            try:
                batch = self.receive(max_frames, min_frames=min(max_frames, self._capacity), timeout=timeout)
            except ChannelClosedError:
                return
            yield batch

    async def abatches(self, max_frames: int = 4096, *, timeout: float = 0.1) -> AsyncIterator[FrameArray]:
        """Like `batches`, for `async for`; the event loop goes on meanwhile.

        Frames leave the channel only when a batch is handed out: cancelling loses none. One iteration at a
        time for a channel. It waits on the descriptor of `fileno`, which meanwhile tells of whole batches.

        Examples
        --------
        >>> import asyncio
        >>> async def count(channel):
        ...     async for batch in channel.abatches(10, timeout=5):
        ...         return len(batch)
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     a.send(cf.make_frames(range(10)))
        ...     asyncio.run(count(b))
        10
        10
        """
        port = self._open_port()
        arguments.interval("max_frames", max_frames, 1, _MAX_FRAMES)
        wanted = min(max_frames, self._capacity)
        waiting_ns = arguments.nanoseconds(timeout)

        def wait_in_thread() -> None:
            with contextlib.suppress(DriverError):  # receive tells
                port.wait(wanted, waiting_ns)

        try:
            while True:
                await until_readable(port.descriptor(wanted), timeout, wait_in_thread)
                batch = self.receive(max_frames, timeout=0)
                yield batch
        except ChannelClosedError:
            return
        finally:
            with contextlib.suppress(ChannelClosedError):
                port.descriptor(1)

    def fileno(self) -> int:
        """A descriptor for select, poll and event loops, made at the first call. Only to be waited for.

        Readable while frames wait, until they are taken, and for ever once no more will come: `receive` with
        timeout=0 then returns, or raises, at once. It lasts as long as the channel object, closed
        or not.

        Raises
        ------
        NotImplementedError
            On Windows.
        """
        descriptor = self._open_port().descriptor(1)
        if descriptor is None:
            raise NotImplementedError("this system's event loops wait on no such descriptor; use abatches")
        return descriptor

    def set_filters(self, filters: Sequence[Mapping[str, Any]] | None, *, waiting: bool = False) -> None:
        """Keep only frames that match one of the filters; None or an empty sequence keeps all.

        Each filter has `can_id`, `can_mask` and optionally `extended`, with python-can's meaning: a frame
        matches when `(arbitration_id ^ can_id) & can_mask == 0` and, where `extended` is given, its
        identifier format is the one asked for. Status messages are never filtered. At most 8192. In force from
        the next drain on; with `waiting` at once, also for frames that wait already. Those then count as
        filtered when they would have been received, and a batch may be smaller than `min_frames`.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     b.set_filters([{"can_id": 0x100, "can_mask": 0x700, "extended": False}])
        ...     a.send(cf.make_frames([0x123, 0x223, 0x1FF]))
        ...     b.receive(min_frames=2, timeout=5)["arbitration_id"].tolist()
        3
        [291, 511]
        """
        self._open_port().set_filters(arguments.filters(filters), waiting)

    # What `receive` and `receive_into` ask for where an argument is not the usual one.

    def _max_frames(self, value: Any) -> int:
        return int(arguments.interval("max_frames", value, 1, _MAX_FRAMES))

    def _wait_ns(self, timeout: float) -> int:
        return arguments.nanoseconds(timeout)

    def _wanted(self, min_frames: int, max_frames: int) -> int:
        return int(arguments.interval("min_frames", min_frames, 0, min(max_frames, self._capacity)))


__test__ = {"receive": Batches.receive, "receive_into": Batches.receive_into}  # doctest passes over what is inherited
