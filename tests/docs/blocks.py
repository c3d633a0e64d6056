"""Code blocks of a Markdown page: finds them, runs them in order, compares what they print.

Blocks by the first word of their info string:

python    run, all of a page in one namespace; an ``output`` block right behind it is what it prints
pycon     run as a doctest in the same namespace
console   lines that begin with ``$ `` (``> `` goes on) are run by bash, those behind them are what it prints
output    see python
others    text, toml, ini, sql ...: not run

``code=3`` is the exit code of a console block's last command; ``needs="can0"`` says what is missing here: not run.
Outputs are compared as doctest does: ``...`` stands for anything, blanks at the end of lines do not count.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN = ("python", "pycon", "console")
NOT_RUN = ("text", "toml", "ini", "sql", "c", "systemd", "xml", "yaml", "json", "bash", "sh")
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<info>[^`]*)$")
_OPTION = re.compile(r'(?P<key>\w+)=(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')
_MARK = "=== end of command ==="
_LIMIT_S = 120


class Mismatch(AssertionError):
    """A block that printed something else, or ended otherwise, than its page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its first line of text, from 1."""

    path: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.path.name}, line {self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page; directives ({note} and so on) are looked into."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        opened = _FENCE.match(lines[at])
        at += 1
        info = opened["info"].strip() if opened else ""
        if opened is None or (info.startswith("{") and not info.startswith("{code")):
            continue
        start, closing = at, re.compile(rf"^ *{opened['fence']}`*\s*$")
        while at < len(lines) and not closing.match(lines[at]):
            at += 1
        indent = len(opened["indent"])
        text = "".join(line[indent:] + "\n" for line in lines[start:at])
        at += 1
        if not info and not text.strip():
            continue
        options = {m["key"]: m["quoted"] if m["quoted"] is not None else m["plain"] for m in _OPTION.finditer(info)}
        yield Block(path, start + 1, info.split()[0] if info else "", options, text)


def environment(folder: Path) -> dict[str, str]:
    """What commands run with: ours first on the PATH, and nothing that depends on the machine."""
    ours = ("PYTHON", "PYTEST", "CANAL_FAST")  # a test's own pytest may have been told to run in parallel
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return kept | {
        "PATH": path, "COLUMNS": "100", "LINES": "30", "LC_ALL": "C.UTF-8", "TZ": "UTC", "MPLBACKEND": "Agg",
        "HOME": str(folder), "PS1": "$ ", "NO_COLOR": "1", "PYTHONSAFEPATH": "1",
    }  # fmt: skip


def check(want: str, got: str, place: str) -> None:
    """Raise Mismatch where an output is not what its page says."""
    flags = doctest.ELLIPSIS
    want, got = (re.sub(r"[ \t\r]+$", "", text, flags=re.MULTILINE).strip("\n") + "\n" for text in (want, got))
    checker = doctest.OutputChecker()
    if checker.check_output(want, got, flags):
        return
    example = doctest.Example("", want)
    raise Mismatch(f"{place}: {checker.output_difference(example, got, flags)}")


def commands(block: Block) -> list[tuple[int, str, str]]:
    """Line, command and expected output of each command of a console block."""
    found: list[tuple[int, str, str]] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append((number, line[2:], ""))
        elif not found:
            raise Mismatch(f"{block.path.name}, line {number}: a console block begins with '$ ', not {line!r}")
        elif not found[-1][2] and (line == ">" or line.startswith("> ") or found[-1][1].endswith("\\")):
            first, command, _ = found[-1]
            found[-1] = first, f"{command}\n{line.removeprefix('>').removeprefix(' ')}", ""
        else:
            first, command, output = found[-1]
            found[-1] = first, command, f"{output}{line}\n"
    return found


def run_console(block: Block, folder: Path) -> None:
    """Run a console block's commands in one shell."""
    parts = commands(block)
    script = "".join(f"{command}\nprintf '\\n{_MARK} %d\\n' $?\n" for _, command, _ in parts)
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"], cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, timeout=_LIMIT_S, check=False,
    )  # fmt: skip
    pieces = re.split(rf"\n{_MARK} (\d+)\n", done.stdout.decode("utf-8", "replace"))
    if len(pieces) != 2 * len(parts) + 1:
        raise Mismatch(f"{block.place}: the shell ended with {done.returncode} on its way: {''.join(pieces)}")
    for number, (line, command, want) in enumerate(parts):
        output, code = pieces[2 * number], int(pieces[2 * number + 1])
        last = number == len(parts) - 1
        expected = int(block.options.get("code", 0)) if last else 0
        if code != expected:
            raise Mismatch(f"{block.path.name}, line {line}: {command!r} ended with {code}, not {expected}:\n{output}")
        check(want, output, f"{block.path.name}, line {line}: {command!r}")


def run_python(block: Block, namespace: dict[str, Any], want: str | None) -> None:
    """Run a Python block; `want` is the text of the output block behind it."""
    source = "\n" * (block.line - 1) + block.text  # so that a traceback names the page's line
    code = compile(source, str(block.path), "exec", dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    if want is not None:
        check(want, printed.getvalue(), block.place)


def run_pycon(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block of `>>> ` lines."""
    test = doctest.DocTestParser().get_doctest(block.text, namespace, block.path.name, str(block.path), block.line - 1)
    test.globs = namespace
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    if runner.run(test, out=report.write, clear_globs=False).failed:
        raise Mismatch(report.getvalue())


def run_page(path: Path, folder: Path) -> int:
    """Run a page's blocks in `folder`, which is the current one. Returns how many ran."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    count, page = 0, list(blocks(path))
    for number, block in enumerate(page):
        if block.language not in (*RUN, *NOT_RUN, "output"):
            raise Mismatch(f"{block.place}: a block in {block.language!r}; there are {', '.join((*RUN, *NOT_RUN))}")
        if "needs" in block.options or block.language not in RUN:
            continue
        behind = page[number + 1] if number + 1 < len(page) else None
        count += 1
        if block.language == "console":
            run_console(block, folder)
        elif block.language == "pycon":
            run_pycon(block, namespace)
        else:
            run_python(block, namespace, behind.text if behind and behind.language == "output" else None)
    return count


def script(path: Path) -> str:
    """A page's Python blocks as one module, lines where the page has them; those with needs= included."""
    lines: list[str] = []
    for block in blocks(path):
        if block.language == "python":
            lines += [""] * (block.line - 1 - len(lines)) + block.text.splitlines()
    return "\n".join(lines) + "\n"
