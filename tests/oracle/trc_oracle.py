"""PEAK TRC 1.0 to 2.1, slowly. Imports nothing of ours."""

from __future__ import annotations

import re
from fractions import Fraction

from . import records as r
from .asc_oracle import start_of

VERSIONS = ("1.0", "1.1", "1.2", "1.3", "2.0", "2.1")
OLD = {"Rx": 0, "Tx": r.TX, "Error": r.ERROR, "Warng": "warning"}
NEW = {
    "DT": 0, "FD": r.FD, "FB": r.FD | r.BRS, "FE": r.FD | r.ESI, "BI": r.FD | r.BRS | r.ESI, "RR": r.REMOTE,
    "ER": r.ERROR, "ST": "status", "EC": "error counters", "EV": "event",
}  # fmt: skip


def need(condition: object) -> None:
    if not condition:
        raise r.Broken


class Reader:
    def __init__(self) -> None:
        self.version = "1.0"
        self.columns: list[str] = []
        self.epoch = self.decimals = 0
        self.out = r.Outcome()

    def begin(self, start: int | None) -> None:
        if start is not None:
            self.epoch = self.out.start_ns = start

    def comment(self, text: str) -> None:
        lower = text.lower()
        if lower.startswith("$fileversion="):
            words = r.words(text[13:])
            need(words and words[0] in VERSIONS)
            self.version = words[0]
        elif lower.startswith("$starttime="):
            match = re.match(r"[ \t]*(\d{1,19})(?:\.(\d*))?", text[11:])
            if match and int(match[1]) and not 29221 <= int(match[1]) <= 25569 + 106000:
                self.out.skipped["date that is not understood"] += 1
            elif match and int(match[1]):
                decimals = (match[2] or "")[:12]
                days = Fraction(f"{match[1]}.{decimals or '0'}") - 25569
                self.begin(int((days * 86400 * 10**9 + Fraction(1, 2)) // 1))
                self.decimals = int(decimals or "0")
        elif lower.startswith("$columns="):
            names = text[9:].strip(" \t").split(",")
            need(all(name in list("NOTBIdRlLD") for name in names) and len(set(names)) == len(names))
            first = names[1:] if names[0] == "N" else names
            need(first[:2] == ["O", "T"] and "I" in names and ("l" in names) != ("L" in names) and names[-1] == "D")
            self.columns = names
        elif self.out.start_ns is None and lower.strip(" \t").startswith("start time:"):
            words = r.words(text.strip(" \t")[11:])
            self.begin(start_of(words))
            if words and self.out.start_ns is None:
                self.out.skipped["date that is not understood"] += 1
        elif self.decimals and lower.strip(" \t").startswith("start time:"):
            start, day = start_of(r.words(text.strip(" \t")[11:])), 86400 * 1000
            known = self.out.start_ns
            if start is not None and divmod(start // 10**6, day) == (known // 10**6 // day, self.decimals):
                self.begin(start)

    def identifier(self, word: str) -> tuple[int, int]:
        need(re.fullmatch(r"[0-9A-Fa-f]{1,8}", word))
        return int(word, 16), r.EXTENDED if len(word) > 4 else 0

    @staticmethod
    def data(words: list[str], count: int) -> bytes:
        need(len(words) == count and all(re.fullmatch("[0-9A-Fa-f]{2}", word) for word in words))
        return bytes.fromhex("".join(words))

    @staticmethod
    def error(kind: int, values: bytes) -> r.Record:
        record = r.error((kind & 7) | (0x80 if values[0] == 0 else 0), values[1] & 31)
        record.arbitration_id |= r.COUNTERS
        record.data = record.data[:6] + bytes([values[3], values[2]])
        return record

    def channel(self, word: str) -> int | None:
        need(re.fullmatch(r"\d{1,19}", word))
        if int(word) > 256:
            self.out.skipped["frame of a channel above 256"] += 1
            return None
        return max(int(word) - 1, 0)

    def old(self, words: list[str]) -> r.Record | None:
        """Version 1, behind the offset."""
        bus, kind = "1", "Rx"
        if self.version >= "1.2":
            need(len(words) > 1)
            bus, *words = words
            need(re.fullmatch(r"\d{1,19}", bus))
        if self.version >= "1.1":
            need(words and words[0] in OLD)
            kind, *words = words
        flags = OLD[kind]
        if isinstance(flags, str):
            self.out.skipped[flags] += 1
            return None
        need(words)
        value, extended = self.identifier(words[0])
        words = words[1:]
        if self.version == "1.0" and value == 0xFFFFFFFF:
            self.out.skipped["warning"] += 1
            return None
        channel = self.channel(bus)
        if channel is None:
            return None
        if self.version == "1.3":
            words = words[1:]
        need(words and re.fullmatch(r"\d{1,19}", words[0]) and int(words[0]) <= 15)
        code = int(words[0])
        words = words[1:]
        if flags == r.ERROR or [word.lower() for word in words[:1]] == ["error"]:
            record = self.error(value, self.data(words if flags == r.ERROR else words[1:], 4))
        else:
            need(value <= (0x1FFFFFFF if extended else 0x7FF))
            if [word.lower() for word in words[:1]] == ["rtr"]:
                need(len(words) == 1)
                record = r.Record(0, value, flags | extended | r.REMOTE, 0, code)
            else:
                record = r.Record(0, value, flags | extended, 0, code, self.data(words, min(code, 8)))
        record.channel = channel
        return record

    def new(self, words: list[str]) -> r.Record | None:
        """From version 2.0 on, behind the offset."""
        need(words and words[0] in NEW)
        kind, *words = words
        flags = NEW[kind]
        if isinstance(flags, str):
            self.out.skipped[flags] += 1
            return None
        names = self.columns[self.columns.index("T") + 1 :]
        if flags == r.ERROR:
            last, channel = words[-5:], 0
            if names[0] == "B" and len(words) not in (0, 5) and re.fullmatch(r"\d{1,19}", words[0]):
                found = self.channel(words[0])
                if found is None:
                    return None
                channel = found
            if len(last) == 5 and all(re.fullmatch("[0-9A-Fa-f]{2}", word) for word in last):
                values = self.data(last, 5)
                record = self.error(values[0], values[1:])
            else:
                record = r.error()
            record.channel = channel
            return record
        record = r.Record()
        size = 0
        for name in names:
            if name == "D":
                break
            need(words)
            word, *words = words
            if name == "I":
                record.arbitration_id, extended = self.identifier(word)
                need(record.arbitration_id <= (0x1FFFFFFF if extended else 0x7FF))
                flags |= extended
            elif name == "d":
                need(word in ("Rx", "Tx"))
                flags |= r.TX if word == "Tx" else 0
            elif name == "B":
                channel = self.channel(word)
                if channel is None:
                    return None
                record.channel = channel
            elif name in "lL":
                need(re.fullmatch(r"\d{1,19}", word))
                size = int(word)
                need(size <= (15 if name == "L" else 64 if flags & r.FD else 8))
                if name == "L":
                    record.dlc = size
                    size = r.FD_LENGTHS[size] if flags & r.FD else min(size, 8)
                else:
                    record.dlc = r.fd_code(size) if flags & r.FD else size
        record.data = self.data(words, 0 if flags & r.REMOTE else size)
        if flags & r.FD:
            record.data = record.data.ljust(r.FD_LENGTHS[record.dlc], b"\0")
        record.flags = flags
        return record

    def line(self, text: str) -> None:
        text = text.strip(" \t\r")
        if not text:
            return
        if text[0] == ";":
            self.comment(text[1:])
            return
        numbered = self.version < "2.0" or self.columns[:1] == ["N"]
        if numbered:
            match = re.match(r"\d{1,19}\)" if self.version < "2.0" else r"\d{1,19}[ \t]", text)
            need(match)
            assert match is not None
            text = text[match.end() :]
        need(self.version < "2.0" or self.columns)
        words = r.words(text) or [""]
        need(re.fullmatch(r"-?(\d+([.,]\d*)?|[.,]\d+)", words[0]))
        offset = r.nanoseconds(words[0].replace(",", "."), 6) + self.epoch
        need(-(2**63) <= offset < 2**63)
        record = (self.old if self.version < "2.0" else self.new)(words[1:])
        if record is not None:
            record.timestamp_ns = offset
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
