"""python-can's messages."""

from __future__ import annotations

from typing import Any

import pytest

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")


def base(can_id: int, data: bytes = b"", **options: Any) -> Any:
    return can.Message(arbitration_id=can_id, is_extended_id=False, data=data, **options)
