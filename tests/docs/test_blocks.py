"""Every code block of the manual and of README runs, and prints what its page says."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import Mismatch, blocks, environment, run_page, script

TREE = Path(__file__).resolve().parents[2]
DOCS = TREE / "docs"
PAGES = sorted(str(page.relative_to(TREE)) for page in [TREE / "README.md", *DOCS.rglob("*.md")])

pytestmark = pytest.mark.posix  # bash


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What docs/data.py makes, once."""
    pytest.importorskip("cantools", reason="NOT RUN: no cantools")
    spec = importlib.util.spec_from_file_location("manual_data", DOCS / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder: Path = module.make(tmp_path_factory.mktemp("manual"))
    return folder


@pytest.fixture
def folder(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a page: a copy of its own."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


MODULES = {"arrow": "pyarrow", "can": "can", "dbc": "cantools", "fast": "isal", "mf4": "asammdf", "plot": "matplotlib",
           "zst": "zstandard"}  # fmt: skip


def lacks(extra: str) -> bool:
    """Whether what this extra of the package brings is missing."""
    return extra in MODULES and importlib.util.find_spec(MODULES[extra]) is None


@pytest.mark.slow
@pytest.mark.unsanitized
@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, folder: Path) -> None:
    try:
        run_page(TREE / page, folder)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("canal_fast"):
            raise
        pytest.skip(f"NOT RUN: {page} needs {error.name}")
    except (ImportError, Mismatch) as error:
        missing = [name for name in re.findall(r"pip install 'canal_fast\[(\w+)\]'", str(error)) if lacks(name)]
        if not missing:
            raise
        pytest.skip(f"NOT RUN: {page} needs {' '.join(missing)}")


@pytest.mark.slow
@pytest.mark.unsanitized
def test_blocks_that_need_hardware_have_types_that_fit(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="NOT RUN: no mypy")
    made = []
    for page in PAGES:
        if any(b.language == "python" and "needs" in b.options for b in blocks(TREE / page)):
            made.append(tmp_path / (page.removesuffix(".md").replace("/", "_").replace("-", "_") + ".py"))
            made[-1].write_text(script(TREE / page), encoding="utf-8")
    if made:
        command = [sys.executable, "-P", "-m", "mypy", "--ignore-missing-imports", "--allow-redefinition"]
        command += ["--check-untyped-defs", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", *map(str, made)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_files_each_time(files: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-P", DOCS / "data.py", tmp_path], check=True, stdout=subprocess.DEVNULL)
    for path in files.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


PAGE = """# Page

```python
x = 1 + 1
print(x)
```

```output
{}
```

```pycon
>>> x
{}
```

```console
$ echo $(( {} + 1 )); echo lo...ng line
3
lo...line
$ false || exit_code=1; (exit {})
```

```console needs="can0"
$ nonsense
```
"""


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ((2, 2, 2, 0), None),
        ((3, 2, 2, 0), "line 4"),
        ((2, 3, 2, 0), "Expected"),
        ((2, 2, 5, 0), "line 18"),
        ((2, 2, 2, 1), "ended with 1, not 0"),
    ],
)
def test_a_wrong_page_is_found(values: tuple[int, ...], wrong: str | None, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(*values), encoding="utf-8")
    if wrong is None:
        assert run_page(page, tmp_path) == 3
    else:
        with pytest.raises(Mismatch, match=wrong):
            run_page(page, tmp_path)


def test_commands_run_as_a_reader_runs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-benchmark measures nothing in a process that is told to be a worker of pytest-xdist."""
    ours = {"PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "PYTHONPATH", "CANAL_FAST_SIMD"}
    for name in ours:
        monkeypatch.setenv(name, "1")
    assert not ours & set(environment(tmp_path))


@pytest.mark.parametrize("text", ["```ruby\nputs 1\n```\n", "```\nplain\n```\n", "```{code-block} python\n1\n```\n"])
def test_a_language_that_would_not_run(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(Mismatch, match="a block in"):
        run_page(page, tmp_path)
