"""What unpacks a member of bzip2 or zstd, in the shape of bz2's decompressor."""

from __future__ import annotations

from typing import Any

from canal_fast.errors import CanalFastError

__all__ = ["WINDOW_LOG", "Bzip2", "zstd"]

_ZSTD_CHUNK = 512  # every block of 4 bytes may give 128 KiB, so this much gives 16 MiB at most
WINDOW_LOG = 25  # 32 MiB


class Bzip2:
    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self) -> None:
        import bz2

        self._object: Any = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._object.needs_input)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data)

    def decompress(self, data: bytes, size: int) -> bytes:
        return bytes(self._object.decompress(data, size))


class _Zstd(Bzip2):
    """Of the standard library from Python 3.14 on."""

    def __init__(self) -> None:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]

        self.errors = (zstd.ZstdError,)
        self._object = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})


class _Zstandard:
    """Of the package zstandard, whose output has no limit but that of its input."""

    def __init__(self) -> None:
        import zstandard

        self.errors: tuple[type[Exception], ...] = (zstandard.ZstdError,)
        self._object: Any = zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG).decompressobj()
        self._data = self._out = b""
        self.unused_data = b""

    @property
    def eof(self) -> bool:
        return bool(self._object.eof) and not self._out

    @property
    def needs_input(self) -> bool:
        return not self._data and not self._out

    def decompress(self, data: bytes, size: int) -> bytes:
        self._data += data
        while not self._out and self._data and not self._object.eof:
            part, self._data = self._data[:_ZSTD_CHUNK], self._data[_ZSTD_CHUNK:]
            self._out = self._object.decompress(part)
        if self._object.eof and not self.unused_data:
            self.unused_data, self._data = self._object.unused_data + self._data, b""
        out, self._out = self._out[:size], self._out[size:]
        return out


def zstd() -> Any:
    """What unpacks zstd: the standard library's, or the package's.

    Raises
    ------
    CanalFastError
        There is neither.
    """
    try:
        import compression.zstd  # type: ignore[import-not-found, unused-ignore]  # noqa: F401

        return _Zstd()
    except ImportError:
        pass
    try:
        return _Zstandard()
    except ImportError:
        raise CanalFastError(
            "the recording is compressed with zstd, which needs a package: pip install 'canal_fast[zst]'"
        ) from None
