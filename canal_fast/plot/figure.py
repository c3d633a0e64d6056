"""Figures: matplotlib, imported when something is drawn. What tells things apart does so without colours, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BANDS", "BLUE", "DASHES", "STUFF", "TROUBLE", "field_colour", "new_figure", "strips"]

BANDS = ("#dce9f7", "#fbeedb")  # of fields beside each other
BLUE = "#1f5fa8"
TROUBLE: dict[str, Any] = {"facecolor": "#d9534f", "edgecolor": "#7a1f1a", "alpha": 0.6, "linewidth": 0, "hatch": "xxx"}
STUFF: dict[str, Any] = {"facecolor": "#d9534f", "edgecolor": "#7a1f1a", "alpha": 0.4, "linewidth": 0, "hatch": "////"}
_FLAG = "#f6cfcb"
DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (6, 1, 1, 1)), (0, (8, 2)))  # of lines in one picture


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """An empty figure of so many inches, laid out by itself, for no screen.

    Parameters
    ----------
    width, height : float
        Inches.
    **options
        As for matplotlib's Figure.

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> axes = cf.plot.new_figure(6, 3).subplots()
    >>> _ = axes.plot([1, 2, 3])
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install 'canal_fast[plot]'") from None
    return Figure(figsize=(width, height), layout="constrained", **options)


def strips(figure: Figure, rows: int, hidden: tuple[str, ...] = ("top", "right")) -> Iterator[Axes]:
    """Axes below each other, as of a long line that goes on in the next row; `hidden` sides of them are not drawn."""
    for row in range(rows):
        axes = figure.add_subplot(rows, 1, row + 1)
        axes.tick_params(labelsize=7)
        axes.spines[list(hidden)].set_visible(False)
        yield axes


def field_colour(name: str, number: int) -> str:
    """Of the `number`th field of a node: flags stand out, the others take turns."""
    return _FLAG if name.endswith("_flag") else BANDS[number % 2]
