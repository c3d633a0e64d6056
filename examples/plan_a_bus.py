"""From a DBC and a controller to a bus: bit timing, load, worst-case response times.

python examples/plan_a_bus.py DATABASE.dbc [BITRATE [CONTROLLER]]
"""

from __future__ import annotations

import sys

import canal_fast as cf


def timing(bitrate: int, controller: str) -> cf.BitTiming:
    """The best of all solutions, at the sample point that CiA recommends up to 500 kbit/s."""
    best, *others = cf.bittiming.solve(bitrate, limits=controller, sample_point=87.5)
    print(best)
    print(f"  best of {len(others) + 1}; clocks may differ by {best.oscillator_tolerance_ppm():.0f} ppm")
    print(f"  {best.max_bus_length_m(loop_delay_ns=250):.0f} m with transceivers of 250 ns")
    return best


def response(database: cf.signals.Database, bitrate: int) -> cf.analysis.ResponseTimes:
    """Bounds after Davis, Burns, Bril and Lukkien; messages without a cycle time count as 100 ms."""
    load = cf.analysis.forecast_load(database, bitrate, default_cycle_ms=100)
    print(f"load: expected {100 * load.expected:.1f} %, at most {100 * load.worst:.1f} %")
    found = cf.analysis.response_times(database, bitrate, default_cycle_ms=100)
    for row in sorted(found, key=lambda row: row.slack_ns / row.message.due_ns)[:5]:
        print(f"  {row.message.name}: {row.worst_ns / 1e6:.3f} of {row.message.due_ns / 1e6:g} ms")
    print(f"all frames could be {found.breakdown().scale:.2f} times as long")
    return found


def main(path: str, bitrate: str = "500000", controller: str = "usb_8dev") -> None:
    timing(int(bitrate), controller)
    if not response(cf.load_database(path), int(bitrate)).schedulable:
        raise SystemExit("a deadline is missed")


if __name__ == "__main__":
    main(*sys.argv[1:])
