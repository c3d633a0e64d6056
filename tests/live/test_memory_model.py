"""Threads without locks under C11's memory model: litmus tests with known outcomes, then the live path's protocols."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from oracle import live_protocols
from oracle.litmus import litmus
from oracle.live_protocols import PROTOCOLS, Weakened
from oracle.memory_model import RACE, Thread, exchange, fence, load, outcomes, read, store, write

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it


def thread(*operations: Any) -> Thread:
    """A thread that does these, and returns what they read."""

    def steps() -> Generator[Any, Any, tuple[Any, ...]]:
        got = []
        for operation in operations:
            value = yield operation
            if operation.kind in ("load", "read", "exchange"):
                got.append(value)
        return tuple(got)

    return steps


def reads(*threads: Thread, **places: Any) -> set[Any]:
    """What the threads read, of all executions, in one row."""
    found = outcomes(list(threads), **places)
    return {o if o == RACE else tuple(value for part in o[:-1] for value in part) for o in found}


@pytest.mark.parametrize(
    ("written", "seen", "stale"),
    [
        (store("flag", 1, "release"), load("flag", "acquire"), False),
        (store("flag", 1, "release"), load("flag"), True),
        (store("flag", 1), load("flag", "acquire"), True),
        (exchange("flag", 1), load("flag", "acquire"), False),
    ],
)
def test_message_passing(written: Any, seen: Any, stale: bool) -> None:
    found = reads(thread(store("data", 1), written), thread(seen, load("data")), data=0, flag=0)
    seen_after = {row[-2:] for row in found}
    assert seen_after == {(0, 0), (0, 1), (1, 1)} | ({(1, 0)} if stale else set())


@pytest.mark.parametrize("kind", ["sc", "release and acquire"])
def test_message_passing_by_fences(kind: str) -> None:
    release, acquire = (fence(), fence()) if kind == "sc" else (fence("release"), fence("acquire"))
    found = reads(
        thread(store("data", 1), release, store("flag", 1)), thread(load("flag"), acquire, load("data")), data=0, flag=0
    )
    assert found == {(0, 0), (0, 1), (1, 1)}
    without = reads(
        thread(store("data", 1), store("flag", 1)), thread(load("flag"), acquire, load("data")), data=0, flag=0
    )
    assert (1, 0) in without


def test_plain_data_behind_a_flag() -> None:
    """The same with data that are not atomic: a race where nothing orders them."""
    for order, race in (("release", False), ("relaxed", True)):

        def taker() -> Generator[Any, Any, tuple[Any, ...]]:
            return ((yield read("data")),) if (yield load("flag", "acquire")) else ()

        assert (RACE in reads(thread(write("data", 1), store("flag", 1, order)), taker, data=0, flag=0)) is race


def test_a_release_sequence() -> None:
    """A read-modify-write between carries the first thread's view on; another thread's plain store does not."""
    publisher = thread(store("data", 1), store("flag", 1, "release"))
    taker = thread(load("flag", "acquire"), load("data"))
    assert (1, 2, 0) not in reads(publisher, thread(exchange("flag", 2, "relaxed")), taker, data=0, flag=0)
    assert (2, 0) in reads(publisher, thread(store("flag", 2)), taker, data=0, flag=0)


def test_store_buffering() -> None:
    """Release and acquire allow both threads to miss each other; fences in both do not, one does not do."""

    def run(first: tuple[Any, ...], second: tuple[Any, ...]) -> set[Any]:
        return reads(
            thread(store("x", 1, "release"), *first, load("y", "acquire")),
            thread(store("y", 1, "release"), *second, load("x", "acquire")),
            x=0,
            y=0,
        )

    assert run((), ()) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (0, 0) in run((fence(),), ())
    assert run((fence(),), (fence(),)) == {(0, 1), (1, 0), (1, 1)}
    assert (0, 0) in run((fence("release"),), (fence("acquire"),))


def test_load_buffering_is_not_modelled() -> None:
    """(1, 1): C11 forbids it with release and acquire; of relaxed operations it allows what the model does not show."""
    for before, order in (("acquire", "release"), ("relaxed", "relaxed")):
        found = reads(
            thread(load("x", before), store("y", 1, order)), thread(load("y", before), store("x", 1, order)), x=0, y=0
        )
        assert found == {(0, 0), (0, 1), (1, 0)}


def test_two_writes_twice() -> None:
    """2+2W: each location may end with the first write of its thread; fences forbid both at once."""
    for order in ("relaxed", "release"):
        for between, allowed in (((), True), ((fence(),), False)):
            found = outcomes(
                [
                    thread(store("x", 1, order), *between, store("y", 2, order)),
                    thread(store("y", 1, order), *between, store("x", 2, order)),
                ],
                x=0,
                y=0,
            )
            last = {tuple(value for _, value in outcome[-1]) for outcome in found}
            assert last - {(1, 1)} == {(1, 2), (2, 1), (2, 2)}
            assert ((1, 1) in last) is allowed


def test_coherence() -> None:
    """One location: nobody reads backwards, and all agree on the order of its writes."""
    found = reads(thread(store("x", 1), store("x", 2)), thread(load("x"), load("x")), x=0)
    assert found == {(a, b) for a in range(3) for b in range(3) if a <= b}
    looks = [thread(load("x"), load("x"))] * 2
    both = reads(thread(store("x", 1)), thread(store("x", 2)), *looks, x=0)
    assert (1, 2, 1, 2) in both
    assert (1, 2, 2, 1) not in both


def test_independent_reads_of_independent_writes() -> None:
    """IRIW: readers may disagree with acquire, not with fences between their loads."""
    for between, allowed in (((), True), ((fence(),), False)):
        found = reads(
            thread(store("x", 1, "release")),
            thread(store("y", 1, "release")),
            thread(load("x", "acquire"), *between, load("y", "acquire")),
            thread(load("y", "acquire"), *between, load("x", "acquire")),
            x=0,
            y=0,
        )
        assert ((1, 0, 1, 0) in found) is allowed


def test_exchanges_do_not_meet() -> None:
    found = reads(thread(exchange("x", 1)), thread(exchange("x", 2)), x=0)
    assert found == {(0, 1), (2, 0)}


def bad(protocol: Any, weak: Weakened) -> list[Any]:
    threads, places, wrong = protocol(weak)
    return [outcome for outcome in outcomes(threads, **places) if wrong(outcome)]


def names(protocol: Any) -> list[str]:
    weak = Weakened()
    bad(protocol, weak)
    return sorted(weak.names)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.__name__)
def test_a_protocol_holds(protocol: Any) -> None:
    assert bad(protocol, Weakened()) == []


@pytest.mark.parametrize(("protocol", "name"), [(p, n) for p in PROTOCOLS for n in names(p)])
def test_each_order_and_fence_is_needed(protocol: Any, name: str) -> None:
    assert bad(protocol, Weakened(name))


def test_there_is_no_protocol_without_its_test() -> None:
    made = {value for value in vars(live_protocols).values() if getattr(value, "__annotations__", {}).get("weak")}
    assert made == set(PROTOCOLS)


def herd7() -> list[str]:
    """The program, or the one that tests/live/herd7 fetched."""
    if found := shutil.which("herd7"):
        return [found]
    script = Path(__file__).with_name("herd7")
    if Path(os.environ.get("CANAL_FAST_HERD") or Path.home() / ".cache" / "canal-fast-herd").is_dir():
        return [str(script)]
    pytest.skip("NOT RUN: no herd7; tests/live/herd7 --setup fetches it")


def allowed(text: str, tmp_path: Path, model: str = "rc11.cat") -> bool:
    """Whether herd7 finds an execution that `exists` describes, or a race."""
    path = tmp_path / "test.litmus"
    path.write_text(text)
    done = subprocess.run([*herd7(), "-model", model, str(path)], capture_output=True, text=True, timeout=300)
    verdict = [line for line in done.stdout.splitlines() if line in ("Ok", "No", "Undef")]
    assert len(verdict) == 1, done.stdout + done.stderr
    return verdict != ["No"]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.__name__)
def test_herd7_says_the_same(protocol: Any, tmp_path: Path) -> None:
    """Of each protocol as it stands, and with each of its orders and fences weakened."""
    for name in [None, *names(protocol)]:
        weak = Weakened(name)
        assert allowed(litmus(protocol.__name__, protocol(weak)), tmp_path) is bool(bad(protocol, weak)), name


@pytest.mark.slow
def test_a_litmus_test_that_is_written_wrong_shows(tmp_path: Path) -> None:
    """herd7 judges what it is given: with the wrong ends left out it forbids all."""
    text = litmus("bell", live_protocols.bell(Weakened("fence of cf_consumer_arm")))
    assert allowed(text, tmp_path)
    assert not allowed(text.replace("0:end = 1", "0:end = 9"), tmp_path)
