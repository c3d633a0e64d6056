"""Text that is written in another way than readers take it: in UTF-16, with CR at the ends of lines."""

from __future__ import annotations

import codecs

from .source import CHUNK, Layer, Source

__all__ = ["Lines", "Utf8"]


class Lines(Layer):
    """Lines that end with CR alone, as old Macs write them, with LF."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, "lines with CR")

    @staticmethod
    def fits(text: bytes) -> bool:
        """Are these the first bytes of such a text? Behind a CR at the end LF may come."""
        return b"\r" in text[:-1] and b"\n" not in text and b"\0" not in text

    def _take(self, view: memoryview) -> int:
        got = self._source.readinto(view)
        view[:got] = bytes(view[:got]).replace(b"\r", b"\n")
        return got


class Utf8(Layer):
    """Text in UTF-16, as PowerShell's > writes it, in UTF-8."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, "UTF-16")
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        self._text = b""

    def _take(self, view: memoryview) -> int:
        while not self._text:
            data = self._source.read(CHUNK)
            if not data:
                return 0
            self._text = self._decoder.decode(data).encode("utf-8", "replace")
        part, self._text = self._text[: len(view)], self._text[len(view) :]
        view[: len(part)] = part
        return len(part)
