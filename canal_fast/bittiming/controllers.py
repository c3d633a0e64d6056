"""The limits of real CAN controllers' bit timing registers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from canal_fast.chips import aliases_of
from canal_fast.errors import BitTimingError

from . import _bittiming

__all__ = ["CONTROLLERS", "ControllerLimits", "limits_of"]


_REGISTERS = (
    "tseg1_min", "tseg1_max", "tseg2_min", "tseg2_max", "sjw_max",
    "brp_min", "brp_max", "brp_inc", "brp_fine_max", "brp_coarse_inc",
)  # fmt: skip

_FIELD = re.compile(r"(tseg1|tseg2|sjw|brp)[ =](?:(\d+)\.\.)?(\d+)(?: step (\d+))?")
_COARSE = re.compile(r"above (\d+) step (\d+)")
_EXAMPLE = "tseg1=1..16, tseg2=1..8, sjw=1..4, brp=2..256 step 2, above 128 step 4"


@dataclass(frozen=True, kw_only=True)
class ControllerLimits:
    """What a controller's bit timing registers can hold; all in the controller's own terms.

    Parameters
    ----------
    tseg1_min, tseg1_max, tseg2_min, tseg2_max : int
        Time quanta, 1..4096. A `tseg2_min` above 1 is the controller's information processing time.
    sjw_max : int
        Time quanta.
    brp_min, brp_max, brp_inc : int
        Prescaler: a multiple of `brp_inc` in `brp_min`..`brp_max`, at most 65,536.
    brp_fine_max, brp_coarse_inc : int
        Where large prescalers have larger steps: above `brp_fine_max` they are multiples of `brp_coarse_inc`. 0: all
        are multiples of `brp_inc`.
    f_clock : int, optional
        The usual clock of the CAN core in Hz.
    data : ControllerLimits, optional
        The data phase of CAN FD.
    triple_sampling : bool
        Whether it can sample a bit three times.
    btr : bool
        Whether it is programmed through the SJA1000's registers BTR0 and BTR1.
    name, title, source, second : str
        `source` is the document and section of the figures, `second` another place that has the same;
        an empty `second` marks figures that were checked against one place only.

    Raises
    ------
    BitTimingError
        Limits that contradict themselves.

    Examples
    --------
    >>> cf.bittiming.CONTROLLERS["sja1000"].title
    'NXP SJA1000, PCA82C200 and their many copies'
    >>> mine = cf.bittiming.ControllerLimits(
    ...     tseg1_min=1, tseg1_max=16, tseg2_min=2, tseg2_max=8, sjw_max=4, brp_min=1, brp_max=64,
    ...     f_clock=48_000_000,
    ... )
    >>> cf.bittiming.best(500_000, limits=mine).brp
    6
    """

    tseg1_min: int
    tseg1_max: int
    tseg2_min: int
    tseg2_max: int
    sjw_max: int
    brp_min: int
    brp_max: int
    brp_inc: int = 1
    brp_fine_max: int = 0
    brp_coarse_inc: int = 0
    f_clock: int | None = None
    data: ControllerLimits | None = None
    triple_sampling: bool = False
    btr: bool = False
    name: str = "custom"
    title: str = ""
    source: str = ""
    second: str = ""
    handle: _bittiming.Limits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for low, high, largest in (
            ("tseg1_min", "tseg1_max", _bittiming.MAX_SEGMENT),
            ("tseg2_min", "tseg2_max", _bittiming.MAX_SEGMENT),
            ("brp_min", "brp_max", _bittiming.MAX_BRP),
        ):
            if not 1 <= getattr(self, low) <= getattr(self, high) <= largest:
                raise BitTimingError(
                    f"limits {self.name!r}: {low} = {getattr(self, low)}, {high} = {getattr(self, high)}; "
                    f"1 <= {low} <= {high} <= {largest} is allowed"
                )
        for name, largest in (("sjw_max", _bittiming.MAX_SEGMENT), ("brp_inc", self.brp_max)):
            if not 1 <= getattr(self, name) <= largest:
                raise BitTimingError(f"limits {self.name!r}: {name} = {getattr(self, name)}, allowed 1..{largest}")
        if self.brp_fine_max or self.brp_coarse_inc:
            for name, least in (("brp_fine_max", self.brp_min), ("brp_coarse_inc", 1)):
                if not least <= getattr(self, name) <= self.brp_max:
                    raise BitTimingError(
                        f"limits {self.name!r}: {name} = {getattr(self, name)}, allowed {least}..{self.brp_max}, or 0 "
                        "for both brp_fine_max and brp_coarse_inc"
                    )
        object.__setattr__(self, "handle", _bittiming.Limits(*self.registers))

    @classmethod
    def from_text(cls, text: str, f_clock: int | None = None, data: ControllerLimits | None = None) -> ControllerLimits:
        """Limits as `str` writes them, without the name: "tseg1 1..16, tseg2 1..8, sjw 1..4, brp 1..64".

        All four fields, with a space or "=" before the interval, which begins with 1 where only its end is given; after
        brp " step N" for multiples of N, and ", above B step N" where larger steps begin.

        Raises
        ------
        BitTimingError
            Another text, or limits that contradict themselves.
        """
        values: dict[str, int] = {}
        seen: list[str] = []
        for part in map(str.strip, text.split(",")):
            coarse, one = _COARSE.fullmatch(part), _FIELD.fullmatch(part)
            if coarse and seen and seen[-1] == "brp":
                values["brp_fine_max"], values["brp_coarse_inc"] = map(int, coarse.groups())
                continue
            if (
                not one
                or one[1] in seen
                or (one[4] and one[1] != "brp")
                or (one[1] == "sjw" and one[2] not in (None, "1"))
            ):
                raise BitTimingError(f"limits: {part!r} has no meaning here; an example: {_EXAMPLE}")
            seen.append(one[1])
            values[f"{one[1]}_max"] = int(one[3])
            if one[1] != "sjw":
                values[f"{one[1]}_min"] = int(one[2] or 1)
            if one[4]:
                values["brp_inc"] = int(one[4])
        missing = [name for name in ("tseg1", "tseg2", "sjw", "brp") if name not in seen]
        if missing:
            raise BitTimingError(f"limits {text!r}: {', '.join(missing)} missing; an example: {_EXAMPLE}")
        return cls(**values, f_clock=f_clock, data=data)  # type: ignore[arg-type]

    def __reduce__(self) -> tuple[object, ...]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "handle"}
        return _rebuild, (values,)

    @property
    def registers(self) -> tuple[int, ...]:
        """The eight limits and the two of coarse prescalers, in the order of C's struct."""
        return tuple(getattr(self, name) for name in _REGISTERS)

    def __str__(self) -> str:
        step = f" step {self.brp_inc}" if self.brp_inc > 1 else ""
        if self.brp_fine_max:
            step += f", above {self.brp_fine_max} step {self.brp_coarse_inc}"
        return (
            f"{self.name}: tseg1 {self.tseg1_min}..{self.tseg1_max}, tseg2 {self.tseg2_min}..{self.tseg2_max}, "
            f"sjw 1..{self.sjw_max}, brp {self.brp_min}..{self.brp_max}{step}"
        )


