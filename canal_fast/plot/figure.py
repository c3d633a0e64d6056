"""Figures: matplotlib, imported when something is drawn. What tells things apart does so without colours, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BANDS", "BLUE", "DASHES", "STUFF", "TROUBLE", "new_figure"]

BANDS = ("#dce9f7", "#fbeedb")  # of fields beside each other
BLUE = "#1f5fa8"
TROUBLE: dict[str, Any] = {"facecolor": "#d9534f", "edgecolor": "#7a1f1a", "alpha": 0.6, "linewidth": 0, "hatch": "xxx"}
STUFF: dict[str, Any] = {"facecolor": "#d9534f", "edgecolor": "#7a1f1a", "alpha": 0.4, "linewidth": 0, "hatch": "////"}
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
