"""A truck's J1939 log to engine speed, temperatures and a picture.

    pip install 'canal_fast[dbc,plot]'
    python examples/j1939_engine_speed.py [PICTURE.png]

J1939 messages are matched by their parameter group: the databases say 0CF004FE, the truck's engine sends 0CF00400.
Priority, source and destination are columns beside the signals. In this recording the ignition is on and the engine
stands, still warm: its speed is 0 rpm, which is a measured value, and not "not available".
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import canal_fast as cf

DATA = Path(__file__).resolve().parent / "data"


def main(picture: str) -> None:
    speeds, temperatures = (cf.load_database(DATA / name) for name in ("j1939_demo.dbc", "j1939_et1.dbc"))
    database = cf.signals.Database([*speeds.messages, *temperatures.messages])
    plan = database.plan(j1939=True, j1939_nulls=True)  # "not available" and "error" are null, and not 8191.875 rpm
    frames = cf.read_log(DATA / "j1939_truck.log")
    tables = plan.decode(frames)
    print(f"{len(frames)} frames: {tables.counts}")

    series, units = {}, {}
    for name, table in tables.items():
        seconds = (table.timestamp_ns[-1] - table.timestamp_ns[0]) / 1e9
        sources = ", ".join(f"{address:#04x}" for address in np.unique(table["source_address"]))
        print(f"{name}: {len(table)} rows in {seconds:.1f} s, from {sources}")
        for signal in table.message.signals:
            values, valid = table[signal.name], table.valid[signal.name]
            if valid.any():
                low, mean, high = values[valid].min(), values[valid].mean(), values[valid].max()
                print(f"  {signal.name}: {low:.3f} .. {high:.3f} {signal.unit or ''}, mean {mean:.3f}")
                series[f"{name}.{signal.name}"] = (table.timestamp_ns[valid], values[valid])
                units[f"{name}.{signal.name}"] = signal.unit
    title = "J1939: a truck with its ignition on and its engine off"
    cf.plot.signals(series, units, title).savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "engine_speed.png")
