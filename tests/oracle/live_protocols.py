"""The live path's protocols between threads, for memory_model.py: what each header's comment claims.

Each function makes a protocol's threads; `order(name, o)` gives the order of an operation and `fenced(name)` the
fence or none, so that a test weakens one at a time. Names are those of the headers. `wrong` tells an outcome that must
not be.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from . import memory_model as m

Steps = Generator[m.Operation, Any, Any]


class Protocol(NamedTuple):
    threads: list[m.Thread]
    places: dict[str, Any]
    wrong: Callable[[Any], bool]


class Weakened:
    """All orders as they stand, but for one name's. Knows which names there are."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.names: set[str] = set()

    def order(self, name: str, order: str) -> str:
        self.names.add(name)
        return "relaxed" if name == self.name else order

    def fence(self, name: str) -> Steps:
        self.names.add(name)
        if name != self.name:
            yield m.fence("sc")


def ring(weak: Weakened) -> Protocol:
    """ring.h: two records through one slot."""

    def producer() -> Steps:
        yield m.write("slot", 1)
        yield m.store("written", 1, weak.order("written: release by the producer", "release"))
        if (yield m.load("taken", weak.order("taken: acquire by the producer", "acquire"))) == 1:
            yield m.write("slot", 2)
            yield m.store("written", 2, weak.order("written: release by the producer", "release"))

    def consumer() -> Steps:
        got = []
        for count in (1, 2):
            if (yield m.load("written", weak.order("written: acquire by the consumer", "acquire"))) < count:
                break
            got.append((yield m.read("slot")))
            yield m.store("taken", count, weak.order("taken: release by the consumer", "release"))
        return tuple(got)

    places = {"slot": 0, "written": 0, "taken": 0}
    return Protocol([producer, consumer], places, lambda o: o == m.RACE or o[1] != (1, 2)[: len(o[1])])


def published_twice(orders: Weakened, number: str, words: tuple[str, str], publisher_is: str) -> Protocol:
    """Two words under a number that is odd while they change."""

    def publisher() -> Steps:
        for turn in (1, 2):
            yield m.store(number, 2 * turn - 1)
            yield from orders.fence(f"fence of the {publisher_is}")
            for word in words:
                yield m.store(word, turn)
            yield m.store(number, 2 * turn, orders.order(f"{number}: release by the {publisher_is}", "release"))

    def reader() -> Steps:
        before = yield m.load(number, orders.order(f"{number}: acquire by the reader", "acquire"))
        found = []
        for word in words:
            found.append((yield m.load(word)))
        yield from orders.fence("fence of the reader")
        if before % 2 or (yield m.load(number)) != before:
            return None  # once more
        return before // 2, *found

    def wrong(outcome: Any) -> bool:
        return outcome[1] is not None and len(set(outcome[1])) > 1

    return Protocol([publisher, reader], dict.fromkeys((number, *words), 0), wrong)


def ledger(weak: Weakened) -> Protocol:
    """ring.h, and clock_report.h alike: counters under a sequence number, published twice."""
    return published_twice(weak, "sequence", ("received", "dropped"), "publisher")


def filter_table(weak: Weakened) -> Protocol:
    """filter_table.h: filters change once, while two records are judged and taken.

    One word a row, and no fence weakened: that rows are whole is filter_rows(). Records are not in memory: that they
    are whole is ring().
    """

    def program() -> Steps:
        yield m.store("generation", 1)
        yield m.fence()
        yield m.store("can_id", 2)
        yield m.store("generation", 2, weak.order("generation: release by the program", "release"))
        taken = yield m.load("written", weak.order("written: acquire by the consumer", "acquire"))
        unjudged = taken
        if (yield m.load("applied", weak.order("applied: acquire by the consumer", "acquire"))) == 2:
            unjudged = min(taken, (yield m.load("from")))
        return taken, unjudged

    def reader() -> Steps:
        can_id, known, judged_by = 0, 0, []
        for index in (0, 1):
            generation = yield m.load("generation", weak.order("generation: acquire by the reader", "acquire"))
            if generation != known and generation % 2 == 0:
                found = yield m.load("can_id")
                yield m.fence()
                if (yield m.load("generation")) == generation:
                    can_id, known = found, generation
                    yield m.store("from", index)
                    yield m.store("applied", known, weak.order("applied: release by the reader", "release"))
            judged_by.append(can_id)
            yield m.store("written", index + 1, weak.order("written: release by the reader", "release"))
        return tuple(judged_by)

    def wrong(outcome: Any) -> bool:
        (taken, unjudged), judged_by = outcome[:2]
        return any(judged_by[index] != (0 if index < unjudged else 2) for index in range(taken))

    places = {"generation": 0, "can_id": 0, "applied": 0, "from": 0, "written": 0}
    return Protocol([program, reader], places, wrong)


def filter_rows(weak: Weakened) -> Protocol:
    """filter_table.h: filters change twice while the reader takes them over."""
    return published_twice(weak, "generation", ("can_id", "can_mask"), "program")


