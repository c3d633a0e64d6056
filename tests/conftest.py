"""Shared by all tests. They run against the installed package, never the tree beside them."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from canal_ctypes import load
from hypothesis import HealthCheck, settings

import canal_fast

TREE = Path(__file__).resolve().parent.parent
WINDOWS = sys.platform == "win32"

# Tests assert no times, and machines stall.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


RUN = "CANAL_FAST_TEST_RUN"  # in the environment of every process that the tests start


def pytest_configure(config: pytest.Config) -> None:
    if not getattr(config.option, "numprocesses", None):  # what xdist's workers leave behind, they look for
        os.environ[RUN] = str(os.getpid())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job inherits it so, and would pass it on
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGQUIT") and signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def left_behind() -> list[tuple[int, str]]:
    """Processes of this run that still live, by number and command; Linux only."""
    wanted, found = f"{RUN}={os.getpid()}".encode(), []
    for folder in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else []:
        try:
            if int(folder.name) != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append((int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """No test leaves a process behind."""
    deadline = time.monotonic() + 5
    while (left := left_behind()) and time.monotonic() < deadline:
        time.sleep(0.05)
    for number, command in left:
        print(f"\nLEFT BEHIND and killed: {number} {command}")
        os.kill(number, signal.SIGKILL)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WINDOWS and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="NOT RUN: needs POSIX (fork, signals, limits or device files)"))


collect_ignore = (
    [
        "live/test_bridge.py",
        "live/test_hanging.py",
        "drivers/test_socketcan.py",
        "drivers/test_socketcan_trouble.py",
    ]
    if WINDOWS
    else []
)


def pytest_report_header() -> list[str]:
    lines = [f"canal_fast {canal_fast.__version__} from {Path(canal_fast.__file__).parent}"]
    return lines + [f"NOT RUN, since they are of POSIX systems: {', '.join(collect_ignore)}"] * bool(collect_ignore)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def samples(data_dir: Path) -> Path:
    """Recordings as others write them."""
    return data_dir / "recordings"


@pytest.fixture(scope="session")
def tree() -> Path:
    """The source tree, for tests that read sources."""
    return TREE


@pytest.fixture(scope="session")
def include_dir() -> Path:
    return Path(canal_fast.get_include())


@pytest.fixture(scope="session")
def canal() -> ctypes.CDLL:
    """The virtual driver as a bare library."""
    drivers = Path(canal_fast.__file__).parent / "drivers"
    return load(next(p for p in drivers.iterdir() if p.name in {"canal_virtual.so", "canal_virtual.dll"}))


@pytest.fixture
def opened(canal: ctypes.CDLL) -> Iterator[Callable[..., int]]:
    """Opens handles of the virtual driver, and closes them after the test."""
    handles: list[int] = []

    def call(config: str, flags: int = 0) -> int:
        handle = int(canal.CanalOpen(config.encode(), flags))
        assert handle > 0, canal.CanalVirtualLastError().decode()
        handles.append(handle)
        return handle

    yield call
    for handle in handles:
        canal.CanalClose(handle)


@pytest.fixture(scope="session")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the fake driver libraries that tests build (fake_table.py)."""
    return tmp_path_factory.mktemp("fakes")


_bus_numbers = itertools.count()


@pytest.fixture
def bus() -> str:
    """Name of a bus that no other test uses."""
    return f"test{next(_bus_numbers)}"


@pytest.fixture
def pair(bus: str) -> Iterator[tuple[canal_fast.Channel, canal_fast.Channel]]:
    with canal_fast.Channel.virtual(bus) as a, canal_fast.Channel.virtual(bus) as b:
        yield a, b
