"""Designed filters beside every way to group the identifiers, and frame by frame over a recording."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import acceptance_oracle as frames_of
from oracle import design_oracle as oracle
from oracle.acceptance_oracle import Frame
from oracle.design_oracle import Id, Unwanted

import canal_fast as cf
from canal_fast import analysis

CAR = Path(__file__).resolve().parent.parent / "data" / "car-bus.log.gz"
NAMES = ["sja1000", "bxcan", "mcp2515", "mcp2517fd", "m_can", "stm32_fdcan", "mailboxes", "socketcan"]
EVERY_BASE = {(ident, False): 1 for ident in range(2048)}


def ids_of(draw: random.Random, count: int, formats: str) -> list[Id]:
    """Some of them near one another, so that groupings differ."""
    found: set[Id] = set()
    while len(found) < count:
        extended = formats == "extended" or (formats == "both" and draw.random() < 0.5)
        pool = draw.choice((0x18FE0000, 0x0CF00400)) if extended else draw.choice((0x100, 0x640, 0x7F0))
        ident = pool ^ draw.getrandbits(11 if extended else 5) if draw.random() < 0.7 else draw.getrandbits(29)
        found.add((ident & (0x1FFFFFFF if extended else 0x7FF), extended))
    return sorted(found, key=lambda one: (one[1], one[0]))


def traffic_of(draw: random.Random, wanted: list[Id]) -> dict[Id, int]:
    """What is near the wanted ones, and others; some of the wanted ones, too."""
    found = {one: draw.randint(1, 99) for one in ids_of(draw, 30, "both")}
    for ident, extended in wanted:
        found[ident ^ 1 << draw.randrange(29 if extended else 11), extended] = draw.randint(1, 99)
    return found | dict.fromkeys(wanted[::2], 50)


def sja1000_passes(codes: Any, masks: Any, dual: bool, one: Id) -> bool:
    return frames_of.sja1000(codes, masks, dual, Frame(*one)) is not None


def case(draw: random.Random, name: str, size: int) -> tuple[analysis.FilterDesign, int]:
    """A design, and the least that any can let through."""
    formats = draw.choice(("base", "extended", "both"))
    wanted = ids_of(draw, size, formats)
    weights = traffic_of(draw, wanted)
    if formats == "base" and name != "sja1000" and draw.random() < 0.5:
        weights = EVERY_BASE
    unwanted = Unwanted(wanted, weights)
    number = draw.randint(2, 4)
    least: int
    if name in ("mcp2517fd", "mailboxes", "socketcan"):
        least = oracle.best_masks(wanted, unwanted, number)
    elif name == "bxcan":
        number = draw.randint(2, 3) if formats == "both" else draw.randint(1, 2)
        least = oracle.best_banks(wanted, unwanted, number)
    elif name in ("m_can", "stm32_fdcan"):
        parts = [[one for one in wanted if one[1] == extended] for extended in (False, True)]
        least = sum(oracle.best_elements(part, unwanted, number) for part in parts if part)
    elif name == "mcp2515":
        least = oracle.best_shared(wanted, unwanted)
    else:
        least = oracle.best_sja1000(wanted, unwanted, sja1000_passes)
    given = None if weights is EVERY_BASE else weights
    fixed = name in ("mcp2515", "sja1000")
    design = analysis.design_filters(wanted, name, given, filters=None if fixed else number)
    if weights is not EVERY_BASE:
        check_by_twin(design, weights)
    return design, least


def twin(design: analysis.FilterDesign) -> Callable[[Frame], int | None]:
    """The bit-level twin with the design's registers."""
    config: Any = design.config
    if design.controller == "sja1000":
        return lambda f: frames_of.sja1000(config.codes, config.masks, config.dual, f)
    if design.controller == "bxcan":
        banks = [frames_of.Bank(b.scale == 32, b.mode == "list", b.fr1, b.fr2) for b in config.banks]
        return lambda f: frames_of.bxcan(banks, f)
    if design.controller == "mcp2515":
        return lambda f: frames_of.mcp2515(config.masks, config.filters, config.any_frame, f)
    if design.controller == "mcp2517fd":
        objects = [(value, mask, True) for value, mask in config.objects]
        return lambda f: frames_of.mcp2517fd(objects, False, f)
    if design.controller in ("m_can", "stm32_fdcan"):
        kinds = ("range", "dual", "mask")
        standard, extended = (
            [frames_of.Element(kinds.index(e.kind), 1, e.id1, e.id2) for e in part]
            for part in (config.standard, config.extended)
        )
        return lambda f: frames_of.mcan(standard, extended, f)
    if design.controller == "mailboxes":
        boxes = [(b.can_id, b.can_mask, b.extended, b.remote) for b in config.mailboxes]
        return lambda f: frames_of.mailboxes(boxes, f)
    return lambda f: frames_of.socketcan(config.filters, 0, f)


