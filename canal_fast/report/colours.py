"""The page's colours, light and dark, as CSS variables."""

from __future__ import annotations

__all__ = ["COLOURS", "css"]

COLOURS = {  # name: (light, dark)
    "page": ("#ffffff", "#15181c"),
    "surface": ("#ffffff", "#1d2126"),
    "text": ("#1b1f24", "#e3e6ea"),
    "muted": ("#57606a", "#a0a9b4"),
    "line": ("#d0d5db", "#3a414a"),
    "faint": ("#e8ebee", "#262b31"),
    "hover": ("#f1f5f9", "#20262d"),
    "control": ("#7b8590", "#7b8590"),
    "accent": ("#0a58a6", "#6cb2f0"),
    "peak": ("#6f95bf", "#4a7cab"),
    "bad": ("#b3261e", "#ff8a80"),
    "warn-back": ("#fff4df", "#33270f"),
    "warn-text": ("#5f3a00", "#f3cb8b"),
    "warn-line": ("#b36b00", "#c58a30"),
}


def css() -> str:
    """Variables: light, on paper always; dark where the system or the reader wants it."""
    light, dark = (
        " ".join(f"--{name}: {pair[theme]};" for name, pair in COLOURS.items()) + f" color-scheme: {scheme};"
        for theme, scheme in ((0, "light"), (1, "dark"))
    )
    return "\n".join(
        [
            f":root {{ {light} }}",
            f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme='light']) {{ {dark} }} }}",
            f"@media screen {{ :root[data-theme='dark'] {{ {dark} }} }}",
        ]
    )
