"""The examples of services are command lines that the parser takes."""

from __future__ import annotations

import argparse
import configparser
import re
import shutil
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import pytest

from canal_fast.cli.parsers import log

UNIT = "examples/service/canal-fast-log.service"
TASK = "examples/service/canal-fast-log.xml"


def parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    log.add_parser(parser.add_subparsers())
    return parser.parse_args(words)


def unit(tree: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, delimiters="=", strict=True)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(re.sub(r"\\\n\s*", " ", (tree / UNIT).read_text()))
    return found


def test_the_unit(tree: Path) -> None:
    service = unit(tree)["Service"]
    command, *words = service["ExecStart"].split()
    assert command.endswith("/canal-fast")
    args = parsed(words)
    assert (service["Type"], args.reopen, args.on_full, args.fsync) == ("notify", True, "oldest", 10)
    assert args.stats_json.startswith(f"/run/{service['RuntimeDirectory']}/")
    assert args.output.startswith(f"/var/log/{service['LogsDirectory']}/")
    assert "HUP" in service["ExecReload"]


def test_systemd_takes_it(tree: Path, tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("NOT RUN: no systemd-analyze")
    path = tmp_path / "canal-fast-log.service"
    path.write_text((tree / UNIT).read_text().replace("/usr/local/bin/canal-fast", "/bin/true"))
    done = subprocess.run([tool, "verify", path], capture_output=True, text=True)
    assert path.name not in done.stderr, done.stderr


def test_the_task(tree: Path) -> None:
    task = xml.etree.ElementTree.parse(tree / TASK)
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    arguments = task.findtext(".//t:Arguments", namespaces=space)
    assert arguments is not None
    args = parsed(arguments.split())
    assert [(row.kind, row.config, row.bitrate) for row in args.source] == [("usb2can", "ED000200", 500_000)]
    assert args.keep == 500
    assert task.findtext(".//t:ExecutionTimeLimit", namespaces=space) == "PT0S"