def check_by_twin(design: analysis.FilterDesign, weights: dict[Id, int]) -> None:
    passes = twin(design)
    assert all(passes(Frame(*one)) is not None for one in design.wanted)
    others = {one: w for one, w in weights.items() if one not in design.wanted}
    through = {(*one, w) for one, w in others.items() if passes(Frame(*one)) is not None}
    assert through == set(design.let_through)
    assert sum(w for *_, w in through) == design.unwanted


def compare(name: str, seed: int, cases: int, largest: int) -> None:
    draw = random.Random(seed)
    better = 0
    wide = name in ("mcp2517fd", "mailboxes", "socketcan")  # up to ten in four filters
    for number in range(cases):
        sizes = {"mcp2515": (5, 7), "sja1000": (2, 7), "bxcan": (5, 7)}.get(name, (5, largest))
        design, least = case(draw, name, draw.randint(*sizes) if number % 20 or cases < 20 else sizes[1] + 2 * wide)
        assert (design.unwanted, design.optimal, design.bound) == (least, True, least), design
        better += design.unwanted < design.greedy
        assert design.unwanted <= design.greedy
    assert better or cases < 20


@pytest.mark.parametrize("name", NAMES)
def test_all_partitions(name: str) -> None:
    compare(name, 3, 4 if name == "mcp2515" else 16, 6)


@pytest.mark.slow
@pytest.mark.unsanitized  # the short forms do the same
@pytest.mark.parametrize("name", NAMES)
def test_all_partitions_at_length(name: str) -> None:
    compare(name, 4, 125, 8)


def test_partitions_of_the_twin() -> None:
    """Set partitions of 10 into at most 4 blocks: S(10, 1..4) = 1 + 511 + 9330 + 34105."""
    items = [(ident, False) for ident in range(10)]
    assert sum(1 for _ in oracle.partitions(items[:5], 5)) == 52
    assert sum(1 for _ in oracle.partitions(items, 4)) == 43_947


@pytest.mark.slow
@pytest.mark.unsanitized  # the short forms do the same
@pytest.mark.parametrize("seed", range(6))
def test_ten_identifiers_in_four_filters(seed: int) -> None:
    """All 43,947 partitions, of random identifiers and of near ones."""
    draw = random.Random(seed)
    ids = [(i, False) for i in draw.sample(range(2048), 10)] if seed % 2 else ids_of(draw, 10, "base")
    design = analysis.design_filters(ids, "mailboxes", filters=4)
    least = oracle.best_masks(ids, Unwanted(ids, EVERY_BASE), 4)
    assert (design.unwanted, design.optimal) == (least, True)


@pytest.mark.parametrize("seed", range(6))
def test_every_extended_identifier_counts_once(seed: int) -> None:
    draw = random.Random(seed)
    ids = ids_of(draw, 6, "extended")
    for number in (2, 3):
        design = analysis.design_filters(ids, "mailboxes", filters=number)
        assert (design.unwanted, design.optimal) == (oracle.best_extended(ids, number), True)


@pytest.mark.parametrize("seed", range(4))
def test_extended_elements_of_m_can(seed: int) -> None:
    """Only the low nine bits differ, so that all identifiers that a filter may let through can be written down."""
    draw = random.Random(seed)
    every = {(0x18FE0000 + i, True): 1 for i in range(512)}
    ids = sorted(draw.sample(sorted(every), 6))
    design = analysis.design_filters(ids, "m_can", filters=2)
    assert (design.unwanted, design.optimal) == (oracle.best_elements(ids, Unwanted(ids, every), 2), True)


