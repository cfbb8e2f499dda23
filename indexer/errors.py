"""What can go wrong, said so that a person can mend it: what, where, why, and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of one content file. ``line`` counts from 1; 1 when the fault is of the whole file."""

    path: str
    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}. {self.remedy}"


class KnowledgeBaseError(Exception):
    """The program could not do what it was asked; the content is not to blame. Carries the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class ContentMissingError(KnowledgeBaseError):
    """The content folder is not there or cannot be read."""


class IndexMissingError(KnowledgeBaseError):
    """Nothing has been published in this data folder yet."""


class IndexBusyError(KnowledgeBaseError):
    """Another process is writing to this data folder."""


class IndexDamagedError(KnowledgeBaseError):
    """A derived file does not hold what it should; it can be rebuilt."""


class EncoderError(KnowledgeBaseError):
    """The model cannot be loaded, is not the expected one, or cannot be exported."""
