"""Which frames a controller's acceptance filters let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import filters as checked_filters
from canal_fast.frames import FrameArray, contiguous
from canal_fast.processor import serve

from . import _acceptance
from .acceptance_filters import AcceptanceFilters, Mailbox, MailboxFilters

__all__ = ["accepts", "match_index"]

Filters = AcceptanceFilters | Sequence[Mapping[str, Any]]


def accepts(frames: FrameArray, filters: Filters) -> npt.NDArray[np.bool_]:
    """Which frames a controller with these filters would store.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    filters : Sja1000Filters, BxcanFilters, Mcp2515Filters, Mcp2517fdFilters, McanFilters, MailboxFilters,
        SocketcanFilters, or a sequence of mappings with can_id, can_mask and extended, python-can's

    Returns
    -------
    array of bool, shape (n,)
        False for STATUS records, and for ERROR_FRAME records but where SocketcanFilters let their class through.

    Raises
    ------
    TypeError, ValueError

    Notes
    -----
    A filter does not ask who sent a frame: a controller stores its own only if it is told to receive them.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> wanted = cf.analysis.accepts(frames, [{"can_id": 0x200, "can_mask": 0x7FF, "extended": False}])
    >>> wanted.sum().item()
    10
    """
    array = contiguous(frames)
    accepted = np.empty(len(array), np.uint8)
    _acceptance.accepts(_known(filters).compiled, array, accepted)
    return accepted.view(np.bool_)


def match_index(frames: FrameArray, filters: Filters) -> npt.NDArray[np.int16]:
    """Number of the filter, mailbox or element that lets each frame through.

    Parameters
    ----------
    frames, filters
        As of `accepts`. What is numbered, and which of several that match counts, the class of the filters says.

    Returns
    -------
    array of i2, shape (n,)
        From 0 on; -1: not let through; -2: let through by none of them (M_CAN's accept_others, MCP2515's any_frame,
        error frames).

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> filters = cf.analysis.MailboxFilters((cf.analysis.Mailbox(0x100), cf.analysis.Mailbox(0x200)))
    >>> cf.analysis.match_index(cf.make_frames([0x200, 0x100, 0x300]), filters).tolist()
    [1, 0, -1]
    """
    array = contiguous(frames)
    numbers = np.empty(len(array), np.int16)
    _acceptance.numbers(_known(filters).compiled, array, numbers)
    return numbers


def _known(filters: Filters) -> AcceptanceFilters:
    if isinstance(filters, AcceptanceFilters):
        return filters
    rows = checked_filters(filters)
    whole = 0x1FFFFFFF
    boxes = (Mailbox(i & m & whole, m & whole, None if e is None else bool(e)) for i, m, e in rows)
    return MailboxFilters(tuple(boxes) if rows else (Mailbox(0, 0),))  # python-can: none lets everything through


serve(_acceptance.select)
