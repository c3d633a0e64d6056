"""Names of a wing that are loaded when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["later"]


def later(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose public names are those of its modules.

    A package that imports its own modules can deadlock: a thread that imports the package holds the package's lock and
    waits for a module's, another that imports this module holds that and waits for the package's. Python raises an
    error in one of them.

    Parameters
    ----------
    package : str
    homes : mapping
        Module -> names in it, with blanks between. No module may have a public name: importing the module would put it
        in that name's place.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}
    namespace = vars(sys.modules[package])

    def get(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        return namespace.setdefault(name, getattr(import_module(f"{package}.{home[name]}"), name))

    return get, lambda: sorted({*namespace, *home})
