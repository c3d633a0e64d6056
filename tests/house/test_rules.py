"""The rules of the house hold here, and each goes red where it is broken on purpose."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import house_rules
import pytest
from house_rules import EXCEPTIONS, RULES

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

# What breaks each rule: a file, and what is appended to it (or what it is, if it is new).
BREAKS: dict[str, list[tuple[str, str]]] = {
    "folders_are_wings": [("include/canal_fast/misc/a.h", ""), ("canal_fast/utils/a.py", "")],
    "headers_include_down": [
        ("include/canal_fast/logs/state.h", '#include "../wire/layout.h"\n'),
        ("include/canal_fast/wire/crc.h", '#include "../live/ring.h"\n'),
        ("include/canal_fast/live/ring.h", "#include <pthread.h>\n"),
        ("include/canal_fast/live/ring.h", '#include "nothing.h"\n'),
        ("include/canal_fast/live/reader.h", '#include "../live.h"\n'),
        ("include/canal_fast/wire.h", '#include "logs/state.h"\n'),
        ("include/canal_fast/base.h", '#include "wire/crc.h"\n'),
    ],
    "doors_only_include": [("include/canal_fast/logs.h", "enum { CF_DOOR = 1 };\n")],
    "headers_have_no_cycle": [("include/canal_fast/wire/crc.h", '#include "layout.h"\n')],
    "callers_do_not_know_the_driver": [
        ("include/canal_fast/live/port.h", '#include "reader.h"\n'),
        ("include/canal_fast/live/host_link.h", '#include "driver.h"\n'),
        ("include/canal_fast/live/periodic.h", '#include "port_thread.h"\n'),
        ("include/canal_fast/live/request.h", '#include "../drivers/profile.h"\n'),
    ],
    "shipped_drivers_include_down": [
        ("canal_fast/drivers/virtual/virtual.c", '#include "../../../include/canal_fast/live/ring.h"\n'),
        ("canal_fast/drivers/virtual/virtual_bus.h", "#include <Python.h>\n"),
        ("canal_fast/drivers/socketcan/socketcan.c", '#include "../../../include/canal_fast/wire.h"\n'),
    ],
    "declarations_mirror_their_wing": [
        ("canal_fast/capi/wire.pxd", 'cdef extern from "canal_fast/logs/state.h" nogil:\n    pass\n'),
        ("canal_fast/capi/wire.pxd", "from canal_fast.capi.live cimport cf_ledger\n"),
        ("canal_fast/capi/oddments.pxd", 'cdef extern from "canal_fast/base.h" nogil:\n    pass\n'),
    ],
    "glue_goes_down": [
        ("canal_fast/wire/_wire.pyx", "from canal_fast.capi.live cimport cf_ledger\n"),
        ("canal_fast/wire/_wire.pyx", "from canal_fast.capi cimport live\n"),
        ("canal_fast/wire/_wire.pyx", "from canal_fast.frames import check_frames\n"),
        ("canal_fast/wire/_wire.pyx", "from . import lengths\n"),
        ("canal_fast/live/_live.pyx", "from canal_fast.wire._wire cimport Loan\n"),
        ("canal_fast/_frames.pyx", "cimport numpy\n"),
    ],
    "glue_has_no_public_names": [
        ("canal_fast/wire/_wire.pyx", 'def f():\n    """Does it.\n\n    Returns\n    -------\n    int\n    """\n'),
    ],
    "facade_goes_down": [
        ("canal_fast/wire/codec.py", "from canal_fast.live.channel import Channel\n"),
        ("canal_fast/wire/codec.py", "from canal_fast import FrameFlag\n"),
        ("canal_fast/wire/codec.py", "def late():\n    from canal_fast.logs import read_log\n"),
        ("canal_fast/wire/codec.py", "from canal_fast.wire.lengths import bus_load\n"),
        ("canal_fast/logs/reading.py", "from ..frames import check_frames\n"),
        ("canal_fast/frames.py", "from canal_fast.wire import encode\n"),
        ("canal_fast/dataframes/export.py", "from canal_fast.logs.reading import read_log\n"),
        ("canal_fast/frames.py", "from canal_fast.cli.log import run\n"),
    ],
    "facade_needs_only_numpy": [
        ("canal_fast/wire/drawing.py", "import matplotlib\n"),
        ("canal_fast/messages.py", "import can\n"),
        ("canal_fast/cli/log.py", "from canal_fast.python_can.bus import CanalBus\n"),
    ],
    "errors_import_nothing_of_ours": [("canal_fast/errors.py", "from canal_fast.frames import FRAME_DTYPE\n")],
    "small_files": [
        ("include/canal_fast/wire/crc.h", "int x;\n" * 301),
        ("canal_fast/wire/codec.py", "x = 1\n" * 301),
        ("canal_fast/_frames.pyx", "x = 1\n" * 301),
    ],
    "comments_name_headers_that_are_there": [("include/canal_fast/wire/crc.h", "/* as in wire_crc.h */\n")],
    "orders_are_argued": [
        ("include/canal_fast/live/ring.h", "\ncf_atomic_u64_load_acquire(&ring->written);\n"),
        ("include/canal_fast/live/ring.h", "\n/* release */\ncf_atomic_u64_load_acquire(&ring->written);\n"),
        (
            "include/canal_fast/live/ring.h",
            "\nx; /* acquire */\n1;\n2;\n3;\n4;\ncf_atomic_u64_load_acquire(&ring->x);\n",
        ),
        ("include/canal_fast/live/ring.h", "\ncf_atomic_u64_store_release(&ring->written, 1);\n"),
        ("include/canal_fast/live/ring.h", "\ncf_atomic_fence();\n"),
    ],
    "short_lines": [
        ("canal_fast/wire/codec.py", "# " + "x" * 120 + "\n"),
        ("tests/conftest.py", "# " + "x" * 120 + "\n"),
    ],
}


@pytest.mark.parametrize("name", RULES)
def test_rule(name: str, tree: Path) -> None:
    assert not house_rules.broken(name, tree)


@pytest.fixture(scope="session")
def copy(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, to be broken and mended again."""
    target = tmp_path_factory.mktemp("house")
    for folder in ("include", "canal_fast", "tests", "benchmarks"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so", "data", "[_]*.c")
        shutil.copytree(tree / folder, target / folder, ignore=ignored)
    return target.resolve()


@pytest.mark.parametrize(
    ("name", "place", "text"),
    [(name, *row) for name, rows in BREAKS.items() for row in rows],
    ids=lambda value: value.strip().splitlines()[0][:40] if isinstance(value, str) and value.strip() else "",
)
def test_rule_goes_red(name: str, place: str, text: str, copy: Path) -> None:
    path = copy / place
    before = path.read_text() if path.is_file() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text((before or "") + text)
    try:
        assert house_rules.broken(name, copy)
    finally:
        if before is not None:
            path.write_text(before)
        elif (path.unlink() or path.parent).name not in {"capi"}:
            path.parent.rmdir()


def test_every_rule_is_broken_somewhere() -> None:
    assert BREAKS.keys() == RULES.keys()


def test_every_exception_is_needed(tree: Path) -> None:
    for name, text in EXCEPTIONS:
        assert [said for said in RULES[name](tree) if said.startswith(text)], f"nothing breaks {name} any more: {text}"


@pytest.mark.parametrize("found", [house_rules.headers, house_rules.facade, house_rules.glue])
def test_nothing_is_hollow(found: Callable[[Path], list[Path]], tree: Path) -> None:
    """Globs that find nothing would keep every rule green."""
    assert len(found(tree)) > 10
