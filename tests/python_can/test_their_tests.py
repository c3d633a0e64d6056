"""python-can's own tests with its "virtual" interface taken for ours, from outside: unpacked at run time, never copied.

They are LGPL and come with the source distribution that CANAL_FAST_PYTHON_CAN_SDIST names, or that pip fetches.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")

VERSION = "4.6.1"
FILES = [
    "back2back_test",
    "notifier_test",
    "listener_test",
    "simplecyclic_test",
    "network_test",
    "test_message_filtering",
    "contextmanager_test",
    "test_bus",
    "zero_dlc_test",
    "test_interface_virtual",
]
RUN = 66  # on python-can's own bus
THREAD = "reads task.thread: one native thread serves all tasks of a bus"
EXPECTED = {
    "SimpleCyclicSendTaskTest.test_cycle_time": "counts what waits in VirtualBus's own attribute `queue`",
    "SimpleCyclicSendTaskTest.test_managed_tasks": THREAD,
    "SimpleCyclicSendTaskTest.test_removing_bus_tasks": THREAD,
    "SimpleCyclicSendTaskTest.test_restart_perodic_tasks": "asks for python-can's class of Python threads",
    "SimpleCyclicSendTaskTest.test_stopping_perodic_tasks": THREAD,
    "TestMessageFiltering.test_sendmsg_preserve_timestamp": "a bus stamps what it carries with its own time",
}
"""Those that fail, and why."""
CONFTEST = """
import itertools
import sys
import types

import can.interfaces
from canal_fast.python_can.bus import CanalBus

names, numbers = {}, itertools.count()


class MappedBus(CanalBus):
    def __init__(self, channel=None, **options):
        key = channel if isinstance(channel, (str, int, type(None))) else id(channel)
        number = names.setdefault(key, next(numbers))
        super().__init__(channel=f"virtual:their{number}", **options)
        self.channel = channel


module = types.ModuleType("canal_fast_mapped")
module.MappedBus = MappedBus
sys.modules[module.__name__] = module
can.interfaces.BACKENDS["virtual"] = (module.__name__, "MappedBus")
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the unpacked tests."""
    folder = tmp_path_factory.mktemp("theirs")
    source = os.environ.get("CANAL_FAST_PYTHON_CAN_SDIST")
    if source is None:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "python-can"]
        subprocess.run([*command, "-d", str(folder), f"python-can=={VERSION}"], capture_output=True, check=False)
        found = list(folder.glob("python_can-*.tar.gz"))
        if not found:
            pytest.skip(f"NOT RUN: no source distribution of python-can {VERSION} (CANAL_FAST_PYTHON_CAN_SDIST)")
        source = str(found[0])
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"python_can-{VERSION}"


def outcomes(folder: Path, mapped: bool) -> dict[str, str]:
    """Test -> passed, failed or skipped."""
    conftest = folder / "conftest.py"
    conftest.write_text(CONFTEST if mapped else "")
    report = folder / "report.xml"
    subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", folder]
        + [f"--confcutdir={folder}", f"--junitxml={report}", "-k", "not Multicast"]  # of UDP, where msgpack is
        + [f"test/{name}.py" for name in FILES],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "CI"},  # where they skip some
        check=False,
        timeout=600,
    )
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        children = {child.tag for child in case}
        kind = "failed" if children & {"failure", "error"} else "skipped" if "skipped" in children else "passed"
        found[f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"] = kind
    return found


def test_the_manual_names_those_that_fail() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "python_can.md").read_text(encoding="utf-8")
    assert all(f"`{name.rpartition('.')[2]}`" in text for name in EXPECTED)


@pytest.mark.slow
@pytest.mark.skipif(can.__version__ != VERSION, reason=f"NOT RUN: python-can is {can.__version__}, not {VERSION}")
def test_their_tests_pass_on_our_bus(theirs: Path) -> None:
    own = {name for name, kind in outcomes(theirs, False).items() if kind == "passed"}
    assert len(own) == RUN
    ours = outcomes(theirs, True)
    assert {name for name in own if ours.get(name) != "passed"} == set(EXPECTED)
