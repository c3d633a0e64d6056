"""`python cross_build.py CACHE DIST [zig]`: win_amd64 and win32 wheels from Linux, with MinGW or with zig's clang.

Needs CPython 3.11, as the Windows interpreters in CACHE are (prepare.py). Every warning of the compiler is an error.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
WARNINGS = "-Wall -Wextra -Werror"
ALLOWED = re.compile(r"KERNEL32\.dll|CFGMGR32\.dll|msvcrt\.dll|api-ms-win-crt-.*\.dll|python311\.dll", re.I)
OURS = re.compile(r"canal_fast/(drivers/)?[^/]+\.(pyd|dll|exe)")


@dataclasses.dataclass(frozen=True)
class Target:
    """One bitness of Windows."""

    bits: str
    platform: str  # as distutils names it
    mingw: str  # prefix of the compiler
    zig: str
    flags: str = ""

    @property
    def tag(self) -> str:
        return self.platform.replace("-", "_")


TARGETS = (
    Target("64", "win-amd64", "x86_64-w64-mingw32", "x86_64-windows-gnu", "-DMS_WIN64"),
    Target("32", "win32", "i686-w64-mingw32", "x86-windows-gnu"),
)


def other_host(target: Target, compiler: str, folder: Path) -> None:
    """The program that loads 32-bit drivers for a 64-bit Python, where setuptools finds it built."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [*compiler.split(), "-O3", "-std=c11", *WARNINGS.split(), "-s", "-static-libgcc", "-Iinclude"]
    program = folder / f"canal_host{target.bits}.exe"
    subprocess.run([*command, "canal_fast/canal_host.c", "-o", str(program)], cwd=TREE, check=True)


def build(target: Target, cache: Path, dist: Path, zig: bool) -> Path:
    """The wheel. setuptools builds for the platform that _PYTHON_HOST_PLATFORM names."""
    compiler = f"{sys.executable} -m ziglang cc -target {target.zig}" if zig else f"{target.mingw}-gcc"
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
        small = TARGETS[1]
        library = dist / target.tag / f"lib.{target.platform}-cpython-311" / "canal_fast"
        other_host(small, f"{sys.executable} -m ziglang cc -target {small.zig}" if zig else f"{small.mingw}-gcc", library)
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
    modules = {path.stem for path in (TREE / "canal_fast").glob("_*.pyx")}
    assert modules <= {name.partition("/")[2].partition(".")[0] for name in names}, names
    print(f"{wheel.name}: {len(names)} binaries, which need {', '.join(sorted(needs))} at most")


def main() -> None:
    assert sys.version_info[:2] == (3, 11), "cross-building needs CPython 3.11: the wheel's tag is this interpreter's"
    cache, dist = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    for target in TARGETS:
        check(build(target, cache, dist, "zig" in sys.argv[3:]), target)


if __name__ == "__main__":
    main()
