"""`canal-fast doctor`: what is wrong with a driver library."""

from __future__ import annotations

import argparse
import json

from canal_fast.doctor.diagnosis import diagnose


def run(args: argparse.Namespace) -> int:
    diagnosis = diagnose(
        args.library,
        args.config or ("bus0" if args.library == "virtual" else ""),
        flags=args.flags,
        profile=args.profile,
        timeout=args.timeout,
        seconds=args.seconds,
        bridge=args.bridge,
        force=args.force,
    )
    print(json.dumps(diagnosis.as_dict(), indent=1) if args.json else diagnosis)
    return 0 if diagnosis.works else 1
