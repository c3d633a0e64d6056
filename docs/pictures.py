"""The manual's pictures, drawn by the library: `python docs/pictures.py [FOLDER]`, as a rule docs/pictures.

Each is at most 7 inches wide, so that letters can be read where a page shows it 560 to 700 pixels wide. Printed grey
they can be read, too: line styles, hatching, places and words tell things apart.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import canal_fast as cf
from canal_fast import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST = 150_000  # bytes of an SVG; what is larger becomes a PNG
BUSES = {0: "engine", 1: "body"}
DRAWINGS: dict[str, Callable[[Path, Path], object]] = {}
"""Name of a picture: what draws it, given the folder of the recorded scene and the file to write."""


def own(function: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
    """A picture that its drawing writes itself; its name is the function's, with dashes."""
    DRAWINGS[function.__name__.replace("_", "-")] = function
    return function


def high(inches: float, width: float = 7) -> Callable[[Callable[[Path], Figure]], Callable[[Path], Figure]]:
    """A picture that its drawing returns, of so many inches."""

    def register(function: Callable[[Path], Figure]) -> Callable[[Path], Figure]:
        def draw(folder: Path, path: Path) -> None:
            figure = function(folder)
            figure.set_size_inches(width, inches)
            figure.savefig(path, dpi=200)

        DRAWINGS[function.__name__.replace("_", "-")] = draw
        return function

    return register


def drive(folder: Path) -> cf.FrameArray:
    return cf.read_log(folder / "drive.pcapng")


def statistics(folder: Path) -> cf.analysis.Statistics:
    found = cf.analysis.Statistics(bitrates={0: 500_000, 1: 125_000}, window_s=0.2, names=BUSES)
    found.add(drive(folder))
    return found


@high(5.2, 5.6)
def frame_bits(folder: Path) -> Figure:
    return plot.frame_bits(cf.wire.fields(cf.make_frames([0x0F0], b"\x00\xff")), row_bits=24)


@high(2.7)
def bit_timing(folder: Path) -> Figure:
    late, *_ = cf.bittiming.solve(500_000, limits="usb_8dev", sample_point=87.5)
    early, *_ = cf.bittiming.solve(500_000, limits="usb_8dev", sample_point=75)
    return plot.bit_timings([late, early])


@high(5.6)
def bus_load(folder: Path) -> Figure:
    return plot.bus_load(statistics(folder))


@high(2.8)
def id_raster(folder: Path) -> Figure:
    frames = drive(folder)
    start = int(frames["timestamp_ns"][0]) + 7_500_000_000
    return plot.id_raster(cf.analysis.between(frames, start, start + 1_000_000_000), BUSES)


@high(3.1)
def periods(folder: Path) -> Figure:
    return plot.periods(statistics(folder).periods(), BUSES)


@high(4.6)
def signals(folder: Path) -> Figure:
    plan = cf.load_database(folder / "car.dbc").plan(signals=["EngineData.EngineSpeed", "Gearbox.Gear", "WheelSpeedFL"])
    tables = plan.decode(drive(folder))
    chosen = {"EngineData": "EngineSpeed", "Gearbox": "Gear", "WheelSpeeds": "WheelSpeedFL"}
    series = {f"{name}.{signal}": (tables[name].timestamp_ns, tables[name][signal]) for name, signal in chosen.items()}
    gears = {0.0: "neutral", 1.0: "first", 2.0: "second", 3.0: "third", 4.0: "fourth", 5.0: "fifth"}
    units = {"EngineData.EngineSpeed": "rpm", "WheelSpeeds.WheelSpeedFL": "km/h"}
    return plot.signals(series, units, texts={"Gearbox.Gear": gears})


