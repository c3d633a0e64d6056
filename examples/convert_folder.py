"""All recordings of a folder in another format, with one account: what was written, left out, or lost something.

python examples/convert_folder.py FOLDER TARGET [FORMAT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import canal_fast as cf


def recordings(folder: Path) -> list[Path]:
    """Files whose names end as recordings do; their content is looked at when they are read."""
    suffixes = tuple(suffix for row in cf.logs.formats() if row.reads for suffix in row.suffixes)
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(suffixes))


def convert(folder: Path, target: Path, format: str) -> cf.logs.Account:
    """Each file by itself; accounts add."""
    target.mkdir(parents=True, exist_ok=True)
    total = cf.logs.Account()
    for path in recordings(folder):
        try:
            account = cf.logs.convert(path, target / f"{path.stem}.{format}", errors="skip", force=True)
        except cf.LogFormatError as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            continue
        print(f"{path.name}: {account.written} of {account.read} frames")
        total += account
    return total


def main(folder: str, target: str, format: str = "pcapng") -> None:
    total = convert(Path(folder), Path(target), format)
    print(f"all: {total.written} of {total.read} frames written")
    for kind, count in total.left_out.items():
        print(f"  {count} left out: {kind}")
    for kind, count in total.reduced.items():
        print(f"  {count} lost their {kind}")


if __name__ == "__main__":
    main(*sys.argv[1:])
