"""What is undone of a recording's bytes before they are read: compression, UTF-16, lines with CR."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable
from typing import Any

from canal_fast.errors import LogFormatError

from .plain_text import Lines, Utf8
from .source import CHUNK, File, Layer, LogSource, Source
from .unpacking import WINDOW_LOG, Bzip2, zstd

__all__ = ["inflater", "open_source"]

_LAYERS = 4
_ZSTD = b"\x28\xb5\x2f\xfd"
_FED_MAX = 1 << 24  # packed bytes that are kept to unpack them again where they are damaged


class _Inflate:
    """zlib's decompressor in the shape of bz2's."""

    errors: tuple[type[Exception], ...] = (zlib.error,)

    def __init__(self) -> None:
        module = inflater()
        self.errors = (zlib.error, module.error)
        self._object: Any = module.decompressobj(31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data)

    def decompress(self, data: bytes, size: int) -> bytes:
        tail = self._object.unconsumed_tail
        out = self._object.decompress(tail + data if tail else data, size)
        self.needs_input = not self._object.unconsumed_tail and len(out) < size
        return bytes(out)


def inflater() -> Any:
    """The module that inflates: isal's, where it is installed, does it in about half the time."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


class _Unpacked(Layer):
    """What compressed bytes stand for, one member after the other."""

    def __init__(self, source: Source, magics: tuple[bytes, ...], kind: str, make: Callable[[], Any]) -> None:
        super().__init__(source, kind)
        self._magics, self._make = magics, make
        self._object: Any = make()
        self._packed = self._given = 0
        self._fed: list[bytes] = []  # packed bytes of this member, up to _FED_MAX, and how many it has given
        self._rest = b""
        self._error: LogFormatError | None = None
        self._cut = False
        self._total = 0
        self._member = (0, 0)

    @property
    def truncated(self) -> bool:
        return self._cut or self._source.truncated

    @property
    def member(self) -> tuple[int, int]:
        return self._member

    def _take(self, view: memoryview) -> int:
        while self._error is None:
            data = b""
            if self._object.eof:
                data = self._next_member(self._object.unused_data)
                if not data:
                    return 0
                self._object = self._make()
                self._fed, self._given = [], 0
                self._member = (self._packed - len(data), self._total)
            elif self._object.needs_input:
                data = self._more()
                if not data:
                    self._cut = True
                    return 0
            if data and self._packed <= _FED_MAX:
                self._fed.append(data)
            try:
                out = self._object.decompress(data, len(view))
            except self._object.errors as error:
                self._error = self._too_wide() or self._damage(str(error))
                self._rest = self._before_damage()
                break
            if out:
                self._given += len(out)
                self._total += len(out)
                view[: len(out)] = out
                return len(out)
        if not self._rest:
            raise self._error
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _before_damage(self) -> bytes:
        """What the call that failed had unpacked and did not give: unpacked again, the last part by single bytes."""
        if self._packed > _FED_MAX:
            return b""
        tool, out, made = self._make(), bytearray(), 0
        *early, last = self._fed
        try:
            for part in (*early, *(last[at : at + 1] for at in range(len(last)))):
                more = tool.decompress(part, CHUNK)
                while more or not (tool.needs_input or tool.eof):
                    out += more[max(self._given - made, 0) :]
                    made += len(more)
                    more = tool.decompress(b"", CHUNK) if not (tool.needs_input or tool.eof) else b""
        except tool.errors:
            pass
        return bytes(out)

    def _too_wide(self) -> LogFormatError | None:
        """The error where the member states that unpacking needs more memory than is given."""
        window = _zstd_window(self._fed[0]) if self._kind == "zstd" and self._fed else 0
        if window <= 1 << WINDOW_LOG:
            return None
        begin = self._packed - sum(map(len, self._fed))
        what = f"it needs a window of {window} bytes, allowed {1 << WINDOW_LOG}"
        return LogFormatError(f"{self.name}: zstd stream at byte {begin}: {what}", path=self.name, offset=begin)

    def _more(self) -> bytes:
        data = self._source.read(CHUNK)
        self._packed += len(data)
        return data

    def _next_member(self, rest: bytes) -> bytes:
        """What follows a member: another, or nothing; zeros are padding."""
        while not (rest := rest.lstrip(b"\0")) or any(magic.startswith(rest) for magic in self._magics):
            if not (more := self._more()):
                self._cut = bool(rest)
                return b""
            rest += more
        if not rest.startswith(self._magics):
            raise self._damage("something else follows it")
        return rest

    def _damage(self, what: str) -> LogFormatError:
        place = f"{self.name}: {self._kind} stream, up to byte {self._packed}"
        return LogFormatError(f"{place}: it is damaged: {what}", path=self.name, offset=self._packed)


def _zstd_window(head: bytes) -> int:
    """Bytes that unpacking a frame that begins with `head` has to remember: a window, or all where none is stated."""
    if len(head) < 18 or not head.startswith(_ZSTD):
        return 0
    flags, exponent = head[4], head[5]
    if not flags & 0x20:
        return ((8 + (exponent & 7)) << 10 + (exponent >> 3)) >> 3
    at, size = 5 + (0, 1, 2, 4)[flags & 3], (1, 2, 4, 8)[flags >> 6]
    return int.from_bytes(head[at : at + size], "little")


_PACKED: tuple[tuple[tuple[bytes, ...], str, Callable[[], Any]], ...] = (
    ((b"\x1f\x8b",), "gzip", _Inflate),
    ((b"BZh",), "bzip2", Bzip2),
    ((_ZSTD, b"\x50\x2a\x4d\x18"), "zstd", zstd),  # pzstd begins with a frame to be skipped
)


def open_source(source: LogSource) -> Source:
    """The bytes of a recording: unpacked, without a byte order mark, text as UTF-8.

    Raises
    ------
    OSError
        The file cannot be opened.
    CanalFastError
        It is compressed in a way that needs a package, which the message names.
    """
    opened: Source = File(source)
    try:
        for _ in range(_LAYERS):
            head = opened.peek(4)
            row = next((row for row in _PACKED if head.startswith(row[0])), None)
            if row is None:
                break
            opened = _Unpacked(opened, *row)
        head = opened.peek(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            opened = Utf8(opened)
        elif head.startswith(codecs.BOM_UTF8):
            opened.read(len(codecs.BOM_UTF8))
        if Lines.fits(opened.peeked):
            opened = Lines(opened)
    except BaseException:
        opened.close()
        raise
    return opened
