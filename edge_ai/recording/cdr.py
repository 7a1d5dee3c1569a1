"""Messages as the bytes DDS carries, written after their definitions.

Plain CDR (XCDR1) of the OMG's DDS-XTypes, little endian: four bytes of encapsulation, then the fields in their order,
each number aligned to its size counted from after the encapsulation; a string is its length with the closing NUL, then
its bytes.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

from edge_ai.core.errors import EdgeAIError
from edge_ai.recording.schemas import fields_of, normal_name

Write = Callable[[bytearray, Any], None]

_ENCAPSULATION = b"\x00\x01\x00\x00"
_NUMBERS = {
    "bool": "?", "byte": "B", "char": "B", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
_ARRAY = re.compile(r"(?P<item>[\w/]+)(?:<=\d+)?(?:\[(?P<bound><=)?(?P<length>\d*)\])?")
_LENGTH = struct.Struct("<I")


def encode(name: str, message: Mapping[str, Any]) -> bytes:
    """A message as CDR.

    Args:
        name: its type, "edge_ai/msg/Alert".
        message: values by field, messages in it likewise; what is missing is zero or empty. ``bytes`` for uint8[].

    Raises:
        EdgeAIError: the definition is not to be found, the message has a field that its type has not, or a value does
            not fit.
    """
    out = bytearray(_ENCAPSULATION)
    try:
        _writer(normal_name(name))(out, message)
    except (struct.error, TypeError, AttributeError, OverflowError) as error:
        raise EdgeAIError(f"message of type '{name}'", got=f"a value that does not fit: {error}") from None
    return bytes(out)


@functools.lru_cache(maxsize=256)
def _writer(name: str) -> Write:
    plan = [(field, *_field_writer(kind)) for field, kind in fields_of(name)]
    known = {field for field, _, _ in plan}

    def write(out: bytearray, message: Mapping[str, Any]) -> None:
        if not known.issuperset(message):
            unknown = ", ".join(sorted(set(message) - known))
            raise EdgeAIError(f"message of type '{name}'", got=f"the fields {unknown}", wanted=", ".join(sorted(known)))
        for field, writer, default in plan:
            writer(out, message.get(field, default))
        if not plan:
            out.append(0)  # a message without fields has one that nobody sees

    return write


def _field_writer(kind: str) -> tuple[Write, Any]:
    """How a field of that type is written, and what stands for a missing one."""
    match = _ARRAY.fullmatch(kind)
    if match is None:
        raise EdgeAIError("type of a field", got=repr(kind), wanted="one of ROS 2's .msg format")
    item, length = match["item"], match["length"]
    if length is None:
        return _item_writer(item)
    count = int(length) if length and not match["bound"] else None
    if item in _NUMBERS:
        return _numbers_writer(item, count), (0,) * (count or 0)
    writer, default = _item_writer(item)
    return _sequence_writer(writer, count), [default] * (count or 0)


def _item_writer(item: str) -> tuple[Write, Any]:
    if item == "string":
        return _write_string, ""
    if item in _NUMBERS:
        return _number_writer(item), 0
    return _writer(item), {}


def _number_writer(item: str) -> Write:
    pack, size = struct.Struct(f"<{_NUMBERS[item]}").pack, struct.calcsize(_NUMBERS[item])

    def write(out: bytearray, value: Any) -> None:
        _align(out, size)
        out += pack(value)

    return write


def _numbers_writer(item: str, count: int | None) -> Write:
    letter, size = _NUMBERS[item], struct.calcsize(_NUMBERS[item])

    def write(out: bytearray, values: Any) -> None:
        _check_count(values, count)
        if count is None:
            _align(out, 4)
            out += _LENGTH.pack(len(values))
        if not len(values):
            return
        _align(out, size)
        out += values if isinstance(values, (bytes, memoryview)) else struct.pack(f"<{len(values)}{letter}", *values)

    return write


def _sequence_writer(writer: Write, count: int | None) -> Write:
    def write(out: bytearray, values: Any) -> None:
        _check_count(values, count)
        if count is None:
            _align(out, 4)
            out += _LENGTH.pack(len(values))
        for value in values:
            writer(out, value)

    return write


def _check_count(values: Any, count: int | None) -> None:
    if count is not None and len(values) != count:
        raise TypeError(f"{len(values)} values where {count} are wanted")


def _write_string(out: bytearray, text: Any) -> None:
    data = text.encode()
    _align(out, 4)
    out += _LENGTH.pack(len(data) + 1)
    out += data
    out.append(0)


def _align(out: bytearray, size: int) -> None:
    out += bytes(-(len(out) - 4) % size)
