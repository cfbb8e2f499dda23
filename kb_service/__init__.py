"""Answers from the index: search, articles, glossary; over HTTP, from the shell, and from Python."""

from kb_service.knowledge_base import KnowledgeBase
from kb_service.search import Hit, Query, Results, Searcher
from kb_service.settings import Settings

__all__ = ["Hit", "KnowledgeBase", "Query", "Results", "Searcher", "Settings"]
