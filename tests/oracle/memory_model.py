"""Every execution of a small program under C11's relaxed, release and acquire operations and fences.

View-based: each location keeps the history of its writes in modification order, each thread a view of it, a place in
each history below which it can no longer read or write. A release write carries its thread's view, an acquire read
takes it over; a relaxed write carries what the last release fence saw, a relaxed read keeps what it met for the next
acquire fence; sequentially consistent fences share one view. A write may go anywhere above the thread's view, a
read-modify-write right behind what it read. Views also hold how much of each thread happened before, so that plain
(not atomic) accesses that race are found: the outcome RACE.

Sources: C11 5.1.2.4 and 7.17.3; Lahav et al., Repairing Sequential Consistency in C/C++11 (2017); Kang et al., A
Promising Semantics for Relaxed-Memory Concurrency (2017), whose promises are left out: each read comes after the write
it reads, so load buffering (LB) of relaxed operations is not among the executions. What only LB would break is found as
a race where the data are plain, and else is not.

A thread is a generator: it yields operations, is sent what they read and returns its part of the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

RACE = "race"
Thread = Callable[[], Generator["Operation", Any, Any]]
View = tuple[Any, ...]  # for each location the identity of a write, for each thread a number of its operations


class Operation(NamedTuple):
    kind: str  # load, store, exchange, fence, read, write
    place: str = ""
    value: Any = None
    order: str = "relaxed"


def load(place: str, order: str = "relaxed") -> Operation:
    return Operation("load", place, None, order)


def store(place: str, value: Any, order: str = "relaxed") -> Operation:
    return Operation("store", place, value, order)


def exchange(place: str, value: Any, order: str = "acq_rel") -> Operation:
    return Operation("exchange", place, value, order)


def fence(order: str = "sc") -> Operation:
    return Operation("fence", order=order)


def read(place: str) -> Operation:
    """Plain, not atomic."""
    return Operation("read", place)


def write(place: str, value: Any) -> Operation:
    """Plain, not atomic."""
    return Operation("write", place, value)


class Write(NamedTuple):
    identity: tuple[int, int]  # thread, its operation
    value: Any
    view: View
    joined: bool = False  # a read-modify-write: nothing comes between it and the write before


class State(NamedTuple):
    sent: tuple[tuple[Any, ...], ...]  # to each thread so far
    memory: tuple[tuple[Write, ...], ...]
    views: tuple[tuple[View, View, View], ...]  # of each thread: now, at the next acquire fence, at the last release
    common: View  # of sequentially consistent fences
    plain: tuple[tuple[View, View], ...]  # for each location: last plain read and write of each thread


class Explorer:
    def __init__(self, threads: list[Thread], places: dict[str, Any]) -> None:
        self.threads, self.places = threads, list(places)
        count, zeros = len(threads), (0,) * len(threads)
        nothing: View = tuple((-1, 0) for _ in places) + zeros
        self.first = State(
            ((),) * count,
            tuple((Write((-1, 0), value, nothing),) for value in places.values()),
            ((nothing,) * 3,) * count,
            nothing,
            ((zeros, zeros),) * len(places),
        )

    def outcomes(self) -> set[Any]:
        """(what each thread returned, ..., {location: last value} as sorted items) of every execution; RACE."""
        found: set[Any] = set()
        met, todo = {self.first}, [self.first]
        while todo:
            state = todo.pop()
            ended = []
            for number in range(len(self.threads)):
                operation, result = self.at(number, state.sent[number])
                if operation is None:
                    ended.append(result)
                    continue
                for after in self.steps(state, number, operation):
                    if after is None:
                        found.add(RACE)
                    elif after not in met:
                        met.add(after)
                        todo.append(after)
            if len(ended) == len(self.threads):
                last = zip(self.places, state.memory, strict=True)
                found.add((*ended, tuple((place, writes[-1].value) for place, writes in last)))
        return found

    def at(self, number: int, sent: tuple[Any, ...]) -> tuple[Operation | None, Any]:
        """The thread's next operation, or None and what it returned."""
        thread = self.threads[number]()
        try:
            operation = next(thread)
            for value in sent:
                operation = thread.send(value)
        except StopIteration as end:
            return None, end.value
        return operation, None

    def join(self, memory: tuple[tuple[Write, ...], ...], a: View, b: View) -> View:
        if a == b:
            return a
        out = []
        for place, writes in enumerate(memory):
            later = a[place]
            if later != b[place]:
                later = [w.identity for w in writes if w.identity in (a[place], b[place])][-1]
            out.append(later)
        return (*out, *map(max, a[len(memory) :], b[len(memory) :]))

    def steps(self, state: State, number: int, operation: Operation) -> Iterator[State | None]:
        memory, places = state.memory, len(self.places)
        now, acquired, released = state.views[number]
        count = len(state.sent[number]) + 1
        tick = places + number
        now, acquired = ((*v[:tick], count, *v[tick + 1 :]) for v in (now, acquired))
        common, plain = state.common, state.plain

        def after(memory: tuple[tuple[Write, ...], ...], now: View, acquired: View, value: Any = None) -> State:
            sent = (*state.sent[:number], (*state.sent[number], value), *state.sent[number + 1 :])
            views = (*state.views[:number], (now, acquired, released), *state.views[number + 1 :])
            return State(sent, memory, views, common, plain)

        if operation.kind == "fence":
            if operation.order in ("acquire", "sc"):
                now = self.join(memory, now, acquired)
            if operation.order == "sc":
                now = common = self.join(memory, now, common)
                acquired = self.join(memory, acquired, now)
            if operation.order in ("release", "sc"):
                released = now
            yield after(memory, now, acquired)
            return

        place = self.places.index(operation.place)
        if operation.kind in ("read", "write"):
            reads, writes = state.plain[place]
            before = now[places:]
            others = [i for i in range(len(self.threads)) if i != number]
            wrong = any(writes[i] > before[i] for i in others)
            if wrong or (operation.kind == "write" and any(reads[i] > before[i] for i in others)):
                yield None
                return
            mark = lambda old: (*old[:number], count, *old[number + 1 :])  # noqa: E731
            entry = (mark(reads), writes) if operation.kind == "read" else (reads, mark(writes))
            plain = (*plain[:place], entry, *plain[place + 1 :])

        history = memory[place]
        lowest = next(i for i, w in enumerate(history) if w.identity == now[place])
        reading = operation.kind in ("load", "read", "exchange")
        for at in range(lowest, len(history)):
            view, later, value = now, acquired, None
            if reading:
                met = history[at]
                value = met.value
                view = (*view[:place], met.identity, *view[place + 1 :])
                later = self.join(memory, self.join(memory, later, view), met.view)
                if operation.order in ("acquire", "acq_rel"):
                    view = self.join(memory, view, met.view)
            if operation.kind in ("load", "read"):
                yield after(memory, view, later, value)
                continue
            if at + 1 < len(history) and history[at + 1].joined:
                continue
            identity = (number, count)
            longer = (*history[: at + 1], Write(identity, operation.value, ()), *history[at + 1 :])
            changed = (*memory[:place], longer, *memory[place + 1 :])
            view = (*view[:place], identity, *view[place + 1 :])
            later = self.join(changed, later, view)
            carried = view if operation.order in ("release", "acq_rel") else released
            carried = self.join(changed, carried, (*carried[:place], identity, *carried[place + 1 :]))
            if operation.kind == "exchange":  # goes on with the release sequence of what it read
                carried = self.join(changed, carried, history[at].view)
            made = Write(identity, operation.value, carried, operation.kind == "exchange")
            longer = (*history[: at + 1], made, *history[at + 1 :])
            yield after((*memory[:place], longer, *memory[place + 1 :]), view, later, value)


def outcomes(threads: list[Thread], **places: Any) -> set[Any]:
    """Every outcome of the threads, which begin with these values in memory."""
    return Explorer(threads, places).outcomes()
