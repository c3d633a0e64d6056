"""The manual's pictures: the library draws each that a page shows, and each shown one has words in its place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PICTURES = TREE / "docs" / "pictures"
PAGES = [TREE / "README.md", *sorted((TREE / "docs").rglob("*.md"))]
USE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]+)\)")
LARGEST = 150_000


def uses() -> list[tuple[Path, str, Path]]:
    """(page, words, picture) of each picture that a page shows; those of other sites left out."""
    return [
        (page, use["alt"], (page.parent / use["path"]).resolve())
        for page in PAGES
        for use in USE.finditer(page.read_text(encoding="utf-8"))
        if "://" not in use["path"]
    ]


@pytest.mark.parametrize(("page", "words", "picture"), uses(), ids=lambda value: getattr(value, "name", ""))
def test_shown_ones_are_there_and_have_words(page: Path, words: str, picture: Path) -> None:
    assert picture.is_file(), f"{page.name} shows {picture}"
    assert picture.parent == PICTURES
    assert len(words.split()) >= 5, f"{page.name}: {words!r} does not say what {picture.name} shows"


@pytest.mark.slow
@pytest.mark.unsanitized
def test_the_library_draws_them(tmp_path: Path) -> None:
    for package in ("matplotlib", "cantools"):
        pytest.importorskip(package, reason=f"NOT RUN: {package} is not installed")
    done = subprocess.run(
        [sys.executable, TREE / "docs" / "pictures.py", tmp_path],
        env={key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"},
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = {path.name for path in tmp_path.iterdir()}
    assert drawn == {path.name for path in PICTURES.iterdir()} - {"README.md"}
    assert {picture.name for _, _, picture in uses()} <= drawn
    for path in tmp_path.iterdir():
        size = path.stat().st_size
        assert size <= LARGEST or path.suffix == ".png", f"{path.name}: {size} bytes"
        head = path.read_bytes()[:400]
        assert b"<svg" in head or b"PNG" in head or b"<?xml" in head, path.name
