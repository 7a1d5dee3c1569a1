"""Device and page-locked memory: real memory of this process, with its bounds, its kind and its price known."""

from __future__ import annotations

import ctypes
import mmap
from collections import deque
from dataclasses import dataclass, field

from edge_ai_doubles import contexts, settings
from edge_ai_doubles.errors import ILLEGAL_ADDRESS, INVALID_VALUE, OUT_OF_MEMORY, CudaError
from edge_ai_doubles.state import NOW

_ALIGNED = 512
_POISON = 0xFF  # unwritten floats are NaN
_POISONED = 32 * settings.MIB
_QUARANTINE = 64 * settings.MIB
_freed: deque[Block] = deque()


@dataclass(eq=False)
class Block:
    """One allocation.

    Args:
        size: bytes asked for.
        host: page-locked host memory, not device memory.
        mapped: host memory that the device may use too.
        price: bytes that it takes from the GPU's memory.
    """

    size: int
    host: bool
    mapped: bool
    price: int
    context: contexts.Context
    pages: mmap.mmap = field(init=False)
    address: int = field(init=False)

    def __post_init__(self) -> None:
        self.pages = mmap.mmap(-1, max(self.size, 1))
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.pages))
        ctypes.memset(self.address, _POISON, min(self.size, _POISONED))
        NOW.blocks[self.address] = self
        NOW.used += self.price

    def release(self) -> None:
        """Give it back; for a while its pages are kept, so that a late use is seen and not served."""
        del NOW.blocks[self.address]
        NOW.used -= self.price
        _freed.append(self)
        while sum(block.size for block in _freed) > _QUARANTINE:
            _freed.popleft()


def free_bytes() -> int:
    """What is left of the GPU's memory."""
    left = settings.gpu().free_mib
    if settings.fault("cuda_out_of_memory"):
        left = min(left, int(settings.fault("cuda_out_of_memory")))
    return max(0, left * settings.MIB - NOW.used)


def reserve(size: int) -> None:
    """Take memory that nobody addresses: an engine's weights, a context's scratch."""
    if size > free_bytes():
        raise CudaError(OUT_OF_MEMORY)
    NOW.used += size


def unreserve(size: int) -> None:
    """Give back what `reserve` took."""
    NOW.used -= size


def allocate(size: int, context: contexts.Context, host: bool = False, mapped: bool = False) -> Block:
    """New memory; on an integrated GPU page-locked memory takes from the same store."""
    if size <= 0:
        raise CudaError(INVALID_VALUE)
    price = 0 if host and not settings.gpu().integrated else -(-size // _ALIGNED) * _ALIGNED
    if price > free_bytes():
        raise CudaError(OUT_OF_MEMORY)
    return Block(size, host, mapped, price, context)


def free(address: int, host: bool = False) -> None:
    """Give memory back, by the address that `allocate` gave."""
    block = NOW.blocks.get(address)
    if block is None or block.host is not host:
        raise CudaError(INVALID_VALUE)
    block.release()


def find(address: int) -> Block | None:
    """The living block that this address lies in."""
    block = NOW.blocks.get(address)
    return block or next((b for b in NOW.blocks.values() if b.address <= address < b.address + b.size), None)


def is_pageable(address: int) -> bool:
    """Whether it is host memory that CUDA knows nothing of."""
    return find(address) is None and not any(b.address <= address < b.address + b.size for b in _freed)


def check(address: int, count: int, device: bool) -> Block | None:
    """The block of a copy's end, None for pageable memory; raise if it cannot be that.

    Args:
        address: where the copy reads or writes.
        count: how many bytes.
        device: whether that end is on the device.
    """
    block = find(address)
    if block is None:
        if device or not address or not is_pageable(address):
            raise CudaError(INVALID_VALUE)
        return None
    fits = block.address + block.size - address >= count
    right_side = (not block.host or block.mapped) if device else block.host
    if not fits or not right_side or not block.context.alive:
        raise CudaError(INVALID_VALUE)
    return block


def kernel_view(address: int, count: int) -> memoryview:
    """The memory as a kernel uses it: a wrong address is no refusal but the end of the context."""
    block = find(address)
    if block is None or (block.host and not block.mapped) or block.address + block.size - address < count:
        raise CudaError(ILLEGAL_ADDRESS)
    start = address - block.address
    return memoryview(block.pages)[start : start + count]
