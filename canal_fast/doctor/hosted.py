"""The examination of a library that this Python cannot load itself, through a host process.

Reports as `examination.Examination` does, but sees what a Channel sees: no bare codes, no raw slots.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from canal_fast.drivers import _profiles
from canal_fast.errors import DriverError
from canal_fast.frames import FrameFlag, chosen, joined
from canal_fast.live.channel import Channel

__all__ = ["HostedExamination"]


@dataclasses.dataclass
class HostedExamination:
    """`run` reports for itself and raises nothing that a driver may cause."""

    report: Callable[[dict[str, Any]], None]
    options: dict[str, Any]
    step: str = "loading"

    def begin(self, step: str) -> None:
        self.step = step
        self.report({"begin": step})

    def facts(self, **facts: Any) -> None:
        self.report({"facts": facts})

    def run(self) -> None:
        try:
            self._run()
        except DriverError as error:
            if self.step == "loading" or error.operation == "load":
                self.facts(load_error=str(error))
            elif self.step == "CanalOpen" and error.status is not None:
                self.facts(open_error=str(error))
            else:
                self.facts(ended_how=str(error))
                return
        self.begin("end")

    def _run(self) -> None:
        options = self.options
        self.begin("CanalOpen")  # with loading before it, which has a limit of its own
        begun = time.monotonic()
        given = {name: options[name] for name in ("flags", "profile", "convention")}
        channel = Channel(options["path"], options["config"], bridge="always", **given)
        port = channel._open_port()
        exported = _profiles.exported(port.functions)
        self.facts(
            exports=exported,
            missing=[name for name, _ in _profiles.function_table() if name not in exported],
            extensions=_profiles.extensions(port.functions),
            convention=options["convention"],
            profile=channel._profile["name"],
            handle=1,
            host=port.host,
            open_s=time.monotonic() - begun,
        )
        self.listen(channel)
        self.begin("CanalGetVersion")
        driver = channel.driver
        self.facts(version=driver.version, dll_version=driver.dll_version, level=driver.level, vendor=driver.vendor)
        if "CanalGetStatus" in exported:
            self.begin("CanalGetStatus")
            status = channel.status()
            self.facts(status_code=0, channel_status=status.raw, status_text=status.text)
        self.begin("CanalClose")
        begun = time.monotonic()
        channel.close()
        self.facts(close_code=0, close_s=time.monotonic() - begun)

    def listen(self, channel: Channel) -> None:
        self.begin("CanalReceive")
        end = time.monotonic() + self.options["seconds"]
        parts, failure = [np.empty(0, channel._dtype)], None
        while failure is None and (left := end - time.monotonic()) > 0:
            try:
                parts.append(channel.receive(timeout=left))
            except DriverError as error:
                if error.status is None:
                    raise
                failure = error.status
        frames, ledger = joined(parts), channel.ledger()
        real = chosen(frames, frames["flags"] & FrameFlag.STATUS == 0)
        first = None
        if len(real):
            row = real[0]
            first = {name: int(row[name]) for name in ("arbitration_id", "flags", "dlc")} | {
                "data": row["data"].tobytes().hex()
            }
        layout = channel._open_port().snapshot()[1]
        self.facts(
            frames=len(real),
            status_messages=ledger.status_messages,
            malformed=ledger.malformed,
            queue_high_water=ledger.driver_queue_high_water,
            over_8=int((real["dlc"] > 8).sum()),
            failure=failure,
            first_frame=first,
            layout=layout,
            native_layout=layout,  # the host's, whose bitness may be another
            codes={},
            untouched=0,
            status_flags=0,
            garbage=False,
            tick_ns=None,
        )
