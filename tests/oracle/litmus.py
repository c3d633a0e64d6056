"""A protocol of live_protocols.py as a C litmus test, which herd7 judges by the RC11 model: a second opinion.

A thread becomes a tree: a read branches where what follows depends on the value read, and each leaf puts its number
into `end`. `exists` names the leaves, and the values read on the way, that the protocol calls wrong; races of plain
accesses herd7 finds itself ("Undef").

Sources: herd7's manual, C litmus tests; Lahav et al., Repairing Sequential Consistency in C/C++11 (2017).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from .live_protocols import Protocol
from .memory_model import Operation, Thread

ORDERS = {order: f"memory_order_{order}" for order in ("relaxed", "acquire", "release", "acq_rel")}
ORDERS["sc"] = "memory_order_seq_cst"


class Node(NamedTuple):
    """What a thread does next, and then, by the value read; operation None: it ends with `result`."""

    operation: Operation | None
    after: dict[Any, Node]
    result: Any = None

    def shape(self) -> Any:
        """All but the results: values after which a thread does the same need no branch."""
        return self.operation, tuple(node.shape() for node in self.after.values())


class Values(dict[str, list[Any]]):
    """What each place may hold; herd7 knows integers only, so a value is its number here."""

    def number(self, place: str, value: Any) -> int:
        known = self.setdefault(place, [])
        if value not in known:
            known.append(value)
        return known.index(value)


def tree(thread: Thread, values: Values, sent: tuple[Any, ...] = ()) -> Node:
    running = thread()
    try:
        operation = next(running)
        for value in sent:
            operation = running.send(value)
    except StopIteration as end:
        return Node(None, {}, end.value)
    if operation.kind in ("store", "write", "exchange"):
        values.number(operation.place, operation.value)
    found = values[operation.place] if operation.kind in ("load", "read", "exchange") else [None]
    return Node(operation, {value: tree(thread, values, (*sent, value)) for value in list(found)})


def groups(node: Node) -> list[list[Any]]:
    """Values read after which the thread does the same; the largest group last."""
    found: dict[Any, list[Any]] = {}
    for value, after in node.after.items():
        found.setdefault(after.shape(), []).append(value)
    return sorted(found.values(), key=len)


class Text:
    """A thread's text, and with which reads each result ends."""

    def __init__(self, number: int, root: Node, values: Values) -> None:
        self.number, self.values = number, values
        self.ends: list[tuple[str, Any]] = []
        self.lines = ["  int end = 0;"]
        self.leaves = 0
        self.write([(root, "")], 0, "  ")

    def write(self, nodes: list[tuple[Node, str]], depth: int, indent: str) -> None:
        """The common text of nodes of one shape, each with the condition of having got there."""
        operation = nodes[0][0].operation
        if operation is None:
            self.leaves += 1
            self.lines.append(f"{indent}end = {self.leaves};")
            self.ends += [(f"{self.number}:end = {self.leaves}{way}", node.result) for node, way in nodes]
            return
        register, place = f"r{depth}", operation.place
        self.lines.append(indent + self.statement(operation, register))
        *branches, rest = groups(nodes[0][0])
        for value in itertools.chain(*branches):
            self.lines.append(f"{indent}if ({register} == {self.values.number(place, value)}) {{")
            self.write([(node.after[value], way) for node, way in nodes], depth + 1, indent + "  ")
            self.lines.append(f"{indent}}} else {{")
            indent += "  "
        ways = []
        for node, way in nodes:
            for value in rest:
                if len(rest) > 1:
                    read = f" /\\ {self.number}:{register} = {self.values.number(place, value)}"
                ways.append((node.after[value], way + (read if len(rest) > 1 else "")))
        self.write(ways, depth + 1, indent)
        for _ in itertools.chain(*branches):
            indent = indent[2:]
            self.lines.append(f"{indent}}}")

    def statement(self, operation: Operation, register: str) -> str:
        kind, place, value, order = operation
        written = self.values.number(place, value) if kind in ("store", "write", "exchange") else None
        return {
            "load": f"int {register} = atomic_load_explicit({place}, {ORDERS[order]});",
            "store": f"atomic_store_explicit({place}, {written}, {ORDERS[order]});",
            "exchange": f"int {register} = atomic_exchange_explicit({place}, {written}, {ORDERS[order]});",
            "fence": f"atomic_thread_fence({ORDERS[order]});",
            "read": f"int {register} = *{place};",
            "write": f"*{place} = {written};",
        }[kind]


def plain(node: Node) -> Iterator[str]:
    if node.operation and node.operation.kind in ("read", "write"):
        yield node.operation.place
    for after in node.after.values():
        yield from plain(after)


def litmus(name: str, protocol: Protocol) -> str:
    """The whole text of the test."""
    values = Values()
    for place, value in protocol.places.items():
        values.number(place, value)
    known = 0
    while known != (known := sum(map(len, values.values()))):  # until no thread writes anything new
        trees = [tree(thread, values) for thread in protocol.threads]
    texts = [Text(number, root, values) for number, root in enumerate(trees)]
    not_atomic = set(itertools.chain(*map(plain, trees)))
    places = ", ".join(f"{'int' if place in not_atomic else 'atomic_int'}* {place}" for place in values)
    threads = ["\n".join([f"P{number} ({places}) {{", *text.lines, "}"]) for number, text in enumerate(texts)]
    wrong = [
        " /\\ ".join(way for way, _ in ends)
        for ends in itertools.product(*(text.ends for text in texts))
        if protocol.wrong(tuple(result for _, result in ends))
    ]
    exists = " \\/ ".join(wrong)
    start = " ".join(f"{place} = 0;" for place in values)
    return "\n\n".join([f"C {name}", f"{{ {start} }}", *threads, f"exists ({exists})\n"])
