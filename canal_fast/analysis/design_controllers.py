"""Controllers that filters are designed for: how many filters, of what kind, and the registers that groups become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from canal_fast.chips import aliases_of

from .acceptance_filters import (
    AcceptanceFilters,
    BxcanBank,
    BxcanFilters,
    Mailbox,
    MailboxFilters,
    McanElement,
    McanFilters,
    Mcp2515Filters,
    Mcp2517fdFilters,
    Sja1000Filters,
    SocketcanFilters,
)
from .design_search import BANKS, EXTENDED, MASKS, RANGES, SHARED, WHOLE, Group, Id, Plan, Problem, Traffic, solve

Registers = tuple[tuple[str, int], ...]
Numbers = tuple[int, int]
Made = tuple[AcceptanceFilters, Registers, list[Plan]]


@dataclass(frozen=True)
class Controller:
    """A row of the table.

    `numbers`: filters, banks or elements (base, extended; 0: one number for both), as usual, at least and at most.
    `lists`: whether so many base and extended identifiers can be let through and nothing else.
    """

    title: str
    unit: str
    make: Callable[[Sequence[Id], Traffic, Numbers], Made | None]
    lists: Callable[[int, int, Numbers], bool]
    numbers: Numbers
    least: Numbers
    most: Numbers


def masks(wanted: Sequence[Id], traffic: Traffic, room: int) -> Plan | None:
    """Identifiers with a mask each."""
    return solve(Problem(MASKS, (room, 0)), wanted, traffic)


def shared_room(base: int, extended: int, numbers: Numbers) -> bool:
    return base + extended <= numbers[0]


def socketcan(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plan = masks(wanted, traffic, numbers[0])
    if plan is None:
        return None
    flags = EXTENDED | 0x40000000  # data frames alone, as the kernel's lists of single identifiers ask for
    rows = tuple((g.can_id | EXTENDED * g.extended, g.can_mask | flags) for g in plan.groups)
    return SocketcanFilters(rows), (), [plan]


def mailboxes(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plan = masks(wanted, traffic, numbers[0])
    if plan is None:
        return None
    return MailboxFilters(tuple(Mailbox(g.can_id, g.can_mask, g.extended) for g in plan.groups)), (), [plan]


def mcp2517fd(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plan = masks(wanted, traffic, numbers[0])
    if plan is None:
        return None
    exide = 1 << 30
    rows = []
    for g in plan.groups:
        value, mask = (
            (v >> 18 | (v & 0x3FFFF) << 11 if g.extended else v) for v in (g.can_id, g.can_mask)
        )  # SID10..0 below EID17..0
        rows.append((value | exide * g.extended, mask | exide))
    return Mcp2517fdFilters(tuple(rows)), (), [plan]


MCP2515_BASE = EXTENDED | 0x1FFF0000  # EID15..0 would be laid over data bytes, EID17 and EID16 over nothing


def mcp2515(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plan = solve(Problem(SHARED, (2, 4), (MCP2515_BASE, WHOLE)), wanted, traffic)
    if plan is None:
        return None
    masks, filters = [], []
    for side, room in ((0, 2), (1, 4)):
        chosen = [g for g in plan.groups if g.side == side]
        extended = any(g.extended for g in chosen)
        mask = chosen[0].mask & (0x1FFFFFFF if extended else 0x1FFC0000) if chosen else 0x1FFC0000
        rows = [(g.value & mask, g.extended) for g in chosen]
        if not rows:  # what the other side lets through
            ident, wide = plan.groups[0].ids[0]
            mask, rows = (0x1FFFFFFF, [(ident, True)]) if wide else (0x1FFC0000, [(ident << 18, False)])
        masks.append(mask)
        filters += rows + rows[-1:] * (room - len(rows))
    names = ["RXM0", "RXF0", "RXF1", "RXM1", "RXF2", "RXF3", "RXF4", "RXF5"]
    values = [value for value, _ in filters]
    registers = tuple(zip(names, [masks[0], *values[:2], masks[1], *values[2:]], strict=True))
    return Mcp2515Filters((masks[0], masks[1]), tuple(filters)), registers, [plan]


SJA_BASE = 0x1FFE0000  # 11 bits and RTR, which lies where extended frames have ID17


def sja1000(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    base = any(not extended for _, extended in wanted)
    single = solve(Problem(MASKS, (1, 0), (SJA_BASE, 0x1FFFFFFF), SJA_BASE, 0), wanted, traffic)
    # Dual: ACR3's low nibble belongs to both filters where base frames are wanted, so they look at ID28..17 alone.
    care = (SJA_BASE, SJA_BASE if base else 0x1FFFE000)
    dual = solve(Problem(MASKS, (2, 0), care, SJA_BASE, 0), wanted, traffic)
    if single is None or dual is None:
        return None
    if single.cost <= dual.cost:
        (group,) = single.groups
        codes, cares = group.value << 3, group.mask << 3 | (0 if base else 4)
    else:
        pair = (dual.groups * 2)[:2]
        codes, cares = (sum((v >> 13) << shift for v, shift in zip(both, (16, 0), strict=True)) for both in (
            [g.value for g in pair], [g.mask for g in pair]))  # fmt: skip
    code, mask = codes.to_bytes(4, "big"), (~cares & 0xFFFFFFFF).to_bytes(4, "big")
    chosen = single if single.cost <= dual.cost else dual
    names = (("MOD.AFM", int(chosen is single)), *((f"ACR{i}", code[i]) for i in range(4)))
    registers = (*names, *((f"AMR{i}", mask[i]) for i in range(4)))
    plan = Plan(chosen.groups, chosen.cost, min(single.bound, dual.bound), min(single.greedy, dual.greedy))
    return Sja1000Filters(tuple(code), tuple(mask), chosen is dual), registers, [plan]


def sja1000_fits(base: int, extended: int, numbers: Numbers) -> bool:
    return base + extended <= 1 or (extended == 0 and base <= 2)


def bxcan(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plan = solve(Problem(BANKS, numbers), wanted, traffic)
    if plan is None:
        return None
    single = [[g for g in plan.groups if len(g.ids) == 1 and g.extended == wide] for wide in (False, True)]
    several = [[g for g in plan.groups if len(g.ids) > 1 and g.extended == wide] for wide in (False, True)]
    banks = [BxcanBank(32, "mask", g.can_id << 3 | 4, g.can_mask << 3 | 6) for g in several[1]]
    rest = list(single[0])
    words = [g.can_id << 3 | 4 for g in single[1]]
    words += [rest.pop().can_id << 21] if len(words) % 2 and rest else words[-1:] * (len(words) % 2)
    halves = [g.can_id << 5 | (g.can_mask << 5 | 0x18) << 16 for g in several[0]]
    halves += [rest.pop().can_id << 5 | 0xFFF8 << 16] if len(halves) % 2 and rest else halves[-1:] * (len(halves) % 2)
    short = [g.can_id << 5 for g in rest]
    short += short[-1:] * (-len(short) % 4)
    banks += [BxcanBank(32, "list", words[i], words[i + 1]) for i in range(0, len(words), 2)]
    banks += [BxcanBank(16, "mask", halves[i], halves[i + 1]) for i in range(0, len(halves), 2)]
    banks += [
        BxcanBank(16, "list", short[i] | short[i + 1] << 16, short[i + 2] | short[i + 3] << 16)
        for i in range(0, len(short), 4)
    ]
    registers = [
        ("FM1R", sum((bank.mode == "list") << i for i, bank in enumerate(banks))),
        ("FS1R", sum((bank.scale == 32) << i for i, bank in enumerate(banks))),
        ("FA1R", (1 << len(banks)) - 1),
    ]
    for i, bank in enumerate(banks):
        registers += [(f"F{i}R1", bank.fr1), (f"F{i}R2", bank.fr2)]
    return BxcanFilters(tuple(banks)), tuple(registers), [plan]


def bxcan_fits(base: int, extended: int, numbers: Numbers) -> bool:
    spare = min(extended % 2, base)
    return (extended + 1) // 2 + (base - spare + 3) // 4 <= numbers[0]


def mcan(wanted: Sequence[Id], traffic: Traffic, numbers: Numbers) -> Made | None:
    plans, lists = [], []
    for wide in (False, True):
        plan = solve(Problem(RANGES, (numbers[wide], 0)), [one for one in wanted if one[1] == wide], traffic)
        if plan is None:
            return None
        plans.append(plan)
        lists.append(tuple(element(group) for group in plan.groups))
    return McanFilters(lists[0], lists[1]), (), plans


def element(group: Group) -> McanElement:
    ids = [ident for ident, _ in group.ids]
    if len(ids) <= 2:
        return McanElement("dual", ids[0], ids[-1])
    if group.side:
        return McanElement("range", min(ids), max(ids))
    return McanElement("mask", group.can_id, group.can_mask)


def mcan_fits(base: int, extended: int, numbers: Numbers) -> bool:
    return base <= 2 * numbers[0] and extended <= 2 * numbers[1]


CONTROLLERS = {
    "sja1000": Controller("SJA1000", "filters", sja1000, sja1000_fits, (2, 0), (2, 0), (2, 0)),
    "bxcan": Controller("bxCAN", "banks", bxcan, bxcan_fits, (14, 0), (1, 0), (28, 0)),
    "mcp2515": Controller("MCP2515", "filters", mcp2515, shared_room, (6, 0), (6, 0), (6, 0)),
    "mcp2517fd": Controller("MCP2517FD", "filters", mcp2517fd, shared_room, (32, 0), (1, 0), (32, 0)),
    "m_can": Controller("M_CAN", "elements", mcan, mcan_fits, (128, 64), (1, 1), (128, 64)),
    "stm32_fdcan": Controller("FDCAN of STM32", "elements", mcan, mcan_fits, (28, 8), (1, 1), (28, 8)),
    "mailboxes": Controller("mailboxes", "mailboxes", mailboxes, shared_room, (16, 0), (1, 0), (128, 0)),
    "socketcan": Controller("SocketCAN", "filters", socketcan, shared_room, (512, 0), (1, 0), (512, 0)),
}
ALIASES = aliases_of(CONTROLLERS)
