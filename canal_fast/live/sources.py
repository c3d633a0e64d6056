"""A bus as one text, `KIND:CONFIG,word=value...`: what commands and programs open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a text is judged without what it takes to open it
    from .channel import Channel

__all__ = ["Source", "parse_source"]

_LIBRARY = "library="
_FLAG_LIMIT = 0xFFFFFFFF
_USB2CAN_BITRATE = _VIRTUAL_BITRATE = 500_000  # bit/s, where none is said


@dataclass(frozen=True)
class Source:
    """A bus to open: `parse_source` makes one from text.

    Attributes
    ----------
    kind : str
        "virtual", "socketcan", "usb2can", or "library" for any driver.
    config : str
        Name and keys of the virtual bus; interface; serial number; the driver's configuration string.
    library : str
        For "library" as for `Channel`, for "usb2can" as for `Channel.usb2can`.
    name : str
        What recordings call it: as given, or the first field of `config`.
    bitrate : int, optional
        bit/s.
    fd : bool
        CAN FD frames, too.
    profile : str
        As for `Channel`.
    flags : int
        The driver's open flags.
    """

    kind: str
    config: str
    library: str = ""
    name: str = ""
    bitrate: int | None = None
    fd: bool = False
    profile: str = "auto"
    flags: int = 0

    def open(self, **options: Any) -> Channel:
        """An open channel. Options are those of `Channel`, or of its constructor for this kind of bus."""
        from .channel import Channel

        options = {"fd": self.carries_fd, "flags": self.flags, **options}
        if self.profile != "auto":
            options["profile"] = self.profile
        return _KINDS[self.kind](Channel, self, options)

    @property
    def _driver(self) -> str:
        """A driver of ours has a kind of its own, and is a library, too."""
        return self.library if self.library in _KINDS else self.kind

    @property
    def carries_fd(self) -> bool:
        """Whether FD was asked for, or is what the interface, or the virtual bus by its keys, has."""
        from canal_fast.drivers.config_strings import is_fd_interface

        name, *keys = (field.replace(" ", "") for field in self.config.split(";"))
        if self.fd or self._driver == "socketcan":
            return self.fd or is_fd_interface(name)
        return self._driver == "virtual" and any(key.startswith(("fd=", "data_bitrate=", "replay=")) for key in keys)

    @property
    def known_bitrates(self) -> tuple[int | None, int | None]:
        """Nominal and data bit rate in bit/s, where the text, or what this kind of bus has without one, says them."""
        if self._driver != "virtual":
            return self.bitrate or (_USB2CAN_BITRATE if self.kind == "usb2can" else None), None
        fields = [field.strip() for field in self.config.split(";")[1:] if field.strip()]
        keys = dict(key.replace(" ", "").partition("=")[::2] for key in fields)
        told = fields[0] if fields and "=" not in fields[0] else keys.get("bitrate", "")
        nominal = int(told, 0) if told[:1].isdigit() else (not fields and self.bitrate) or _VIRTUAL_BITRATE
        data = keys.get("data_bitrate", "")
        return nominal, int(data, 0) if data[:1].isdigit() else nominal


def _virtual(channel: type[Channel], source: Source, options: dict[str, Any]) -> Channel:
    config = source.config or "bus0"
    if ";" not in config and source.bitrate is not None:
        config = f"{config};{source.bitrate}"
    return channel.virtual(config, **options)


def _socketcan(channel: type[Channel], source: Source, options: dict[str, Any]) -> Channel:
    return channel.socketcan(source.config, **options)  # bit rates are the system's


def _usb2can(channel: type[Channel], source: Source, options: dict[str, Any]) -> Channel:
    if source.library:
        options = {"library": source.library, **options}
    return channel.usb2can(source.config or None, source.bitrate or _USB2CAN_BITRATE, **options)


def _library(channel: type[Channel], source: Source, options: dict[str, Any]) -> Channel:
    return channel(source.library, source.config, **options)


_KINDS: dict[str, Callable[[type[Channel], Source, dict[str, Any]], Channel]] = {
    "virtual": _virtual,
    "socketcan": _socketcan,
    "usb2can": _usb2can,
    "library": _library,
}


def _whole(text: str, name: str, value: str, low: int, high: int) -> int:
    try:
        number = int(value, 0)
    except ValueError:
        raise ValueError(f"source {text!r}: {name} = {value!r} is not a whole number, such as {low}") from None
    if not low <= number <= high:
        hint = f": did you mean {number * 1000}?" if name == "bitrate" and low <= number * 1000 <= high else ""
        raise ValueError(f"source {text!r}: {name} = {number}, allowed {low}..{high}{hint}")
    return number


def _word(text: str, source: Source, word: str) -> Source | None:
    """The source with what this word says; None where it is no known word."""
    name, equals, value = word.partition("=")
    name, value = name.strip(), value.strip()
    if word.strip() == "fd":
        return replace(source, fd=True)
    if not equals or name not in ("name", "bitrate", "profile", "flags"):
        return None
    if not value:
        raise ValueError(f"source {text!r}: {name}= has no value")
    if name == "bitrate":
        return replace(source, bitrate=_whole(text, name, value, 1000, 1_000_000))
    if name == "flags":
        return replace(source, flags=_whole(text, name, value, 0, _FLAG_LIMIT))
    return replace(source, name=value) if name == "name" else replace(source, profile=value)


def parse_source(text: str) -> Source:
    """`KIND:CONFIG` or `library=PATH;CONFIG`, each with `,name=N`, `,bitrate=N`, `,fd`, `,profile=P`, `,flags=N`.

    KIND is virtual, socketcan or usb2can (CONFIG: its serial number; none: the only one that is attached). Words
    are taken from the right as long as they are known ones; what is left is CONFIG, commas included.

    Raises
    ------
    ValueError
        With the text and what is wrong in it.
    """
    rest, source = text, Source("", "")
    while "," in rest:
        left, _, word = rest.rpartition(",")
        taken = _word(text, source, word)
        if taken is None:
            break
        rest, source = left, taken
    kinds = [kind for kind in _KINDS if kind != "library"]
    kind, colon, config = rest.partition(":")
    if rest.startswith(_LIBRARY):
        library, _, config = rest.removeprefix(_LIBRARY).partition(";")
        if not library:
            raise ValueError(f"source {text!r}: library= has no path")
        source, kind = replace(source, library=library), "library"
    elif not colon or kind not in kinds:
        known = " or ".join([", ".join(f"{kind}:" for kind in kinds), f"{_LIBRARY}PATH;"])
        raise ValueError(f"source {text!r} must begin with {known}, as in socketcan:can0 or virtual:bus0")
    elif "," in config and "=" in (last := config.rpartition(",")[2]) and ";" not in last:
        parted = "; the virtual bus's own keys stand behind ;" if kind == "virtual" else ""
        raise ValueError(f"source {text!r}: {last!r}, known are name=, bitrate=, fd, profile=, flags={parted}")
    elif kind == "socketcan" and not config:
        raise ValueError(f"source {text!r} names no interface, as in socketcan:can0")
    first = config.partition(";")[0].strip()
    return replace(source, kind=kind, config=config, name=source.name or first or kind)
