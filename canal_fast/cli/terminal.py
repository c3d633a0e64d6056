"""A terminal taken over for a while: its whole screen, keys one by one, and back as it was, whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol

if sys.platform == "win32":
    import msvcrt
else:
    import termios

__all__ = ["Keys", "Terminal", "open_terminal"]

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"  # the other screen, no cursor, no wrapping
LEAVE = "\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l"
SAID_MOST = 1 << 16  # bytes of standard error that are told afterwards
_SEQUENCES = {
    "A": "up", "B": "down", "H": "home", "F": "end", "1~": "home", "4~": "end", "5~": "pageup", "6~": "pagedown",
    "7~": "home", "8~": "end",
}  # fmt: skip
_PLAIN = {
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\b": "backspace",
    "\x0e": "down",
    "\x10": "up",
    "\x0c": "redraw",
}
_WINDOWS = {"H": "up", "P": "down", "G": "home", "O": "end", "I": "pageup", "Q": "pagedown"}
_POLL_S = 0.02  # Windows waits for no key and a time


class Keys:
    """Names of keys from what a terminal sends: a character, or up, down, pageup, pagedown, home, end, enter, escape,
    backspace, redraw (Ctrl-L). Sequences may come in pieces; what is no known key is left out."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> Iterator[str]:
        text, self._rest = self._rest + text, ""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                key = _PLAIN.get(text[at], text[at])
                if len(key) > 1 or key.isprintable():
                    yield key
                at += 1
                continue
            if text[at + 1 : at + 2] not in ("[", "O"):
                yield "escape"
                at += 1
                continue
            end = at + 2
            while end < len(text) and not ("@" <= text[end] <= "~"):
                end += 1
            if end == len(text):
                self._rest = text[at:][:16]
                return
            if name := _SEQUENCES.get(text[at + 2 : end + 1]):
                yield name
            at = end + 1


class Terminal(Protocol):
    """`ending` names what asked to end: a signal's number, or 0 where the terminal is gone; None otherwise. `fresh`
    says, once, that nobody knows what the screen shows."""

    ending: int | None

    def __enter__(self) -> Terminal: ...
    def __exit__(self, *_: object) -> None: ...
    def size(self) -> tuple[int, int]: ...
    def write(self, text: str) -> None: ...
    def keys(self, timeout: float) -> list[str]: ...
    def fresh(self) -> bool: ...


