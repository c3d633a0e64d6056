"""One bit timing of classical CAN, or of one phase of CAN FD, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from canal_fast.errors import BitTimingError

from . import _bittiming
from .margins import Margin, margin
from .numbers import DEFAULT_LOOP_DELAY_NS, Number, exact, propagation_ns, whole
from .usb2can import CLOCK, serial_number

if TYPE_CHECKING:
    import can

__all__ = ["BitTiming", "Segments", "Tolerance"]


class Segments(NamedTuple):
    """The parts of a bit in time quanta; the sample is taken after `phase_seg1`.

    Examples
    --------
    >>> cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2).segments
    Segments(sync_seg=1, prop_seg=11, phase_seg1=2, phase_seg2=2)
    """

    sync_seg: int
    prop_seg: int
    phase_seg1: int
    phase_seg2: int


class Tolerance(float):
    """What `BitTiming.oscillator_tolerance_ppm` gives: ppm (a float), and how they came about.

    Attributes
    ----------
    conditions : mapping of str to Fraction
        Each condition's own limit as a fraction of the frequency.
    binding : str
        The condition that sets the limit.

    Examples
    --------
    >>> tolerance = cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2).oscillator_tolerance_ppm()
    >>> float(tolerance), tolerance.binding
    (3125.0, '1: resynchronisation')
    """

    conditions: Mapping[str, Fraction]
    binding: str

    @classmethod
    def of(cls, conditions: Mapping[str, Fraction]) -> Tolerance:
        binding = min(conditions, key=conditions.__getitem__)
        tolerance = cls(max(Fraction(0), conditions[binding] * 1_000_000))
        tolerance.conditions = conditions
        tolerance.binding = binding
        return tolerance


class _Fields(NamedTuple):
    f_clock: int
    brp: int
    tseg1: int
    tseg2: int
    sjw: int
    nof_samples: int = 1
    prop_seg: int | None = None


class BitTiming(_Fields):
    """A bit timing: immutable, hashable, compared by its fields.

    Parameters
    ----------
    f_clock : int
        Clock of the CAN core in Hz, 1..4,294,967,295.
    brp : int
        Prescaler; a time quantum is brp / f_clock.
    tseg1 : int
        Quanta from the end of the sync segment (1 quantum) to the sample point.
    tseg2 : int
        Quanta from the sample point to the end of the bit.
    sjw : int
        Synchronisation jump width in quanta, at most the shorter phase segment (ISO 11898-1:2015, 11.3.1).
    nof_samples : int
        1, or 3: two more samples, *before* the sample point.
    prop_seg : int, optional
        Quanta of `tseg1` that make up for propagation. Without it phase segment 1 is taken to be
        min(tseg2, tseg1 - 1), at least 1, and the rest propagation.

    Raises
    ------
    BitTimingError
        A field out of range, or a jump width longer than a phase segment.

    Examples
    --------
    >>> timing = cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2)
    >>> timing.bitrate, timing.sample_point, timing.nbt
    (500000.0, 87.5, 16)
    >>> hex(timing.btr0), hex(timing.btr1)
    ('0x3', '0x1c')
    >>> float(timing.oscillator_tolerance_ppm())
    3125.0
    """

    __slots__ = ()

    def __new__(
        cls,
        f_clock: int,
        brp: int,
        tseg1: int,
        tseg2: int,
        sjw: int = 1,
        nof_samples: int = 1,
        prop_seg: int | None = None,
    ) -> Self:
        self = super().__new__(
            cls,
            whole("f_clock", f_clock, 1, 2**32 - 1),
            whole("brp", brp, 1, _bittiming.MAX_BRP),
            whole("tseg1", tseg1, 1, _bittiming.MAX_SEGMENT),
            whole("tseg2", tseg2, 1, _bittiming.MAX_SEGMENT),
            whole("sjw", sjw, 1, _bittiming.MAX_SEGMENT),
            whole("nof_samples", nof_samples, 1, 3),
            None if prop_seg is None else whole("prop_seg", prop_seg, 0, tseg1 - 1),
        )
        if nof_samples == 2:
            raise BitTimingError("nof_samples = 2, allowed 1 and 3")
        if sjw > min(self.phase_seg1, self.phase_seg2):
            raise BitTimingError(
                f"sjw = {sjw}, allowed 1..{min(self.phase_seg1, self.phase_seg2)}: it must fit into phase segment 1 "
                f"({self.phase_seg1}) and phase segment 2 ({self.phase_seg2}); a smaller prop_seg lengthens the first"
            )
        return self

    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]  # so that _replace checks, too
        return cls(*iterable)

    @property
    def nbt(self) -> int:
        """Quanta per bit."""
        return 1 + self.tseg1 + self.tseg2

    @property
    def exact_bitrate(self) -> Fraction:
        """Bit rate in bit/s, exactly."""
        return Fraction(self.f_clock, self.brp * self.nbt)

    @property
    def bitrate(self) -> float:
        """Bit rate in bit/s."""
        return self.f_clock / (self.brp * self.nbt)

    def bitrate_error(self, target: Number) -> Fraction:
        """(real - target) / target, exactly; negative when the real rate is slower."""
        asked = exact("target", target)
        if asked <= 0:
            raise BitTimingError(f"target = {target}, must be above 0 bit/s")
        return (self.exact_bitrate - asked) / asked

    @property
    def sample_point(self) -> float:
        """Place of the sample in the bit, in percent."""
        return 100 * (1 + self.tseg1) / self.nbt

    @property
    def tq_ns(self) -> float:
        """A time quantum in ns."""
        return self.brp * 1e9 / self.f_clock

    @property
    def segments(self) -> Segments:
        """The bit in quanta: sync, propagation, phase 1, phase 2."""
        return Segments(1, self.tseg1 - self.phase_seg1, self.phase_seg1, self.tseg2)

    @property
    def phase_seg1(self) -> int:
        """Quanta of phase segment 1."""
        if self.prop_seg is not None:
            return self.tseg1 - self.prop_seg
        return min(self.tseg2, max(1, self.tseg1 - 1))

    @property
    def phase_seg2(self) -> int:
        """Quanta of phase segment 2, which is tseg2."""
        return self.tseg2

    def propagation_quanta(
        self, bus_length_m: Number, loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS, ns_per_m: Number = 5
    ) -> int:
        """Quanta that the propagation of such a bus takes: ceil(2 (length x ns_per_m + loop_delay) / tq)."""
        return math.ceil(propagation_ns(bus_length_m, loop_delay_ns, ns_per_m) * self.f_clock / (self.brp * 10**9))

    def oscillator_tolerance_ppm(
        self, bus_length_m: Number | None = None, loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS, ns_per_m: Number = 5
    ) -> Tolerance:
        """How far off the clocks of the nodes may be.

        Parameters
        ----------
        bus_length_m : float, optional
            Then the propagation segment is what this bus needs, as python-can does it (which rounds the
            quantum to whole ns first; here it is exact). Without it, the split of this timing counts.
        loop_delay_ns : float
            One node's delay from TXD to RXD.
        ns_per_m : float
            Delay of the cable.

        Returns
        -------
        Tolerance
            A float in ppm, 0 when no tolerance is left, with `.binding` and `.conditions`:
            df <= sjw / (20 nbt) between resynchronisations, and
            df <= min(phase 1, phase 2) / (2 (13 nbt - phase 2)) for the bit after an error flag
            (ISO 11898-1:2015, 11.3; Robert Bosch GmbH, "The Configuration of the CAN Bit Timing", 1999).
        """
        phase1 = self.phase_seg1
        if bus_length_m is not None:
            phase1 = self.tseg1 - self.propagation_quanta(bus_length_m, loop_delay_ns, ns_per_m)
        return Tolerance.of(nominal_conditions(self, phase1))

    def max_bus_length_m(self, loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS, ns_per_m: Number = 5) -> float:
        """Longest bus whose two-way delay fits into the propagation segment; 0 when the nodes alone use it up.

        Examples
        --------
        >>> cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2).max_bus_length_m(loop_delay_ns=200)
        97.5
        """
        if not (speed := exact("ns_per_m", ns_per_m)) > 0:
            raise BitTimingError(f"ns_per_m = {ns_per_m}, must be above 0")
        prop_ns = Fraction(self.segments.prop_seg * self.brp * 10**9, self.f_clock)
        loop_ns = propagation_ns(0, loop_delay_ns, 0) / 2
        return float(max(Fraction(0), (prop_ns / 2 - loop_ns) / speed))

    def margin(
        self,
        clock_ppm: Number = 0,
        bus_length_m: Number = 0,
        loop_delay_ns: Number = 0,
        ns_per_m: Number = 5,
        edges: int = 1,
    ) -> Margin:
        """How far the sample point stays from the edges beside it. `simulation.Run.margin` is the simulated one.

        Parameters
        ----------
        clock_ppm : float
            How far off each of two clocks is, one fast and one slow, 0 to 999,999.
        bus_length_m, loop_delay_ns, ns_per_m : float
            Two-way delay of the bus, as for `max_bus_length_m`: a sender in arbitration sees what others answer.
        edges : int
            Falling edges in a row, ten bits apart as in the longest stuffed stretch, of which each makes up for a jump
            width at most; 1 to 1000. A frame has up to 13 of them.

        Returns
        -------
        Margin
            before_ns: sync and tseg1 less a quantum (an edge counts in the quantum in which it falls), the two-way
            delay and what the clocks drift apart in ten bits. after_ns: phase segment 2 less that drift; it is 0 at
            df = (phase 2 + (K - 1) sjw) / (2 (10 K nbt - phase 2)) with K = `edges` (ISO 11898-1:2015, 11.3).

        Raises
        ------
        BitTimingError
            A quantity outside its interval.

        Examples
        --------
        >>> timing = cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2)
        >>> timing.margin(clock_ppm=1_000, bus_length_m=40, loop_delay_ns=250)
        Margin(before_ns=685.0, after_ns=210.5)
        """
        return margin(self, clock_ppm, bus_length_m, loop_delay_ns, ns_per_m, edges)

    def _fits(self, what: str, brp: int, tseg1: int, tseg2: int, sjw: int) -> None:
        for name, most in (("brp", brp), ("tseg1", tseg1), ("tseg2", tseg2), ("sjw", sjw)):
            if getattr(self, name) > most:
                raise BitTimingError(f"{name} = {getattr(self, name)} does not fit {what}, allowed 1..{most}")

    @property
    def btr0(self) -> int:
        """Register BTR0 of the SJA1000 (data sheet 6.5.1): sjw - 1 in bits 7..6, brp - 1 in bits 5..0."""
        self._fits("the SJA1000's BTR0 and BTR1", 64, 16, 8, 4)
        return (self.sjw - 1) << 6 | (self.brp - 1)

    @property
    def btr1(self) -> int:
        """Register BTR1 of the SJA1000 (data sheet 6.5.2): triple sampling, tseg2 - 1 in bits 6..4, tseg1 - 1."""
        self._fits("the SJA1000's BTR0 and BTR1", 64, 16, 8, 4)
        return (self.nof_samples == 3) << 7 | (self.tseg2 - 1) << 4 | (self.tseg1 - 1)

    @classmethod
    def with_room(cls, f_clock: int, brp: int, tseg1: int, tseg2: int, sjw: int, nof_samples: int = 1) -> BitTiming:
        """A timing that is programmed already: phase segment 1 is taken to be at least `sjw`."""
        default = min(tseg2, max(1, tseg1 - 1))
        return cls(f_clock, brp, tseg1, tseg2, sjw, nof_samples, tseg1 - sjw if default < sjw <= tseg1 else None)

    @classmethod
    def from_registers(cls, f_clock: int, btr0: int, btr1: int) -> BitTiming:
        """The timing that the SJA1000's registers BTR0 and BTR1 stand for.

        Examples
        --------
        >>> timing = cf.BitTiming.from_registers(16_000_000, 0x00, 0x1C)
        >>> timing.bitrate, timing.sample_point
        (1000000.0, 87.5)
        """
        whole("btr0", btr0, 0, 255)
        whole("btr1", btr1, 0, 255)
        tseg1, tseg2 = (btr1 & 15) + 1, (btr1 >> 4 & 7) + 1
        return cls.with_room(f_clock, (btr0 & 63) + 1, tseg1, tseg2, (btr0 >> 6) + 1, 3 if btr1 & 0x80 else 1)

    def usb2can_config(self, serial: str) -> str:
        """Configuration string for 8devices' usb2can.dll: "SERIAL;0;tseg1;tseg2;sjw;brp", 32 MHz clock.

        Raises
        ------
        BitTimingError
            Another clock, or a field past the adapter's registers.
        ValueError
            A serial number that is not eight letters and digits.

        Examples
        --------
        >>> cf.bittiming.best(83_333, limits="usb_8dev").usb2can_config("ED000200")
        'ED000200;0;13;2;2;24'
        """
        if self.f_clock != CLOCK:
            raise BitTimingError(f"f_clock = {self.f_clock} Hz, but the USB2CAN adapter runs at {CLOCK:,} Hz")
        self._fits("the USB2CAN adapter", 1024, 16, 8, 4)
        return f"{serial_number(serial)};0;{self.tseg1};{self.tseg2};{self.sjw};{self.brp}"

    def to_python_can(self) -> can.BitTiming:
        """As python-can's BitTiming. It holds brp up to 64 and sample points from 50 % only."""
        import can

        try:
            return can.BitTiming(self.f_clock, self.brp, self.tseg1, self.tseg2, self.sjw, self.nof_samples)
        except ValueError as error:
            raise BitTimingError(f"{self} is beyond python-can's BitTiming: {error}") from error

    @classmethod
    def from_python_can(cls, timing: can.BitTiming) -> BitTiming:
        """From python-can's BitTiming."""
        return cls.with_room(timing.f_clock, timing.brp, timing.tseg1, timing.tseg2, timing.sjw, timing.nof_samples)

    def __str__(self) -> str:
        return (
            f"{self.bitrate:.12g} bit/s, sample point {self.sample_point:.4g} %: {self.nbt} quanta of "
            f"{self.tq_ns:.6g} ns (brp {self.brp}, tseg1 {self.tseg1}, tseg2 {self.tseg2}, sjw {self.sjw})"
        )


def nominal_conditions(timing: BitTiming, phase1: int) -> dict[str, Fraction]:
    """Conditions 1 and 2, in python-can's numbering."""
    return {
        "1: resynchronisation": Fraction(timing.sjw, 20 * timing.nbt),
        "2: bit after an error flag": Fraction(
            min(phase1, timing.phase_seg2), 2 * (13 * timing.nbt - timing.phase_seg2)
        ),
    }
