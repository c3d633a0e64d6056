"""A slow twin of the player's arithmetic: which record is played, when it is due, how late it was."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

SECOND = 10**9
AT_ONCE = 64
EDGES = [factor * 10**power for power in range(4, 9) for factor in (1, 2, 5)] + [10**9]


def due(times: Sequence[int], speed: Fraction, gap_max: int | None, passes: int = 1) -> tuple[list[int], int, int]:
    """(when each time is due after the first, in each pass; distances shortened; clocks set back)."""
    out: list[int] = []
    elapsed, gaps, steps, length = 0, 0, 0, 0
    for number in range(passes):
        begin = elapsed
        if number and len(times) > 1:
            elapsed += length // (len(times) - 1)
            begin = elapsed
        latest = times[0]
        for time in times:
            distance = time - latest
            if distance > 0:
                if gap_max is not None and distance > gap_max:
                    distance, gaps = gap_max, gaps + 1
                elapsed, latest = elapsed + distance, time
            elif distance < -SECOND:
                latest, steps = time, steps + 1
            out.append(int(Fraction(elapsed) / speed))
        length = elapsed - begin
    return out, gaps, steps


def handed_over(
    due: Sequence[int], wake: int, send: int, delay_at: int, delay: int, begin: int
) -> tuple[list[int], list[int]]:
    """When the driver has each frame, and when it has those that were given to it in the same go, after the first was
    due; `begin`: how long before that the lane begins."""
    out: list[int] = []
    together: list[int] = []
    now = -begin
    while len(out) < len(due):
        first = len(out)
        if due[first] > now:
            now = due[first] + wake
        ready = [number for number in range(first, min(first + AT_ONCE, len(due))) if due[number] <= now]
        for number in ready:
            now += send + (delay if number == delay_at else 0)
            out.append(now)
        together += [now] * len(ready)
    return out, together


def classes(lateness: Sequence[int]) -> list[int]:
    """Frames by the first edge that is not below their lateness; the last class has those above all."""
    return [sum(low < max(late, 0) <= high or (i == 0 and late <= 0) for late in lateness)
            for i, (low, high) in enumerate(zip([0, *EDGES], [*EDGES, 1 << 62], strict=True))]  # fmt: skip
