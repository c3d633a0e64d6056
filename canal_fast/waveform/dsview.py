"""DSView session files (.dsl): logic, each channel in members of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from canal_fast.errors import LogFormatError

from .channels import choose_channel
from .sigrok import members, pieces, rate_of, section_of
from .wave import EdgeFinder, Edges, Source

_BYTES = np.arange(256, dtype=np.uint8)[:, None]
_TURNED = np.packbits(np.unpackbits(_BYTES, axis=1, bitorder="little"), axis=1).ravel()  # the first sample is bit 0
_NOTHING = np.empty(0, np.uint8)


def open_dsview(
    path: str, names: list[str], text: str, channel: str | int | None, invert: bool | None, sample_rate: int | None
) -> Source:
    """One channel of a session with these members and the text of its header."""
    header = section_of(text, "header", path)
    probes = {header[key]: int(key[5:]) for key in header if re.fullmatch(r"probe\d{1,9}", key)}
    files = {name: members(names, rf"L-{number}/\d+") for name, number in probes.items()}
    if not any(files.values()):
        raise LogFormatError("a DSView session without logic, or of an old version: export VCD or CSV", path=path)
    rate, total = sample_rate or rate_of(header.get("samplerate", ""), path), header.get("total samples", "")
    if not re.fullmatch(r"[1-9]\d{0,17}", total):
        raise LogFormatError(f"total samples = {total[:40]!r}, must be a number above 0", path=path)

    def level(name: str) -> int:
        first = next(pieces(path, files[name], 1), _NOTHING)
        if not len(first):
            raise LogFormatError(f"no samples of probe {probes[name]} ({name})", path=path)
        return int(first[0]) & 1

    def blocks(name: str) -> Iterator[tuple[Edges, int]]:
        finder = EdgeFinder(level(name))
        for piece in pieces(path, files[name], 1):
            count = min(8 * len(piece), int(total) - int(finder.place[0]))
            yield finder.packed(_TURNED[piece], count), int(finder.place[0])
        if finder.place[0] < int(total):
            raise LogFormatError(f"{finder.place[0]} samples of {total}: the file is cut", path=path)

    def moving() -> list[str]:
        return [name for name in files if any(len(edges) for edges, _ in blocks(name))]

    guesses: list[str] = []
    name = choose_channel([*probes], channel, path, guesses, probes, moving)
    return Source(level(name) ^ bool(invert), rate, 1.0, 0, blocks(name), guesses=guesses)
