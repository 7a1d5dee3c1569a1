"""The C library's allocator, told to keep what images free."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3), from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 32 << 20  # bytes; the most that every glibc takes, and more than a 3840x2160 colour image
_MOST_KEPT = 512 << 20  # bytes free at the end of an arena before any go back


def keep_freed_memory() -> bool:
    """Let this process use the memory of one image again for the next one.

    By default glibc gives blocks as large as an image back to the kernel when they are freed, and gets them anew, page
    by page, for the next one: at 1920x1080 that costs a receiver three times as much as all copying, see
    doc/transport.md. With this the resident set stays at its highest, that of the largest images. Applies to the whole
    process, so only a program's entry point calls it.

    Returns:
        Whether the C library took both settings; others than glibc have none.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all([mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK), mallopt(_TRIM_THRESHOLD, _MOST_KEPT)])
