"""Markdown in git becomes a searchable index. Knows nothing of HTTP."""

from indexer.build import Report, update
from indexer.encoder import Encoder, open_encoder
from indexer.errors import KnowledgeBaseError, Problem
from indexer.index import PassageIndex
from indexer.knowledge import KnowledgeObject, parse
from indexer.passages import Passage, cut
from indexer.retrieval import Filter, Owner
from indexer.source import WorkingTree
from indexer.vectors import VectorCache

__all__ = [
    "Encoder",
    "Filter",
    "KnowledgeBaseError",
    "KnowledgeObject",
    "Owner",
    "Passage",
    "PassageIndex",
    "Problem",
    "Report",
    "VectorCache",
    "WorkingTree",
    "cut",
    "open_encoder",
    "parse",
    "update",
]
