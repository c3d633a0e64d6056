"""A few lines of each command: at the end of its --help, and in its manual page. (what it does, line)"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "log": (
        ("print what is on can0", "log --source socketcan:can0"),
        ("record it, and the loss account at the end", "log --source socketcan:can0 -o drive.pcapng -v"),
        ("an 8devices USB2CAN adapter on Windows", "log --serial ED000200 --bitrate 500000 -o drive.blf"),
        (
            "two buses, a file an hour",
            "log --source socketcan:can0 --source socketcan:can1 --rotate-s 3600 -o can-{n}.blf",
        ),
        ("without hardware", 'log --source "virtual:bus0;500000;load=0.5" --duration 10 -o trial.pcapng'),
    ),
    "monitor": (
        ("a bus", "monitor --source socketcan:can0 --dbc car.dbc"),
        ("a recording, once", "monitor drive.blf --once"),
    ),
    "dump": (
        ("as candump text", "dump drive.blf"),
        ("what the recording holds", "dump --info drive.blf"),
        ("some identifiers", "dump drive.blf --filter 100:7F0 --frames 20"),
    ),
    "stat": (
        ("identifiers and bus load", "stat drive.blf"),
        ("the five that load the bus most", "stat drive.blf --sort load --top 5"),
    ),
    "report": (("one page to send", "report drive.blf --dbc car.dbc -o drive.html"),),
    "convert": (
        ("BLF to ASC", "convert drive.blf drive.asc"),
        ("one after another into a folder", "convert day1.blf day2.blf asc --to asc"),
        ("two seconds of one channel", "convert drive.blf part.pcapng --start 2 --stop 4 --channels 0"),
    ),
    "cut": (("ten seconds", "cut drive.blf part.blf --start 5 --stop 15"),),
    "merge": (("two loggers' files by time", "merge left.blf right.blf both.blf --offset right.blf=-0.25"),),
    "repair": (
        ("what there is to repair", "repair drive.pcapng"),
        ("a repaired copy", "repair drive.pcapng -o whole.pcapng"),
    ),
    "decode": (
        ("each frame with its signals", "decode drive.blf --dbc car.dbc"),
        ("one signal as a table", "decode drive.blf --dbc car.dbc --signal EngineData.EngineSpeed -o speed.csv"),
        ("as a picture", "decode drive.blf --dbc car.dbc --signal EngineSpeed --plot speed.png"),
    ),
    "formats": (("all", "formats"),),
    "play": (
        ("onto can0, at its own pace", "play drive.blf --source socketcan:can0"),
        ("one of two channels", "play drive.blf --source socketcan:can0 --map engine=can0"),
    ),
    "waveform": (
        ("frames of a logic analyser's capture", "waveform capture.sr"),
        ("as a recording", "waveform capture.sr --bitrate 500000 -o capture.pcapng"),
    ),
    "simulate": (("a scenario of nodes and faults", "simulate scenario.toml --events events.csv"),),
    "timing": (
        ("500 kbit/s on an MCP2515 at 8 MHz", "timing 500000 --limits mcp251x --f-clock 8000000"),
        ("CAN FD", "timing 500000 --data-bitrate 2000000 --limits mcp251xfd"),
    ),
    "response": (
        ("of a database", "response --dbc car.dbc --bitrate 500000"),
        ("beside a recording", "response --dbc car.dbc --bitrate 500000 --log drive.blf --channel 0"),
    ),
    "filters": (
        ("for an MCP2515", "filters --ids 100-10F,123 --controller mcp2515"),
        ("counted on a recording", "filters --dbc car.dbc --controller bxcan --traffic drive.blf"),
    ),
    "doctor": (
        ("a driver with its adapter", 'doctor usb2can.dll --config "ED000200;500"'),
        ("how it looks when all is well", 'doctor virtual --config "bus0;500000;load=0.5"'),
    ),
    "list": (("all", "list"),),
}
