"""The files that the manual's code blocks work on: `python docs/data.py FOLDER`.

One drive of ten seconds on two simulated buses, `engine` (channel 0, 500 kbit/s) and `body` (channel 1, 125 kbit/s):
drive.blf, .asc, .log, .pcapng, .trc, and car.dbc, which describes its messages. At 6.2 s six frames in a row are
disturbed; from 8 s on the recorder lost 120 ms of the engine bus, and the frame behind has GAP. capture.sr is a logic
analyser's capture of another bus, with a node whose clock is 0.6 % off, and with error frames. scenario.toml is a bus
on which a node goes off and comes back. Every call makes the same bytes.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import canal_fast as cf
from canal_fast.simulation import EdgeKind

START_NS = 1_772_438_400_000_000_000  # 2026-03-02 08:00:00 UTC
SECONDS = 10.0
BITRATES = {"engine": 500_000, "body": 125_000}  # by channel
PERIODS_MS = {
    "EngineData": 10, "WheelSpeeds": 20, "Gearbox": 50, "EngineTemperature": 100, "TripComputer": 100,
    "DoorStates": 100, "Lights": 200, "Sensors": 50,
}  # fmt: skip
ON_BODY = {"DoorStates", "Lights", "Sensors"}
LOST_NS = 8_000_000_000, 8_120_000_000

DBC = """VERSION ""
NS_ :
BS_:
BU_: Engine Gateway Dashboard Body

BO_ 256 EngineData: 8 Engine
 SG_ EngineSpeed : 0|16@1+ (0.25,0) [0|8000] "rpm" Dashboard
 SG_ ThrottlePosition : 16|8@1+ (0.4,0) [0|100] "%" Dashboard
 SG_ EngineTorque : 24|16@1- (0.1,0) [-500|500] "Nm" Dashboard
 SG_ AliveCounter : 56|4@1+ (1,0) [0|15] "" Dashboard

BO_ 288 WheelSpeeds: 8 Gateway
 SG_ WheelSpeedFL : 0|16@1+ (0.01,0) [0|300] "km/h" Dashboard
 SG_ WheelSpeedFR : 16|16@1+ (0.01,0) [0|300] "km/h" Dashboard
 SG_ WheelSpeedRL : 32|16@1+ (0.01,0) [0|300] "km/h" Dashboard
 SG_ WheelSpeedRR : 48|16@1+ (0.01,0) [0|300] "km/h" Dashboard

BO_ 384 Gearbox: 4 Gateway
 SG_ Gear : 0|4@1+ (1,0) [0|15] "" Dashboard
 SG_ GearboxOilTemperature : 8|8@1+ (1,-40) [-40|215] "degC" Dashboard

BO_ 512 EngineTemperature: 8 Engine
 SG_ CoolantTemperature : 0|8@1+ (1,-40) [-40|215] "degC" Dashboard
 SG_ OilTemperature : 8|8@1+ (1,-40) [-40|215] "degC" Dashboard
 SG_ OilPressure : 16|8@1+ (0.05,0) [0|12.5] "bar" Dashboard

BO_ 2566844672 TripComputer: 8 Dashboard
 SG_ VehicleSpeed : 0|16@1+ (0.01,0) [0|300] "km/h" Gateway
 SG_ Distance : 16|32@1+ (0.001,0) [0|1000000] "km" Gateway

BO_ 768 DoorStates: 2 Body
 SG_ DoorFL : 0|1@1+ (1,0) [0|1] "" Dashboard
 SG_ DoorFR : 1|1@1+ (1,0) [0|1] "" Dashboard
 SG_ DoorRL : 2|1@1+ (1,0) [0|1] "" Dashboard
 SG_ DoorRR : 3|1@1+ (1,0) [0|1] "" Dashboard

BO_ 784 Lights: 2 Body
 SG_ LightSwitch : 0|2@1+ (1,0) [0|3] "" Dashboard
 SG_ Indicator : 8|2@1+ (1,0) [0|3] "" Dashboard

BO_ 1024 Sensors: 4 Body
 SG_ SensorGroup M : 0|8@1+ (1,0) [0|2] "" Dashboard
 SG_ OutsideTemperature m0 : 8|8@1+ (0.5,-40) [-40|87.5] "degC" Dashboard
 SG_ BatteryVoltage m1 : 8|16@1+ (0.001,0) [0|65] "V" Dashboard
 SG_ FuelLevel m2 : 8|8@1+ (0.5,0) [0|100] "%" Dashboard

