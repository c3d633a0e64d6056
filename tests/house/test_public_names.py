"""The names that users import: none goes away by itself."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

import pytest

NAMES = {
    "canal_fast": """BitTiming BitTimingError BitTimingFd BusOffError CanalFastError Channel ChannelClock
        ChannelClosedError ChannelStatus ChannelTimeoutError Device DriverError DriverInfo DriverNotFoundError
        FD_FRAME_DTYPE FRAME_DTYPE FrameArray FrameError FrameFlag Ledger LogFormatError PeriodicStatistics PeriodicTask
        WireError __version__ bittiming check_frames checksum from_messages get_include list_devices logs make_frames
        payload_length physical read_log to_messages wire write_log DatabaseError SignalError load_database signals
        ArrowFrames analysis from_arrow to_arrow to_pandas to_polars""",
    "canal_fast.analysis": """Groups ID_DTYPE PERIODS_DTYPE Statistics between changes concatenate group_by_id latest
        merge payload_view periods resample""",
    "canal_fast.wire": """Decoded WireStatus bus_load decode destuff draw encode frame_duration_ns frame_length_bits
        stuff stuff_bit_count""",
    "canal_fast.bittiming": """BitTiming BitTimingFd CONTROLLERS ControllerLimits Segments TIMING_DTYPE Tolerance best
        solve solve_fd solve_many usb2can_timing""",
    "canal_fast.logs": "LogFile LogInterface Recorder batches format_candump open_log read_log write_log",
    "canal_fast.signals": """Checksum Counter Database DecodeCounts Latest Message Plan Problem Signal Table Tables
        load_database""",
    "canal_fast.checksum": "crc15 crc15_bits crc15_frames crc17 crc17_bits crc17_frames crc21 crc21_bits crc21_frames",
    "canal_fast.physical": """cable_delay_ns propagation_budget_ns rate_times_length_m recommended_length_m
        split_termination_corner_hz stub_length_m""",
    "canal_fast.doctor": "Diagnosis diagnose",
}
ENTRIES = {
    "console_scripts": {"canal-fast": "canal_fast.__main__:main"},
    "can.interface": {
        "canal_fast": "canal_fast.python_can.bus:CanalBus",
        "canal": "canal_fast.python_can.bus:CanalBus",
    },
    "can.io.message_reader": {".pcapng": "canal_fast.python_can.recording:PcapngReader"},
    "can.io.message_writer": {".pcapng": "canal_fast.python_can.recording:PcapngWriter"},
}


@pytest.mark.parametrize("module", NAMES)
def test_names(module: str) -> None:
    found = importlib.import_module(module)
    assert set(NAMES[module].split()) <= set(found.__all__)
    assert not [name for name in found.__all__ if not hasattr(found, name)]


@pytest.mark.parametrize("group", ENTRIES)
def test_entry_points(group: str) -> None:
    ours = {e.name: e.value for e in entry_points(group=group) if e.value.startswith("canal_fast")}
    assert ENTRIES[group].items() <= ours.items()
