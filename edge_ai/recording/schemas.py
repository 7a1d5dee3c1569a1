"""The text of message definitions: this package's own, those that come with it for machines without ROS, and ROS's."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.resources import resource

_BUNDLED = Path(__file__).parent / "interfaces"
_NAME = re.compile(r"([a-z][a-z0-9_]*)/(?:msg/)?([A-Z][A-Za-z0-9]*)")
_FIELD = re.compile(r"(?P<kind>(?P<item>[A-Za-z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?)\s+(?P<name>\w+)\s*(?P<rest>.*)")
_PLAIN = {"bool", "byte", "char", "float32", "float64", "string", "wstring"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_LINE = "=" * 80


@functools.lru_cache(maxsize=256)
def schema_text(name: str) -> str:
    """The definition of a message type with those it is made of, as rosbag2 writes it into MCAP ("ros2msg").

    Args:
        name: "edge_ai/msg/Alert", "sensor_msgs/msg/Image".

    Raises:
        EdgeAIError: none of the places where definitions lie has it.
    """
    found: dict[str, str] = {}
    _collect(normal_name(name), found)
    texts = iter(found.items())
    _, own = next(texts)
    return own + "".join(f"{_LINE}\nMSG: {part}\n{text}" for part, text in texts)


def _collect(name: str, found: dict[str, str]) -> None:
    if name in found:
        return
    found[name] = _definition(name)
    for part in _parts(name):
        _collect(part, found)


def fields_of(name: str) -> list[tuple[str, str]]:
    """Name and type of each field, the types of messages with their packages: ("stamp", "builtin_interfaces/Time").

    Raises:
        EdgeAIError: as for `schema_text`.
    """
    package = normal_name(name).partition("/")[0]
    found = []
    for line in _definition(normal_name(name)).splitlines():
        match = _FIELD.match(line.partition("#")[0].strip())
        if match is not None and match["rest"][:1] != "=":
            item = match["item"]
            found.append((match["name"], match["kind"].replace(item, _full(item, package), 1)))
    return found


def _full(item: str, package: str) -> str:
    if item in _PLAIN or "/" in item:
        return item
    return "std_msgs/Header" if item == "Header" else f"{package}/{item}"


def _parts(name: str) -> Iterator[str]:
    """The message types of a definition's fields."""
    for _, kind in fields_of(name):
        item = re.split(r"[\[<]", kind, maxsplit=1)[0]
        if item not in _PLAIN:
            yield normal_name(item)


def normal_name(name: str) -> str:
    """Package and name of a type alone: std_msgs/Header of std_msgs/msg/Header."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise EdgeAIError("message type", got=repr(name), wanted="a name like sensor_msgs/msg/Image")
    return f"{match[1]}/{match[2]}"


def _definition(name: str) -> str:
    package, _, kind = name.partition("/")
    if package == "edge_ai":
        return _read(resource(f"msg/{kind}.msg"))
    prefixes = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    for place in (_BUNDLED / package, *(prefix / "share" / package / "msg" for prefix in prefixes)):
        if (place / f"{kind}.msg").is_file():
            return _read(place / f"{kind}.msg")
    raise EdgeAIError(
        f"definition of message type '{name}'",
        got="none",
        wanted=f"share/{package}/msg/{kind}.msg under {' or '.join(map(str, prefixes)) or 'an AMENT_PREFIX_PATH'}",
        mend=f"install {package}, or source the workspace that has it",
    )


def _read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text if text.endswith("\n") else text + "\n"
