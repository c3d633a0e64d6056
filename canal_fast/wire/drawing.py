"""One frame as text or as a picture of its waveform. Public as `canal_fast.wire.draw`."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from canal_fast.frames import FrameArray, FrameFlag, payload_length
from canal_fast.plot.bits import frame_bits

from .codec import encode

_TAIL = (("CRC delimiter", 1), ("ACK slot", 1), ("ACK delimiter", 1), ("EOF", 7))
_LAYOUTS = {  # (extended, FD): SOF to DLC
    (False, False): "SOF 1,ID 11,RTR 1,IDE 1,r0 1,DLC 4",
    (True, False): "SOF 1,ID 11,SRR 1,IDE 1,ID ext 18,RTR 1,r1 1,r0 1,DLC 4",
    (False, True): "SOF 1,ID 11,RRS 1,IDE 1,FDF 1,res 1,BRS 1,ESI 1,DLC 4",
    (True, True): "SOF 1,ID 11,SRR 1,IDE 1,ID ext 18,RRS 1,FDF 1,res 1,BRS 1,ESI 1,DLC 4",
}


class Field(NamedTuple):
    """A field of a frame on the wire."""

    name: str
    start: int
    """Index of its first bit."""
    bits: tuple[int, ...]
    """Levels, stuff bits included."""
    stuff: tuple[bool, ...]
    """Which of them are stuff bits, dynamic or fixed."""

    @property
    def value(self) -> int:
        return int("".join(str(b) for b, s in zip(self.bits, self.stuff, strict=True) if not s), 2)


def fields(frame: FrameArray, ack: bool = True) -> list[Field]:
    r"""The fields of one frame, in the order they are sent. A stuff bit belongs to the field of the bit before it.

    Parameters
    ----------
    frame : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (1,)
    ack : bool
        As for `encode`.

    Returns
    -------
    list of Field
        With `name`, `start` (index of the first bit), `bits`, `stuff` (which of them are stuff bits) and `value`.

    Examples
    --------
    >>> for field in cf.wire.fields(cf.make_frames(0x123, b"\x01"))[:3]:
    ...     print(field.name, field.start, len(field.bits))
    SOF 0 1
    ID 1 11
    RTR 12 1
    """
    frames = np.atleast_1d(frame)
    if len(frames) != 1:
        raise ValueError(f"draw takes one frame, not {len(frames)}")
    bits = encode(frames, ack=ack)[0].tolist()
    fd, extended = (bool(frames["flags"][0] & flag) for flag in (FrameFlag.FD, FrameFlag.EXTENDED_ID))
    size = int(payload_length(frames)[0])
    layout = [(name, int(width)) for name, width in (f.rsplit(" ", 1) for f in _LAYOUTS[extended, fd].split(","))]
    layout += [(f"data {index}", 8) for index in range(size)]
    dynamic = len(layout)
    layout += [("stuff count", 4), ("CRC", 17 if size <= 16 else 21)] if fd else [("CRC", 15)]
    fields: list[Field] = []
    at = run = sent = 0
    for index, (name, width) in enumerate([*layout, *_TAIL]):
        start, marks = at, []
        stuffed, fixed = index < dynamic + (not fd), fd and dynamic <= index < dynamic + 2
        for place in range(width):
            if fixed and sent % 4 == 0:
                marks.append(True)
                at += 1
            sent += fixed
            run = run + 1 if at and bits[at] == bits[at - 1] else 1
            marks.append(False)
            at += 1
            last_of_region = fd and index == dynamic - 1 and place == width - 1
            if stuffed and run == 5 and not last_of_region:
                marks.append(True)
                run = 1
                at += 1
        fields.append(Field(name, start, tuple(bits[start:at]), tuple(marks)))
    return fields


def draw(frame: FrameArray, ack: bool = True, plot: str | os.PathLike[str] | None = None) -> str:
    r"""One frame on the wire as text: its fields by name, stuff bits in brackets.

    Parameters
    ----------
    frame : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (1,)
    ack : bool
        As for `encode`.
    plot : path, optional
        Also draw the waveform into this picture (its suffix says which format). Needs matplotlib, the extra `plot`.

    Returns
    -------
    str
        A line for each field: index of its first bit, name, levels (0 dominant), value.

    Raises
    ------
    FrameError
        A record that no controller could send.
    ValueError
        Not exactly one frame.

    Examples
    --------
    >>> print(cf.wire.draw(cf.make_frames(0x123, b"\x01")))
       0  SOF            0
       1  ID             00100100011                         0x123
      12  RTR            0
      13  IDE            0
      14  r0             0
      15  DLC            00[1]01                             0x1
      20  data 0         00000[1]001                         0x1
      29  CRC            01001011111[0]1110                  0x25fe
      45  CRC delimiter  1
      46  ACK slot       0
      47  ACK delimiter  1
      48  EOF            1111111
      55  bits, 3 of them stuff bits [in brackets]
    """
    parts = fields(frame, ack)
    lines = []
    for field in parts:
        levels = "".join(f"[{b}]" if s else str(b) for b, s in zip(field.bits, field.stuff, strict=True))
        value = f"{field.value:#x}" if len(field.bits) > 1 and field.name != "EOF" else ""
        lines.append(f"{field.start:4}  {field.name:13}  {levels:34}  {value}".rstrip())
    total = sum(len(field.bits) for field in parts)
    lines.append(f"{total:4}  bits, {sum(sum(field.stuff) for field in parts)} of them stuff bits [in brackets]")
    if plot is not None:
        frame_bits(parts).savefig(plot, dpi=110)
    return "\n".join(lines)
