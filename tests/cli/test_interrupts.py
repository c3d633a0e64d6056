"""Ctrl-C before a command has begun."""

from __future__ import annotations

import pytest

import canal_fast.__main__ as command


def test_while_the_line_is_parsed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "command_line", interrupted)
    monkeypatch.setattr(command, "_discard_output", lambda: None)
    assert command.main(["formats"]) == 130
    assert capfd.readouterr() == ("", "")
