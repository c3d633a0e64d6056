"""The floors: imports only go down, and each header compiles alone, as C and as C++."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

TREE = Path(__file__).resolve().parent.parent
HEADERS = sorted((TREE / "include" / "canal_fast").glob("*.h"))
GLUE = sorted((TREE / "canal_fast").glob("_*.pyx"))
FACADE = sorted([*(TREE / "canal_fast").glob("*.py"), *(TREE / "canal_fast" / "cli").glob("*.py")])
PLUGIN = sorted((TREE / "canal_fast" / "python_can").glob("*.py"))  # python-can asks for it, and is there then
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.M)

# Which headers may include operating-system headers, and which.
LOADING = {"dlfcn.h", "stdio.h", "stdlib.h"}
THREADING = {"pthread.h", "time.h", "errno.h", "stdlib.h", "signal.h"}
WAKING = {"sys/eventfd.h", "fcntl.h", "poll.h", "unistd.h"}
SPAWNING = {"errno.h", "signal.h", "spawn.h", "stdio.h", "sys/mman.h", "sys/wait.h"}
SYSTEM_ALLOWED = {
    "library.h": LOADING,
    "windows_api.h": {"windows.h"},
    "devnodes.h": {"cfgmgr32.h"},
    "thread_posix.h": THREADING,
    "thread_windows.h": THREADING,
    "bell.h": WAKING,
    "process_posix.h": SPAWNING,
    "process_windows.h": SPAWNING,
}
PLAIN = {
    "stddef.h",
    "stdint.h",
    "string.h",
    "stdatomic.h",
    "atomic",
    "intrin.h",
    "immintrin.h",
    "cpuid.h",
    "stdlib.h",
    "limits.h",
    "inttypes.h",
}
# Who may include the threading and the loading header.
RESTRICTED = {
    "windows_api.h": {"library.h", "convention.h", "devnodes.h", "thread_windows.h", "bell.h"},
    "thread_posix.h": {"thread.h"},
    "thread_windows.h": {"thread.h"},
    "thread.h": {"consumer.h"},
    "library.h": {"reader.h"},
    "convention.h": {"library.h"},
    "bell.h": {"consumer.h", "process_posix.h", "process_windows.h"},
    "process_posix.h": {"process.h"},
    "process_windows.h": {"process.h"},
    "process.h": {"bridge_calls.h", "host.h"},
    "consumer.h": {"reader.h"},
    "reader.h": {"reader_drain.h"},
    "reader_drain.h": {"reader_thread.h"},
    "reader_thread.h": {"channel.h"},
    "channel.h": {"control.h"},
    "control.h": {"periodic.h", "bridge_share.h"},
    "bridge_share.h": {"bridge_calls.h", "host.h"},
    "bridge_calls.h": {"bridge.h"},
}


def includes(path: Path) -> list[tuple[str, str]]:
    return INCLUDE.findall(path.read_text())


@pytest.mark.parametrize("header", HEADERS, ids=lambda p: p.name)
def test_header_includes_only_below(header: Path) -> None:
    for quote, name in includes(header):
        if quote == '"':
            assert (header.parent / name).is_file(), f"{header.name} includes {name}, which is not a sibling"
            assert header.name in RESTRICTED.get(name, {header.name}), f"{header.name} may not include {name}"
        else:
            allowed = PLAIN | SYSTEM_ALLOWED.get(header.name, set())
            assert name in allowed, f"{header.name} includes <{name}>"


def test_headers_have_no_cycle() -> None:
    graph = {h.name: [n for q, n in includes(h) if q == '"'] for h in HEADERS}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for below in graph[name]:
                visit(below, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("source", sorted((TREE / "canal_fast" / "drivers").glob("*.c")), ids=lambda p: p.name)
def test_drivers_know_no_python(source: Path) -> None:
    assert not [n for _, n in includes(source) if n.startswith(("Python", "numpy"))]


@pytest.mark.parametrize("glue", GLUE, ids=lambda p: p.name)
def test_glue_cimports_only_below(glue: Path) -> None:
    for module in re.findall(r"^\s*(?:from\s+(\S+)\s+cimport|cimport\s+(\S+))", glue.read_text(), re.M):
        name = module[0] or module[1]
        assert name.split(".")[0] in {"canal_fast", "cpython", "libc", "cython"}, f"{glue.name} cimports {name}"
        if name.startswith("canal_fast"):
            below = name.startswith("canal_fast.capi") or name == "canal_fast._gate"
            assert below, f"{glue.name} cimports {name}"


@pytest.mark.parametrize("glue", GLUE, ids=lambda p: p.name)
def test_glue_imports_no_facade(glue: Path) -> None:
    for module in re.findall(r"^\s*(?:from\s+(\S+)\s+import|import\s+(\S+))", glue.read_text(), re.M):
        name = module[0] or module[1]
        if name.startswith("canal_fast"):
            assert name in {"canal_fast.errors", "canal_fast._gate"}, f"{glue.name} imports {name}"


def test_errors_import_nothing_of_ours() -> None:
    names = imported(TREE / "canal_fast" / "errors.py")
    assert not [n for n in names if n.startswith("canal_fast")]


@pytest.mark.parametrize("facade", [*FACADE, *PLUGIN], ids=lambda p: p.name)
def test_facade_needs_only_numpy(facade: Path) -> None:
    """Everything else is an extra, imported inside the function that needs it; so is the plugin."""
    import sys

    allowed = {"numpy", "canal_fast"} | ({"can"} if facade in PLUGIN else set())
    for name in imported(facade, top_level=True):
        root = name.split(".")[0]
        assert root in allowed or root in sys.stdlib_module_names, f"{facade.name} imports {name}"
        assert facade in PLUGIN or not name.startswith("canal_fast.python_can"), f"{facade.name} imports {name}"


def imported(path: Path, top_level: bool = False) -> list[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else list(ast.walk(tree))
    names: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


@pytest.mark.parametrize("language", ["c11", "c++17"])
@pytest.mark.parametrize("name", [h.name for h in HEADERS])
def test_header_compiles_alone(name: str, language: str, include_dir: Path, tmp_path: Path) -> None:
    compiler = shutil.which("g++" if language == "c++17" else "gcc")
    if compiler is None:
        pytest.skip(f"NOT RUN: no compiler for {language}")
    source = tmp_path / ("alone.c" if language == "c11" else "alone.cpp")
    source.write_text(f"#include <canal_fast/{name}>\nint main(void) {{ return 0; }}\n")
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-std={language}", "-fsyntax-only", f"-I{include_dir}"]
    run = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("language", ["c11", "c++17"])
def test_headers_compile_together(language: str, include_dir: Path, tmp_path: Path) -> None:
    """No two headers give one name two meanings."""
    compiler = shutil.which("g++" if language == "c++17" else "gcc")
    if compiler is None:
        pytest.skip(f"NOT RUN: no compiler for {language}")
    source = tmp_path / ("all.c" if language == "c11" else "all.cpp")
    source.write_text("".join(f"#include <canal_fast/{h.name}>\n" for h in HEADERS) + "int main(void) { return 0; }\n")
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-std={language}", "-fsyntax-only", f"-I{include_dir}"]
    run = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
