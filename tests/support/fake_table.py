"""The misbehaving drivers of tests/fake_canal, a row each: how it is built, how it harms, what we promise."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from beside import Beside

import canal_fast as cf

HERE = Path(__file__).parents[1] / "fake_canal"
FRAMES = 400
LP64 = sys.maxsize > 2**32 and sys.platform != "win32"


@dataclasses.dataclass
class Naive:
    """What came of the naive caller."""

    signal: int
    hung: bool
    said: dict[str, Any]

    @property
    def frames(self) -> list[list[Any]]:
        return self.said.get("frames", [])

    @property
    def codes(self) -> list[int]:
        return self.said.get("codes", [])

    @property
    def gave_up(self) -> bool:
        return 0 < len(self.frames) < FRAMES and self.codes[-1] not in (0, 32)

    @property
    def wrong(self) -> bool:
        """Frames that are not the driver's, in fields that a program looks at."""
        read = [(flags, number, size, data) for flags, number, size, data, _ in self.frames]
        true = [
            (int(f["flags"]), int(f["arbitration_id"]), int(f["dlc"]), f["data"].tolist())
            for f in expected(max(len(read), 1))
            if not f["flags"] & cf.FrameFlag.REMOTE
        ]
        return [row for row in read if not row[0] & 2] != true[: len([row for row in read if not row[0] & 2])]


