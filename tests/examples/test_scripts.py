"""Every example runs and says what it is for; none is long; mypy and pyright find nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
EXAMPLES = TREE / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
LONGEST = 60
TRUCK = str(EXAMPLES / "data" / "j1939_truck.log")

pytestmark = pytest.mark.unsanitized


@dataclass(frozen=True)
class Call:
    """Arguments of a script (`{}` is the folder of the manual's recordings), packages it needs, words it prints."""

    arguments: tuple[str, ...]
    needs: tuple[str, ...]
    words: tuple[str, ...]


CALLS = {
    "bus_off": Call((), (), ("error_passive -> bus_off -> error_active", "refused with BusOffError")),
    "convert_folder": Call(("{}", "out", "trc"), (), ("all: 11155 of 11155 frames written", "lost their gap")),
    "dask_lake": Call(
        ("lake", "{}/car.dbc", "{}/drive.blf", "{}/drive.asc"), ("distributed", "pyarrow"), ("4462 frames",)
    ),
    "find_losses": Call(("{}/drive.pcapng",), (), ("100: 12 missing", "1 gaps, 25 cyclic frames missing")),
    "j1939_engine_speed": Call(("a.png",), ("matplotlib",), ("EEC1: 577 rows", "picture: a.png")),
    "log_two_buses": Call(("two.pcapng",), (), ("0 dropped", "frames of engine, body")),
    "many_files": Call(("{}/drive.blf", TRUCK), (), ("4040 frames of 24 identifiers",)),
    "periodic_sending": Call(("1",), (), (" 0 rejected", "the data changed with number")),
    "plan_a_bus": Call(("{}/car.dbc",), (), ("sample point 87.5 %", "EngineData: 0.590 of 10 ms")),
    "python_can_drop_in": Call((), ("can",), ("2000 frames in one array",)),
    "read_capture": Call(("{}/capture.sr",), (), ("STUFF_ERROR: 2", "2B0: 6 frames, clock +5986 ppm")),
    "replay_filtered": Call((TRUCK, "18FEF100:1FFFFF00", "500"), (), ("184 sent, 1631 filtered, 184 heard",)),
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    folder = tmp_path_factory.mktemp("recordings")
    subprocess.run([sys.executable, "-P", TREE / "docs" / "data.py", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
    )  # fmt: skip


def test_twelve_and_none_is_long() -> None:
    assert {path.stem for path in SCRIPTS} == CALLS.keys()
    assert len(SCRIPTS) == 12
    for path in SCRIPTS:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST, f"{path.name} has {len(lines)} lines, allowed {LONGEST}"
        assert f"python examples/{path.name}" in "\n".join(lines[:12]), f"{path.name} does not say how it is called"


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.parametrize("name", CALLS)
def test_runs(name: str, recordings: Path, tmp_path: Path) -> None:
    call = CALLS[name]
    for package in call.needs:
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    arguments = [argument.replace("{}", str(recordings)) for argument in call.arguments]
    done = run([sys.executable, "-P", EXAMPLES / f"{name}.py", *arguments], tmp_path)
    assert done.returncode == 0, done.stderr
    for words in call.words:
        assert words in done.stdout, done.stdout


@pytest.mark.slow
@pytest.mark.posix
def test_bus_off_draws_counters(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    assert run([sys.executable, "-P", EXAMPLES / "bus_off.py", "counters.svg"], tmp_path).returncode == 0
    assert "<svg" in (tmp_path / "counters.svg").read_text()[:1000]


@pytest.mark.slow
@pytest.mark.posix
def test_the_notebook_runs(tmp_path: Path) -> None:
    for package in ("nbclient", "ipykernel", "matplotlib", "cantools"):
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    shutil.copytree(EXAMPLES / "data", tmp_path / "data")
    shutil.copy(EXAMPLES / "tour.ipynb", tmp_path)
    script = (
        "import nbclient, nbformat\n"
        "book = nbformat.read('tour.ipynb', 4)\n"
        "nbclient.NotebookClient(book, timeout=120, kernel_name='python3').execute()\n"
        "nbformat.write(book, 'ran.ipynb')\n"
    )
    done = run([sys.executable, "-P", "-c", script], tmp_path)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "ran.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 6


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads((EXAMPLES / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


@pytest.mark.slow
@pytest.mark.posix
def test_mypy_finds_nothing(tmp_path: Path) -> None:
    for package in ("mypy", "dask", "can", "matplotlib"):
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    command = ["-P", "-m", "mypy", "--strict", "--allow-untyped-calls", "--config-file=", "--cache-dir", tmp_path]
    done = run([sys.executable, *command, *SCRIPTS], tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.posix
def test_pyright_finds_nothing(tmp_path: Path) -> None:
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("NOT RUN: pyright is not installed")
    for package in ("dask", "can", "matplotlib"):
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    if run([sys.executable, "-P", "-m", "pyright", "--version"], tmp_path).returncode:
        pytest.skip("NOT RUN: pyright found no node to run with (pip install 'pyright[nodejs]')")
    done = run([sys.executable, "-P", "-m", "pyright", "--pythonpath", sys.executable, *SCRIPTS], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 errors" in done.stdout
