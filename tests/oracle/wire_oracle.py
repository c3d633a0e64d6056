"""Frames on the wire, one bit at a time, from the field layout of ISO 11898-1:2015 (clause 10.4).

Everything is a list of 0 (dominant) and 1 (recessive). Slow on purpose; imports nothing of ours.
"""

from __future__ import annotations

from typing import NamedTuple

FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]
CRC15 = (15, 0x4599, 0)
CRC17 = (17, 0x1685B, 1 << 16)
CRC21 = (21, 0x102899, 1 << 20)


class Frame(NamedTuple):
    arbitration_id: int
    extended: bool = False
    remote: bool = False
    fd: bool = False
    brs: bool = False
    esi: bool = False
    dlc: int = 0
    data: bytes = b""

    def size(self) -> int:
        if self.remote:
            return 0
        return FD_LENGTHS[self.dlc] if self.fd else min(self.dlc, 8)


def number_to_bits(value: int, width: int) -> list[int]:
    return [int(digit) for digit in format(value, f"0{width}b")] if width else []


def bits_to_number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2) if bits else 0


def crc(bits: list[int], width: int, polynomial: int, init: int = 0) -> int:
    register = init
    for bit in bits:
        feedback = bit ^ (register >> (width - 1) & 1)
        register = register << 1 & ((1 << width) - 1)
        if feedback:
            register ^= polynomial & ((1 << width) - 1)
    return register


def stuff(bits: list[int]) -> list[int]:
    """After five equal bits, stuff bits included, comes one of the other level."""
    out: list[int] = []
    run = 0
    for bit in bits:
        run = run + 1 if out and out[-1] == bit else 1
        out.append(bit)
        if run == 5:
            out.append(1 - bit)
            run = 1
    return out


def header(frame: Frame) -> list[tuple[str, list[int]]]:
    """SOF to DLC, unstuffed, as a sender drives them."""
    n = number_to_bits
    fields = [("SOF", [0])]
    if frame.extended:
        fields += [("ID", n(frame.arbitration_id >> 18, 11)), ("SRR", [1]), ("IDE", [1])]
        fields += [("ID extension", n(frame.arbitration_id & 0x3FFFF, 18))]
        fields += [("RRS", [0]), ("FDF", [1])] if frame.fd else [("RTR", [int(frame.remote)]), ("r1", [0])]
    else:
        fields += [("ID", n(frame.arbitration_id, 11))]
        fields += [("RRS" if frame.fd else "RTR", [int(frame.remote)]), ("IDE", [0])]
        if frame.fd:
            fields += [("FDF", [1])]
    fields += [("res", [0])] if frame.fd else [("r0", [0])]
    if frame.fd:
        fields += [("BRS", [int(frame.brs)]), ("ESI", [int(frame.esi)])]
    return fields + [("DLC", n(frame.dlc, 4))]


def message(frame: Frame) -> list[int]:
    """SOF to the last data bit, unstuffed."""
    bits = [bit for _, field in header(frame) for bit in field]
    for byte in frame.data[: frame.size()]:
        bits += number_to_bits(byte, 8)
    return bits


def gray_with_parity(count: int) -> list[int]:
    """Stuff count field: Gray code of count mod 8 and an even parity bit (clause 10.4.2.6)."""
    gray = {0: "000", 1: "001", 2: "011", 3: "010", 4: "110", 5: "111", 6: "101", 7: "100"}[count % 8]
    bits = [int(digit) for digit in gray]
    return bits + [sum(bits) % 2]


def dynamic(frame: Frame) -> list[int]:
    """The dynamically stuffed part: to the last CRC bit (classical) or the last data bit (FD)."""
    bits = message(frame)
    if not frame.fd:
        return stuff(bits + number_to_bits(crc(bits, *CRC15), 15))
    out = stuff(bits)
    return out[:-1] if out[-1] != bits[-1] else out  # one due at the end gives way to the fixed one


def stuff_bit_count(frame: Frame) -> int:
    return len(dynamic(frame)) - len(message(frame)) - (0 if frame.fd else 15)


def crc_of(frame: Frame) -> int:
    """The CRC sequence that a controller sends."""
    if not frame.fd:
        return crc(message(frame), *CRC15)
    over = dynamic(frame) + gray_with_parity(stuff_bit_count(frame))
    return crc(over, *(CRC17 if frame.size() <= 16 else CRC21))


