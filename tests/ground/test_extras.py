"""What needs a package that is not installed says which extra brings it."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import canal_fast as cf
from canal_fast.bittiming.drawing import plot


def wave() -> cf.waveform.Wave:
    return cf.waveform.synthesise(cf.make_frames([1], b"12"), 500_000)


def simulated() -> cf.simulation.Run:
    bus = cf.simulation.Bus()
    bus.node("a")
    return bus.run(bits=100)


CALLS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("matplotlib", "plot", lambda p: cf.wire.draw(cf.make_frames([1]), plot=p)),
    ("matplotlib", "plot", lambda p: plot(cf.bittiming.solve(500_000, limits="usb_8dev"), p, "x")),
    ("matplotlib", "plot", lambda p: simulated().draw(plot=p)),
    ("matplotlib", "plot", lambda p: cf.waveform.draw(wave(), cf.waveform.decode(wave(), 500_000), 0, p)),
    ("matplotlib", "plot", lambda p: cf.waveform.draw_eye(wave(), cf.waveform.decode(wave(), 500_000), p)),
    ("cantools", "dbc", lambda p: cf.load_database(p)),
    ("can", "can", lambda p: cf.to_messages(cf.make_frames([1]))),
]


@pytest.mark.parametrize(("package", "extra", "call"), CALLS)
def test_the_extra_is_named(
    package: str, extra: str, call: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=rf"pip install 'canal_fast\[{extra}\]'"):
        call(tmp_path / "x.png")
