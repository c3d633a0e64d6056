"""A CAN bus bit by bit, from the rules of ISO 11898-1:2015 (clauses 10 to 12) and Bosch CAN 2.0 B.

Each node is a coroutine: it yields the level that it drives in the next bit and is sent the level that it samples.
0 is dominant, 1 recessive. Slow on purpose; imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, NamedTuple

from .wire_oracle import CRC15, CRC17, CRC21, FD_LENGTHS, Frame, crc, header, number_to_bits

Steps = Generator[int, int, Any]
ACTIVE, WARNING, PASSIVE, OFF = range(4)


class Trouble(Exception):
    """An error of the kind named, found at the sample of a bit."""


class Lost(Exception):
    """Integration is needed: protocol exception, or an error of a node that sends no flags."""


class Overload(Exception):
    """An overload condition."""


class Request(NamedTuple):
    frame: Frame
    bit: int = 0
    """The first bit that may be its SOF."""
    one_shot: bool = False
    own: bool = False
    """Self reception."""


class Node:
    """One controller. `fd`: enabled, tolerant (a recessive FDF is a protocol exception) or classical (ignores it)."""

    def __init__(
        self,
        tec: int = 0,
        rec: int = 0,
        *,
        mode: str = "normal",
        fd: str = "enabled",
        ack_bits: int = 1,
        exception: bool = True,
        automatic: bool = True,
        by_priority: bool = True,
        idle: bool = True,
        queue: Iterable[Request] = (),
    ) -> None:
        self.tec, self.rec, self.mode, self.fd = tec, rec, mode, fd
        self.ack_bits, self.exception, self.automatic, self.by_priority = ack_bits, exception, automatic, by_priority
        self.queue = list(queue)
        self.sent: list[tuple[int, Frame]] = []
        self.received: list[tuple[int, Frame]] = []
        self.events: list[tuple[int, str, str, int, int, int]] = []
        self.now = -1  # bit that is about to be sampled, or was last
        self.place = ("idle" if idle else "integrating", 1)
        self.request: Request | None = None
        self.transmitter = False
        self.esi = 0  # as sent
        self.recover = automatic  # 11 recessive bits count while off
        self.off = False
        self.fast = False  # the coming bit is at the data rate
        self.before_res = False  # a receiver's coming bit is the one behind a recessive FDF
        self.ones = 0  # recessive bits of the eleven
        self.life = self.live(self.integrate if not idle else self.idle)
        self.drive = next(self.life)

    def step(self, level: int, bit: int) -> None:
        """Samples `level` in bit number `bit`."""
        self.now = bit
        self.drive = self.life.send(level)

    # what other functions tell

    def note(self, what: str) -> None:
        self.events.append((self.now, what, *self.place, self.tec, self.rec))

    @property
    def state(self) -> int:
        if self.off:
            return OFF
        worst = max(self.tec, self.rec)
        return PASSIVE if worst >= 128 else WARNING if worst >= 96 else ACTIVE

    @property
    def counting(self) -> bool:
        return self.mode in ("normal", "self_test")

    def add(self, tec: int = 0, rec: int = 0) -> None:
        """Rules a to h; REC goes on counting up to 255."""
        self.tec, self.rec = max(self.tec + tec, 0), min(self.rec + rec, 255)

    def error_in_flag(self) -> None:
        self.add(tec=8) if self.transmitter else self.add(rec=8)

    # the states; each returns the next one

    def live(self, state: Callable[[], Steps]) -> Steps:
        while True:
            try:
                state = yield from state()
            except Trouble as trouble:
                self.fast = self.before_res = False
                state = self.after_error(str(trouble))
            except Overload:
                state = self.overload if self.counting else self.integrate
            except Lost:
                self.before_res = False
                self.request = None
                state = self.integrate
            if self.tec >= 256 and not self.off:
                state = self.go_off

    def at(self, field: str, index: int, drive: int = 1) -> Steps:
        self.place = (field, index)
        return (yield drive)

    def integrate(self) -> Steps:
        self.transmitter = False
        yield from self.eleven("integrating")
        self.note("integrated")
        return self.idle

    def eleven(self, field: str) -> Steps:
        self.ones = 0
        while self.ones < 11:
            level = yield from self.at(field, self.ones + 1)
            self.ones = self.ones + 1 if level else 0

    def go_off(self) -> Steps:
        self.off, self.transmitter, self.request, self.recover = True, False, None, self.automatic
        self.note("bus_off")
        if not self.automatic:  # the controller is reset, and its requests with it
            self.queue = [r for r in self.queue if r.bit > self.now]
        count = sequences = 0
        while sequences < 128:
            level = yield from self.at("bus_off", count + 1)
            count = count + 1 if level and self.recover else 0
            if count == 11:
                sequences, count = sequences + 1, 0
        self.tec = self.rec = 0
        self.off = False
        self.note("recovered")
        return self.idle

    def next_request(self) -> Request | None:
        """The one to send from the next bit on, if there is one."""
        if self.mode in ("listen_only", "restricted"):
            return None
        ready = [r for r in self.queue if r.bit <= self.now + 1]
        if not ready:
            return None
        return min(ready, key=self.rank) if self.by_priority else ready[0]

    @staticmethod
    def rank(request: Request) -> list[int]:
        """The arbitration field."""
        f = request.frame
        bits = number_to_bits(f.arbitration_id, 29 if f.extended else 11)
        return bits[:11] + ([1, 1] + bits[11:] if f.extended else [int(f.remote), 0]) + [int(f.remote)]

    def idle(self) -> Steps:
        while True:
            if (request := self.next_request()) is not None:
                return lambda: self.frame(request)
            if not (yield from self.at("idle", 1)):
                return self.foreign_start

    def foreign_start(self, join: bool = False) -> Steps:
        """SOF was seen and not sent."""
        self.place = ("sof", 1)
        return self.frame(self.next_request() if join else None, seen=True)

    def intermission(self) -> Steps:
        for index in (1, 2):
            if not (yield from self.at("intermission", index)):
                raise Overload
        suspended = self.transmitter and self.state == PASSIVE
        if not (yield from self.at("intermission", 3)):
            return lambda: self.foreign_start(join=not suspended)
        return self.suspend if suspended else self.idle

    def suspend(self) -> Steps:
        for index in range(1, 9):
            if not (yield from self.at("suspend", index)):
                return self.foreign_start
        return self.idle

    # flags and delimiters

    def after_error(self, kind: str) -> Callable[[], Steps]:
        passive = self.state == PASSIVE
        if not self.counting:
            self.note(kind)
            return self.integrate
        late = kind == "ack_error" and passive
        if self.transmitter:
            self.add(tec=0 if late or kind == "stuff_error in arbitration" else 8)
        else:
            self.add(rec=1)
        self.note(kind.partition(" ")[0])
        self.abandon_one_shot()
        return (lambda: self.passive_flag(late)) if passive else self.active_flag

    def abandon_one_shot(self) -> None:
        if self.request is not None and self.request.one_shot:
            self.queue.remove(self.request)
            self.note("abandoned")
        self.request = None

    def flag_disturbed(self) -> Callable[[], Steps]:
        """Rules d and e: a bit error in an active error or overload flag."""
        passive = self.state == PASSIVE
        self.error_in_flag()
        self.note("bit_error")
        return (lambda: self.passive_flag(False)) if passive else self.active_flag

    def active_flag(self) -> Steps:
        for index in range(1, 7):
            if (yield from self.at("active_flag", index, 0)):
                return self.flag_disturbed()
        return lambda: self.wait("flag_end", not self.transmitter)

    def overload(self) -> Steps:
        self.note("overload")
        for index in range(1, 7):
            if (yield from self.at("overload_flag", index, 0)):
                return self.flag_disturbed()
        return lambda: self.wait("overload_end", False)

    def passive_flag(self, late: bool) -> Steps:
        """Complete after six equal bits. `late`: the 8 of an ACK error wait for a dominant bit."""
        run, last = 0, -1
        while run < 6:
            level = yield from self.at("passive_flag", run + 1)
            run = run + 1 if level == last else 1
            last = level
            if late and not level:
                late = False
                self.add(tec=8)
                self.note("dominant")
                if self.tec >= 256:
                    return self.go_off
        return lambda: self.wait("flag_end", not self.transmitter)

    def wait(self, field: str, rule_b: bool) -> Steps:
        """Recessive until the first recessive bit, which is the delimiter's first."""
        dominant = 0
        while not (yield from self.at(field, dominant + 1)):
            dominant += 1
            if dominant == 1 and rule_b:
                self.add(rec=8)
                self.note("dominant")
            if dominant % 8 == 0:
                self.error_in_flag()
                self.note("dominant")
                if self.tec >= 256:
                    return self.go_off
        kind = "delimiter" if field == "flag_end" else "overload_delimiter"
        for index in range(2, 8):
            if not (yield from self.at(kind, index)):
                raise Trouble("form_error")
        if not (yield from self.at(kind, 8)):
            raise Overload
        return self.intermission

    # a frame

    def frame(self, request: Request | None, seen: bool = False) -> Steps:
        self.request = request
        self.transmitter = request is not None
        self.plain: list[int] = []  # unstuffed
        self.raw: list[int] = []  # with stuff bits
        self.run = self.stuffed = 0
        self.to_send: list[int] = []
        if request is not None:
            self.to_send = [b for _, bits in header(request.frame) for b in bits]
            f = request.frame
            if f.fd:  # an error passive sender says so
                at = len(self.to_send) - 5
                self.esi = self.to_send[at] = int(f.esi or self.state == PASSIVE)
            self.to_send += [b for byte in f.data[: f.size()] for b in number_to_bits(byte, 8)]
        if seen:
            self.accept(0)
            self.plain.append(0)
        else:
            yield from self.take("sof", 1)
        self.note("start")
        return (yield from self.after_start())

    def accept(self, level: int) -> None:
        """A bit of the stuffed region."""
        self.run = self.run + 1 if self.raw and self.raw[-1] == level else 1
        self.raw.append(level)

    def take(self, field: str, index: int, arbitration: bool = False) -> Steps:
        """One bit of the stuffed region, with the stuff bit after it when one is due."""
        sent = self.to_send[len(self.plain)] if self.transmitter else 1
        level = yield from self.at(field, index, sent)
        if self.transmitter and level != sent:
            if sent == 0 or not arbitration:
                raise Trouble("bit_error")
            self.transmitter = False
            self.note("arbitration_lost")
            self.abandon_one_shot()
        self.accept(level)
        self.plain.append(level)
        return level

    def stuff_bit(self, arbitration: bool = False) -> Steps:
        if self.run < 5:
            return
        due = 1 - self.raw[-1]
        level = yield from self.at(self.place[0], self.place[1], due if self.transmitter else 1)
        if level != due:
            if self.transmitter and not (arbitration and due == 1):
                raise Trouble("bit_error")
            raise Trouble("stuff_error in arbitration" if self.transmitter else "stuff_error")
        self.accept(level)
        self.stuffed += 1

    def number(self, field: str, width: int, first: int = 1) -> Steps:
        arbitration = field in ("id", "id_extension")
        value = 0
        for index in range(first, first + width):
            value = value << 1 | (yield from self.take(field, index, arbitration))
            if index < first + width - 1 or field not in ("dlc", "data", "crc"):
                yield from self.stuff_bit(arbitration)
        return value

    def flag(self, field: str, arbitration: bool = False) -> Steps:
        """A field of one bit; a stuff bit behind the last bit of arbitration is not in it."""
        level = yield from self.take(field, 1, arbitration)
        yield from self.stuff_bit(field == "srr" or (field == "ide" and arbitration))
        return level

    def after_start(self) -> Steps:
        yield from self.stuff_bit()
        identifier = yield from self.number("id", 11)
        remote = yield from self.rtr()
        sends_extended = self.request is not None and self.request.frame.extended
        extended = yield from self.flag("ide", arbitration=sends_extended)
        if extended:
            identifier = identifier << 18 | (yield from self.number("id_extension", 18))
            remote = yield from self.flag("rtr_extended", arbitration=True)
        flexible = yield from self.take("fdf", 1)
        self.before_res = bool(flexible) and self.fd == "enabled" and not self.transmitter
        if flexible and self.fd == "tolerant":
            self.note("protocol_exception")
            raise Lost
        yield from self.stuff_bit()
        if flexible and self.fd == "enabled":
            return (yield from self.rest_of_fd(identifier, extended))
        if extended:
            yield from self.flag("res")
        dlc = yield from self.number("dlc", 4)
        return (yield from self.rest_of_classical(identifier, extended, remote, dlc))

    def rtr(self) -> Steps:
        """The bit after the first eleven identifier bits: RTR, SRR or RRS."""
        sends_extended = self.request is not None and self.transmitter and self.request.frame.extended
        level = yield from self.take("rtr", 1, True)
        yield from self.stuff_bit(sends_extended)
        return level

    def data(self, size: int, stuffed_end: bool) -> Steps:
        """`size` bytes behind a DLC whose stuff bit is still to come."""
        out = []
        for index in range(size):
            yield from self.stuff_bit()
            out.append((yield from self.number("data", 8, 8 * index + 1)))
        if stuffed_end:
            yield from self.stuff_bit()
        return bytes(out)

    def rest_of_classical(self, identifier: int, extended: int, remote: int, dlc: int) -> Steps:
        data = yield from self.data(0 if remote else min(dlc, 8), True)
        expected = crc(self.plain, *CRC15)
        self.to_send += number_to_bits(expected, 15)
        received = yield from self.number("crc", 15)
        yield from self.stuff_bit()
        frame = Frame(identifier, bool(extended), bool(remote), False, False, False, dlc, data)
        return (yield from self.tail(frame, received == expected))

    def rest_of_fd(self, identifier: int, extended: int) -> Steps:
        reserved = yield from self.take("res", 1)
        self.before_res = False
        if reserved:
            if not self.exception or self.transmitter:
                raise Trouble("form_error")
            self.note("protocol_exception")
            raise Lost
        yield from self.stuff_bit()
        brs = yield from self.take("brs", 1)
        self.fast = bool(brs)
        yield from self.stuff_bit()
        esi = yield from self.flag("esi")
        dlc = yield from self.number("dlc", 4)
        data = yield from self.data(FD_LENGTHS[dlc], False)
        gray = (self.stuffed % 8) ^ (self.stuffed % 8 >> 1)
        count = number_to_bits(gray, 3)
        count.append(sum(count) % 2)
        kind = CRC17 if FD_LENGTHS[dlc] <= 16 else CRC21
        last = self.raw[-1]
        sequence: list[int] = []
        expected = list(count)
        for index in range(4 + kind[0]):
            name, place = ("stuff_count", index + 1) if index < 4 else ("crc", index - 3)
            if index == 4:
                expected += number_to_bits(crc(self.raw + sequence, *kind), kind[0])
            if index % 4 == 0:
                level = yield from self.at(name, place, 1 - last if self.transmitter else 1)
                if level == last:
                    raise Trouble("bit_error" if self.transmitter else "form_error")
            sent = expected[index] if self.transmitter else 1
            last = yield from self.at(name, place, sent)
            if self.transmitter and last != sent:
                raise Trouble("bit_error")
            sequence.append(last)
        frame = Frame(identifier, bool(extended), False, True, bool(brs), bool(esi), dlc, data)
        return (yield from self.tail(frame, sequence == expected))

    def tail(self, frame: Frame, good: bool) -> Steps:
        """CRC delimiter to the last EOF bit."""
        level = yield from self.at("crc_delimiter", 1)
        self.fast = False
        if not level:
            raise Trouble("form_error")
        if self.transmitter:
            yield from self.await_ack(frame)
        elif not good:
            for index in range(3 if frame.fd else 2):
                last = index == 1 + frame.fd
                yield from self.at("ack_delimiter" if last else "ack_slot", 1 if last else index + 1)
            raise Trouble("crc_error")
        else:
            yield from self.acknowledge(frame)
        for index in range(1, 8):
            if not (yield from self.at("end_of_frame", index)):
                if index < 7 or self.transmitter:
                    raise Trouble("form_error")
                raise Overload
            if index == 6 and not self.transmitter:
                self.received.append((self.now, frame))
                self.note("received")
        if self.transmitter:
            self.finish()
        return self.intermission

    def finish(self) -> None:
        request, self.request = self.request, None
        assert request is not None
        self.queue.remove(request)
        self.add(tec=-1)
        frame = request.frame._replace(esi=bool(self.esi)) if request.frame.fd else request.frame
        self.sent.append((self.now, frame))
        self.note("sent")
        if request.own:
            self.received.append((self.now, frame))

    def await_ack(self, frame: Frame) -> Steps:
        got = not (yield from self.at("ack_slot", 1))
        second = 0
        if frame.fd:
            second = yield from self.at("ack_slot", 2)
            got = got or not second  # one of a receiver that came later
        if not got and self.mode != "self_test":
            raise Trouble("ack_error")
        if self.ack_bits == 1 and second:  # that was the delimiter
            return
        if not (yield from self.at("ack_delimiter", 1)):
            raise Trouble("form_error")

    def acknowledge(self, frame: Frame) -> Steps:
        sends = self.mode != "listen_only"
        level = yield from self.at("ack_slot", 1, 0 if sends else 1)
        if sends and level:
            raise Trouble("bit_error")
        if self.counting:
            self.rec = 127 if self.rec > 127 else max(self.rec - 1, 0)
            self.note("acknowledged")
        if frame.fd:
            second = yield from self.at("ack_slot", 2)
            if self.ack_bits == 1 and second:  # that was the ACK delimiter
                return
        if not (yield from self.at("ack_delimiter", 1)):
            raise Trouble("form_error")


class Run(NamedTuple):
    bits: list[int]
    driven: list[list[int]]


Force = Callable[..., int]
"""(bit, node, level, driven) -> the level that the node samples, or drives; node -1: the level on the bus."""


def simulate(nodes: list[Node], count: int, force: Force, recover: Mapping[int, list[int]]) -> Run:
    """`count` bits of a bus; `recover`: the bits in which nodes are asked to come back from bus off."""
    run = Run([], [[] for _ in nodes])
    for bit in range(count):
        for number in recover.get(bit, ()):
            nodes[number].recover = True
        levels = [force(bit, number, node.drive, True) for number, node in enumerate(nodes)]
        for driven, level in zip(run.driven, levels, strict=True):
            driven.append(level)
        run.bits.append(force(bit, -1, min([1, *levels])))
        for number, node in enumerate(nodes):
            node.step(force(bit, number, run.bits[-1]), bit)
    return run
