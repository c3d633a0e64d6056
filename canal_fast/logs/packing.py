"""Compression of what is written: a whole member, or container, at a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from canal_fast.errors import CanalFastError

__all__ = ["COMPRESSIONS", "deflate", "packer"]

Packer = Callable[[memoryview], bytes]

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}  # by the end of the name
_GZIP_LEVEL, _ZSTD_LEVEL, _CONTAINER_LEVEL = 6, 3, 1


def _fast() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


def deflate(data: memoryview) -> bytes:
    """A zlib stream for a container: level 1, by isal where it is installed, which takes a fraction of the time."""
    fast = _fast()
    return bytes(fast.compress(data, _CONTAINER_LEVEL) if fast is not None else zlib.compress(data, _CONTAINER_LEVEL))


def _gzip() -> Packer:
    def pack(data: memoryview) -> bytes:
        tool = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
        return tool.compress(data) + tool.flush()

    return pack


def _zstd() -> Packer:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        pass
    else:
        return lambda data: bytes(zstd.compress(data, _ZSTD_LEVEL))
    try:
        import zstandard
    except ImportError:
        raise CanalFastError("writing zstd needs a package: pip install 'canal_fast[zst]'") from None
    return lambda data: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(data)


_PACKERS = {"gzip": _gzip, "zstd": _zstd}


def packer(compression: str) -> Packer:
    """What makes a member of so many bytes.

    Raises
    ------
    CanalFastError
        It needs a package, which the message names.
    """
    return _PACKERS[compression]()
