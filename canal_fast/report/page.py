"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from .banners import banners, heading
from .colours import css
from .gather import plain
from .sections import SECTIONS
from .text import safe

__all__ = ["data_of", "render"]

Facts = dict[str, Any]
_ESCAPES = {letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def end_of(facts: Facts) -> float:
    """Seconds from the first record to the last; the length of every time axis."""
    clock = facts["clock"]
    if clock["first_ns"] is None or clock["last_ns"] == clock["first_ns"]:
        return 1.0
    return float((clock["last_ns"] - clock["first_ns"]) / 1e9)


def data_of(facts: Facts) -> Facts:
    """What the page holds as JSON: the facts without the lines of signals, which are drawn only."""
    signals = facts["signals"]
    if signals is not None:
        messages = [
            {**message, "signals": [{k: v for k, v in one.items() if k != "line"} for one in message["signals"]]}
            for message in signals["messages"]
        ]
        signals = {**signals, "messages": messages}
    return {**facts, "end_s": end_of(facts), "signals": signals}


def _json(value: Any) -> str:
    """JSON that ends no script element, whatever the names in it are."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = "".join(letter if not "\ud800" <= letter <= "\udfff" else f"\\u{ord(letter):04x}" for letter in text)
    return re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPES[found[0]], text)


def render(facts: Facts) -> str:
    """The whole page."""
    from base64 import b64encode  # these three take as long to load as all of this wing
    from hashlib import sha256
    from importlib.resources import files

    folder = files(__package__)
    style, script, template = (
        (folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js", "page.html")
    )
    end_s = end_of(facts)
    parts = [(name, title, html) for name, title, make in SECTIONS if (html := make(facts, end_s))]
    title = os.path.basename(facts["file"]["path"]) or facts["file"]["path"]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    found = {
        "version": safe(facts["version"]),
        "script_hash": f"sha256-{digest}",
        "title": f"{safe(title)} \N{EN DASH} recording",
        "heading": safe(title),
        "under": heading(facts),
        "colours": css(),
        "style": style,
        "script": script,
        "banners": banners(facts),
        "contents": "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in parts),
        "sections": "\n".join(
            f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{title}</h2>\n{html}\n</section>'
            for name, title, html in parts
        ),
        "data": _json(data_of(facts)),
    }
    return _PLACE.sub(lambda place: found[place[1]], template)