@high(4.9)
def error_counters(folder: Path) -> Figure:
    """A transceiver that spoils its own CRC until its node is off."""
    bus = cf.simulation.Bus(500_000)
    engine, brakes = bus.node("engine"), bus.node("brakes")
    milliseconds = np.arange(20, dtype=np.int64) * 1_000_000
    bus.send(engine, cf.make_frames(np.full(20, 0x100), b"\x00\x11\x22\x33", timestamp_ns=milliseconds))
    bus.send(brakes, cf.make_frames(np.full(10, 0x0A0), b"\xaa\x55", timestamp_ns=milliseconds[:10] * 2))
    bus.inject("id 100 crc 5 invert by engine times 32")
    run = bus.run(seconds=0.02)
    return plot.error_counters(run.events, run.nodes, run.duration_ns)


@own
def error_frame(folder: Path, path: Path) -> None:
    """One receiver reads one bit wrongly: its flag, the others' flags, and the frame once more."""
    bus = cf.simulation.Bus(500_000)
    sender, _, _ = (bus.node(name) for name in ("sender", "good", "disturbed"))
    bus.send(sender, cf.make_frames([0x123], b"\x55"))
    bus.inject("frame 1 data 3 invert at disturbed")
    bus.run(bits=140).draw(0, 72, width=36, plot=path)


@own
def arbitration(folder: Path, path: Path) -> None:
    """Three nodes begin at the same bit."""
    bus = cf.simulation.Bus(500_000)
    for name, identifier in (("0x67A", 0x67A), ("0x653", 0x653), ("0x65B", 0x65B)):
        bus.send(bus.node(name), cf.make_frames([identifier], b""), at=2)
    bus.run(bits=40).draw(0, 40, width=40, plot=path)


MESSAGES = [
    cf.analysis.Message(name, identifier, length, period * 1_000_000, sender=sender)
    for name, identifier, length, period, sender in (
        ("Brake", 0x080, 4, 10, "ABS"), ("Steering", 0x0A0, 6, 10, "EPS"), ("EngineData", 0x100, 8, 10, "Engine"),
        ("WheelSpeeds", 0x120, 8, 20, "ABS"), ("Gearbox", 0x180, 4, 20, "Gearbox"), ("Pedals", 0x200, 5, 20, "Engine"),
        ("Cluster", 0x300, 8, 50, "Cluster"), ("Lights", 0x310, 2, 100, "Body"), ("Climate", 0x400, 8, 100, "Climate"),
    )
]  # fmt: skip


@high(3.3)
def response_times(folder: Path) -> Figure:
    return plot.response_times(cf.analysis.response_times(MESSAGES, 125_000).rows)


@high(3.6)
def critical_instant(folder: Path) -> Figure:
    found = cf.analysis.response_times(MESSAGES, 125_000)
    return plot.critical_instant(found.rows, found.critical_instant("Pedals"))


@own
def eye(folder: Path, path: Path) -> None:
    """Three senders; the clock of one is 0.6 % fast."""
    ids, clocks = np.array([0x0A0, 0x100, 0x2B0]), np.array([40.0, -60.0, 6000.0])
    sender = np.arange(600) % 3
    payload = np.random.default_rng(1).integers(0, 256, (600, 8), np.uint8)
    wave = cf.waveform.synthesise(
        cf.make_frames(ids[sender], payload), 500_000, clock_ppm=clocks[sender], jitter_ns=30, asymmetry_ns=20, seed=1
    )
    cf.waveform.draw_eye(wave, cf.waveform.decode(wave, 500_000), path)


def draw(target: Path, scene: Path) -> list[Path]:
    """Draw all into a folder. Returns the files."""
    target.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # no date in the files
    import matplotlib

    found = []
    with matplotlib.rc_context({"svg.hashsalt": "canal_fast"}):
        for name, drawing in DRAWINGS.items():
            path = target / f"{name}.svg"
            drawing(scene, path)
            if path.stat().st_size > LARGEST:
                path.unlink()
                path = path.with_suffix(".png")
                drawing(scene, path)
            found.append(path)
    return found


if __name__ == "__main__":
    from data import make

    with tempfile.TemporaryDirectory() as folder:
        for path in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures", make(folder)):
            print(path, path.stat().st_size)
