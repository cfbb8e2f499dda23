"""What is counted of a request before it is read, as reading it takes much longer than sending it: lines and crumbs."""

import re

import h11
from h11._receivebuffer import ReceiveBuffer

# Of a head, or of what may stand behind a body in chunks; folded lines too
MOST_LINES = 200
# A body in crumbs takes a thousand times longer to read than to send
MOST_CRUMBS = 1000
CRUMB_BYTES = 64
_END = re.compile(rb"(?:\A|\n)\r?\n")


class TooManyLinesError(h11.RemoteProtocolError):
    """A head, or a trailer, of more lines than any honest client sends."""


class _FewLines(ReceiveBuffer):
    """Takes lines apart only where they are few: h11 asks it for those of every head and of every trailer."""

    _lines = _counted = 0

    def maybe_extract_lines(self) -> list[bytearray] | None:
        ends = _END.search(self._data, max(0, self._counted - 2))
        seen = ends.end() if ends else len(self._data)
        self._lines += self._data.count(b"\n", self._counted, seen)
        self._counted = seen
        if self._lines > MOST_LINES:
            raise TooManyLinesError("too many lines")
        if ends:
            self._lines = self._counted = 0
        return super().maybe_extract_lines()


class CountedConnection(h11.Connection):
    """A server's side of one connection, whose requests have so many lines, and chunks of some size on average."""

    _chunks = _bytes = 0
    has_too_many_lines = False

    def __init__(self, most_incomplete_bytes: int) -> None:
        super().__init__(h11.SERVER, most_incomplete_bytes)
        self._receive_buffer = _FewLines()

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            event = super().next_event()
        except TooManyLinesError:
            self.has_too_many_lines = True
            raise
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._bytes += len(event.data)
            if self._chunks > MOST_CRUMBS and self._bytes < self._chunks * CRUMB_BYTES:
                raise h11.RemoteProtocolError("the body comes in crumbs")
        return event