def asleep_unwoken(outcome: Any) -> bool:
    return outcome == m.RACE or outcome[:2] == ("quiet", "asleep")


def bell(weak: Weakened) -> Protocol:
    """consumer.h: cf_consumer_arm and cf_consumer_notify."""

    def reader() -> Steps:
        yield m.store("written", 1, "release")
        yield from weak.fence("fence of cf_consumer_notify")
        if (yield m.load("alarm")):
            yield m.exchange("alarm", 0)
            return "rings"
        return "quiet"

    def consumer() -> Steps:
        yield m.store("alarm", 1)
        yield from weak.fence("fence of cf_consumer_arm")
        return "asleep" if (yield m.load("written", "acquire")) == 0 else "awake"

    return Protocol([reader, consumer], {"written": 0, "alarm": 0}, asleep_unwoken)


def room(weak: Weakened) -> Protocol:
    """consumer.h: cf_consumer_take_locked and cf_consumer_await_room in two processes, which share no lock."""

    def consumer() -> Steps:
        yield m.store("taken", 1, "release")
        yield from weak.fence("fence of cf_consumer_take_locked")
        if (yield m.load("full")):
            yield m.exchange("full", 0)
            return "rings"
        return "quiet"

    def reader() -> Steps:
        yield m.store("full", 1)
        yield from weak.fence("fence of cf_consumer_await_room")
        return "asleep" if (yield m.load("taken", "acquire")) == 0 else "awake"

    return Protocol([consumer, reader], {"taken": 0, "full": 0}, asleep_unwoken)


def call(weak: Weakened) -> Protocol:
    """host_link.h and host.h: one call, its answer, and who sleeps meanwhile."""

    def caller() -> Steps:
        yield m.write("question", 7)
        yield m.store("written", 1, weak.order("written: release by the caller", "release"))
        yield from weak.fence("fence of cf_link_call")
        rings = (yield m.load("host_waits")) and (yield m.exchange("host_waits", 0))
        yield m.store("caller_waits", 1)
        yield from weak.fence("fence of cf_link_await")
        answer = None
        if (yield m.load("taken", weak.order("taken: acquire by the caller", "acquire"))):
            answer = yield m.read("answer")
        return bool(rings), answer

    def host() -> Steps:
        yield m.store("host_waits", 1)
        yield from weak.fence("fence of cf_host_serve before it sleeps")
        if not (yield m.load("written", weak.order("written: acquire by the host", "acquire"))):
            return "asleep"
        yield m.write("answer", (yield m.read("question")) + 1)
        yield m.store("taken", 1, weak.order("taken: release by the host", "release"))
        yield from weak.fence("fence of cf_host_serve after an answer")
        rings = (yield m.load("caller_waits")) and (yield m.exchange("caller_waits", 0))
        return "rings" if rings else "quiet"

    def wrong(outcome: Any) -> bool:
        if outcome == m.RACE:
            return True
        (rung, answer), host_is = outcome[:2]
        return (host_is == "asleep" and not rung) or (host_is == "quiet" and answer != 8) or answer not in (None, 8)

    places = {"question": 0, "answer": 0, "written": 0, "taken": 0, "host_waits": 0, "caller_waits": 0}
    return Protocol([caller, host], places, wrong)


def failure(weak: Weakened) -> Protocol:
    """consumer.h: how the reader failed, told by `state`."""

    def reader() -> Steps:
        yield m.write("failure", 29)
        yield m.store("state", 2, weak.order("state: release by the reader", "release"))

    def consumer() -> Steps:
        if (yield m.load("state", weak.order("state: acquire by the consumer", "acquire"))) == 2:
            return (yield m.read("failure"))
        return 29

    return Protocol([reader, consumer], {"failure": 0, "state": 0}, lambda o: o == m.RACE or o[1] != 29)


def presence(weak: Weakened) -> Protocol:
    """watch.h: in which call the reader is, and what it had counted by then, for who gives it up."""
    steps = {"cf_presence_go": 1, "cf_presence_again": 3, "cf_presence_back": 4}  # and what `goings` is then

    def reader() -> Steps:
        yield m.store("where", 5)
        for step, goings in steps.items():
            yield m.write(f"counted_{goings}", 1)
            yield m.store("goings", goings, weak.order(f"goings: release by {step}", "release"))

    def watcher() -> Steps:
        seen = yield m.load("goings", weak.order("goings: acquire by who gives it up", "acquire"))
        for goings in steps.values():
            if goings <= seen:
                yield m.read(f"counted_{goings}")
        return seen == 0 or (yield m.load("where")) == 5

    places = {"where": 0, "goings": 0} | {f"counted_{goings}": 0 for goings in steps.values()}
    return Protocol([reader, watcher], places, lambda o: o == m.RACE or not o[1])


PROTOCOLS = (ring, ledger, filter_table, filter_rows, bell, room, call, failure, presence)
