"""One recording in many files: their names, when one ends, and which old ones are deleted."""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import canal_fast.arguments as arguments
from canal_fast.errors import CanalFastError, LogFormatError

from . import _logs
from .files import held
from .format_rows import LogFormat, formats, recognise
from .interfaces import channel_rows
from .layers import open_source
from .packing import COMPRESSIONS
from .recording_file import RecordingFile
from .targets import find_target

__all__ = ["Names", "Rotation"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SHAPES = {"time": r"\d{8}T\d{6}Z", "n": r"\d{6,}"}
_MAKER = b"canal_fast"
_HEAD_BYTES = 512
_LEAST_BYTES, _MOST_BYTES = 4096, 1 << 62
_LEAST_S, _MOST_S = 0.1, 1e9
_MOST_FILES = 1_000_000_000

log = logging.getLogger("canal_fast")


def on_windows() -> bool:
    return os.name == "nt"


class Names:
    """Names of files by a template, whose last part may have `{time}`, `{n}` and `{host}`.

    Raises
    ------
    ValueError
        Another placeholder, a single brace, a placeholder in the folder; on Windows a colon behind the drive.
    """

    def __init__(self, template: str, host: str | None = None) -> None:
        from socket import gethostname  # which takes a millisecond to load

        self.template = template
        self.folder, name = os.path.split(template)
        words = _PLACEHOLDER.findall(name)
        for word in words:
            if word not in ("time", "n", "host"):
                raise ValueError(f"{template}: placeholder {{{word}}}, allowed {{time}}, {{n}}, {{host}}")
        if re.search(r"[{}]", _PLACEHOLDER.sub("", name)):
            raise ValueError(f"{template}: a brace that belongs to no placeholder; there are {{time}}, {{n}}, {{host}}")
        if re.search(r"[{}]", self.folder):
            raise ValueError(f"{template}: placeholders belong into the file's name, not into that of its folder")
        if on_windows() and ":" in os.path.splitdrive(template)[1]:
            raise ValueError(f"{template}: a colon, behind which Windows takes the name for that of a stream")
        self.numbered, self.dated = "n" in words, "time" in words
        self._host = re.sub(r"[^A-Za-z0-9._-]", "_", gethostname() if host is None else host) or "host"
        self._stem, self._tail = _split(name)
        self._pattern = re.compile(self._expression())

    @property
    def several(self) -> bool:
        """Can there be more than one such name?"""
        return self.numbered or self.dated

    def fill(self, second: int, number: int, more: int = 1) -> str:
        """A path: of a second after 1970, a number, and where only the time tells names apart, how many have it."""
        values = {"n": f"{number:06d}", "host": self._host}
        if self.dated:
            values["time"] = f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y%m%dT%H%M%SZ}"
        stem, tail = (_PLACEHOLDER.sub(lambda match: values[match[1]], part) for part in (self._stem, self._tail))
        return os.path.join(self.folder, stem + (f"-{more}" if more > 1 else "") + tail)

    def read(self, name: str) -> tuple[str, int, int] | None:
        """(time, number, how many had it) of a file's whole name; None where it does not fit."""
        match = self._pattern.fullmatch(name)
        if match is None:
            return None
        fields = match.groupdict()
        return fields.get("time") or "", int(fields.get("n") or 0), int(fields.get("more") or 1)

    def _expression(self) -> str:
        seen: set[str] = set()

        def shape(word: str) -> str:
            if word == "host":
                return re.escape(self._host)
            if word in seen:
                return f"(?P={word})"
            seen.add(word)
            return f"(?P<{word}>{_SHAPES[word]})"

        stem, tail = (
            "".join(shape(part) if i % 2 else re.escape(part) for i, part in enumerate(_PLACEHOLDER.split(text)))
            for text in (self._stem, self._tail)
        )
        return stem + (r"(?:-(?P<more>\d{1,9}))?" if self.dated and not self.numbered else "") + tail


