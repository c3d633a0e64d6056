"""Programs that nobody here wrote, on the plugin: protocol stacks in this process, command-line tools in their own."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import canal_fast as cf

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")

LONG = 30.0  # a hang guard, never waited for
numbers = itertools.count()
posix = pytest.mark.skipif(os.name != "posix", reason="NOT RUN: needs POSIX signals and pseudo-terminals")


def needs(name: str) -> Any:
    return pytest.importorskip(name, reason=f"NOT RUN: {name} is not installed")


@pytest.fixture
def channel() -> str:
    return f"virtual:programs{next(numbers)};1000000;fifo=8192"


@pytest.fixture
def buses(channel: str) -> Iterator[tuple[Any, Any]]:
    with can.Bus(interface="canal_fast", channel=channel) as a, can.Bus(interface="canal_fast", channel=channel) as b:
        yield a, b


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# -- protocol stacks


@contextlib.contextmanager
def isotp_stacks(a: Any, b: Any) -> Iterator[tuple[Any, Any]]:
    isotp = needs("isotp")
    errors: list[Exception] = []
    pair = [
        isotp.CanStack(
            bus,
            address=isotp.Address(isotp.AddressingMode.Normal_29bits, txid=tx, rxid=rx),
            error_handler=errors.append,
            params={"rx_flowcontrol_timeout": 10_000, "rx_consecutive_frame_timeout": 10_000},
        )
        for bus, tx, rx in ((a, 0x18DA00F1, 0x18DAF100), (b, 0x18DAF100, 0x18DA00F1))
    ]
    for stack in pair:
        stack.start()
    try:
        yield pair[0], pair[1]
        assert not errors
    finally:
        for stack in pair:
            stack.stop()


def test_can_isotp_both_ways(buses: tuple[Any, Any]) -> None:
    there, back = bytes(i * 7 % 256 for i in range(4095)), bytes(i * 13 % 251 for i in range(4095))
    with isotp_stacks(*buses) as (first, second):
        first.send(there)
        second.send(back)
        assert second.recv(block=True, timeout=LONG) == there
        assert first.recv(block=True, timeout=LONG) == back


def test_udsoncan_with_a_scripted_server(buses: tuple[Any, Any]) -> None:
    udsoncan = needs("udsoncan")
    vin = b"WF0XXXGCDX1234567"
    answers = {
        bytes.fromhex("1003"): bytes.fromhex("5003003201f4"),
        bytes.fromhex("3e00"): bytes.fromhex("7e00"),
        bytes.fromhex("22f190"): bytes.fromhex("62f190") + vin,
        bytes.fromhex("1101"): bytes.fromhex("7f1122"),
    }
    with isotp_stacks(*buses) as (near, far):
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                request = far.recv(block=True, timeout=0.05)
                if request is not None:
                    far.send(answers[bytes(request)])

        server = threading.Thread(target=serve)
        connection = importlib.import_module("udsoncan.connections").PythonIsoTpConnection(near)
        config = dict(importlib.import_module("udsoncan.configs").default_client_config)
        config |= {
            "request_timeout": LONG,
            "p2_timeout": LONG,
            "data_identifiers": {0xF190: udsoncan.AsciiCodec(len(vin))},
            "use_server_timing": False,
        }
        near.stop()  # the connection starts and stops it
        server.start()
        try:
            with importlib.import_module("udsoncan.client").Client(connection, config=config) as client:
                assert client.change_session(3).positive
                assert client.tester_present().positive
                assert client.read_data_by_identifier_first(0xF190) == vin.decode()
                with pytest.raises(udsoncan.NegativeResponseException, match="ConditionsNotCorrect"):
                    client.ecu_reset(1)
        finally:
            ended.set()
            server.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_canopen_sdo_and_heartbeat(channel: str) -> None:
    canopen = needs("canopen")

    def dictionary() -> Any:
        made = canopen.ObjectDictionary()
        for index, name, kind in ((0x2000, "number", 0x07), (0x2001, "text", 0x09), (0x1017, "heartbeat", 0x06)):
            variable = canopen.objectdictionary.ODVariable(name, index)
            variable.data_type, variable.access_type = kind, "rw"
            made.add_object(variable)
        variable.default = 10  # ms
        return made

    networks = [canopen.Network(), canopen.Network()]
    for network in networks:
        network.connect(interface="canal_fast", channel=channel)
    try:
        local = networks[0].create_node(5, dictionary())
        remote = networks[1].add_node(5, dictionary())
        remote.sdo.RESPONSE_TIMEOUT = LONG
        remote.sdo["number"].raw = 0x12345678
        assert local.sdo["number"].raw == remote.sdo["number"].raw == 0x12345678
        text = "segmented, as it does not fit seven bytes"
        remote.sdo["text"].raw = text
        assert local.sdo["text"].raw == remote.sdo["text"].raw == text
        with pytest.raises(canopen.SdoAbortedError, match="does not exist"):
            remote.sdo.upload(0x3000, 0)
        local.nmt.state = "PRE-OPERATIONAL"
        remote.nmt.wait_for_heartbeat(timeout=LONG)
        local.nmt.state = "OPERATIONAL"  # changes the periodic task's data
        until(lambda: remote.nmt.state == "OPERATIONAL")
        local.nmt.stop_heartbeat()
    finally:
        for network in networks:
            network.disconnect()


# -- python-can's own helpers


def test_notifier_with_threads(buses: tuple[Any, Any]) -> None:
    a, b = buses
    reader, got = can.BufferedReader(), []
    notifier = can.Notifier([a, b], [reader, got.append], timeout=0.05)
    for i in range(200):
        (a, b)[i % 2].send(can.Message(arbitration_id=i, is_extended_id=False))
    until(lambda: len(got) == 200)
    notifier.stop()
    assert sorted(msg.arbitration_id for msg in got) == list(range(200))
    assert reader.get_message(0) is not None


@posix
def test_notifier_with_asyncio(buses: tuple[Any, Any]) -> None:
    a, b = buses

    async def main() -> list[int]:
        reader = can.AsyncBufferedReader()
        before = threading.active_count()
        notifier = can.Notifier(b, [reader], loop=asyncio.get_running_loop())
        assert threading.active_count() == before  # it waits on the bus's descriptor
        for i in range(500):
            a.send(can.Message(arbitration_id=i, is_extended_id=False))
        got = [(await asyncio.wait_for(reader.get_message(), LONG)).arbitration_id for _ in range(500)]
        notifier.stop()
        return got

    assert asyncio.run(main()) == list(range(500))


def test_thread_safe_bus(channel: str) -> None:
    """Several threads send and several receive: each message once."""
    needs("wrapt")
    each, got, done = 200, [], threading.Event()
    with (
        can.ThreadSafeBus(interface="canal_fast", channel=channel) as a,
        can.ThreadSafeBus(interface="canal_fast", channel=channel) as b,
    ):

        def send(first: int) -> None:
            for i in range(first, first + each):
                a.send(can.Message(arbitration_id=i, is_extended_id=False), timeout=LONG)

        def receive() -> None:
            while not done.is_set():
                if (msg := b.recv(0.02)) is not None:
                    got.append(msg.arbitration_id)

        senders = [threading.Thread(target=send, args=(n * each,)) for n in range(3)]
        receivers = [threading.Thread(target=receive) for _ in range(3)]
        for thread in senders + receivers:
            thread.start()
        until(lambda: len(got) == 3 * each)
        done.set()
        for thread in senders + receivers:
            thread.join()
        assert a.state is can.BusState.ACTIVE
    assert sorted(got) == list(range(3 * each))


def test_player(channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = importlib.import_module("can.player")
    frames = cf.make_frames(range(50), [bytes([i]) for i in range(50)], timestamp_ns=range(0, 50_000_000, 1_000_000))
    cf.write_log(tmp_path / "in.pcapng", frames)
    monkeypatch.setattr(sys, "argv", ["can.player", "-i", "canal_fast", "-c", channel, str(tmp_path / "in.pcapng")])
    with can.Bus(interface="canal_fast", channel=channel) as bus:
        player.main()
        got = bus.receive_frames(50, min_frames=50, timeout=LONG)
    assert got["arbitration_id"].tolist() == frames["arbitration_id"].tolist()
    assert got["data"].tolist() == frames["data"].tolist()
    assert (got["timestamp_ns"][1:] - got["timestamp_ns"][:-1]).mean() > 500_000  # played in the recorded time


# -- command lines; each has a virtual bus of its own, with traffic


def start(tmp_path: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-P", "-m", *arguments], cwd=tmp_path, **options)


@posix
def test_logger(tmp_path: Path) -> None:
    name = "out.pcapng"
    arguments = ["-i", "canal_fast", "-c", "virtual:bus0;1000000;rate=2000;seed=1", "--filter", "100:700", "-f", name]
    logger = start(tmp_path, "can.logger", *arguments, stdout=subprocess.PIPE)
    try:
        until(lambda: (tmp_path / name).exists() and (tmp_path / name).stat().st_size > 20_000)
        logger.send_signal(signal.SIGINT)
        output, _ = logger.communicate(timeout=LONG)
    finally:
        logger.kill()
        logger.wait()
    assert b"Connected to CanalBus" in output
    assert logger.returncode == 0
    frames = cf.read_log(tmp_path / name)
    assert len(frames) > 100
    assert (frames["arbitration_id"] & 0x700 == 0x100).all()
    assert abs(frames["timestamp_ns"][-1] / 1e9 - time.time()) < 10 * LONG  # epoch seconds


def screen(tmp_path: Path, *arguments: str, wanted: list[bytes], end: bytes) -> None:
    """Runs a program on a pseudo-terminal until it has shown all that is wanted, then types `end`."""
    pty = importlib.import_module("pty")
    fcntl, struct, termios = (importlib.import_module(name) for name in ("fcntl", "struct", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    program = start(tmp_path, *arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + LONG
    try:
        while not all(text in shown for text in wanted):
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    shown += os.read(ours, 65536)
                except OSError:
                    pytest.fail(f"it ended: {shown.decode(errors='replace')}")
        os.write(ours, end)
        while program.poll() is None:
            assert time.monotonic() < deadline, shown
            with contextlib.suppress(OSError):
                if select.select([ours], [], [], 0.05)[0]:
                    os.read(ours, 65536)
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    assert program.returncode == 0, shown


@posix
def test_viewer(tmp_path: Path) -> None:
    needs("curses")
    bus = "virtual:bus0;1000000;rate=500;ids=0x123-0x123;dlc=4-4"
    screen(tmp_path, "can.viewer", "-i", "canal_fast", "-c", bus, wanted=[b"0x123", b"Time", b"Count"], end=b"q")


@posix
def test_cantools_monitor(tmp_path: Path) -> None:
    needs("curses")
    needs("cantools")
    database = [
        'VERSION ""',
        "BU_: Node",
        "BO_ 291 Engine: 8 Node",
        ' SG_ Sequence : 0|32@1+ (1,0) [0|4294967295] "" Node',
        "",
    ]
    (tmp_path / "bus.dbc").write_text("\n".join(database))
    bus = "virtual:bus0;1000000;rate=500;ids=0x123-0x123;dlc=8-8"
    arguments = ["monitor", "-i", "canal_fast", "-c", bus, "bus.dbc"]
    screen(tmp_path, "cantools", *arguments, wanted=[b"Engine", b"Sequence"], end=b"q")
