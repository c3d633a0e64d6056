"""`canal-fast report`: what the page says, also of bad input; and that it needs and obeys nobody else."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import NAMES, TEXTS, write_hostile
from html_pages import Page

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.report import write_report
from canal_fast.report.text import name

F = cf.FrameFlag
START = 1_764_150_000_000_000_000


def report(path: Path, *options: str, code: int = 0) -> Page:
    """The page that the command makes of the recording."""
    out = path.with_name("report.html")
    assert main(["report", str(path), "-o", str(out), "--force", *options]) == code
    return Page(out.read_text(encoding="utf-8"))


def recording(path: Path, count: int = 3000, **options: Any) -> Path:
    """Two buses for three seconds: error frames, gaps, a step of the clock."""
    frames = cf.make_frames(np.arange(count) % 7 + 0x100, b"12345678", channel=np.arange(count) % 2)
    frames["timestamp_ns"] = START + np.arange(count, dtype=np.int64) * (3_000_000_000 // count)
    frames["flags"][[500, 501, 2000]] = int(F.ERROR_FRAME)
    frames["arbitration_id"][[500, 501, 2000]] = 0x0C, 0x0C, 0x40
    frames["data"][[500, 501]] = 0, 0x20, 4, 0, 0, 0, 0, 0
    frames["flags"][[700, 1400]] = int(F.GAP)
    frames["flags"][900] = int(F.CLOCK_STEP)
    cf.write_log(path, frames, interfaces={0: ("engine", 500_000), 1: ("body", 125_000)}, **options)
    return path


def json_of(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    assert main(list(command)) == 0
    return json.loads(capsys.readouterr().out)


def test_it_says_what_stat_dump_and_the_ledger_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "live.pcapng"
    with (
        cf.Channel.virtual("reportbus;1000000;load=0.5;seed=1;frames=400") as channel,
        cf.logs.Recorder(path, interfaces={0: ("reportbus", 1_000_000)}) as recorder,
    ):
        received = 0
        while received < 400:
            batch = channel.receive(400 - received, min_frames=1, timeout=10)
            recorder.write(batch)
            received += len(batch)
        ledger = channel.ledger()
        recorder.write_statistics(ledger)
    for source in (path, recording(tmp_path / "marked.pcapng")):
        data = report(source).data
        capsys.readouterr()
        stat = json_of(capsys, "stat", str(source), "--json")
        assert data["file"] == json_of(capsys, "dump", str(source), "--info", "--json")
        rows = [dict(zip(data["ids"]["columns"], row, strict=True)) for row in data["ids"]["rows"]]
        assert rows == stat.pop("ids")
        assert [bus.pop("too_full") for bus in data["summary"]["channels"]] == [False] * len(stat["channels"])
        assert data["summary"] == stat
        peaks = {row["channel"]: max(row["peak"]) for row in data["load"]}
        assert peaks == pytest.approx({bus["channel"]: bus["peak_load"] for bus in stat["channels"]}, rel=1e-5)
    data = report(path).data
    (counters,) = data["file"]["interfaces"]
    assert counters["ifrecv"] == ledger.received + (ledger.driver_overruns or 0) == 400
    assert counters["osdrop"] == ledger.dropped
    assert counters["usrdeliv"] == ledger.delivered == data["summary"]["frames"] == 400


def test_what_stands_on_the_page_is_what_its_data_say(tmp_path: Path) -> None:
    page = report(recording(tmp_path / "x.pcapng"))
    words = page.words
    assert "2\N{NARROW NO-BREAK SPACE}997" in words
    assert [row["error_frames"] for row in page.data["errors"]["lines"]] == [2, 1]
    assert [(row["name"], row["state"]) for row in page.data["errors"]["states"]] == [
        ("engine", "error passive"),
        ("body", "error passive"),
        ("engine", "bus off"),
    ]
    classes = {(row["name"], row["class"]): row["count"] for row in page.data["errors"]["classes"]}
    assert classes["body", "protocol violation: stuff"] == 1
    assert classes["engine", "bus off"] == 1
    clock = page.data["clock"]
    assert (clock["gaps_total"], clock["steps_total"], clock["backwards"]) == (2, 1, 0)
    assert clock["gaps"][0] == {"channel": 0, "at_ns": START + 700_000_000, "after_ns": START + 699_000_000}
    assert "2025-11-26 09:40:00.000000 UTC" in words
    assert "Frames were lost at 2 places" in words
    assert "was set 1 time." in words


def test_nothing_of_it_comes_from_elsewhere(tmp_path: Path) -> None:
    page = report(recording(tmp_path / "x.pcapng"))
    for tag, attributes in page.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert not {"src", "srcset", "action"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert not [one for one in attributes if one.startswith("on")]
    assert "url(" not in page.styles
    assert "@import" not in page.styles
    (policy,) = (row["content"] for row in page.of("meta") if row.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_it_can_be_read_by_everybody(tmp_path: Path) -> None:
    page = report(recording(tmp_path / "x.pcapng"))
    assert page.of("html")[0]["lang"] == "en"
    tables, heads = page.of("table"), [row for row in page.of("th")]
    assert len(page.of("caption")) == len(tables) > 5
    assert all(row.get("scope") in {"col", "row"} for row in heads)
    ids = {row["id"] for _, row in page.tags if row.get("id")}
    images = [row for row in page.of("svg") if row.get("role") == "img"]
    assert len(images) == 4
    for row in images:
        assert set((row["aria-labelledby"] or "").split()) <= ids
    assert len(page.of("desc")) == 4
    assert {row["for"] for row in page.of("label")} <= ids
    assert [row["href"] for row in page.of("a") if (row["href"] or "")[1:] not in ids] == []


def test_a_hostile_recording_stays_text(tmp_path: Path) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    path, database = write_hostile(tmp_path)
    page = report(path, "--dbc", str(database))
    assert [kind for kind, _ in page.scripts] == ["application/json", None]
    assert not page.of("img")
    assert not [row for _, row in page.tags if any(one.startswith("on") for one in row)]
    for text in (*NAMES[:3], *TEXTS):
        assert text in page.words
    assert "{{data}}\\u2028&lt;b&gt;\\u202e" in page.words
    assert [bus["name"] for bus in page.data["summary"]["channels"]] == NAMES
    assert page.data["signals"]["messages"][0]["signals"][0]["unit"] == TEXTS[0]


def test_a_name_without_end_is_cut() -> None:
    assert name("n" * 30_000) == f"<bdi>{'n' * 79}\N{HORIZONTAL ELLIPSIS}</bdi>"


def test_an_empty_recording(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"")
    page = report(path)
    assert "This recording holds no CAN frames." in page.words
    assert page.data["summary"]["frames"] == 0
    assert page.data["load"] == []


def test_a_recording_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ethernet.pcap"
    packets = b"".join(struct.pack("<IIII", second, 0, 60, 60) + bytes(60) for second in range(3))
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + packets)
    page = report(path, code=1)
    assert "holds no CAN frames; 3 items in it are of other kinds" in page.words
    assert "skipped" in capsys.readouterr().err


def test_a_recording_without_rates_has_no_load(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("".join(f"({1436509052 + n / 100:.6f}) can0 123#01\n" for n in range(300)))
    page = report(path)
    assert "No bit rate is known of can0" in page.words
    (bus,) = page.data["summary"]["channels"]
    assert (bus["bitrate"], bus["load"], bus["peak_load"]) == (None, None, None)
    assert page.data["load"][0]["quantity"] == "frames_per_s"
    assert max(page.data["load"][0]["peak"]) == 100
    assert "frames per second (bit rate not known)" in page.words
    page = report(path, "--bitrate", "500000")
    assert page.data["summary"]["channels"][0]["bitrate_from"] == "given"
    assert page.data["load"][0]["quantity"] == "load"
    assert "No bit rate is known" not in page.words


def test_a_second_rate_that_is_not_known(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2], b"x" * 64, flags=int(F.FD | F.BITRATE_SWITCH), fd=True, timestamp_ns=[0, 10**9])
    path = tmp_path / "fd.pcapng"
    cf.write_log(path, frames, interfaces={0: ("can0", 500_000)})
    assert "whose second rate is not known" in report(path).words
    assert report(path, "--data-bitrate", "2000000").data["summary"]["channels"][0]["load"] > 0


def test_a_load_that_cannot_be(tmp_path: Path) -> None:
    frames = cf.make_frames(np.full(2000, 0x123), b"12345678")
    frames["timestamp_ns"] = np.cumsum(cf.wire.frame_duration_ns(frames, 1_000_000))
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames, interfaces={0: ("engine", 500_000)})
    assert "is more than a bus can carry" in report(path).words


def test_a_recording_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(tmp_path / "x.pcapng")
    path.write_bytes(path.read_bytes()[:-7])
    page = report(path)
    assert "This recording is truncated" in page.words
    assert page.data["file"]["truncated"] is True
    assert "it is truncated" in capsys.readouterr().err


def test_damage_ends_it_unless_it_is_to_be_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"(1436509052.000000) can0 123#01\n" + bytes(64) + b"\n(1436509053.000000) can0 123#01\n")
    out = tmp_path / "out.html"
    assert main(["report", str(path), "-o", str(out)]) == 1
    assert "line 2" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.html")) + list(tmp_path.glob("*.part"))
    assert (
        "passed over" in report(path, "--errors", "skip").words or "skipped" in report(path, "--errors", "skip").words
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    path = tmp_path / "x.dbc"
    path.write_text(
        'VERSION ""\n\nBU_: A\n\nBO_ 256 Engine: 8 A\n SG_ Speed : 0|16@1+ (0.25,-10) [0|0] "rpm" A\n'
        ' SG_ Gear : 16|8@1+ (1,0) [0|0] "" A\n\nBO_ 1900 Absent: 8 A\n SG_ Never : 0|8@1+ (1,0) [0|0] "" A\n\n'
        'VAL_ 256 Gear 51 "third" ;\n'
    )
    return path


def test_signals_are_what_decoding_gives(tmp_path: Path, database: Path) -> None:
    frames = cf.make_frames(np.full(5000, 256), np.random.default_rng(1).integers(0, 256, (5000, 8), np.uint8))
    frames["timestamp_ns"] = START + np.arange(5000, dtype=np.int64) * 1_000_000
    path = tmp_path / "x.pcapng"
    cf.write_log(path, frames)
    found = report(path, "--dbc", str(database)).data["signals"]
    (message,) = found["messages"]
    assert (message["name"], message["frames"], found["messages_absent"]) == ("Engine", 5000, 1)
    columns = cf.load_database(database).plan().decode(frames)["Engine"].columns
    for one in message["signals"]:
        values = columns[one["name"]].astype(float)
        assert (one["min"], one["max"], one["last"]) == (values.min(), values.max(), values[-1])
        assert one["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert one["values"] == 5000


def test_signals_that_are_not_there_are_said_so(
    tmp_path: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording(tmp_path / "x.pcapng")
    page = report(path, "--dbc", str(database), "--signal", "Sped", "--signal", "Gear")
    assert "has no signal 'Sped'; did you mean 'Speed'?" in page.words
    assert [one["name"] for one in page.data["signals"]["messages"][0]["signals"]] == ["Gear"]
    assert "third" in page.words
    assert "Sped" in capsys.readouterr().err
    page = report(path, "--dbc", str(database), "--signal", "Never")
    assert "No message of the database is in this recording." in page.words
    page = report(path, "--dbc", str(database), "--signal", "nothing")
    assert "Nothing can be decoded with" in page.words


def test_identifiers_bear_the_names_of_their_messages(tmp_path: Path, database: Path) -> None:
    """Exact identifiers; with --j1939 those of the parameter group, whoever sent it."""
    ids = np.array([0x100, 0x0CF00400, 0x18F0040A, 0x18EF0A00])
    flags = np.where(ids > 0x7FF, int(F.EXTENDED_ID), 0)
    path = tmp_path / "x.pcapng"
    cf.write_log(path, cf.make_frames(ids, b"12345678", flags=flags, timestamp_ns=START))
    database.write_text(
        database.read_text().replace("BO_ 1900 Absent", f"BO_ {0x0CF004FE | 1 << 31} Shaft").replace("Never", "Torque")
    )
    page = report(path, "--dbc", str(database), "--j1939")
    finds = [row["data-find"] for row in page.of("tr") if "data-find" in row]
    assert [(find or "").split()[1:] for find in finds] == [
        ["100", "Engine"], ["0CF00400", "Shaft"], ["18EF0A00"], ["18F0040A", "Shaft"],
    ]  # fmt: skip
    assert "PGN F004, 2 frames" in page.words


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAIRS = [  # of text 4.5, of what else says something 3
    *((text, back, 4.5) for text in ("text", "muted", "accent", "bad") for back in ("page", "surface", "hover")),
    ("warn-text", "warn-back", 4.5), ("page", "text", 4.5), ("control", "page", 3), ("peak", "page", 3),
    ("warn-line", "page", 3), ("accent", "page", 3), ("bad", "page", 3),
]  # fmt: skip


def test_contrast(tmp_path: Path) -> None:
    styles = report(recording(tmp_path / "x.pcapng")).styles
    themes = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root[^{]*\{([^}]*)\}", styles)
    ]
    assert len(themes) == 3
    assert themes[1] == themes[2] != themes[0]
    used = set(re.findall(r"var\(--([\w-]+)\)", styles))
    assert used == set(themes[0])
    for theme in themes[:2]:
        for one, other, least in PAIRS:
            light, dark = sorted((luminance(theme[one]), luminance(theme[other])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (one, other, theme[one], theme[other])


def test_a_page_stays_small(tmp_path: Path) -> None:
    """5000 identifiers on 200 buses."""
    count = 40_000
    frames = cf.make_frames(np.arange(count) % 5000 % 0x7FF, b"12345678", channel=np.arange(count) % 200)
    frames["timestamp_ns"] = START + np.arange(count, dtype=np.int64) * 1_000_000_000
    path = tmp_path / "wide.pcapng"
    cf.write_log(path, frames)
    out = tmp_path / "wide.html"
    found = write_report(path, out, bitrate=500_000)
    assert found["ids"]["left_out"] == found["summary"]["identifiers"] - 3000 > 0
    assert "more identifiers, with" in out.read_text(encoding="utf-8")
    assert out.stat().st_size < 5_000_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("report x.log", "-o/--output"),
        ("report nowhere.log -o x.html", "canal-fast report: nowhere.log: no such file or directory"),
        ("report x.log -o nowhere/x.html", "nowhere: no such folder"),
        ("report x.log -o .", "is a directory; give the page's name in it"),
        ("report x.log -o kept.html", "kept.html: the file exists; it is replaced with --force"),
        ("report x.log -o x.html --window 0", "argument --window: 0 s is not above 0"),
        ("report x.log -o x.html --signal S", "--signal chooses from a database: give it with --dbc"),
        ("report x.log -o x.html --bitrate 500", "did you mean 500000?"),
        ("report x.log -o x.log", "x.log: the file exists"),
        ("report x.log -o x.log --force", "the page would replace the recording"),
    ],
)
def test_mistakes(
    arguments: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.log").write_text("(1.000000) can0 123#01\n")
    Path("kept.html").write_text("kept")
    try:
        code = main(arguments.split())
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code in (1, 2)
    assert words in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"x.log", "kept.html"}
    assert Path("kept.html").read_text() == "kept"
    assert Path("x.log").read_text().startswith("(1.0")


def test_onto_standard_output(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = recording(tmp_path / "x.pcapng")
    assert main(["report", str(path), "-o", "-"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"<!DOCTYPE html>")
