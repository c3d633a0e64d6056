"""The names that users import: none comes or goes by itself."""

from __future__ import annotations

import ast
import importlib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

NAMES = {
    "canal_fast": """ArrowFrames BitTiming BitTimingError BitTimingFd BusOffError CanalFastError Channel ChannelClock
        ChannelClosedError ChannelStatus ChannelTimeoutError DatabaseError Device DriverError DriverInfo
        DriverNotFoundError FD_FRAME_DTYPE FRAME_DTYPE FrameArray FrameError FrameFlag Ledger LogFormatError
        PeriodicStatistics PeriodicTask SignalError SimulationError WireError __version__ analysis bittiming
        check_frames checksum from_arrow from_messages get_include list_devices load_database logger logs make_frames
        payload_length physical play plot read_log report signals simulation to_arrow to_messages to_pandas to_polars
        waveform wire write_log""",
    "canal_fast.analysis": """Comparison DISTURBANCE_DTYPE FINDING_DTYPE GATEWAY_DTYPE Groups ID_DTYPE LoadForecast
        Message PERIODS_DTYPE ResponseTime ResponseTimes SCHEDULE_DTYPE Schedule Statistics between bus_order_key
        changes concatenate forecast_load gateway_delays group_by_id latest learn_schedule merge payload_view periods
        resample response_times timed_messages AcceptanceFilters BxcanBank BxcanFilters Mailbox MailboxFilters
        McanElement McanFilters Mcp2515Filters Mcp2517fdFilters Sja1000Filters SocketcanFilters accepts match_index
        DesignedFilter FilterDesign design_filters""",
    "canal_fast.plot": """bit_timings bus_load critical_instant error_counters eye frame_bits id_raster new_figure
        node_edges node_levels periods response_times signals wave_bits""",
    "canal_fast.report": "write_report",
    "canal_fast.wire": """Decoded WireStatus bus_load decode destuff draw encode encode_stream fields frame_duration_ns
        frame_length_bits stuff stuff_bit_count""",
    "canal_fast.bittiming": """BitTiming BitTimingFd CONTROLLERS ControllerLimits Margin Segments TIMING_DTYPE Tolerance
        best solve solve_fd solve_many usb2can_timing""",
    "canal_fast.logs": """Account LogFile LogFormat LogInterface ParquetAccount Recorder Repair batches convert
        format_candump formats open_log read_log repair to_parquet write_log""",
    "canal_fast.logger": "Lateness Logger PlayResult Player play",
    "canal_fast.signals": """Checksum Counter Database DecodeCounts Latest Message Plan Problem Signal Table Tables
        load_database to_parquet""",
    "canal_fast.simulation": "Bus EDGE_DTYPE EVENT_DTYPE EdgeKind Event FIELDS Node NodeState Run Scenario",
    "canal_fast.waveform": """Candidate Decoded Detection Phase Rates Trace Wave WaveStatus batches decode
        detect_bitrate draw draw_eye from_samples read synthesise trace_frame""",
    "canal_fast.testing": "can_bus can_frames can_recording load_frames",
    "canal_fast.checksum": "crc15 crc15_bits crc15_frames crc17 crc17_bits crc17_frames crc21 crc21_bits crc21_frames",
    "canal_fast.physical": """cable_delay_ns propagation_budget_ns rate_times_length_m recommended_length_m
        split_termination_corner_hz stub_length_m RECOMMENDED_LENGTHS StubLength rate_times_length_warning
        stub_lengths_m""",
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
    assert set(NAMES[module].split()) == set(found.__all__)
    assert not [name for name in found.__all__ if not hasattr(found, name)]


WINGS = sorted((Path(__file__).parents[2] / "canal_fast").glob("*/__init__.py"))


@pytest.mark.parametrize(
    "path", [path for path in WINGS if "later(" in path.read_text("utf-8")], ids=lambda p: p.parent.name
)
def test_a_wing_says_the_same_names_three_times(path: Path) -> None:
    """To type checkers by imports, to `import *`, and to who asks for a name."""
    wing = importlib.import_module(f"canal_fast.{path.parent.name}")
    branches = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.If)]
    imports = [node for branch in branches for node in branch.body if isinstance(node, ast.ImportFrom)]
    told = {alias.name: node.module for node in imports for alias in node.names}
    assert set(told) == set(wing.__all__) <= set(dir(wing))
    modules = {row.stem for row in path.parent.glob("*.py")}  # as written: Windows finds files in any case
    assert not modules & set(told)  # importing one would put it in the name's place
    for name, module in told.items():
        home = importlib.import_module(f"{wing.__name__}.{module}")
        assert getattr(wing, name) is getattr(home, name)
    with pytest.raises(AttributeError, match=f"module '{wing.__name__}' has no attribute 'nonsense'"):
        wing.nonsense  # noqa: B018


@pytest.mark.parametrize("group", ENTRIES)
def test_entry_points(group: str) -> None:
    ours = {e.name: e.value for e in entry_points(group=group) if e.value.startswith("canal_fast")}
    assert ENTRIES[group].items() <= ours.items()
