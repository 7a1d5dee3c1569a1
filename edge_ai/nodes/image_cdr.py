"""sensor_msgs/Image as the bytes DDS carries, written and read without rclpy's conversion.

Plain CDR (XCDR1) of the OMG's DDS-XTypes, little endian: four bytes of encapsulation, then the fields in their order,
each number aligned to its size counted from after the encapsulation; a string is its length with the closing NUL, then
its bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edge_ai.core import types
from edge_ai.core.clock import NS
from edge_ai.core.errors import ImageError

_PLAIN_LITTLE_ENDIAN = b"\x00\x01"
_ENCAPSULATION = 4
_PADDING = 3  # bytes that middleware may add at the end, to a multiple of four
_UINT32 = struct.Struct("<I")
_STAMP = struct.Struct("<iI")
_PAIR = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class ImageView:
    """The fields of a sensor_msgs/Image, by the names of the message; ``data`` is a view of the bytes it was read from.

    Attributes:
        stamp_ns: time of capture in nanoseconds.
        frame_id: frame of the camera.
        height: rows.
        width: pixels in a row.
        encoding: encoding of the pixels.
        is_bigendian: byte order of pixels of more than a byte.
        step: bytes in a row.
        data: all rows.
    """

    stamp_ns: int
    frame_id: str
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


def write_image(frame: types.Frame) -> bytes:
    """A frame whose pixels are C-contiguous; they are copied once."""
    header, pixels = frame.header, frame.image
    head = bytearray(b"\x00\x01\x00\x00")
    head += _STAMP.pack(header.stamp_ns // NS, header.stamp_ns % NS)
    _add_string(head, header.frame_id)
    _align(head)
    head += _PAIR.pack(*pixels.shape[:2])
    _add_string(head, frame.encoding)
    head.append(0)
    _align(head)
    head += _PAIR.pack(pixels.strides[0], pixels.nbytes)
    return b"".join((head, memoryview(pixels).cast("B")))


def read_image(cdr: bytes) -> ImageView:
    """The fields, whose lengths have been checked against the bytes there are but not against each other.

    Raises:
        ImageError: another representation than plain little-endian CDR, fewer bytes than the fields say or more, or a
            string that is none.
    """
    if cdr[:2] != _PLAIN_LITTLE_ENDIAN:
        raise ImageError(
            "image in a foreign representation", got=f"encapsulation {cdr[:2].hex()}", wanted="0001 (plain CDR)"
        )
    try:
        seconds, nanoseconds = _STAMP.unpack_from(cdr, _ENCAPSULATION)
        frame_id, at = _string(cdr, _ENCAPSULATION + _STAMP.size)
        height, width = _PAIR.unpack_from(cdr, at)
        encoding, at = _string(cdr, at + _PAIR.size, align=False)
        is_bigendian = cdr[at]
        at = _aligned(at + 1)
        step, size = _PAIR.unpack_from(cdr, at)
    except (struct.error, IndexError):
        raise ImageError("torn image", got=f"{len(cdr)} bytes that end within its header") from None
    begin = at + _PAIR.size
    if not 0 <= len(cdr) - begin - size <= _PADDING:
        raise ImageError("torn image", got=f"{len(cdr) - begin} bytes of pixels", wanted=size)
    data = memoryview(cdr)[begin : begin + size]
    return ImageView(seconds * NS + nanoseconds, frame_id, height, width, encoding, is_bigendian, step, data)


def _aligned(at: int) -> int:
    """The next multiple of four; the encapsulation has four bytes, so counting from its start is the same."""
    return (at + 3) & ~3


def _align(head: bytearray) -> None:
    head += bytes(_aligned(len(head)) - len(head))


def _add_string(head: bytearray, text: str) -> None:
    data = text.encode()
    head += _UINT32.pack(len(data) + 1) + data + b"\x00"


def _string(cdr: bytes, at: int, *, align: bool = True) -> tuple[str, int]:
    """The string there, and where the next field begins."""
    (length,) = _UINT32.unpack_from(cdr, at)
    at += _UINT32.size
    if at + length > len(cdr):
        raise ImageError("torn image", got=f"a string of {length} bytes where {len(cdr) - at} are left")
    # Some writers give an empty string no closing NUL.
    data = cdr[at : at + length] or b"\x00"
    if data[-1]:
        raise ImageError("torn image", got="a string without its end")
    try:
        text = data[:-1].decode()
    except UnicodeDecodeError:
        raise ImageError("torn image", got=f"a string that is no UTF-8: {data[:40]!r}") from None
    end = at + length
    return text, _aligned(end) if align else end
