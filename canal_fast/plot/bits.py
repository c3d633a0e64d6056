"""One frame's bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from .figure import BANDS, STUFF, new_figure, strips

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BitField", "frame_bits"]

_ROW_BITS = 64


class BitField(Protocol):
    """A field of a frame on the wire, as `canal_fast.wire.fields` gives it."""

    @property
    def name(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def bits(self) -> Sequence[int]: ...
    @property
    def stuff(self) -> Sequence[bool]: ...


def frame_bits(fields: Sequence[BitField], row_bits: int = _ROW_BITS) -> Figure:
    r"""The waveform of one frame, its fields by name, stuff bits hatched.

    Parameters
    ----------
    fields : sequence of fields with name, start, bits, stuff
        As `canal_fast.wire.fields(frame)` gives them.
    row_bits : int
        Bits in a row, at least 8. Fewer make a narrower picture.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Fewer than 8 bits in a row.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> cf.plot.frame_bits(cf.wire.fields(cf.make_frames(0x123, b"\x01"))).savefig("frame.png")
    """
    if row_bits < 8:
        raise ValueError(f"row_bits = {row_bits}, allowed 8 and more")
    levels = [bit for field in fields for bit in field.bits]
    stuff = [mark for field in fields for mark in field.stuff]
    total = len(levels)
    rows = -(-total // row_bits)
    figure = new_figure(14 * row_bits / _ROW_BITS, 1.5 * rows + 0.5)
    for row, axes in enumerate(strips(figure, rows)):
        begin, end = row * row_bits, min((row + 1) * row_bits, total)
        axes.stairs(levels[begin:end], range(begin, end + 1), baseline=None, color="black", linewidth=1.4, zorder=3)
        for number, field in enumerate(fields):
            left, right = max(field.start, begin), min(field.start + len(field.bits), end)
            if left < right:
                axes.axvspan(left, right, color=BANDS[number % 2], linewidth=0)
                upright = (right - left) < 0.35 * len(field.name)
                axes.text(
                    (left + right) / 2, 1.25, field.name, fontsize=7, ha="center", va="bottom", rotation=90 * upright
                )
        for at in range(begin, end):
            if stuff[at]:
                axes.axvspan(at, at + 1, **STUFF)
            axes.text(at + 0.5, -0.12, str(levels[at]), fontsize=6, ha="center", va="top", color="dimgray")
        axes.set(
            xlim=(begin, begin + row_bits), ylim=(-0.55, 3.9), yticks=[0, 1], yticklabels=["dominant", "recessive"]
        )
        axes.set_xticks(range(begin, end + 1, 8))
    figure.suptitle(f"{total} bits, stuff bits red and hatched", fontsize=9)
    return figure
