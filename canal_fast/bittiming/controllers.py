"""The limits of real CAN controllers' bit timing registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from canal_fast.errors import BitTimingError

from . import _bittiming

__all__ = ["CONTROLLERS", "ControllerLimits", "limits_of"]


_REGISTERS = ("tseg1_min", "tseg1_max", "tseg2_min", "tseg2_max", "sjw_max", "brp_min", "brp_max", "brp_inc")


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
    """

    tseg1_min: int
    tseg1_max: int
    tseg2_min: int
    tseg2_max: int
    sjw_max: int
    brp_min: int
    brp_max: int
    brp_inc: int = 1
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
        object.__setattr__(self, "handle", _bittiming.Limits(*self.registers))

    def __reduce__(self) -> tuple[object, ...]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "handle"}
        return _rebuild, (values,)

    @property
    def registers(self) -> tuple[int, ...]:
        """tseg1_min, tseg1_max, tseg2_min, tseg2_max, sjw_max, brp_min, brp_max, brp_inc."""
        return tuple(getattr(self, name) for name in _REGISTERS)

    def __str__(self) -> str:
        step = f" step {self.brp_inc}" if self.brp_inc > 1 else ""
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
"""The controllers that are known by name (rows of `canal_fast/controllers.h`)."""


def limits_of(limits: str | ControllerLimits) -> ControllerLimits:
    """The row of that name, or `limits` itself."""
    if isinstance(limits, ControllerLimits):
        return limits
    try:
        return CONTROLLERS[limits]
    except (KeyError, TypeError):
        raise BitTimingError(
            f"limits = {limits!r} is no known controller; give one of {', '.join(CONTROLLERS)}, or a ControllerLimits"
        ) from None
