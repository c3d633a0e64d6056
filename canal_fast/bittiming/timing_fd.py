"""Bit timing of CAN FD: a nominal and a data phase on one clock."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from canal_fast.errors import BitTimingError

from .numbers import DEFAULT_LOOP_DELAY_NS, Number
from .timing import BitTiming, Tolerance, nominal_conditions

if TYPE_CHECKING:
    import can

__all__ = ["BitTimingFd"]


class _Phases(NamedTuple):
    nominal: BitTiming
    data: BitTiming


class BitTimingFd(_Phases):
    """Bit timing of CAN FD: immutable, hashable.

    Parameters
    ----------
    nominal : BitTiming
        Arbitration phase.
    data : BitTiming
        Data phase, on the same clock.

    Raises
    ------
    BitTimingError
        Two clocks, or three samples per bit, which CAN FD does not have.

    Examples
    --------
    >>> nominal = cf.BitTiming(f_clock=80_000_000, brp=2, tseg1=63, tseg2=16, sjw=16)
    >>> fd = cf.BitTimingFd(nominal, cf.BitTiming(f_clock=80_000_000, brp=2, tseg1=14, tseg2=5, sjw=5))
    >>> fd.nominal.bitrate, fd.data.bitrate
    (500000.0, 2000000.0)
    """

    __slots__ = ()

    def __new__(cls, nominal: BitTiming, data: BitTiming) -> BitTimingFd:
        if nominal.f_clock != data.f_clock:
            raise BitTimingError(
                f"f_clock = {nominal.f_clock} Hz nominal and {data.f_clock} Hz data; must be one clock"
            )
        for name, phase in (("nominal", nominal), ("data", data)):
            if phase.nof_samples != 1:
                raise BitTimingError(f"{name} nof_samples = {phase.nof_samples}, allowed 1 in CAN FD")
        return super().__new__(cls, nominal, data)

    @property
    def f_clock(self) -> int:
        """Clock of the CAN core in Hz."""
        return self.nominal.f_clock

    @property
    def nominal_bitrate(self) -> float:
        """Bit rate of the arbitration phase in bit/s."""
        return self.nominal.bitrate

    @property
    def data_bitrate(self) -> float:
        """Bit rate of the data phase in bit/s."""
        return self.data.bitrate

    @property
    def nominal_sample_point(self) -> float:
        """Sample point of the arbitration phase in percent."""
        return self.nominal.sample_point

    @property
    def data_sample_point(self) -> float:
        """Sample point of the data phase in percent."""
        return self.data.sample_point

    @property
    def tdc_offset(self) -> int:
        """Transmitter delay compensation offset in clock periods: data brp x (1 + data tseg1).

        It puts the secondary sample point where the data phase's own sample point lies, behind the
        measured transmitter delay (ISO 11898-1:2015, 11.3.3). Controllers hold 7 bits or so of it.
        """
        return self.data.brp * (1 + self.data.tseg1)

    @property
    def tdc_allowed(self) -> bool:
        """Whether compensation may be used: the data prescaler is 1 or 2 (ISO 11898-1:2015, 11.3.3)."""
        return self.data.brp <= 2

    def oscillator_tolerance_ppm(
        self, bus_length_m: Number | None = None, loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS, ns_per_m: Number = 5
    ) -> Tolerance:
        """How far off the clocks of the nodes may be; parameters as `BitTiming.oscillator_tolerance_ppm`.

        Returns
        -------
        Tolerance
            ppm, with `.binding` and `.conditions`, which are numbered as in python-can: 1 and 2 are those
            of the nominal phase, 3 is resynchronisation in the data phase, 4 the bit after an error
            flag in the data phase, 5 the switch of the bit rate.
        """
        n, d = self
        phase1 = n.phase_seg1
        if bus_length_m is not None:
            phase1 = n.tseg1 - n.propagation_quanta(bus_length_m, loop_delay_ns, ns_per_m)
        ratio = Fraction(n.brp, d.brp)
        conditions = nominal_conditions(n, phase1)
        conditions["3: data phase resynchronisation"] = Fraction(d.sjw, 20 * d.nbt)
        conditions["4: bit after an error flag in the data phase"] = min(phase1, n.phase_seg2) / (
            2 * ((6 * d.nbt - d.phase_seg2) / ratio + 7 * n.nbt)
        )
        conditions["5: bit rate switch"] = (d.sjw - max(Fraction(0), ratio - 1)) / (
            2 * ((2 * n.nbt - n.phase_seg2) * ratio + d.phase_seg2 + 4 * d.nbt)
        )
        return Tolerance.of(conditions)

    def to_python_can(self) -> can.BitTimingFd:
        """As python-can's BitTimingFd."""
        import can

        fields = {
            f"{prefix}_{name}": getattr(phase, name)
            for prefix, phase in (("nom", self.nominal), ("data", self.data))
            for name in ("brp", "tseg1", "tseg2", "sjw")
        }
        try:
            return can.BitTimingFd(f_clock=self.f_clock, **fields)
        except ValueError as error:
            raise BitTimingError(f"{self} is beyond python-can's BitTimingFd: {error}") from error

    @classmethod
    def from_python_can(cls, timing: can.BitTimingFd) -> BitTimingFd:
        """From python-can's BitTimingFd."""
        t = timing
        return cls(
            BitTiming.with_room(t.f_clock, t.nom_brp, t.nom_tseg1, t.nom_tseg2, t.nom_sjw),
            BitTiming.with_room(t.f_clock, t.data_brp, t.data_tseg1, t.data_tseg2, t.data_sjw),
        )

    def __str__(self) -> str:
        return f"nominal {self.nominal}; data {self.data}"