@pytest.mark.parametrize("count", [16, pytest.param(64, marks=[pytest.mark.slow, pytest.mark.unsanitized])])
def test_never_worse_than_greedy(count: int) -> None:
    draw = random.Random(count)
    better = 0
    for seed in range(3):
        wanted = sorted((i, False) for i in draw.sample(range(2048), count))
        weights = EVERY_BASE if seed % 2 else traffic_of(draw, wanted) | {(i, False): 1 for i in range(0, 2048, 3)}
        design = analysis.design_filters(
            wanted, "mailboxes", None if weights is EVERY_BASE else weights, filters=count // 4
        )
        greedy = oracle.greedy_masks(wanted, Unwanted(wanted, weights), count // 4)
        assert design.greedy == greedy
        assert design.bound <= design.unwanted <= greedy
        assert design.optimal == (design.bound == design.unwanted)
        better += design.unwanted < greedy
    assert better


@pytest.mark.slow
@pytest.mark.unsanitized  # the short forms do the same
@pytest.mark.parametrize("name", NAMES)
def test_sixty_four_identifiers(name: str) -> None:
    draw = random.Random(64)
    for formats in ("base", "extended", "both"):
        wanted = ids_of(draw, 64, formats)
        number = None if name in ("sja1000", "mcp2515") else 8
        design = analysis.design_filters(wanted, name, filters=number)
        assert 0 <= design.bound <= design.unwanted <= design.greedy
        check_by_twin(analysis.design_filters(wanted, name, (t := traffic_of(draw, wanted)), filters=number), t)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_frame_by_frame(name: str) -> None:
    frames = cf.read_log(CAR)
    known = np.unique(frames["arbitration_id"]).tolist()
    draw = random.Random(name)
    for count in (2, 7, 12):
        wanted = draw.sample(known, count)
        number = None if name in ("sja1000", "mcp2515") else 2
        design = analysis.design_filters(wanted, name, frames, filters=number)
        passed = analysis.accepts(frames, design.config)
        asked = np.isin(frames["arbitration_id"], wanted)
        assert passed[asked].all()
        assert int((passed & ~asked).sum()) == design.unwanted
        judge = twin(design)
        for frame, through in zip(frames[::197], passed[::197].tolist(), strict=True):
            data = frame["data"][: int(frame["dlc"])].tobytes()
            assert (judge(Frame(int(frame["arbitration_id"]), data=data)) is not None) == through


# --- Known answers, worked out by hand


def test_registers_of_sja1000() -> None:
    """0x100 = 001 0000 0000 and 0x123 = 001 0010 0011: ACR0 = 20, ACR1 = 0; 24 and 60. Dual, without data bytes."""
    design = analysis.design_filters([0x100, 0x123], "sja1000")
    assert dict(design.registers) == {
        "MOD.AFM": 0, "ACR0": 0x20, "ACR1": 0x00, "ACR2": 0x24, "ACR3": 0x60, "AMR0": 0, "AMR1": 0x0F, "AMR2": 0,
        "AMR3": 0x0F,
    }  # fmt: skip
    assert (design.unwanted, design.optimal) == (0, True)
    design = analysis.design_filters([0x18FEF100], "sja1000")
    assert dict(design.registers) == {
        "MOD.AFM": 1, "ACR0": 0xC7, "ACR1": 0xF7, "ACR2": 0x88, "ACR3": 0, "AMR0": 0, "AMR1": 0, "AMR2": 0, "AMR3": 3,
    }  # fmt: skip
    pair = analysis.design_filters(
        [0x18FEF100, 0x07010EFF], "sja1000"
    )  # no bit in common. Dual: the upper 16 bits, two times 2^13
    assert (pair.unwanted, pair.optimal) == (2 * 8192 - 2, True)


def test_registers_of_bxcan() -> None:
    """0x100 << 5 = 2000, 0x123 << 5 = 2460; 0x18FEF100 << 3 | IDE = C7F78804."""
    design = analysis.design_filters([0x100, 0x123, 0x18FEF100], "bxcan")
    assert dict(design.registers) == {
        "FM1R": 3, "FS1R": 1, "FA1R": 3, "F0R1": 0xC7F78804, "F0R2": 0x24600000, "F1R1": 0x20002000, "F1R2": 0x20002000,
    }  # fmt: skip
    eight = analysis.design_filters(range(0x100, 0x108), "bxcan", filters=1)  # one mask: 7F8 << 5 = FF00, RTR and IDE
    assert dict(eight.registers)["F0R1"] == 0xFF182000
    assert (eight.unwanted, eight.optimal) == (0, True)
    five = analysis.design_filters([0x100, 0x101, 0x102, 0x103, 0x2AA], "bxcan", filters=1)  # a mask, and one beside it
    assert dict(five.registers)["F0R2"] == 0xFFF85540
    assert (five.unwanted, five.optimal) == (0, True)
    wanted = [*range(0x100, 0x108), 0x2AA, 0x555, 0x18FEF100]  # a mask and 0x555; the extended one and 0x2AA
    assert analysis.design_filters(wanted, "bxcan", filters=2).unwanted == 0


def test_masks_of_mcp2515() -> None:
    """Two that differ in bit 0, in filters of their own or under one mask: nothing else passes."""
    design = analysis.design_filters([0x100, 0x101, 0x200, 0x201, 0x300, 0x301, 0x400, 0x401], "mcp2515")
    assert (design.unwanted, design.optimal) == (0, True)
    assert analysis.accepts(cf.make_frames([0x100, 0x102, 0x401]), design.config).tolist() == [True, False, True]
    one = dict(analysis.design_filters([0x123], "mcp2515").registers)
    assert (one["RXM0"], one["RXF0"], one["RXM1"], one["RXF5"]) == (0x7FF << 18, 0x123 << 18, 0x7FF << 18, 0x123 << 18)


def test_what_is_wanted() -> None:
    frames = cf.make_frames([0x100, 0x100, 0x18FEF100], flags=[0, 0, 1])
    design = analysis.design_filters(frames, "socketcan")
    assert design.wanted == ((0x100, False), (0x18FEF100, True))
    config: Any = design.config
    assert config.filters == ((0x100, 0xC00007FF), (0x98FEF100, 0xDFFFFFFF))
    assert analysis.design_filters([(0x100, True), 0x100], "mailboxes").wanted == ((0x100, False), (0x100, True))
    alias = analysis.design_filters([0x100], "fdcan")
    assert alias.controller == "stm32_fdcan"
    many = analysis.design_filters(range(0, 2048, 7), "mailboxes", filters=4)  # more than the search takes one by one
    assert many.bound <= many.unwanted <= 2048 - 293


def test_traffic_that_is_never_seen_is_free() -> None:
    wanted = [0x100, 0x10F]
    assert analysis.design_filters(wanted, "mailboxes", filters=1).unwanted == 14
    design = analysis.design_filters(wanted, "mailboxes", {0x101: 7, 0x10F: 9, 0x200: 50}, filters=1)
    assert (design.unwanted, design.let_through) == (7, ((0x101, False, 7),))
    assert analysis.design_filters(wanted, "m_can", filters=1).filters[0].kind == "list"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0x100], "sja2000"), "controller = 'sja2000', known are sja1000, bxcan, mcp2515, mcp2517fd, m_can,"),
        (([], "bxcan"), "wanted has no identifier, needed 1 and more"),
        (([0x100, 0x20000000], "bxcan"), r"wanted\[1\] = 0x20000000, allowed 0x0..0x1fffffff"),
        (([(0x800, False)], "bxcan"), r"wanted\[0\] = 2048, allowed 0..2047"),
        (([0x100], "bxcan", {0x100: -1}), r"traffic\[256\] = -0x1, allowed"),
    ],
)
def test_bad_values(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        analysis.design_filters(*arguments)


@pytest.mark.parametrize(
    ("wanted", "name", "options", "words"),
    [
        (range(57), "bxcan", {}, r"wanted has 57 base and 0 extended identifiers; bxCAN with 14 banks can list 0..56 "
         r"base or 0..28 extended ones and nothing else"),
        (range(3), "sja1000", {}, "SJA1000 with 2 filters can list 0..2 base or 0..1 extended"),
        (range(7), "mcp2515", {}, "MCP2515 with 6 filters can list 0..6 base"),
        (range(57), "stm32_fdcan", {}, "FDCAN of STM32 with 28 and 8 elements can list 0..56 base or 0..16 extended"),
        (range(5), "mailboxes", {"filters": 4}, "mailboxes with 4 mailboxes can list 0..4 base or 0..4 extended"),
    ],
)  # fmt: skip
def test_more_than_can_be_listed(wanted: range, name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        analysis.design_filters(wanted, name, list_only=True, **options)
    assert analysis.design_filters(wanted, name, **options).unwanted >= 0
    assert analysis.design_filters(wanted[:1], name, list_only=True, **options).unwanted == 0


@pytest.mark.parametrize(
    ("name", "filters", "words"),
    [
        ("bxcan", 29, "filters = 29, allowed 1..28"),
        ("bxcan", 0, "filters = 0, allowed 1..28"),
        ("mcp2515", 7, "filters = 7, allowed 6..6"),
        ("bxcan", (3, 4), r"filters = \(3, 4\): a number of banks"),
        ("stm32_fdcan", (28, 9), r"filters \(extended\) = 9, allowed 1..8"),
        ("bxcan", 1, "filters = 1 banks: too few for 2 base and 2 extended identifiers, which share none"),
    ],
)
def test_bad_numbers_of_filters(name: str, filters: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        analysis.design_filters([0x100, 0x101, 0x18FEF100, 0x18FEF101], name, filters=filters)


def test_bad_types() -> None:
    with pytest.raises(TypeError, match="wanted must be identifiers, not str"):
        analysis.design_filters("0x100", "bxcan")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="traffic must be an array of frames or a mapping, not int"):
        analysis.design_filters([1], "bxcan", 5)  # type: ignore[arg-type]
