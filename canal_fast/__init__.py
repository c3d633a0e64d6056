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

What goes wrong in the library's own field is a CanalFastError; a wrong argument is a ValueError or TypeError, a file
that is not there an OSError. `canal-fast --help` lists the commands; the manual is the folder docs of the sources.
Examples take `import canal_fast as cf` and `import numpy as np` for granted; drive.blf, car.dbc and capture.sr in them
stand for a recording, a database and a capture of your own.

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

# What stands here is loaded when it is first used; `__init__.pyi` has the same names for type checkers and editors.

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from typing import Any

if find_spec("canal_fast._gate") is None:
    raise ImportError(
        f"{os.path.dirname(__file__)} has no compiled modules: it is the source tree and hides the installed package. "
        "Start Python in another folder, or with -P"
    )

from canal_fast._version import __version__  # noqa: F401

_WINGS = "analysis bittiming checksum logger logs physical plot report signals simulation waveform wire"
_MORE = "dataframes doctor drivers errors frames live messages"  # modules that are reached by themselves, too
_NAMES = {  # of each module
    "bittiming": "BitTiming BitTimingFd",
    "dataframes": "ArrowFrames from_arrow to_arrow to_pandas to_polars",
    "drivers.devices": "Device list_devices",
    "drivers.library": "DriverInfo",
    "errors": "BitTimingError BusOffError CanalFastError ChannelClosedError ChannelTimeoutError DatabaseError "
    "DriverError DriverNotFoundError FrameError LogFormatError SignalError SimulationError WireError",
    "frames": "FD_FRAME_DTYPE FRAME_DTYPE FrameArray FrameFlag check_frames make_frames payload_length",
    "live.channel": "Channel",
    "live.clock": "ChannelClock",
    "live.ledger": "ChannelStatus Ledger",
    "live.periodic": "PeriodicStatistics PeriodicTask",
    "logger": "play",
    "logs": "read_log write_log",
    "messages": "from_messages to_messages",
    "signals": "load_database",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = {*_WINGS.split(), *_MORE.split()}
_loading = threading.RLock()  # Python gives half of a package to threads that import parts of it at the same time

__all__ = sorted([*_HOMES, *_WINGS.split(), "__version__", "get_include"])

logging.getLogger("canal_fast").addHandler(logging.NullHandler())


@atexit.register
def _close_channels() -> None:
    """What a program registers after its import of canal_fast runs before, with its channels open."""
    opening = sys.modules.get("canal_fast.live.opening")
    if opening is not None:
        opening.close_all()


def __getattr__(name: str) -> Any:
    if name not in _MODULES and name not in _HOMES:
        raise AttributeError(f"module 'canal_fast' has no attribute {name!r}", name=name, obj=sys.modules[__name__])
    with _loading:
        if name in _MODULES:
            return import_module(f"canal_fast.{name}")  # which sets the name here
        return globals().setdefault(name, getattr(import_module(f"canal_fast.{_HOMES[name]}"), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MORE.split()})


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
    here = os.path.dirname(os.path.abspath(__file__))
    folders = [os.path.join(above, "include") for above in (here, os.path.dirname(here))]
    for folder in folders:
        if os.path.isfile(os.path.join(folder, "canal_fast", "base.h")):
            return folder
    raise FileNotFoundError(f"the C headers are neither in {folders[0]} nor in {folders[1]}")


if threading.active_count() > 1:  # each may import parts of it by itself, as unpickling does
    for _name in (*_WINGS.split(), *_HOMES):
        __getattr__(_name)