def _rebuild(values: dict[str, Any]) -> ControllerLimits:
    return ControllerLimits(**values)


def _table() -> dict[str, ControllerLimits]:
    table = {}
    for name, title, f_clock, nominal, data, triple, btr, source, second in _bittiming.controller_table():
        shared: dict[str, Any] = {"f_clock": f_clock, "title": title, "source": source, "second": second}
        fields = shared | dict(zip(_REGISTERS, data, strict=True))
        data_phase = ControllerLimits(**fields, name=f"{name} (data phase)") if any(data) else None
        fields = shared | dict(zip(_REGISTERS, nominal, strict=True))
        table[name] = ControllerLimits(**fields, name=name, data=data_phase, triple_sampling=triple, btr=btr)
    return table


CONTROLLERS: Mapping[str, ControllerLimits] = MappingProxyType(_table())
"""The controllers that are known by name (rows of `canal_fast/bittiming/controllers.h`)."""


_ALIASES = aliases_of(CONTROLLERS)


def limits_of(limits: str | ControllerLimits) -> ControllerLimits:
    """The row of that name, also an alias, or `limits` itself."""
    if isinstance(limits, ControllerLimits):
        return limits
    try:
        return CONTROLLERS[_ALIASES.get(limits, limits)]
    except (KeyError, TypeError):
        from difflib import get_close_matches  # which takes a millisecond to load

        near = get_close_matches(str(limits).lower(), CONTROLLERS, 1, 0.75)
        hint = f" (did you mean {near[0]!r}, {CONTROLLERS[near[0]].title}?)" if near else ""
        names = ", ".join(CONTROLLERS)
        raise BitTimingError(
            f"limits = {limits!r} is no known controller{hint}; give one of {names}, or a ControllerLimits"
        ) from None
