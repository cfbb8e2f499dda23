"""What the process asks of the system's memory: little, and that it is given back."""

import ctypes
from contextlib import suppress

# glibc's <malloc.h>
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 4 * 1024 * 1024


def hold_little() -> None:
    """Give large arrays back as soon as they are done with, and have few pools that each thread leaves holes in.

    A service of a thousand articles holds 45 MB less after some load. Elsewhere than with glibc nothing is done.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
