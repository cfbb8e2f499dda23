"""Answers from the index: search, articles, glossary; over HTTP, from the shell, and from Python."""

from kb_service.hits import Hit
from kb_service.knowledge_base import KnowledgeBase
from kb_service.query import Query
from kb_service.results import Results
from kb_service.search import Searcher
from kb_service.settings import Settings

__all__ = ["Hit", "KnowledgeBase", "Query", "Results", "Searcher", "Settings"]
