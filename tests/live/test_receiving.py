"""Channel.receive and receive_into are compiled; they look, refuse and can be overridden as Python's methods do."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing
from typing import Any

import numpy as np
import pytest

import canal_fast as cf

OPTIONS = "*, min_frames: 'int' = 1, timeout: 'float | None' = None"


def test_signatures_and_help() -> None:
    found = {name: str(inspect.signature(getattr(cf.Channel, name))) for name in ("receive", "receive_into")}
    assert found == {
        "receive": f"(self, max_frames: 'int' = 4096, {OPTIONS}) -> 'FrameArray'",
        "receive_into": f"(self, buffer: 'FrameArray', {OPTIONS}) -> 'int'",
    }
    assert inspect.getdoc(cf.Channel.receive).startswith("Take frames out, oldest first.\n\nParameters\n----")
    assert inspect.getdoc(cf.Channel.receive_into).startswith("Like `receive`, into the caller's array")
    assert cf.Channel.receive.__name__ == "receive"
    with cf.Channel.virtual("look;1000000") as channel:
        assert str(inspect.signature(channel.receive)) == found["receive"].replace("self, ", "")
        assert inspect.ismethod(channel.receive)
        assert channel.receive.__self__ is channel
        assert inspect.getdoc(channel.receive) == inspect.getdoc(cf.Channel.receive)


class Counting(cf.Channel):
    """What a program may do with the class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.calls = 0
        super().__init__(*arguments, **options)

    def receive(self, *arguments: Any, **options: Any) -> cf.FrameArray:
        self.calls += 1
        return super().receive(*arguments, **options)


def test_a_subclass_overrides_it_for_all_who_call_it() -> None:
    with Counting("virtual", "own;1000000;load=1") as channel:
        assert len(channel.receive(5, min_frames=5, timeout=5)) == 5
        assert len(channel.receive(max_frames=3, timeout=None)) in (1, 2, 3)
        for _ in zip(range(2), channel.batches(10, timeout=1), strict=False):
            pass
        assert channel.calls >= 4
        assert channel.receive_into(np.zeros(2, cf.FRAME_DTYPE), min_frames=2, timeout=5) == 2
        for refused in (pickle.dumps, copy.copy):
            with pytest.raises(TypeError, match="a channel cannot be pickled"):
                refused(channel)
    assert typing.get_type_hints(Counting.receive)


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"max_frames": 0}, ValueError, "max_frames = 0, allowed 1..1099511627776"),
    ({"max_frames": 1 << 41}, ValueError, "max_frames = 2199023255552, allowed 1..1099511627776"),
    ({"max_frames": 1 << 80}, ValueError, "max_frames = 1208925819614629174706176, allowed 1..1099511627776"),
    ({"max_frames": "5"}, TypeError, "max_frames must be a number, not str"),
    ({"max_frames": None}, TypeError, "max_frames must be a number, not NoneType"),
    ({"min_frames": -1}, ValueError, "min_frames = -1, allowed 0..64"),
    ({"min_frames": 65}, ValueError, "min_frames = 65, allowed 0..64"),
    ({"min_frames": 1 << 80}, ValueError, "min_frames = 1208925819614629174706176, allowed 0..64"),
    ({"min_frames": "1"}, TypeError, "min_frames must be a number, not str"),
    ({"max_frames": 2, "min_frames": 3}, ValueError, "min_frames = 3, allowed 0..2"),
    ({"timeout": -0.5}, ValueError, "timeout = -0.5 s, allowed 0 and above, or None to wait for ever"),
    ({"timeout": float("nan")}, ValueError, "timeout = nan s, allowed 0 and above, or None to wait for ever"),
    ({"timeout": float("-inf")}, ValueError, "timeout = -inf s, allowed 0 and above, or None to wait for ever"),
    ({"timeout": "1"}, TypeError, "timeout must be a number, not str"),
    ({"other": 1}, TypeError, "unexpected keyword argument 'other'"),
]


@pytest.mark.parametrize(("options", "kind", "words"), BAD)
def test_bad_arguments(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with cf.Channel.virtual("bad;1000000;load=1", ring_frames=64) as channel:
        with pytest.raises(kind) as told:
            channel.receive(**options)
        assert words in str(told.value)
        if "max_frames" not in options:
            with pytest.raises(kind) as told:
                channel.receive_into(np.zeros(100, cf.FRAME_DTYPE), **options)
            assert words in str(told.value)


def test_bad_buffers_and_positions() -> None:
    frozen = np.zeros(4, cf.FRAME_DTYPE)
    frozen.flags.writeable = False
    with cf.Channel.virtual("buffers;1000000;load=1") as channel:
        for buffer in (np.zeros(4), np.zeros(4, cf.FD_FRAME_DTYPE), frozen, np.zeros(8, cf.FRAME_DTYPE)[::2]):
            with pytest.raises((TypeError, ValueError), match="buffer"):
                channel.receive_into(buffer)
        for buffer in (None, [0], b"12"):
            with pytest.raises(TypeError, match="buffer"):
                channel.receive_into(buffer)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="positional"):
            channel.receive(1, 1)  # type: ignore[misc]
        with pytest.raises(TypeError, match="positional"):
            channel.receive_into()  # type: ignore[call-arg]


@pytest.mark.parametrize("timeout", [0, 0.0, False, 0.001, 1, np.float32(0.5), np.int64(1), 1e12, float("inf"), None])
def test_good_times(timeout: float | None) -> None:
    with cf.Channel.virtual("times;1000000;load=1", coalesce_ms=0.1) as channel:
        assert len(channel.receive(3, min_frames=3, timeout=5)) == 3
        assert len(channel.receive(timeout=timeout)) >= (0 if timeout is not None and timeout < 0.1 else 1)


def test_never_opened_and_closed() -> None:
    class Odd(cf.Channel):
        def __init__(self) -> None:
            """Forgets what a channel needs."""

        def __del__(self) -> None:
            """There is nothing to close."""

    buffer = np.zeros(1, cf.FRAME_DTYPE)
    for call in (Odd().receive, lambda: Odd().receive_into(buffer), cf.Channel.__new__(Odd).receive):
        with pytest.raises(cf.ChannelClosedError, match="never open"):
            call()
    with cf.Channel.virtual("shut;1000000") as channel:
        pass
    for call in (channel.receive, lambda: channel.receive_into(buffer)):
        with pytest.raises(cf.ChannelClosedError):
            call()


@pytest.mark.parametrize("into", [False, True])
@pytest.mark.parametrize("timeout", [0, 0.01, None])
def test_none_wanted_of_a_reader_that_ended_tells_so(into: bool, timeout: float | None, bus: str) -> None:
    """A loop that looks without waiting would go on for ever."""
    with cf.Channel.virtual(bus) as sender, cf.Channel.virtual(bus) as channel:

        def count() -> int:
            if into:
                return channel.receive_into(np.zeros(8, cf.FRAME_DTYPE), min_frames=0, timeout=timeout)
            return len(channel.receive(8, min_frames=0, timeout=timeout))

        assert count() == 0
        sender.send(cf.make_frames([1, 2, 3]))
        while channel.ledger().pending < 3:
            pass
        channel.stop()
        assert count() == 3  # which come first
        for _ in range(2):
            with pytest.raises(cf.ChannelClosedError):
                count()