def encode(frame: Frame, ack: bool = True) -> list[int]:
    """SOF to the last EOF bit."""
    bits = dynamic(frame)
    if frame.fd:
        width = 17 if frame.size() <= 16 else 21
        fixed = gray_with_parity(stuff_bit_count(frame)) + number_to_bits(crc_of(frame), width)
        for index, bit in enumerate(fixed):
            if index % 4 == 0:
                bits.append(1 - bits[-1])
            bits.append(bit)
    return bits + [1] + [0 if ack else 1] + [1] + [1] * 7


def length_parts(frame: Frame, bits: list[int] | None = None) -> tuple[int, int]:
    """(bits at the nominal rate, bits at the data rate), SOF to the last EOF bit; `bits` saves encoding again."""
    total = len(bits or encode(frame))
    if not (frame.fd and frame.brs):
        return total, 0
    before_esi = [bit for name, field in header(frame) for bit in field if name not in ("ESI", "DLC")]
    stuffed = stuff(before_esi)
    if stuffed[-1] != before_esi[-1]:
        stuffed.pop()  # a stuff bit after BRS is sent at the data rate
    nominal = len(stuffed) + 1 + 1 + 7  # ACK slot, ACK delimiter, EOF
    return nominal, total - nominal


class Trouble(Exception):
    def __init__(self, status: str, index: int) -> None:
        super().__init__(status, index)
        self.status = status
        self.index = index


class Reader:
    """Takes bits off a list, removing stuff bits while `stuffed`."""

    def __init__(self, bits: list[int], at: int) -> None:
        self.bits = bits
        self.at = at
        self.seen: list[int] = []  # dynamic region as received, stuff bits included
        self.plain: list[int] = []  # and without them

    def raw(self) -> int:
        if self.at >= len(self.bits):
            raise Trouble("TRUNCATED", len(self.bits))
        self.at += 1
        return self.bits[self.at - 1]

    def skip_stuff_bit(self) -> None:
        """Takes the stuff bit, if one is due here."""
        tail = self.seen[-5:]
        if len(tail) == 5 and len(set(tail)) == 1:
            self.seen.append(self.raw())
            if self.seen[-1] == tail[0]:
                raise Trouble("STUFF_ERROR", self.at - 1)

    def take(self, width: int) -> int:
        got = []
        for _ in range(width):
            self.skip_stuff_bit()
            got.append(self.raw())
            self.seen.append(got[-1])
        self.plain += got
        return bits_to_number(got)


class Decoded(NamedTuple):
    status: str
    bit_index: int
    frame: Frame | None  # None unless the frame is valid for a receiver
    end: int  # first bit that was not consumed


def decode(bits: list[int], start: int = 0) -> Decoded:
    """One frame whose SOF is bits[start]; what follows it is not looked at."""
    reader = Reader(bits, start)
    try:
        return _decode(reader)
    except Trouble as trouble:
        return Decoded(trouble.status, trouble.index, None, reader.at)


def _decode(r: Reader) -> Decoded:
    if r.take(1) != 0:
        raise Trouble("FORM_ERROR", r.at - 1)
    identifier = r.take(11)
    remote = r.take(1)
    extended = r.take(1)
    if extended:
        identifier = identifier << 18 | r.take(18)
        remote = r.take(1)
    fdf = r.take(1)
    brs = esi = 0
    if fdf:
        if r.take(1):
            raise Trouble("PROTOCOL_EXCEPTION", r.at - 1)
        brs, esi = r.take(1), r.take(1)
        remote = 0
    elif extended:
        r.take(1)  # r0
    dlc = r.take(4)
    frame = Frame(identifier, bool(extended), bool(remote), bool(fdf), bool(brs), bool(esi), dlc)
    frame = frame._replace(data=bytes(r.take(8) for _ in range(frame.size())))
    if fdf:
        _check_fd_crc(r, frame)
    else:
        expected = crc(r.plain, *CRC15)
        r.skip_stuff_bit()
        place = r.at
        received = r.take(15)
        r.skip_stuff_bit()
        if received != expected:
            raise Trouble("CRC_ERROR", place)
    if r.raw() != 1:
        raise Trouble("FORM_ERROR", r.at - 1)
    return _tail(r, frame)


