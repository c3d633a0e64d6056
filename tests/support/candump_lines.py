"""Random candump log lines."""

from __future__ import annotations

import random

from oracle import candump_oracle as oracle


def random_line(rng: random.Random) -> oracle.Line:
    flags, data = 0, b""
    dlc = rng.randrange(16)
    kind = rng.choice("cccrfe")
    if kind == "e":
        flags, dlc = oracle.ERROR, 8
    elif rng.random() < 0.5:
        flags |= oracle.EXTENDED
    if kind == "f":
        flags |= oracle.FD | rng.choice([0, oracle.BRS]) | rng.choice([0, oracle.ESI])
        data = rng.randbytes(oracle.FD_LENGTHS[dlc])
    elif kind == "r":
        flags |= oracle.REMOTE
    else:
        data = rng.randbytes(min(dlc, 8))
    flags |= rng.choice([0, oracle.TX])
    can_id = rng.getrandbits(29 if flags & (oracle.EXTENDED | oracle.ERROR) else 11)
    time = rng.choice([rng.getrandbits(62), rng.getrandbits(50) * 1000, -rng.getrandbits(40)])
    return oracle.Line(time, rng.choice(["can0", "vcan12", "x"]), can_id, flags, dlc, data)
