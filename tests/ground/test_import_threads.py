"""Threads that import parts of a wing at the same time."""

from __future__ import annotations

import pkgutil
import random
import subprocess
import sys
from pathlib import Path

import pytest

import canal_fast

FOLDER = Path(canal_fast.__file__).parent
WINGS = sorted(
    path.parent.name for path in FOLDER.glob("*/__init__.py") if "later(" in path.read_text(encoding="utf-8")
)
PROGRAM = """
import numpy.typing, sys, threading, time  # numpy is not for threads that import it at the same time
from importlib import import_module
import canal_fast
sys.setswitchinterval(1e-5)
package, *modules = sys.argv[1:]
looked_for, failed = threading.Event(), []

class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == package and not looked_for.is_set():  # the package's lock is held
            looked_for.set()
            time.sleep(0.05)  # while others ask for its modules

def run(action, name):
    try:
        action(name)
    except BaseException as error:
        failed.append(f"{name}: {error!r}")

def all_of(name):
    wing = import_module(name)
    [getattr(wing, offered) for offered in wing.__all__]

def part(name):
    looked_for.wait(10)
    import_module(name)

sys.meta_path.insert(0, Slow)
threads = [threading.Thread(target=run, args=(part, name), daemon=True) for name in modules]
threads.append(threading.Thread(target=run, args=(all_of, package), daemon=True))
[thread.start() for thread in threads]
[thread.join(30) for thread in threads]
print([*failed, *(thread.name for thread in threads if thread.is_alive())])
"""


def modules_of(wing: str) -> list[str]:
    found = (row.name for row in pkgutil.iter_modules([str(FOLDER / wing)]))
    return [f"canal_fast.{wing}.{name}" for name in found if not name.startswith("_")]


def raced(wing: str, modules: list[str]) -> str:
    command = [sys.executable, "-P", "-c", PROGRAM, f"canal_fast.{wing}", *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_there_are_wings() -> None:
    assert {"analysis", "bittiming", "logger", "logs", "plot", "signals", "simulation", "waveform", "wire"} <= {*WINGS}


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_and_its_modules_at_once(wing: str) -> None:
    assert raced(wing, modules_of(wing)[-2:]) == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_any_modules_at_once(seed: int) -> None:
    rng = random.Random(seed)
    wing = rng.choice(WINGS)
    modules = modules_of(wing) if seed % 2 else [name for one in WINGS for name in modules_of(one)]
    assert raced(wing, rng.sample(modules, min(len(modules), rng.randint(1, 5)))) == "[]\n", wing