def _split(name: str) -> tuple[str, str]:
    """What stands before the suffixes, and these."""
    stem, suffix = os.path.splitext(name)
    if suffix.lower() in COMPRESSIONS:
        stem, inner = os.path.splitext(stem)
        suffix = inner + suffix
    return (name, "") if "{" in suffix else (stem, suffix)


def _says_its_maker(row: LogFormat) -> bool:
    if row.index < 0 or not row.writes:
        return False
    return _MAKER in _logs.LogWriter(row.index, channel_rows(None)).begin(_MAKER)


@dataclass(frozen=True)
class _Old:
    order: tuple[int, int, str, int]
    path: str
    size: int


class Rotation:
    """The files of one recording.

    Parameters
    ----------
    template : path-like
        See `Names`; it has {n} or {time}.
    rotate_bytes : int, optional
        A file ends before the frame that would make it larger, 4096..2**62; compressed, up to a member later.
    rotate_s : float, optional
        A file that has frames ends after so many seconds, 0.1..1e9.
    keep : int, optional
        So many files are kept, the open one counted, 1..1e9.
    keep_bytes : int, optional
        So many bytes are kept, those that the open one may come to (`rotate_bytes`) counted.
    format, compression
        As for `Recorder`.
    lazy : bool
        True: a file begins with its first frame, not before.
    wall, monotonic : callable
        Seconds since 1970, and since whenever.

    Raises
    ------
    ValueError
        A value outside its interval, options that contradict, or `keep` in a format whose files do not say who made
        them.
    """

    def __init__(
        self,
        template: str | os.PathLike[str] | BinaryIO,
        *,
        rotate_bytes: int | None = None,
        rotate_s: float | None = None,
        keep: int | None = None,
        keep_bytes: int | None = None,
        format: str | None = None,
        compression: str | None = None,
        lazy: bool = False,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not isinstance(template, (str, os.PathLike)) or template == "-":
            raise ValueError("rotation makes several files: it needs a path such as can-{n}.pcapng")
        for name, value, low, high in (
            ("rotate_bytes", rotate_bytes, _LEAST_BYTES, _MOST_BYTES),
            ("rotate_s", rotate_s, _LEAST_S, _MOST_S),
            ("keep", keep, 1, _MOST_FILES),
            ("keep_bytes", keep_bytes, _LEAST_BYTES, _MOST_BYTES),
        ):
            if value is not None:
                arguments.interval(name, value, low, high)
        if keep_bytes is not None and rotate_bytes is not None and keep_bytes < rotate_bytes:
            raise ValueError(f"keep_bytes = {keep_bytes}, allowed {rotate_bytes} (rotate_bytes) and above")
        path = os.fspath(template)
        self.names = Names(path)
        self._row = find_target(path, path, format, compression).row
        if not self.names.several:
            stem, tail = _split(os.path.basename(path))
            raise ValueError(f"{path}: several files need {{n}} or {{time}} in their names, as in {stem}-{{n}}{tail}")
        if (keep is not None or keep_bytes is not None) and not _says_its_maker(self._row):
            known = ", ".join(row.name for row in formats() if _says_its_maker(row))
            raise ValueError(f"{path}: {self._row.title} does not say who made it, and only what canal_fast made is "
                             f"deleted; keep is for {known}")  # fmt: skip
        self.rotate_bytes, self.rotate_s, self.lazy = rotate_bytes, rotate_s, lazy
        self._keep, self._keep_bytes = keep, keep_bytes
        self._wall, self.monotonic = wall, monotonic
        self._number: int | None = None
        self._made = 0
        self._mine: dict[str, int] = {}  # files of this run that may be there -> their order
        self._ours: set[str] = set()  # files of earlier ones that were looked at

    @property
    def keeps(self) -> bool:
        """Are old files deleted?"""
        return self._keep is not None or self._keep_bytes is not None

    def next_name(self) -> str:
        """The next file's path, which is free."""
        if self._number is None:
            self._number = max((fields[1] for _, fields in self._listed()), default=0)
        second, more = int(self._wall() // 1), 1
        while True:
            self._number += 1
            path = self.names.fill(second, self._number, more)
            if not os.path.lexists(path):
                break
            more += not self.names.numbered
        return path

    def made(self, path: str) -> None:
        """A file of that name was made by us."""
        self._made += 1
        if self.keeps:
            self._mine[os.path.basename(path)] = self._made

    def is_over(self, file: RecordingFile, opened_at: float) -> bool:
        """Does a file that has frames end here?"""
        late = self.rotate_s is not None and self.monotonic() - opened_at >= self.rotate_s
        return late or self._left(file) < 1

    def room(self, file: RecordingFile) -> int:
        """How many frames it surely takes, at least one."""
        return max(self._left(file), 1)

    def _left(self, file: RecordingFile) -> int:
        limit = _MOST_BYTES if self.rotate_bytes is None else self.rotate_bytes
        return (limit - file.output.size) // file.writer.record_max

    def clean(self, path: str | None) -> None:
        """Delete the oldest files that are too many, never `path`, the open one. What cannot be deleted is logged."""
        if self._keep is None and self._keep_bytes is None:
            return
        old = self._old(path)
        files = len(old) + (path is not None)
        size = sum(row.size for row in old)
        most = None if self._keep_bytes is None else self._keep_bytes - (self.rotate_bytes or 0)
        for row in old:
            if (self._keep is None or files <= self._keep) and (most is None or size <= most):
                break
            files -= 1  # one that stays although it is too old costs no other
            size -= row.size if self._delete(row) else 0

    def delete_oldest(self, path: str | None) -> bool:
        """Delete the oldest file but `path`, the open one; False where there is none that can be."""
        return any(self._delete(row) for row in self._old(path))

    def check_folder(self) -> None:
        """Raise OSError where no file can be made."""
        folder = self.names.folder or os.curdir
        if not os.path.isdir(folder):
            raise FileNotFoundError(2, "there is no such folder", folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "the folder may not be written to", folder)

    def _delete(self, row: _Old) -> bool:
        if held(row.path):  # another recorder's open one
            return False
        try:
            os.unlink(row.path)
        except OSError as error:
            log.warning("%s could not be deleted (%s); it is tried again with the next file", row.path, error.strerror)
            return False
        return True

    def _listed(self) -> list[tuple[os.DirEntry[str], tuple[str, int, int]]]:
        """Files whose names fit."""
        try:
            with os.scandir(self.names.folder or os.curdir) as entries:
                return [(entry, fields) for entry in entries if (fields := self.names.read(entry.name)) is not None]
        except OSError:
            return []  # whoever makes a file there is told

    def _old(self, path: str | None) -> list[_Old]:
        """Closed files that we made, the oldest first: those of earlier runs by number and time, then this run's."""
        open_name = None if path is None else os.path.basename(path)
        found, listed = [], self._listed()
        for entry, (moment, number, more) in listed:
            if entry.name == open_name or not entry.is_file(follow_symlinks=False) or not self._is_ours(entry):
                continue
            order = self._mine.get(entry.name, 0)
            try:
                found.append(_Old((order, number, moment, more), entry.path, entry.stat().st_size))
            except OSError:  # it has gone
                continue
        there = {entry.name for entry, _ in listed}
        self._mine = {name: order for name, order in self._mine.items() if name in there or name == open_name}
        self._ours &= there
        return sorted(found, key=lambda row: row.order)

    def _is_ours(self, entry: os.DirEntry[str]) -> bool:
        if entry.name in self._mine or entry.name in self._ours:
            return True
        try:
            source = open_source(entry.path)
        except (OSError, CanalFastError):
            return False
        try:
            head = source.peek(_HEAD_BYTES)
            row = recognise(head, False, self.names.template)[1] if head else None
        except (OSError, CanalFastError, LogFormatError):
            return False
        finally:
            source.close()
        if row is None or row.name != self._row.name or _MAKER + b" " not in head:
            return False
        self._ours.add(entry.name)
        return True
