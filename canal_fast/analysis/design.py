"""Acceptance filters worked out for identifiers that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from canal_fast.frames import FRAME_DTYPE, FrameArray, FrameFlag, contiguous

from .acceptance import accepts
from .acceptance_filters import AcceptanceFilters
from .acceptance_filters.rows import checked
from .design_controllers import ALIASES, CONTROLLERS, Controller, Numbers
from .design_search import Group, Id, Traffic

__all__ = ["DesignedFilter", "FilterDesign", "design_filters"]

Weights = Mapping[Any, int]


@dataclass(frozen=True)
class DesignedFilter:
    """One filter: what it lets through, and for which wanted identifiers it stands.

    `kind`: "list" (the identifiers alone), "mask" (can_id where can_mask has ones) or "range" (can_id..high);
    `extended`: of 29-bit identifiers; `ids`: the wanted ones.

    Examples
    --------
    >>> design = cf.analysis.design_filters([0x100, 0x101, 0x102, 0x103], "socketcan", filters=1)
    >>> [only] = design.filters
    >>> only.kind, hex(only.can_id), hex(only.can_mask)
    ('mask', '0x100', '0x7fc')
    """

    kind: str
    extended: bool
    can_id: int
    can_mask: int | None
    high: int | None
    ids: tuple[int, ...]


@dataclass(frozen=True)
class FilterDesign:
    """What `design_filters` found.

    Attributes
    ----------
    controller : str
    filters : tuple of DesignedFilter
    config : Sja1000Filters, BxcanFilters, ...
        The same for `accepts`.
    registers : tuple of (str, int)
        Names and values: of SJA1000, bxCAN, and MCP2515 (29 bits, SID above EID; EXIDE as the filter's format says); of
        others none.
    wanted : tuple of (int, bool)
        Identifiers and whether they are extended.
    let_through : tuple of (int, bool, int)
        Identifiers that nobody wants and that pass, with their weights, heaviest first. Without traffic only base ones
        are listed.
    unwanted : int
        Weight of all that pass unwanted: frames of the traffic, or identifiers.
    optimal : bool
        No design of this kind lets less through: every one was looked at or excluded.
    bound : int
        No design of this kind lets less than this through.
    greedy : int
        What merging pairs alone would let through.

    Examples
    --------
    >>> design = cf.analysis.design_filters([0x100, 0x1FF], "mailboxes", filters=1)
    >>> design.unwanted, design.optimal, design.let_through[:2]
    (254, True, ((257, False, 1), (258, False, 1)))
    """

    controller: str
    filters: tuple[DesignedFilter, ...]
    config: AcceptanceFilters
    registers: tuple[tuple[str, int], ...]
    wanted: tuple[Id, ...]
    let_through: tuple[tuple[int, bool, int], ...]
    unwanted: int
    optimal: bool
    bound: int
    greedy: int


def design_filters(
    wanted: Iterable[int | Id] | FrameArray,
    controller: str = "bxcan",
    traffic: FrameArray | Weights | None = None,
    *,
    filters: int | tuple[int, int] | None = None,
    list_only: bool = False,
) -> FilterDesign:
    """Filters that let all wanted identifiers through and as little else as possible.

    Parameters
    ----------
    wanted : iterable of int or (int, bool), or array of frames
        Identifiers; above 0x7FF, or with True beside them, extended. Data frames are meant: remote ones pass only where
        a controller's filters do not look at RTR.
    controller : str
        "sja1000", "bxcan", "mcp2515", "mcp2517fd", "m_can", "stm32_fdcan", "mailboxes" or "socketcan".
    traffic : array of frames, or mapping of identifiers (as in `wanted`) to frames, optional
        What is on the bus: unwanted frames that pass are counted, identifiers never seen are free. Without it every
        identifier of the formats that are wanted counts once.
    filters : int or (int, int), optional
        How many filters, banks or elements (M_CAN: for base and extended frames) there are; default: as the controller
        has them (bxcan: 14 banks; mailboxes: 16).
    list_only : bool
        Only identifiers that are wanted may pass.

    Returns
    -------
    FilterDesign

    Raises
    ------
    TypeError, ValueError
        No identifier, or one that does not exist; an unknown controller; more identifiers than it can list, with
        `list_only`; filters too few for both formats.

    Notes
    -----
    Each group of identifiers gets the smallest filter of its kind around it, and the groups are chosen: the pair whose
    merger lets least through is merged until the filters suffice, identifiers are moved between groups as long as that
    helps, and all groupings are searched by branch and bound as far as a fixed amount of work goes. What several
    filters let through counts once. SJA1000: single or dual, whichever lets less through; its filters do not tell base
    from extended frames, and data bytes do not count. bxCAN: base identifiers in 16-bit banks, extended in 32-bit ones.
    MCP2515: filters 0, 1 and 2..5 share a mask each. M_CAN: pairs, masks, ranges.

    The result was tried with `accepts`.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> design = cf.analysis.design_filters([0x100], "mcp2515", traffic=frames)
    >>> design.unwanted
    0
    >>> [f"{name} = {value:#x}" for name, value in design.registers[:2]]
    ['RXM0 = 0x1ffc0000', 'RXF0 = 0x4000000']
    """
    name, row, numbers = room_of(controller, filters)
    ids = _wanted(wanted)
    base = sum(not extended for _, extended in ids)
    if list_only and not row.lists(base, len(ids) - base, numbers):
        most = [max(n for n in range(2049) if row.lists(*pair(n), numbers)) for pair in (_base, _extended)]
        raise ValueError(
            f"wanted has {base} base and {len(ids) - base} extended identifiers; {row.title} with "
            f"{_count(numbers)} {row.unit} can list 0..{most[0]} base or 0..{most[1]} extended ones and nothing else"
        )
    points = Traffic.of(ids, _weights(traffic))
    made = row.make(ids, points, numbers)
    if made is None:
        raise ValueError(
            f"filters = {_count(numbers)} {row.unit}: too few for {base} base and {len(ids) - base} extended "
            "identifiers, which share none"
        )
    config, registers, plans = made
    unwanted, bound, greedy = (sum(getattr(plan, key) for plan in plans) for key in ("cost", "bound", "greedy"))
    through = _let_through(ids, points, config, unwanted)
    rows = tuple(f for plan in plans for g in plan.groups for f in _designed(name, g))
    return FilterDesign(
        name, rows, config, registers, tuple(ids), through, unwanted, bound >= unwanted, min(bound, unwanted), greedy
    )


def _base(count: int) -> tuple[int, int]:
    return count, 0


def _extended(count: int) -> tuple[int, int]:
    return 0, count


def room_of(controller: str, filters: int | tuple[int, int] | None) -> tuple[str, Controller, Numbers]:
    """The controller's own name, its row, and how many filters are meant."""
    name = ALIASES.get(controller, controller)
    if name not in CONTROLLERS:
        raise ValueError(f"controller = {controller!r}, known are {', '.join(CONTROLLERS)}")
    row = CONTROLLERS[name]
    if filters is None:
        return name, row, row.numbers
    pair = isinstance(filters, (tuple, list))
    if pair and (len(filters) != 2 or not row.most[1]):  # type: ignore[arg-type]
        raise ValueError(f"filters = {filters}: a number of {row.unit}" + (", or two" if row.most[1] else ""))
    base = checked("filters", filters[0] if pair else filters, row.most[0], row.least[0])  # type: ignore[index]
    wide = filters[1] if pair else min(base, row.most[1])  # type: ignore[index]
    return name, row, (base, checked("filters (extended)", wide, row.most[1], row.least[1]))


def _count(numbers: Numbers) -> str:
    return f"{numbers[0]} and {numbers[1]}" if numbers[1] else str(numbers[0])


def _id(name: str, one: Any) -> Id:
    if isinstance(one, tuple) and len(one) == 2:
        ident, extended = one[0], bool(one[1])
    else:
        ident, extended = one, None
    number = checked(name, ident, 0x1FFFFFFF)
    wide = number > 0x7FF if extended is None else extended
    checked(name, number, 0x1FFFFFFF if wide else 0x7FF)
    return number, wide


def _wanted(wanted: Any) -> list[Id]:
    if isinstance(wanted, np.ndarray) and wanted.dtype.names:
        ids = set(frames_by_id(wanted))
    elif isinstance(wanted, (str, bytes)) or not isinstance(wanted, Iterable):
        raise TypeError(f"wanted must be identifiers, not {type(wanted).__name__}")
    else:
        ids = {_id(f"wanted[{index}]", one) for index, one in enumerate(wanted)}
    if not ids:
        raise ValueError("wanted has no identifier, needed 1 and more")
    return sorted(ids, key=lambda one: (one[1], one[0]))


def _weights(traffic: Any) -> Mapping[Id, int] | None:
    if traffic is None or isinstance(traffic, np.ndarray):
        return None if traffic is None else frames_by_id(traffic)
    if not isinstance(traffic, Mapping):
        raise TypeError(f"traffic must be an array of frames or a mapping, not {type(traffic).__name__}")
    return {_id("traffic", one): checked(f"traffic[{one}]", weight, 0xFFFFFFFF) for one, weight in traffic.items()}


def frames_by_id(frames: FrameArray) -> dict[Id, int]:
    """Frames of each identifier."""
    array = contiguous(frames)
    array = array[array["flags"] & np.uint16(FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0]
    wide = (array["flags"] & np.uint16(FrameFlag.EXTENDED_ID)).astype(np.uint64)
    keys, counts = np.unique(wide << np.uint64(32) | array["arbitration_id"], return_counts=True)
    return {(key & 0x1FFFFFFF, bool(key >> 32)): n for key, n in zip(keys.tolist(), counts.tolist(), strict=True)}


def _frames(ids: Any, extended: Any) -> FrameArray:
    frames: FrameArray = np.zeros(len(ids), FRAME_DTYPE)
    frames["arbitration_id"], frames["flags"] = ids, np.where(extended, int(FrameFlag.EXTENDED_ID), 0)
    return frames


def _let_through(
    wanted: list[Id], points: Traffic, config: AcceptanceFilters, unwanted: int
) -> tuple[tuple[int, bool, int], ...]:
    """Unwanted identifiers that the filters themselves let through; raises where they are not what was planned."""
    if not accepts(_frames([i for i, _ in wanted], [e for _, e in wanted]), config).all():
        raise RuntimeError("the filters designed stop a wanted identifier; please report this")
    passing = accepts(_frames(points.ids, points.extended), config)
    rows = [column[passing].tolist() for column in (points.ids, points.extended, points.weights)]
    total = sum(rows[2])
    if total > unwanted or (total < unwanted and not points.count_extended):
        raise RuntimeError(f"the filters designed let {total} through, planned were {unwanted}; please report this")
    return tuple(sorted(zip(*rows, strict=True), key=lambda one: (-one[2], one[1], one[0])))


def _designed(controller: str, group: Group) -> list[DesignedFilter]:
    """A row for each format of a group."""
    found = []
    for wide in (False, True):
        ids = tuple(ident for ident, extended in group.ids if extended == wide)
        if not ids:
            continue
        can_id, can_mask = ((v & 0x1FFFFFFF) if wide else (v >> 18 & 0x7FF) for v in (group.value, group.mask))
        whole = can_mask == (0x1FFFFFFF if wide else 0x7FF)
        ranges = controller in ("m_can", "stm32_fdcan")
        if (ranges and len(group.ids) <= 2) or whole:
            found.append(DesignedFilter("list", wide, ids[0], None, None, ids))
        elif ranges and group.side:
            found.append(DesignedFilter("range", wide, ids[0], None, ids[-1], ids))
        else:
            found.append(DesignedFilter("mask", wide, can_id, can_mask, None, ids))
    return found
