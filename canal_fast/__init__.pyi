"""What `import canal_fast` offers, for type checkers and editors; at run time each name is loaded when first used."""

from canal_fast import (
    analysis as analysis,
    bittiming as bittiming,
    checksum as checksum,
    logger as logger,
    logs as logs,
    physical as physical,
    plot as plot,
    report as report,
    signals as signals,
    simulation as simulation,
    waveform as waveform,
    wire as wire,
)
from canal_fast._version import __version__ as __version__
from canal_fast.bittiming import BitTiming as BitTiming, BitTimingFd as BitTimingFd
from canal_fast.dataframes import (
    ArrowFrames as ArrowFrames,
    from_arrow as from_arrow,
    to_arrow as to_arrow,
    to_pandas as to_pandas,
    to_polars as to_polars,
)
from canal_fast.drivers.devices import Device as Device, list_devices as list_devices
from canal_fast.drivers.library import DriverInfo as DriverInfo
from canal_fast.errors import (
    BitTimingError as BitTimingError,
    BusOffError as BusOffError,
    CanalFastError as CanalFastError,
    ChannelClosedError as ChannelClosedError,
    ChannelTimeoutError as ChannelTimeoutError,
    DatabaseError as DatabaseError,
    DriverError as DriverError,
    DriverNotFoundError as DriverNotFoundError,
    FrameError as FrameError,
    LogFormatError as LogFormatError,
    SignalError as SignalError,
    SimulationError as SimulationError,
    WireError as WireError,
)
from canal_fast.frames import (
    FD_FRAME_DTYPE as FD_FRAME_DTYPE,
    FRAME_DTYPE as FRAME_DTYPE,
    FrameArray as FrameArray,
    FrameFlag as FrameFlag,
    check_frames as check_frames,
    make_frames as make_frames,
    payload_length as payload_length,
)
from canal_fast.live.channel import Channel as Channel
from canal_fast.live.clock import ChannelClock as ChannelClock
from canal_fast.live.ledger import ChannelStatus as ChannelStatus, Ledger as Ledger
from canal_fast.live.periodic import PeriodicStatistics as PeriodicStatistics, PeriodicTask as PeriodicTask
from canal_fast.logger import play as play
from canal_fast.logs import read_log as read_log, write_log as write_log
from canal_fast.messages import from_messages as from_messages, to_messages as to_messages
from canal_fast.signals import load_database as load_database

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

def get_include() -> str: ...