CM_ BO_ 256 "Speed, load and torque of the engine";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
CYCLE_TIMES
VAL_ 384 Gear 0 "neutral" 1 "first" 2 "second" 3 "third" 4 "fourth" 5 "fifth" 15 "reverse" ;
VAL_ 768 DoorFL 0 "closed" 1 "open" ;
VAL_ 784 LightSwitch 0 "off" 1 "parking" 2 "low beam" 3 "high beam" ;
VAL_ 784 Indicator 0 "off" 1 "left" 2 "right" 3 "hazard" ;
"""

SCENARIO = """# The sender spoils its own CRC until it is off; 128 times 11 recessive bits later it is back.
title = "bus off and recovery"
bitrate = 500_000
duration = "30 ms"
faults = ["id 100 crc 5 invert by engine times 32"]
logger = "dashboard"

[[node]]
name = "engine"
[[node.message]]
id = 0x100
data = "00 11 22 33 44 55 66 77"
period = "1 ms"

[[node]]
name = "brakes"
[[node.message]]
id = 0x0A0
data = "AA 55"
period = "2 ms"

[[node]]
name = "dashboard"
"""


def make(folder: str | Path) -> Path:
    """Write all files into a folder, which is made if need be; returns it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "car.dbc").write_text(_dbc(), encoding="utf-8")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    frames = drive(folder / "car.dbc")
    interfaces = {channel: (name, rate) for channel, (name, rate) in enumerate(BITRATES.items())}
    for suffix in ("pcapng", "blf", "asc", "trc", "log"):
        cf.write_log(folder / f"drive.{suffix}", frames, interfaces=interfaces)
    _capture(folder / "capture.sr")
    return folder


def _dbc() -> str:
    identifiers = {name: line.split()[1] for line in DBC.splitlines() if line.startswith("BO_ ")
                   for name in [line.split()[2].rstrip(":")]}  # fmt: skip
    times = [f'BA_ "GenMsgCycleTime" BO_ {identifiers[name]} {period};' for name, period in PERIODS_MS.items()]
    return DBC.replace("CYCLE_TIMES", "\n".join(times))


def drive(dbc: str | Path) -> cf.FrameArray:
    """The recorded scene: what loggers on both buses see, in the order of time."""
    plan = cf.load_database(dbc).plan()
    parts = []
    for channel, (name, bitrate) in enumerate(BITRATES.items()):
        bus = cf.simulation.Bus(bitrate)
        bus.node("logger", mode="listen_only")
        for number, message in enumerate(PERIODS_MS):
            if (message in ON_BODY) == (name == "body"):
                bus.send(bus.node(message), _requests(plan, message, number))
        if name == "engine":
            bus.node("acknowledges")
            bus.inject([f"frame {number} data 9 invert" for number in range(1180, 1186)])
        seen = bus.run(seconds=SECONDS, at="logger").frames
        kept = seen[seen["flags"] & np.uint16(cf.FrameFlag.STATUS) == 0]
        frames = np.zeros(len(kept), cf.FRAME_DTYPE)
        for field in ("timestamp_ns", "arbitration_id", "flags", "dlc"):
            frames[field] = kept[field]
        frames["data"], frames["channel"] = kept["data"][:, :8], channel
        if name == "engine":
            times = frames["timestamp_ns"]
            frames = frames[(times < LOST_NS[0]) | (times >= LOST_NS[1])]
            first = np.searchsorted(frames["timestamp_ns"], LOST_NS[1])
            frames["flags"][first] |= np.uint16(cf.FrameFlag.GAP)
        parts.append(frames)
    frames = np.concatenate(parts)
    frames = frames[np.argsort(frames["timestamp_ns"], kind="stable")]
    frames["timestamp_ns"] += START_NS
    return frames


