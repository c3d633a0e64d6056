"""`canal-fast formats`: the formats of recordings, and what each keeps."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from canal_fast.logs import formats

FIELDS = ("name", "title", "suffixes", "reads", "writes", "keeps", "extra", "zoned")


def run(args: argparse.Namespace) -> int:
    """Print two lines for each format."""
    rows = formats()
    width = max(len(row.name) for row in rows)
    for row in rows:
        if args.json:
            print(json.dumps({name: asdict(row)[name] for name in FIELDS}))
            continue
        does = " and ".join(word for word, can in (("read", row.reads), ("written", row.writes)) if can)
        needs = f"; needs pip install 'canal_fast[{row.extra}]'" if row.extra else ""
        print(f"{row.name:{width}} {' '.join(row.suffixes) or '-':8} {row.title}: {does}{needs}")
        print(f"{'':{width + 9}} keeps {', '.join(word.replace('_', ' ') for word in row.keeps)}")
    return 0
