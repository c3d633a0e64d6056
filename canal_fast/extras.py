"""Packages that only some functions need."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["imported"]


def imported(package: str, what: str, extra: str | None = None) -> Any:
    """A package that only `what` needs.

    Raises
    ------
    ImportError
        It is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ImportError(f"{what} needs {package}: pip install '{extra or package}'") from None
