"""The python-can plugin beside python-can's usb2can backend, both on one driver library: CPU time per message.

`measure()` is for check.py; the test shows that both hand out the same messages.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peers
import pytest
from bench_receive import RING, Tools, interleaved, refill

ROUND = 20_000


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    with tempfile.TemporaryDirectory() as folder:
        yield Tools(Path(folder))


def plugin(tools: Tools) -> Any:
    import can

    return can.Bus(interface="canal_fast", library=str(tools.driver), config="", ring_frames=RING)


def recv_side(tools: Tools, bus: Any, timeout: float) -> Callable[[], float]:
    """CPU time of the process, so that the plugin's native thread counts."""

    def one() -> float:
        before = time.process_time_ns()
        tools.load(ROUND)
        for _ in range(ROUND):
            assert bus.recv(timeout) is not None
        return (time.process_time_ns() - before) / ROUND

    return one


def frames_side(tools: Tools, bus: Any) -> Callable[[], float]:
    def one() -> float:
        before, left = time.process_time_ns(), ROUND
        tools.load(ROUND)
        while left:
            left -= len(bus.receive_frames(1024, min_frames=min(1024, left), timeout=10))
        return (time.process_time_ns() - before) / ROUND

    return one


def with_plugin(tools: Tools, make: Callable[[Any], Callable[[], float]]) -> Callable[[], float]:
    def side() -> float:
        with plugin(tools) as bus:  # one at a time: the driver has one queue for all
            return make(bus)()

    return side


def measure() -> dict[str, float | str]:
    names = ("python-can-recv", "python-can-receive-frames")
    try:
        import can  # noqa: F401
    except ImportError:
        return dict.fromkeys(names, "NOT RUN: python-can is not installed")
    with tempfile.TemporaryDirectory() as folder:
        tools = Tools(Path(folder))
        peer = peers.python_can_bus(tools.driver, "")
        ns = interleaved(
            {
                "built-in": recv_side(tools, peer, 0),
                "plugin": with_plugin(tools, lambda bus: recv_side(tools, bus, 10)),
                "frames": with_plugin(tools, lambda bus: frames_side(tools, bus)),
            }
        )
        peer.shutdown()
    print(f"   CPU a message: built-in usb2can recv(0) {ns['built-in']:.0f} ns, plugin recv {ns['plugin']:.0f} ns")
    print(f"   receive_frames: {ns['frames']:.0f} ns a frame")
    return {names[0]: ns["built-in"] / ns["plugin"], names[1]: ns["built-in"] / ns["frames"]}


def test_same_messages(tools: Tools) -> None:
    def fields(msg: Any) -> tuple[Any, ...]:
        kinds = (msg.is_extended_id, msg.is_error_frame, msg.is_remote_frame, msg.is_fd, msg.is_rx)
        return msg.arbitration_id, msg.dlc, bytes(msg.data), *kinds

    seen = []
    for make, timeout in ((lambda: peers.python_can_bus(tools.driver, ""), 0), (lambda: plugin(tools), 10)):
        with make() as bus:
            tools.load(1024)  # once round the driver's table
            seen.append([fields(bus.recv(timeout)) for _ in range(1024)])
            assert bus.recv(0) is None
    assert seen[0] == seen[1]
    assert statistics.median(msg[1] for msg in seen[0]) == 8


def test_recv(benchmark: Any, tools: Tools) -> None:
    with plugin(tools) as bus:
        benchmark.pedantic(bus.recv, (0,), setup=lambda: refill(tools, bus.canal, 1), rounds=100)
