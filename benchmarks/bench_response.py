"""Worst-case response times of 200 messages, beside the same formulas in fractions (tests/oracle/response_oracle.py).

Both in Python; rounds are interleaved, times are the thread's CPU time.
"""

from __future__ import annotations

import importlib.util
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from canal_fast.analysis import Message, response_times

ORACLE = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "response_oracle.py"
MESSAGES, BITRATE, BIT_NS, ROUNDS = 200, 500_000, 2000, 5
MS = 1_000_000


def oracle() -> Any:
    spec = importlib.util.spec_from_file_location("response_oracle", ORACLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["response_oracle"] = module  # where NamedTuple looks
    spec.loader.exec_module(module)
    return module


def messages() -> list[Message]:
    """Of usual periods, short ones first; 83 % of the bus at their longest."""
    rng = random.Random(1)
    periods = sorted(rng.choices([10, 20, 50, 100, 200, 500, 1000], [1, 2, 3, 5, 5, 3, 2], k=MESSAGES))
    found = [Message(f"m{n}", n * 8, 8, period * MS, rng.choice([0, MS])) for n, period in enumerate(periods)]
    scale = sum(135 * BIT_NS / m.period_ns for m in found) / 0.83
    return [Message(m.name, m.arbitration_id, 8, round(m.period_ns * scale), m.jitter_ns) for m in found]


def measure() -> dict[str, float | str]:
    chosen = messages()
    twin = oracle()
    streams = [twin.Stream(m.arbitration_id, 135 * BIT_NS, m.period_ns, m.jitter_ns) for m in chosen]
    calls: dict[str, Callable[[], list[Any]]] = {
        "ours": lambda: [row.worst_ns for row in response_times(chosen, BITRATE)],
        "fractions": lambda: [twin.bound(streams, n, BIT_NS).response for n in range(MESSAGES)],
    }
    assert calls["ours"]() == calls["fractions"]()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begin = time.thread_time()
            call()
            times[name].append(time.thread_time() - begin)
    ours, fractions = (statistics.median(times[name]) for name in calls)
    print(f"   {MESSAGES} messages: ours {1e3 * ours:.1f} ms, in fractions {1e3 * fractions:.0f} ms")
    return {"response-fractions": fractions / ours}


def test_response_times(benchmark: Any) -> None:
    chosen = messages()
    benchmark(lambda: response_times(chosen, BITRATE))


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
