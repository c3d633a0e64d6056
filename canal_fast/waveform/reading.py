"""Files of logic analysers and oscilloscopes to waveforms. Public as `canal_fast.waveform.read`."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.errors import LogFormatError
from canal_fast.foreign import kind_of

from .channels import Threshold, volts_blocks
from .decoding import choose_rates
from .kernel import Decoded, decode_source
from .layout import BOMS
from .saleae import MAGIC, open_saleae
from .table import open_table
from .vcd import open_vcd
from .wave import EdgeFinder, Edges, Source, Wave, collect

_FOREIGN = (  # begin of a file, and what it is
    (rb"[\x0f\xf0]{2}:?WFM|:?(WFM[PO]|CURV)", "a Tektronix WFM or ISF file (save it as CSV)"),
    (rb"(#\d{10})?WAVEDESC", "a LeCroy trace (save it as ASCII)"),
    (rb"\xa5\xa5|\x01\xff\xff\xff|RG\d\d", "a Rigol WFM or BIN file (save it as CSV)"),
    (rb"A[GT]\d\d", "a Keysight BIN file (save it as CSV)"),
    (rb"SPB", "an Owon BIN file (save it as CSV)"),
    (rb"\0{7}\x01\x49", "a GTKWave FST dump (fst2vcd makes VCD of it)"),
    (rb"\x1f\x8b", "a gzip file (gzip -d FILE)"),
    (rb"\x28\xb5\x2f\xfd", "a zstd file (zstd -d FILE)"),
    (rb"\x93NUMPY", "a numpy array (numpy.load it, then from_samples)"),
    (rb"MATLAB", "a MATLAB file (save it as CSV)"),
    (rb"\n\r\r\n|LOGG|MDF|\(\d+\.\d+\) |date [A-Z]", "a recording of frames (canal-fast stat FILE)"),
)
_LOOKED_AT = 200_000  # edges, for the bit rate of a capture that is read in batches


def open_capture(
    path: str | os.PathLike[str],
    channel: str | int | None = None,
    threshold: Threshold = None,
    invert: bool | None = None,
    sample_rate: int | None = None,
) -> Source:
    """As `read`, in pieces."""
    name = os.fspath(path)
    with open(name, "rb") as file:
        head = file.read(4096)
    if not head:
        raise LogFormatError("the file is empty", path=name)
    if head.startswith(b"PK"):
        from .sigrok import open_sigrok  # zip files and configurations take two milliseconds to load

        return open_sigrok(name, channel, threshold, invert, sample_rate)
    if head.startswith(MAGIC):
        if channel not in (None, 0):
            raise ValueError(f"{name}: channel = {channel!r}; the file has one channel, 0")
        return open_saleae(name, threshold, invert)
    if head.removeprefix(BOM_UTF8).lstrip().startswith(b"$"):
        return open_vcd(name, channel, invert)
    what = next((what for begin, what in _FOREIGN if re.match(begin, head)), None) or kind_of(head)
    if what or (b"\0" in head and head[:2] not in BOMS):
        what = what or "no format that is known, or samples without a heading (from_samples takes them)"
        raise LogFormatError(f"{what}; readable are sigrok, DSView, Saleae binary, VCD, tables (CSV)", path=name)
    return open_table(name, channel, threshold, invert, sample_rate)


def read(
    path: str | os.PathLike[str],
    channel: str | int | None = None,
    threshold: Threshold = None,
    invert: bool | None = None,
    sample_rate: int | None = None,
) -> Wave:
    """Read one line of a capture; the content decides the format, not the name.

    sigrok sessions (.sr, versions 1 and 2, logic and analog) and CSV, DSView sessions (.dsl, logic), Saleae Logic 2
    binary (versions 0 and 1, digital with gaps) and CSV, VCD (variables of one bit, from 1 fs on), and oscilloscopes'
    CSV: one voltage, or CAN_H and CAN_L, whose difference is taken; with times (in seconds, or what a heading as
    `Time (us)` says) or a step between rows. Files of instruments' own are refused by name.

    What is unknown (x, z, gaps) is recessive. A file that tells changes only does not say how long the last level
    lasts: where that is recessive, 11 bits of the slowest rate, so that the last frame has its end. A row that the file
    ends in is left out.

    Parameters
    ----------
    path : path
    channel : str or int, optional
        Name or number (from 0 on). Default: the only one, the one named like a CAN line (CAN_RX, RX, CAN_L ...), or
        the only one that moves.
    threshold : float or (float, float), optional
        Volts at which a level changes; two make a hysteresis. Default: 0.5 and 0.9 V for a difference of CAN_H and
        CAN_L where its voltages are such, else 40 and 60 % of the way between the lowest and the highest voltage.
    invert : bool, optional
        Exchange the levels: a probe shows dominant as high. Default: for voltages, the level that lasts longest at a
        time is recessive; for logic, low is dominant.
    sample_rate : int, optional
        Samples a second, for sigrok sessions and tables that do not say; a table's times do not count then.

    Returns
    -------
    Wave
        `guesses` says what was chosen by default.

    Raises
    ------
    LogFormatError
        A broken file, a kind or version that is not known, a sigrok session without sample rate.
    ValueError
        No such channel, or none chosen of several (the message names them); voltages without two levels.

    Examples
    --------
    >>> wave = cf.waveform.read("capture.sr", channel="CAN_RX")
    >>> d = cf.waveform.decode(wave)  # at a rate that it finds
    >>> len(d), d.valid.sum().item(), d.rates.nominal.bitrate
    (20, 20, 500000.0)
    """
    return collect(open_capture(path, channel, threshold, invert, sample_rate))


def from_samples(
    samples: npt.NDArray[Any],
    sample_rate: int,
    *,
    packed: bool = False,
    bit: int = 0,
    count: int | None = None,
    threshold: Threshold = None,
    invert: bool | None = None,
) -> Wave:
    r"""A waveform of raw samples.

    Parameters
    ----------
    samples : array, shape (n,)
        Unsigned integers of which bit `bit` counts, bools, packed bits (u1, MSB first, with `packed`), or voltages.
    sample_rate : int
        Samples a second.
    packed, bit, count
        `count` is the number of packed samples, by default eight a byte.
    threshold, invert
        As for `read`.

    Returns
    -------
    Wave

    Examples
    --------
    >>> bits, offsets = cf.wire.encode(cf.make_frames(0x123, b"hello"))
    >>> idle = np.ones(20, np.uint8)
    >>> samples = np.repeat(np.concatenate([idle, bits, idle]), 24)  # 24 samples a bit
    >>> wave = cf.waveform.from_samples(samples, 12_000_000)
    >>> cf.waveform.decode(wave, 500_000).frames["data"][0].tobytes()
    b'hello\x00\x00\x00'
    """
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"samples must have one dimension and at least one element, not shape {samples.shape}")
    if not float(sample_rate).is_integer() or sample_rate < 1:
        raise ValueError(f"sample_rate = {sample_rate}, must be a whole number above 0")
    samples = np.ascontiguousarray(samples)
    if samples.dtype.kind == "f":
        volts = samples if samples.dtype in (np.float32, np.float64) else samples.astype(np.float64)
        return collect(volts_blocks([volts], int(sample_rate), threshold, invert))
    if samples.dtype.kind not in "bui":
        raise TypeError(f"samples must be integers, bools or floats, not {samples.dtype}")
    size = samples.dtype.itemsize
    plain = samples.astype(samples.dtype.newbyteorder("<"), copy=False).view(np.uint8)
    if packed:
        length = 8 * len(plain) if count is None else count
        if size != 1 or not 1 <= length <= 8 * len(plain):
            raise ValueError(f"packed samples must be u1, and count = {length} in 1..{8 * len(plain)}")
        first = int(plain[0]) >> 7
        edges = EdgeFinder(first).packed(plain, length)
    else:
        if not 0 <= bit < 8 * size:
            raise ValueError(f"bit = {bit}, allowed 0..{8 * size - 1}")
        length = len(samples)
        first = int(plain[bit // 8]) >> bit % 8 & 1
        edges = EdgeFinder(first).units(plain, size, bit)
    return Wave(edges, first ^ bool(invert), int(sample_rate), 0, length)


def batches(
    path: str | os.PathLike[str],
    bitrate: float | None = None,
    data_bitrate: float | None = None,
    sample_point: float | None = None,
    sjw: float | None = None,
    triple: bool = False,
    *,
    data_sample_point: float | None = None,
    data_sjw: float | None = None,
    timing: BitTiming | BitTimingFd | None = None,
    channel: str | int | None = None,
    threshold: Threshold = None,
    invert: bool | None = None,
    sample_rate: int | None = None,
    columns: bool = True,
) -> Iterator[Decoded]:
    """Read and decode a capture that may be larger than memory; yields `Decoded` in the order of time.

    Parameters are those of `read` and `decode`; rates that are not given are detected from the beginning.

    Parameters
    ----------
    path, channel, threshold, invert, sample_rate
        As for `read`.
    bitrate, data_bitrate, sample_point, sjw, triple, data_sample_point, data_sjw, timing, columns
        As for `decode`.

    Yields
    ------
    Decoded

    Examples
    --------
    >>> for d in cf.waveform.batches("capture.sr", 500_000):
    ...     print(d.valid.sum(), "frames")
    20 frames
    """
    source = open_capture(path, channel, threshold, invert, sample_rate)
    held: list[tuple[Edges, int]] = []
    for block in source.blocks:
        held.append(block)
        if sum(len(edges) for edges, _ in held) >= _LOOKED_AT:
            break
    start = [np.empty(0, np.int64), *(edges for edges, _ in held)]
    end = held[-1][1] if held else source.begin
    wave = Wave(np.concatenate(start), source.level, source.ticks_per_second, source.begin, end, source.resolution)
    rates = choose_rates(wave, bitrate, data_bitrate, sample_point, sjw, triple, data_sample_point, data_sjw, timing)
    blocks = _chained(held, source.blocks)
    whole = Source(source.level, source.ticks_per_second, source.resolution, source.begin, blocks, source.notes)
    for batch in decode_source(whole, rates, columns):
        if len(batch):
            yield batch


def _chained(held: list[tuple[Edges, int]], rest: Iterator[tuple[Edges, int]]) -> Iterator[tuple[Edges, int]]:
    yield from held
    yield from rest
