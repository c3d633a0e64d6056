"""The child process of the doctor: calls a driver library step by step and reports each step before it is done.

`main` takes its options from the command line and writes JSON lines: `{"begin": name of the step}`, then
`{"facts": {...}}`. Whoever reads them knows where this process was when it hung or died. Calls the driver
bare, through ctypes, because what a driver really answers is the question.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_long, c_ulong, c_void_p
from pathlib import Path
from typing import Any

from canal_fast.drivers import _profiles
from canal_fast.drivers.library import CONVENTIONS, load_library, why_open_failed
from canal_fast.errors import DriverError
from canal_fast.live import _live

_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "CanalOpen": (c_long, [c_void_p, c_ulong]),
    "CanalClose": (c_int, [c_long]),
    "CanalReceive": (c_int, [c_long, c_void_p]),
    "CanalBlockingReceive": (c_int, [c_long, c_void_p, c_ulong]),
    "CanalDataAvailable": (c_int, [c_long]),
    "CanalGetStatus": (c_int, [c_long, c_void_p]),
    "CanalGetStatistics": (c_int, [c_long, c_void_p]),
    "CanalGetLevel": (c_ulong, [c_long]),
    "CanalGetVersion": (c_ulong, []),
    "CanalGetDllVersion": (c_ulong, []),
    "CanalGetVendorString": (c_char_p, []),
    "CanalGetDriverInfo": (c_char_p, []),
}
_STEADY_GAP_NS = 5_000_000  # a frame found so soon after an empty queue came just now
_INSTANT_S = 0.005


class Examination:
    """The steps, in order; each reports for itself."""

    def __init__(self, report: Callable[[dict[str, Any]], None], options: dict[str, Any]) -> None:
        self.report, self.options = report, options
        self.calls: dict[str, Callable[..., Any]] = {}
        self.handle = 0
        self.slot = ctypes.create_string_buffer(_profiles.SLOT_BYTES)
        self.layout = 0
        self.profile: dict[str, Any] = {}
        self.seen: dict[str, Any] = {
            "frames": 0, "status_messages": 0, "malformed": 0, "untouched": 0, "over_8": 0, "garbage": False,
            "codes": {}, "first_frame": None, "queue_high_water": None, "tick_ns": None, "ticks_stand": True,
            "failure": None, "status_flags": 0,
        }  # fmt: skip
        self.marks: list[tuple[int, int]] = []  # (host ns, ticks) of frames that came just now

    def begin(self, step: str) -> None:
        self.report({"begin": step})

    def facts(self, **facts: Any) -> None:
        self.report({"facts": facts})

    def run(self) -> None:
        if not self.load():
            pass
        elif not self.open():
            self.versions()
        else:
            self.listen()
            self.versions()
            self.block()
            self.ask()
            self.vendor()
            if self.poll_with_0():
                self.close()
        self.begin("end")

    def load(self) -> bool:
        self.begin("loading")
        path = Path(self.options["path"])
        try:
            library = load_library(path, self.options["convention"])
        except DriverError as error:
            self.facts(load_error=str(error))
            return False
        name = (
            self.options["profile"]
            if self.options["profile"] != "auto"
            else _profiles.choose(path.name, library.functions)
        )
        self.profile = next(row for row in _profiles.profiles() if row["name"] == name)
        if sys.platform == "win32":
            self.facts(loaded=_module_path(library.address(0)))
        exported = _profiles.exported(library.functions)
        table = _profiles.function_table()
        convention = CONVENTIONS[library.convention]
        kind = getattr(ctypes, "WINFUNCTYPE" if convention == "stdcall" else "CFUNCTYPE", ctypes.CFUNCTYPE)
        for index, (function, _) in enumerate(table):
            if function in exported and function in _SIGNATURES:
                result, arguments = _SIGNATURES[function]
                self.calls[function] = kind(result, *arguments)(library.address(index))
        self.facts(
            exports=exported,
            missing=[function for function, _ in table if function not in exported],
            extensions=_profiles.extensions(library.functions),
            convention=convention if sys.platform == "win32" and sys.maxsize < 2**32 else "the only one here",
            profile=name,
        )
        return True

    def versions(self) -> None:
        for function, key in (("CanalGetVersion", "version"), ("CanalGetDllVersion", "dll_version")):
            if function in self.calls:
                self.begin(function)
                self.facts(**{key: self.calls[function]()})

    def open(self) -> bool:
        self.begin("CanalOpen")
        config = ctypes.create_string_buffer(self.options["config"].encode(), _live.CONFIG_BYTES)
        before = config.raw
        begun = time.monotonic()
        self.handle = self.calls["CanalOpen"](config, self.options["flags"])
        self.config = config  # some drivers keep it
        self.facts(handle=self.handle, open_s=time.monotonic() - begun, config_changed=config.raw != before)
        if self.handle <= 0:
            self.facts(open_reason=why_open_failed(Path(self.options["path"]), self.profile))
        return self.handle > 0

    def receive(self, name: str, *timeout_ms: int) -> int | None:
        """One call: None when it brought a message (or nothing at all with code 0), else the code."""
        ctypes.memset(self.slot, _profiles.POISON, _profiles.SLOT_BYTES)
        code: int = self.calls[name](self.handle, self.slot, *timeout_ms)
        if code != 0:
            codes = self.seen["codes"]
            codes[code] = codes.get(code, 0) + 1
            return code
        decoded = _profiles.decode_slot(self.slot.raw, self.layout)
        if decoded is None:
            self.seen["untouched"] += 1
            return 0
        self.layout, frame, self.ticks = decoded
        self.note(frame)
        return None

    def note(self, frame: tuple[int, int, int, bytes] | None) -> None:
        seen = self.seen
        self.stamped = False
        if frame is None:
            seen["malformed"] += 1
        elif frame[1] & 4:
            seen["status_messages"] += 1
        else:
            seen["frames"] += 1
            self.stamped = True
            seen["over_8"] += frame[2] > 8
            seen["first_frame"] = seen["first_frame"] or {
                "arbitration_id": frame[0], "flags": frame[1], "dlc": frame[2], "data": frame[3].hex()
            }  # fmt: skip
        raw = int.from_bytes(self.slot.raw[:4], "little")
        if raw & 4:
            seen["status_flags"] |= raw
        else:
            seen["garbage"] |= bool(raw & 0x7FFFFFF0)

    def listen(self) -> None:
        """Drain for a while, as a logger does, and watch ticks, codes and the driver's queue."""
        empty = {*self.profile["empty"], 12}
        available = self.calls.get("CanalDataAvailable")
        if available:
            self.begin("CanalDataAvailable")
            self.seen["queue_high_water"] = max(available(self.handle), 0)
        self.begin("CanalReceive")
        end = time.monotonic() + self.options["seconds"]
        emptied_ns, first = 0, None
        while time.monotonic() < end and self.seen["failure"] is None:
            just_now = time.monotonic_ns() - emptied_ns < _STEADY_GAP_NS
            if available and just_now:
                self.seen["queue_high_water"] = max(self.seen["queue_high_water"], available(self.handle))
            while (code := self.receive("CanalReceive")) is None and time.monotonic() < end:
                if self.stamped:
                    first = self.ticks if first is None else first
                    self.seen["ticks_stand"] &= self.ticks == first
                if self.stamped and just_now:
                    self.marks.append((time.monotonic_ns(), self.ticks))
                    just_now = False
            emptied_ns = time.monotonic_ns()
            if code is not None and code not in empty and code != 0:
                self.seen["failure"] = code
            time.sleep(0.001)
        self.measure_tick()
        self.facts(layout=self.layout or None, native_layout=_profiles.native_layout()[0], **self.seen)

    def measure_tick(self) -> None:
        if len(self.marks) < 2:
            return
        (host0, ticks0), (host1, ticks1) = self.marks[0], self.marks[-1]
        passed = (ticks1 - ticks0) % (1 << self.profile["wrap_bits"])
        if host1 - host0 > 200_000_000 and 0 < passed < 1 << (self.profile["wrap_bits"] - 1):
            self.seen["tick_ns"] = (host1 - host0) / passed

    def block(self) -> None:
        """What a blocking receive says when nothing comes, and how soon."""
        flag = self.profile["blocking_flag"]
        if "CanalBlockingReceive" not in self.calls or self.options["flags"] & flag != flag:
            return
        self.begin("CanalBlockingReceive")
        answers = []
        for _ in range(3):
            begun = time.monotonic()
            code = self.receive("CanalBlockingReceive", 20)
            answers.append((code, time.monotonic() - begun))
        self.facts(
            blocking_instant=[
                code for code, seconds in answers if code in self.profile["empty"] and seconds < _INSTANT_S
            ],
            blocking_expired=[code for code, seconds in answers if code is not None and seconds >= _INSTANT_S],
        )

    def ask(self) -> None:
        words = ctypes.create_string_buffer(_profiles.SLOT_BYTES)
        word = 8 if self.layout in (48, 104) else 4 if self.layout else _profiles.native_layout()[1]
        if "CanalGetStatus" in self.calls:
            self.begin("CanalGetStatus")
            ctypes.memset(words, _profiles.POISON, len(words))
            code = self.calls["CanalGetStatus"](self.handle, words)
            text = words.raw[3 * word : 3 * word + 80]
            filled = words.raw[:4] != bytes([_profiles.POISON]) * 4
            self.facts(
                status_code=code,
                channel_status=int.from_bytes(words.raw[:4], "little") if filled else None,
                status_text=text.partition(b"\0")[0].decode("latin-1") if filled else None,
                status_text_ends=not filled or b"\0" in text,
            )
        if "CanalGetStatistics" in self.calls:
            self.begin("CanalGetStatistics")
            readings = []
            for _ in range(2):
                ctypes.memset(words, _profiles.POISON, len(words))
                self.calls["CanalGetStatistics"](self.handle, words)
                cells = [words.raw[i * word : i * word + 4] for i in range(7)]
                filled = any(cell != bytes([_profiles.POISON]) * 4 for cell in cells)
                readings.append([int.from_bytes(cell, "little") for cell in cells] if filled else None)
            self.facts(statistics=readings)
        if "CanalGetLevel" in self.calls:
            self.begin("CanalGetLevel")
            self.facts(level=self.calls["CanalGetLevel"](self.handle))

    def vendor(self) -> None:
        for function, key in (("CanalGetVendorString", "vendor"), ("CanalGetDriverInfo", "driver_info")):
            if function in self.calls:
                self.begin(function)
                text = self.calls[function]()
                self.facts(**{key: None if text is None else text[:2048].decode("latin-1")})

    def poll_with_0(self) -> bool:
        """Does a blocking receive with time-out 0 come back? If not, the driver must not be closed under it."""
        if "CanalBlockingReceive" not in self.calls or self.profile["blocking_flag"]:
            return True
        self.begin("CanalBlockingReceive with time-out 0")
        call = threading.Thread(target=self.receive, args=("CanalBlockingReceive", 0), daemon=True)
        call.start()
        call.join(0.1)
        self.facts(timeout_0_waits=call.is_alive())
        return not call.is_alive()

    def close(self) -> None:
        self.begin("CanalClose")
        begun = time.monotonic()
        code = self.calls["CanalClose"](self.handle)
        seconds = time.monotonic() - begun
        try:
            os.fstat(0)
            stdin = True
        except OSError:
            stdin = False
        self.facts(close_code=code, close_s=seconds, descriptor_0_kept=stdin)


def _module_path(address: int) -> str:
    """Path of the DLL that holds this address, as Windows knows it."""
    kernel32 = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    module, text = ctypes.c_void_p(), ctypes.create_unicode_buffer(32768)
    found = kernel32.GetModuleHandleExW(6, ctypes.c_void_p(address), ctypes.byref(module))  # by address, not counted
    return text.value if found and kernel32.GetModuleFileNameW(module, text, len(text)) else ""


def main() -> None:
    """Standard output is for reports; what the driver prints goes to a file and is counted."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)

        def report(line: dict[str, Any]) -> None:
            pipe.write("\n" + json.dumps(line) + "\n")
            pipe.flush()

        try:
            Examination(report, json.loads(sys.argv[1])).run()
        except Exception as error:
            fault = str(error).partition("exception: ")[2]  # on Windows ctypes makes an OSError of a crash
            report({"facts": {"ended_how": f"crashed ({fault})" if fault else f"the examination failed ({error!r})"}})
            os._exit(1)
        ctypes.CDLL(None).fflush(None) if os.name == "posix" else None
        report({"facts": {"printed_bytes": os.fstat(printed.fileno()).st_size}})
    os._exit(0)  # the driver's threads may not let go
