"""What `import canal_fast` loads, and what it offers without having loaded it."""

from __future__ import annotations

import ast
import importlib
import os
import pickle
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import canal_fast as cf
from canal_fast.cli.parsers import COMMANDS

STUB = ast.parse((Path(cf.__file__).with_suffix(".pyi")).read_text(encoding="utf-8"))
HOMES = {
    alias.name: node.module for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names
}  # what type checkers take each name from


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})


def loaded(*arguments: str) -> set[str]:
    """Modules that a run of Python imports, as -X importtime tells."""
    told = python("-X", "importtime", *arguments).stderr
    found = {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}
    assert "canal_fast" in found, told
    return found


def test_import_loads_no_wing() -> None:
    found = loaded("-c", "import canal_fast")
    assert {name for name in found if name.startswith("canal_fast")} == {"canal_fast", "canal_fast._version"}
    assert not found & {"numpy", "asyncio", "ctypes", "pathlib"}


def test_a_wing_is_loaded_when_it_is_used() -> None:
    found = loaded("-c", "import canal_fast as cf; cf.wire.encode")
    assert {"canal_fast.wire._wire", "canal_fast.frames", "numpy"} <= found
    assert not {name for name in found if re.match(r"canal_fast\.(live|logs|signals|simulation|logger)\b", name)}


def test_a_channel_needs_no_event_loop() -> None:
    assert "asyncio" not in loaded("-c", "import canal_fast as cf; cf.Channel.virtual('start').close()")


def test_names_are_those_of_their_homes() -> None:
    assert set(HOMES) | {"get_include"} == set(cf.__all__)
    for name, home in HOMES.items():
        value = getattr(cf, name)
        assert value is (
            importlib.import_module(f"canal_fast.{name}")
            if home == "canal_fast"
            else getattr(importlib.import_module(str(home)), name)
        )
        assert getattr(cf, name) is value


