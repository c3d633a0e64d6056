"""Scenario files and `canal-fast simulate`: the examples give what they say, mistakes are named with their line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.errors import SimulationError
from canal_fast.simulation.scenario import Scenario

# Example: for each node (sent, received, errors, times off, TEC, REC, state).
OUTCOMES = {
    "01_quiet_bus": [(10, 6, 0, 0, 0, 0, "ACTIVE"), (4, 12, 0, 0, 0, 0, "ACTIVE"), (2, 14, 0, 0, 0, 0, "ACTIVE")],
    "02_bit_error": [(5, 3, 1, 0, 3, 0, "ACTIVE"), (3, 5, 1, 0, 0, 0, "ACTIVE"), (0, 8, 1, 0, 0, 0, "ACTIVE")],
    "03_no_acknowledge": [(0, 0, None, 0, 128, 0, "PASSIVE")],
    "04_bus_off_and_recovery": [(30, None, 32, 1, 0, 0, "ACTIVE"), None, None],
    "05_bus_off_on_request": [(0, 0, 32, 1, 256, 0, "BUS_OFF"), (0, 0, 32, 0, 0, 32, "ACTIVE")],
    "06_double_receive": [(5, 3, 1, 0, 3, 0, "ACTIVE"), (3, 6, 0, 0, 0, 0, "ACTIVE"), (0, 9, 0, 0, 0, 0, "ACTIVE")],
    "07_local_error_at_receiver": [(10, 5, 10, 0, 70, 0, "ACTIVE"), (5, 10, 10, 0, 0, 0, "ACTIVE"), None],
    "08_error_passive_receiver": [(10, 0, 0, 0, 0, 0, "ACTIVE"), (0, 10, 0, 0, 0, 0, "ACTIVE"), None],
    "09_bus_off_attack": [(0, None, None, None, 256, 0, "BUS_OFF"), (20, 0, None, 0, 0, 255, "PASSIVE"), None],
    "10_stuck_dominant": [(20, 10, 1, 0, 0, None, "WARNING"), None, (0, 30, 1, 0, 0, None, "WARNING")],
    "11_clocks_too_far_apart": [(6, 0, 13, 0, 102, 0, "WARNING"), (0, 6, 13, 0, 0, 67, "ACTIVE")],
}
KEYS = ("sent", "received", "errors", "times_off", "tec", "rec", "state")


@pytest.fixture
def examples(tree: Path) -> Path:
    return tree / "examples" / "simulation"


def test_every_example_is_here(examples: Path) -> None:
    assert {path.stem for path in examples.glob("*.toml")} == OUTCOMES.keys()


@pytest.mark.parametrize("name", OUTCOMES)
def test_examples(name: str, examples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, events = tmp_path / "out.pcapng", tmp_path / "events.csv"
    arguments = ["simulate", str(examples / f"{name}.toml"), "-o", str(out), "--events", str(events), "--json"]
    assert main(arguments) == 0
    rows = json.loads(capsys.readouterr().out)["nodes"]
    assert len(rows) == len(OUTCOMES[name])
    for row, outcome in zip(rows, OUTCOMES[name], strict=True):
        for key, value in zip(KEYS, outcome or (), strict=False):
            assert value is None or row[key] == value, (row["name"], key)
    with cf.logs.open_log(out) as log:
        sum(len(batch) for batch in log.batches())
        written = {interface.name: interface.frames for interface in log.interfaces}
    assert written.keys() <= {row["name"] for row in rows}
    assert sum(written.values()) >= sum(row["sent"] + row["received"] + row["errors"] for row in rows)
    with events.open() as file:
        kinds = [row["event"] for row in csv.DictReader(file)]
    assert kinds.count("SENT") == sum(row["sent"] for row in rows)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("timing = { f_clock = 8_000_000, brp = 1, tseg1 = 12, tseg2 = 3 }", "line 5: timing has no sjw"),
        ("timing = { f_clock = 8_000_000, quanta = 16 }", "line 5: unknown key 'quanta' of timing"),
        ("timing = 16", "line 5: 16 stands where the keys of timing are expected"),
        (
            "timing = { f_clock = 8_000_000, brp = 1, tseg1 = 12, tseg2 = 3, sjw = 4 }",
            "timing: sjw = 4, allowed 1..3",
        ),
        ("data_timing = { f_clock = 8_000_000, brp = 1, tseg1 = 5, tseg2 = 2, sjw = 1 }", "data_timing needs a timing"),
        ("clock_ppm = 1e6", "line 5: node 'a': clock_ppm = 1000000.0, allowed -100000..100000"),
        ("delay_ns = -3", "line 5: node 'a': delay_ns = -3, allowed 0..1000000"),
        ('tdc = "on"', "line 5: tdc = 'on' is neither true nor false"),
    ],
)
def test_clocks_that_cannot_be(keys: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "clocks.toml"
    path.write_text(f'bits = 100\n\n[[node]]\nname = "a"\n{keys}\n')
    with pytest.raises(SimulationError, match=message):
        Scenario.read(path).run()


def test_warnings_are_told(examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(examples / "11_clocks_too_far_apart.toml"), "--draw"]) == 0
    said = capsys.readouterr()
    assert "warning: node 'engine': clock_ppm = 9000 is beyond what its timing tolerates, 3125 ppm" in said.err
    assert "one column is 2000 ns" in said.out


def test_text_and_drawing(examples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(examples / "02_bit_error.toml"), "--draw", "--bits", "100"]) == 0
    said = capsys.readouterr().out
    assert "engine (receiver): arbitration lost at id" in said
    assert said.splitlines()[-4].startswith("node")
    assert "one disturbed bit: 2500 bits, 5.000 ms at 500000 bit/s" in said


NODE = '\n[[node]]\nname = "a"\n'
MESSAGE = "[[node.message]]\nid = 1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bits = 10\nbitrat = 5\n" + NODE, "line 2: unknown key 'bitrat' of a scenario"),
        ("bits = 10" + NODE + "mod = 1\n", "line 4: unknown key 'mod' of a node"),
        ("bits = 10" + NODE + MESSAGE + "datum = 1\n", "line 6: unknown key 'datum' of a message"),
        ("bits = 10" + NODE + "[[node.message]]\ndata = '00'\n", "message of node 'a' has no id"),
        ("bits = 10\nduration = '1 ms'" + NODE, "needs one of bits = N and duration"),
        ("title = 'x'" + NODE, "needs one of bits = N and duration"),
        ("duration = '1 hour'" + NODE, "line 1: duration = '1 hour' is not a time such as"),
        ("bits = -1" + NODE, "line 1: bits = -1 is not a whole number"),
        ("bits = 10\n", r"needs at least one \[\[node\]\]"),
        ("bits = 10" + NODE + NODE, "node name 'a' is taken"),
        ("bits = 10\nfaults = ['bit 5 dominante']" + NODE, "line 2: fault, column 7: 'dominante': expected"),
        ("bits = 10\nfaults = ['bit 50 dominant']" + NODE, "line 2: fault 'bit 50 dominant' is outside the run"),
        ("bits = 10\nfaults = ['bit 5 dominant at b']" + NODE, "line 2: fault.*expected the name of a node"),
        ("bits = 10" + NODE + MESSAGE + "data = 'xy'\n", "line 6: data = 'xy' is not hexadecimal"),
        ("bits = 10" + NODE + "[[node.message]]\nid = 5000\n", "line 5: id does not fit .* id = 0x1388, allowed 0"),
        ("bits = 10" + NODE + MESSAGE + "data = '" + 9 * "00" + "'\n", "line 6: data has 9 bytes"),
        ("bits = 10" + NODE + MESSAGE + "period = '1 ms'\n" + MESSAGE + "period = 'x'\n", "line 9: period = 'x'"),
        ("bits = 10" + NODE + MESSAGE + "fd = 1\n", "line 6: fd = 1 is neither true nor false"),
        ("bits = 10" + NODE + "one_shot = 'yes'\n", "line 4: one_shot = 'yes' is neither"),
        ("bits = 10" + NODE + "message = 5\n", "line 4: messages begin with"),
        ("bits = 10" + NODE + "tec = 'high'\n", "line 4: tec must be a number, not str"),
        ("bits = 10" + NODE + "[[node]]\n", "line 4: node 2 has no name"),
        ("bits = 10" + NODE + "mode = 'loud'\n", "line 4: mode"),
        ("bits = 10\nbitrate = 0" + NODE, "line 2: bitrate = 0, allowed 1000"),
        ("bits = 1000000000000" + NODE, "line 1: bits: 1000000000000 bits, allowed 0..1000000000"),
        ("bits = 10\nnode = [5]\n", "line 2: 5 stands where the keys of a node are expected"),
        ("bits = [", "Invalid"),
    ],
)  # fmt: skip
def test_mistakes(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SimulationError, match=words) as refused:
        Scenario.read(path).run()
    assert str(refused.value).startswith(str(path))
    assert main(["simulate", str(path)]) == 1
    assert str(path) in capsys.readouterr().err
    path.write_bytes(b"title = '\xff'\n")
    with pytest.raises(SimulationError, match="byte 9 is not UTF-8 text"):
        Scenario.read(path)
