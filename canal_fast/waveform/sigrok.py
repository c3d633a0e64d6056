"""sigrok session files (.sr), versions 1 and 2."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from configparser import ConfigParser, SectionProxy
from configparser import Error as ConfigError
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import Threshold, choose_channel, volts_blocks
from .wave import PICOSECONDS, EdgeFinder, Edges, Source

_UNITS = {"": 1, "hz": 1, "khz": 10**3, "mhz": 10**6, "ghz": 10**9}
_PIECE = 1 << 22
_MOST_TEXT = 1 << 20
_ARCHIVES = (  # a member, and what the archive is
    ("meta.json", "a Saleae Logic 2 session (export raw data)"),
    ("[Content_Types].xml", "an Office document (save the sheet as CSV)"),
)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # RuntimeError: encrypted, or packed in a new way


@dataclass(frozen=True)
class _Session:
    path: str
    names: list[str]
    sample_rate: int
    unit_size: int
    probes: dict[str, int]
    """Name of each digital probe, and its number from 0 on."""
    analog: dict[str, int]
    """Name of each analog channel, and its number in the files' names."""
    logic: list[str]


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", name)]


def rate_of(text: str, path: str) -> int:
    """Samples a second."""
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kMG]?Hz)?\s*", text, re.I)
    rate = float(match[1]) * _UNITS[(match[2] or "").lower()] if match else 0.0
    if not 1 <= rate <= PICOSECONDS:
        raise LogFormatError(f"samplerate = {text[:40]!r} is no rate from 1 Hz to 1000 GHz", path=path)
    return round(rate)


def _text(archive: zipfile.ZipFile, name: str, path: str) -> str:
    with archive.open(name) as member:
        data = member.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise LogFormatError(f"{name} has more than {_MOST_TEXT:,} bytes", path=path)
    return data.decode("utf-8", "replace")


def section_of(text: str, name: str, path: str) -> SectionProxy:
    """A section of a text with keys and values."""
    config = ConfigParser(interpolation=None, strict=False)
    try:
        config.read_string(text)
        return config[name]
    except (ConfigError, KeyError) as error:
        raise LogFormatError(f"{name}: {error}", path=path) from None


def _read(path: str) -> tuple[list[str], str, str]:
    """Members, version and metadata; DSView: no version, and its header."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "header" in names and "version" not in names:
                return names, "", _text(archive, "header", path)
            if "version" not in names or "metadata" not in names:
                what = next((what for name, what in _ARCHIVES if name in names), "a ZIP archive (unpack it first)")
                raise LogFormatError(f"no sigrok session, but {what}", path=path)
            return names, _text(archive, "version", path).strip() or "none", _text(archive, "metadata", path)
    except _BROKEN as error:
        raise LogFormatError(f"no sigrok session: {error}", path=path) from None


def _session(path: str, names: list[str], version: str, metadata: str, sample_rate: int | None) -> _Session:
    if version not in ("1", "2"):
        raise LogFormatError(f"sigrok session version {version!r}, readable are 1 and 2", path=path)
    section = section_of(metadata, "device 1", path)
    unit_size = section.get("unitsize", "0")
    if not unit_size.isdecimal():
        raise LogFormatError(f"unitsize = {unit_size[:40]!r} is no number", path=path)
    if "samplerate" not in section and sample_rate is None:
        raise LogFormatError("metadata has no samplerate; give sample_rate=", path=path)
    rate = rate_of(section["samplerate"], path) if sample_rate is None else sample_rate
    probes = {section[key]: _numbers(key)[0] - 1 for key in section if re.fullmatch(r"probe[1-9]\d{0,8}", key)}
    analog = {section[key]: _numbers(key)[0] for key in section if re.fullmatch(r"analog\d{1,9}", key)}
    base = section.get("capturefile", "logic-1")
    return _Session(path, names, rate, int(unit_size), probes, analog, members(names, re.escape(base) + r"(-\d+)?"))


def members(names: list[str], pattern: str) -> list[str]:
    """Files of samples in the order of their numbers, 10 after 9."""
    return sorted((name for name in names if re.fullmatch(pattern, name)), key=_numbers)


def pieces(path: str, names: list[str], size: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Whole samples of all members, in order."""
    rest = b""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                with archive.open(name) as member:
                    while data := member.read(_PIECE):
                        data = rest + data
                        whole = len(data) // size * size
                        rest = data[whole:]
                        yield np.frombuffer(data, np.uint8, whole)
    except _BROKEN as error:
        raise LogFormatError(f"broken samples: {error}", path=path) from None


def _moving(session: _Session) -> list[str]:
    """Probes whose level is not the same all the time."""
    size, found = session.unit_size, 0
    first: npt.NDArray[np.uint8] | None = None
    for piece in pieces(session.path, session.logic, size) if 1 <= size <= 8 else ():
        rows = piece.reshape(-1, size)
        first = rows[0] if first is None and len(rows) else first
        if first is not None:
            found |= int.from_bytes(np.bitwise_or.reduce(rows ^ first, axis=0).tobytes(), "little")
    return [name for name, bit in session.probes.items() if found >> bit & 1]


def open_sigrok(
    path: str, channel: str | int | None, threshold: Threshold, invert: bool | None, sample_rate: int | None
) -> Source:
    """One channel of a session, also of DSView's."""
    there, version, text = _read(path)
    if not version:
        from .dsview import open_dsview

        return open_dsview(path, there, text, channel, invert, sample_rate)
    session = _session(path, there, version, text, sample_rate)
    names, guesses = [*session.probes, *session.analog], list[str]()
    name = choose_channel(names, channel, path, guesses, session.probes, lambda: _moving(session))
    if name in session.analog:
        number = session.analog[name]
        files = members(session.names, rf"analog-\d+-{number}(-\d+)?")
        volts = (piece.view("<f4") for piece in pieces(path, files, 4))
        return volts_blocks(volts, session.sample_rate, threshold, invert, guesses=guesses)
    size, bit = session.unit_size, session.probes[name]
    if not 1 <= size <= 8 or bit >= 8 * size:
        raise LogFormatError(f"unitsize = {size} has no bit for probe {bit + 1} ({name})", path=path)
    samples = pieces(path, session.logic, size)
    first = next(samples, None)
    if first is None or not len(first):
        raise LogFormatError(f"no samples in {session.logic or 'the session'}", path=path)
    level = (int(first[bit // 8]) >> bit % 8 & 1) ^ bool(invert)
    finder = EdgeFinder(level ^ bool(invert))

    def blocks() -> Iterator[tuple[Edges, int]]:
        piece: npt.NDArray[np.uint8] | None = first
        while piece is not None:
            yield finder.units(piece, size, bit), int(finder.place[0])
            piece = next(samples, None)

    return Source(level, session.sample_rate, 1.0, 0, blocks(), guesses=guesses)
