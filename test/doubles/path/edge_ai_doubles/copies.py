"""Copies between host and device, with the waiting that each kind of host memory brings."""

from __future__ import annotations

import ctypes

from edge_ai_doubles import memory, streams
from edge_ai_doubles.errors import CAPTURE_UNSUPPORTED, ILLEGAL_ADDRESS, INVALID_VALUE, CudaError
from edge_ai_doubles.state import NOW

HOST_TO_HOST, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE, DEFAULT = range(5)


def enqueue(stream: streams.Stream, target: int, source: int, count: int, kind: int) -> None:
    """Copy when the stream comes to it.

    From pageable memory the bytes are taken now; to pageable memory the copy is done before the call returns.
    """
    target_block, source_block = _blocks(target, source, count, kind)
    if not count:
        return
    if target_block is None or source_block is None:
        if stream.capture:
            stream.capture.valid = False
            raise CudaError(CAPTURE_UNSUPPORTED)
        if source_block is None:
            source = ctypes.addressof(kept := ctypes.create_string_buffer(ctypes.string_at(source, count), count))
        else:
            kept = None
    else:
        kept = None

    def work() -> None:
        for block in (target_block, source_block):
            if block is not None and memory.find(block.address) is not block:
                raise CudaError(ILLEGAL_ADDRESS)
        ctypes.memmove(target, source, count)
        NOW.copies += 1
        _ = kept

    stream.enqueue(work)
    if target_block is None:
        stream.run()


def _blocks(target: int, source: int, count: int, kind: int) -> tuple[memory.Block | None, memory.Block | None]:
    if count < 0 or kind not in range(5):
        raise CudaError(INVALID_VALUE)
    if kind == DEFAULT:
        return tuple(  # type: ignore[return-value]
            None if memory.is_pageable(a) else memory.check(a, count, device=not getattr(memory.find(a), "host", False))
            for a in (target, source)
        )
    return (
        memory.check(target, count, device=kind in (HOST_TO_DEVICE, DEVICE_TO_DEVICE)),
        memory.check(source, count, device=kind in (DEVICE_TO_HOST, DEVICE_TO_DEVICE)),
    )
