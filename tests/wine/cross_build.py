"""`python cross_build.py CACHE DIST`: win_amd64 and win32 wheels from Linux with MinGW; clang compiles all of it, too.

Needs CPython 3.11, as the Windows interpreters in CACHE are (prepare.py). Every warning of the compiler is an error.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
WARNINGS = "-Wall -Wextra -Werror"
ALLOWED = re.compile(r"KERNEL32\.dll|CFGMGR32\.dll|msvcrt\.dll|api-ms-win-crt-.*\.dll|python311\.dll", re.I)
ONLY_ELSEWHERE = {"socketcan"}  # drivers that setup.py does not build for Windows
OURS = re.compile(r"canal_fast/(\w+/)*[^/]+\.(pyd|dll|exe)")


@dataclasses.dataclass(frozen=True)
class Target:
    """One bitness of Windows."""

    bits: str
    platform: str  # as distutils names it
    mingw: str  # prefix of the compiler
    clang: str
    flags: str = ""

    @property
    def tag(self) -> str:
        return self.platform.replace("-", "_")


TARGETS = (
    Target("64", "win-amd64", "x86_64-w64-mingw32", "x86_64-w64-windows-gnu", "-DMS_WIN64"),
    Target("32", "win32", "i686-w64-mingw32", "i686-w64-windows-gnu"),
)


def other_host(target: Target, folder: Path) -> None:
    """The program that loads 32-bit drivers for a 64-bit Python, where setuptools finds it built."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [f"{target.mingw}-gcc", "-O3", "-std=c11", *WARNINGS.split(), "-s", "-static-libgcc", "-Iinclude"]
    program = folder / f"canal_host{target.bits}.exe"
    subprocess.run([*command, "canal_fast/canal_host.c", "-o", str(program)], cwd=TREE, check=True)


def build(target: Target, cache: Path, dist: Path) -> Path:
    """The wheel. setuptools builds for the platform that _PYTHON_HOST_PLATFORM names."""
    compiler = f"{target.mingw}-gcc"
    environment = {
        **os.environ,
        "_PYTHON_HOST_PLATFORM": target.platform,
        "SETUPTOOLS_EXT_SUFFIX": f".cp311-{target.tag}.pyd",
        "CC": compiler,
        "CFLAGS": f"-I{cache / 'python64' / 'include'} {target.flags} {WARNINGS}",
        "LDSHARED": f"{compiler} -shared -s -static-libgcc -Wl,--kill-at",
        "LDFLAGS": "",
    }
    command = [sys.executable, "-W", "ignore", "setup.py", "-q", "build", "--build-base", str(dist / target.tag)]
    command += ["build_ext", "--parallel", str(os.cpu_count())]
    command += ["--libraries", "python311", "--library-dirs", str(cache / f"python{target.bits}")]
    command += ["bdist_wheel", "--dist-dir", str(dist)]
    if target.bits == "64":
        other_host(TARGETS[1], dist / target.tag / f"lib.{target.platform}-cpython-311" / "canal_fast")
    subprocess.run(command, cwd=TREE, env=environment, check=True)
    return next(dist.glob(f"*-{target.tag}.whl"))


def check(wheel: Path, target: Target) -> None:
    """Nothing is needed beyond Windows itself and Python, and the drivers need no Python."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = [name for name in archive.namelist() if OURS.fullmatch(name)]
        for name in names:
            dump = [f"{target.mingw}-objdump", "-p", archive.extract(name, folder)]
            text = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
            needs = set(re.findall(r"DLL Name: (\S+)", text))
            wrong = {need for need in needs if not ALLOWED.fullmatch(need)}
            assert needs, f"{name}: objdump shows no imports"
            assert not wrong, f"{name} needs {sorted(wrong)}"
            assert name.endswith(".pyd") == any(need.startswith("python") for need in needs), (name, needs)
    modules = {path.stem for path in (TREE / "canal_fast").rglob("_*.pyx")}
    assert modules <= {Path(name).name.partition(".")[0] for name in names}, names
    print(f"{wheel.name}: {len(names)} binaries, which need {', '.join(sorted(needs))} at most")


def compile_again(target: Target, cache: Path) -> int:
    """A second compiler's opinion, without objects: the modules, the drivers, and the headers as strict C and C++."""
    sources = [*sorted((TREE / "canal_fast").rglob("*.c"))]
    headers = "".join(f'#include "{path}"\n' for path in sorted((TREE / "include").rglob("*.h")))
    common = ["clang", f"--target={target.clang}", "-isystem", f"/usr/{target.mingw}/include", "-fsyntax-only"]
    common += [f"-I{cache / 'python64' / 'include'}", f"-I{TREE / 'include'}", *target.flags.split(), *WARNINGS.split()]
    runs = [([*common, "-std=c11", str(source)], "") for source in sources if source.stem not in ONLY_ELSEWHERE]
    for language in (["-xc", "-std=c11"], ["-xc++", "-std=c++17", "-nostdinc++"]):
        runs.append(([*common, "-pedantic", *language, "-"], headers))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda run: subprocess.run(run[0], input=run[1], text=True, capture_output=True), runs))
    for result in done:
        if result.returncode or result.stderr:
            raise SystemExit(result.stderr)
    return len(done)


def main() -> None:
    assert sys.version_info[:2] == (3, 11), "cross-building needs CPython 3.11: the wheel's tag is this interpreter's"
    cache, dist = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    for target in TARGETS:
        check(build(target, cache, dist), target)
        if shutil.which("clang"):
            print(f"clang for {target.clang}: {compile_again(target, cache)} compilations without a warning")
        else:
            print(f"clang for {target.clang} NOT RUN: not installed")


if __name__ == "__main__":
    main()
