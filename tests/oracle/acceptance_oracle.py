"""Slow, obvious twins of controllers' acceptance filters: strings of bits as the data sheets draw them, bit beside bit.

Each takes registers and a frame and gives the number of the filter that lets the frame through, NO_FILTER where it
passes without one, or None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NO_FILTER = -2


@dataclass(frozen=True)
class Frame:
    """A frame on the bus; `kind`: "frame", or "error" or "status", which are none."""

    identifier: int
    extended: bool = False
    remote: bool = False
    fd: bool = False
    data: bytes = b""
    kind: str = "frame"


def bits(value: int, width: int) -> str:
    """Most significant first."""
    return format(value, f"0{width}b")


def identifier(frame: Frame) -> str:
    """ID28..0, or ID28..18 of a base frame, which is how the data sheets number them."""
    return bits(frame.identifier, 29 if frame.extended else 11)


def same(pattern: str, care: str, seen: str) -> bool:
    """Where `care` has a 1, pattern and seen are equal; "?" in seen is a bit that the frame does not have."""
    assert len(pattern) == len(care) == len(seen)
    return all(c == "0" or s == "?" or p == s for p, c, s in zip(pattern, care, seen, strict=True))


def byte(frame: Frame, index: int) -> str:
    """A data byte, or question marks."""
    there = not frame.remote and index < len(frame.data)
    return bits(frame.data[index], 8) if there else "?" * 8


# --- SJA1000, PeliCAN (data sheet 6.4.15)


def sja1000(codes: Sequence[int], masks: Sequence[int], dual: bool, frame: Frame) -> int | None:
    """ACR0..3, AMR0..3; a 1 in AMR: do not care."""
    if frame.kind != "frame" or frame.fd:
        return None
    code = [bits(value, 8) for value in codes]
    care = ["".join("10"[int(b)] for b in bits(value, 8)) for value in masks]
    ident, rtr = identifier(frame), bits(frame.remote, 1)
    if not dual:
        # ACR0: ID28..21; base: ACR1 = ID20..18, RTR, 4 unused; ACR2, ACR3 = data bytes 1, 2. Extended: down to ID0,
        # RTR, 2 unused.
        seen = ident + rtr + ("??" if frame.extended else "????" + byte(frame, 0) + byte(frame, 1))
        return 0 if same("".join(code), "".join(care), seen) else None
    if frame.extended:
        for number in (0, 1):
            at = slice(2 * number, 2 * number + 2)
            if same("".join(code[at]), "".join(care[at]), ident[:16]):
                return number
        return None
    first = byte(frame, 0)
    # Filter 1: ACR0, ACR1, and the low nibble of ACR3 for the low nibble of the data byte.
    if same(code[0] + code[1] + code[3][4:], care[0] + care[1] + care[3][4:], ident + rtr + first):
        return 0
    if same(code[2] + code[3][:4], care[2] + care[3][:4], ident + rtr):
        return 1
    return None


# --- bxCAN (RM0008, filter bank scale and register organisation)


@dataclass(frozen=True)
class Bank:
    wide: bool  # 32 bits
    listed: bool  # identifier list
    fr1: int
    fr2: int
    active: bool = True
    fifo: int = 0


def bxcan(banks: Sequence[Bank], frame: Frame) -> int | None:
    """The filter match index within the FIFO; 32 before 16 bits, lists before masks, then the lower number."""
    if frame.kind != "frame" or frame.fd:
        return None
    number = [0, 0]
    hits = []
    low = frame.identifier & 0x3FFFF if frame.extended else 0
    high = frame.identifier >> 18 if frame.extended else frame.identifier
    wide_seen = bits(high, 11) + bits(low, 18) + bits(frame.extended, 1) + bits(frame.remote, 1) + "?"
    half_seen = bits(high, 11) + bits(frame.remote, 1) + bits(frame.extended, 1) + bits(low, 18)[:3]
    for bank in banks:
        a, b = bits(bank.fr1, 32), bits(bank.fr2, 32)
        if bank.wide:
            seen, pairs = wide_seen, [(a, "1" * 32), (b, "1" * 32)] if bank.listed else [(a, b)]
        else:
            halves = [a[16:], a[:16], b[16:], b[:16]]
            seen = half_seen
            pairs = [(h, "1" * 16) for h in halves] if bank.listed else [(a[16:], a[:16]), (b[16:], b[:16])]
        for pattern, care in pairs:
            if bank.active and same(pattern, care, seen):
                hits.append((not bank.wide, not bank.listed, len(hits), number[bank.fifo]))
            number[bank.fifo] += 1
    return min(hits)[3] if hits else None


# --- MCP2515 (DS20001801, 4.5)


def mcp2515(
    masks: Sequence[int], filters: Sequence[tuple[int, bool]], any_frame: Sequence[bool], frame: Frame
) -> int | None:
    """Masks and filters as SID10..0 EID17..0; (filter, EXIDE). `any_frame`: RXM of the two buffers is 11."""
    if frame.kind != "frame" or frame.fd:
        return None
    below = "" if frame.extended else "??" + byte(frame, 0) + byte(frame, 1)  # EID17, EID16 unused, EID15..0
    seen = identifier(frame) + below
    for buffer, numbers in enumerate(((0, 1), (2, 3, 4, 5))):
        if any_frame[buffer]:
            return NO_FILTER
        for number in numbers:
            pattern, exide = filters[number]
            if exide == frame.extended and same(bits(pattern, 29), bits(masks[buffer], 29), seen):
                return number
    return None


# --- MCP2517FD, MCP2518FD (CiFLTOBJ, CiMASK): bit 30 EXIDE/MIDE, 29 SID11, 28..11 EID17..0, 10..0 SID10..0


def mcp2517fd(objects: Sequence[tuple[int, int, bool]], sid11: bool, frame: Frame) -> int | None:
    """(CiFLTOBJ, CiMASK, enabled). `sid11`: SID11EN, the RRS bit of FD base frames, always dominant here, counts."""
    if frame.kind != "frame":
        return None
    for number, (value, mask, enabled) in enumerate(objects):
        v, m = bits(value, 32)[::-1], bits(mask, 32)[::-1]  # index = bit number
        if not enabled:
            continue
        if m[30] == "1" and (v[30] == "1") != frame.extended:
            continue
        whole = identifier(frame)
        sid, eid = whole[:11][::-1], whole[11:][::-1]
        good = all(m[n] == "0" or v[n] == sid[n] for n in range(11))
        if frame.extended:
            good = good and all(m[11 + n] == "0" or v[11 + n] == eid[n] for n in range(18))
        elif frame.fd and sid11:
            good = good and (m[29] == "0" or v[29] == "0")
        if good:
            return number
    return None


# --- M_CAN, FDCAN (M_CAN user's manual, 2.4.5 and 3.4.1)

STORED = {1, 2, 5, 6, 7}  # SFEC, EFEC: FIFO 0, FIFO 1, priority and FIFO 0, priority and FIFO 1, buffer


@dataclass(frozen=True)
class Element:
    kind: int  # SFT, EFT: 0 range, 1 two identifiers, 2 identifier and mask, 3 none / range without XIDAM
    config: int  # SFEC, EFEC: 0 off, 3 reject, 4 priority alone, others: STORED
    id1: int
    id2: int


def mcan(
    standard: Sequence[Element],
    extended: Sequence[Element],
    frame: Frame,
    xidam: int = 0x1FFFFFFF,
    accept_others: tuple[bool, bool] = (False, False),
    reject_remote: tuple[bool, bool] = (False, False),
) -> int | None:
    """`accept_others`: ANFS, ANFE store; `reject_remote`: RRFS, RRFE."""
    if frame.kind != "frame" or (frame.remote and reject_remote[frame.extended]):
        return None
    for number, e in enumerate(extended if frame.extended else standard):
        plain = frame.extended and e.kind == 3 and e.config != 7
        seen = frame.identifier & xidam if frame.extended and not plain else frame.identifier
        if e.config == 0:
            continue
        if e.config == 7:
            hit = seen == e.id1
        elif e.kind == 0 or plain:
            hit = e.id1 <= seen <= e.id2
        elif e.kind == 1:
            hit = seen in (e.id1, e.id2)
        elif e.kind == 2:
            hit = same(bits(e.id1, 29), bits(e.id2, 29), bits(seen, 29))
        else:
            continue  # SFT 11: disabled
        if hit:
            return number if e.config in STORED else None
    return NO_FILTER if accept_others[frame.extended] else None


# --- Mailboxes: the first that matches


def mailboxes(boxes: Sequence[tuple[int, int, bool | None, bool | None]], frame: Frame) -> int | None:
    """(identifier, mask, extended, remote); None: either."""
    if frame.kind != "frame":
        return None
    for number, (value, mask, extended, remote) in enumerate(boxes):
        if extended not in (None, frame.extended) or remote not in (None, frame.remote):
            continue
        if same(bits(value, 29), bits(mask, 29), bits(frame.identifier, 29)):
            return number
    return None


# --- SocketCAN, CAN_RAW_FILTER (linux/can.h: bit 31 extended, 30 remote, 29 error; in a filter's can_id: inverted)


def socketcan(filters: Sequence[tuple[int, int]], error_mask: int, frame: Frame) -> int | None:
    """A filter whose mask has bit 29 is one for error frames: classes, of which one is enough."""
    if frame.kind == "status":
        return None
    if frame.kind == "error":
        masks = [error_mask, *(mask for _, mask in filters if bits(mask, 32)[2] == "1")]
        wanted = [bits(mask, 32)[3:] for mask in masks]
        seen = bits(frame.identifier, 29)
        return (
            NO_FILTER if any("1" in (a, b) and a == b for w in wanted for a, b in zip(w, seen, strict=True)) else None
        )
    seen = bits(frame.extended, 1) + bits(frame.remote, 1) + "0" + bits(frame.identifier, 29)
    for number, (value, mask) in enumerate(filters):
        v, m = bits(value, 32), bits(mask, 32)
        if m[2] == "1":
            continue
        if m[0] == "1" and v[0] == "0":  # base frames only: the upper 18 identifier bits do not count
            m = m[:3] + "0" * 18 + m[21:]
        hit = same(v[:2] + "0" + v[3:], m, seen)
        if hit != (v[2] == "1"):
            return number
    return None
