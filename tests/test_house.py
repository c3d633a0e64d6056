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
INCLUDE_DIR = TREE / "include" / "canal_fast"
HEADERS = sorted(INCLUDE_DIR.rglob("*.h"))
GLUE = sorted((TREE / "canal_fast").rglob("_*.pyx"))
PLUGIN = sorted((TREE / "canal_fast" / "python_can").glob("*.py"))
FACADE = sorted(set((TREE / "canal_fast").rglob("*.py")) - set(PLUGIN))  # python-can asks for it, and is there then
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.M)

# What the headers of a wing may include besides their own (design: wings). Headers in the hall itself are the ground.
MAY_INCLUDE = {
    "ground": set(),
    "system": {"ground"},
    "drivers": {"ground", "system"},
    "live": {"ground", "system", "drivers"},
    "wire": {"ground"},
    "bittiming": {"ground"},
    "logs": {"ground"},
}
STANDARD = {"stddef.h", "stdint.h", "string.h", "stdlib.h", "limits.h", "inttypes.h", "stdio.h", "time.h", "errno.h"}
COMPILER = {"stdatomic.h", "atomic", "intrin.h", "immintrin.h", "cpuid.h"}
DOORS = {f"{wing}.h" for wing in MAY_INCLUDE}  # <canal_fast/wire.h>: includes only, of the wing


def wing(header: Path) -> str:
    folder = header.parent.name
    return "ground" if folder == "canal_fast" else folder


def includes(path: Path) -> list[tuple[str, str]]:
    return INCLUDE.findall(path.read_text())


def name_of(header: Path) -> str:
    return header.relative_to(INCLUDE_DIR).as_posix()


@pytest.mark.parametrize("header", HEADERS, ids=name_of)
def test_header_includes_only_below(header: Path) -> None:
    for quote, name in includes(header):
        if quote == "<":
            assert name in STANDARD | COMPILER or wing(header) == "system", f"{name_of(header)} includes <{name}>"
            continue
        below = (header.parent / name).resolve()
        assert below in HEADERS, f"{name_of(header)} includes {name}, which is not there"
        if name_of(header) in DOORS:
            assert wing(below) == header.stem, f"{name_of(header)} is a door and includes {name}"
        elif wing(below) != wing(header):
            assert wing(below) in MAY_INCLUDE[wing(header)], f"{name_of(header)} may not include {name}"
            assert name_of(below) not in DOORS, f"{name_of(header)} includes the door {name}"


def test_headers_have_no_cycle() -> None:
    graph = {h: [(h.parent / n).resolve() for q, n in includes(h) if q == '"'] for h in HEADERS}
    done: set[Path] = set()

    def visit(header: Path, path: tuple[Path, ...]) -> None:
        assert header not in path, " -> ".join(map(name_of, (*path, header)))
        if header not in done:
            for below in graph[header]:
                visit(below, (*path, header))
            done.add(header)

    for header in graph:
        visit(header, ())


@pytest.mark.parametrize("source", sorted((TREE / "canal_fast" / "drivers").glob("*/*.c")), ids=lambda p: p.name)
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
            names.append("canal_fast" if node.level else node.module or "")
    return names


@pytest.mark.parametrize("language", ["c11", "c++17"])
@pytest.mark.parametrize("name", [name_of(h) for h in HEADERS])
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
    source.write_text(
        "".join(f"#include <canal_fast/{name_of(h)}>\n" for h in HEADERS) + "int main(void) { return 0; }\n"
    )
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-std={language}", "-fsyntax-only", f"-I{include_dir}"]
    run = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
