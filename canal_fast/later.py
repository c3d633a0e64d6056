"""Names of a wing that are loaded when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["later"]


def later(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose public names are those of its modules.

    A package that imports its own modules is not for threads: one that imports the package has its lock and waits for a
    module's, one that imports this module has that and waits for the package's. Python gives one of them an error.

    Parameters
    ----------
    package : str
    homes : mapping
        Module -> names in it, with blanks between. No module may have the name of a public one: importing it would put
        it in its place.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}
    namespace = vars(sys.modules[package])

    def get(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        return namespace.setdefault(name, getattr(import_module(f"{package}.{home[name]}"), name))

    return get, lambda: sorted({*namespace, *home})
