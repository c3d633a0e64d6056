"""CAN buses at full rate: CANAL drivers, numpy record arrays, bits on the wire, bit timing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

if find_spec("canal_fast._gate") is None:
    raise ImportError(
        f"{Path(__file__).parent} has no compiled modules: it is the source tree and hides the installed package. "
        "Start Python in another folder, or with -P"
    )

from canal_fast import (
    analysis,
    bittiming,
    checksum,
    logger,
    logs,
    physical,
    plot,
    report,
    signals,
    simulation,
    waveform,
    wire,
)
from canal_fast._version import __version__
from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.dataframes import ArrowFrames, from_arrow, to_arrow, to_pandas, to_polars
from canal_fast.drivers.devices import Device, list_devices
from canal_fast.drivers.library import DriverInfo
from canal_fast.errors import (
    BitTimingError,
    BusOffError,
    CanalFastError,
    ChannelClosedError,
    ChannelTimeoutError,
    DatabaseError,
    DriverError,
    DriverNotFoundError,
    FrameError,
    LogFormatError,
    SignalError,
    SimulationError,
    WireError,
)
from canal_fast.frames import (
    FD_FRAME_DTYPE,
    FRAME_DTYPE,
    FrameArray,
    FrameFlag,
    check_frames,
    make_frames,
    payload_length,
)
from canal_fast.live.channel import Channel
from canal_fast.live.clock import ChannelClock
from canal_fast.live.ledger import ChannelStatus, Ledger
from canal_fast.live.periodic import PeriodicStatistics, PeriodicTask
from canal_fast.logger import play
from canal_fast.logs import read_log, write_log
from canal_fast.messages import from_messages, to_messages
from canal_fast.signals import load_database

__all__ = [
    "ArrowFrames",
    "BitTiming",
    "BitTimingError",
    "BitTimingFd",
    "BusOffError",
    "CanalFastError",
    "Channel",
    "ChannelClock",
    "ChannelClosedError",
    "ChannelStatus",
    "ChannelTimeoutError",
    "DatabaseError",
    "Device",
    "DriverError",
    "DriverInfo",
    "DriverNotFoundError",
    "FD_FRAME_DTYPE",
    "FRAME_DTYPE",
    "FrameArray",
    "FrameError",
    "FrameFlag",
    "Ledger",
    "LogFormatError",
    "PeriodicStatistics",
    "PeriodicTask",
    "SignalError",
    "SimulationError",
    "WireError",
    "__version__",
    "analysis",
    "bittiming",
    "check_frames",
    "checksum",
    "from_arrow",
    "from_messages",
    "get_include",
    "list_devices",
    "load_database",
    "logger",
    "logs",
    "make_frames",
    "payload_length",
    "physical",
    "play",
    "plot",
    "read_log",
    "report",
    "signals",
    "simulation",
    "to_arrow",
    "to_messages",
    "to_pandas",
    "to_polars",
    "waveform",
    "wire",
    "write_log",
]


def get_include() -> str:
    """Folder to give a C compiler (`-I`) so that `#include <canal_fast/frame.h>` works.

    Installed wheels carry the headers; an editable install falls back to the source tree.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "include", here.parent / "include"):
        if (folder / "canal_fast" / "base.h").is_file():
            return str(folder)
    raise FileNotFoundError(f"the C headers are neither in {here / 'include'} nor in {here.parent / 'include'}")
