"""`load_database`, and the `Database` that it gives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from canal_fast.errors import DatabaseError, SignalError

from .checks import Check, checked
from .description import Message, Problem, suggest
from .plan import Plan, choose
from .reading import describe, parse
from .tables import Options

__all__ = ["Database", "load_database"]


class Database:
    """Messages of one or several files. `load_database` makes one.

    Attributes
    ----------
    messages : tuple of Message
    problems : tuple of Problem
        Duplicate identifiers, overlapping signals, signals beyond their message, signals that no plan has and why.
    path : str or None

    Examples
    --------
    >>> db = cf.load_database("car.dbc")
    >>> [signal.name for signal in db.messages[0].signals]
    ['speed', 'temperature', 'gear', 'counter']
    >>> for problem in db.problems:
    ...     print(problem.sentence)
    """

    def __init__(self, messages: Iterable[Message], problems: Iterable[Problem] = (), path: str | None = None) -> None:
        self.messages = tuple(messages)
        self.problems = tuple(problems)
        self.path = path

    def __repr__(self) -> str:
        count = sum(len(message.signals) for message in self.messages)
        return f"<Database of {len(self.messages)} messages, {count} signals, {len(self.problems)} problems>"

    def __getitem__(self, name: str) -> Message:
        for message in self.messages:
            if message.name == name:
                return message
        raise KeyError(f"the database has no message {name!r}{suggest(name, [m.name for m in self.messages])}")

    def plan(
        self,
        messages: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        *,
        choices: str | None = None,
        j1939: bool | None = None,
        j1939_nulls: bool = False,
        scaling: bool = True,
        checks: Mapping[str, Sequence[Check]] | None = None,
    ) -> Plan:
        """Choose what to decode.

        Parameters
        ----------
        messages, signals : sequence of str, optional
            Names, or patterns with * ? [ ]; a signal's may be "Message.Signal". Default: all. The multiplexers of
            chosen signals are chosen, too.
        choices : "dictionary", optional
            Signals with a value table become dictionary columns of texts; a raw value without a text keeps its
            number, and so do floats. Default: numbers.
        j1939 : bool, optional
            True: match all extended identifiers by parameter group; False: none. Default: those whose protocol in the
            database is J1939.
        j1939_nulls : bool
            True: raw values for "not available" and "error" are null, in messages that are matched by parameter group.
        scaling : bool
            False: raw values.
        checks : mapping of message name to sequence of Checksum and Counter, optional
            Each becomes a column `<signal>_violation`.

        Raises
        ------
        SignalError
            A name that the database does not have, with close names, or a signal that cannot be decoded, and why.

        Examples
        --------
        >>> db = cf.load_database("car.dbc")
        >>> plan = db.plan(signals=["speed", "Engine.t*"])
        >>> list(plan.decode(cf.read_log("drive.blf"))["Engine"].columns)
        ['speed', 'temperature']
        """
        if choices not in (None, "dictionary"):
            raise ValueError(f"choices = {choices!r}, allowed None, 'dictionary'")
        if not self.messages:
            raise SignalError(f"{self.path or 'the database'} has no messages: there is nothing to decode")
        refused = {(p.message, p.signal): p.sentence for p in self.problems if p.left_out and p.signal is not None}
        chosen = choose(self.messages, messages, signals, refused)
        if j1939 is not None:
            chosen = [replace(message, by_pgn=j1939 and message.is_extended) for message in chosen]
        return Plan(chosen, Options(choices == "dictionary", j1939_nulls, scaling, checked(chosen, checks)))


def load_database(path: str | os.PathLike[str] | Any, *, strict: bool = False, encoding: str | None = None) -> Database:
    """Read a database: DBC, KCD, SYM, ARXML. Needs the extra `dbc` (cantools).

    Parameters
    ----------
    path : path-like, or a cantools Database
    strict : bool
        True: the first problem raises. False: they are listed in `problems`.
    encoding : str, optional
        Of DBC and SYM files. Default: UTF-8 where it decodes, else cp1252.

    Returns
    -------
    Database

    Raises
    ------
    OSError
        The file cannot be read.
    DatabaseError
        The file is no database that cantools takes, or `strict` and there is a problem.
    ImportError
        cantools is not installed.

    Examples
    --------
    >>> db = cf.load_database("car.dbc")
    >>> db
    <Database of 2 messages, 5 signals, 0 problems>
    >>> [message.name for message in db.messages]
    ['Engine', 'Body']
    >>> tables = db.plan().decode(cf.read_log("drive.blf"))
    >>> tables["Engine"].columns["speed"][:3].tolist()
    [800.0, 810.0, 820.0]
    """
    is_path = isinstance(path, (str, os.PathLike))
    if not is_path and not hasattr(path, "messages"):
        raise TypeError(f"path must be a path or a cantools Database, not {type(path).__name__}")
    messages, problems = describe(*(parse(path, encoding) if is_path else (path, {})))
    name = os.fspath(path) if is_path else None
    if strict and problems:
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DatabaseError(f"{name or 'database'}: {problems[0]}{rest}", path=name)
    return Database(messages, problems, name)
