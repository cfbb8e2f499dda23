"""What changed since the last publish, parsed and laid aside until it goes live.

Batches are committed one by one, so that a run after a killed one does not parse again what that had parsed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from indexer.catalogue import Catalogue, FileState, object_from_json, object_to_json
from indexer.database import writing
from indexer.encoder import Encoder
from indexer.errors import Problem
from indexer.git import blob_id
from indexer.history import History
from indexer.index import PassageIndex
from indexer.knowledge import MAX_FILE_BYTES, KnowledgeObject, parse
from indexer.passages import CountTokens, cut
from indexer.prepared import Prepared, from_json, to_json
from indexer.progress import Progress, in_batches
from indexer.readers import LONG_BYTES, MANY, Found, ManyRead, Readers, given_up, reading
from indexer.row_checks import crc_of, require_intact
from indexer.source import TRANSCRIPT_ENDINGS, Content, Scan

PARSE_BATCH = 200


class Head(NamedTuple):
    """A parsed file on its way to being live, without what it says; JSON as it lies in the table.

    One with ``problems`` was refused: its object is then the last good version that git has of it, or none, and then
    it has no ``id``. Or it goes live without a transcript that cannot be read.
    """

    path: str
    stamp: str
    revision: str
    videos: str
    problems: str
    id: str | None


class Staged(NamedTuple):
    """The same with its object and its passages."""

    head: Head
    object: str | None
    passages: str


class Staging:
    """The files to parse again, those that are gone, and those touched but unchanged.

    ``maker`` names the encoder and format that cut passages.
    """

    def __init__(self, tree: Content, index: PassageIndex, encoder: Encoder, maker: str) -> None:
        self._tree, self._index, self._encoder, self._connection = tree, index, encoder, index.connection
        self.scan: Scan = tree.scan()
        self._catalogue = Catalogue(index.connection)
        known = self._catalogue.files()
        refused = {problem.path for problem in self._catalogue.refusals()}
        self._refused_before = frozenset(refused)
        if index.meta("made_by") != maker:
            refused = set(self.scan.articles)
            self._refused_before = frozenset()
        self.changed: list[str] = []
        self.touched: dict[str, FileState] = {}
        for path in self.scan.articles:
            state = known.get(path)
            stamp = self._stamp(path, state.videos) if state else ""
            if state is None or path in refused:
                self.changed.append(path)
            elif stamp and stamp == state.stamp:
                continue
            elif self._has_bytes_of(path, state):
                self.touched[path] = replace(state, stamp=stamp)
            else:
                self.changed.append(path)
        self.gone: list[str] = sorted(known.keys() - self.scan.articles.keys())
        if index.meta("staged_by") != maker:
            with writing(self._connection):
                self._connection.execute("DELETE FROM staged")
                index.set_meta("staged_by", maker)

    def _has_bytes_of(self, path: str, state: FileState) -> bool:
        """Whether a file whose stamp says nothing holds what it held; one with transcripts is read again anyway."""
        try:
            return not state.videos and blob_id(self._tree.read(path)) == state.revision
        except OSError:
            return False

    def _stamp(self, path: str, videos: Sequence[str]) -> str:
        """A file's stamp with those of its transcripts; empty where any of them may have changed unseen."""
        own = self.scan.articles[path]
        if not videos:
            return own
        beside = {video: self.scan.transcripts[video] for video in videos if video in self.scan.transcripts}
        if not own or "" in beside.values():
            return ""
        return " ".join([own, *(f"{name}={stamp}" for name, stamp in sorted(beside.items()))])

    def parse(self, history: History, progress: Progress) -> None:
        """Parse what changed, in batches that a killed run leaves behind for the next."""
        done = dict(self._connection.execute("SELECT path, stamp FROM staged"))
        with writing(self._connection):
            dropped = ((path,) for path in done.keys() - set(self.changed))
            self._connection.executemany("DELETE FROM staged WHERE path = ?", dropped)
        todo = [path for path in self.changed if not (done.get(path) and done[path] == self._staged_stamp(path))]
        done_so_far = 0
        counter = self._encoder.counter
        many = counter is not None and len(todo) >= MANY
        read = self._side_by_side(todo, history, counter) if counter and many else self._one_by_one(todo, history)
        for rows in read:
            with writing(self._connection):
                self._connection.executemany(
                    "INSERT OR REPLACE INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    ((*said, crc_of(*said)) for said in ((*row.head, row.object, row.passages) for row in rows)),
                )
            done_so_far += len(rows)
            progress("read", done_so_far, len(todo))

    def _one_by_one(self, todo: Sequence[str], history: History) -> Iterator[list[Staged]]:
        """Here, but for long files, which a process of their own reads that can be ended."""
        counter = self._encoder.counter
        with ExitStack() as stack:
            reader: Readers | None = None
            for _, batch in in_batches(todo, PARSE_BATCH):
                rows = []
                for path in batch:
                    found: Found = None
                    if counter and LONG_BYTES < len(data := self._bytes(path)) <= MAX_FILE_BYTES:
                        found = given_up((path, data))
                        if found is None:
                            if reader is None:
                                told = counter, self._encoder.max_tokens, self._index.language
                                reader = stack.enter_context(reading(*told, 1))
                            (found,) = reader.start([(path, data)])[0].result()
                    rows.append(self._laid_aside(path, found, history))
                yield rows

    def _side_by_side(self, todo: Sequence[str], history: History, counter: CountTokens) -> Iterator[list[Staged]]:
        """By several processes; what they cannot read by themselves is read here."""
        with reading(counter, self._encoder.max_tokens, self._index.language) as readers:
            before: tuple[list[str], list[ManyRead]] = ([], [])
            for _, batch in (*in_batches(todo, PARSE_BATCH), (0, [])):
                # The next files are read while what came of these is laid aside
                now = batch, readers.start([(path, self._bytes(path)) for path in batch])
                found = (one for many in before[1] for one in many.result())
                yield [self._laid_aside(path, one, history) for path, one in zip(before[0], found, strict=True)]
                before = now

    def _bytes(self, path: str) -> bytes:
        try:
            return self._tree.read(path)
        except OSError:
            # What is wrong is said when it is read by itself; no file of bytes like these can be
            return b"\xff"

    def _laid_aside(self, path: str, found: Found, history: History) -> Staged:
        if found is None:
            return self._staged(path, history)
        if isinstance(found, Problem):
            # Nor is an older version of it read: that may hang as well
            return Staged(Head(path, "", "", "[]", json_of([found]), None), None, "[]")
        head = Head(path, self._stamp(path, ()), found.revision, "[]", "[]", found.id)
        return Staged(head, found.object, found.passages)

    def _staged_stamp(self, path: str) -> str:
        (videos,) = self._connection.execute("SELECT videos FROM staged WHERE path = ?", (path,)).fetchone()
        return self._stamp(path, json.loads(videos))

    def _staged(self, path: str, history: History) -> Staged:
        data = b""
        try:
            data = self._tree.read(path)
            parsed = parse(path, data)
        except OSError as error:
            parsed = [Problem(path, 1, f"cannot be read: {error.strerror}", "Mend its permissions, or the repository")]
        problems: list[Problem] = []
        if isinstance(parsed, list):
            problems, good = parsed, self._last_good(path, blob_id(data), history)
            if good is None:
                return Staged(Head(path, "", "", "[]", json_of(problems), None), None, "[]")
            parsed = good
        transcripts, videos = self._transcripts(parsed, problems)
        passages = cut(parsed, self._encoder.count_tokens, self._encoder.max_tokens, transcripts)
        cut_up = to_json(Prepared.of(passage, self._index.language) for passage in passages)
        stamp = "" if problems else self._stamp(path, videos)
        head = Head(path, stamp, parsed.revision, json.dumps(videos), json_of(problems), parsed.id)
        return Staged(head, object_to_json(parsed), cut_up)

    def _last_good(self, path: str, blob: str, history: History) -> KnowledgeObject | None:
        """What a refused file said before, if nothing of it is live: after a rebuild, or renamed and broken at once."""
        if path in self._refused_before or self._catalogue.at_path(path) is not None:
            return None
        # To ask git takes a walk over all its commits
        if history.trouble or history.single.get(path) == blob:
            return None
        for data, at in self._tree.older(path):
            parsed = parse(path, data)
            if not isinstance(parsed, list):
                return replace(parsed, updated=at)
        return None

    def _transcripts(self, knowledge: KnowledgeObject, problems: list[Problem]) -> tuple[dict[str, str], list[str]]:
        """Of each video of an article the text of the transcript beside it, and all paths where one could be.

        One that cannot be read becomes a problem: to readers the article is worth more than what is said in its video.
        """
        found: dict[str, str] = {}
        looked: list[str] = []
        left = MAX_FILE_BYTES
        folder = PurePosixPath(knowledge.path).parent
        for video in dict.fromkeys(video for section in knowledge.document.sections for video in section.videos):
            for ending in TRANSCRIPT_ENDINGS:
                path = str((folder / video).with_suffix(ending))
                looked.append(path)
                if path not in self.scan.transcripts or video in found:
                    continue
                try:
                    data = self._tree.read(path)
                except OSError as error:
                    what = f"is without its transcript: {path} cannot be read: {error.strerror}"
                    problems.append(Problem(knowledge.path, 1, what, "Put it there again, or mend its permissions"))
                    continue
                left -= len(data)
                if left < 0:
                    what = f"is without the words of some videos: its transcripts have over {MAX_FILE_BYTES:,} bytes"
                    problems.append(Problem(knowledge.path, 1, what, "Split it into articles"))
                    return found, looked
                found[video] = data.decode("utf-8", "replace")
        return found, looked

    def heads(self) -> dict[str, Head]:
        """Everything staged whose file is still there, by path, in the order of paths."""
        rows = self._connection.execute(
            "SELECT path, stamp, revision, videos, problems, id FROM staged ORDER BY path"
        ).fetchall()
        return {row[0]: Head._make(row) for row in rows if row[0] in self.scan.articles}

    def read(self, path: str) -> tuple[KnowledgeObject, list[Prepared]]:
        """What a staged file says, one that has an id: all of fifty thousand would fill the memory.

        Raises IndexDamagedError.
        """
        crc, *said = self._connection.execute(
            "SELECT crc, path, stamp, revision, videos, problems, id, object, passages FROM staged WHERE path = ?",
            (path,),
        ).fetchone()
        require_intact(crc, *said)
        return object_from_json(said[-2]), from_json(said[-1])

    def texts(self) -> Iterable[str]:
        """The texts to encode of everything staged."""
        for (stored,) in self._connection.execute("SELECT passages FROM staged"):
            yield from (one.passage.encoded_text for one in from_json(stored) if one.text_hash)

    def clear(self) -> None:
        """Forget what was staged: it is live. Inside the transaction of the switch."""
        self._connection.execute("DELETE FROM staged")


def json_of(problems: Iterable[Problem]) -> str:
    return json.dumps([asdict(problem) for problem in problems])
