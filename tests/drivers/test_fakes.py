"""Drivers that misbehave: each harms a naive caller, and each is survived. Prints the matrix."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
from beside import Beside
from fake_table import FRAMES, LP64, ROWS, Naive, Ours, Row, build, expected, run_naive

import canal_fast as cf

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
PROPERTIES = ("opens", "complete", "nothing invented", "in order", "payload", "ledger", "close")
BRIDGES = {"never": "in process", "always": "in a host"}
matrix: dict[tuple[str, str], dict[str, str]] = {}


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """Those that this run is about."""
    asked = [item.callspec.params.get("row") for item in request.session.items if hasattr(item, "callspec")]
    return sorted((row for row in ROWS if row in asked), key=lambda row: row.harmed != "hangs")


Futures = dict[tuple[str, str], Future[dict[str, bool]]]


@pytest.fixture(scope="session")
def ours(rows: list[Row], fakes: Path) -> Iterator[Futures]:
    """Our Channel on every fake, several at a time."""
    background = [(row, bridge) for row in rows if not row.alone for bridge in BRIDGES if not in_vain(row, bridge)]
    with ThreadPoolExecutor(8) as pool:
        yield {
            (row.name, bridge): pool.submit(survive, row, library(row, fakes, bridge), bridge)
            for row, bridge in background
        }


@pytest.fixture(scope="session")
def naive(rows: list[Row], fakes: Path, ours: Futures) -> dict[str, Naive]:
    """The naive caller on every fake. Complete at once: while threads start programs, pytest must not go on to the
    next test and change the environment."""
    with ThreadPoolExecutor(4) as pool:
        started = {row.name: pool.submit(run_naive, row, build(row, fakes)) for row in rows if row.harmed}
    return {name: future.result() for name, future in started.items()}


def collect(channel: cf.Channel, count: int, silence: float = 0.1) -> tuple[cf.FrameArray, cf.DriverError | None]:
    """At least `count` frames, and whatever else comes in so many seconds."""
    parts, got, end = [np.empty(0, cf.FRAME_DTYPE)], 0, 20.0
    with Beside() as beside:
        while beside.seconds < end:
            try:
                part = channel.receive(timeout=0.02)
            except cf.ChannelClosedError:
                break
            except cf.DriverError as error:
                return np.concatenate(parts), error
            parts.append(part)
            got += len(part)
            if got >= count:
                end = min(end, beside.seconds + silence)
    return np.concatenate(parts), None


@contextlib.contextmanager
def closing(ours: Ours) -> Iterator[None]:
    """Stop what is within, then close, watched by a second thread."""
    begun = time.monotonic()
    with Beside() as beside:
        try:
            yield
            ours.channel.close()
        except cf.DriverError as error:
            ours.close_error = error
        ours.close_s = time.monotonic() - begun
        ours.ticks = beside.ticks


def in_vain(row: Row, bridge: str) -> bool:
    """A driver that dies takes its process with it."""
    return bool(row.dies) and bridge == "never"


def refuses(row: Row, path: Path, bridge: str) -> dict[str, bool]:
    with pytest.raises(cf.DriverError) as caught, Beside() as beside:
        cf.Channel(path, row.text, bridge=bridge, **row.options)
    said = str(caught.value)
    number = row.text.rpartition("=")[2] if row.text.rpartition(";")[2].startswith("open=") else ""
    return {"opens": row.refused in said and number in said and beside.seconds < 21}


def dies(row: Row, path: Path, bridge: str) -> dict[str, bool]:
    """Its host dies; what came before counts."""
    try:
        with cf.Channel(path, row.text, bridge=bridge, **row.options) as channel:
            frames, error = collect(channel, FRAMES)
            channel.ledger().verify()
    except cf.DriverError as failure:
        frames, error = expected(0), failure
    want = expected(len(frames))
    same = bool((frames[["arbitration_id", "dlc", "data"]] == want[["arbitration_id", "dlc", "data"]]).all())
    return {"opens": row.dies in str(error), "nothing invented": len(frames) <= 100 and same}


def library(row: Row, fakes: Path, bridge: str) -> Path:
    """A copy of its own, which alone writes its counts."""
    return build(row, fakes, place=f" {bridge}")


def survive(row: Row, path: Path, bridge: str) -> dict[str, bool]:
    """Run our Channel on the fake and judge every property."""
    if row.dies or not row.opens:
        return (dies if row.dies else refuses)(row, path, bridge)
    begun = time.monotonic()
    channel = cf.Channel(path, f"{row.text};shared=1", bridge=bridge, **row.options)
    held_back = row.count % 64 if "hang" in row.config else 0  # an unfinished chunk comes with the end
    frames, error = collect(channel, row.count + row.statuses - held_back, row.silence)
    status = (frames["flags"] & cf.FrameFlag.STATUS) != 0
    get, statuses = frames[~status], frames[status]
    table = np.memmap(f"{path}.counts", np.int64, "r")
    ours = Ours(path, channel, get, statuses, time.monotonic() - begun, error, lambda which: int(table[which]))
    ours.hosted = bridge == "always"
    want = expected(row.count, sizes=row.sizes)
    passed = {"opens": True, row.also: row.check(ours)}
    with closing(ours):
        channel.stop()
        rest, _ = collect(channel, 0)
    get = np.concatenate([get, rest])
    ledger = channel.ledger()
    ledger.verify()
    same = len(get) == len(want)
    passed["complete"] = set(want["arbitration_id"]) <= set(get["arbitration_id"]) and len(get) >= len(want)
    passed["nothing invented"] = len(get) <= len(want) and len(statuses) == row.statuses
    passed["in order"] = same and bool((get[["arbitration_id", "flags"]] == want[["arbitration_id", "flags"]]).all())
    passed["payload"] = same and bool((get[["dlc", "data"]] == want[["dlc", "data"]]).all())
    passed["ledger"] = (ledger.delivered, ledger.malformed, ledger.dropped) == (
        len(get) + len(statuses),
        row.malformed,
        0,
    )
    passed["close"] = row.closed(ours) and (error.status if error else None) == row.error
    return passed


@pytest.mark.slow
@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_fake_is_survived(row: Row, bridge: str, fakes: Path, naive: dict[str, Naive], ours: Futures) -> None:
    cells = matrix.setdefault((row.name, bridge), {})
    if row.harmed:
        came_of_it = naive[row.name]
        for _ in range(3):  # it needs some luck with the scheduler, sometimes
            came_of_it = came_of_it if row.harm(came_of_it) else run_naive(row, build(row, fakes))
        assert row.harm(came_of_it), f"the fake does no harm: {str(came_of_it)[-1500:]}"
    if in_vain(row, bridge):
        return
    if row.alone:
        wait(ours.values())
    passed = survive(row, library(row, fakes, bridge), bridge) if row.alone else ours[row.name, bridge].result()
    cells.update({name: "ok" if good else "FAILED" for name, good in passed.items()})
    assert all(passed.values()), {name for name, good in passed.items() if not good}


def test_equal_global_symbols_do_not_mix(fakes: Path) -> None:
    """Two libraries with one global variable: loaded naively, opening the second renumbers the first's frames."""
    rows = [Row(f"sibling {i}", "bursts=4;pause=30;first=0") for i in range(2)]
    paths = [build(row, fakes) for row in rows]
    mixed = run_naive(rows[0], paths[0], str(paths[1]), action="two")
    assert mixed.frames[0][1] >= 100_000, "the fakes do not share their variable"
    second = rows[1].text.replace("first=0", "first=100000")
    with cf.Channel(paths[0], rows[0].text) as a, cf.Channel(paths[1], second) as b:
        for channel, first in ((a, 0), (b, 100_000)):
            frames, _ = collect(channel, FRAMES)
            want = expected(FRAMES, first)
            for field in ("arbitration_id", "flags", "dlc", "data"):
                np.testing.assert_array_equal(frames[field], want[field])


def test_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints fake x property for what ran before."""
    lines = [f"{'fake':26}  {'harm to a naive caller':34}  {'ours':10}  " + "  ".join(PROPERTIES) + "  and"]
    for row in ROWS:
        for bridge, where in BRIDGES.items():
            cells = matrix.get((row.name, bridge))
            if cells is None:
                continue
            given = "  ".join(f"{cells.get(name, '-'):{len(name)}}" for name in PROPERTIES)
            given += f"  {row.also}: {cells[row.also]}" if row.also and row.also in cells else ""
            if in_vain(row, bridge):
                given = "no; the doctor tells"
            lines.append(f"{row.name:26}  {row.harmed or '-':34}  {where:10}  {given}".rstrip())
    with capsys.disabled():
        print("\n\n" + "\n".join(lines))
    assert not [line for line in lines if "FAILED" in line]
