"""Every request to a driver: alike in this process and in a host; a new one is one row and one case."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_table import Row, build

import canal_fast as cf
from canal_fast.live.host import host_program

pytestmark = pytest.mark.skipif(not host_program(None).is_file(), reason="NOT RUN: no canal_host was built")

FILTERS = [{"can_id": 1, "can_mask": 1}]


def versions(channel: cf.Channel) -> Any:
    driver = channel.driver
    return driver.level, driver.version, driver.dll_version, driver.vendor, driver.info


def stop(channel: cf.Channel) -> None:
    channel.stop()
    channel.stop()


def close(channel: cf.Channel) -> None:
    channel.close()
    channel.close()


# By the request's name; what it gives is compared, and so is the ledger after it.
QUESTIONS: dict[str, Callable[[cf.Channel], Any]] = {
    "LOAD": lambda channel: (channel.driver.path, channel.driver.capabilities),
    "OPEN": lambda channel: (channel.driver.profile, channel.driver.layout),
    "STOP": stop,
    "CLOSE": close,
    "SEND": lambda channel: channel.send(cf.make_frames([1, 2, 3]), timeout=0.1),
    "STATUS": lambda channel: channel.status(),
    "STATISTICS": lambda channel: channel.statistics(),
    "SET_FILTER": lambda channel: channel._open_port().set_filter(3),
    "SET_MASK": lambda channel: channel._open_port().set_mask(3),
    "SET_BAUDRATE": lambda channel: channel.set_driver_baudrate(3),
    "VERSIONS": versions,
    "TRANSMIT_PENDING": lambda channel: channel.drain(0.1),
}


def requests(tree: Path) -> list[str]:
    text = (tree / "include" / "canal_fast" / "live" / "request.h").read_text()
    return re.findall(r"X\((\w+), \d+\)", text)


def test_each_request_has_a_question(tree: Path) -> None:
    assert requests(tree) == [*QUESTIONS, "FREE"]


def outcome(question: Callable[[cf.Channel], Any], channel: cf.Channel, repeat: bool) -> Any:
    """What the question gives, and gives after the end; errors as their words."""
    said: list[Any] = []
    for turn in range(2):
        try:
            said.append(question(channel))
        except (cf.CanalFastError, OSError) as error:
            said.append((type(error), str(error)))
        if turn == 0:
            said.append((channel.ledger().sent, channel.ledger().send_rejected))
            channel.close()
    return said if repeat else said[:2]


@pytest.mark.posix
@pytest.mark.parametrize("driver", ["virtual", "by the book", "no optional functions"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_alike_in_process_and_in_a_host(name: str, driver: str, fakes: Path) -> None:
    if driver == "virtual":
        path, config = Path("virtual"), "requests;500000;clock=step"
    else:
        path, config = build(Row(driver, macros="" if driver == "by the book" else "-DFAKE_FOUR"), fakes), "frames=0"
    said = []
    for bridge in ("never", "always"):
        with cf.Channel(path, config, bridge=bridge, filters=FILTERS) as channel:  # type: ignore[arg-type]
            said.append(outcome(QUESTIONS[name], channel, name not in {"LOAD", "OPEN", "VERSIONS"}))
    assert said[0] == said[1]


PROGRAM = """
#include "open_port.h"

int main(int count, char **arguments)
{
    cf_open_question question = question_of("added;1000000;frames=5", "virtual");
    cf_status status;
    int i;
    for (i = 0; i < 2 && count == 3; i++) {
        cf_port *port = open_port(arguments[1], i ? arguments[2] : NULL, &question, NULL, 0, 64, &status);
        uint64_t result = 99;
        long code;
        char none;
        if (port == NULL)
            return 2;
        status = cf_port_inquire(port, CF_ASK_DATA_AVAILABLE, &none, 0, &result, &code);
        printf("%d %d\\n", (int)status, (int)(result < 6));
        end_port(port);
    }
    return 0;
}
"""


@pytest.mark.slow
@pytest.mark.unsanitized
def test_a_question_is_added_by_one_row_and_one_case(tree: Path, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("NOT RUN: no gcc")
    shutil.copytree(tree / "include", tmp_path / "include")
    live = tmp_path / "include" / "canal_fast" / "live"
    edits = {
        "request.h": ("    X(FREE, 0)", "    X(DATA_AVAILABLE, 10)  \\\n    X(FREE, 0)"),
        "driver_calls.h": (
            "    case CF_ASK_FREE:",
            "    case CF_ASK_DATA_AVAILABLE:\n"
            "        request->result = (uint64_t)CF_CANAL(&driver->library, data_available, (driver->reader.handle));\n"
            "        return CF_OK;\n    case CF_ASK_FREE:",
        ),
    }
    for name, (before, after) in edits.items():
        text = (live / name).read_text()
        assert text.count(before) == 1
        (live / name).write_text(text.replace(before, after))
    (tmp_path / "added.c").write_text(PROGRAM)
    for source, target in ((tmp_path / "added.c", "added"), (tree / "canal_fast" / "canal_host.c", "host")):
        flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{live.parents[1]}", f"-I{tree / 'tests/c'}"]
        subprocess.run(["gcc", *flags, str(source), "-o", str(tmp_path / target), "-ldl"], check=True, timeout=120)
    command = [str(tmp_path / "added"), str(cf.drivers.library.VIRTUAL), str(tmp_path / "host")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0 1\n0 1\n"), done.stderr