def expected(count: int, first: int = 0, sizes: bool = False) -> cf.FrameArray:
    """The frames that a fake hands over, time stamps aside."""
    n = np.arange(first, first + count)
    frames = np.zeros(count, cf.FRAME_DTYPE)
    standard, remote = n % 4 == 3, n % 50 == 7
    frames["arbitration_id"] = np.where(standard, n & 0x7FF, n & 0x1FFFFFFF)
    frames["flags"] = np.where(standard, 0, 1) | np.where(remote, 2, 0)
    frames["dlc"] = np.where(sizes & (n % 16 == 5), 9 + n // 16 % 7, n % 9)
    k = np.arange(8)
    data = (n[:, None] * 31 + k * 7 + 1) & 0xFF
    frames["data"] = np.where((k < np.minimum(frames["dlc"], 8)[:, None]) & ~remote[:, None], data, 0)
    return frames


@dataclasses.dataclass
class Ours:
    """What came of a Channel on the same driver."""

    path: Path
    channel: cf.Channel
    frames: cf.FrameArray  # status messages left out
    statuses: cf.FrameArray
    seconds: float
    error: cf.DriverError | None
    counts: Callable[[int], int]
    close_s: float = 0.0
    close_error: cf.DriverError | None = None
    stdin: int = dataclasses.field(default_factory=lambda: os.fstat(0).st_ino)
    ticks: int = 0  # of another Python thread, one in 10 ms, during close: limits go by it (beside.py)
    hosted: bool = False  # the driver is in a host process, which does not outlive a call that hangs


RECEIVES, BLOCKS, STATISTICS, OVERLAPS, ON_BUS, SEND_ERRORS, LAYOUT, AS_DATA = range(8)


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    config: str = ""
    action: str = "block"  # of the naive caller
    harmed: str = ""  # in words
    harm: Callable[[Naive], bool] = lambda n: False
    macros: str = ""
    count: int = FRAMES  # how many frames we have to get
    malformed: int = 0
    statuses: int = 0
    sizes: bool = False
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    file: str = "fake.so"  # profiles go by it
    also: str = ""  # one more promise, in words ...
    check: Callable[[Ours], bool] = lambda ours: True  # ... and shown, with the channel still open
    closed: Callable[[Ours], bool] = lambda ours: ours.close_error is None
    opens: bool = True
    error: int | None = None  # that receive has to raise after the last frame
    silence: float = 0.1  # seconds after that frame in which it has to
    refused: str = "did not open"  # what else its error says, unless `opens`
    dies: str = ""  # nothing can be done within the process; what the error says where the driver is in a host
    alone: bool = False  # nothing else may go on in the process
    doctor: str = "works"  # in the first three lines of the doctor's report

    @property
    def text(self) -> str:
        return f"frames={FRAMES};{self.config}"

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", self.name)


def build(row: Row, folder: Path, extra: tuple[str, ...] = (), place: str = "") -> Path:
    """Compile the row's library, in a folder of its own: one copy is one set of global variables."""
    common = folder / f"{abs(hash((row.macros, extra))):x}.so"
    if not common.exists():
        flags = ["-std=gnu11", "-O1", "-w", "-shared", "-fPIC", *extra, *row.macros.split()]
        subprocess.run(["gcc", *flags, str(HERE / "fake_canal.c"), "-o", str(common)], check=True)
    target = folder / f"{row} {common.stem}{place}" / row.file
    target.parent.mkdir(exist_ok=True)
    if not target.exists():
        target.write_bytes(common.read_bytes())
    return target


def run_naive(row: Row, path: Path, *more: str, action: str = "") -> Naive:
    command = [sys.executable, "-S", "-E", str(HERE / "naive.py"), action or row.action, str(path), row.text, *more]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=2.7 if row.harmed == "hangs" else 30,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Naive(0, True, {})
    lines = [line for line in done.stdout.splitlines() if line]
    said = json.loads(lines[-1]) if done.returncode == 0 else {"error": done.stderr}
    said["printed"] = len(lines) - 1
    return Naive(-done.returncode, False, said)


def no_spin(ours: Ours) -> bool:
    """Fewer calls than a millisecond's rhythm explains."""
    return ours.counts(RECEIVES) + ours.counts(BLOCKS) < 3 * (FRAMES + ours.seconds * 1000) + 200


def stamps_match(ours: Ours) -> bool:
    """Never decreasing, and two bursts 150 ms apart are so."""
    stamps = ours.frames["timestamp_ns"].astype(np.int64)
    return bool((np.diff(stamps) >= 0).all()) and 0.1e9 < int(stamps[-1] - stamps[0]) < (ours.seconds + 0.1) * 1e9


def sends(ours: Ours) -> bool:
    """All 60 frames get on the bus, in order, though the queue holds 20."""
    accepted = ours.channel.send(expected(60), timeout=5.0)
    with Beside() as beside:
        while ours.counts(ON_BUS) < 60 and beside.seconds < 2:
            time.sleep(0.01)
    return accepted == ours.counts(ON_BUS) == 60 and ours.counts(SEND_ERRORS) == 0


def refuses(ours: Ours, what: str) -> bool:
    """Such a frame is refused before the driver is called, and so are the good ones beside it."""
    frames = expected(60)
    frames["flags"], frames["dlc"] = 0, 1
    frames["flags" if what == "remote" else "dlc"][20] = 2 if what == "remote" else 0
    try:
        ours.channel.send(frames)
    except cf.FrameError as error:
        return error.index == 20 and ours.counts(ON_BUS) == ours.counts(AS_DATA) == 0
    return False


def hangs(call: Callable[[], object], name: str) -> bool:
    """The call raises, within its limit and a second, an error that names it."""
    with Beside() as beside:
        try:
            call()
        except cf.ChannelTimeoutError as error:
            return error.operation == name and beside.seconds < 6
    return False


def never_asked(ours: Ours) -> bool:
    return ours.counts(STATISTICS) == 0 and ours.channel.ledger().driver_overruns is None


STAMP = 4
# fmt: off
ROWS = [
    Row("by the book", also="no spinning", check=no_spin),
    Row("layout 28", "", "poll", "reads other fields", lambda n: n.wrong, "-DFAKE_WORD=uint32_t",
        also="layout found", check=lambda o: o.channel.driver.layout == 28, doctor="layout 28"),
    Row("layout 84", "", "poll", "memory overwritten", lambda n: n.said["trampled"],
        "-DFAKE_WORD=uint32_t -DFAKE_DATA=64", also="layout found", check=lambda o: o.channel.driver.layout == 84,
        doctor="layout 84"),
    Row("layout 104", "", "poll", "memory overwritten", lambda n: n.said["trampled"], "-DFAKE_DATA=64",
        also="layout found", check=lambda o: o.channel.driver.layout == 104, doctor="layout 104"),
    Row("generation 1", "", "block", "a missing function", lambda n: "symbol" in n.said["error"], "-DFAKE_GEN1",
        also="profile found", check=lambda o: o.channel.driver.profile == "generation-1", doctor="generation 1"),
    Row("four functions", "", "status", "a missing function", lambda n: "symbol" in n.said["error"], "-DFAKE_FOUR",
        also="says what is missing", check=lambda o: len(o.channel.driver.capabilities) == 4,
        doctor="missing: CanalDataAvailable"),
    Row("writes into config", "strtok=1", "block", "its bytes object changed", lambda n: n.said["config_changed"],
        doctor="writes into the configuration"),
    Row("keeps config", "keep=1", "reuse", "dies", lambda n: n.signal == 11),
    Row("handle 0", "open=0", "block", "reads a handle that is none", lambda n: n.said["handle"] == 0, opens=False,
        doctor="did not open"),
    Row("handle -1", "open=-1", "block", "takes it for a handle", lambda n: n.said["handle"] == -1, opens=False,
        doctor="did not open"),
    Row("dead handle answers 0", "die=300", "block", "invents frames", lambda n: len(n.frames) > 300, count=300,
        also="no spinning", check=no_spin, doctor="0 without a message"),
    Row("dead handle, 35 waiting", "die=300;available=35;bursts=1", "available", "invents frames",
        lambda n: len(n.frames) > 300, count=300, also="no spinning", check=no_spin, doctor="0 without a message"),
    Row("0 and nothing written", "untouched=1", "poll", "invents frames", lambda n: len(n.frames) > FRAMES,
        also="no spinning", check=no_spin, doctor="0 without a message"),
    Row("12 when empty", "empty=12;pause=150", "poll", "gives up", lambda n: n.gave_up, "-DFAKE_GEN1",
        file="vscpl1drv-can232.so", doctor="12"),
    Row("8 on time-out", "expired=8;pause=150", "block", "gives up", lambda n: n.gave_up, doctor="8 on time-out"),
    Row("8 at once, bounded", "instant=1;expired=8;pause=150", "block", "gives up", lambda n: n.gave_up,
        doctor="at once"),
    Row("8 at once, for ever", "instant=2;pause=150", "mixed", "spins",
        lambda n: n.codes.count(8) > 500, also="no spinning", check=no_spin, doctor="at once"),
    Row("time-out 0 is for ever", "forever=1;expired=8", "block0", "hangs", lambda n: n.hung, doctor="waits for ever"),
    Row("garbage", "garbage=1", "poll", "wrong fields", lambda n: n.wrong, doctor="garbage in undefined fields"),
    Row("sizeData 9..15", "sizes=1", "poll", "sizes no frame has", lambda n: any(f[2] > 8 for f in n.frames),
        sizes=True, doctor="sizeData above 8"),
    Row("sizeData 200", "oversize=1", "poll", "a 200-byte frame", lambda n: any(f[2] == 200 for f in n.frames),
        malformed=FRAMES // 10, doctor="malformed"),
    Row("status messages 0x0304", "status=1", "poll", "flags == 4 never true, stamps jump",
        lambda n: any(f[0] == 0x304 and f[STAMP] > 1 << 62 for f in n.frames), statuses=FRAMES // 10,
        also="stamps never decrease", check=lambda o: bool((np.diff(o.statuses["timestamp_ns"]) >= 0).all()),
        doctor="0x0304"),
    Row("statistics reset", "statistics=1", "statistics", "counts halve",
        lambda n: n.said["statistics"][0][0] > 0 == n.said["statistics"][1][0], also="never asked", check=never_asked,
        doctor="reset by reading"),
    Row("statistics lie", "statistics=2", "statistics", "believes 57005 lost",
        lambda n: n.said["statistics"][0][4] == 0xDEAD, also="never asked", check=never_asked, doctor="57005"),
    Row("statistics not filled", "statistics=3", "statistics", "believes 0 received",
        lambda n: n.said["statistics"][0][0] == 0 < len(n.frames), also="says so",
        check=lambda o: o.channel.statistics() is None, doctor="never filled"),
    Row("status text, no NUL", "text=1", "status", "reads past the end", lambda n: n.said["text"] > 80,
        also="80 characters", check=lambda o: o.channel.status().text == "X" * 80, doctor="no NUL"),
    Row("vendor string NULL", "vendor=1", "vendor", "an exception", lambda n: n.signal != 0,
        also="empty text", check=lambda o: o.channel.driver.vendor == "", doctor="vendor string"),
    Row("vendor string crashes", "vendor=2", "vendor", "dies", lambda n: n.signal == 11, options={"profile": "usb2can"},
        also="never asked", check=lambda o: o.channel.driver.vendor == "",
        doctor="crashed (SIGSEGV) in CanalGetVendorString"),
    Row("version, upper half", "version=1", "version", "a number beyond 32 bits",
        lambda n: n.said["version"] >> 32 != 0, also="32 bits",
        check=lambda o: (o.channel.driver.version, o.channel.driver.dll_version) == (0x10101, 0x90001),
        doctor="upper half"),
    Row("close takes 2 s", "close_ms=2000", "close", "other threads stand", lambda n: n.said["ticks"] < 10,
        also="others go on", closed=lambda o: o.close_s >= 2 and o.ticks > 20, doctor="close took"),
    Row("close closes descriptor 0", "close0=1", "close", "stdin gone", lambda n: "stdin" not in n.said, alone=True,
        closed=lambda o: os.fstat(0).st_ino == o.stdin,
        doctor="descriptor 0"),
    Row("prints to stdout", "print=1", "block", "its output polluted", lambda n: n.said["printed"] > 0,
        doctor="standard output"),
    Row("29-bit wrap, 992187.5 ns", "tick_num=1984375;tick_den=2;wrap=29;first_tick=0x1FFFFFB0;pause=150", "poll",
        "time runs back", lambda n: n.frames[-1][STAMP] < n.frames[0][STAMP], options={"profile": "usb2can"},
        also="stamps true", check=stamps_match),
    Row("32-bit wrap, 1 us", "first_tick=0xFFFEE000;pause=150", "poll", "time runs back",
        lambda n: n.frames[-1][STAMP] < n.frames[0][STAMP], options={"profile": "can4vscp"},
        also="stamps true", check=stamps_match),
    Row("wrong tick unit", "tick_num=1000000", "poll", "ms taken for us",
        lambda n: n.frames[-1][STAMP] < 1000, doctor="time unit", options={"profile": "can4vscp"}),
    Row("200 frames/s sent", "send_rate=200", "send", "frames lost", lambda n: n.said["on_bus"] < 60,
        also="all 60 on the bus", check=sends),
    Row("remote frames sent as data", "remote_data=1", "send_remote", "data frames on the bus",
        lambda n: n.said["as_data"] == 60, file="vscpl1drv-can4vscp.so", also="refused, nothing sent",
        check=lambda o: refuses(o, "remote")),
    Row("an empty frame wedges it", "wedge=1;empty=12", "send", "never sends again",
        lambda n: n.said["on_bus"] == 0, "-DFAKE_GEN1", file="vscpl1drv-can232.so", also="refused, nothing sent",
        check=lambda o: refuses(o, "empty")),
    Row("unplugged, says empty", "unplug=100;bursts=1", "poll", "waits for ever",
        lambda n: len(n.frames) == 100 and set(n.codes) == {0, 8}, file="usb2can.so", count=100, error=13, silence=2,
        doctor="the adapter is gone"),
    Row("an error code of its own", "fail=70000", "poll", "gives up or asks for ever", lambda n: 70000 in n.codes,
        error=70000, doctor="70000"),
    Row("two threads in receive", "slow=20", "threads", "calls overlap", lambda n: n.said["overlaps"] > 0,
        also="calls never overlap", check=lambda o: o.counts(OVERLAPS) == 0),
    Row("nothing ever comes", "frames=0", count=0, also="no spinning", check=no_spin, doctor="no frame"),
    Row("receive hangs", "hang=100", "poll", "hangs", lambda n: n.hung, count=100, also="receive tells",
        check=lambda o: "CanalReceive" in str(o.error), silence=7,
        closed=lambda o: o.ticks < 300 and "CanalReceive" in str(o.close_error), doctor="in CanalReceive"),
    Row("close hangs", "hang_close=1", "close", "hangs", lambda n: n.hung, also="other threads go on",
        closed=lambda o: 20 < o.ticks < 900 and "hangs in CanalClose" in str(o.close_error),
        doctor="in CanalClose"),
    Row("send hangs", "hang_send=1", "send", "hangs", lambda n: n.hung, also="named",
        check=lambda o: hangs(lambda: o.channel.send(expected(1)), "CanalSend"),
        closed=lambda o: o.ticks < 900 and (o.hosted or "hangs in CanalSend" in str(o.close_error))),
    Row("status hangs", "hang_status=1", "status", "hangs", lambda n: n.hung, also="named",
        check=lambda o: hangs(o.channel.status, "CanalGetStatus"),
        closed=lambda o: o.ticks < 900 and (o.hosted or "hangs in CanalGetStatus" in str(o.close_error)),
        doctor="in CanalGetStatus"),
    Row("receive crashes", "crash=100", "poll", "dies", lambda n: n.signal == 11, dies="killed by signal 11",
        doctor="crashed (SIGSEGV) in CanalReceive"),
    Row("open hangs", "hang_open=1", "poll", "hangs", lambda n: n.hung, opens=False, refused="CanalOpen",
        doctor="hangs (no answer in 3 s) in CanalOpen"),
    Row("open crashes", "crash_open=1", "poll", "dies", lambda n: n.signal == 11, dies="killed by signal 11",
        doctor="crashed (SIGSEGV) in CanalOpen"),
]
# fmt: on


def elf(bits: int, machine: int, big: bool = False) -> bytes:
    """The first bytes of a shared library for that machine."""
    order: Literal["big", "little"] = "big" if big else "little"
    head = b"\x7fELF" + bytes([bits // 32, 1 + big, 1]) + bytes(9)
    return (head + (3).to_bytes(2, order) + machine.to_bytes(2, order)).ljust(4096, b"\0")


def pe(machine: int) -> bytes:
    return (b"MZ".ljust(60, b"\0") + (64).to_bytes(4, "little") + b"PE\0\0" + machine.to_bytes(2, "little")).ljust(4096)


def broken_libraries(folder: Path) -> list[tuple[str, Path, str]]:
    """(what is wrong, file, words that a message about it must have)."""
    good = build(Row("by the book"), folder).read_bytes()
    other = (elf(64, 62), "x86-64 ELF") if platform.machine() == "aarch64" else (elf(64, 183), "ARM (aarch64)")
    files = [
        ("empty file", b"", "empty"),
        ("text file", b"#!/bin/sh\necho I am no library at all, whatever my name says\n" * 20, "not a shared library"),
        ("i386", elf(32, 3), "32-bit x86 (i386)"),
        ("another machine", *other),
        ("S/390", elf(64, 22, big=True), "S/390"),
        ("unheard-of machine", elf(64, 0x7777), "machine"),
        ("64-bit DLL", pe(0x8664), "64-bit x64 Windows DLL"),
        ("32-bit DLL", pe(0x14C), "32-bit x86 Windows DLL"),
        ("MZ and no more", b"MZ" + b"\xff" * 98, "not a shared library"),
        ("header only", good[:100], "cut short"),
        ("first KiB", good[:1024], "cut short"),
        ("first half", good[: len(good) // 2], "cut short"),
    ]
    rows = []
    for name, content, words in files:
        path = folder / f"broken {name.replace('/', '')}.so"
        path.write_bytes(content)
        rows.append((name, path, words))
    rows.append(("no such file", folder / "absent.so", "no such driver library"))
    rows.append(("no CanalReceive", build(Row("no receive", macros="-DFAKE_NO_RECEIVE"), folder), "CanalReceive"))
    unresolved = build(Row("unresolved", macros="-DFAKE_NEEDS"), folder)
    rows.append(("unresolvable symbol", unresolved, "function_that_no_library_has"))
    needed, path = folder / "libcompanion.so", folder / "dependent.so"
    shared = ["gcc", "-w", "-shared", "-fPIC"]
    subprocess.run([*shared, "-xc", "/dev/null", "-o", str(needed)], check=True)
    link = [str(HERE / "fake_canal.c"), "-Wl,--no-as-needed", f"-L{folder}", "-lcompanion", "-o", str(path)]
    subprocess.run([*shared, *link], check=True)
    needed.unlink()
    rows.append(("missing dependency", path, "libcompanion.so"))
    return rows
