"""Vector ASC, slowly: words of a line, one after the other. Imports nothing of ours."""

from __future__ import annotations

import datetime as dt
import re

from . import records as r

TIME = re.compile(r"(-?\d+(?:[.,]\d*)?)(?=[ \t]|$)")
KINDS = [
    ("statistic", "statistic"), ("status", "status"), ("j1939", "J1939 transport"),
    ("start of", "start of measurement"), ("sv:", "system variable"), ("%", "environment variable"), ("li", "LIN"),
    ("eth", "Ethernet"), ("fr", "FlexRay"), ("canxl", "CAN XL"), ("gps", "GPS"), ("tx", "marker"),
]  # fmt: skip


def start_of(words: list[str]) -> int | None:
    """Nanoseconds since 1970 of a date, read as UTC; None for what is none."""
    year = month = day = 0
    clock: list[float] | None = None
    fraction = 0
    half = ""
    for word in words:
        if iso := re.fullmatch(r"(\d{4}-\d\d-\d\d)T(.*?)Z?", word):
            year, month, day = map(int, iso[1].split("-"))
            word = iso[2]
        if r.month(word):
            month = r.month(word)
        elif word.lower() in ("am", "pm"):
            half = word.lower()
        elif re.fullmatch(r"\d{1,2}:\d\d(:\d+(\.\d{3}\.\d*|[.,]\d*)?)?", word):
            parts = word.split(":")
            seconds, _, decimals = (parts[2] if len(parts) > 2 else "0").replace(",", ".").partition(".")
            clock = [int(parts[0]), int(parts[1]), int(seconds)]
            fraction = r.nanoseconds("0." + (decimals.replace(".", "") or "0"), 9)
        elif re.fullmatch(r"\d{1,2}([.-])\d{1,2}\1\d{4}", word):
            day, month, year = map(int, re.split("[.-]", word))
        elif re.fullmatch(r"\d{4}([./-])\d{1,2}\1\d{1,2}", word):
            year, month, day = map(int, re.split("[./-]", word))
        elif re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", word):
            day, month, year = map(int, word.split("/"))
            if month > 12:
                day, month = month, day
            elif day <= 12 and day != month:  # either may be the month
                day = month = year = 0
        elif re.fullmatch(r"\d{4}[.,]?", word):
            year = int(word[:4])
        elif re.fullmatch(r"\d{1,2}[.,]?", word):
            day = int(word.rstrip(".,"))
    if clock is None:
        return None
    if half == "pm" and clock[0] < 12:
        clock[0] += 12
    if half == "am" and clock[0] == 12:
        clock[0] = 0
    if not 1678 <= year <= 2261:  # what 64 bits of nanoseconds reach
        return None
    try:
        date = dt.datetime(year, month, day, *map(int, clock), tzinfo=dt.UTC)
    except ValueError:
        return None
    return int((date - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()) * 10**9 + fraction


class Reader:
    def __init__(self) -> None:
        self.decimal = self.relative = self.of_day = False
        self.epoch = self.clock = 0
        self.out = r.Outcome()

    def header(self, text: str) -> None:
        words = r.words(text.lower())
        if words[0] == "date" or (words[:1] == ["begin"] and words[1:2] and words[1].startswith("triggerblock")):
            self.clock = 0
            date = r.words(text)[1 if words[0] == "date" else 2 :]
            start = start_of(date)
            if start is not None:
                self.epoch = self.out.start_ns = start
            elif date:
                self.skip("date that is not understood")
        elif words[0] == "base":
            for word in words[1:]:
                self.decimal = word == "dec" if word in ("hex", "dec") else self.decimal
                self.relative = word == "relative" if word in ("absolute", "relative") else self.relative
            self.of_day = "internal" in words and not {"absolute", "relative"} & set(words)
        elif not re.match(r"(no )?internal events logged|//|end[ \t]+triggerblock$", text.lower()):
            self.out.skipped["line without a time"] += 1

    def byte(self, word: str) -> int:
        if self.decimal:
            if not re.fullmatch(r"\d+", word) or int(word) > 255:
                raise r.Broken(word)
            return int(word)
        if not re.fullmatch(r"[0-9A-Fa-f]{2}", word):
            raise r.Broken(word)
        return int(word, 16)

    def identifier(self, word: str) -> tuple[int, int] | None:
        hexadecimal = re.fullmatch(r"0x([0-9A-F]{1,8})(x?)", word, re.IGNORECASE)
        if hexadecimal is None and not self.decimal:
            hexadecimal = re.fullmatch(r"([0-9A-F]{1,8})(x?)", word, re.IGNORECASE)
        match = hexadecimal or (re.fullmatch(r"(\d{1,19})(x?)", word, re.IGNORECASE) if self.decimal else None)
        if match is None:
            return None
        flags = r.EXTENDED if match[2] else 0
        value = int(match[1], 16 if hexadecimal else 10)
        return value, flags

    @staticmethod
    def checked(identifier: tuple[int, int]) -> tuple[int, int]:
        value, flags = identifier
        if value > 0x1FFFFFFF:
            raise r.Broken(identifier)
        return value, r.EXTENDED if value > 0x7FF else flags

    def skip(self, kind: str) -> None:
        self.out.skipped[kind] += 1

    def kind(self, text: str) -> str:
        return next((kind for begin, kind in KINDS if text.lower().startswith(begin)), "other event")

    def event(self, text: str) -> r.Record | None:
        """The frame of what follows a time."""
        words = r.words(text)
        flexible = words[:1] != [] and words[0].lower() == "canfd"
        rest = text[5:].strip(" \t") if flexible else text
        words = r.words(rest)
        if not words or not re.fullmatch(r"\d{1,19}", words[0]):
            self.skip("status" if words[:1] and words[0].lower() == "can" else self.kind(rest))
            return None
        channel = int(words[0])
        rest = rest[len(words[0]) :].strip(" \t")
        words = words[1:]
        directions = {"rx": 0, "tx": r.TX, "txrq": r.TX}
        if flexible:
            direction = directions.get(words[0].lower()) if words else None
            if direction is not None:
                words = words[1:]
            elif not (words and words[0].lower().startswith("errorframe")):
                self.skip(self.kind(rest))
                return None
        if channel > 256:
            self.skip("frame of a channel above 256")
            return None
        channel = max(channel - 1, 0)
        if words and words[0].lower().startswith("errorframe"):
            record = self.error_fd(words[1:]) if flexible else self.error(words[0][10:] + " " + " ".join(words[1:]))
        elif words and words[0].lower().startswith("overloadframe"):
            record = r.error(0x20)
            record.arbitration_id = r.PROTOCOL
        elif flexible:
            record = self.flexible(words, direction or 0)
        else:
            record = self.classical(rest, words, directions)
        if record is not None:
            record.channel = channel
        return record

    def error(self, text: str) -> r.Record:
        fields = dict(re.findall(r"(?:^|(?<=[ \t]))(\w+)[ \t]+=[ \t]*0x([0-9A-F]{1,8})", text, re.IGNORECASE))
        fields = {key.lower(): int(value, 16) for key, value in fields.items()}
        ecc = re.match(r"\s*ECC: ([01]{8})(?:\s|$)", text, re.IGNORECASE)
        valid = fields.get("flags", 0)
        kinds = [1, 2, 4, 0]
        if ecc or valid & 1:
            code = int(ecc[1], 2) if ecc else fields.get("code", 0)
            return r.error(kinds[code >> 6 & 3] | (0 if code & 0x20 else 0x80), code & 31)
        return self.extended(fields.get("codeext", 0)) if valid & 2 else r.error()

    @staticmethod
    def extended(code: int) -> r.Record:
        """The error of Vector's extended code."""
        kind = code >> 6 & 63
        record = r.error(([1, 2, 4, 0][kind] if kind < 4 else 0) | (0x80 if code & 0x1000 else 0), code & 31)
        if kind == 8:
            record = r.error(0x20)
            record.arbitration_id = r.PROTOCOL
        if kind == 7:
            record.arbitration_id |= r.ACKNOWLEDGE
        return record

    def error_fd(self, words: list[str]) -> r.Record:
        """`<words> <flags> <capture> <code> Arb.|Data ...`"""
        for index, word in enumerate(words):
            numbers = words[max(index - 3, 0) : index]
            right = len(numbers) == 3 and all(re.fullmatch("[0-9A-Fa-f]{1,8}", number) for number in numbers)
            if word.lower() in ("arb.", "data") and right:
                flags, capture, code = (int(number, 16) for number in numbers)
                if flags & 2:
                    return self.extended(code)
                return self.error(f" ECC: {capture & 255:08b}") if flags & 1 else r.error()
        return r.error()

    def classical(self, rest: str, words: list[str], directions: dict[str, int]) -> r.Record | None:
        if len(words) < 3 or words[1].lower() not in directions or words[2].lower() not in ("d", "r"):
            self.skip(self.kind(rest))
            return None
        identifier = self.identifier(words[0])
        if identifier is None:
            number = r"[ \t]ID[ \t]+=[ \t]*(0x[0-9A-F]{1,8}|\d{1,19})(x?)(?=[ \t]|$)"
            stated = re.search(number, " ".join(words[2:]), re.IGNORECASE)
            if stated is None:
                self.skip("symbolic name")
                return None
            identifier = int(stated[1], 16 if "x" in stated[1].lower() else 10), r.EXTENDED if stated[2] else 0
        value, flags = self.checked(identifier)
        flags |= directions[words[1].lower()]
        code = int(words[3], 16) if len(words) > 3 and re.fullmatch(r"[0-9A-Fa-f]", words[3]) else None
        if words[2].lower() == "r":
            return r.Record(0, value, flags | r.REMOTE, 0, code or 0)
        if code is None:
            raise r.Broken(rest)
        data = words[4 : 4 + min(code, 8)]
        if len(data) < min(code, 8):
            raise r.Broken(rest)
        return r.Record(0, value, flags, 0, code, bytes(map(self.byte, data)))

    def flexible(self, words: list[str], direction: int) -> r.Record | None:
        identifier = self.identifier(words[0]) if words else None
        if identifier is None:
            self.skip("symbolic name")
            return None
        value, flags = self.checked(identifier)
        words = words[1:]
        if words and words[0] not in ("0", "1"):
            words = words[1:]
        if len(words) < 4 or words[0] not in ("0", "1") or words[1] not in ("0", "1"):
            raise r.Broken(words)
        if not re.fullmatch(r"[0-9A-Fa-f]", words[2]) or not re.fullmatch(r"\d{1,19}", words[3]):
            raise r.Broken(words)
        code, length = int(words[2], 16), int(words[3])
        if length > 64 or len(words) < 4 + length:
            raise r.Broken(words)
        data = bytes(map(self.byte, words[4 : 4 + length]))
        tail = words[4 + length :]
        bits = 0x1000
        if len(tail) > 2:
            if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", tail[2]):
                raise r.Broken(tail)
            bits = int(tail[2], 16)
        flags |= direction
        if bits & 0x1000 or length > 8:
            flags |= r.FD | (r.BRS if words[0] == "1" else 0) | (r.ESI if words[1] == "1" else 0)
            room = r.FD_LENGTHS[code]
        elif bits & 0x10:
            flags |= r.REMOTE
            room = 0
        else:
            room = min(code, 8)
        if length > room:
            raise r.Broken(length)
        return r.Record(0, value, flags, 0, code, data.ljust(room, b"\0"))

    def line(self, text: str) -> None:
        text = text.strip(" \t\r")
        if not text:
            return
        if not re.match(r"-?\d", text):
            if "\0" in text:
                raise r.Broken(text)
            self.header(text)
            return
        match = TIME.match(text)
        if match is None:
            raise r.Broken(text)
        offset = r.nanoseconds(match[1].replace(",", "."), 9)
        if self.relative:
            self.clock = offset = self.clock + offset
        elif self.of_day and offset >= 0:
            offset -= (self.out.start_ns or 0) % (86400 * 10**9)
        if not (-(2**63) <= offset < 2**63 and -(2**63) <= offset + self.epoch < 2**63):
            raise r.Broken(text)
        record = self.event(text[match.end() :].strip(" \t"))
        if record is not None:
            record.timestamp_ns = self.epoch + offset
            self.out.frames.append(record)


def read(data: bytes) -> r.Outcome:
    """All frames of a file whose last line has its end; up to the first line that is wrong."""
    reader = Reader()
    for number, (text, _) in enumerate(r.lines(data), 1):
        try:
            reader.line(text)
        except r.Broken:
            reader.out.broken_line = number
            break
    return reader.out
