"""Waiting for what another process says, but not for ever."""

import select
from typing import IO


def says_something(pipe: IO[bytes], seconds: float) -> bool:
    """Whether something comes, or the pipe ends, in time. What was read into its buffer already does not count."""
    # select() takes no file that was opened after a thousand others
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(round(seconds * 1000)))