def test_type_checkers_are_told_the_same_list() -> None:
    (told,) = (node.value for node in STUB.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(told) == cf.__all__ == sorted(set(cf.__all__))


def test_dir_and_star_and_help_have_all() -> None:
    program = "import canal_fast as cf\nprint(*dir(cf))\nfrom canal_fast import *\nprint(*globals())"
    before, star = python("-c", program).stdout.splitlines()
    assert set(cf.__all__) | {"errors", "live", "doctor"} <= set(before.split())
    assert set(cf.__all__) <= set(star.split())
    text = pydoc.plain(pydoc.render_doc(cf))
    assert [name for name in cf.__all__ if not re.search(rf"\b{name}\b", text)] == [
        "__version__"
    ]  # a section of its own
    assert f"VERSION\n    {cf.__version__}" in text


def test_modules_are_reached_by_themselves() -> None:
    for name in ("dataframes", "doctor", "drivers", "errors", "frames", "live", "messages"):
        assert getattr(cf, name) is importlib.import_module(f"canal_fast.{name}")


@pytest.mark.parametrize("name", ["read_logs", "_gate_of", "__wrapped__", "pytest_plugins"])
def test_other_names_are_missing(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'canal_fast' has no attribute '{name}'"):
        getattr(cf, name)
    assert not hasattr(cf, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from 'canal_fast'"):
        exec(f"from canal_fast import {name}")


def test_a_misspelt_name_is_set_right() -> None:
    assert "Did you mean: 'read_log'?" in python("-c", "import canal_fast as cf; cf.raed_log").stderr


@pytest.mark.parametrize("name", ["Channel", "FrameFlag", "read_log", "BitTiming", "LogFormatError", "FRAME_DTYPE"])
def test_pickles(name: str) -> None:
    data = pickle.dumps(getattr(cf, name))
    assert pickle.loads(data) == getattr(cf, name)
    code = f"import canal_fast as cf, pickle; assert pickle.loads({data!r}) == cf.{name}; print('same')"
    assert python("-c", code).stdout == "same\n"


def test_threads_that_come_first_get_the_same() -> None:
    program = """
import canal_fast as cf, threading
barrier, found = threading.Barrier(8), [None] * 8
def take(number):
    names = cf.__all__[number * 8 :] + cf.__all__[: number * 8]  # each begins elsewhere
    barrier.wait()
    found[number] = {name: id(getattr(cf, name)) for name in names}
threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert all(row == found[0] and len(row) == len(cf.__all__) for row in found)
print("same")
"""
    done = python("-c", program)
    assert done.stdout == "same\n", done.stderr


def test_where_threads_run_already_all_is_loaded_at_once() -> None:
    program = """
import sys, threading
ending = threading.Event()
thread = threading.Thread(target=ending.wait)
thread.start()
import canal_fast as cf
print([name for name in cf.__all__ if name not in vars(cf)])
ending.set()
"""
    assert python("-c", program).stdout == "[]\n"


@pytest.fixture
def broken_numpy(tmp_path: Path) -> str:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('numpy is broken here')")
    return str(tmp_path)


def test_what_cannot_be_loaded_says_why(broken_numpy: str) -> None:
    program = "import canal_fast as cf\ntry: cf.read_log\nexcept ImportError as error: print(error)"
    assert python("-c", program, PYTHONPATH=broken_numpy).stdout == "numpy is broken here\n"
    done = python("-m", "canal_fast", "stat", "x.log", PYTHONPATH=broken_numpy)
    assert (done.returncode, done.stderr) == (1, "canal-fast stat: numpy is broken here\n")


def test_warnings_without_a_handler_are_silent() -> None:
    done = python("-c", "import canal_fast, logging; logging.getLogger('canal_fast').warning('heard')")
    assert done.stderr == ""


def test_at_exit_channels_are_open_for_what_was_registered_after_the_import() -> None:
    program = """
import atexit, canal_fast as cf
atexit.register(lambda: print(len(channel.receive(timeout=0))))  # of a closed one it would raise
channel = cf.Channel.virtual("start-exit")
"""
    done = python("-c", program)
    assert (done.stdout, done.stderr) == ("0\n", "")


LINES: list[list[str]] = [
    ["--version"], ["--help"], [], ["nonsense"], ["log", "--frames", "x"], ["log", "--filter", "1"],
    ["log", "--source", "can0"], ["log", "--source", "socketcan:can0,bitrate=5"], ["convert", "a", "b", "--start", "x"],
    ["stat", "x", "--sort", "y"], ["filters", "--ids", "1", "--controller", "y"], ["filters", "--ids", "z"],
    ["timing", "fast"], ["play", "x"], ["monitor", "--sort", "y"], ["waveform"], ["response"], ["simulate"],
    *([name, "--help"] for name in COMMANDS),
]  # fmt: skip


def test_help_and_wrong_usage_need_no_numpy() -> None:
    program = f"""
import contextlib, io, sys
from canal_fast.__main__ import main
for line in {LINES!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = main(line)
        except SystemExit as ended:
            code = ended.code
    assert code in (0, 2), line
    assert "numpy" not in sys.modules, line
print("none")
"""
    done = python("-c", program)
    assert done.stdout == "none\n", done.stderr


def test_names_known_without_their_tables() -> None:
    """What help and completion list is what the tables hold."""
    from canal_fast.analysis.design_controllers import ALIASES
    from canal_fast.analysis.design_controllers import CONTROLLERS as FILTERED
    from canal_fast.analysis.recordings import USUAL
    from canal_fast.bittiming import CONTROLLERS
    from canal_fast.bittiming.numbers import DEFAULT_LOOP_DELAY_NS
    from canal_fast.cli import stat
    from canal_fast.cli.parsers import names
    from canal_fast.drivers._profiles import profiles
    from canal_fast.live.sources import _KINDS
    from canal_fast.logger.view import SORTS

    rows: list[tuple[Any, Any]] = [
        (names.TIMING_CONTROLLERS, {name: row.title for name, row in CONTROLLERS.items()}),
        (names.FILTER_CONTROLLERS, {name: row.title for name, row in FILTERED.items()}),
        (names.FILTER_ALIASES, tuple(ALIASES)),
        (names.FORMATS_READ, tuple(row.name for row in cf.logs.formats() if row.reads)),
        (names.FORMATS_WRITTEN, tuple(row.name for row in cf.logs.formats() if row.writes)),
        (names.PROFILES, tuple(row["name"] for row in profiles())),
        ([kind.rstrip(":=") for kind in names.SOURCE_KINDS], list(_KINDS)),
        (names.STAT_SORTS, tuple(stat.SORTS)),
        (names.MONITOR_SORTS, tuple(SORTS)),
        (names.USUAL_BITRATE, USUAL),
        (names.LOOP_DELAY_NS, DEFAULT_LOOP_DELAY_NS),
    ]
    for ours, real in rows:
        assert ours == real
