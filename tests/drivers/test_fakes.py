"""Drivers that misbehave: each harms a naive caller, and each is survived. Prints the matrix."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
from fake_table import FRAMES, LP64, ROWS, Naive, Ours, Row, build, expected, run_naive

import canal_fast as cf

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
PROPERTIES = ("opens", "complete", "nothing invented", "in order", "payload", "ledger", "close")
matrix: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="session")
def rows(request: pytest.FixtureRequest) -> list[Row]:
    """Those that this run is about."""
    asked = [item.callspec.params.get("row") for item in request.session.items if hasattr(item, "callspec")]
    return sorted((row for row in ROWS if row in asked), key=lambda row: row.harmed != "hangs")


@pytest.fixture(scope="session")
def ours(rows: list[Row], fakes: Path) -> Iterator[dict[str, Future[dict[str, bool]]]]:
    """Our Channel on every fake, several at a time."""
    background = [row for row in rows if not row.contained and not row.alone]
    with ThreadPoolExecutor(6) as pool:
        yield {row.name: pool.submit(survive, row, build(row, fakes)) for row in background}


@pytest.fixture(scope="session")
def naive(rows: list[Row], fakes: Path, ours: dict[str, Future[dict[str, bool]]]) -> dict[str, Naive]:
    """The naive caller on every fake. Complete at once: while threads start programs, pytest must not go on to the
    next test and change the environment."""
    with ThreadPoolExecutor(4) as pool:
        started = {row.name: pool.submit(run_naive, row, build(row, fakes)) for row in rows if row.harmed}
    return {name: future.result() for name, future in started.items()}


def collect(channel: cf.Channel, count: int) -> tuple[cf.FrameArray, cf.DriverError | None]:
    """At least `count` frames, and whatever else comes in a tenth of a second."""
    parts, got, end = [np.empty(0, cf.FRAME_DTYPE)], 0, time.monotonic() + 20
    while time.monotonic() < end:
        try:
            part = channel.receive(timeout=0.02)
        except cf.ChannelClosedError:
            break
        except cf.DriverError as error:
            return np.concatenate(parts), error
        parts.append(part)
        got += len(part)
        if got >= count:
            end = min(end, time.monotonic() + 0.1)
    return np.concatenate(parts), None


@contextlib.contextmanager
def closing(ours: Ours) -> Iterator[None]:
    """Stop what is within, then close, watched by a second thread."""
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.01):
            ours.ticks += 1

    thread = threading.Thread(target=tick)
    begun = time.monotonic()
    thread.start()
    try:
        yield
        ours.channel.close()
    except cf.DriverError as error:
        ours.close_error = error
    ours.close_s = time.monotonic() - begun
    done.set()
    thread.join()


def survive(row: Row, path: Path) -> dict[str, bool]:
    """Run our Channel on the fake and judge every property."""
    if not row.opens:
        with pytest.raises(cf.DriverError, match="did not open") as caught:
            cf.Channel(path, row.text, **row.options)
        return {"opens": str(int(row.text.rpartition("=")[2])) in str(caught.value)}
    begun = time.monotonic()
    channel = cf.Channel(path, row.text, **row.options)
    held_back = row.count % 64 if "hang" in row.config else 0  # an unfinished chunk comes with the end
    frames, error = collect(channel, row.count + row.statuses - held_back)
    status = (frames["flags"] & cf.FrameFlag.STATUS) != 0
    get, statuses = frames[~status], frames[status]
    counts = ctypes.CDLL(str(path)).FakeCount
    ours = Ours(path, channel, get, statuses, time.monotonic() - begun, error, counts)
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
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_fake_is_survived(
    row: Row, fakes: Path, naive: dict[str, Naive], ours: dict[str, Future[dict[str, bool]]]
) -> None:
    cells = matrix.setdefault(row.name, {})
    if row.harmed:
        came_of_it = naive[row.name]
        for _ in range(3):  # it needs some luck with the scheduler, sometimes
            came_of_it = came_of_it if row.harm(came_of_it) else run_naive(row, build(row, fakes))
        assert row.harm(came_of_it), f"the fake does no harm: {str(came_of_it)[-1500:]}"
    if row.contained:
        cells["contained"] = "ok"
        return
    if row.alone:
        wait(ours.values())
    passed = survive(row, build(row, fakes)) if row.alone else ours[row.name].result()
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
    lines = [f"{'fake':26}  {'harm to a naive caller':34}  " + "  ".join(PROPERTIES) + "  and"]
    for row in ROWS:
        if cells := matrix.get(row.name):
            if "contained" in cells:
                given = "within its process: no; the doctor tells"
            else:
                given = "  ".join(f"{cells.get(name, '-'):{len(name)}}" for name in PROPERTIES)
                given += f"  {row.also}: {cells[row.also]}" if row.also and row.also in cells else ""
            lines.append(f"{row.name:26}  {row.harmed or '-':34}  {given}".rstrip())
    with capsys.disabled():
        print("\n\n" + "\n".join(lines))
    assert not [line for line in lines if "FAILED" in line]
