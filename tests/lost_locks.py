"""Locks that a process cannot take, or cannot give back: a library in front of the system's calls fails the n-th."""

import os
import struct
from pathlib import Path

from tests.shims import settings_for

_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
static volatile int64_t *counts; /* taken, given back, and of each the one to fail */
static int (*real_fcntl)(int, int, ...);
static int (*real_flock)(int, int);
__attribute__((constructor)) static void begin(void) {
  real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
  real_flock = dlsym(RTLD_NEXT, "flock");
  int file = open(getenv("SHIM"), O_RDWR);
  counts = mmap(0, 32, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}
static int fails(int back) {
  if (__sync_add_and_fetch(&counts[back], 1) != counts[2 + back]) return 0;
  errno = ENOLCK;
  return 1;
}
static int any(int file, int what, void *with) {
  if (what == F_SETLK || what == F_SETLKW)
    if (fails(((struct flock *)with)->l_type == F_UNLCK)) return -1;
  return real_fcntl(file, what, with);
}
int fcntl(int file, int what, ...) {
  va_list rest;
  va_start(rest, what);
  void *with = va_arg(rest, void *);
  va_end(rest);
  return any(file, what, with);
}
int fcntl64(int file, int what, ...) {
  va_list rest;
  va_start(rest, what);
  void *with = va_arg(rest, void *);
  va_end(rest);
  return any(file, what, with);
}
int flock(int file, int what) {
  return fails(what == LOCK_UN) ? -1 : real_flock(file, what);
}
"""


class Locks:
    """The locks of the processes that are begun with ``settings``, in the order that they are taken or given back."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "locks"
        self._file.write_bytes(bytes(32))
        self.settings = settings_for(_SHIM, folder, self._file)

    def counts(self) -> tuple[int, ...]:
        """How many were taken and given back, and which of each is to fail."""
        return struct.unpack("4q", self._file.read_bytes())

    def fail(self, nth: int, *, given_back: bool = False) -> None:
        """Of those from now on; 0 for none."""
        at = self.counts()[given_back] + nth if nth else 0
        with self._file.open("r+b") as file:
            os.pwrite(file.fileno(), struct.pack("q", at), 8 * (2 + given_back))

    def has_failed(self, *, given_back: bool = False) -> bool:
        counts = self.counts()
        return 0 < counts[2 + given_back] <= counts[given_back]
