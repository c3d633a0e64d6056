"""CAN buses at full rate: record them, read and convert recordings, decode, analyse, simulate.

Frames are numpy record arrays (FRAME_DTYPE, FD_FRAME_DTYPE) everywhere. Ten names to begin with::

    cf.read_log             all frames of a recording: BLF, ASC, pcapng, candump, TRC, CSV, MF4, Parquet ...
    cf.write_log            an array of frames as a recording; its suffix says which format
    cf.logs.convert         recordings of any size into another format, with an account of every frame
    cf.Channel              a bus: Channel.usb2can, Channel.socketcan, Channel.virtual, or any CANAL library
    cf.logger.Logger        several buses into one recording, with rotation and triggers
    cf.play                 recordings sent onto buses, each frame at its time
    cf.load_database        DBC, KCD, SYM, ARXML: load_database(path).plan().decode(frames) gives columns
    cf.to_pandas            frames as a data frame; to_polars, to_arrow, to_messages (python-can) alike
    cf.analysis.Statistics  counts, periods and bus load of recordings; statistics of parts add
    cf.make_frames          frames out of identifiers and payloads

and the parts of the library, each with its own help::

    cf.logs        recordings: open_log, Recorder, convert, repair, to_parquet, formats
    cf.logger      Logger and Player: buses recorded, and recordings played, without a person beside them
    cf.signals     Database, Plan and Table: signals decoded into columns, and columns encoded
    cf.analysis    statistics, schedules, response times, acceptance filters, arrays of frames cut and merged
    cf.wire        bits on the wire: encode, decode, exact lengths, bus load; cf.checksum: CRC-15, 17 and 21
    cf.bittiming   bit timings for a controller: solve, solve_fd, BitTiming; cf.physical: lengths of wires
    cf.simulation  a bus bit by bit, with error frames, error counters, bus off, and faults
    cf.waveform    captures of logic analysers and oscilloscopes to frames, and back
    cf.plot        pictures; cf.report: a recording as one HTML page
    canal_fast.doctor, canal_fast.testing, canal_fast.python_can
                   what is wrong with a driver; fixtures for pytest; the interface for python-can

Every error is a CanalFastError. `canal-fast --help` lists the commands; the manual is the folder docs of the source
distribution. Examples take `import canal_fast as cf` and `import numpy as np` for granted; drive.blf, car.dbc and
capture.sr in them stand for a recording, a database and a capture of your own.

Examples
--------
>>> frames = cf.read_log("drive.blf")
>>> engine = cf.load_database("car.dbc").plan().decode(frames)["Engine"]
>>> engine.columns["speed"].max().item()
1790.0
>>> starts, load = cf.wire.bus_load(frames, bitrate=500_000)
>>> load.round(3).tolist()
[0.026]
"""

from __future__ import annotations

import logging
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

logging.getLogger("canal_fast").addHandler(logging.NullHandler())


def get_include() -> str:
    """Folder to give a C compiler (`-I`) so that `#include <canal_fast/frame.h>` works.

    Installed wheels carry the headers; an editable install falls back to the source tree.

    Returns
    -------
    str
        Path of the folder.

    Examples
    --------
    >>> import os
    >>> os.path.isfile(os.path.join(cf.get_include(), "canal_fast", "frame.h"))
    True
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "include", here.parent / "include"):
        if (folder / "canal_fast" / "base.h").is_file():
            return str(folder)
    raise FileNotFoundError(f"the C headers are neither in {here / 'include'} nor in {here.parent / 'include'}")
