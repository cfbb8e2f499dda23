"""An article, what a command came to, and what it wrote."""

from collections.abc import Callable
from dataclasses import dataclass

from indexer import KnowledgeObject, parse
from tests.conftest import Desk

Run = Callable[..., "Done"]
BACKUP = """---
title: Backup failed
type: runbook
services: [backup]
owner: platform-operations
---
## Symptoms

The backup job of the mail archive failed with warnings.

## Steps

Renew the credential and run the job again.
"""


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def article(desk: Desk, path: str) -> KnowledgeObject:
    parsed = parse(path, (desk.content / path).read_bytes())
    assert isinstance(parsed, KnowledgeObject), parsed
    return parsed