def open_terminal() -> Terminal | None:
    """The terminal of standard output, with keys of standard input or, where that is none, of the controlling
    terminal. None: there is no such thing."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return None
    if sys.platform == "win32":
        return _WindowsTerminal() if sys.stdin.isatty() else None
    else:
        try:
            keys = os.dup(sys.stdin.fileno()) if sys.stdin.isatty() else os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except (OSError, ValueError, AttributeError):
            return None
        return _PosixTerminal(keys)


class _Said:
    """What drivers, warnings and others print while the screen is taken: kept where it would have gone onto the screen,
    and told afterwards, on standard error."""

    def __enter__(self) -> _Said:
        self._kept: dict[int, int] = {}
        self._file = tempfile.TemporaryFile()
        for descriptor in {1, 2} - {sys.stdout.fileno()}:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                if os.isatty(descriptor):
                    sys.stderr.flush()
                    self._kept[descriptor] = os.dup(descriptor)
                    os.dup2(self._file.fileno(), descriptor)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        for descriptor, kept in self._kept.items():
            os.dup2(kept, descriptor)
            os.close(kept)
        self._file.seek(0)
        with contextlib.suppress(OSError), self._file:
            os.write(2, self._file.read(SAID_MOST))


class _Ending:
    """Signals that end a program, noted: the number of the last one."""

    NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")

    def __init__(self) -> None:
        self.ending: int | None = None
        self._before: dict[int, Any] = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.ending = number

    def take(self) -> None:
        for name in self.NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)

    def give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


if sys.platform == "win32":

    class _WindowsTerminal(_Ending):
        def __init__(self) -> None:
            super().__init__()
            self._keys, self._fresh = Keys(), True

        def __enter__(self) -> _WindowsTerminal:
            self.take()
            self._said = _Said().__enter__()
            os.system("")  # has the console take ANSI sequences
            self.write(ENTER)
            return self

        def __exit__(self, *_: object) -> None:
            with contextlib.suppress(OSError):
                self.write(LEAVE)
            self._said.__exit__()
            self.give_back()

        def size(self) -> tuple[int, int]:
            try:
                return tuple(os.get_terminal_size(sys.stdout.fileno()))  # type: ignore[return-value]
            except (OSError, ValueError):
                return 80, 24

        def write(self, text: str) -> None:
            sys.stdout.write(text)
            sys.stdout.flush()

        def keys(self, timeout: float) -> list[str]:
            deadline = time.monotonic() + timeout
            while not msvcrt.kbhit() and self.ending is None and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            found: list[str] = []
            while msvcrt.kbhit():
                key = msvcrt.getwch()
                if key in ("\0", "\xe0"):
                    found += [_WINDOWS[code]] if (code := msvcrt.getwch()) in _WINDOWS else []
                elif key == "\x03":
                    self.ending = signal.SIGINT
                else:
                    found += self._keys.feed(key)
            return found

        def fresh(self) -> bool:
            fresh, self._fresh = self._fresh, False
            return fresh

else:

    class _PosixTerminal(_Ending):
        """Raw but for the signals of keys. Ctrl-Z gives the terminal back and takes it again when the program goes on;
        a new size wakes `keys`."""

        def __init__(self, keys: int) -> None:
            super().__init__()
            self._in, self._out = keys, sys.stdout.fileno()
            self._encoding = sys.stdout.encoding or "ascii"
            self._keys, self._fresh = Keys(), True

        def __enter__(self) -> _PosixTerminal:
            self._wake, self._waken = os.pipe()
            for end in (self._wake, self._waken):
                os.set_blocking(end, False)
            self._woken_before = signal.set_wakeup_fd(self._waken, warn_on_full_buffer=False)
            self.take()
            for number, handler in ((signal.SIGTSTP, self._suspend), (signal.SIGWINCH, self._resized)):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, handler)
            self._said = _Said().__enter__()
            self._enter()
            return self

        def __exit__(self, *_: object) -> None:
            self._leave()
            self._said.__exit__()
            self.give_back()
            signal.set_wakeup_fd(self._woken_before)
            for descriptor in (self._wake, self._waken, self._in):
                os.close(descriptor)

        def _enter(self) -> None:
            self._modes: list[Any] | None = None
            with contextlib.suppress(termios.error):  # a terminal that is gone ends at the first read
                self._modes = termios.tcgetattr(self._in)
                raw = [*self._modes[:6], [*self._modes[6]]]
                raw[0] &= ~(termios.IXON | termios.ICRNL)
                raw[3] &= ~(termios.ICANON | termios.ECHO)
                raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0
                termios.tcsetattr(self._in, termios.TCSANOW, raw)
            self.write(ENTER)
            self._fresh = True

        def _leave(self) -> None:
            self.write(LEAVE)
            with contextlib.suppress(termios.error):
                if self._modes is not None:
                    termios.tcsetattr(self._in, termios.TCSANOW, self._modes)

        def _suspend(self, number: int, frame: FrameType | None) -> None:
            self._leave()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            signal.signal(number, self._suspend)
            self._enter()

        def _resized(self, number: int, frame: FrameType | None) -> None:
            pass  # that it came wakes `keys`

        def size(self) -> tuple[int, int]:
            try:
                columns, rows = os.get_terminal_size(self._out)
            except OSError:
                columns = rows = 0
            return columns or 80, rows or 24

        def write(self, text: str) -> None:
            """All at once; a terminal that is gone ends the program, and does not break it."""
            data = memoryview(text.encode(self._encoding, "replace"))
            try:
                while data:
                    data = data[os.write(self._out, data) :]
            except BlockingIOError:
                self._fresh = True  # somebody made it non-blocking: the next screen is a whole one
            except OSError:
                self.ending = self.ending or 0

        def keys(self, timeout: float) -> list[str]:
            """Keys that were pressed; waits for one, for a signal, or so many seconds."""
            if self.ending is not None:
                return []
            ready, _, _ = select.select([self._in, self._wake], [], [], max(timeout, 0))
            if self._wake in ready:
                os.read(self._wake, 4096)
            if self._in not in ready:
                return []
            try:
                data = os.read(self._in, 4096)
            except OSError:
                data = b""
            if not data and self.ending is None:
                self.ending = 0
            return list(self._keys.feed(data.decode("utf-8", "replace")))

        def fresh(self) -> bool:
            fresh, self._fresh = self._fresh, False
            return fresh
