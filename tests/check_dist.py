"""`python tests/check_dist.py DIST...`: is everything in the sdist and the wheel that should be?"""

from __future__ import annotations

import collections
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
LIMIT = 2_320_000  # Python, headers and the archive itself take 1.0 MB; the rest is what is compiled


def sources(*patterns: str) -> set[str]:
    return {str(path.relative_to(TREE)) for pattern in patterns for path in TREE.glob(pattern)}


def check_sdist(path: Path) -> None:
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = sources("include/**/*.h", "canal_fast/**/*.py", "canal_fast/**/*.py[xid]", "canal_fast/**/*.pxd")
    wanted |= sources(
        "canal_fast/canal_host.c",
        "canal_fast/drivers/**/*.[ch]",
        "tests/**/*.py",
        "tests/**/*.[ch]",
        "tests/data/**/*.*",
    )
    wanted |= sources("canal_fast/report/page.*", "benchmarks/**/*.*", "LICENSE", "*.md", "setup.py", "pyproject.toml")
    made = {name for name in wanted if name.endswith(".c") and Path(TREE / name).with_suffix(".pyx").is_file()}
    missing = {name for name in wanted - names - made if "__pycache__" not in name and Path(TREE / name).is_file()}
    assert not missing, f"{path.name} lacks {sorted(missing)}"


def check_wheel(path: Path) -> None:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        names = set(archive.namelist())
        headers = {f"canal_fast/{name}" for name in sources("include/**/*.h")}
        wanted = headers | sources(
            "canal_fast/**/*.py",
            "canal_fast/**/*.pyi",
            "canal_fast/capi/*.pxd",
            "canal_fast/py.typed",
            "canal_fast/report/page.*",
        )
        assert not wanted - names, f"{path.name} lacks {sorted(wanted - names)}"
        for glue in sources("canal_fast/**/_*.pyx"):
            assert any(name.startswith(glue.removesuffix("pyx")) and name.endswith(".so") for name in names), glue
        assert not {name for name in names if name.startswith(("tests/", "benchmarks/"))}
        for driver in sources("canal_fast/drivers/*/*.c"):
            library = archive.extract(f"canal_fast/drivers/canal_{Path(driver).stem}.so", folder)
            symbols = subprocess.run(["nm", "-D", library], capture_output=True, text=True, check=True).stdout
            assert "CanalOpen" in symbols
            assert "Py" not in symbols, f"{library} has Python symbols"
        mode = archive.getinfo("canal_fast/canal_host").external_attr >> 16
        assert mode & 0o111 == 0o111, f"canal_host cannot be run: mode {mode:o}"


def part(name: str) -> tuple[str, str]:
    """Wing and kind of what the wheel holds."""
    folders, suffix = name.removeprefix("canal_fast/include/").split("/"), Path(name).suffix
    kind = {".so": "compiled", ".h": "headers", ".py": "Python"}.get(suffix, "rest")
    if name.endswith("canal_host"):
        kind = "compiled"
    if folders[0] != "canal_fast":
        return "(metadata)", kind
    if Path(name).stem.startswith("canal_"):
        return f"{Path(name).stem}", kind
    return (folders[1] if len(folders) > 2 else "(ground)"), kind


def print_sizes(path: Path) -> None:
    """Compressed kB of each wing, by kind; what the archive itself takes is told apart."""
    kinds = ("compiled", "Python", "headers", "rest")
    sizes: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            wing, kind = part(entry.filename)
            sizes[wing][kind] += entry.compress_size
    print(f"{'kB in the wheel':20}" + "".join(f"{kind:>10}" for kind in (*kinds, "all")))
    for wing in sorted(sizes, key=lambda wing: -sizes[wing].total()):
        row = [*(sizes[wing][kind] for kind in kinds), sizes[wing].total()]
        print(f"{wing:20}" + "".join(f"{size / 1e3:10.1f}" for size in row))
    sums = [sum(wing[kind] for wing in sizes.values()) for kind in kinds]
    print(f"{'all':20}" + "".join(f"{size / 1e3:10.1f}" for size in (*sums, sum(sums))))
    print(f"{'archive':20}{path.stat().st_size / 1e3:50.1f}")


def main() -> None:
    for argument in sys.argv[1:]:
        path = Path(argument)
        (check_wheel if path.suffix == ".whl" else check_sdist)(path)
        print(f"{path.name}: complete")
        if path.suffix == ".whl":
            print_sizes(path)
            assert path.stat().st_size <= LIMIT, f"{path.name} has {path.stat().st_size} bytes, allowed {LIMIT}"


if __name__ == "__main__":
    main()