def _requests(plan: Any, message: str, number: int) -> cf.FrameArray:
    """When a node wants to send a message, and with what: the times have some jitter."""
    period = PERIODS_MS[message] * 1_000_000
    count = int(SECONDS * 1e9) // period
    jitter = np.random.default_rng(number).integers(0, period // 50, count)
    times = np.arange(count, dtype=np.int64) * period + 700_000 * (number + 1) + jitter
    frames: cf.FrameArray = plan.encode(message, _signals(message, times / 1e9), timestamp_ns=times)
    return frames


def _signals(message: str, t: Any) -> dict[str, Any]:
    """A car that starts, shifts through its gears, and brakes; t in seconds."""
    speed = np.interp(t, [1, 7, 8.5, 10], [0, 95, 95, 60])
    gear = np.select([t < 1, speed < 20, speed < 40, speed < 65, speed < 85], [0, 1, 2, 3, 4], 5)
    rpm = np.maximum(850.0, speed * np.array([0, 130, 75, 50, 38, 31])[gear])
    numbers = np.arange(len(t))
    return {
        "EngineData": {
            "EngineSpeed": rpm,
            "ThrottlePosition": np.where(t < 1, 0, np.where(t < 7, 42.0, np.where(t < 8.5, 12.0, 0))),
            "EngineTorque": np.where(t < 1, 0, np.where(t < 7, 180.0, np.where(t < 8.5, 30.0, -40.0))),
            "AliveCounter": numbers % 16,
        },
        "WheelSpeeds": {f"WheelSpeed{at}": speed * (1 + bias) for at, bias in
                        zip(("FL", "FR", "RL", "RR"), (0, 0.004, -0.003, 0.001), strict=True)},
        "Gearbox": {"Gear": gear, "GearboxOilTemperature": 60 + t // 2},
        "EngineTemperature": {"CoolantTemperature": 70 + t // 1, "OilTemperature": 75 + t // 1,
                              "OilPressure": rpm / 800},
        "TripComputer": {"VehicleSpeed": speed, "Distance": np.cumsum(speed) * 0.1 / 3600},
        "DoorStates": {"DoorFL": (t < 0.5) * 1, "DoorFR": 0, "DoorRL": 0, "DoorRR": 0},
        "Lights": {"LightSwitch": np.where(t < 0.8, 0, 2), "Indicator": np.where((t > 3) & (t < 5), 1, 0)},
        "Sensors": {"SensorGroup": numbers % 3, "OutsideTemperature": 4.5, "FuelLevel": 61.5,
                    "BatteryVoltage": np.where(t < 1, 12.4, 14.1)},
    }[message]  # fmt: skip


def _capture(path: Path, rate: int = 10_000_000) -> None:
    """What a logic analyser sees of a bus of 500 kbit/s in 12 ms: a sigrok session, one probe."""
    bus = cf.simulation.Bus(500_000)
    bus.node("probe", mode="listen_only", clock_ppm=1)  # a clock chooses the gear that has edges
    senders = {"engine": (0x100, 0, 1_000), "brakes": (0x0A0, 40, 1_500), "worn": (0x2B0, 6_000, 2_000)}
    for name, (identifier, clock_ppm, period_us) in senders.items():
        times = np.arange(100_000, 11_000_000, period_us * 1000, dtype=np.int64)
        payload = np.arange(8, dtype=np.uint8) * 17 + (np.arange(len(times), dtype=np.uint8) % 200)[:, None]
        frames = cf.make_frames(np.full(len(times), identifier), payload.astype(np.uint8), timestamp_ns=times)
        bus.send(bus.node(name, clock_ppm=clock_ppm), frames)
    bus.inject(["id 2B0 data 20 invert times 2"])
    edges = bus.run(seconds=0.012, at="probe").edges
    seen = edges[(edges["node"] == 0) & (edges["kind"] == EdgeKind.SEEN)]
    samples = np.arange(round(0.012 * rate)) * (10**15 // rate)
    level = (1 + np.searchsorted(seen["time_fs"], samples, side="right")) % 2  # recessive first, then each edge
    metadata = (
        "[global]\nsigrok version=0.5.2\n\n[device 1]\ncapturefile=logic-1\n"
        f"total probes=1\nsamplerate={rate // 1_000_000} MHz\ntotal analog=0\nprobe1=CAN_RX\nunitsize=1\n"
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (
            ("version", b"2"),
            ("metadata", metadata.encode()),
            ("logic-1-1", level.astype("u1").tobytes()),
        ):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # ZipInfo: no time of day


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python docs/data.py FOLDER")
    print(make(sys.argv[1]))
