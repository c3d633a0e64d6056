"""Standard output kept for the command alone."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def own_output() -> Iterator[None]:
    """What a driver prints goes to standard error meanwhile; `sys.stdout` goes on as before."""
    sys.stdout.flush()
    try:
        kept, error = os.dup(sys.stdout.fileno()), sys.stderr.fileno()
    except (OSError, ValueError):  # in memory, or closed: no driver prints there
        yield
        return
    os.dup2(error, 1)
    before, encoding, errors = sys.stdout, sys.stdout.encoding, sys.stdout.errors
    sys.stdout = os.fdopen(kept, "w", encoding=encoding, errors=errors, newline="" if os.name == "posix" else None)
    try:
        yield
        sys.stdout.flush()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os.dup2(kept, 1)
        with contextlib.suppress(OSError):
            sys.stdout.close()
        sys.stdout = before
