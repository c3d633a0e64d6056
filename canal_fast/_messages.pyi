from typing import Any

from canal_fast.frames import FrameArray

converter: Any

def messages(frames: FrameArray, message: type, labels: dict[int, Any]) -> list[Any]: ...
def write_frames(messages: list[Any], frames: FrameArray, numbers: dict[Any, int]) -> None: ...