def _check_fd_crc(r: Reader, frame: Frame) -> None:
    count = gray_with_parity(len(r.seen) - len(r.plain))
    width, polynomial, init = CRC17 if frame.size() <= 16 else CRC21
    last = r.seen[-1]
    received: list[int] = []
    places: list[int] = []
    for index in range(4 + width):
        if index % 4 == 0 and r.raw() == last:  # fixed stuff bit
            raise Trouble("FORM_ERROR", r.at - 1)
        places.append(r.at)
        last = r.raw()
        received.append(last)
    if received[:4] != count:
        raise Trouble("CRC_ERROR", places[0])
    if bits_to_number(received[4:]) != crc(r.seen + count, width, polynomial, init):
        raise Trouble("CRC_ERROR", places[4])


def _tail(r: Reader, frame: Frame) -> Decoded:
    """ACK slot to the last EOF bit."""
    slot = r.at
    level = r.raw()
    acknowledged = level == 0
    if frame.fd:
        if not acknowledged and r.bits[r.at : r.at + 1] == [0]:  # the delimiter had two bits
            acknowledged, slot = True, r.at
            r.raw()
        if acknowledged and r.bits[r.at : r.at + 1] == [0]:  # the ACK slot has two
            r.raw()
    if r.raw() != 1:  # ACK delimiter
        if acknowledged:
            raise Trouble("FORM_ERROR", r.at - 1)
        raise Trouble("NOT_ACKNOWLEDGED", slot)  # its sender's error flag begins here
    for _ in range(6):
        if r.raw() != 1:
            raise Trouble("FORM_ERROR", r.at - 1)
    overload = r.raw() == 0
    if not acknowledged:
        return Decoded("NOT_ACKNOWLEDGED", slot, frame, r.at)
    if overload:
        return Decoded("OVERLOAD", r.at - 1, frame, r.at)
    return Decoded("OK", -1, frame, r.at)


class Event(NamedTuple):
    status: str
    start: int
    bit_index: int
    frame: Frame | None


def stream(bits: list[int]) -> list[Event]:
    """All frames and events of a continuous stream of bus bits, as one listening node sees them."""
    events: list[Event] = []
    n = len(bits)

    def dominant_run(at: int) -> int:
        while at < n and bits[at] == 0:
            at += 1
        return at

    def idle(at: int) -> int:
        """First bit after 11 recessive ones."""
        recessive = 0
        while at < n and recessive < 11:
            recessive = recessive + 1 if bits[at] else 0
            at += 1
        return at

    def delimiter(at: int) -> int:
        """After a flag's last dominant bit: eight recessive bits, then the intermission."""
        for position in range(8):
            if at + position >= n:
                return n
            if bits[at + position] == 0:
                return overload(at + position) if position == 7 else hunt(at + position)
        return intermission(at + 8)

    def overload(at: int) -> int:
        events.append(Event("OVERLOAD", at, at, None))
        return delimiter(dominant_run(at))

    def intermission(at: int) -> int:
        for position in range(2):
            if at + position < n and bits[at + position] == 0:
                return overload(at + position)
        return min(at + 2, n)  # a dominant third bit is a SOF

    def hunt(at: int) -> int:
        """After trouble at `at`: six dominant bits are an error flag, 11 recessive ones an idle bus.

        Bits of the same level right before the trouble count.
        """
        while at > 0 and bits[at] == bits[at - 1]:
            at -= 1
        recessive = 0
        while at < n:
            if bits[at] == 0:
                end = dominant_run(at)
                if end - at >= 6:
                    events.append(Event("ERROR_FLAG", at, at, None))
                    return delimiter(end)
                recessive, at = 0, end
            else:
                recessive, at = recessive + 1, at + 1
                if recessive == 11:
                    return at
        return n

    at = idle(0)
    while at < n:
        if bits[at] == 1:
            at += 1
            continue
        got = decode(bits, at)
        status, index = got.status, got.bit_index
        if status == "OVERLOAD":
            status, index = "OK", -1
        events.append(Event(status, at, index, got.frame))
        if got.frame is not None:
            at = overload(got.end - 1) if bits[got.end - 1] == 0 else intermission(got.end)
        elif status == "TRUNCATED":
            at = n
        elif status == "PROTOCOL_EXCEPTION":
            at = idle(got.end)
        else:
            at = hunt(got.end - 1)
    return events
