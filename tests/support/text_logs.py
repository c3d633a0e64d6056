"""Random recordings in the text formats, as their programs write them, and damage to them."""

from __future__ import annotations

import base64
import random

FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]
CHARACTERS = b"0123456789abcdefxABCDEFRT dr.,;:()-=#/\t"


def spaced(data: bytes) -> str:
    return "".join(f" {byte:02X}" for byte in data)


def asc_line(rng: random.Random, decimal: bool) -> str:
    extended = rng.random() < 0.5
    value = rng.getrandbits(29 if extended else 11)
    name = rng.choice([f"0x{value:X}", str(value)]) if decimal else f"{rng.choice(['', '', '0x'])}{value:X}"
    if extended and rng.random() < 0.9:  # some programs leave it out
        name += "x"
    direction = rng.choice(["Rx", "Tx", "TxRq"])
    channel = rng.choice([0, 1, 2, 7, 256, 257])
    time = f"{rng.uniform(0, 5000):.{rng.choice([4, 6, 9])}f}"
    time = time.replace(".", rng.choice("..,"))
    kind = rng.choice("dddrfffeos")
    if kind == "e" and rng.random() < 0.4:
        numbers = " ".join(f"{rng.getrandbits(bits):x}" for bits in (4, 8, 14))
        field = rng.choice(["Arb.", "Data", ""])
        return f"{time} CANFD {channel} {direction} ErrorFrame Bit error, flag {numbers} {field} 7"
    if kind == "e":
        tail = rng.choice(
            ["", " ECC: 10100010", "\tFlags = 0xe\tCodeExt = 0x31ca\tCode = 0x82", " Flags = 0x1 Code = 0x42"]
        )
        return f"{time} {channel}  ErrorFrame{tail}"
    if kind == "o":
        return f"{time} {channel}  OverloadFrame"
    if kind == "s":
        stated = rng.choice(["17", "419361024x", "0x1", "2047"])
        other = [
            "Start of measurement",
            "CAN 1 Status:x",
            f"{channel}  Statistic: D 0",
            f"{channel} Name Rx d 1 00",
            f"{channel} {rng.choice(['Motor', 'EX_1', 'Bx'])} Rx d 1 00  Length = 1 ID = {stated}",
            f"{channel} Name Tx r ID = 5x",
            "SV: 1",
        ]
        return f"{time} {rng.choice(other)}"
    if kind == "r":
        return f"{time} {channel} {name:15} {direction:4} r {rng.choice(['', '4', 'Length = 5'])}"
    code = rng.randrange(16)
    show = (lambda data: "".join(f" {byte}" for byte in data)) if decimal else spaced
    if kind == "d":
        tail = rng.choice(["", "  Length = 240015 BitCount = 124 ID = 1785"])
        return f"   {time} {channel}  {name:15} {direction:4} d {code:x}{show(rng.randbytes(min(code, 8)))}{tail}"
    bits = rng.choice([None, 0x303000, 0x1000, 0, 0x10])
    size = 0 if bits == 0x10 else min(code, 8) if bits == 0 else FD_LENGTHS[code]
    size = rng.choice([size, size, size // 2])
    tail = "" if bits is None else f" 102203 133 {bits:x} e0006659 46500250"
    symbol = rng.choice(["", "Generic_Name_12"])
    flags = f"{rng.randrange(2)} {rng.randrange(2)}"
    return (
        f"{time} CANFD {channel} {direction} {name} {symbol} {flags} {code:x} {size}{show(rng.randbytes(size))} {tail}"
    )


def asc(rng: random.Random, count: int) -> bytes:
    decimal = rng.random() < 0.3
    head = [
        rng.choice(
            ["date Sat Sep 30 10:06:13.191 PM 2017", "date Mit Okt 5 15:06:13 2016", "date 30.9.", "// version 9.0.0"]
        ),
        f"base {'dec' if decimal else 'hex'}  "
        + rng.choice(["timestamps absolute", "timestamps relative", "no internal events logged", ""]),
    ]
    body = [asc_line(rng, decimal) for _ in range(count)]
    body.insert(count // 2, "Begin Triggerblock Sun Oct 1 12:00:01.5 am 2017")
    return ("\n".join(head + body) + "\n").encode("latin-1")


def trc_old_line(rng: random.Random, number: int, version: str) -> str:
    extended = rng.random() < 0.5
    name = f"{rng.getrandbits(29):08X}" if extended else f"{rng.getrandbits(11):04X}"
    code = rng.randrange(16)
    body = spaced(rng.randbytes(min(code, 8)))
    kind = rng.choice(["Rx", "Tx", "Rx", "Warng", "Error"])
    if rng.random() < 0.2:
        body = " RTR"
    if kind == "Error":
        name, code, body = f"{rng.choice([1, 2, 4, 8]):04X}", 4, spaced(rng.randbytes(4))
    if version == "1.0":
        body = f" ERROR{body}" if kind == "Error" else body
        name = "FFFFFFFF" if kind == "Warng" else name
    decimals = {"1.0": 0, "1.1": 1}.get(version, 3)
    bus = f" {rng.choice([1, 2, 256, 257])}" if version >= "1.2" else ""
    word = f"  {kind:5}" if version >= "1.1" else ""
    reserved = " -" if version == "1.3" else ""
    return f"{number:6})  {rng.uniform(0, 1e6):.{decimals}f}{bus}{word} {name:>8}{reserved} {code} {body} "


def trc_new_line(rng: random.Random, number: int, columns: list[str]) -> str:
    kind = rng.choice(["DT", "FD", "FB", "FE", "BI", "RR", "ER", "ST", "EV"])
    extended = rng.random() < 0.5
    code = rng.randrange(16)
    flexible = kind in ("FD", "FB", "FE", "BI")
    size = FD_LENGTHS[code] if flexible else min(code, 8)
    data = b"" if kind == "RR" else rng.randbytes(size)
    if kind == "ER":
        data = rng.randbytes(5)
    fields = {
        "N": f"{number:7}",
        "O": f"{rng.uniform(0, 1e6):.3f}".replace(".", rng.choice("..,")),
        "T": kind,
        "B": str(rng.choice([1, 2, 256, 257])),
        "I": f"{rng.getrandbits(29):08X}" if extended else f"{rng.getrandbits(11):04X}",
        "d": rng.choice(["Rx", "Tx"]),
        "R": "-",
        "l": str(size if kind != "ER" else 5),
        "L": str(code),
        "D": spaced(data),
    }
    return " ".join(fields[name] for name in columns)


def trc(rng: random.Random, count: int) -> bytes:
    version = rng.choice(["1.0", "1.1", "1.2", "1.3", "2.0", "2.1"])
    head = [f";$FILEVERSION={version}", ";$STARTTIME=44548.6028595139"]
    if version == "1.0":
        head = [f";  Start time: {rng.choice(['18.12.2021 14:28:07.062', '5/29/2019 2:23:52.7 PM', '1/2/2019 02:23'])}"]
    elif rng.random() < 0.3:
        head[1] = "; Start time: 2021-12-18 14:28:07.062.5"
    if version < "2.0":
        body = [trc_old_line(rng, i, version) for i in range(1, count + 1)]
    else:
        columns = rng.choice(["N,O,T,B,I,d,R,L,D", "N,O,T,I,d,l,D", "O,T,I,L,D"])
        head.append(f";$COLUMNS={columns}")
        body = [trc_new_line(rng, i, columns.split(",")) for i in range(1, count + 1)]
    return ("\r\n".join(head + [";---"] + body) + "\r\n").encode()


def csv(rng: random.Random, count: int) -> bytes:
    lines = ["timestamp,arbitration_id,extended,remote,error,dlc,data"]
    for _ in range(count):
        extended, remote, error = (int(rng.random() < p) for p in (0.5, 0.1, 0.1))
        size = rng.choice(FD_LENGTHS[:9] if remote or error else FD_LENGTHS)
        data = b"" if remote else rng.randbytes(size)
        time = rng.choice([rng.uniform(0, 2e9), rng.uniform(0, 1e-3), -rng.uniform(0, 1e-4), 1483389946.197])
        value = rng.getrandbits(29 if extended or error else 11)
        text = base64.b64encode(data).decode()
        lines.append(f"{time!r},0x{value:x},{extended},{remote},{error},{size},{text}")
    return ("\n".join(lines) + "\n").encode()


def gvret(rng: random.Random, count: int) -> bytes:
    with_direction = rng.random() < 0.5
    lines = [f"Time Stamp,ID,Extended,{'Dir,' * with_direction}Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8"]
    for _ in range(count):
        size = rng.choice([*range(9), *range(9), 12, 48, 64])
        data = [f"{byte:02X}" for byte in rng.randbytes(size)] + ["00"] * rng.choice([0, max(8 - size, 0)])
        if size > 8 and rng.random() < 0.3:
            del data[8:]  # as SavvyCAN does
        direction = rng.choice(["Rx,", "Tx,"]) * with_direction
        extended = rng.choice(["true", "false"])
        bus = rng.choice([0, 1, 255, 256])
        head = f"{rng.getrandbits(40)},{rng.getrandbits(29):08X},{extended},{direction}{bus},{size}"
        lines.append(",".join([head, *data]) + rng.choice(["", ","]))
    return ("\n".join(lines) + "\n").encode()


def damaged(rng: random.Random, data: bytes) -> bytes:
    """With one to three characters changed, left out or put in; the last line keeps its end."""
    text = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(text) - 1)
        change = rng.randrange(3)
        if change == 0:
            text[place] = rng.choice(CHARACTERS) if rng.random() < 0.9 else rng.randrange(256)
        elif change == 1:
            del text[place]
        else:
            text.insert(place, rng.choice(CHARACTERS))
    return bytes(text)
